"""What the live view knows of a sweep at one moment, and the reader that keeps it current with few, small queries."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.about import About
from sweeps.api.pasting import sweep_line
from sweeps.control.ranking import rank_key
from sweeps.records import SweepRecord, TrialRecord
from sweeps.space.values import identity
from sweeps.states import DONE_TRIALS, OPEN_TRIALS, SweepState, TrialState
from sweeps.store.contract import SweepStore
from sweeps.views.presence import is_lost, living
from tracking.store.contract import RunStore

SHOWN_RUNNING = 8
_MEMORY = 50  # durations from which the time left is guessed


@dataclass(frozen=True, slots=True)
class RunningTrial:
    """A trial that an agent holds; `key` and `value` are the metric, or the first thing that it logged."""

    number: int
    seconds: float
    step: int | None = None
    key: str = ""
    value: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    stopping: str = ""
    lost: bool = False
    """Its agent has died, and nobody has taken it over."""


@dataclass(frozen=True, slots=True)
class Leader:
    """The best trial so far with the parameters in which trials differ."""

    number: int
    value: float
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A sweep at one moment. Times are seconds; `budget` and `left` are None when nobody can know them."""

    sweep_id: str
    name: str
    state: SweepState
    reason: str
    method: str
    metric: str
    goal: str
    budget: int | None
    counts: Mapping[TrialState, int]
    elapsed: float
    left: float | None = None
    best: Leader | None = None
    curve: tuple[float, ...] = ()
    running: tuple[RunningTrial, ...] = ()
    more_running: int = 0
    agents: int = 0
    retried: int = 0
    lost: int = 0
    """How many running trials have no living agent."""
    notices: tuple[str, ...] = ()
    agent_line: str = ""
    """The command that starts an agent, for whoever looks at this."""
    problem: str = ""
    """Why what is shown may be old: the store is away."""

    @property
    def done(self) -> int:
        return sum(self.counts.get(state, 0) for state in DONE_TRIALS)

    @property
    def needs_agent(self) -> bool:
        """Whether there is work which nobody does."""
        if self.agents or self.is_over:
            return False
        if self.state is not SweepState.RUNNING:  # a paused sweep waits for people, an ending one for what runs
            return self.counts.get(TrialState.RUNNING, 0) > 0
        is_open = any(self.counts.get(state, 0) for state in OPEN_TRIALS)
        return is_open or self.budget is None or sum(self.counts.values()) < self.budget

    @property
    def is_over(self) -> bool:
        return self.state in (SweepState.FINISHED, SweepState.CANCELED)


class SnapshotReader:
    """Reads snapshots of one sweep; after the first one only what changed is fetched."""

    def __init__(self, sweep_store: SweepStore, run_store: RunStore, sweep_id: str) -> None:
        self._sweeps, self._runs, self._id = sweep_store, run_store, sweep_id
        self._parsed: tuple[Mapping[str, Any], About] | None = None
        self._next_number = 0
        self._finish_seq = 0
        self._first_start: float | None = None
        self._durations: deque[float] = deque(maxlen=_MEMORY)
        self._best: TrialRecord | None = None
        self._curve: list[float] = []
        self._parameters: dict[str, tuple[Hashable, bool]] = {}
        self._width = 1
        self._retried: dict[int, int] = {}

    def read(self) -> Snapshot:
        """The sweep now. Raises SweepNotFound, StoreUnavailable."""
        record = self._sweeps.sweep(self._id)
        about = self._about(record)
        now = self._sweeps.now()
        for trial in self._sweeps.changes(self._id, self._next_number, self._finish_seq):
            self._learn(trial, about.goal)
        running = self._sweeps.trials(self._id, states=[TrialState.RUNNING])
        for trial in running:
            self._retried[trial.number] = trial.failures + trial.lost
            if self._first_start is None and trial.started_at is not None:
                self._first_start = trial.started_at
        counts = self._sweeps.counts(self._id)
        agents = len(living(self._sweeps.agents(self._id), running, now))
        return Snapshot(
            sweep_id=record.id,
            name=record.name,
            state=record.state,
            reason=record.reason,
            method=about.method,
            metric=about.metric,
            goal=about.goal,
            budget=about.budget,
            counts=counts,
            elapsed=self._elapsed(record, now),
            left=self._left(record, about.budget, counts, running, now) if agents else None,
            best=self._leader(),
            curve=tuple(self._curve),
            running=tuple(self._running(trial, about.metric, now) for trial in running[:SHOWN_RUNNING]),
            more_running=max(0, len(running) - SHOWN_RUNNING),
            agents=agents,
            retried=sum(self._retried.values()),
            lost=sum(is_lost(trial, now) for trial in running),
            agent_line=sweep_line("agent", record.id),
            notices=tuple(notice.text for notice in self._sweeps.notices(self._id) if not notice.is_event),
        )

    def _about(self, record: SweepRecord) -> About:
        """Parsed again only when somebody has changed the document."""
        if self._parsed is None or self._parsed[0] != record.document:
            self._parsed = (record.document, About.of(record))
        return self._parsed[1]

    def _learn(self, trial: TrialRecord, goal: str) -> None:
        """Take in a trial that is new or has ended."""
        for name, value in trial.params.items():
            key = identity(value)
            first, differs = self._parameters.get(name, (key, False))
            self._parameters[name] = (first, differs or key != first)
        self._next_number = max(self._next_number, trial.number + 1)
        self._retried[trial.number] = trial.failures + trial.lost
        if trial.started_at is not None:
            self._first_start = min(self._first_start or trial.started_at, trial.started_at)
        if trial.finish_seq is None:
            return
        self._finish_seq = max(self._finish_seq, trial.finish_seq)
        if trial.state is TrialState.FAILED:  # counted as failed, not as retried
            self._retried[trial.number] = max(0, trial.failures + trial.lost - 1)
        if trial.started_at is not None and trial.finished_at is not None:
            self._durations.append(trial.finished_at - trial.started_at)
        if trial.value is not None and trial.state in (TrialState.COMPLETE, TrialState.PRUNED):
            self._compare(trial, goal)

    def _compare(self, trial: TrialRecord, goal: str) -> None:
        if self._best is None or rank_key(trial, goal) < rank_key(self._best, goal):
            self._best = trial
        assert self._best.value is not None
        self._curve.append(self._best.value)

    def _leader(self) -> Leader | None:
        if self._best is None or self._best.value is None:
            return None
        names = [name for name, (_, differs) in self._parameters.items() if differs] or list(self._parameters)
        params = {name: self._best.params[name] for name in names if name in self._best.params}
        return Leader(self._best.number, self._best.value, params)

    def _elapsed(self, record: SweepRecord, now: float) -> float:
        start = self._first_start if self._first_start is not None else record.created_at
        return max(0.0, (record.finished_at or now) - start)

    def _left(
        self,
        record: SweepRecord,
        budget: int | None,
        counts: Mapping[TrialState, int],
        running: list[TrialRecord],
        now: float,
    ) -> float | None:
        """Seconds until the budget is spent: work that remains over the trials that run side by side."""
        if running:
            self._width = len(running)
        if not self._durations or record.state not in (SweepState.RUNNING, SweepState.STOPPING):
            return None
        open_trials = sum(counts.get(state, 0) for state in OPEN_TRIALS)
        if record.state is SweepState.STOPPING or record.exhausted:
            remaining = open_trials
        elif budget is None:
            return None
        else:
            remaining = max(0, budget - (sum(counts.values()) - open_trials))
        mean = sum(self._durations) / len(self._durations)
        begun = sum(min(mean, max(0.0, now - (trial.started_at or now))) for trial in running)
        return max(0.0, (mean * remaining - begun) / self._width)

    def _running(self, trial: TrialRecord, metric: str, now: float) -> RunningTrial:
        infos = [info for info in self._runs.keys(trial.run_id) if not info.key.startswith("_")]
        shown = next((info for info in infos if info.key == metric), infos[0] if infos else None)
        return RunningTrial(
            number=trial.number,
            seconds=now - trial.started_at if trial.started_at is not None else 0.0,
            step=shown.last_step if shown else None,
            key=shown.key if shown else "",
            value=shown.last_value if shown else None,
            params=trial.params,
            stopping=trial.stop_requested,
            lost=is_lost(trial, now),
        )
