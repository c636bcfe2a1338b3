"""The moves that people make with a sweep: pause, resume, stop, cancel, delete. To make one twice is no fault."""

from __future__ import annotations

import shutil
from typing import Any

from sweeps.about import About
from sweeps.api.pasting import sweep_line
from sweeps.control.judging import reaches_target
from sweeps.control.ranking import best_of
from sweeps.errors import BudgetTooSmall, NothingToRun
from sweeps.records import SweepRecord
from sweeps.spec.model import SweepSpec
from sweeps.states import SweepState, TrialState
from sweeps.store.contract import SweepStore
from tracking.errors import UsageError
from tracking.home import Home
from tracking.store.contract import RunStore

OVER = (SweepState.FINISHED, SweepState.CANCELED)
# In these states nobody takes new trials any more, which is all that stop is for.
_STOPPED = (SweepState.STOPPING, SweepState.CANCELING, *OVER)


def pause(store: SweepStore, sweep_id: str) -> SweepRecord:
    """No new trials; running ones go on. Raises IllegalMove, SweepNotFound."""
    return store.move_sweep(sweep_id, SweepState.PAUSED, "paused by the user")


def stop(store: SweepStore, sweep_id: str) -> SweepRecord:
    """No new trials; running ones finish, then the sweep is finished. One that is over stays as it is.

    Raises SweepNotFound.
    """
    record = store.sweep(sweep_id)
    if record.state in _STOPPED:
        return record
    return store.move_sweep(sweep_id, SweepState.STOPPING, "stopped by the user")


def cancel(store: SweepStore, sweep_id: str) -> SweepRecord:
    """No new trials; running ones are ended. One that is over stays as it is. Raises SweepNotFound."""
    record = store.sweep(sweep_id)
    if record.state in OVER:
        return record
    return store.move_sweep(sweep_id, SweepState.CANCELING, "canceled by the user")


def resume(store: SweepStore, sweep_id: str, trials: int | None = None) -> SweepRecord:
    """Let a paused sweep go on; a finished or canceled one only with a raised budget of `trials` trials in all.

    Raises BudgetTooSmall (with what would do), SpecInvalid for a budget beyond all bounds, NothingToRun when its
    target is reached, IllegalMove, SweepNotFound.
    """
    record = store.sweep(sweep_id)
    if trials is not None and trials < 1:
        raise UsageError(f"a budget of {trials} trials makes no sense: it must be at least 1")
    _check_target(store, record)
    if record.state in OVER:
        _check_room(store, record, trials)
    elif trials is not None and trials < record.next_number:
        raise BudgetTooSmall(
            f"sweep {record.id} has suggested {record.next_number} trials already, "
            f"so its budget cannot become {trials}; `sweep stop {record.id}` ends it"
        )
    if trials is not None:
        changed = with_budget(record.document, trials)
        SweepSpec.from_document(changed)  # what nobody could read again must not get into the store
        store.replace_document(sweep_id, changed)
    return store.move_sweep(sweep_id, SweepState.RUNNING, "")


def with_budget(document: Any, trials: int) -> dict[str, Any]:
    """The specification with another number of trials, wherever it says one."""
    changed = dict(document)
    budget = changed.get("budget")
    if isinstance(budget, dict) and "trials" in budget:
        changed["budget"] = {**budget, "trials": trials}
        if "run_cap" not in changed:
            return changed
    changed["run_cap"] = trials
    return changed


def delete(sweeps: SweepStore, runs: RunStore, sweep_id: str, home: Home) -> int:
    """Delete a sweep, the runs of its trials and their folders on this machine; returns how many runs there were.

    Raises SweepNotFound, and IllegalMove while an agent still holds a trial of it: cancel first.
    """
    run_ids = sweeps.delete_sweep(sweep_id)
    runs.delete_runs(run_ids)
    for run_id in run_ids:
        folder = home.run_dir(run_id)
        if folder.parent == home.runs:  # an id is one path element; never delete anywhere else
            shutil.rmtree(folder, ignore_errors=True)
    return len(run_ids)


def _check_target(store: SweepStore, record: SweepRecord) -> None:
    """A larger budget is of no use to a sweep whose next agent would end it at once."""
    about = About.of(record)
    metric = about.spec.metric
    if metric is None or metric.target is None:
        return
    best = best_of(store, record.id, about.goal)
    if best is not None and reaches_target(metric, best.value):
        raise NothingToRun(
            f"sweep {record.id} has reached its target: trial {best.number} has {metric.name} = {best.value:g} "
            f"(target {metric.target:g}). To search on, create a sweep with another target"
        )


def _check_room(store: SweepStore, record: SweepRecord, trials: int | None) -> None:
    about = About.of(record)
    size = about.spec.space.grid_size if about.method == "grid" else None
    canceled = store.counts(record.id).get(TrialState.CANCELED, 0)  # the grid comes back to their points
    if size is not None and record.next_number >= size + canceled:
        raise BudgetTooSmall(f"sweep {record.id} has tried all {size} points of its grid: nothing is left to resume")
    had = f"sweep {record.id} is {record.state.value}, with {record.next_number} suggested so far"
    if trials is None:
        raise BudgetTooSmall(f"{had}; to go on, raise its budget: {_line(record)}")
    if trials <= record.next_number:
        raise BudgetTooSmall(f"{had}, so a budget of {trials} leaves nothing to do; try {_line(record)}")


def _line(record: SweepRecord) -> str:
    """What would do, to paste."""
    return sweep_line("resume", record.id, "--trials", str(max(record.next_number * 2, 10)))
