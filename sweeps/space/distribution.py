"""The contract of every distribution: what one parameter may be and how it is drawn."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar


class Distribution(ABC):
    """The values that one parameter may have. Immutable, pure, equal when it has the same fields."""

    family: ClassVar[str] = ""
    """The name by which a sweep.yaml calls it."""

    @abstractmethod
    def sample(self, rng: random.Random) -> Any:
        """One independent draw."""

    @abstractmethod
    def contains(self, value: Any) -> bool:
        """Whether a draw or a grid could give this value; never raises, whatever the value is."""

    @abstractmethod
    def extent(self) -> str:
        """The values for people: `0.1 … 1` or `relu, tanh`."""

    def support(self) -> Sequence[Any] | None:
        """Every value that `sample` can give, each once, lazily; None when there are infinitely many."""
        return None

    def grid(self) -> Sequence[Any] | None:
        """The alternatives that a grid search tries, each once; None where a grid makes no sense.

        Differs from `support` in two cases: weighted categories have none, and q_uniform counts from `min`.
        """
        return None

    def on_grid(self, value: Any) -> bool:
        """Whether `value` is one of the alternatives of `grid`."""
        return self.contains(value)

    @property
    def count(self) -> int | None:
        """How many values `sample` can give; None for infinitely many."""
        values = self.support()
        return None if values is None else len(values)

    def describe(self) -> str:
        """Family and extent on one line."""
        return f"{self.family} {self.extent()}".rstrip()


class Ordered(Distribution):
    """A distribution of numbers with a cumulative distribution function, so that a search may work on 0..1."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value; infinite where there is none."""

    @abstractmethod
    def quantile(self, u: float) -> float:
        """The value below which the share `u` (0..1) of draws falls; always finite and within the bounds."""

    @abstractmethod
    def cdf(self, value: float) -> float:
        """The share of draws that are at most `value`, the inverse of `quantile`; for values on a lattice it is a share
        that `quantile` maps back to the value."""

    def sample(self, rng: random.Random) -> float:
        return self.quantile(rng.random())
