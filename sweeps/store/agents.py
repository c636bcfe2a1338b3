"""Agents and notices of a sweep."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from sweeps.records import AgentRecord, Notice
from sweeps.store import lookup
from sweeps.store.rows import AGENT_COLUMNS, NOTICE_COLUMNS, agent_record, notice
from sweeps.store.tables import AGENTS, NOTICES
from tracking.database.dialect import clock

_REGISTER = insert(AGENTS).values(started_at=clock(), heartbeat_at=clock())
_TOUCH = update(AGENTS).where(AGENTS.c.id == bindparam("agent")).values(heartbeat_at=clock())
_RETIRE = update(AGENTS).where(AGENTS.c.id == bindparam("agent"), AGENTS.c.ended_at.is_(None)).values(ended_at=clock())
_AGENTS = (
    select(*AGENT_COLUMNS).where(AGENTS.c.sweep_id == bindparam("in_sweep")).order_by(AGENTS.c.started_at, AGENTS.c.id)
)
_NOTICES = (
    select(*NOTICE_COLUMNS).where(NOTICES.c.sweep_id == bindparam("in_sweep")).order_by(NOTICES.c.at, NOTICES.c.kind)
)
_KNOWN = select(NOTICES.c.kind).where(NOTICES.c.sweep_id == bindparam("in_sweep"), NOTICES.c.kind == bindparam("kind"))
_NOTE = insert(NOTICES).values(at=clock())


def register(connection: Connection, agent: AgentRecord) -> None:
    """Make an agent known; a call that is made again is a heartbeat. Raises SweepNotFound."""
    lookup.sweep(connection, agent.sweep_id)
    if connection.execute(_TOUCH, {"agent": agent.id}).rowcount:
        return
    values = {
        "id": agent.id,
        "sweep_id": agent.sweep_id,
        "name": agent.name,
        "host": agent.host,
        "pid": agent.pid,
        "slots": agent.slots,
        "versions": dict(agent.versions),
    }
    connection.execute(_REGISTER, values)


def retire(connection: Connection, agent_id: str) -> None:
    """The agent has ended by itself."""
    connection.execute(_RETIRE, {"agent": agent_id})


def of_sweep(connection: Connection, sweep_id: str) -> list[AgentRecord]:
    """Agents of a sweep, oldest first."""
    return [agent_record(row) for row in connection.execute(_AGENTS, {"in_sweep": sweep_id})]


def add_notice(connection: Connection, sweep_id: str, new: Notice) -> bool:
    """Record a notice once for its kind. Raises SweepNotFound."""
    lookup.sweep(connection, sweep_id)
    if connection.execute(_KNOWN, {"in_sweep": sweep_id, "kind": new.kind}).first():
        return False
    # Two at once: the loser's IntegrityError runs the transaction again, which then finds the winner's.
    connection.execute(_NOTE, {"sweep_id": sweep_id, "kind": new.kind, "text": new.text})
    return True


def notices(connection: Connection, sweep_id: str) -> list[Notice]:
    """Notices, oldest first."""
    return [notice(row) for row in connection.execute(_NOTICES, {"in_sweep": sweep_id})]
