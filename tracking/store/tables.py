"""The tables of the tracking floor."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
)

from tracking.database.dialect import Json, Words

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("project", Words, nullable=False),
    Column("entity", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("notes", Words, nullable=False),
    Column("run_group", Words, nullable=False),
    Column("job_type", Words, nullable=False),
    Column("tags", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Words, nullable=False),
    Column("exit_code", BigInteger),
    # JSON kept as text here: most writes of a run pass it through unread.
    Column("config", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("sweep_id", Words, nullable=False),
    Column("trial", BigInteger),
    Column("attempt", BigInteger, nullable=False),
    Column("host", Words, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double),
    Column("last_step", BigInteger),
    Column("journal_offset", BigInteger, nullable=False),
    Column("console_size", BigInteger, nullable=False),
    # "" for a run; the id of the run of which this is a part (tracking.home.part_id).
    Column("part_of", Words, nullable=False, server_default=""),
    # What the history before `starting_step` gave to each aggregate: JSON of tracking.live.metrics.Aggregate.state.
    Column("earlier", Text, nullable=False, server_default="{}"),
    Index("ix_runs_part", "part_of"),
    Index("ix_runs_sweep", "sweep_id", "trial"),
    Index("ix_runs_project", "project", "created_at"),
    Index("ix_runs_state", "state"),
    Index("ix_runs_name", "name"),
)

# PostgreSQL keeps what the public Api searches parsed as well; SQLite parses its text fast enough.
DOCUMENTS = ("config", "summary")
for _name in DOCUMENTS:
    _parsed = f"ALTER TABLE runs ADD {_name}_document jsonb GENERATED ALWAYS AS ({_name}::jsonb) STORED"
    event.listen(RUNS, "after_create", DDL(_parsed).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]

SERIES = Table(
    "series",
    METADATA,
    Column("run_id", Words, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Words, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("last_value", Json, nullable=False),
)

# One chunk: up to CHUNK_POINTS consecutive points of a series (tracking.store.chunks has the format).
CHUNKS = Table(
    "chunks",
    METADATA,
    Column("run_id", Words, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Words, primary_key=True),
    Column("chunk_no", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(8), nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_step", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    # For charts, in a chunk that is full: where its extremes lie, and (digest) those of its blocks.
    Column("low_step", BigInteger),
    Column("low", Double),
    Column("high_step", BigInteger),
    Column("high", Double),
    Column("digest", LargeBinary),
    Column("data", LargeBinary, nullable=False),
)

CONSOLE = Table(
    "console",
    METADATA,
    Column("run_id", Words, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
