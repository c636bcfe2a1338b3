"""Ends the sweep when a trial has reached `metric.target`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from sweeps.control.judging import reaches_target
from sweeps.records import Outcome
from sweeps.spec.model import MetricSpec
from sweeps.states import SweepState, TrialState
from sweeps.store.contract import SweepStore
from tracking.errors import IllegalMove


class Target:
    """Compares the value of every trial that ended here with the target."""

    def __init__(self, store: SweepStore, sweep_id: str, metric: MetricSpec | None) -> None:
        self._store, self._sweep_id, self._metric = store, sweep_id, metric

    def check(self, outcomes: Iterable[Outcome]) -> None:
        """Move the sweep to STOPPING when one of them is good enough. Raises StoreUnavailable."""
        if self._metric is None or self._metric.target is None:
            return
        for outcome in outcomes:
            if outcome.state is TrialState.COMPLETE and reaches_target(self._metric, outcome.value):
                with suppress(IllegalMove):  # it is stopping, or over, for another reason
                    self._store.move_sweep(self._sweep_id, SweepState.STOPPING, self._reason(outcome))
                return

    def _reason(self, outcome: Outcome) -> str:
        assert self._metric is not None
        return (
            f"target reached: trial {outcome.key.number} has {self._metric.name} = {outcome.value:g} "
            f"(target {self._metric.target:g})"
        )
