"""Chooses the id of a plain run and what it continues: nothing, itself, or a moment of itself or of another."""

from __future__ import annotations

from pathlib import Path

from tracking.errors import UsageError
from tracking.ids import check_id, new_id
from tracking.starting.making import Choice
from tracking.starting.past import resuming
from tracking.starting.past.moments import Moment
from tracking.starting.past.resuming import LastRun, Previous
from tracking.starting.settings import Settings


def choose(settings: Settings, runs: Path, last_run: LastRun | None) -> Choice:
    """Raises UsageError as `resume`, `resume_from` and `fork_from` demand."""
    if settings.resume_from or settings.fork_from:
        return _from_moment(settings, runs)
    if settings.id is None:
        return _without_id(settings, runs, last_run)
    run_id = check_id(str(settings.id))
    known = find(run_id, settings, runs)
    if settings.resume == "must" and known is None:
        raise UsageError(f"resume='must', but there is no run {run_id}")
    if settings.resume == "never" and known is not None:
        raise UsageError(f"resume='never', but the run {run_id} exists already")
    if known is None or not settings.resume:
        return Choice(run_id, known)
    return Choice(run_id, known, known, known.next_step)


def find(run_id: str, settings: Settings, runs: Path, until: int | None = None) -> Previous | None:
    """What the journals here, else the store, say of a run; None when there is none."""
    known = resuming.from_journals(runs / run_id, run_id, until)
    if known is None and settings.mode == "online":
        known = resuming.from_store(run_id)
    return known


def _without_id(settings: Settings, runs: Path, last_run: LastRun | None) -> Choice:
    if settings.resume == "must":
        raise UsageError("resume='must' needs the id of the run to resume: init(id=…)")
    wanted = last_run.read() if last_run is not None else None
    known = resuming.from_journals(runs / wanted, wanted) if wanted else None
    if wanted and known and not known.live:
        return Choice(wanted, known, known, known.next_step)
    return Choice(new_id())


def _from_moment(settings: Settings, runs: Path) -> Choice:
    if settings.resume_from and settings.fork_from:
        raise UsageError("resume_from and fork_from exclude each other: pass one")
    what = "resume_from" if settings.resume_from else "fork_from"
    if settings.resume:
        raise UsageError(f"{what} and resume exclude each other: pass one")
    moment = Moment.parse(settings.resume_from or settings.fork_from, what)
    past = find(moment.run_id, settings, runs, moment.step)
    if past is None:
        raise UsageError(f"{what}: there is no run {moment.run_id}")
    if moment.step >= past.next_step:
        raise UsageError(f"{what}: run {moment.run_id} has no step {moment.step}; its last one is {past.next_step - 1}")
    if what == "resume_from":
        if settings.id is not None and settings.id != moment.run_id:
            raise UsageError(f"resume_from continues run {moment.run_id} itself; leave out id={settings.id!r}")
        return Choice(moment.run_id, past, past, moment.step + 1)
    run_id = check_id(str(settings.id)) if settings.id is not None else new_id()
    if run_id == moment.run_id:
        raise UsageError(f"fork_from makes a new run: its id cannot be {run_id!r}; resume_from continues that one")
    return Choice(run_id, find(run_id, settings, runs) if settings.id is not None else None, past,
                  moment.step + 1, moment)  # fmt: skip
