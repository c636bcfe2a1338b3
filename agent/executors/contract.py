"""The contract of every executor: it starts a Trial in a Slot and gives a Handle on what was started."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Launch:
    """All that an executor needs to start one attempt of one trial."""

    run_id: str
    sweep_id: str
    number: int
    attempt: int
    params: Mapping[str, Any]
    """Nested, as the run's config shows them."""
    run_dir: Path
    environment: Mapping[str, str]
    """Variables to add to the agent's own (the handshake of tracking.environment)."""
    argv: Sequence[str] = ()
    """The command line; empty for functions."""
    workdir: Path | None = None
    console: Path | None = None
    """File that receives stdout and stderr of a program."""
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Exit:
    """How it ended: an exit status, or the signal that killed it, or an error before it could start."""

    code: int | None = None
    signal: int | None = None
    error: str = ""
    """Traceback of a function, or why a program could not be started."""
    launch_failed: bool = False
    stopped: bool = False
    """A function that ended because it was asked to."""
    details: Mapping[str, Any] = field(default_factory=dict)


def nobody() -> None:
    """Nobody wants to know that a trial begins."""


class Handle(ABC):
    """A trial that was started."""

    began: float = 0.0
    """When it really began, by the monotonic clock; 0 while it waits for its turn."""

    @abstractmethod
    def poll(self) -> Exit | None:
        """How it ended, or None while anything of it runs. Never blocks."""

    @abstractmethod
    def terminate(self) -> None:
        """Ask it to end: SIGTERM to the whole process group, or the stop flag of a function. Twice is no error."""

    @abstractmethod
    def kill(self) -> None:
        """End it now, with everything that it started. A function cannot be killed: its flag is set."""


class Executor(ABC):
    """Starts trials. `wake` given at construction is called (from any thread) whenever a poll would bring news."""

    queues: bool = False
    """Whether trials beyond the number of slots may be handed over, which then wait for their turn."""

    @abstractmethod
    def start(self, launch: Launch, begins: Callable[[], None] = nobody) -> Handle:
        """Start the trial; a program that cannot be started gives a Handle which polls as `launch_failed`.

        `begins` is called when it really begins, in the thread that begins it: for what queues that may be much later.
        """

    def withdraw(self) -> None:
        """Give up what was handed over and has not begun: such handles poll with `details["unstarted"]`.
        Programs begin at once, so there is nothing to do for most executors."""
        return

    def forward(self, number: int) -> None:
        """Pass a signal on to everything that runs, where that is possible."""
        return

    @abstractmethod
    def close(self) -> None:
        """End everything that still runs (kill) and free what the executor holds."""
