"""One suite over every executor: what is started, how its end is told, and what asking it to end does."""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking
from agent.executors.contract import Executor, Exit, Handle, Launch
from agent.executors.function import FunctionExecutor
from agent.executors.process import ProcessExecutor

DEADLINE = 20.0


class Kind(ABC):
    """Makes an executor whose trials do what `what` says: "end", "fail" or "wait" (until asked to end)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.executor = self.make()

    @abstractmethod
    def make(self) -> Executor: ...

    @abstractmethod
    def launch(self, what: str, number: int = 0) -> Launch: ...

    def wake(self) -> None:
        self.bell.put(None)

    def close(self) -> None:
        self.executor.close()

    def end_of(self, handle: Handle) -> Exit:
        deadline = time.monotonic() + DEADLINE
        while (found := handle.poll()) is None:
            self.bell.get(timeout=max(0.0, deadline - time.monotonic()))
        return found


class Processes(Kind):
    CODE = """
import os, sys, time
print(sys.argv[1], os.environ["MARK"], os.getcwd(), flush=True)
if sys.argv[1] == "fail":
    raise ValueError("bad luck")
if sys.argv[1] == "wait":
    time.sleep(60)
"""

    def make(self) -> Executor:
        return ProcessExecutor(self.wake)

    def launch(self, what: str, number: int = 0) -> Launch:
        return Launch(
            run_id=f"s-{number}",
            sweep_id="s",
            number=number,
            attempt=1,
            params={},
            run_dir=self.folder,
            environment={"MARK": "here"},
            argv=[sys.executable, "-c", self.CODE, what],
            workdir=self.folder,
            console=self.folder / f"{number}.log",
        )


class Threads(Kind):
    threads = 2

    def make(self) -> Executor:
        return FunctionExecutor(self.act, self.wake, threads=self.threads)

    def act(self) -> None:
        with tracking.init() as run:
            what = run.config["what"]
            if what == "fail":
                raise ValueError("bad luck")
            while what == "wait":
                tracking.log({"beat": 1})
                time.sleep(0.005)

    def launch(self, what: str, number: int = 0) -> Launch:
        folder = self.folder / f"run-{number}"
        folder.mkdir(exist_ok=True)
        return Launch(
            run_id=f"s-{number}",
            sweep_id="s",
            number=number,
            attempt=1,
            params={"what": what},
            run_dir=folder,
            environment={},
            console=self.folder / f"{number}.log",
        )


class Served(Threads):
    """Functions in a thread of the caller's."""

    threads = 0

    def make(self) -> Executor:
        executor = super().make()
        assert isinstance(executor, FunctionExecutor)
        self.server = threading.Thread(target=executor.serve)
        self.server.start()
        return executor

    def close(self) -> None:
        super().close()
        self.server.join()


@pytest.fixture(params=[Processes, Threads, Served], ids=["processes", "threads", "served"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> Iterator[Kind]:
    made: Kind = request.param(tmp_path)
    yield made
    made.close()


def test_a_trial_that_ends_well_has_status_0(kind: Kind) -> None:
    found = kind.end_of(kind.executor.start(kind.launch("end")))
    assert (found.code, found.signal, found.error) == (0, None, "")


def test_a_trial_that_fails_tells_why_in_its_log(kind: Kind) -> None:
    found = kind.end_of(kind.executor.start(kind.launch("fail")))
    assert found.code == 1
    assert "ValueError: bad luck" in (kind.folder / "0.log").read_text()


def test_a_trial_fails_alone(kind: Kind) -> None:
    handles = [kind.executor.start(kind.launch(what, number)) for number, what in enumerate(("fail", "end", "fail"))]
    assert [kind.end_of(handle).code for handle in handles] == [1, 0, 1]


def test_a_trial_ends_when_it_is_asked_to(kind: Kind) -> None:
    handle = kind.executor.start(kind.launch("wait"))
    assert handle.poll() is None
    _until_it_runs(kind)
    handle.terminate()
    handle.terminate()
    found = kind.end_of(handle)
    assert found.stopped or found.signal == signal.SIGTERM


def test_a_trial_ends_when_it_is_killed(kind: Kind) -> None:
    handle = kind.executor.start(kind.launch("wait"))
    _until_it_runs(kind)
    handle.kill()
    found = kind.end_of(handle)
    assert found.stopped or found.signal == signal.SIGKILL


def test_asking_for_the_end_of_what_has_ended_is_no_error(kind: Kind) -> None:
    handle = kind.executor.start(kind.launch("end"))
    found = kind.end_of(handle)
    handle.terminate()
    handle.kill()
    assert handle.poll() == found


def test_closing_ends_what_runs_and_closing_again_is_no_error(kind: Kind) -> None:
    handle = kind.executor.start(kind.launch("wait"))
    _until_it_runs(kind)
    handle.terminate()
    kind.executor.close()
    kind.executor.close()
    assert kind.end_of(handle).code is None


def test_what_has_not_begun_can_be_withdrawn(tmp_path: Path, home: Path) -> None:
    kind = Served.__new__(Served)
    kind.folder, kind.bell = tmp_path, queue.SimpleQueue()
    executor = FunctionExecutor(kind.act, kind.wake)  # nobody serves it
    handle = executor.start(kind.launch("end"))
    executor.withdraw()
    found = handle.poll()
    assert found is not None
    assert found.details["unstarted"]


def test_the_begin_is_told_when_a_call_really_begins(tmp_path: Path, home: Path) -> None:
    kind = Served.__new__(Served)
    kind.folder, kind.bell = tmp_path, queue.SimpleQueue()
    executor = FunctionExecutor(kind.act, kind.wake)
    begun: list[int] = []
    handles = [
        executor.start(kind.launch("end", number), lambda number=number: begun.append(number))  # type: ignore[misc]
        for number in range(2)
    ]
    assert (begun, [handle.began for handle in handles]) == ([], [0.0, 0.0])
    server = threading.Thread(target=executor.serve)
    before = time.monotonic()
    server.start()
    exits = [kind.end_of(handle) for handle in handles]
    executor.close()
    server.join()
    assert begun == [0, 1]
    assert before <= handles[0].began <= handles[1].began
    assert sum(found.details["seconds"] for found in exits) <= time.monotonic() - before


def _until_it_runs(kind: Kind) -> None:
    """Until a waiting trial is past its start: it has printed, or has written its journal."""
    deadline = time.monotonic() + DEADLINE
    while True:
        seen = [kind.folder / "0.log", *(kind.folder.glob("run-0/*.journal"))]
        if any(path.exists() and path.stat().st_size for path in seen):
            return
        assert time.monotonic() < deadline
        time.sleep(0.005)
