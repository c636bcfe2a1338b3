"""Parts of runs, files, alerts, artifacts and the indexes that the public Api filters by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tracking_0002"
down_revision = "tracking_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.add_column("runs", sa.Column("part_of", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("earlier", sa.Text, nullable=False, server_default="{}"))
    op.create_index("ix_runs_part", "runs", ["part_of"])
    op.drop_index("ix_runs_project", "runs")
    op.create_index("ix_runs_project", "runs", ["project", "created_at"])
    op.create_index("ix_runs_state", "runs", ["state"])
    op.create_index("ix_runs_name", "runs", ["name"])
    if op.get_bind().dialect.name == "postgresql":
        for name in ("config", "summary"):
            op.execute(f"ALTER TABLE runs ADD {name}_document jsonb GENERATED ALWAYS AS ({name}::jsonb) STORED")
    op.create_table(
        "files",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mime", sa.Text, nullable=False),
        sa.Column("step", sa.BigInteger),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("ix_files_digest", "files", ["digest"])
    op.create_table(
        "alerts",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("attempt", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("wait", sa.Double, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("sent", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("sent_at", sa.Double),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column("claimed_until", sa.Double, nullable=False),
    )
    op.create_index("ix_alerts_sent", "alerts", ["sent", "claimed_until"])
    _make_artifacts()


def _make_artifacts() -> None:
    op.create_table(
        "artifact_collections",
        sa.Column("id", sa.String(32), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("entity", "project", "name", "type", "description")),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("protected", sa.Text, nullable=False),
        sa.Column("ttl", sa.Double),
        sa.Column("next_version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.UniqueConstraint("entity", "project", "name", name="uq_artifact_collections_path"),
    )
    op.create_table(
        "artifacts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("manifest", sa.String(64), nullable=False),
        sa.Column("bases", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("description", "metadata", "tags")),
        sa.Column("ttl", sa.Double),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("step", sa.BigInteger),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
    )
    op.create_index("ix_artifacts_digest", "artifacts", ["digest"])
    op.create_index("ix_artifacts_run", "artifacts", ["run_id"])
    op.create_table(
        "artifact_members",
        _collection_id(),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("artifact_id", sa.String(32), sa.ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("is_link", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.UniqueConstraint("collection_id", "artifact_id", name="uq_artifact_members_artifact"),
    )
    op.create_index("ix_artifact_members_artifact", "artifact_members", ["artifact_id"])
    op.create_table(
        "artifact_aliases",
        _collection_id(),
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "artifact_deeds",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("artifact_id", sa.String(32), nullable=False),
        sa.Column("collection_id", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger),
        sa.Column("use_as", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    op.create_index("ix_artifact_deeds_run", "artifact_deeds", ["run_id", "kind"])
    op.create_index("ix_artifact_deeds_artifact", "artifact_deeds", ["artifact_id", "kind"])


def _collection_id() -> sa.Column[str]:
    owner = sa.ForeignKey("artifact_collections.id", ondelete="CASCADE")
    return sa.Column("collection_id", sa.String(32), owner, primary_key=True)
