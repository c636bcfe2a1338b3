"""Opens the run of a program that no sweep started: chooses its id and attempt, continues what was there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.home import Home, journal_path
from tracking.ids import check_id, new_id
from tracking.journal.writer import JournalWriter
from tracking.live.identity import Identity
from tracking.live.run import Run
from tracking.notices import inform
from tracking.starting import endings, resuming
from tracking.starting.accompanying import accompany
from tracking.starting.making import (
    Journal,
    busy_writer,
    make_config,
    make_folder,
    make_identity,
    make_run,
    run_record,
    unwritable,
)
from tracking.starting.resuming import LastRun, Previous
from tracking.starting.settings import Settings


def open_plain(settings: Settings, values: Mapping[str, Any]) -> Run:
    home = Home.find()
    runs = Path(settings.dir).expanduser().absolute() / "sweepwright" if settings.dir else home.runs
    if not settings.dir:
        home.create()
    last_run = LastRun(home) if settings.resume == "auto" and not settings.id else None
    run_id, previous = _choose(settings, runs, last_run)
    resumed = previous is not None and bool(settings.resume)
    config = make_config(settings, {**previous.config, **values} if resumed and previous else values, None)
    first = previous.next_step if resumed and previous else 0
    start = make_identity(run_id, settings, None, previous if resumed else None, config.as_json(), first)
    run_dir = runs / run_id
    make_folder(run_dir)
    journal = _plain_journal(run_dir, start, previous)
    journal.previous = previous if resumed else None
    run = make_run(settings, run_dir, start, config, journal, None)
    endings.watch()
    inform(f"run {run.name} ({run.id}){_also(run, journal.attempt)}, project {run.project}, files in {run_dir}")
    if not run.disabled:
        accompany(run, settings, run_dir, journal.attempt, last_run)
    return run


def _choose(settings: Settings, runs: Path, last_run: LastRun | None) -> tuple[str, Previous | None]:
    """The id of the run and what is known of it already. Raises UsageError as `resume` demands."""
    if settings.id is None:
        if settings.resume == "must":
            raise UsageError("resume='must' needs the id of the run to resume: init(id=…)")
        wanted = last_run.read() if last_run is not None else None
        known = resuming.from_journals(runs / wanted, wanted) if wanted else None
        return (wanted, known) if wanted and known and not known.live else (new_id(), None)
    run_id = check_id(str(settings.id))
    known = resuming.from_journals(runs / run_id, run_id)
    if known is None and settings.mode == "online":
        known = resuming.from_store(run_id)
    if settings.resume == "must" and known is None:
        raise UsageError(f"resume='must', but there is no run {run_id}")
    if settings.resume == "never" and known is not None:
        raise UsageError(f"resume='never', but the run {run_id} exists already")
    return run_id, known


def _plain_journal(run_dir: Path, start: Identity, previous: Previous | None) -> Journal:
    if previous is not None and previous.live:
        return Journal(busy_writer(start.id), previous.attempt)
    attempt = previous.attempt if previous is not None else 0
    while True:
        attempt += 1
        try:
            writer = JournalWriter.create(journal_path(run_dir, attempt), run_record(start, attempt))
        except FileExistsError:
            continue
        except OSError as error:
            raise unwritable(run_dir, error) from error
        return Journal(writer, attempt)


def _also(run: Run, attempt: int) -> str:
    return f" resumed at step {run.step}" if run.resumed else f" attempt {attempt}" if attempt > 1 else ""
