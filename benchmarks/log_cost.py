"""What log() of 4 scalars costs the training loop, with the shipper running, and how fast a journal is projected."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tracking.home import journal_path
from tracking.shipping.journal_shipper import JournalShipper

# The same loop as a training script: each call timed alone, then a stretch without clock readings.
TRAINING = """
import json, sys, time
import tracking
rows = int(sys.argv[1])
run = tracking.init(project="bench", id="bench")
log, now = tracking.log, time.perf_counter_ns
for i in range(2000):
    log({"train/loss": 0.5, "train/accuracy": 0.8, "lr": 1e-3, "epoch": i})
time.sleep(1.5)  # the shipper starts and begins to work beside us
took = []
for i in range(rows):
    row = {"train/loss": 1.0 / (i + 1), "train/accuracy": 0.8, "lr": 1e-3, "epoch": i}
    start = now()
    log(row)
    took.append(now() - start)
start = time.perf_counter()
for i in range(rows):
    log({"train/loss": 1.0 / (i + 1), "train/accuracy": 0.8, "lr": 1e-3, "epoch": i})
seconds = time.perf_counter() - start
run.finish()
took.sort()
print(json.dumps([took[rows // 2] / 1e3, took[rows * 99 // 100] / 1e3, took[-1] / 1e3, rows / seconds]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=200_000, help="calls of log() in each of two loops (default 200000)"
    )
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        environ = {**os.environ, "SWEEP_HOME": str(home), "SWEEP_SILENT": "1"}
        command = [sys.executable, "-c", TRAINING, str(rows)]
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
        median, p99, worst, rate = json.loads(done.stdout)
        points, seconds = project(home / "runs" / "bench")
        print(f"{'log() of 4 scalars':34}{'target':>12}{'measured':>14}")
        line("median", "≤ 5 µs", f"{median:.2f} µs")
        line("p99", "≤ 50 µs", f"{p99:.2f} µs")
        line("worst", "–", f"{worst:.0f} µs")
        line("calls in a row", "≥ 100 000/s", f"{rate:,.0f}/s")
        line("journal read and projected", "> 300 000/s", f"{points / seconds:,.0f}/s")
        wait_until_shipped(home / "runs" / "bench")


def project(run_dir: Path) -> tuple[int, float]:
    """Points of the journal, and the seconds that reading and projecting it takes (no store)."""
    shipper, points, start = JournalShipper(run_dir, "bench", 1), 0, time.perf_counter()
    while (batch := shipper.collect()) is not None:
        points += sum(len(part.steps) for key, part in batch.history.items() if not key.startswith("_"))
        shipper.accept(batch.to_offset)
    assert journal_path(run_dir, 1).stat().st_size == shipper.offset
    return points, time.perf_counter() - start


def wait_until_shipped(run_dir: Path) -> None:
    """The shipper goes on in the background; its folder may not vanish before it is done."""
    line_of_shipper = f"tracking.shipping {run_dir}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        if line_of_shipper not in listed:
            return
        time.sleep(0.2)


def line(what: str, target: str, measured: str) -> None:
    print(f"{what:34}{target:>12}{measured:>14}")


if __name__ == "__main__":
    main()
