"""What a chart of many runs costs: one key of 1 000 runs at 500 points each, read at once.

python benchmarks/many_runs.py [--runs N]

Runs of several lengths, because they are read in different ways: short ones whole, long ones from what their chunks
say of themselves. Only the reading is timed.
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
from tracking.store.contract import RunBatch, RunStart, RunStore, SeriesPart

POINTS = 500
LENGTHS = (500, 10_000, 40_000)
AT_ONCE = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    count = parser.parse_args().runs
    names = [f"run{number:05d}" for number in range(count)]
    print(f"{count:,} runs, one key, {POINTS} points each{'target':>18}{'measured':>16}")
    rng = random.Random(1)
    noise = [rng.gauss(0.0, 1.0) for _ in range(2 * max(LENGTHS))]
    values = list(struct.unpack(f"{len(noise)}f", struct.pack(f"{len(noise)}f", *noise)))
    with tempfile.TemporaryDirectory(prefix="sweepwright-bench-") as folder:
        for length in LENGTHS:
            store = tracking.store.open_store(f"sqlite:///{Path(folder, f'{length}.db')}")
            fill(store, names, values, length)
            seconds, found = read(store, names)
            store.close()
            assert len(found) == count
            print(f"{f'{length:,} steps each':<42}{'≤ 1 s':>12}{f'{seconds:.2f} s':>16}", flush=True)


def fill(store: RunStore, names: list[str], values: list[float], length: int) -> None:
    steps = list(range(length))
    for first in range(0, len(names), AT_ONCE):
        store.apply([
            RunBatch(
                name, 1, 0, 1, start=RunStart(name, "bench"), last_step=length - 1,
                history={"loss": SeriesPart("float", steps, values[place : place + length])},
            )
            for place, name in enumerate(names[first : first + AT_ONCE], first)
        ])  # fmt: skip


def read(store: RunStore, names: list[str]) -> tuple[float, dict[str, int]]:
    """The median of 5 readings, and the points of each run."""
    store.samples(names[:1], "loss", POINTS)  # the first call loads numpy
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        found = store.samples(names, "loss", POINTS)
        took.append(time.perf_counter() - begin)
    return statistics.median(took), {name: len(points.steps) for name, points in found.items()}


if __name__ == "__main__":
    main()
