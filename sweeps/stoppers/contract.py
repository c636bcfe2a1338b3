"""The contract of every stopper: from the curves of all trials it decides whether a running one goes on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Curve = Sequence[float]
"""Finite values of the metric in the order logged, user's sign."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The decision to end a trial early; `reason` holds the numbers that led to it."""

    reason: str


class Stopper(ABC):
    """Decides from intermediate values. Pure: same curves, same decision."""

    @abstractmethod
    def due(self, judged: int, length: int) -> int | None:
        """Whether a trial whose curve has grown from `judged` to `length` values has to be judged: the number of values
        per trial that `judge` must be given, or None. Cheap: called on every report."""

    @abstractmethod
    def judge(self, number: int, curves: Mapping[int, Curve]) -> Stop | None:
        """Judge trial `number`. `curves` maps the number of every trial that has any value, in whatever state and the
        judged one included, to its first values (at least as many as `due` asked for, where it has them)."""
