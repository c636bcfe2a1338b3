"""Random search: independent draws, without a repeated point while a finite space has others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from sweeps.records import Suggestion
from sweeps.searchers.contract import Observation, Searcher
from sweeps.searchers.initial import initial_points
from sweeps.searchers.points import Taken
from sweeps.space import SearchSpace
from sweeps.spec.model import SweepSpec

_REDRAWS = 64  # beyond, nearly all is taken or what is left is improbable: choose among what is left


class RandomSearcher(Searcher):
    """Draw n comes from a generator seeded by (seed, n), so it does not matter who makes it and when."""

    lookahead = 64

    def __init__(self, spec: SweepSpec) -> None:
        self._space, self._seed = spec.space, spec.seed
        self._initial = initial_points(spec)
        self._taken = Taken(spec.space)

    def tell(self, observations: Sequence[Observation]) -> None:
        for observation in observations:
            self._taken.learn(observation)

    def ask(self, number: int) -> Suggestion:
        if number < len(self._initial):
            return Suggestion(self._initial[number], {"engine": "initial"})
        return Suggestion(draw_new(self._space, self._taken, self._seed, number), {"engine": "random"})


def draw_new(space: SearchSpace, taken: Taken, seed: int, number: int) -> dict[str, Any]:
    """A draw for trial `number` which is not taken. Raises SpaceExhausted."""
    taken.require_left()
    rng = random.Random(f"{seed}/{number}")
    for _ in range(_REDRAWS):
        point = space.sample(rng)
        if point not in taken:
            return point
    return taken.free(rng)
