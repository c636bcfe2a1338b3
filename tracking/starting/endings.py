"""Sees how the process ends, so that runs which nobody finished get the right state and exit code."""

from __future__ import annotations

import os
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, NoReturn

from tracking.context import TrialStopped, active_runs, at_exit
from tracking.notices import warn
from tracking.states import RunState

INTERRUPTED = 130
_SIGNALS = {129: "SIGHUP", 130: "SIGINT", 143: "SIGTERM"}
"""Exit statuses by which a program says that it was told to end (128 + the signal)."""


class Ending:
    """How a run ends."""

    __slots__ = ("exit_code", "reason", "state")

    def __init__(self, state: RunState = RunState.FINISHED, exit_code: int = 0, reason: str = "") -> None:
        self.state, self.exit_code, self.reason = state, exit_code, reason


def ending_of(error: BaseException | None) -> Ending:
    """What an exception which leaves the run's block, or the program, means."""
    if error is None:
        return Ending()
    if isinstance(error, SystemExit):
        return ending_for_code(_status(error.code))
    if isinstance(error, KeyboardInterrupt):
        return Ending(RunState.KILLED, INTERRUPTED, "interrupted by Ctrl-C")
    if isinstance(error, TrialStopped):
        return Ending(RunState.KILLED, 1, f"stopped: {error}")
    return Ending(RunState.FAILED, 1, f"{type(error).__name__}: {error}"[:2000])


def ending_for_code(code: int) -> Ending:
    """What an exit status means."""
    if code == 0:
        return Ending()
    if code in _SIGNALS:
        return Ending(RunState.KILLED, code, f"exit status {code} ({_SIGNALS[code]})")
    return Ending(RunState.FAILED, code, f"exit status {code}")


class _Watch:
    """Our hooks in the interpreter, put in with the first run of the process and taken out with the last."""

    def __init__(self) -> None:
        self.ending: Ending | None = None
        """What the hooks were told; None while they were told nothing."""
        self.pid = 0
        self._installed = False
        self._excepthook: Any = None
        self._exit: Any = None
        self._program: FrameType | None = None
        self._last_error: Any = None

    def install(self) -> None:
        if self._installed and self.pid == os.getpid():
            return
        if not self._installed:
            self._excepthook, self._exit = sys.excepthook, sys.exit
            sys.excepthook, sys.exit = self.on_exception, self.on_exit
            at_exit(self.at_exit)
        self._installed, self.pid, self.ending = True, os.getpid(), None
        self._program = _outermost_frame()
        self._last_error = getattr(sys, "last_value", None)
        self._follow_worker()

    def remove(self) -> None:
        """Put back what was there, unless somebody else has hooked in since: then ours only pass on."""
        if not self._installed:
            return
        if sys.excepthook == self.on_exception:
            sys.excepthook = self._excepthook
        if sys.exit == self.on_exit:
            sys.exit = self._exit
        self._installed, self._program = False, None

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not hasattr(sys, "ps1"):  # at an interactive prompt the process goes on
            self.ending = ending_of(error)
        self._excepthook(kind, error, trace)

    def on_exit(self, status: Any = None) -> NoReturn:
        # Python does not tell atexit functions the status, so it is noted where it is said.
        self.ending = ending_for_code(_status(status))
        self._exit(status)
        raise AssertionError("sys.exit returned")

    def at_exit(self) -> None:
        if self._installed and os.getpid() == self.pid:
            _end_all(self._found())

    def _found(self) -> Ending | None:
        """How the program ended; None when only the C library will know."""
        error = getattr(sys, "last_value", None)
        if error is not None and error is not self._last_error and not hasattr(sys, "ps1"):
            return ending_of(error)  # somebody else's excepthook stands before ours
        if _returned(self._program):
            return Ending()  # a sys.exit() on the way was caught
        if self.ending is not None or self._program is None or hasattr(sys, "ps1"):
            return self.ending or Ending()
        return None

    def _follow_worker(self) -> None:
        """A worker of multiprocessing ends by os._exit; its own finalizers are the last that is called there."""
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            from multiprocessing.util import Finalize

            Finalize(None, self._at_worker_exit, exitpriority=-100)

    def _at_worker_exit(self) -> None:
        if self._installed and os.getpid() == self.pid:
            _end_all(ending_of(sys.exc_info()[1]))


def _end_all(ending: Ending | None) -> None:
    runs = active_runs()
    if ending is None and runs:
        from tracking.starting.unsaid import left_open  # a program that ends by a bare `raise SystemExit(n)`

        ending = left_open(runs)
    for run in runs:
        try:
            run.end(ending)
        except Exception as error:  # noqa: BLE001  boundary: nothing may disturb the end of the interpreter
            warn(f"run {run.id} could not be finished: {error}")


def _outermost_frame() -> FrameType | None:
    """The frame of the program itself, in the main thread. It holds the globals, which live as long as it anyway."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    return frame if frame is not None and frame.f_code.co_name in ("<module>", "_run_module_as_main") else None


def _returned(frame: FrameType | None) -> bool:
    """Whether the program came to its end: an exception leaves a frame at another instruction than a return."""
    if frame is None or frame.f_lasti < 0:
        return False
    from opcode import opname  # small, and only when the process ends

    return opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN_")


_watch = _Watch()
watch, unwatch = _watch.install, _watch.remove


def _status(code: Any) -> int:
    """The exit status that Python makes of the argument of sys.exit()."""
    return 0 if code is None else code & 0xFF if isinstance(code, int) else 1
