"""What signals mean to an agent: Ctrl-C in three tiers, SIGTERM and SIGHUP at once, the others passed on if wanted."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from agent.assembly import Agent
from agent.loop import Level

_TIERS = {
    Level.DRAIN: "Ctrl-C: no new trials. Running ones ({running}) go on; press again to end them (SIGTERM).",
    Level.TERMINATE: "Ctrl-C again: running trials ({running}) get SIGTERM and wait to run anew; once more kills them.",
    Level.KILL: "Ctrl-C for the third time: running trials ({running}) are killed.",
}
_FORWARDED = ("SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM", "SIGCONT", "SIGWINCH")


class Interrupts:
    """A `with` block in which signals steer the agent; in other threads than the main one it does nothing.

    `tell` gets the line that says what a Ctrl-C did. It is called in a signal handler, so it must not print: a handler
    may interrupt the very write that print makes. The default writes to standard error, past all buffers.
    """

    def __init__(self, agent: Agent, *, forward: bool = False, tell: Callable[[str], None] | None = None) -> None:
        self._loop, self._executor = agent.loop, agent.executor
        self._forward = forward
        self._tell = tell or write_error
        self._before: dict[int, Any] = {}
        self._level = Level.NONE
        self.signal: int | None = None
        """The signal that ends the agent, None while there is none."""

    @property
    def status(self) -> int:
        """The exit status that tells of the signal: 130 after Ctrl-C, 143 after SIGTERM; 0 without one."""
        return 128 + self.signal if self.signal is not None else 0

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._set(signal.SIGINT, self._on_interrupt)
            for name in ("SIGTERM", "SIGHUP"):
                if hasattr(signal, name):
                    self._set(getattr(signal, name), self._on_end)
            for name in _FORWARDED if self._forward else ():
                if hasattr(signal, name):
                    self._set(getattr(signal, name), self._on_other)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _set(self, number: int, handler: Any) -> None:
        before = signal.getsignal(number)
        if number == signal.SIGHUP and before is signal.SIG_IGN:
            return  # nohup
        self._before[number] = before if before is not None else signal.SIG_DFL
        signal.signal(number, handler)

    def _on_interrupt(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        if self._level is Level.KILL:  # the store hangs, or it would be over: the guard ends what is left
            write_error(
                "Ctrl-C again: leaving at once. What the store has not heard comes back when its leases expire."
            )
            os._exit(self.status)
        self._level = Level(min(self._level + 1, Level.KILL))
        self._tell(_TIERS[self._level].format(running=self._loop.running))
        self._loop.interrupt(self._level)
        self._pass_on(number)

    def _on_end(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        self._level = Level.TERMINATE
        self._loop.interrupt(Level.TERMINATE)
        self._pass_on(number)

    def _on_other(self, number: int, _frame: FrameType | None) -> None:
        self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        if self._forward:
            self._executor.forward(number)


def write_error(line: str) -> None:
    """A line of its own on standard error, below the ^C of the terminal; may be called in a signal handler."""
    with suppress(OSError):
        os.write(2, f"\n{line}\n".encode())
