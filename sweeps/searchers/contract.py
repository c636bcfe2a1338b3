"""The contract of every searcher: told what happened, asked for the next point; nothing else goes in or out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.records import Params, Suggestion
from sweeps.states import TrialState


@dataclass(frozen=True, slots=True)
class Observation:
    """A trial as the search sees it. `value` has the user's sign and is None when there is no finite one."""

    number: int
    params: Params
    state: TrialState
    value: float | None = None
    length: int = 0
    """How many finite values of the metric it logged: the rung at which a pruned one ended."""
    finish_seq: int | None = None


class Searcher(ABC):
    """Proposes points of one SearchSpace.

    Pure: suggestion n is a function of (spec, seed, n, what was told). No clock, no I/O, no randomness of its own.
    """

    lookahead: int = 1
    """How many suggestions may be made ahead of need without loss of quality."""

    @abstractmethod
    def tell(self, observations: Sequence[Observation]) -> None:
        """Learn of trials. Every number from 0 on is told, in ascending order at first sight; a number told again
        replaces what was known (running -> ended). Telling the same thing twice changes nothing."""

    @abstractmethod
    def ask(self, number: int) -> Suggestion:
        """The point for trial `number` (the next one that was not told). Asking twice gives the same point.
        Raises SpaceExhausted when every point of a finite space was told."""
