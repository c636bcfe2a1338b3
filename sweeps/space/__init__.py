"""What may be searched: distributions of single parameters and the space that they span."""

from __future__ import annotations

from sweeps.space.continuous import Beta, Continuous, LogNormal, LogUniform, Normal, Uniform
from sweeps.space.discrete import Categorical, Constant, IntUniform
from sweeps.space.distribution import Distribution, Ordered
from sweeps.space.quantized import Lattice, Quantized
from sweeps.space.space import Parameter, SearchSpace
from sweeps.space.values import identity

__all__ = [
    "Beta",
    "Categorical",
    "Constant",
    "Continuous",
    "Distribution",
    "IntUniform",
    "Lattice",
    "LogNormal",
    "LogUniform",
    "Normal",
    "Ordered",
    "Parameter",
    "Quantized",
    "SearchSpace",
    "Uniform",
    "identity",
]
