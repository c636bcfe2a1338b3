"""How a run ended whose journal does not say it: by the exit status noted beside it, or by what it announced."""

from __future__ import annotations

import time
from pathlib import Path

from tracking.journal.exit_note import noted_status
from tracking.starting.endings import ending_for_code
from tracking.states import RunState
from tracking.store.contract import RunEnd


def end_without_word(journal: Path, last_time: float | None, preempting: bool = False, problem: str = "") -> RunEnd:
    """The end of the writer of this journal; `last_time` (its last row) is when, as nearly as one can know.

    `preempting`: the run had said that its machine is about to be taken away.
    """
    at = last_time or time.time()
    status = noted_status(journal)
    if status is not None:
        ending = ending_for_code(status)
        state = RunState.PREEMPTED if preempting and status else ending.state
        return RunEnd(state, ending.reason, status, at)
    if preempting:
        return RunEnd(RunState.PREEMPTED, problem or "the machine was taken away, as was announced", None, at)
    return RunEnd(RunState.CRASHED, problem or "the process ended without saying goodbye", None, at)
