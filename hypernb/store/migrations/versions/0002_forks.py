"""Forks: which mission another one was begun from, and at which task.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns; missions that are there already come from no other."""
    for name in ("forked_from", "forked_at"):
        op.add_column("missions", sa.Column(name, sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Forget where forks come from."""
    for name in ("forked_at", "forked_from"):
        op.drop_column("missions", name)
