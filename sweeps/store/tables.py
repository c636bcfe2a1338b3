"""The tables of the sweeps floor."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table

from tracking.database.dialect import Json, Words
from tracking.database.schema import Schema

METADATA = MetaData()

SWEEPS = Table(
    "sweeps",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("document", Json, nullable=False),
    Column("source", Words, nullable=False),
    Column("project", Words, nullable=False),
    Column("entity", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("description", Words, nullable=False),
    Column("workdir", Words, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Words, nullable=False),
    Column("exhausted", Words, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("finished_at", Double),
    Column("next_number", BigInteger, nullable=False),
    Column("finish_seq", BigInteger, nullable=False),
    # The role of the one who makes suggestions: "" when nobody has it.
    Column("suggester", Words, nullable=False),
    Column("suggester_until", Double, nullable=False),
)

TRIALS = Table(
    "trials",
    METADATA,
    Column("sweep_id", Words, ForeignKey("sweeps.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("params", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Words, nullable=False),
    Column("origin", Json, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("run_id", Words, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("agent_id", Words, nullable=False),
    Column("leased_until", Double),
    Column("stop_requested", Words, nullable=False),
    Column("value", Double),
    Column("length", BigInteger, nullable=False),
    Column("failure", String(16)),
    Column("failures", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("finish_seq", BigInteger),
    # Serves claim (the lowest waiting numbers), reap, settle and counts.
    Index("ix_trials_state", "sweep_id", "state", "number"),
    Index("ix_trials_finish", "sweep_id", "finish_seq"),
)

AGENTS = Table(
    "agents",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("sweep_id", Words, ForeignKey("sweeps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Words, nullable=False),
    Column("host", Words, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("heartbeat_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("versions", Json, nullable=False),
)

NOTICES = Table(
    "notices",
    METADATA,
    Column("sweep_id", Words, ForeignKey("sweeps.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("text", Words, nullable=False),
    Column("at", Double, nullable=False),
)

SCHEMA = Schema("sweeps", METADATA, Path(__file__).parent / "migrations", ("sweeps_0001",))
