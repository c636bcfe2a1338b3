"""What some agent has to do now and then: take back the trials of lost agents and end sweeps that are over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from agent.announcing import Say
from agent.executors.strays import end_strays
from sweeps.control.controller import LOST_LIMIT
from sweeps.records import TrialRecord
from sweeps.states import SweepState, TrialState
from sweeps.store.contract import SweepStore
from tracking.errors import RunNotFound
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd, RunStore

_LONGEST = 2.0


class Housekeeping:
    """Looks every third of a lease's time, every other second at least: looking costs two small reads."""

    def __init__(
        self,
        sweeps: SweepStore,
        runs: RunStore,
        sweep_id: str,
        ttl: float,
        say: Say,
        heard: Callable[[SweepState], None],
    ) -> None:
        self._sweeps, self._runs, self._sweep_id = sweeps, runs, sweep_id
        self._interval = min(ttl / 3, _LONGEST)
        self._say, self._heard = say, heard
        self._next = 0.0

    def patience(self, now: float) -> float:
        """Seconds until there is something to do."""
        return max(0.0, self._next - now)

    def turn(self, now: float) -> None:
        """Do it when it is time. Raises StoreUnavailable, SweepNotFound."""
        if now < self._next:
            return
        taken = self._sweeps.reap(self._sweep_id, LOST_LIMIT)
        if taken:
            end_strays()  # an agent of this machine may have left some of their processes
            self._end_runs(taken)
        self._heard(self._sweeps.settle(self._sweep_id).state)
        self._next = time.monotonic() + self._interval

    def _end_runs(self, trials: Sequence[TrialRecord]) -> None:
        """The run of a lost attempt is over, though nobody was left to say so."""
        batches = []
        for trial in trials:
            again = "it runs again" if trial.state is TrialState.WAITING else f"it is {trial.state.value} now"
            self._say(f"trial {trial.number} was lost with its agent: {again}")
            try:
                run = self._runs.run(trial.run_id)
            except RunNotFound:
                continue
            if run.attempt == trial.attempt and run.state is RunState.RUNNING:
                offset = run.journal_offset
                end = RunEnd(RunState.CRASHED, "lost with its agent", None, time.time())
                batches.append(RunBatch(run.id, run.attempt, offset, offset, end=end, console_offset=run.console_size))
        if batches:
            self._runs.apply(batches)
