"""The role of the one who makes suggestions, and adding what was suggested."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from sweeps.errors import LeaseLost
from sweeps.records import Suggestion, TrialRecord
from sweeps.states import SweepState, TrialState
from sweeps.store.rows import TRIAL_COLUMNS, trial_record
from sweeps.store.tables import SWEEPS, TRIALS
from tracking.database.dialect import clock

_SWEEP = SWEEPS.c.id == bindparam("in_sweep")
_OURS = SWEEPS.c.suggester == bindparam("owner")

_ACQUIRE = (
    update(SWEEPS)
    .where(
        _SWEEP,
        SWEEPS.c.state == SweepState.RUNNING.value,
        or_(_OURS, SWEEPS.c.suggester == "", SWEEPS.c.suggester_until < clock()),
    )
    .values(suggester=bindparam("owner"), suggester_until=clock() + bindparam("ttl"))
)
_RELEASE = update(SWEEPS).where(_SWEEP, _OURS).values(suggester="", suggester_until=0.0)
_COUNT_UP = (
    update(SWEEPS)
    .where(
        _SWEEP,
        _OURS,
        SWEEPS.c.state.in_([SweepState.RUNNING.value, SweepState.PAUSED.value]),
        SWEEPS.c.next_number == bindparam("first"),
    )
    .values(next_number=bindparam("first") + bindparam("more"))
)
_ADD = insert(TRIALS).values(created_at=clock())
_ADDED = (
    select(*TRIAL_COLUMNS)
    .where(TRIALS.c.sweep_id == bindparam("in_sweep"), TRIALS.c.number >= bindparam("first"))
    .order_by(TRIALS.c.number)
)


def acquire(connection: Connection, sweep_id: str, owner: str, ttl: float) -> bool:
    """Take or extend the role for `ttl` seconds."""
    return connection.execute(_ACQUIRE, {"in_sweep": sweep_id, "owner": owner, "ttl": ttl}).rowcount == 1


def release(connection: Connection, sweep_id: str, owner: str) -> None:
    """Give the role back if it is ours."""
    connection.execute(_RELEASE, {"in_sweep": sweep_id, "owner": owner})


def add_trials(
    connection: Connection,
    sweep_id: str,
    owner: str,
    first_number: int,
    seen: int,
    suggestions: Sequence[Suggestion],
) -> list[TrialRecord]:
    """Append waiting trials. Raises LeaseLost."""
    given = {"in_sweep": sweep_id, "owner": owner, "first": first_number, "more": len(suggestions)}
    if not connection.execute(_COUNT_UP, given).rowcount:
        raise LeaseLost(
            f"trial {first_number} of sweep {sweep_id} was not added: another agent makes its suggestions by now, "
            "or the sweep takes no more"
        )
    if not suggestions:
        return []
    rows = [_row(sweep_id, number, seen, one) for number, one in enumerate(suggestions, first_number)]
    connection.execute(_ADD, rows)
    return [trial_record(row) for row in connection.execute(_ADDED, {"in_sweep": sweep_id, "first": first_number})]


def _row(sweep_id: str, number: int, seen: int, suggestion: Suggestion) -> dict[str, object]:
    return {
        "sweep_id": sweep_id,
        "number": number,
        "params": dict(suggestion.params),
        "state": TrialState.WAITING.value,
        "reason": "",
        "origin": dict(suggestion.origin),
        "seen": seen,
        "run_id": f"{sweep_id}-{number}",
        "attempt": 0,
        "agent_id": "",
        "stop_requested": "",
        "length": 0,
        "failures": 0,
        "lost": 0,
    }
