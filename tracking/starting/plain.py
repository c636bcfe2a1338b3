"""Opens the run of a program that no sweep started, in a journal of its own attempt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.home import Home, journal_path
from tracking.ids import new_id
from tracking.journal.writer import JournalWriter
from tracking.live.identity import Identity
from tracking.live.run import Run
from tracking.starting import endings
from tracking.starting.accompanying import accompany
from tracking.starting.making import (
    Choice,
    Journal,
    busy_writer,
    make_config,
    make_folder,
    make_identity,
    make_run,
    run_record,
    unwritable,
)
from tracking.starting.settings import Settings

if TYPE_CHECKING:
    from tracking.starting.past.resuming import LastRun, Previous


def open_plain(settings: Settings, values: Mapping[str, Any]) -> Run:
    """The run, accompanied. Raises UsageError and HomeUnwritable."""
    runs = runs_folder(settings)
    if settings.shared:
        from tracking.starting.sharing import open_shared  # several writers of one run are rare

        return open_shared(settings, values, runs)
    if not (settings.id or settings.resume or settings.resume_from or settings.fork_from):
        return open_chosen(settings, values, runs, Choice(new_id()))
    from tracking.starting.past.choosing import choose  # a run without a past needs none of it
    from tracking.starting.past.resuming import LastRun

    last_run = LastRun(Home.find()) if settings.resume == "auto" and not settings.id else None
    return open_chosen(settings, values, runs, choose(settings, runs, last_run), last_run)


def runs_folder(settings: Settings) -> Path:
    """Where the folders of runs lie; the home is made when it is there. Raises HomeUnwritable."""
    if settings.dir:
        return Path(settings.dir).expanduser().absolute() / "sweepwright"
    home = Home.find()
    home.create()
    return home.runs


def open_chosen(
    settings: Settings, values: Mapping[str, Any], runs: Path, choice: Choice, last_run: LastRun | None = None
) -> Run:
    """The run of this choice as its next attempt. Raises HomeUnwritable."""
    past = choice.past
    config = make_config(settings, {**past.config, **values} if past else values, None)
    start = make_identity(
        choice.run_id,
        settings,
        None,
        None if choice.forked else past,
        config.as_json(),
        choice.starting_step,
        choice.forked,
    )
    run_dir = runs / choice.run_id
    make_folder(run_dir)
    journal = _plain_journal(run_dir, start, choice.known)
    journal.previous = past
    run = make_run(settings, run_dir, start, config, journal, None)
    endings.watch()
    if not run.disabled:
        accompany(run, settings, run_dir, journal.attempt, last_run)
    return run


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
