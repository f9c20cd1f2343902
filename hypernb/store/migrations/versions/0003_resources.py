"""Resources that tasks of all missions share, and who holds permits of them.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables; nothing that is there knows of resources."""
    op.create_table(
        "resources",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at_once", sa.Integer),
        sa.Column("rate_per_s", sa.Float),
        sa.Column("burst", sa.Integer, nullable=False, server_default="1"),
        sa.Column("ceiling", sa.Float),
        sa.Column("tokens", sa.Float, nullable=False, server_default="0"),
        sa.Column("filled_at", sa.Text),
        sa.Column("closed_at", sa.Text),
        sa.Column("closed_s", sa.Float, nullable=False, server_default="0"),
        sa.Column("refusals", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("name", name="pk_resources"),
    )
    op.create_table(
        "permits",
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("task_id", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("mission_id", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("resource", "task_id", "attempt", name="pk_permits"),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name="fk_permits_task_id_tasks", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mission_id"],
            ["missions.id"],
            name="fk_permits_mission_id_missions",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_permits_mission_id", "permits", ["mission_id"])
    op.create_index("ix_permits_task_id", "permits", ["task_id"])


def downgrade() -> None:
    """Forget the limits, and who holds what."""
    op.drop_table("permits")
    op.drop_table("resources")
