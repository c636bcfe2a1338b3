"""What a model-based searcher has learned so far, in the order in which a model wants it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from sweeps.searchers.axes import Axis, Coordinates, locate
from sweeps.searchers.contract import Observation
from sweeps.spec.parts import Goal, MetricSpec
from sweeps.states import OPEN_TRIALS, TrialState

RECENT = 100
"""How many of the newest ended trials a model is always given."""


@dataclass(frozen=True, slots=True)
class Experience:
    """One trial for a model. `loss` is to be minimized; None is the worst that there is (it failed)."""

    number: int
    at: Coordinates
    state: TrialState
    """RUNNING, COMPLETE or PRUNED."""
    loss: float | None = None
    length: int = 0
    """Rung at which a pruned one ended."""

    @property
    def merit(self) -> tuple[int, float, float, int]:
        """Sorts best first: complete ones, then pruned ones by how far they got, then those without a value."""
        if self.loss is None:
            return (2, 0.0, 0.0, self.number)
        if self.state is TrialState.PRUNED:
            return (1, -self.length, self.loss, self.number)
        return (0, 0.0, self.loss, self.number)


@dataclass
class Memory:
    """Keeps ended trials sorted, so that a suggestion costs the same after 1 000 trials as after 100 000."""

    axes: Sequence[Axis]
    metric: MetricSpec
    _known: dict[int, Experience] = field(default_factory=dict)
    _running: dict[int, Experience] = field(default_factory=dict)
    _merits: list[tuple[int, float, float, int]] = field(default_factory=list)
    _numbers: list[int] = field(default_factory=list)

    def learn(self, observation: Observation) -> None:
        """Take in a trial; what was known of its number is replaced."""
        self._forget(observation.number)
        experience = self._read(observation)
        if experience is None:
            return
        if experience.state is TrialState.RUNNING:
            self._running[experience.number] = experience
            return
        self._known[experience.number] = experience
        insort(self._merits, experience.merit)
        insort(self._numbers, experience.number)

    @property
    def ended(self) -> int:
        """How many ended trials teach something."""
        return len(self._numbers)

    @property
    def has_value(self) -> bool:
        """Whether any trial has given a value."""
        return bool(self._merits) and self._merits[0][0] < 2

    def selection(self, best: int, limit: int) -> list[Experience]:
        """At most `limit` ended trials by number: the `best` ones, the most recent, an even share of the others."""
        if len(self._numbers) <= limit:
            return [self._known[number] for number in self._numbers]
        chosen = {merit[-1] for merit in self._merits[:best]}
        chosen.update(self._numbers[-RECENT:])
        older = len(self._numbers) - RECENT
        room = limit - best - RECENT
        chosen.update(self._numbers[position * older // room] for position in range(room))
        return [self._known[number] for number in sorted(chosen)]

    def running(self, limit: int) -> list[Experience]:
        """At most `limit` open trials, the most recent ones, by number."""
        return [self._running[number] for number in sorted(self._running)[-limit:]]

    def _forget(self, number: int) -> None:
        self._running.pop(number, None)
        known = self._known.pop(number, None)
        if known is not None:
            del self._merits[bisect_left(self._merits, known.merit)]
            del self._numbers[bisect_left(self._numbers, number)]

    def _read(self, observation: Observation) -> Experience | None:
        """None for what teaches nothing: canceled trials, and points from outside of the space."""
        if observation.state is TrialState.CANCELED:
            return None
        at = locate(self.axes, observation.params)
        if at is None:
            return None
        if observation.state in OPEN_TRIALS:
            return self._read_open(observation, at)
        loss = self._loss(observation)
        if loss is None or observation.state is TrialState.PRUNED:
            return Experience(observation.number, at, TrialState.PRUNED, loss, observation.length)
        return Experience(observation.number, at, TrialState.COMPLETE, loss, observation.length)

    def _read_open(self, observation: Observation, at: Coordinates) -> Experience:
        # "best" and "latest" would need the curve of a running trial, which no record of a suggestion holds: replay
        # would not find it again. Such trials count as running, as if nothing had been said.
        worst = self.metric.impute_while_running == "worst"
        return Experience(observation.number, at, TrialState.PRUNED if worst else TrialState.RUNNING)

    def _loss(self, observation: Observation) -> float | None:
        if observation.value is None:
            return None
        if observation.state is TrialState.FAILED and self.metric.impute == "worst":
            return None
        return -observation.value if self.metric.goal is Goal.MAXIMIZE else observation.value
