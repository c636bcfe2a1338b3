"""The search space: ordered, named parameters; membership, size and the one form of equal points."""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sweeps.space.distribution import Distribution
from sweeps.space.values import identity


@dataclass(frozen=True)
class Parameter:
    """One leaf of the space. `name` is the dotted `path`, and unique in its space."""

    name: str
    path: tuple[str, ...]
    distribution: Distribution


@dataclass(frozen=True)
class SearchSpace:
    """All parameters in the order declared. Points are flat mappings from parameter names to values."""

    parameters: tuple[Parameter, ...]

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def __getitem__(self, name: str) -> Parameter:
        return self.by_name[name]

    @cached_property
    def by_name(self) -> Mapping[str, Parameter]:
        """The parameters by flat name, in the order declared."""
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Flat names in the order declared."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def size(self) -> int | None:
        """How many points random draws can give; None for infinitely many."""
        counts = [parameter.distribution.count for parameter in self.parameters]
        finite = [count for count in counts if count is not None]
        return math.prod(finite) if len(finite) == len(counts) else None

    @cached_property
    def grid_size(self) -> int | None:
        """How many points a grid search has; None when a parameter has no grid."""
        size = 1
        for parameter in self.parameters:
            alternatives = parameter.distribution.grid()
            if alternatives is None:
                return None
            size *= len(alternatives)
        return size

    def sample(self, rng: random.Random) -> dict[str, Any]:
        """One independent draw of every parameter.

        Drawn in alphabetical order, so that it does not depend on the order in which a database returns JSON keys.
        """
        drawn = {parameter.name: parameter.distribution.sample(rng) for parameter in self._alphabetical}
        return {name: drawn[name] for name in self.names}

    def contains(self, params: Mapping[str, Any]) -> bool:
        """Whether `params` has every parameter and no other, each with a value that it may have."""
        if len(params) != len(self.parameters):
            return False
        return all(
            parameter.name in params and parameter.distribution.contains(params[parameter.name])
            for parameter in self.parameters
        )

    def canonical(self, params: Mapping[str, Any]) -> Hashable:
        """A key that is equal exactly for equal points (1 == 1.0, True != 1). Raises KeyError when one is missing."""
        return tuple(identity(params[parameter.name]) for parameter in self._alphabetical)

    def nest(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The mapping that a run sees: `opt.lr` becomes {"opt": {"lr": …}}. Foreign names stay as they are."""
        nested: dict[str, Any] = {}
        for name, value in params.items():
            parameter = self.by_name.get(name)
            path = parameter.path if parameter else (name,)
            target = nested
            for part in path[:-1]:
                target = target.setdefault(part, {})
            target[path[-1]] = value
        return nested

    @cached_property
    def _alphabetical(self) -> tuple[Parameter, ...]:
        return tuple(sorted(self.parameters, key=lambda parameter: parameter.name))
