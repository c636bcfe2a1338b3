"""Distributions rounded to multiples of q, which never leave the bounds of the one below."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, overload

from sweeps.space.continuous import Beta, Continuous, LogNormal, LogUniform, Normal, Uniform
from sweeps.space.distribution import Ordered
from sweeps.space.values import is_number, show

_SLACK = 1e-9  # how far off a multiple of q a float may be, in units of q
_EXACT = 2.0**53
_FAMILIES = {
    Uniform: "q_uniform",
    LogUniform: "q_log_uniform_values",
    Normal: "q_normal",
    LogNormal: "q_log_normal",
    Beta: "q_beta",
}


def _tidy(value: float) -> float:
    """0.1 * 3 is 0.3 to people: drop the noise behind 15 digits."""
    return value if isinstance(value, int) else float(f"{value:.15g}")


@dataclass(frozen=True)
class Lattice(Sequence[float]):
    """start, start + q, … (`length` of them) without a list of them; ints as long as start and q are ints."""

    start: float
    q: float
    length: int
    top: float = math.inf

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[float]: ...
    def __getitem__(self, index: int | slice) -> float | Sequence[float]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(self.length))]
        if not -self.length <= index < self.length:
            raise IndexError(index)
        return min(_tidy(self.start + (index % self.length) * self.q), self.top)

    def __iter__(self) -> Iterator[float]:
        return (self[position] for position in range(self.length))


@dataclass(frozen=True)
class Quantized(Ordered):
    """round(X / q) * q for X from `base`, an int when q is one; kept within the bounds of `base`."""

    family: ClassVar[str] = "quantized"
    base: Continuous
    q: float = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", _FAMILIES.get(type(self.base), "quantized"))

    @property
    def bounds(self) -> tuple[float, float]:
        return self.base.bounds

    @property
    def low(self) -> float:
        return self.base.bounds[0]

    @property
    def high(self) -> float:
        return self.base.bounds[1]

    @cached_property
    def steps(self) -> tuple[int | None, int | None]:
        """The smallest and the largest k for which k * q is a value; None where there is no bound."""
        low, high = self.low / self.q, self.high / self.q
        return (
            math.ceil(low - _SLACK) if math.isfinite(low) else None,
            math.floor(high + _SLACK) if math.isfinite(high) else None,
        )

    @property
    def is_empty(self) -> bool:
        """Whether no multiple of q lies within the bounds."""
        first, last = self.steps
        return first is not None and last is not None and first > last

    def quantile(self, u: float) -> float:
        return self._snap(self.base.quantile(u))

    def cdf(self, value: float) -> float:
        return self.base.cdf(value)

    def contains(self, value: Any) -> bool:
        if not is_number(value) or not math.isfinite(float(min(max(value, -1e308), 1e308))):
            return False
        if not self.low <= value <= self.high:
            return False
        return self._is_step(value / self.q) or (
            isinstance(self.base, Uniform) and self._is_step((value - self.low) / self.q)
        )

    def on_grid(self, value: Any) -> bool:
        return self.contains(value) and self._is_step((value - self.low) / self.q)

    def support(self) -> Sequence[float] | None:
        first, last = self.steps
        if first is None or last is None:
            return None
        return Lattice(first * self.q, self.q, max(last - first + 1, 0), self.high)

    def grid(self) -> Sequence[float] | None:
        if not isinstance(self.base, Uniform):
            return None
        length = math.floor((self.high - self.low) / self.q + _SLACK) + 1
        return Lattice(self.low, self.q, length, self.high)

    @property
    def count(self) -> int | None:
        first, last = self.steps
        return None if first is None or last is None else max(last - first + 1, 0)

    def extent(self) -> str:
        return f"{self.base.extent()} step {show(self.q)}"

    def _snap(self, value: float) -> float:
        if abs(value) / self.q >= _EXACT:
            return value  # beyond that, neighbouring floats are further apart than q
        first, last = self.steps
        step = round(value / self.q)
        step = step if first is None else max(step, first)
        step = step if last is None else min(step, last)
        return min(max(_tidy(step * self.q), self.low), self.high)

    @staticmethod
    def _is_step(steps: float) -> bool:
        return math.isfinite(steps) and abs(steps - round(steps)) <= _SLACK * max(1.0, abs(steps))
