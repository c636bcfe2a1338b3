"""The tables of artifacts: versions, the collections that they are members of, aliases, lineage."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, String, Table, UniqueConstraint

from tracking.database.dialect import Json, Words
from tracking.store.tables import METADATA

# `next_version` only grows: the number of a deleted version is not given again.
COLLECTIONS = Table(
    "artifact_collections",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("entity", Words, nullable=False),
    Column("project", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("type", Words, nullable=False),
    Column("description", Words, nullable=False),
    Column("tags", Json, nullable=False),
    Column("protected", Json, nullable=False),
    Column("ttl", Double),
    Column("next_version", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("entity", "project", "name", name="uq_artifact_collections_path"),
)

# No foreign key to runs: a run may be deleted, or shipped after its part that logged the artifact.
ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("type", Words, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("manifest", String(64), nullable=False),
    Column("bases", Json, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("description", Words, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("ttl", Double),
    Column("state", String(16), nullable=False),
    Column("run_id", Words, nullable=False),
    Column("step", BigInteger),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index("ix_artifacts_digest", "digest"),
    Index("ix_artifacts_run", "run_id"),
)

# A version is a member of the collection in which it was made, and of those that link to it.
MEMBERS = Table(
    "artifact_members",
    METADATA,
    Column("collection_id", String(32), ForeignKey("artifact_collections.id", ondelete="CASCADE"), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("artifact_id", String(32), ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False),
    Column("is_link", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("collection_id", "artifact_id", name="uq_artifact_members_artifact"),
    Index("ix_artifact_members_artifact", "artifact_id"),
)

ALIASES = Table(
    "artifact_aliases",
    METADATA,
    Column("collection_id", String(32), ForeignKey("artifact_collections.id", ondelete="CASCADE"), primary_key=True),
    Column("alias", Words, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

# What became of each record of a journal: `kind` is "log", "use" or "link", `note` says what was left out.
DEEDS = Table(
    "artifact_deeds",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("run_id", Words, nullable=False),
    Column("artifact_id", String(32), nullable=False),
    Column("collection_id", String(32), nullable=False),
    Column("version", BigInteger),
    Column("use_as", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("at", Double, nullable=False),
    Index("ix_artifact_deeds_run", "run_id", "kind"),
    Index("ix_artifact_deeds_artifact", "artifact_id", "kind"),
)
