"""Bayesian search: a first spread over the space, then Optuna's TPE on what the trials gave."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from sweeps.records import Params, Suggestion
from sweeps.searchers.axes import make_axes
from sweeps.searchers.contract import Observation, Searcher
from sweeps.searchers.engine import Engine, load_engine
from sweeps.searchers.experience import Memory
from sweeps.searchers.initial import initial_points
from sweeps.searchers.points import Taken
from sweeps.searchers.uniform import draw_new
from sweeps.space import SearchSpace
from sweeps.space.values import identity
from sweeps.spec.model import SweepSpec

STARTUP = 10
"""Trials that must have ended before a model is asked; Optuna's own default."""
HISTORY = 1_000
"""Most ended trials that a model is given: the time of a suggestion stays the same beyond."""
BEST = 500
"""So many of the best are always among them: near them the next point is sought, so there the model must be exact."""
RUNNING = 100
"""Most running trials that a model is given."""
_RETRIES = 3
_NEIGHBOURS = 2_000


class BayesSearcher(Searcher):
    """Minimizes or maximizes the metric. One suggestion ahead at most: each better knows the ones before."""

    lookahead = 1

    def __init__(self, spec: SweepSpec) -> None:
        assert spec.metric is not None, "the parser asks for a metric"
        self._space, self._seed = spec.space, spec.seed
        self._axes = make_axes(spec.space)
        self._initial = initial_points(spec)
        self._constants = _constants(spec.space)
        self._memory = Memory(self._axes, spec.metric)
        self._taken = Taken(spec.space)
        self._loaded: Engine | None = None

    def tell(self, observations: Sequence[Observation]) -> None:
        for observation in observations:
            self._taken.learn(observation)
            self._memory.learn(observation)

    def ask(self, number: int) -> Suggestion:
        if number < len(self._initial):
            return Suggestion(self._initial[number], {"engine": "initial"})
        self._taken.require_left()
        if not self._axes or self._memory.ended < STARTUP or not self._memory.has_value:
            return self._spread(number)
        return self._model(number)

    def _spread(self, number: int) -> Suggestion:
        position = number - len(self._initial)
        shares = zip(self._axes, self._shares(position), strict=True)
        point = self._point({axis.name: axis.at(share) for axis, share in shares})
        if point in self._taken:
            point = draw_new(self._space, self._taken, self._seed, number)
        return Suggestion(point, {"engine": "startup"})

    def _shares(self, position: int) -> list[float]:
        """A Latin hypercube in blocks of STARTUP: in each block every axis has one point in each of its equal parts."""
        block, row = divmod(position, STARTUP)
        rng = random.Random(f"{self._seed}/startup/{block}")
        columns = [rng.sample(range(STARTUP), STARTUP) for _ in self._axes]
        jitter = random.Random(f"{self._seed}/startup/{block}/{row}")
        return [(column[row] + jitter.random()) / STARTUP for column in columns]

    def _model(self, number: int) -> Suggestion:
        """TPE's point; in a finite space one that was not tried, as near to it as there is."""
        past = self._memory.selection(BEST, HISTORY)
        running = self._memory.running(RUNNING)
        origin = {"engine": "tpe", "history": self._memory.ended, "running": len(running)}
        point: dict[str, Any] = {}
        for attempt in range(_RETRIES):
            seed = random.Random(f"{self._seed}/{number}/{attempt}").getrandbits(32)
            found = self._engine().propose(number, past + running, seed)
            point = self._point({axis.name: axis.value(found[axis.name]) for axis in self._axes})
            if point not in self._taken:
                return Suggestion(point, origin)
        return Suggestion(self._near(point, number), {**origin, "note": "nearest point that was not tried"})

    def _near(self, wanted: Params, number: int) -> dict[str, Any]:
        """An untried point that differs from `wanted` in as few parameters as possible."""
        rng = random.Random(f"{self._seed}/{number}")
        free = self._taken.all_free(_NEIGHBOURS)
        candidates = free if free is not None else [self._taken.free(rng) for _ in range(_NEIGHBOURS // 10)]
        differences = [self._difference(wanted, point) for point in candidates]
        fewest = min(differences)
        return rng.choice([point for point, count in zip(candidates, differences, strict=True) if count == fewest])

    def _difference(self, one: Params, other: Params) -> int:
        return sum(identity(one[axis.name]) != identity(other[axis.name]) for axis in self._axes)

    def _point(self, values: Params) -> dict[str, Any]:
        return {name: values[name] if name in values else self._constants[name] for name in self._space.names}

    def _engine(self) -> Engine:
        """Made when first needed: Optuna takes 0.2 s to import, and the first trials start without."""
        if self._loaded is None:
            self._loaded = load_engine(self._axes)
        return self._loaded


def _constants(space: SearchSpace) -> dict[str, Any]:
    """The only value of each parameter that has but one."""
    only = ((parameter.name, parameter.distribution) for parameter in space if parameter.distribution.count == 1)
    return {name: next(iter(distribution.support() or ())) for name, distribution in only}
