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
from sweeps.states import TrialState


class GridSearcher(Searcher):
    """Initial points first, then the rest of the grid in order, then the points whose trials were canceled."""

    lookahead = 64

    def __init__(self, spec: SweepSpec) -> None:
        self._points = Points.of_grid(spec.space)
        self._initial = initial_points(spec, self._first)
        self._free = FreeRanks(self._points.count)
        for point in self._initial:
            rank = self._points.rank(point)
            if rank is not None:
                self._free.take(rank)
        self._canceled: dict[int, Observation] = {}

    def tell(self, observations: Sequence[Observation]) -> None:
        """Only cancellations matter: a failed point is retried by the controller or counts as done."""
        for observation in observations:
            if observation.state is TrialState.CANCELED:
                self._canceled[observation.number] = observation

    def ask(self, number: int) -> Suggestion:
        if number < len(self._initial):
            return Suggestion(self._initial[number], {"engine": "initial"})
        position = number - len(self._initial)
        if position >= self._free.left:
            return self._again(position - self._free.left)
        return Suggestion(self._points.point(self._free[position]), {"engine": "grid"})

    def _again(self, position: int) -> Suggestion:
        """The canceled points in the order of their cancellations, which later ones do not change."""
        if position >= len(self._canceled):
            raise SpaceExhausted(f"all {self._points.count:,} points of the grid were tried".replace(",", " "))
        again = sorted(self._canceled.values(), key=lambda trial: trial.finish_seq or 0)[position]
        return Suggestion(again.params, {"engine": "grid", "note": f"again: trial {again.number} was canceled"})

    def _first(self, _rng: random.Random) -> dict[str, Any]:
        return self._points.point(0)
