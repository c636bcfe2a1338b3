"""How fast batches of points go into a SQLite store, how many bytes a scalar takes there, and what a chart costs.

python benchmarks/journal_to_store.py [--full]

--full: 1e7 points of one key, and 1e6 steps of ten, as in the targets; by default a fifth.
Only the store is timed, not the making of batches.
"""

from __future__ import annotations

import argparse
import random
import statistics
import struct
import tempfile
import time
from pathlib import Path

import tracking.store
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd, RunStart, RunStore, SeriesPart

BATCH = 20_000
POOL = 500_000  # distinct values, repeated: making 1e7 random numbers would take longer than storing them
RUNS = 3_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="1e7 points instead of 2e6")
    full = parser.parse_args().full
    points = 10_000_000 if full else 2_000_000
    print(f"{points:,} points of one key{'target':>23}{'measured':>16}")
    rng = random.Random(1)
    noise = [rng.gauss(0.0, 1.0) for _ in range(POOL)]
    narrow = list(struct.unpack(f"{POOL}f", struct.pack(f"{POOL}f", *noise)))
    with tempfile.TemporaryDirectory(prefix="sweepwright-bench-") as folder:
        for name, values, target in (("float32 values", narrow, "≤ 4 B"), ("float64 noise", noise, "–")):
            path = Path(folder, f"{name.split()[0]}.db")
            store = tracking.store.open_store(f"sqlite:///{path}")
            rate = fill(store, values, points)
            line(f"{name}: into the store", "≥ 200 000/s", f"{rate:,.0f}/s")
            charts(store, name, points)
            store.close()
            line(f"{name}: bytes per scalar", target, f"{path.stat().st_size / points:.2f} B")
        ten_keys(Path(folder, "keys.db"), narrow, 1_000_000 if full else 200_000)
        store = tracking.store.open_store(f"sqlite:///{Path(folder, 'runs.db')}")
        line("tiny runs, 100 in a batch", "≥ 1 500/s", f"{tiny_runs(store):,.0f}/s")
        store.close()


def fill(store: RunStore, values: list[float], points: int) -> float:
    """Points per second."""
    seconds = 0.0
    for begin in range(0, points, BATCH):
        place = begin % (len(values) - BATCH + 1)
        part = SeriesPart("float", list(range(begin, begin + BATCH)), values[place : place + BATCH])
        batch = RunBatch("bench", 1, begin, begin + BATCH, history={"loss": part}, last_step=begin + BATCH - 1)
        batch.summary["loss"] = part.values[-1]
        if begin == 0:
            batch.start = RunStart("bench", "bench")
        if begin + BATCH >= points:
            batch.end = RunEnd(RunState.FINISHED, exit_code=0)
        start = time.perf_counter()
        store.apply([batch])
        seconds += time.perf_counter() - start
    return points / seconds


def charts(store: RunStore, name: str, points: int) -> None:
    """The slowest range of several, each the median of 5 readings."""
    ranges = [(0, points), (0, points // 2), (1, points // 10), (7, 500_000), (9, 129_000), (5, 100_000), (3, 20_000)]
    cost: dict[tuple[int, int], float] = {}
    for start, stop in ranges:
        took = []
        for _ in range(5):
            begin = time.perf_counter()
            found = store.sample("bench", "loss", 2000, start, stop)
            took.append(time.perf_counter() - begin)
            assert 900 <= len(found.steps) <= 2000
        cost[(start, stop)] = statistics.median(took) * 1e3
    worst = max(cost, key=cost.__getitem__)
    line(f"{name}: chart of all", "≤ 50 ms", f"{cost[ranges[0]]:.1f} ms")
    line(f"{name}: slowest range ({worst[1] - worst[0]:,} points)", "≤ 50 ms", f"{cost[worst]:.1f} ms")


def ten_keys(path: Path, values: list[float], steps: int) -> None:
    """One run with ten keys: how fast it is stored, and the slowest of its keys as a chart of 2 000 points."""
    store = tracking.store.open_store(f"sqlite:///{path}")
    keys = [f"key{number}" for number in range(10)]
    seconds = 0.0
    for begin in range(0, steps, BATCH):
        some, place = list(range(begin, begin + BATCH)), begin % (len(values) - BATCH + 1)
        history = {key: SeriesPart("float", some, values[place : place + BATCH]) for key in keys}
        start = time.perf_counter()
        store.apply([RunBatch("bench", 1, begin, begin + BATCH, RunStart("bench", "bench"), history=history)])
        seconds += time.perf_counter() - start
    line(f"10 keys, {steps:,} steps: into the store", "≥ 200 000/s", f"{10 * steps / seconds:,.0f}/s")
    took = []
    for key in keys:
        start = time.perf_counter()
        store.sample("bench", key, 2000)
        took.append(time.perf_counter() - start)
    store.close()
    line("10 keys: slowest key as a chart", "≤ 50 ms", f"{max(took) * 1e3:.1f} ms")


def tiny_runs(store: RunStore) -> float:
    """Runs per second: start, two points of three keys, end."""
    begin = time.perf_counter()
    for first in range(0, RUNS, 100):
        store.apply([tiny_run(f"bench000-{number}") for number in range(first, first + 100)])
    return RUNS / (time.perf_counter() - begin)


def tiny_run(run_id: str) -> RunBatch:
    history = {key: SeriesPart("float", [0, 1], [0.5, 0.25]) for key in ("loss", "_timestamp", "_runtime")}
    return RunBatch(
        run_id,
        1,
        0,
        500,
        start=RunStart(run_id, "bench", config={"lr": 0.1, "width": 64}, sweep_id="bench000"),
        history=history,
        summary={"loss": 0.25},
        last_step=1,
        end=RunEnd(RunState.FINISHED, exit_code=0),
    )


def line(what: str, target: str, measured: str) -> None:
    print(f"{what:40}{target:>14}{measured:>16}", flush=True)


if __name__ == "__main__":
    main()
