"""The first tables of the sweeps floor: sweeps, trials, agents, notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sweeps_0001"
down_revision = None
branch_labels = None
depends_on = None


def _sweep_id(*, primary_key: bool) -> sa.Column[str]:
    target = sa.ForeignKey("sweeps.id", ondelete="CASCADE")
    return sa.Column("sweep_id", sa.Text, target, primary_key=primary_key, nullable=False)


def upgrade() -> None:
    """Make them."""
    texts = ("document", "source", "project", "entity", "name", "description", "workdir")
    op.create_table(
        "sweeps",
        sa.Column("id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("exhausted", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("finished_at", sa.Double),
        sa.Column("next_number", sa.BigInteger, nullable=False),
        sa.Column("finish_seq", sa.BigInteger, nullable=False),
        sa.Column("suggester", sa.Text, nullable=False),
        sa.Column("suggester_until", sa.Double, nullable=False),
    )
    op.create_table(
        "trials",
        _sweep_id(primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("leased_until", sa.Double),
        sa.Column("stop_requested", sa.Text, nullable=False),
        sa.Column("value", sa.Double),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("failure", sa.String(16)),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("lost", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("finished_at", sa.Double),
        sa.Column("finish_seq", sa.BigInteger),
    )
    op.create_index("ix_trials_state", "trials", ["sweep_id", "state", "number"])
    op.create_index("ix_trials_finish", "trials", ["sweep_id", "finish_seq"])
    op.create_table(
        "agents",
        sa.Column("id", sa.Text, primary_key=True),
        _sweep_id(primary_key=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("heartbeat_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("versions", sa.Text, nullable=False),
    )
    op.create_index("ix_agents_sweep_id", "agents", ["sweep_id"])
    op.create_table(
        "notices",
        _sweep_id(primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
