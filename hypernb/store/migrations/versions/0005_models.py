"""Models: their calls, what agents say and know, tools of kernels, amendments, the cache.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Only a column of exactly this type is SQLite's own row number.
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TOKENS = ("input_tokens", "output_tokens")


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _needed(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _many(name: str) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=False, server_default="0")


def _facts(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default="{}")


def _of(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [f"{parent}.id"],
        name=f"fk_{table}_{column}_{parent}",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    """Add the tables, and to payments the call that they are for."""
    op.add_column("usage", sa.Column("call_id", sa.Text))
    if op.get_bind().dialect.name == "postgresql":  # SQLite's numbers are wide enough
        for name in TOKENS:
            op.alter_column("usage", name, type_=sa.BigInteger, existing_type=sa.Integer)
    _create_calls()
    _create_messages()
    _create_agent_states()
    _create_kernel_calls()
    _create_amendments()
    _create_cache()


def _create_calls() -> None:
    op.create_table(
        "calls",
        _needed("id"),
        _needed("mission_id"),
        _needed("state"),
        _needed("at"),
        sa.Column("task_id", sa.Text),
        _text("task"),
        sa.Column("attempt", sa.Integer),
        *map(_text, ("agent", "model", "host", "purpose", "source")),
        sa.Column("ended_at", sa.Text),
        sa.Column("reserved", sa.Float),
        sa.Column("cost", sa.Float),
        *map(_many, (*TOKENS, "cached_tokens")),
        sa.Column("tries", sa.Integer, nullable=False, server_default="1"),
        _text("request_hash"),
        sa.Column("request", sa.Text),
        sa.Column("reply", sa.Text),
        _text("error"),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        _of("calls", "missions", "mission_id"),
        _of("calls", "tasks", "task_id"),
    )
    op.create_index("ix_calls_mission_id", "calls", ["mission_id"])
    op.create_index("ix_calls_task_id", "calls", ["task_id"])
    op.create_index("ix_calls_agent_model", "calls", ["agent", "model", "at"])


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("number", NUMBER, nullable=False),
        _needed("id"),
        _needed("mission_id"),
        _needed("task_id"),
        _text("sender"),
        _text("recipient"),
        _needed("type"),
        _needed("content"),
        _text("reply_to"),
        _facts("metadata"),
        _needed("at"),
        sa.PrimaryKeyConstraint("number", name="pk_messages"),
        sa.UniqueConstraint("id", name="uq_messages_id"),
        _of("messages", "missions", "mission_id"),
        _of("messages", "tasks", "task_id"),
    )
    op.create_index("ix_messages_mission_id", "messages", ["mission_id"])
    op.create_index("ix_messages_task_id", "messages", ["task_id"])
    op.create_table(
        "acknowledgements",
        _needed("message_id"),
        _needed("task_id"),
        _needed("at"),
        sa.PrimaryKeyConstraint("message_id", "task_id", name="pk_acknowledgements"),
        _of("acknowledgements", "messages", "message_id"),
        _of("acknowledgements", "tasks", "task_id"),
    )
    op.create_index("ix_acknowledgements_task_id", "acknowledgements", ["task_id"])


def _create_agent_states() -> None:
    op.create_table(
        "agent_states",
        _needed("task_id"),
        sa.Column("version", sa.Integer, nullable=False),
        _needed("state"),
        _needed("at"),
        sa.PrimaryKeyConstraint("task_id", name="pk_agent_states"),
        _of("agent_states", "tasks", "task_id"),
    )


def _create_kernel_calls() -> None:
    op.create_table(
        "kernel_calls",
        _needed("id"),
        _needed("mission_id"),
        _needed("task_id"),
        sa.Column("attempt", sa.Integer, nullable=False),
        *map(_needed, ("lane", "tool", "state", "at")),
        _facts("arguments"),
        sa.Column("answer", sa.Text),
        sa.Column("value", sa.Text),
        _text("error"),
        _text("taken_by"),
        sa.Column("ended_at", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_kernel_calls"),
        _of("kernel_calls", "missions", "mission_id"),
        _of("kernel_calls", "tasks", "task_id"),
    )
    op.create_index("ix_kernel_calls_lane_state", "kernel_calls", ["lane", "state"])
    op.create_index("ix_kernel_calls_mission_id", "kernel_calls", ["mission_id"])
    op.create_index("ix_kernel_calls_task_id", "kernel_calls", ["task_id"])
    op.create_table(
        "lanes",
        *map(_needed, ("mission_id", "lane", "moved_to")),
        sa.PrimaryKeyConstraint("mission_id", "lane", name="pk_lanes"),
        _of("lanes", "missions", "mission_id"),
    )


def _create_amendments() -> None:
    op.create_table(
        "amendments",
        sa.Column("id", NUMBER, nullable=False),
        _needed("mission_id"),
        _needed("plan_hash"),
        sa.Column("budget", sa.Float),
        _facts("models"),
        _text("by_user"),
        _needed("at"),
        _needed("signature"),
        sa.PrimaryKeyConstraint("id", name="pk_amendments"),
        _of("amendments", "missions", "mission_id"),
    )
    op.create_index("ix_amendments_mission_id", "amendments", ["mission_id"])


def _create_cache() -> None:
    op.create_table(
        "cache_entries",
        _needed("request_hash"),
        sa.Column("reply", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", NUMBER, nullable=False),
        _text("model"),
        sa.Column("cost", sa.Float),
        _needed("at"),
        sa.Column("hits", sa.Integer, nullable=False, server_default="0"),
        sa.Column("spared", sa.Float, nullable=False, server_default="0"),
        _needed("used_at"),
        sa.PrimaryKeyConstraint("request_hash", name="pk_cache_entries"),
    )
    op.create_index("ix_cache_entries_used_at", "cache_entries", ["used_at"])


def downgrade() -> None:
    """Forget all that has to do with models; what was paid stays."""
    for table in (
        *("cache_entries", "amendments", "lanes", "kernel_calls", "agent_states"),
        *("acknowledgements", "messages", "calls"),
    ):
        op.drop_table(table)
    op.drop_column("usage", "call_id")
    if op.get_bind().dialect.name == "postgresql":
        for name in TOKENS:
            op.alter_column("usage", name, type_=sa.Integer, existing_type=sa.BigInteger)
