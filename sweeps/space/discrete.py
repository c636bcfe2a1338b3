"""Distributions with separate values: constant, categories, integers."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, ClassVar

from sweeps.space.distribution import Distribution, Ordered
from sweeps.space.values import identity, is_number, show


@dataclass(frozen=True)
class Constant(Distribution):
    """One fixed value."""

    family: ClassVar[str] = "constant"
    value: Any

    def sample(self, rng: random.Random) -> Any:
        return self.value

    def contains(self, value: Any) -> bool:
        return identity(value) == identity(self.value)

    def support(self) -> Sequence[Any]:
        return (self.value,)

    def grid(self) -> Sequence[Any]:
        return (self.value,)

    def extent(self) -> str:
        return show(self.value)


@dataclass(frozen=True)
class Categorical(Distribution):
    """One of `values` (any JSON value), by `probabilities` where given."""

    family: ClassVar[str] = "categorical"
    values: tuple[Any, ...]
    probabilities: tuple[float, ...] | None = None

    def sample(self, rng: random.Random) -> Any:
        if self._cumulative is None:
            return self.values[rng.randrange(len(self.values))]
        return rng.choices(self.values, cum_weights=self._cumulative)[0]

    def contains(self, value: Any) -> bool:
        return identity(value) in self._positions

    def index(self, value: Any) -> int:
        """Where `value` stands in `choices`. Raises KeyError when it is none of them."""
        return self._positions[identity(value)]

    def support(self) -> Sequence[Any]:
        if self.probabilities is None:
            return self.choices
        weights: dict[Hashable, float] = {}
        for value, weight in zip(self.values, self.probabilities, strict=True):
            weights[identity(value)] = weights.get(identity(value), 0.0) + weight
        return tuple(value for value in self.choices if weights[identity(value)] > 0)

    def grid(self) -> Sequence[Any] | None:
        return self.choices if self.probabilities is None else None

    def extent(self) -> str:
        if self.probabilities is None:
            shown = [show(value, 24) for value in self.values[:8]]
        else:
            pairs = zip(self.values[:8], self.probabilities[:8], strict=True)
            shown = [f"{show(value, 24)} ({weight:.3g})" for value, weight in pairs]
        more = [f"… {len(self.values) - 8} more"] if len(self.values) > 8 else []
        return ", ".join(shown + more)

    @cached_property
    def choices(self) -> tuple[Any, ...]:
        """The values without repetitions (1 == 1.0, true != 1), in the order declared."""
        first: dict[Hashable, Any] = {}
        for value in self.values:
            first.setdefault(identity(value), value)
        return tuple(first.values())

    @cached_property
    def _positions(self) -> dict[Hashable, int]:
        return {identity(value): position for position, value in enumerate(self.choices)}

    @cached_property
    def _cumulative(self) -> list[float] | None:
        return None if self.probabilities is None else list(accumulate(self.probabilities))


@dataclass(frozen=True)
class IntUniform(Ordered):
    """A whole number from `low` to `high`, both ends included."""

    family: ClassVar[str] = "int_uniform"
    low: int
    high: int

    def sample(self, rng: random.Random) -> int:
        return rng.randint(self.low, self.high)

    def contains(self, value: Any) -> bool:
        return is_number(value) and self.low <= value <= self.high and value == int(value)

    def support(self) -> Sequence[int]:
        return range(self.low, self.high + 1)

    def grid(self) -> Sequence[int]:
        return range(self.low, self.high + 1)

    @property
    def count(self) -> int:
        return self.high - self.low + 1

    @property
    def bounds(self) -> tuple[int, int]:
        return self.low, self.high

    def quantile(self, u: float) -> int:
        return min(max(self.low + int(u * self.count), self.low), self.high)

    def cdf(self, value: float) -> float:
        return min(max((value - self.low + 0.5) / self.count, 0.0), 1.0)

    def extent(self) -> str:
        return f"{self.low} … {self.high}"
