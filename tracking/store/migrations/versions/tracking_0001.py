"""The first tables of the tracking floor: runs, series, chunks, console."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tracking_0001"
down_revision = None
branch_labels = None
depends_on = None


def _run_id() -> sa.Column[str]:
    return sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("project", "entity", "name", "notes", "run_group")),
        sa.Column("job_type", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("exit_code", sa.BigInteger),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("config", "summary", "metrics", "metadata", "sweep_id")
        ),
        sa.Column("trial", sa.BigInteger),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("finished_at", sa.Double),
        sa.Column("last_step", sa.BigInteger),
        sa.Column("journal_offset", sa.BigInteger, nullable=False),
        sa.Column("console_size", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_runs_sweep", "runs", ["sweep_id", "trial"])
    op.create_index("ix_runs_project", "runs", ["project"])
    op.create_table(
        "series",
        _run_id(),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("last_value", sa.Text, nullable=False),
    )
    op.create_table(
        "chunks",
        _run_id(),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("chunk_no", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first_step", sa.BigInteger, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("low_step", sa.BigInteger),
        sa.Column("low", sa.Double),
        sa.Column("high_step", sa.BigInteger),
        sa.Column("high", sa.Double),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "console",
        _run_id(),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
