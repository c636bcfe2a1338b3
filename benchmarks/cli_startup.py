"""How long `sweep` takes to start: `--help`, `--version` and `ls` on a store with sweeps, each in a fresh process."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPEC = "method: random\nrun_cap: 5\nprogram: train.py\nmetric: {name: loss}\nparameters: {lr: {min: 0.0, max: 1.0}}\n"
# Target in milliseconds; None where the design names none.
CASES: tuple[tuple[str, list[str], int | None], ...] = (
    ("sweep --help", ["--help"], 150),
    ("sweep --version", ["--version"], None),
    ("sweep ls, no store yet", ["ls"], None),
    ("sweep ls, 20 sweeps", ["ls"], None),
    ("sweep show ID --json", ["show"], None),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15, help="processes per line (default 15)")
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Path(folder, "empty"), Path(folder, "full")
        sweep_id = fill(full, Path(folder))
        print(f"{'command':28}{'target':>10}{'median':>10}{'worst':>10}")
        for title, argv, target in CASES:
            home = empty if "no store" in title else full
            line = [*argv, sweep_id, "--json"] if argv == ["show"] else argv
            timed(line, home)  # warms the disk
            took = sorted(1000 * timed(line, home) for _ in range(repeat))
            goal = f"{target} ms" if target else "–"
            print(f"{title:28}{goal:>10}{statistics.median(took):>7.0f} ms{took[-1]:>7.0f} ms")


def fill(home: Path, folder: Path) -> str:
    """Twenty sweeps; returns the id of the last one."""
    spec = folder / "sweep.yaml"
    spec.write_text(SPEC)
    (folder / "train.py").write_text("")
    environ = {**os.environ, "SWEEP_HOME": str(home)}
    code = "import sys, sweeps\nfor _ in range(20): made = sweeps.create(sys.argv[1])\nprint(made.id)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(spec)], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def timed(argv: list[str], home: Path) -> float:
    """Seconds of wall time for one process."""
    environ = {**os.environ, "SWEEP_HOME": str(home)}
    command = str(Path(sys.executable).with_name("sweep"))
    start = time.perf_counter()
    subprocess.run([command, *argv], env=environ, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
