"""Asks the controller about running trials whose curves have grown, and ends those which it condemns."""

from __future__ import annotations

from collections.abc import Iterable

from agent.attempts.attempt import PRUNED, Attempt
from sweeps.control.controller import Controller
from sweeps.store.contract import SweepStore
from tracking.store.contract import RunStore


class Pruning:
    """Compares with the curves of all trials of the sweep, whichever agent runs or ran them."""

    def __init__(self, controller: Controller, metric: str, sweeps: SweepStore, runs: RunStore, sweep_id: str) -> None:
        self._controller, self._metric = controller, metric
        self._sweeps, self._runs, self._sweep_id = sweeps, runs, sweep_id

    def judge(self, grown: Iterable[Attempt], grace: float) -> None:
        """Judge the attempts that are due. Raises StoreUnavailable; those not judged yet are due again later."""
        due = [
            (attempt, length, count)
            for attempt in grown
            if attempt.exit is None
            and not attempt.stop
            and (count := self._controller.due(attempt.judged, length := attempt.curve.length)) is not None
        ]
        if not due:
            return
        curves = self._curves(max(count for _, _, count in due))
        for attempt, length, _ in due:
            attempt.judged = length
            stop = self._controller.judge(attempt.trial.number, curves)
            if stop is not None:
                attempt.ask_to_end(PRUNED + stop.reason, grace)

    def _curves(self, count: int) -> dict[int, list[float]]:
        suggested = self._sweeps.sweep(self._sweep_id).next_number
        numbers = {f"{self._sweep_id}-{number}": number for number in range(suggested)}
        heads = self._runs.heads(list(numbers), self._metric, count)
        return {numbers[run_id]: values for run_id, values in heads.items()}
