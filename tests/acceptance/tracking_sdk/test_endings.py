"""However a program ends, the state and the exit code of its run are right."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training
from tracking.states import RunState

BEGIN = "import atexit, os, signal, sys, threading, tracking\nrun = tracking.init(id='r')\nrun.log({'loss': 1.0})\n"


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


ENDINGS = {
    "a bare SystemExit": ("raise SystemExit(3)", 3, RunState.FAILED, 3),
    "a bare SystemExit of a function": (
        "def main():\n    return 4\nif __name__ == '__main__':\n    raise SystemExit(main())",
        4,
        RunState.FAILED,
        4,
    ),
    "a bare SystemExit without a status": ("raise SystemExit", 0, RunState.FINISHED, 0),
    "a bare SystemExit with a text": ("raise SystemExit('bad')", 1, RunState.FAILED, 1),
    "SystemExit(143)": ("raise SystemExit(143)", 143, RunState.KILLED, 143),
    "exit()": ("exit(7)", 7, RunState.FAILED, 7),
    "a sys.exit that was caught": (
        "try:\n    sys.exit(5)\nexcept SystemExit:\n    pass\nrun.log({'loss': 2.0})",
        0,
        RunState.FINISHED,
        0,
    ),
    "an excepthook that somebody put over ours": (
        "sys.excepthook = lambda *error: print('mine')\nraise ValueError('no data')",
        1,
        RunState.FAILED,
        1,
    ),
    "an exception in a thread": (
        "t = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()\nrun.log({'loss': 2.0})",
        0,
        RunState.FINISHED,
        0,
    ),
    "a handler of SIGTERM that exits": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\nos.kill(os.getpid(), signal.SIGTERM)\nrun.log({})",
        143,
        RunState.KILLED,
        143,
    ),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, RunState.CRASHED, None),
    "SIGHUP": ("os.kill(os.getpid(), signal.SIGHUP)", -signal.SIGHUP, RunState.CRASHED, None),
    "os._exit": ("os._exit(0)", 0, RunState.CRASHED, None),
    "SIGTERM after mark_preempting": (
        "run.mark_preempting()\nos.kill(os.getpid(), signal.SIGTERM)",
        -signal.SIGTERM,
        RunState.PREEMPTED,
        None,
    ),
    "sys.exit after mark_preempting": ("run.mark_preempting()\nsys.exit(85)", 85, RunState.PREEMPTED, 85),
    "finish after mark_preempting": ("run.mark_preempting()\nrun.finish()", 0, RunState.FINISHED, 0),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_state_says_how_the_program_ended(training: Training, ending: str) -> None:
    code, status, state, exit_code = ENDINGS[ending]
    training.run(BEGIN + code + "\n", status=status)
    record = training.ended()
    assert (record.state, record.exit_code) == (state, exit_code)
    assert training.values("loss")[0] == 1.0


def test_functions_that_run_at_exit_may_log(training: Training) -> None:
    done = training.run(
        """
        import tracking, atexit
        atexit.register(lambda: tracking.log({"late": 1}))
        run = tracking.init(id="r")
        atexit.register(lambda: run.log({"later": 2}))
        run.log({"loss": 1.0})
        """
    )
    assert "Traceback" not in done.stderr
    assert training.ended().state is RunState.FINISHED
    assert (training.values("late"), training.values("later")) == ([1], [2])


def test_a_run_left_open_in_a_worker_of_multiprocessing_ends_with_the_worker(training: Training) -> None:
    training.run(
        """
        import multiprocessing, tracking
        def good():
            tracking.init(id="good").log({"a": 1})
        def bad():
            tracking.init(id="bad").log({"a": 1})
            raise ValueError("in the worker")
        if __name__ == "__main__":
            for work in (good, bad):
                process = multiprocessing.get_context("fork").Process(target=work)
                process.start(); process.join()
        """
    )
    assert training.ended("good").state is RunState.FINISHED
    bad = training.ended("bad")
    assert (bad.state, bad.reason) == (RunState.FAILED, "ValueError: in the worker")


def test_what_is_to_be_done_before_the_end_may_still_record(training: Training) -> None:
    done = training.run(
        """
        import tracking
        run = tracking.init(id="r")
        run.before_end(lambda: run.log({"late": 1}))
        run.before_end(lambda: 1 / 0)
        """
    )
    assert "ZeroDivisionError" in done.stderr
    assert training.ended().state is RunState.FINISHED
    assert training.values("late") == [1]
