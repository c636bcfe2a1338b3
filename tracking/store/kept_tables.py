"""The tables of what a run keeps beside its history: files and alerts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table

from tracking.database.dialect import Words
from tracking.store.tables import METADATA

# No foreign key: a part of a run may be shipped before the run that it belongs to.
FILES = Table(
    "files",
    METADATA,
    Column("run_id", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mime", Words, nullable=False),
    Column("step", BigInteger),
    Column("at", Double, nullable=False),
    Index("ix_files_digest", "digest"),
)

# `sent` is an AlertState; `reason` says why. A sender claims an alert (`claim` is its word) until `claimed_until`.
# Without a claim, `claimed_until` is when it may be tried again.
ALERTS = Table(
    "alerts",
    METADATA,
    Column("run_id", Words, primary_key=True),
    Column("attempt", BigInteger, primary_key=True, autoincrement=False),
    Column("part", Words, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("title", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("level", String(8), nullable=False),
    Column("wait", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("sent", String(8), nullable=False),
    Column("reason", Words, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", Double),
    Column("claim", Words, nullable=False),
    Column("claimed_until", Double, nullable=False),
    Index("ix_alerts_sent", "sent", "claimed_until"),
)
