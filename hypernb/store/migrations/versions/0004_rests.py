"""How long missions had ended before they were tried again.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STARTED, FINISHED = "mission.started", "mission.finished"

EVENTS = sa.text(f"""
SELECT mission_id, kind, at FROM events
WHERE kind IN ('{STARTED}', '{FINISHED}') AND mission_id IN (
  SELECT mission_id FROM events WHERE kind = '{STARTED}'
  GROUP BY mission_id HAVING count(*) > 1
) ORDER BY mission_id, seq
""")  # noqa: S608 - two kinds of event
RESTED = sa.text("UPDATE missions SET rested_s = :rested_s WHERE id = :mission")


def upgrade() -> None:
    """Add a column, and fill it from the events of missions that were tried again."""
    op.add_column(
        "missions", sa.Column("rested_s", sa.Float, nullable=False, server_default="0")
    )
    connection = op.get_bind()
    ended: dict[str, datetime] = {}
    rested: dict[str, float] = {}
    for mission, kind, text in connection.execute(EVENTS):
        at = datetime.fromisoformat(text)
        if kind == FINISHED:
            ended[mission] = at
        elif mission in ended:
            past = at - ended.pop(mission)
            rested[mission] = rested.get(mission, 0.0) + max(0.0, past.total_seconds())
    for mission, seconds in rested.items():
        connection.execute(RESTED, {"mission": mission, "rested_s": seconds})


def downgrade() -> None:
    """Forget the rests; the events still tell of them."""
    op.drop_column("missions", "rested_s")
