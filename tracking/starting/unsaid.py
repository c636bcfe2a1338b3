"""The end of a program by a bare `raise SystemExit(n)`, whose status no hook of Python is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tracking.home import journal_path
from tracking.journal import exit_note
from tracking.live.marking import run_dir_of
from tracking.starting.endings import Ending
from tracking.states import RunState

if TYPE_CHECKING:
    from tracking.live.run import Run


def left_open(runs: Iterable[Run]) -> Ending | None:
    """None when the C library will note the status beside the journals; else what can be said without it."""
    writing = [run for run in runs if not (run.disabled or run.forked)]
    journals = [journal_path(run_dir_of(run), run.attempt, run.part) for run in writing]
    if exit_note.arrange(journals):
        return None
    return Ending(RunState.FAILED, 1, "SystemExit with a status that this platform does not tell")
