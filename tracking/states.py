"""The states of a Run, and the one function that checks a move between states of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from tracking.errors import IllegalMove

S = TypeVar("S", bound=StrEnum)


class Transitions(Generic[S]):
    """A transition table: which states may follow which.

    The forward table checks a move that is known; the reverse table feeds
    `UPDATE … WHERE state IN (sources)`, so that a store makes the same check and the move in one statement.
    """

    def __init__(self, table: Mapping[S, tuple[S, ...]]) -> None:
        self._forward = dict(table)
        self._reverse: dict[S, tuple[S, ...]] = {
            target: tuple(source for source, targets in table.items() if target in targets) for target in table
        }

    def targets(self, source: S) -> tuple[S, ...]:
        """The states which may follow `source`."""
        return self._forward[source]

    def sources(self, target: S) -> tuple[S, ...]:
        """The states from which `target` can be reached in one move."""
        return self._reverse[target]

    def is_final(self, state: S) -> bool:
        """Whether nothing may follow `state`."""
        return not self._forward[state]

    def check(self, what: str, source: S, target: S) -> None:
        """Raise IllegalMove, which names `what` ("trial 3 of sweep ab12"), unless the move is in the table."""
        if target not in self._forward[source]:
            raise IllegalMove(what, source.value, target.value, tuple(s.value for s in self._forward[source]))


class RunState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CRASHED = "crashed"
    KILLED = "killed"
    PREEMPTED = "preempted"


# Every ended run may run again: a resume continues it.
RUN_TRANSITIONS: Transitions[RunState] = Transitions(
    {
        RunState.RUNNING: (
            RunState.FINISHED,
            RunState.FAILED,
            RunState.CRASHED,
            RunState.KILLED,
            RunState.PREEMPTED,
        ),
        RunState.FINISHED: (RunState.RUNNING,),
        RunState.FAILED: (RunState.RUNNING,),
        RunState.CRASHED: (RunState.RUNNING,),
        RunState.KILLED: (RunState.RUNNING,),
        RunState.PREEMPTED: (RunState.RUNNING,),
    }
)
