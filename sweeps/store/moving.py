"""Moving, settling and deleting whole sweeps."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from sweeps.errors import SweepNotFound
from sweeps.records import NewSweep, SweepRecord
from sweeps.states import SWEEP_TRANSITIONS, SweepState, TrialState
from sweeps.store import lookup
from sweeps.store.ranking import cancel_waiting
from sweeps.store.tables import SWEEPS, TRIALS
from tracking.database.dialect import clock
from tracking.errors import IllegalMove

_TAKES_TRIALS = (SweepState.RUNNING, SweepState.PAUSED)
_OVER = (SweepState.FINISHED, SweepState.CANCELED)

# The names of parameters differ from the columns', which SQLAlchemy would take for new values.
_SWEEP = SWEEPS.c.id == bindparam("in_sweep")
_MOVE = (
    update(SWEEPS)
    .where(_SWEEP, SWEEPS.c.state.in_(bindparam("sources", expanding=True)))
    .values(state=bindparam("target"), reason=bindparam("why"))
)
# Whoever makes suggestions loses the role with the move, so that no trial is added to a sweep that ends.
_MOVE_OFF = _MOVE.values(suggester="")
_MOVE_OVER = _MOVE_OFF.values(finished_at=clock())
_MOVE_BACK = _MOVE.values(finished_at=None, exhausted="")
_EXHAUST = update(SWEEPS).where(_SWEEP).values(exhausted=bindparam("why"))
# What the old specification had used up, the new one may have left.
_REPLACE = update(SWEEPS).where(_SWEEP).values(document=bindparam("new_document"), exhausted="")
_DELETE = delete(SWEEPS).where(_SWEEP)

_TRIALS_OF = TRIALS.c.sweep_id == bindparam("in_sweep")
_REQUEST_STOPS = (
    update(TRIALS).where(_TRIALS_OF, TRIALS.c.state == TrialState.RUNNING.value).values(stop_requested=bindparam("why"))
)
_LIVE = select(func.count()).where(
    _TRIALS_OF, TRIALS.c.state == TrialState.RUNNING.value, TRIALS.c.leased_until >= clock()
)
_RUN_IDS = select(TRIALS.c.run_id).where(_TRIALS_OF).order_by(TRIALS.c.number)


def create_sweep(connection: Connection, new: NewSweep) -> SweepRecord:
    """Store a new sweep in state RUNNING. Raises ValueError when the id is taken."""
    values = {
        "id": new.id,
        "document": dict(new.document),
        "source": new.source,
        "project": new.project,
        "entity": new.entity,
        "name": new.name,
        "description": new.description,
        "workdir": new.workdir,
        "state": SweepState.RUNNING.value,
        "reason": "",
        "exhausted": "",
        "next_number": 0,
        "finish_seq": 0,
        "suggester": "",
        "suggester_until": 0.0,
    }
    try:
        connection.execute(insert(SWEEPS).values(created_at=clock()), values)
    except IntegrityError as error:
        raise ValueError(f"the sweep id {new.id!r} is taken") from error
    return lookup.sweep(connection, new.id)


def move_sweep(connection: Connection, sweep_id: str, target: SweepState, reason: str = "") -> SweepRecord:
    """Move the sweep with what that means for its trials. Raises IllegalMove, SweepNotFound."""
    sweep = lookup.sweep(connection, sweep_id, lock=True)
    if sweep.state == target:
        return sweep
    SWEEP_TRANSITIONS.check(f"sweep {sweep_id}", sweep.state, target)
    _move(connection, sweep, target, reason)
    if target not in _TAKES_TRIALS:
        cancel_waiting(connection, sweep_id, f"the sweep is {target.value}")
    if target is SweepState.CANCELING:
        why = f"canceled: {reason or 'the sweep was canceled'}"
        connection.execute(_REQUEST_STOPS, {"in_sweep": sweep_id, "why": why})
    return settle(connection, sweep_id)


def set_exhausted(connection: Connection, sweep_id: str, reason: str) -> None:
    """No further suggestions will come."""
    if not connection.execute(_EXHAUST, {"in_sweep": sweep_id, "why": reason or "exhausted"}).rowcount:
        raise SweepNotFound(f"no sweep {sweep_id!r} in this store")


def replace_document(connection: Connection, sweep_id: str, document: Mapping[str, object]) -> SweepRecord:
    """Put a changed specification in place of the old one."""
    connection.execute(_REPLACE, {"in_sweep": sweep_id, "new_document": dict(document)})
    return lookup.sweep(connection, sweep_id)


def settle_due(connection: Connection, sweep_id: str) -> tuple[SweepRecord, bool]:
    """The sweep, and whether `settle` would end it."""
    sweep = lookup.sweep(connection, sweep_id)
    return sweep, _ending(connection, sweep) is not None


def settle(connection: Connection, sweep_id: str) -> SweepRecord:
    """End a sweep that has nothing left to do; the sweep as it is then."""
    sweep = lookup.sweep(connection, sweep_id, lock=True)
    target = _ending(connection, sweep)
    if target is None:
        return sweep
    reason = sweep.exhausted if sweep.state is SweepState.RUNNING else sweep.reason
    cancel_waiting(connection, sweep_id, f"the sweep is {target.value}")
    _move(connection, sweep, target, reason)
    return lookup.sweep(connection, sweep_id)


def delete_sweep(connection: Connection, sweep_id: str) -> list[str]:
    """Delete the sweep with all that hangs on it; the run ids of its trials."""
    lookup.sweep(connection, sweep_id, lock=True)
    live = connection.execute(_LIVE, {"in_sweep": sweep_id}).scalar_one()
    if live:
        trials = "1 running trial" if live == 1 else f"{live} running trials"
        raise IllegalMove(
            f"sweep {sweep_id} with {trials}", "live", "deleted", (f"`sweep cancel {sweep_id}` first, then delete",)
        )
    run_ids = list(connection.execute(_RUN_IDS, {"in_sweep": sweep_id}).scalars())
    connection.execute(_DELETE, {"in_sweep": sweep_id})
    return run_ids


def _ending(connection: Connection, sweep: SweepRecord) -> SweepState | None:
    """The state in which the sweep ends when nothing is left to do for it."""
    ends = sweep.state is SweepState.STOPPING or (sweep.state is SweepState.RUNNING and sweep.exhausted)
    if not ends and sweep.state is not SweepState.CANCELING:
        return None
    counts = lookup.counts(connection, sweep.id)
    if counts.get(TrialState.RUNNING) or (ends and counts.get(TrialState.WAITING)):
        return None
    return SweepState.FINISHED if ends else SweepState.CANCELED


def _move(connection: Connection, sweep: SweepRecord, target: SweepState, reason: str) -> None:
    if target in _OVER:
        statement = _MOVE_OVER
    elif target not in _TAKES_TRIALS:
        statement = _MOVE_OFF
    else:
        statement = _MOVE_BACK if sweep.state in _OVER else _MOVE
    sources = [state.value for state in SWEEP_TRANSITIONS.sources(target)]
    given = {"in_sweep": sweep.id, "sources": sources, "target": target.value, "why": reason}
    moved = connection.execute(statement, given).rowcount
    assert moved == 1, "the row is locked and the move was checked"
