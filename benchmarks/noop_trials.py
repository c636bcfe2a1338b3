"""No-op trials per second through the whole path with 2 slots: as programs (target 15/s) and as functions (500/s)."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import sweeps
import tracking
from agent.api import run_sweep

PROGRAMS, FUNCTIONS = 150, 2000
PROGRAM = 'import tracking\nwith tracking.init() as run:\n    tracking.log({"loss": 1.0})\n'


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SWEEP_HOME"] = str(Path(folder, "home"))
        os.chdir(folder)
        Path("bare.py").write_text("pass\n")
        Path("train.py").write_text(PROGRAM)
        _report("programs: pass", 15, _rate(PROGRAMS, None, "bare.py"))
        _report("programs: init, log, finish", 15, _rate(PROGRAMS, None, "train.py"))
        _report("functions: pass", 500, _rate(FUNCTIONS, _nothing))
        _report("functions: init, log, finish", 500, _rate(FUNCTIONS, _train))


def _nothing() -> None:
    pass


def _train() -> None:
    with tracking.init():
        tracking.log({"loss": 1.0})


def _rate(trials: int, function: object, program: str = "") -> float:
    sweep = sweeps.create(
        {
            "method": "random",
            "seed": 1,
            "run_cap": trials,
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": {"lr": {"min": 0.0, "max": 1.0}, "width": {"values": [16, 32, 64]}},
            **({"program": program} if program else {}),
        }
    )
    began = time.perf_counter()
    run_sweep(sweep.id, function=function, slots=2, quiet=True)  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    ended = len([trial for trial in sweeps.get(sweep.id).trials() if trial.state == "complete"])
    assert ended == trials, (ended, trials)
    return trials / seconds


def _report(what: str, target: float, rate: float) -> None:
    print(f"{what:32} target {target:4.0f}/s   measured {rate:6.1f}/s   {'ok' if rate >= target else 'MISSED'}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
