"""Sweeps, trials and batches for the suites of the stores."""

from __future__ import annotations

from typing import Any

from sweeps.records import AgentRecord, NewSweep, Outcome, Suggestion, TrialKey, TrialRecord
from sweeps.states import FailureClass, TrialState
from sweeps.store.contract import SweepStore
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd, RunStart, SeriesPart

SWEEP = "abcd1234"
TTL = 60.0
EXPIRED = -1.0
"""A time to live that has passed before the lease is written: no test has to wait for an expiry."""


def new_sweep(store: SweepStore, trials: int = 0, sweep_id: str = SWEEP, **fields: Any) -> None:
    """A sweep with as many waiting trials."""
    store.create_sweep(NewSweep(sweep_id, {"method": "random", "seed": 7}, **fields))
    if trials:
        more_trials(store, trials, sweep_id)


def more_trials(store: SweepStore, count: int, sweep_id: str = SWEEP) -> list[TrialRecord]:
    assert store.acquire_suggesting(sweep_id, "suggester", TTL)
    sweep = store.sweep(sweep_id)
    points = [Suggestion({"lr": 0.1 * n}, {"engine": "random"}) for n in range(count)]
    added = store.add_trials(sweep_id, "suggester", sweep.next_number, sweep.finish_seq, points)
    store.release_suggesting(sweep_id, "suggester")
    return added


def key_of(trial: TrialRecord) -> TrialKey:
    return TrialKey(trial.sweep_id, trial.number, trial.attempt)


def complete(trial: TrialRecord, value: float | None = 1.0) -> Outcome:
    return Outcome(key_of(trial), TrialState.COMPLETE, value=value, length=1)


def failed(trial: TrialRecord, failure: FailureClass = FailureClass.CODE) -> Outcome:
    return Outcome(key_of(trial), TrialState.FAILED, reason="exit status 1", failure=failure)


def agent(agent_id: str, sweep_id: str = SWEEP) -> AgentRecord:
    return AgentRecord(agent_id, sweep_id, "box", "host", 42, 2, 0.0, 0.0, None, {"python": "3.11"})


def floats(steps: list[int], values: list[float] | None = None) -> SeriesPart:
    return SeriesPart("float", steps, [step / 2 for step in steps] if values is None else values)


def started(run_id: str = "run00001", attempt: int = 1, to: int = 100, **fields: Any) -> RunBatch:
    """The first batch of an attempt."""
    start = fields.pop("start", None) or RunStart(run_id, "digits", config={"lr": 0.1}, started_at=1000.0)
    return RunBatch(run_id, attempt, 0, to, start=start, **fields)


def further(run_id: str = "run00001", attempt: int = 1, since: int = 100, to: int = 200, **fields: Any) -> RunBatch:
    """A batch which follows."""
    return RunBatch(run_id, attempt, since, to, **fields)


def finished(at: float = 2000.0) -> RunEnd:
    return RunEnd(RunState.FINISHED, exit_code=0, at=at)
