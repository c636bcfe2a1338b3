"""Continuous distributions: uniform, log-uniform, normal, log-normal, beta."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any, ClassVar

from sweeps.space.beta import beta_cdf, beta_quantile
from sweeps.space.distribution import Ordered
from sweeps.space.values import is_number, show

_LARGEST = sys.float_info.max
_STANDARD = NormalDist()


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _inner(u: float) -> float:
    return _clamp(u, 2.0**-53, 1.0 - 2.0**-53)  # the normal quantile is infinite at 0 and 1


def _exp(exponent: float) -> float:
    return math.exp(exponent) if exponent < 709.0 else _LARGEST


class Continuous(Ordered):
    """Any number between the bounds."""

    def contains(self, value: Any) -> bool:
        low, high = self.bounds
        return is_number(value) and low <= value <= high and abs(value) <= _LARGEST

    def extent(self) -> str:
        low, high = self.bounds
        return f"{show(low)} … {show(high)}"


@dataclass(frozen=True)
class Uniform(Continuous):
    """Every value between `low` and `high` alike."""

    family: ClassVar[str] = "uniform"
    low: float
    high: float

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high

    def quantile(self, u: float) -> float:
        return _clamp(self.low * (1.0 - u) + self.high * u, self.low, self.high)  # high - low may overflow

    def cdf(self, value: float) -> float:
        half = self.high / 2 - self.low / 2
        return _clamp((value / 2 - self.low / 2) / half, 0.0, 1.0) if half else 0.5


@dataclass(frozen=True)
class LogUniform(Continuous):
    """Uniform in the logarithm, between the values `low` > 0 and `high`."""

    family: ClassVar[str] = "log_uniform_values"
    low: float
    high: float

    @property
    def bounds(self) -> tuple[float, float]:
        return self.low, self.high

    def quantile(self, u: float) -> float:
        if not 0.0 < u < 1.0:
            return self.low if u <= 0.0 else self.high  # exp(log(x)) is not quite x
        bottom, top = self._logs
        return _clamp(_exp(bottom * (1.0 - u) + top * u), self.low, self.high)

    def cdf(self, value: float) -> float:
        if value <= self.low:
            return 0.0
        bottom, top = self._logs
        return _clamp((math.log(value) - bottom) / (top - bottom), 0.0, 1.0) if top > bottom else 0.5

    @cached_property
    def _logs(self) -> tuple[float, float]:
        return math.log(self.low), math.log(self.high)


@dataclass(frozen=True)
class Normal(Continuous):
    """Normal with mean `mu` and standard deviation `sigma` > 0."""

    family: ClassVar[str] = "normal"
    mu: float = 0.0
    sigma: float = 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        return -math.inf, math.inf

    def quantile(self, u: float) -> float:
        return _clamp(self.mu + self.sigma * _STANDARD.inv_cdf(_inner(u)), -_LARGEST, _LARGEST)

    def cdf(self, value: float) -> float:
        return _STANDARD.cdf((value - self.mu) / self.sigma)

    def extent(self) -> str:
        return f"mu {show(self.mu)}, sigma {show(self.sigma)}"


@dataclass(frozen=True)
class LogNormal(Continuous):
    """exp of a normal with mean `mu` and standard deviation `sigma` > 0."""

    family: ClassVar[str] = "log_normal"
    mu: float = 0.0
    sigma: float = 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf

    def quantile(self, u: float) -> float:
        return _exp(self.mu + self.sigma * _STANDARD.inv_cdf(_inner(u)))

    def cdf(self, value: float) -> float:
        return _STANDARD.cdf((math.log(value) - self.mu) / self.sigma) if value > 0 else 0.0

    def extent(self) -> str:
        return f"mu {show(self.mu)}, sigma {show(self.sigma)}"


@dataclass(frozen=True)
class Beta(Continuous):
    """Beta between 0 and 1 with shapes `a` > 0 and `b` > 0."""

    family: ClassVar[str] = "beta"
    a: float = 1.0
    b: float = 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def quantile(self, u: float) -> float:
        return beta_quantile(u, self.a, self.b)

    def cdf(self, value: float) -> float:
        return beta_cdf(value, self.a, self.b)

    def extent(self) -> str:
        return f"a {show(self.a)}, b {show(self.b)}"
