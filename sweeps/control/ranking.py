"""Which trial is the best: one order for the command, the views and the Python API."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from sweeps.records import TrialRecord
from sweeps.space.values import identity
from sweeps.states import TrialState
from sweeps.store.contract import SweepStore


def rank(trials: Iterable[TrialRecord], goal: str) -> list[TrialRecord]:
    """Trials with a value, best first; equal values keep the order of their numbers.

    Complete trials come before pruned ones: a trial that was stopped early never ran as long as its rivals, so it is
    the best only when nothing else is there. `goal` is "minimize" or "maximize".
    """
    judged = [trial for trial in trials if trial.value is not None and trial.state in _JUDGED]
    return sorted(judged, key=lambda trial: rank_key(trial, goal))


def rank_key(trial: TrialRecord, goal: str) -> tuple[int, float, int]:
    """Sorts judged trials best first. The trial must have a value."""
    assert trial.value is not None
    return (_JUDGED[trial.state], -trial.value if goal == "maximize" else trial.value, trial.number)


def varying(trials: Sequence[TrialRecord]) -> list[str]:
    """Names of the parameters that differ between the trials, in their order; all of them when there is one trial."""
    first: dict[str, Hashable] = {}
    differing: dict[str, bool] = {}
    for trial in trials:
        for name, value in trial.params.items():
            key = identity(value)
            differing[name] = differing.get(name, False) or first.setdefault(name, key) != key
    names = [name for name, differs in differing.items() if differs]
    return names or list(differing)


_JUDGED = {TrialState.COMPLETE: 0, TrialState.PRUNED: 1}


def best_of(store: SweepStore, sweep_id: str, goal: str) -> TrialRecord | None:
    """The best trial of a sweep; None while no trial has a value. May raise StoreUnavailable."""
    return next(iter(rank(store.trials(sweep_id, states=list(_JUDGED)), goal)), None)
