"""Runs small training scripts in processes of their own and looks at what the store has of them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracking.errors import RunNotFound, StoreUnavailable
from tracking.states import RunState
from tracking.store import open_store
from tracking.store.contract import RunRecord, RunStore

DEADLINE_S = 60.0


def wait_until(what: str, true: Callable[[], Any], seconds: float = DEADLINE_S) -> Any:
    """The first true answer, polled; fails after the deadline with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := true():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds:g} s in vain until {what}")


@dataclass
class Training:
    """A folder for scripts, and the environment that they get."""

    folder: Path
    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> Training:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            with process:
                process.kill()
        end_shippers(self.home)

    def start(self, code: str, *argv: str, **environ: str) -> subprocess.Popen[str]:
        script = self.folder / "train.py"
        script.write_text(textwrap.dedent(code))
        process = subprocess.Popen(
            [sys.executable, str(script), *argv],
            cwd=self.folder,
            env={**os.environ, **self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def run(self, code: str, *argv: str, status: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end and check its exit status."""
        process = self.start(code, *argv, **environ)
        try:
            out, err = process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert process.returncode == status, f"exit status {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @contextlib.contextmanager
    def store(self) -> Iterator[RunStore]:
        store = open_store(self.environ.get("SWEEP_STORE"))
        try:
            yield store
        finally:
            store.close()

    def record(self, run_id: str = "r") -> RunRecord | None:
        try:
            with self.store() as store:
                return store.run(run_id)
        except (RunNotFound, StoreUnavailable):
            return None

    def ended(self, run_id: str = "r") -> RunRecord:
        """The record of a run, once the store says that it has ended."""

        def look() -> RunRecord | None:
            record = self.record(run_id)
            return record if record is not None and record.state is not RunState.RUNNING else None

        record: RunRecord = wait_until(f"run {run_id} has ended in the store", look)
        return record

    def values(self, key: str, run_id: str = "r") -> list[Any]:
        with self.store() as store:
            return list(store.series(run_id, key).values)


def shippers(run_dir: Path) -> list[int]:
    """The pids of the shippers that work for runs below this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"tracking.shipping" in words and any(word.startswith(os.fsencode(run_dir)) for word in words):
                found.append(int(entry.name))
    return found


def end_shippers(run_dir: Path) -> None:
    """Let no shipper outlive its test's folder."""
    deadline = time.monotonic() + 5
    while (pids := shippers(run_dir)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
