"""Grid search: every point of the product once, found by its number alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from sweeps.errors import SpaceExhausted
from sweeps.records import Suggestion
from sweeps.searchers.contract import Observation, Searcher
from sweeps.searchers.initial import initial_points
from sweeps.searchers.points import FreeRanks, Points
from sweeps.spec.model import SweepSpec


class GridSearcher(Searcher):
    """Initial points first, then the rest of the grid in order. What the trials gave is of no account."""

    lookahead = 64

    def __init__(self, spec: SweepSpec) -> None:
        self._points = Points.of_grid(spec.space)
        self._initial = initial_points(spec, self._first)
        self._free = FreeRanks(self._points.count)
        for point in self._initial:
            rank = self._points.rank(point)
            if rank is not None:
                self._free.take(rank)

    def tell(self, observations: Sequence[Observation]) -> None:
        """Nothing is learned: a failed point is retried by the controller or counts as done."""

    def ask(self, number: int) -> Suggestion:
        if number < len(self._initial):
            return Suggestion(self._initial[number], {"engine": "initial"})
        position = number - len(self._initial)
        if position >= self._free.left:
            raise SpaceExhausted(f"all {self._points.count:,} points of the grid were tried".replace(",", " "))
        return Suggestion(self._points.point(self._free[position]), {"engine": "grid"})

    def _first(self, _rng: random.Random) -> dict[str, Any]:
        return self._points.point(0)
