"""What is left of a trial whose agent and guard were killed together is ended by the next agent on the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.executors.strays import end_strays
from agent.guard import TOKEN

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


def sleeper(token: str) -> subprocess.Popen[str]:
    """A process with this token, which sleeps when this returns."""
    code = "import time; print('up', flush=True); time.sleep(600)"
    environ = {**os.environ, TOKEN: token}
    process = subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_processes_of_a_dead_guard_are_ended_and_those_of_a_living_one_are_not() -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    living = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "guard.py"])
    stray, kept, foreign = sleeper(f"{dead.pid}-3"), sleeper(f"{living.pid}-1"), sleeper("no number")
    try:
        assert stray.pid in end_strays()
        assert stray.wait(10) != 0
        assert kept.poll() is None
        assert foreign.poll() is None
    finally:
        for process in (living, stray, kept, foreign):
            process.kill()
            process.communicate(timeout=10)
