"""Leases: claiming waiting trials and renewing what is held."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, exists, select, tuple_, update

from sweeps.errors import SweepNotFound
from sweeps.records import Renewal, TrialKey, TrialRecord
from sweeps.states import TRIAL_TRANSITIONS, SweepState, TrialState
from sweeps.store.rows import TRIAL_COLUMNS, trial_record
from sweeps.store.tables import AGENTS, SWEEPS, TRIALS
from tracking.database.dialect import clock, one_of

_RUNS = exists().where(SWEEPS.c.id == bindparam("in_sweep"), SWEEPS.c.state == SweepState.RUNNING.value)

# SKIP LOCKED (which SQLite, with its one writer, neither knows nor needs) lets agents claim side by side. The numbers
# go through Python: PostgreSQL joins a subquery with every waiting trial as long as it has no statistics of the sweep.
_PICK = (
    select(TRIALS.c.number)
    .where(TRIALS.c.sweep_id == bindparam("in_sweep"), TRIALS.c.state == TrialState.WAITING.value, _RUNS)
    .order_by(TRIALS.c.number)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(TRIALS)
    .where(
        TRIALS.c.sweep_id == bindparam("in_sweep"),
        TRIALS.c.number.in_(bindparam("numbers", expanding=True)),
        one_of(TRIALS.c.state, TRIAL_TRANSITIONS.sources(TrialState.RUNNING)),
    )
    .values(
        state=TrialState.RUNNING.value,
        reason="",
        attempt=TRIALS.c.attempt + 1,
        agent_id=bindparam("agent"),
        leased_until=clock() + bindparam("ttl"),
        stop_requested="",
        started_at=clock(),
    )
    .returning(*TRIAL_COLUMNS)
)

_RENEW = (
    update(TRIALS)
    .where(
        TRIALS.c.sweep_id == bindparam("in_sweep"),
        TRIALS.c.agent_id == bindparam("agent"),
        TRIALS.c.state == TrialState.RUNNING.value,
        tuple_(TRIALS.c.number, TRIALS.c.attempt).in_(bindparam("held", expanding=True)),
    )
    .values(leased_until=clock() + bindparam("ttl"))
    .returning(TRIALS.c.number, TRIALS.c.stop_requested)
)
_TOUCH = update(AGENTS).where(AGENTS.c.id == bindparam("agent")).values(heartbeat_at=clock())
_STATE = select(SWEEPS.c.state).where(SWEEPS.c.id == bindparam("in_sweep"))


def claim(connection: Connection, sweep_id: str, agent_id: str, count: int, ttl: float) -> list[TrialRecord]:
    """Lease up to `count` waiting trials, lowest numbers first."""
    numbers = connection.execute(_PICK, {"in_sweep": sweep_id, "at_most": count}).scalars().all()
    if not numbers:
        return []
    given = {"in_sweep": sweep_id, "agent": agent_id, "numbers": numbers, "ttl": ttl}
    return sorted(map(trial_record, connection.execute(_CLAIM, given)), key=_by_number)


def renew(connection: Connection, sweep_id: str, agent_id: str, keys: Sequence[TrialKey], ttl: float) -> Renewal:
    """Extend the leases that still are the agent's, and tell what is asked of it."""
    state = connection.execute(_STATE, {"in_sweep": sweep_id}).scalar()
    if state is None:
        raise SweepNotFound(f"sweep {sweep_id} was deleted")
    connection.execute(_TOUCH, {"agent": agent_id})
    stops: dict[int, str] = {}
    if keys:
        held = [(key.number, key.attempt) for key in keys]
        given = {"in_sweep": sweep_id, "agent": agent_id, "held": held, "ttl": ttl}
        stops = {row.number: row.stop_requested for row in connection.execute(_RENEW, given)}
    return Renewal(SweepState(state), frozenset(stops), {number: stop for number, stop in stops.items() if stop})


def _by_number(trial: TrialRecord) -> int:
    return trial.number
