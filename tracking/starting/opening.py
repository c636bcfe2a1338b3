"""Opens the run of a trial, or a disabled one; `plain` opens the others."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tracking import context
from tracking.context import TrialContext
from tracking.home import journal_path
from tracking.ids import new_id
from tracking.journal.records import RecordType
from tracking.journal.silent import SilentWriter
from tracking.journal.writer import JournalBusy, JournalWriter
from tracking.live.identity import Identity
from tracking.live.recorder import Recorder
from tracking.live.run import Run
from tracking.notices import forget, hush, inform
from tracking.starting import endings, handshake, ranks
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
from tracking.starting.settings import Settings

if TYPE_CHECKING:
    from tracking.starting.past.resuming import Previous


def open_run(settings: Settings, trial: TrialContext | None, values: Mapping[str, Any]) -> Run:
    """The run that these settings describe, made the current one. Raises UsageError and HomeUnwritable."""
    forget("log:")
    hush(settings.silent, settings.quiet)
    if settings.mode == "disabled":
        run = _disabled(settings, trial, values)
    elif not settings.shared and not ranks.writes_alone():
        _explain_silence()
        run = _disabled(settings, trial, values)
    elif trial is not None:
        run = _open_trial(settings, trial, values)
    else:
        from tracking.starting.plain import open_plain  # a trial needs nothing of it

        run = open_plain(settings, values)
    context.add_run(run, aside=settings.reinit == "create_new")
    return run


def _explain_silence() -> None:
    """One line for all the processes of a distributed training that record nothing."""
    if ranks.rank() == 1:
        inform("only rank 0 records this run; init(mode='shared', id=…) lets every rank write")


def _disabled(settings: Settings, trial: TrialContext | None, values: Mapping[str, Any]) -> Run:
    run_id = trial.run_id if trial else settings.id or new_id()
    config = make_config(settings, values, trial)
    start = make_identity(run_id, settings, trial, None, {})
    return Run(
        start,
        attempt=trial.attempt if trial else 1,
        run_dir=None,
        mode="disabled",
        settings=settings,
        config=config,
        recorder=Recorder(SilentWriter(), stop_reason=trial.stop_reason if trial and context.current_trial() else None),
    )


def _open_trial(settings: Settings, trial: TrialContext, values: Mapping[str, Any]) -> Run:
    config = make_config(settings, values, trial)
    start = make_identity(trial.run_id, settings, trial, None, config.as_json())
    make_folder(trial.run_dir)
    past = _checkpointed(trial, start) if trial.attempt > 1 else None
    journal = _trial_journal(trial, start, settings)
    if journal is None:
        from tracking.starting.sharing import open_part

        return open_part(settings, values, trial.run_dir, trial.run_id, trial.attempt)
    reopened = journal.previous is not None
    if reopened:
        start.starting_step, start.tentative = 0, False
    else:
        journal.previous = past
    in_process = context.current_trial() is not None
    run = make_run(settings, trial.run_dir, start, config, journal, trial.stop_reason if in_process else None)
    if reopened:
        journal.writer.record(RecordType.CONFIG, config.as_json())
    if not in_process:
        endings.watch()
        if not handshake.agent_ships():
            from tracking.starting.accompanying import accompany

            accompany(run, settings, trial.run_dir, journal.attempt)
    return run


def _checkpointed(trial: TrialContext, start: Identity) -> Previous | None:
    """What earlier attempts left, if a checkpoint is among it: `start` then says where the script may go on."""
    from tracking.starting.past import checkpoints  # a first attempt needs neither

    found = checkpoints.last_checkpoint(trial.run_dir, trial.run_id, trial.attempt)
    if found is None:
        return None
    from tracking.starting.past import resuming

    start.starting_step = 0 if found.step is None else found.step + 1
    start.tentative = start.starting_step > 0
    past = resuming.from_journals(trial.run_dir, trial.run_id, start.starting_step - 1) or resuming.Previous(0)
    past.next_step = start.starting_step
    return past


def _trial_journal(trial: TrialContext, start: Identity, settings: Settings) -> Journal | None:
    """The journal of this attempt; a script that calls init() again after finish() continues it.

    None when another process writes it and this one is to add a part.
    """
    path = journal_path(trial.run_dir, trial.attempt)
    try:
        return Journal(JournalWriter.create(path, run_record(start, trial.attempt)), trial.attempt)
    except FileExistsError:
        pass
    except OSError as error:
        raise unwritable(path.parent, error) from error
    from tracking.starting.past import resuming

    previous = resuming.from_attempt(trial.run_dir, trial.run_id, trial.attempt)
    try:
        writer = JournalWriter.reopen(path, previous.next_layout)
    except JournalBusy:
        if settings.shared:
            return None
        return Journal(busy_writer(trial.run_id), trial.attempt)
    writer.record(RecordType.EVENT, {"kind": "reopened", "at": time.time()})
    return Journal(writer, trial.attempt, previous)


def _after_fork() -> None:
    for run in context.after_fork():
        run.after_fork()


os.register_at_fork(after_in_child=_after_fork)
