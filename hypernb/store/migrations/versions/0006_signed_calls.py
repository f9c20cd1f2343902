"""Calls of tools in kernels are signed.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column; a call that waits without a signature is taken back with its attempt."""
    op.add_column(
        "kernel_calls", sa.Column("signature", sa.Text, nullable=False, server_default="")
    )


def downgrade() -> None:
    """Forget the signatures."""
    op.drop_column("kernel_calls", "signature")
