"""Sees how the process ends, so that runs which nobody finished get the right state and exit code."""

from __future__ import annotations

import atexit
import os
import sys
from types import TracebackType
from typing import Any, NoReturn

from tracking.context import TrialStopped, active_runs
from tracking.notices import warn
from tracking.states import RunState

INTERRUPTED = 130


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
    return Ending(RunState.FINISHED if code == 0 else RunState.FAILED, code, f"exit status {code}" if code else "")


class _Watch:
    """Our hooks in the interpreter, put in with the first run of the process and taken out with the last."""

    def __init__(self) -> None:
        self.ending = Ending()
        self.pid = 0
        self._installed = False
        self._excepthook: Any = None
        self._exit: Any = None

    def install(self) -> None:
        if self._installed and self.pid == os.getpid():
            return
        if not self._installed:
            self._excepthook, self._exit = sys.excepthook, sys.exit
            sys.excepthook, sys.exit = self.on_exception, self.on_exit
            atexit.register(self.at_exit)
        self._installed, self.pid, self.ending = True, os.getpid(), Ending()

    def remove(self) -> None:
        """Put back what was there, unless somebody else has hooked in since: then ours only pass on."""
        if not self._installed:
            return
        if sys.excepthook == self.on_exception:
            sys.excepthook = self._excepthook
        if sys.exit == self.on_exit:
            sys.exit = self._exit
        atexit.unregister(self.at_exit)
        self._installed = False

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
        if os.getpid() != self.pid:
            return
        for run in active_runs():
            try:
                run.end(self.ending)
            except Exception as error:  # noqa: BLE001  boundary: nothing may disturb the end of the interpreter
                warn(f"run {run.id} could not be finished: {error}")


_watch = _Watch()
watch, unwatch = _watch.install, _watch.remove


def _status(code: Any) -> int:
    """The exit status that Python makes of the argument of sys.exit()."""
    return 0 if code is None else code if isinstance(code, int) else 1
