"""Coordinates in which a model of the space works: one axis per parameter that varies."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import Any

from sweeps.records import Params
from sweeps.space import (
    Categorical,
    Distribution,
    IntUniform,
    Lattice,
    LogUniform,
    Ordered,
    Quantized,
    SearchSpace,
    Uniform,
)

Coordinates = Mapping[str, float]
"""Name of a parameter -> its coordinate; constants have none."""

_MOST_STEPS = 1_000_000  # finer lattices are searched as if they were continuous: masses of single steps underflow
_EDGE = 1e-6  # how near a search may come to the ends of an infinite distribution: 4.75 sigma of a normal
_TINY = 1e-300


class Scale(StrEnum):
    """How coordinates relate to one another."""

    CATEGORY = "category"  # 0 … high, without order
    INTEGER = "integer"  # low … high
    REAL = "real"


@dataclass(frozen=True)
class Axis:
    """Values of one parameter as numbers from `low` to `high`; `log` when ratios count rather than differences."""

    name: str
    distribution: Distribution
    scale: Scale
    low: float
    high: float
    log: bool = False

    def coordinate(self, value: Any) -> float | None:
        """Where `value` stands; values beyond the ends are moved to them, foreign ones give None."""
        found = self._coordinate(value)
        return None if found is None else min(max(found, self.low), self.high)

    def _coordinate(self, value: Any) -> float | None:
        raise NotImplementedError

    def value(self, coordinate: float) -> Any:
        """The value at a coordinate; the inverse of `coordinate`."""
        raise NotImplementedError

    def at(self, share: float) -> Any:
        """The value below which `share` (0..1) of the draws fall."""
        assert isinstance(self.distribution, Ordered)
        return self.distribution.quantile(share)


class CategoryAxis(Axis):
    """By position among the values that can be drawn, so that 1, True, None and lists stay apart."""

    def _coordinate(self, value: Any) -> float | None:
        assert isinstance(self.distribution, Categorical)
        if not self.distribution.contains(value):
            return None
        chosen = self.distribution.choices[self.distribution.index(value)]
        return next((float(i) for i, item in enumerate(self._drawn) if item is chosen), None)

    def value(self, coordinate: float) -> Any:
        return self._drawn[int(coordinate)]

    def at(self, share: float) -> Any:
        assert isinstance(self.distribution, Categorical)
        values, weights = self.distribution.values, self.distribution.probabilities
        if weights is None:
            return values[min(int(share * len(values)), len(values) - 1)]
        sums = list(accumulate(weights))
        last = max(i for i, weight in enumerate(weights) if weight > 0)
        return values[min(bisect_right(sums, share * sums[-1]), last)]

    @cached_property
    def _drawn(self) -> Sequence[Any]:
        """The values that can be drawn: a weight of 0 rules one out."""
        assert isinstance(self.distribution, Categorical)
        return self.distribution.support()


class NumberAxis(Axis):
    """The value is its own coordinate."""

    def _coordinate(self, value: Any) -> float | None:
        return float(value)

    def value(self, coordinate: float) -> Any:
        if isinstance(self.distribution, IntUniform):
            return min(max(round(coordinate), self.distribution.low), self.distribution.high)
        return min(max(coordinate, self.low), self.high)


class StepAxis(Axis):
    """A lattice: counted in steps of q, from the first when differences count, from 0 when ratios do."""

    def _coordinate(self, value: Any) -> float | None:
        lattice, offset = self._lattice()
        return float(round((value - lattice.start) / lattice.q) + offset)

    def value(self, coordinate: float) -> Any:
        lattice, offset = self._lattice()
        return lattice[min(max(round(coordinate) - offset, 0), len(lattice) - 1)]

    def _lattice(self) -> tuple[Lattice, int]:
        lattice = self.distribution.support()
        assert isinstance(lattice, Lattice)
        return lattice, int(self.low)


class ShareAxis(Axis):
    """The share of draws below the value: every family looks uniform on it."""

    def _coordinate(self, value: Any) -> float | None:
        assert isinstance(self.distribution, Ordered)
        return self.distribution.cdf(value)

    def value(self, coordinate: float) -> Any:
        return self.at(coordinate)


def make_axes(space: SearchSpace) -> tuple[Axis, ...]:
    """An axis for each parameter that has more than one value, by name: the order of the YAML must not matter."""
    axes = [_axis(parameter.name, parameter.distribution) for parameter in space if parameter.distribution.count != 1]
    return tuple(sorted(axes, key=lambda axis: axis.name))


def locate(axes: Sequence[Axis], params: Params) -> dict[str, float] | None:
    """The coordinates of a point; None when it does not belong to this space."""
    found = {axis.name: axis.coordinate(params[axis.name]) for axis in axes if axis.name in params}
    if len(found) < len(axes) or any(coordinate is None for coordinate in found.values()):
        return None
    return {name: coordinate for name, coordinate in found.items() if coordinate is not None}


def _axis(name: str, distribution: Distribution) -> Axis:
    if isinstance(distribution, Categorical):
        return CategoryAxis(name, distribution, Scale.CATEGORY, 0, len(distribution.support()) - 1)
    if isinstance(distribution, IntUniform):
        scale = Scale.INTEGER if distribution.count <= _MOST_STEPS else Scale.REAL
        return NumberAxis(name, distribution, scale, distribution.low, distribution.high)
    if isinstance(distribution, Uniform) and math.isfinite(distribution.high - distribution.low):
        return NumberAxis(name, distribution, Scale.REAL, distribution.low, distribution.high)
    if isinstance(distribution, LogUniform) and distribution.low > _TINY and math.isfinite(distribution.high):
        return NumberAxis(name, distribution, Scale.REAL, distribution.low, distribution.high, log=True)
    if isinstance(distribution, Quantized):
        return _quantized_axis(name, distribution)
    return ShareAxis(name, distribution, Scale.REAL, _EDGE, 1 - _EDGE)


def _quantized_axis(name: str, distribution: Quantized) -> Axis:
    first, last = distribution.steps
    if first is not None and last is not None and last - first < _MOST_STEPS:
        if isinstance(distribution.base, Uniform):
            return StepAxis(name, distribution, Scale.INTEGER, 0, last - first)
        if isinstance(distribution.base, LogUniform) and first >= 1:
            return StepAxis(name, distribution, Scale.INTEGER, first, last, log=True)
    return ShareAxis(name, distribution, Scale.REAL, _EDGE, 1 - _EDGE)
