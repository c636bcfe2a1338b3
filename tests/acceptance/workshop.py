"""A folder with a script, a sweep and real agents on it: what the tests of the agent start, watch and kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import sweeps
from sweeps.records import AgentRecord, Notice, TrialRecord
from sweeps.states import TrialState
from sweeps.store import open_store
from tracking.store import open_store as open_run_store
from tracking.store.contract import RunRecord

SWEEP = str(Path(sys.executable).with_name("sweep"))
DEADLINE = 40.0

LOSS = "import tracking\nrun = tracking.init()\ntracking.log({'loss': float(tracking.config['x'])})\n"
SLOW = """
import pathlib, time, tracking
run = tracking.init()
tracking.log({"loss": float(run.config["x"])})
gate = pathlib.Path("gate")
while not gate.exists():
    time.sleep(0.02)
"""
"""Logs once, then runs until somebody makes the file `gate`."""


class AgentProcess:
    """`sweep agent …` as a process; its output goes to files, so that no pipe fills up."""

    def __init__(self, argv: list[str], folder: Path, name: str, environ: dict[str, str], **options: Any) -> None:
        self.out_file, self.err_file = folder / f"{name}.out", folder / f"{name}.err"
        with self.out_file.open("wb") as out, self.err_file.open("wb") as err:
            self.process = subprocess.Popen(
                argv,
                cwd=folder,
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environ},
                **options,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def out(self) -> str:
        return self.out_file.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self.err_file.read_text(errors="replace")

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = DEADLINE) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the agent still runs after {seconds} s\n{self.out}\n{self.err}") from None

    def children(self) -> list[psutil.Process]:
        """The guard and all that it has started."""
        return psutil.Process(self.pid).children(recursive=True)

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        with suppress(psutil.NoSuchProcess):
            for child in self.children():
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        with suppress(OSError):
            self.process.kill()
        self.process.wait()


class Workshop:
    """One folder, one sweep at a time. Agents use short leases unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._agents: list[AgentProcess] = []
        self.sweep_id = ""

    def create(self, script: str | None = LOSS, **spec: Any) -> str:
        """Write `train.py` and create a sweep over x in 0, 1, 2 unless `spec` says otherwise."""
        if script is not None:
            (self.folder / "train.py").write_text(script)
        document = {
            "method": "grid",
            "program": "train.py",
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": {"x": {"values": [0, 1, 2]}},
            **spec,
        }
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            self.sweep_id = sweeps.create({key: value for key, value in document.items() if value is not None}).id
        finally:
            os.chdir(here)
        return self.sweep_id

    def agent(
        self, *args: str, lease: float = 2.0, environ: dict[str, str] | None = None, **options: Any
    ) -> AgentProcess:
        argv = [SWEEP, "agent", self.sweep_id, *args]
        return self.start(argv, {"SWEEP_LEASE": str(lease), **(environ or {})}, **options)

    def start(self, argv: list[str], environ: dict[str, str] | None = None, **options: Any) -> AgentProcess:
        agent = AgentProcess(argv, self.folder, f"agent-{len(self._agents)}", environ or {}, **options)
        self._agents.append(agent)
        return agent

    def open_gate(self) -> None:
        (self.folder / "gate").touch()

    def trials(self) -> list[TrialRecord]:
        with closing(open_store()) as store:
            return store.trials(self.sweep_id)

    def states(self) -> list[str]:
        return [trial.state.value for trial in self.trials()]

    def count(self, state: TrialState) -> int:
        return sum(trial.state is state for trial in self.trials())

    def sweep_state(self) -> str:
        with closing(open_store()) as store:
            return store.sweep(self.sweep_id).state.value

    def agents(self) -> list[AgentRecord]:
        with closing(open_store()) as store:
            return store.agents(self.sweep_id)

    def notices(self) -> list[Notice]:
        with closing(open_store()) as store:
            return store.notices(self.sweep_id)

    def run(self, number: int) -> RunRecord:
        with closing(open_run_store()) as store:
            return store.run(f"{self.sweep_id}-{number}")

    def console(self, number: int) -> str:
        with closing(open_run_store()) as store:
            return store.console(f"{self.sweep_id}-{number}").decode()

    def console_file(self, number: int, attempt: int = 1) -> str:
        """What a trial has printed so far, shipped or not."""
        path = Path(os.environ["SWEEP_HOME"]) / "runs" / f"{self.sweep_id}-{number}" / f"attempt-{attempt}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def running_pids(self) -> list[int]:
        """Processes of trials of this sweep, found by what the agent told them, wherever they hang now."""
        return pids_with(f"SWEEP_SWEEP_ID={self.sweep_id}")

    def wait_running(self, count: int) -> None:
        """Until that many trials have logged, so that they are surely in their loops."""

        def begun() -> bool:
            runs = [trial for trial in self.trials() if trial.state is TrialState.RUNNING]
            return len(runs) == count == len(self.running_pids()) and all(self._has_logged(trial) for trial in runs)

        wait_for(begun, f"{count} running trials")

    def _has_logged(self, trial: TrialRecord) -> bool:
        with closing(open_run_store()) as store:
            return any(info.key == "loss" for info in store.keys(trial.run_id))

    def close(self) -> None:
        for agent in self._agents:
            agent.end()
        for pid in self.running_pids() if self.sweep_id else []:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def shop(tmp_path: Path, home: Path) -> Iterator[Workshop]:
    """A workshop in an empty folder; whatever it started is ended after the test."""
    folder = tmp_path / "work"
    folder.mkdir()
    made = Workshop(folder)
    yield made
    made.close()


def pids_with(entry: str) -> list[int]:
    """Living processes whose environment holds `NAME=value`, this one excepted."""
    found = []
    name, _, value = entry.partition("=")
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if (
                process.pid != os.getpid()
                and process.environ().get(name) == value
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process.pid)
    return found


def wait_for(happened: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Until `happened()` is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)
