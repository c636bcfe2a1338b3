"""The points of a finite space by number, and which of them were suggested already."""

from __future__ import annotations

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from sweeps.errors import SpaceExhausted
from sweeps.records import Params
from sweeps.searchers.contract import Observation
from sweeps.space import Lattice, SearchSpace, identity
from sweeps.space.values import is_number
from sweeps.states import TrialState


class Alternatives:
    """The distinct values of one parameter, by position; never a list where a formula will do."""

    def __init__(self, name: str, values: Sequence[Any]) -> None:
        self.name = name
        self._values = values if isinstance(values, range | Lattice) else _distinct(values)
        # len() of a range ends at 2**63
        self.count = values.stop - values.start if isinstance(values, range) else len(self._values)

    def __getitem__(self, position: int) -> Any:
        return self._values[position]

    def position(self, value: Any) -> int | None:
        """Where `value` stands; None when it is none of them."""
        if isinstance(self._values, range):
            found = value - self._values.start if is_number(value) and value in self._values else None
            return None if found is None else int(found)
        if isinstance(self._values, Lattice):
            return self._lattice_position(self._values, value)
        return self._positions.get(identity(value))

    @staticmethod
    def _lattice_position(lattice: Lattice, value: Any) -> int | None:
        if not is_number(value) or not math.isfinite(value):
            return None
        guess = round((value - lattice.start) / lattice.q)
        return next((i for i in (guess, guess - 1, guess + 1) if 0 <= i < len(lattice) and lattice[i] == value), None)

    @cached_property
    def _positions(self) -> dict[Hashable, int]:
        return {identity(value): position for position, value in enumerate(self._values)}


def _distinct(values: Sequence[Any]) -> list[Any]:
    first: dict[Hashable, Any] = {}
    for value in values:
        first.setdefault(identity(value), value)
    return list(first.values())


class Points:
    """The product of alternatives as a sequence: names in alphabetical order, the last one fastest."""

    def __init__(self, space: SearchSpace, alternatives: Sequence[Alternatives]) -> None:
        self._names = space.names
        self._axes = sorted(alternatives, key=lambda axis: axis.name)
        self.count = math.prod(axis.count for axis in self._axes)

    @classmethod
    def of_grid(cls, space: SearchSpace) -> Points:
        """What a grid search tries. Every parameter must have a grid."""
        grids = [(parameter.name, parameter.distribution.grid()) for parameter in space]
        assert all(grid is not None for _, grid in grids), "the parser refuses grids of continuous parameters"
        return cls(space, [Alternatives(name, cast(Sequence[Any], grid)) for name, grid in grids])

    @classmethod
    def of_draws(cls, space: SearchSpace) -> Points | None:
        """What random draws can give; None for an infinite space."""
        supports = [(parameter.name, parameter.distribution.support()) for parameter in space]
        if any(support is None for _, support in supports):
            return None
        return cls(space, [Alternatives(name, cast(Sequence[Any], support)) for name, support in supports])

    def point(self, rank: int) -> dict[str, Any]:
        """The point at `rank`, its names in the order of the space."""
        values: dict[str, Any] = {}
        for axis in reversed(self._axes):
            rank, position = divmod(rank, axis.count)
            values[axis.name] = axis[position]
        return {name: values[name] for name in self._names}

    def rank(self, params: Params) -> int | None:
        """The rank of a point; None when it is none of these."""
        rank = 0
        for axis in self._axes:
            position = axis.position(params[axis.name]) if axis.name in params else None
            if position is None:
                return None
            rank = rank * axis.count + position
        return rank


class FreeRanks:
    """The numbers below `count` that are not taken, by their own position: no list of them is ever made."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken: list[int] = []

    def __len__(self) -> int:
        return self._count - len(self._taken)

    @property
    def left(self) -> int:
        """How many are free; unlike len() without a limit."""
        return self._count - len(self._taken)

    def take(self, rank: int) -> None:
        """Taking twice is no error."""
        position = bisect_left(self._taken, rank)
        if position == len(self._taken) or self._taken[position] != rank:
            self._taken.insert(position, rank)

    def give_back(self, rank: int) -> None:
        """The opposite of take; what was not taken is no error."""
        position = bisect_left(self._taken, rank)
        if position < len(self._taken) and self._taken[position] == rank:
            del self._taken[position]

    def __getitem__(self, position: int) -> int:
        """The free number before which `position` free ones stand."""
        before = bisect_right(range(len(self._taken)), position, key=lambda i: self._taken[i] - i)
        return position + before


class Taken:
    """The points that were suggested so far, of a finite space; of an infinite one it keeps nothing."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._points = Points.of_draws(space)
        self._holders: dict[Hashable, set[int]] = {}
        self._free = FreeRanks(self._points.count if self._points else 0)

    @property
    def is_finite(self) -> bool:
        return self._points is not None

    def learn(self, observation: Observation) -> None:
        """The trial's point was suggested; once the trial is canceled it is free again. Foreign points are no harm."""
        if self._points is None or any(name not in observation.params for name in self._space.names):
            return
        key = self._space.canonical(observation.params)
        holders = self._holders.setdefault(key, set())
        if observation.state is TrialState.CANCELED:
            holders.discard(observation.number)
        else:
            holders.add(observation.number)
        rank = self._points.rank(observation.params)
        if rank is not None:
            (self._free.take if holders else self._free.give_back)(rank)

    def __contains__(self, params: object) -> bool:
        if self._points is None:
            return False
        return bool(self._holders.get(self._space.canonical(cast(Mapping[str, Any], params))))

    @property
    def left(self) -> int | None:
        """How many points were not suggested; None for infinitely many."""
        return None if self._points is None else self._free.left

    def require_left(self) -> None:
        """Raise SpaceExhausted when no point is left."""
        if self._points is not None and not self._free.left:
            raise SpaceExhausted(f"all {self._points.count:,} points of the space were tried".replace(",", " "))

    def free(self, rng: random.Random) -> dict[str, Any]:
        """One of the points which are left, all alike. Raises SpaceExhausted."""
        self.require_left()
        assert self._points is not None, "an infinite space is never asked for what is left"
        return self._points.point(self._free[rng.randrange(self._free.left)])

    def all_free(self, limit: int) -> list[dict[str, Any]] | None:
        """Every point which is left, in order; None when there are more than `limit`."""
        if self._points is None or self._free.left > limit:
            return None
        return [self._points.point(self._free[position]) for position in range(self._free.left)]
