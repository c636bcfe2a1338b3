"""Opens a run that several processes write together: one leads it, the others add parts named w1, w2, …

The first process to make the journal of an attempt leads. Where the processes say who they are (the ranks of torchrun,
`Settings(x_primary=…)`), the named one leads and the others wait a moment for it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.home import journal_path
from tracking.ids import check_id, new_id
from tracking.journal.reader import writer_lives
from tracking.journal.writer import JournalWriter
from tracking.live.run import Run
from tracking.starting import endings, ranks
from tracking.starting.accompanying import accompany
from tracking.starting.making import (
    Choice,
    Journal,
    make_config,
    make_folder,
    make_identity,
    make_run,
    run_record,
    unwritable,
)
from tracking.starting.past import resuming
from tracking.starting.past.choosing import choose
from tracking.starting.plain import open_chosen
from tracking.starting.settings import Settings
from tracking.states import RunState

LEADER_PATIENCE_S = 5.0
"""How long a process that may not lead waits for the one that does."""
_PAUSE_S = 0.02
_QUESTION_S = 0.5
"""How often the store is asked whether the run is led from another machine."""


def open_shared(settings: Settings, values: Mapping[str, Any], runs: Path) -> Run:
    """The run, as its leader or as a part of it. Raises UsageError and HomeUnwritable."""
    run_id = _shared_id(settings)
    run_dir = runs / run_id
    leads = settings.x_primary if settings.x_primary is not None else _leads_by_rank()
    if leads is None:
        leads = _nobody_was_here(run_dir, run_id, settings)
    if leads:
        run = _open_leader(settings, values, runs, run_id, certain=settings.x_primary is not None)
        if run is not None:
            return run
    return open_part(settings, values, run_dir, run_id, _attempt_to_join(run_dir, run_id, settings))


def open_part(settings: Settings, values: Mapping[str, Any], run_dir: Path, run_id: str, attempt: int) -> Run:
    """The run as one more writer of this attempt. Raises HomeUnwritable."""
    local = journal_path(run_dir, attempt).exists()
    make_folder(run_dir)
    config = make_config(settings, values, None)
    start = make_identity(run_id, settings, None, None, config.as_json())
    if settings.x_label:
        start.metadata = {**start.metadata, "label": str(settings.x_label)}
    number = 0
    while True:
        number += 1
        # Writers on another machine cannot see which names are taken here.
        part = f"w{number}" if local else f"w{os.urandom(4).hex()}"
        try:
            writer = JournalWriter.create(journal_path(run_dir, attempt, part), run_record(start, attempt, part))
        except FileExistsError:
            continue
        except OSError as error:
            raise unwritable(run_dir, error) from error
        break
    run = make_run(settings, run_dir, start, config, Journal(writer, attempt, part=part), None)
    endings.watch()
    accompany(run, settings, run_dir, attempt)
    return run


def _shared_id(settings: Settings) -> str:
    if settings.id is not None:
        return check_id(str(settings.id))
    if ranks.rank() is not None:
        raise UsageError("mode='shared' needs the id of the run that all processes write: init(id=…) or SWEEP_RUN_ID")
    return new_id()


def _leads_by_rank() -> bool | None:
    rank = ranks.rank()
    return None if rank is None else rank == 0


def _nobody_was_here(run_dir: Path, run_id: str, settings: Settings) -> bool:
    """Whether this process may lead: nobody does, on this machine or, for all the store knows, on another."""
    if resuming.attempts(run_dir):
        return bool(settings.resume)
    if settings.mode != "online" or settings.id is None:
        return True
    known = resuming.from_store(run_id)
    return known is None or bool(settings.resume)


def _open_leader(settings: Settings, values: Mapping[str, Any], runs: Path, run_id: str, certain: bool) -> Run | None:
    """The run as its leader; None when another process was faster."""
    settings.__dict__["id"] = run_id
    choice = choose(settings, runs, None)
    if choice.known is not None and choice.known.live:
        return None
    if not settings.resume and not certain and choice.known is None:
        return _open_first(settings, values, runs, choice)
    return open_chosen(settings, values, runs, choice)


def _open_first(settings: Settings, values: Mapping[str, Any], runs: Path, choice: Choice) -> Run | None:
    """The first attempt, unless its journal appears in this moment."""
    config = make_config(settings, values, None)
    start = make_identity(choice.run_id, settings, None, None, config.as_json())
    run_dir = runs / choice.run_id
    make_folder(run_dir)
    try:
        writer = JournalWriter.create(journal_path(run_dir, 1), run_record(start, 1))
    except FileExistsError:
        return None
    except OSError as error:
        raise unwritable(run_dir, error) from error
    run = make_run(settings, run_dir, start, config, Journal(writer, 1), None)
    endings.watch()
    accompany(run, settings, run_dir, 1)
    return run


def _attempt_to_join(run_dir: Path, run_id: str, settings: Settings) -> int:
    """The attempt of the leader: one that lives on this machine, else what the store says, else the newest, or 1."""
    began = time.monotonic()
    next_question = began + _QUESTION_S
    while True:
        numbers = resuming.attempts(run_dir)
        if numbers and writer_lives(journal_path(run_dir, numbers[-1])):
            return numbers[-1]
        now = time.monotonic()
        if settings.mode == "online" and now > next_question and not ranks.shares_machine_with_first():
            known = resuming.from_store(run_id)
            if known is not None and known.state is RunState.RUNNING:
                return known.attempt
            next_question = time.monotonic() + _QUESTION_S
        if now - began > LEADER_PATIENCE_S:
            return numbers[-1] if numbers else 1
        time.sleep(_PAUSE_S)
