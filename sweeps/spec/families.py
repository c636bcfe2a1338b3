"""Which distributions a sweep.yaml may name, the keys of each, and how it is made from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.space import (
    Beta,
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    LogNormal,
    LogUniform,
    Normal,
    Quantized,
    Uniform,
)
from sweeps.spec.kinds import Anything, Integer, Key, Kind, ListOf, Number

EXPONENT_LIMIT = 700  # exp(710) is beyond the floats, exp(-746) is 0
_SHAPE_LIMIT = 1e6

Values = Mapping[str, Any]

_VALUE = Key(Anything(), "the fixed value")
_VALUES = Key(ListOf(Anything(), hint="such as [16, 32, 64]"), "the alternatives, any YAML values")
_PROBABILITIES = Key(ListOf(Number(at_least=0)), "one weight per value; they sum to 1")
_Q = Key(Number(above=0), "values are rounded to multiples of q", default=1)
_MU = Key(Number(), "mean of the normal", default=0)
_SIGMA = Key(Number(above=0), "standard deviation of the normal", default=1)
_A = Key(Number(above=0, at_most=_SHAPE_LIMIT), "first shape of the beta", default=1)
_B = Key(Number(above=0, at_most=_SHAPE_LIMIT), "second shape of the beta", default=1)


@dataclass(frozen=True)
class Family:
    """One distribution name."""

    name: str
    about: str
    make: Callable[[Values], Distribution]
    keys: Mapping[str, Key]
    exponents: bool = False
    """Whether min and max are natural logarithms, the old form of `<name>_values`."""
    inferred: bool = False
    """Whether the keys tell it without `distribution`."""
    defaults: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        filled = {name: key.default for name, key in self.keys.items() if key.default is not None}
        object.__setattr__(self, "defaults", filled)

    def build(self, values: Values) -> Distribution:
        """The distribution from checked values."""
        return self.make({**self.defaults, **values})


def _bounds(kind: Kind, about: str = "") -> dict[str, Key]:
    return {
        "min": Key(kind, f"smallest value{about}", required=True),
        "max": Key(kind, f"largest value{about}", required=True),
    }


def _required(key: Key) -> Key:
    return Key(key.kind, key.about, required=True)


def _uniform(values: Values) -> Uniform:
    return Uniform(float(values["min"]), float(values["max"]))


def _log_uniform(values: Values) -> LogUniform:
    return LogUniform(float(values["min"]), float(values["max"]))


def _of_exponents(values: Values) -> LogUniform:
    return LogUniform(math.exp(values["min"]), math.exp(values["max"]))


def _of_inverse_exponents(values: Values) -> LogUniform:
    return LogUniform(math.exp(-values["max"]), math.exp(-values["min"]))


def _normal(values: Values) -> Normal:
    return Normal(float(values["mu"]), float(values["sigma"]))


def _log_normal(values: Values) -> LogNormal:
    return LogNormal(float(values["mu"]), float(values["sigma"]))


def _beta(values: Values) -> Beta:
    return Beta(float(values["a"]), float(values["b"]))


def _categorical(values: Values) -> Categorical:
    weights = values.get("probabilities")
    return Categorical(tuple(values["values"]), tuple(map(float, weights)) if weights is not None else None)


_VALUE_BOUNDS = _bounds(Number())
_LOG_BOUNDS = _bounds(Number(above=0), ", above 0")
_EXPONENT_BOUNDS = _bounds(Number(at_least=-EXPONENT_LIMIT, at_most=EXPONENT_LIMIT), " as a natural-log exponent")
_GAUSS = {"mu": _MU, "sigma": _SIGMA}
_SHAPES = {"a": _A, "b": _B}

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family(
            "constant", "a fixed value", lambda v: Constant(v["value"]), {"value": _required(_VALUE)}, inferred=True
        ),
        Family(
            "categorical",
            "one of the values",
            _categorical,
            {"values": _required(_VALUES), "probabilities": _PROBABILITIES},
            inferred=True,
        ),
        Family(
            "categorical_w_probabilities",
            "one of the values, by weight",
            _categorical,
            {"values": _required(_VALUES), "probabilities": _required(_PROBABILITIES)},
        ),
        Family(
            "int_uniform",
            "a whole number, both ends included",
            lambda v: IntUniform(v["min"], v["max"]),
            _bounds(Integer()),
            inferred=True,
        ),
        Family("uniform", "any number between the bounds", _uniform, _VALUE_BOUNDS, inferred=True),
        Family(
            "q_uniform",
            "uniform, rounded to multiples of q",
            lambda v: Quantized(Uniform(v["min"], v["max"]), v["q"]),
            {**_VALUE_BOUNDS, "q": _Q},
        ),
        Family(
            "log_uniform",
            "exp of a uniform: the bounds are natural-log exponents (old form)",
            _of_exponents,
            _EXPONENT_BOUNDS,
            exponents=True,
        ),
        Family("log_uniform_values", "uniform in the logarithm", _log_uniform, _LOG_BOUNDS),
        Family(
            "q_log_uniform",
            "log_uniform, rounded to multiples of q (old form)",
            lambda v: Quantized(_of_exponents(v), v["q"]),
            {**_EXPONENT_BOUNDS, "q": _Q},
            exponents=True,
        ),
        Family(
            "q_log_uniform_values",
            "log_uniform_values, rounded to multiples of q",
            lambda v: Quantized(_log_uniform(v), v["q"]),
            {**_LOG_BOUNDS, "q": _Q},
        ),
        Family(
            "inv_log_uniform",
            "1/X is log-uniform: X = exp(-U), the bounds are exponents (old form)",
            _of_inverse_exponents,
            _EXPONENT_BOUNDS,
            exponents=True,
        ),
        Family("inv_log_uniform_values", "1/X is log-uniform; the bounds are values", _log_uniform, _LOG_BOUNDS),
        Family("normal", "normal", _normal, _GAUSS),
        Family("q_normal", "normal, rounded", lambda v: Quantized(_normal(v), v["q"]), {**_GAUSS, "q": _Q}),
        Family("log_normal", "exp of a normal", _log_normal, _GAUSS),
        Family("q_log_normal", "log_normal, rounded", lambda v: Quantized(_log_normal(v), v["q"]), {**_GAUSS, "q": _Q}),
        Family("beta", "beta between 0 and 1", _beta, _SHAPES),
        Family("q_beta", "beta, rounded", lambda v: Quantized(_beta(v), v["q"]), {**_SHAPES, "q": _Q}),
    )
}

VALUE_KEYS: Mapping[str, Key] = {name: key for family in FAMILIES.values() for name, key in family.keys.items()}
"""Every key that a distribution may have."""
