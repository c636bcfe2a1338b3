"""Database rows as the records that callers see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sweeps.records import AgentRecord, Notice, SweepRecord, TrialRecord
from sweeps.states import FailureClass, SweepState, TrialState
from sweeps.store.tables import AGENTS, NOTICES, SWEEPS, TRIALS

AnyRow = Sequence[Any]

# In the order of the fields of the record: a row is then spread straight into it.
SWEEP_COLUMNS = [column for column in SWEEPS.columns if not column.name.startswith("suggester")]
TRIAL_COLUMNS = list(TRIALS.columns)
AGENT_COLUMNS = list(AGENTS.columns)
NOTICE_COLUMNS = [NOTICES.c.kind, NOTICES.c.text, NOTICES.c.at]


def sweep_record(row: AnyRow) -> SweepRecord:
    """A row of SWEEP_COLUMNS."""
    values = list(row)
    values[8] = SweepState(values[8])
    return SweepRecord(*values)


def trial_record(row: AnyRow) -> TrialRecord:
    """A row of TRIAL_COLUMNS."""
    values = list(row)
    values[3] = TrialState(values[3])
    values[14] = FailureClass(values[14]) if values[14] else None
    return TrialRecord(*values)


def agent_record(row: AnyRow) -> AgentRecord:
    """A row of AGENT_COLUMNS."""
    return AgentRecord(*row)


def notice(row: AnyRow) -> Notice:
    """A row of NOTICE_COLUMNS."""
    return Notice(*row)
