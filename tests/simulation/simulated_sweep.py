"""A whole sweep in memory: agents with a controller each, a fake clock, curves, lost machines."""

from __future__ import annotations

import dataclasses
import functools
import heapq
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sweeps.control.controller import Controller
from sweeps.records import Suggestion, TrialRecord
from sweeps.spec.model import SweepSpec
from sweeps.states import FailureClass, TrialState

Objective = Callable[[Mapping[str, Any]], Sequence[float]]


def make_spec(**document: Any) -> SweepSpec:
    """A specification from the keys of a sweep.yaml; metric `loss`, method bayes and seed 1 unless told otherwise."""
    return SweepSpec.from_document({"method": "bayes", "metric": {"name": "loss"}, "seed": 1, **document})


def record(number: int, params: Mapping[str, Any], **changes: Any) -> TrialRecord:
    """A waiting trial, with changes."""
    blank = TrialRecord(
        sweep_id="s", number=number, params=params, state=TrialState.WAITING, reason="", origin={}, seen=0,
        run_id=f"s-{number}", attempt=0, agent_id="", leased_until=None, stop_requested="", value=None, length=0,
        failure=None, failures=0, lost=0, created_at=0.0, started_at=None, finished_at=None, finish_seq=None,
    )  # fmt: skip
    return dataclasses.replace(blank, **changes)


class SimulatedSweep:
    """Runs a specification to its end. The rows play the store, as `SweepStore` describes it."""

    def __init__(
        self,
        spec: SweepSpec,
        objective: Objective,
        *,
        agents: int = 1,
        seed: int = 0,
        loss_rate: float = 0.0,
        failure_rate: float = 0.0,
        limit: int = 100_000,
    ) -> None:
        self.spec, self._objective, self._limit = spec, objective, limit
        self._rng = random.Random(seed)
        self._loss_rate, self._failure_rate = loss_rate, failure_rate
        self.controllers = [Controller(spec) for _ in range(agents)]
        self.rows: list[TrialRecord] = []
        self.curves: dict[int, list[float]] = {}
        self.attempts: list[int] = []
        """The number of the trial of each attempt, in the order started."""
        self.values_logged = 0
        self.clock = 0.0
        self.exhausted = ""
        self._finish_seq = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._event_count = 0

    def run(self) -> SimulatedSweep:
        """Until no agent has anything to do."""
        for agent in range(len(self.controllers)):
            self._later(self._rng.random() / 100, functools.partial(self._take, agent))
        while self._events:
            self.clock, _, act = heapq.heappop(self._events)
            act()
        return self

    @property
    def best(self) -> float:
        """The smallest value of a complete trial."""
        return min(row.value for row in self.rows if row.state is TrialState.COMPLETE and row.value is not None)

    def in_state(self, state: TrialState) -> list[TrialRecord]:
        return [row for row in self.rows if row.state is state]

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._event_count += 1
        heapq.heappush(self._events, (self.clock + seconds, self._event_count, act))

    def _take(self, agent: int) -> None:
        waiting = self.in_state(TrialState.WAITING)
        if not waiting and not self.exhausted:
            self._fill(self.controllers[agent])
            waiting = self.in_state(TrialState.WAITING)
        if waiting:
            self._start(agent, waiting[0].number)
        elif self.in_state(TrialState.RUNNING):
            self._later(1.0, lambda: self._take(agent))  # one of them may be lost and come back

    def _fill(self, controller: Controller) -> None:
        known, seen = controller.next_number, controller.seen
        controller.tell([row for row in self.rows if row.number >= known or (row.finish_seq or 0) > seen])
        batch = controller.suggest(max(1, min(controller.lookahead, controller.next_number)))
        assert batch.first_number == len(self.rows)
        for number, suggestion in enumerate(batch.suggestions, batch.first_number):
            self._add(number, suggestion, batch.seen)
        self.exhausted = batch.exhausted

    def _add(self, number: int, suggestion: Suggestion, seen: int) -> None:
        assert number < self._limit, "the sweep does not end"
        self.rows.append(record(number, suggestion.params, origin=suggestion.origin, seen=seen))

    def _start(self, agent: int, number: int) -> None:
        self._change(number, state=TrialState.RUNNING, attempt=self.rows[number].attempt + 1)
        self.attempts.append(number)
        self.curves[number] = []
        steps = iter(self._objective(self.rows[number].params))
        self._later(self._rng.uniform(0.5, 1.5), lambda: self._step(agent, number, steps, 0))

    def _step(self, agent: int, number: int, steps: Any, judged: int) -> None:
        if self._rng.random() < self._loss_rate:
            self._fail(agent, number, FailureClass.LOST)
            return
        value = next(steps, None)
        if value is None:
            failed = self._rng.random() < self._failure_rate
            self._fail(agent, number, FailureClass.CODE) if failed else self._end(agent, number, TrialState.COMPLETE)
            return
        self.values_logged += 1
        self.curves[number].append(value)
        controller, length = self.controllers[agent], len(self.curves[number])
        count = controller.due(judged, length)
        if count is not None:
            judged = length
            stop = controller.judge(number, {n: curve[:count] for n, curve in self.curves.items() if curve})
            if stop is not None:
                self._end(agent, number, TrialState.PRUNED, stop.reason)
                return
        self._later(self._rng.uniform(0.5, 1.5), lambda: self._step(agent, number, steps, judged))

    def _fail(self, agent: int, number: int, failure: FailureClass) -> None:
        row = self.rows[number]
        if not self.controllers[agent].after_attempt(row, failure).is_retry:
            self._end(agent, number, TrialState.FAILED, failure.value)
            return
        raised = {"lost": row.lost + 1} if failure.is_infrastructure else {"failures": row.failures + 1}
        self._change(number, state=TrialState.WAITING, **raised)
        self._later(0.0, lambda: self._take(agent))

    def _end(self, agent: int, number: int, state: TrialState, reason: str = "") -> None:
        self._finish_seq += 1
        worth = self.controllers[agent].worth(self.curves[number], None, state)
        self._change(
            number, state=state, reason=reason, value=worth.value, length=worth.length, finish_seq=self._finish_seq
        )
        self._later(0.0, lambda: self._take(agent))

    def _change(self, number: int, **changes: Any) -> None:
        self.rows[number] = dataclasses.replace(self.rows[number], **changes)
