"""An agent at rest (target: RSS ≤ 80 MB, CPU ≤ 1 %) and how soon it starts its first trial (target: 1 s)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

import sweeps

SWEEP = str(Path(sys.executable).with_name("sweep"))
SECONDS = 20.0
STARTED = "import pathlib, time\npathlib.Path('started').write_text(str(time.time()))\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SWEEP_HOME"] = str(Path(folder, "home"))
        os.chdir(folder)
        for method in ("random", "bayes"):
            soonest = min(_first_trial(method) for _ in range(5))
            _report(f"first trial, {method}", "1 s", f"{soonest:.2f} s", soonest <= 1)
        Path("wait.py").write_text("import time\ntime.sleep(600)\n")
        for what, paused, others in (
            ("paused", True, 0),
            ("running one silent trial", False, 0),
            ("waiting for others", False, 1),
        ):
            memory, load = _rest(paused, others)
            _report(f"memory, {what}", "80 MB", f"{memory:.0f} MB", memory <= 80)
            _report(f"CPU, {what}", "1 %", f"{load:.2f} %", load <= 1)


def _create(program: str, method: str = "random", cap: int = 1) -> sweeps.Sweep:
    return sweeps.create(
        {
            "method": method,
            "run_cap": cap,
            "program": program,
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": {"lr": {"min": 0.0, "max": 1.0}},
        }
    )


def _first_trial(method: str) -> float:
    Path("first.py").write_text(STARTED)
    sweep = _create("first.py", method)
    began = time.time()
    subprocess.run([SWEEP, "agent", sweep.id, "-q"], check=True, stderr=subprocess.DEVNULL)
    return float(Path("started").read_text()) - began


def _rest(paused: bool, others: int) -> tuple[float, float]:
    """Memory in MB and CPU in percent of one core of an agent that has nothing to do, without its trial."""
    sweep = _create("wait.py")
    if paused:
        sweep.pause()
    agents = []
    try:
        for _ in range(1 + others):
            agents.append(subprocess.Popen([SWEEP, "agent", sweep.id, "-q", "--grace", "1"]))
            time.sleep(3)
        watched = psutil.Process(agents[-1].pid)
        before = watched.cpu_times()
        time.sleep(SECONDS)
        after = watched.cpu_times()
        memory = watched.memory_info().rss + sum(child.memory_info().rss for child in watched.children())
        return memory / 1e6, 100 * (after.user + after.system - before.user - before.system) / SECONDS
    finally:
        for agent in agents:
            agent.send_signal(signal.SIGTERM)
        for agent in agents:
            agent.wait()


def _report(what: str, target: str, measured: str, kept: bool) -> None:
    print(f"{what:34} target {target:>6}   measured {measured:>8}   {'ok' if kept else 'MISSED'}", flush=True)


if __name__ == "__main__":
    main()
