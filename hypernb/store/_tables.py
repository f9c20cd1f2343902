"""The tables as this version knows them; `migrations` says how a database gets there."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from hypernb.store._values import JsonText, UtcText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Only a column of exactly this type is SQLite's own row number, which costs no index.
_Number: Final = BigInteger().with_variant(Integer, "sqlite")


def _mission(*, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    return Column(
        "mission_id",
        Text,
        ForeignKey("missions.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable,
    )


def _task(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "task_id",
        Text,
        ForeignKey("tasks.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _whole(name: str, default: int = 0) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=str(default))


def _many(name: str) -> Column[int]:
    return Column(name, _Number, nullable=False, server_default="0")


def _fraction(name: str) -> Column[float]:
    return Column(name, Float, nullable=False, server_default="0")


def _facts(name: str) -> Column[object]:
    return Column(name, JsonText, nullable=False, server_default="{}")


counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", _Number, nullable=False),
)
"""Numbers without gaps: taken in the transaction that uses them."""

missions = Table(
    "missions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", _Number, nullable=False, unique=True),
    Column("short_id", Text, nullable=False, unique=True),
    Column("goal", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("created_at", UtcText, nullable=False),
    _text("playbook"),
    _text("planned_by"),
    _text("root"),
    _whole("priority", 50),
    _whole("revision"),
    _text("plan_hash"),
    Column("started_at", UtcText),
    Column("finished_at", UtcText),
    _text("error"),
    _fraction("cost"),
    _text("by_user"),
    # No foreign key: the fork still says where it comes from when its origin is no more.
    _text("forked_from"),
    _text("forked_at"),
    _fraction("rested_s"),
)

plans = Table(
    "plans",
    metadata,
    _mission(primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("at", UtcText, nullable=False),
    _text("by_user"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", _Number, nullable=False),
    Column("created_at", UtcText, nullable=False),
    _text("path"),
    _text("signature"),
    Column("data", LargeBinary),
)
"""Content-addressed bytes; those above a size lie in files and have no ``data``."""

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    _mission(),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("agent"),
    _text("goal"),
    _whole("attempt"),
    Column("ready_at", UtcText),
    Column("started_at", UtcText),
    Column("finished_at", UtcText),
    Column("heartbeat_at", UtcText),
    Column("pid", Integer),
    _text("note"),
    _text("error"),
    Column("output", Text, ForeignKey("artifacts.digest")),
    _text("outcome"),
    _whole("findings"),
    _fraction("worked_s"),
    Index("ix_tasks_mission_id_number", "mission_id", "number", unique=True),
    Index("ix_tasks_mission_id_state", "mission_id", "state"),
)

attempts = Table(
    "attempts",
    metadata,
    _task(primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _mission(),
    Column("state", Text, nullable=False),
    Column("started_at", UtcText, nullable=False),
    Column("finished_at", UtcText),
    Column("runner_id", Text),
    Column("pid", Integer),
    _text("error"),
    Index("ix_attempts_mission_id_started_at", "mission_id", "started_at"),
)

events = Table(
    "events",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("at", UtcText, nullable=False),
    Column("kind", Text, nullable=False),
    _mission(nullable=True),
    # No foreign key: a revised plan replaces its tasks, and history stays as it was.
    Column("task_id", Text),
    Column("task", Text),
    Column("attempt", Integer),
    _facts("payload"),
    Index("ix_events_mission_id_seq", "mission_id", "seq"),
)

findings = Table(
    "findings",
    metadata,
    Column("id", _Number, primary_key=True),
    _mission(),
    _task(),
    _text("file"),
    _whole("line"),
    Column("cell", Integer),
    Column("category", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    _text("message"),
    _text("tool"),
    _text("agent"),
    Index("ix_findings_mission_id_severity", "mission_id", "severity"),
    Index("ix_findings_task_id", "task_id"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", _Number, primary_key=True),
    _mission(),
    Column("revision", Integer, nullable=False),
    Column("plan_hash", Text, nullable=False),
    _text("by_user"),
    Column("at", UtcText, nullable=False),
    Column("signature", Text, nullable=False),
    Index("ix_approvals_mission_id", "mission_id"),
)

commands = Table(
    "commands",
    metadata,
    Column("seq", _Number, primary_key=True),
    Column("kind", Text, nullable=False),
    _mission(nullable=True),
    _facts("payload"),
    _text("by_user"),
    Column("at", UtcText, nullable=False),
    Column("answered_at", UtcText),
    _text("outcome"),
    # A runner remembers the last number it took, so none may ever be used again.
    sqlite_autoincrement=True,
)
Index(
    "ix_commands_open",
    commands.c.seq,
    sqlite_where=commands.c.answered_at.is_(None),
    postgresql_where=commands.c.answered_at.is_(None),
)

leases = Table(
    "leases",
    metadata,
    Column("resource", Text, primary_key=True),
    _text("holder"),
    Column("token", _Number, nullable=False),
    Column("expires_at", UtcText, nullable=False),
    _facts("facts"),
)

resources = Table(
    "resources",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at_once", Integer),
    Column("rate_per_s", Float),
    _whole("burst", 1),
    Column("ceiling", Float),
    _fraction("tokens"),
    Column("filled_at", UtcText),
    Column("closed_at", UtcText),
    _fraction("closed_s"),
    _whole("refusals"),
)

permits = Table(
    "permits",
    metadata,
    Column("resource", Text, primary_key=True),
    _task(primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    _mission(),
    Column("at", UtcText, nullable=False),
    Index("ix_permits_mission_id", "mission_id"),
    Index("ix_permits_task_id", "task_id"),
)
"""Who holds which resource: written before an attempt starts, gone when it ends."""

usage = Table(
    "usage",
    metadata,
    Column("id", _Number, primary_key=True),
    _mission(),
    Column("task_id", Text),
    Column("attempt", Integer),
    Column("at", UtcText, nullable=False),
    _text("model"),
    _many("input_tokens"),
    _many("output_tokens"),
    _fraction("cost"),
    # No foreign key: what was paid stays paid, whatever is known of the call.
    Column("call_id", Text),
    Index("ix_usage_mission_id", "mission_id"),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    _mission(),
    Column("state", Text, nullable=False),
    Column("at", UtcText, nullable=False),
    Column("task_id", Text, ForeignKey("tasks.id", ondelete="CASCADE")),
    _text("task"),
    Column("attempt", Integer),
    _text("agent"),
    _text("model"),
    _text("host"),
    _text("purpose"),
    _text("source"),
    Column("ended_at", UtcText),
    Column("reserved", Float),
    Column("cost", Float),
    _many("input_tokens"),
    _many("output_tokens"),
    _many("cached_tokens"),
    _whole("tries", 1),
    _text("request_hash"),
    # No foreign keys: a sweep looks here, and a call is worth keeping without its texts.
    Column("request", Text),
    Column("reply", Text),
    _text("error"),
    Index("ix_calls_mission_id", "mission_id"),
    Index("ix_calls_task_id", "task_id"),
    Index("ix_calls_agent_model", "agent", "model", "at"),
)
"""Calls of models: written before they are made, and again when they are answered."""

messages = Table(
    "messages",
    metadata,
    Column("number", _Number, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _mission(),
    _task(),
    _text("sender"),
    _text("recipient"),
    Column("type", Text, nullable=False),
    Column("content", Text, nullable=False),
    _text("reply_to"),
    _facts("metadata"),
    Column("at", UtcText, nullable=False),
    Index("ix_messages_mission_id", "mission_id"),
    Index("ix_messages_task_id", "task_id"),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("message_id", Text, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    _task(primary_key=True),
    Column("at", UtcText, nullable=False),
    Index("ix_acknowledgements_task_id", "task_id"),
)
"""Which task has dealt with which message."""

agent_states = Table(
    "agent_states",
    metadata,
    _task(primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", UtcText, nullable=False),
)

kernel_calls = Table(
    "kernel_calls",
    metadata,
    Column("id", Text, primary_key=True),
    _mission(),
    _task(),
    Column("attempt", Integer, nullable=False),
    Column("lane", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", UtcText, nullable=False),
    _facts("arguments"),
    Column("answer", Text),
    Column("value", Text),
    _text("error"),
    _text("taken_by"),
    Column("ended_at", UtcText),
    _text("signature"),
    Index("ix_kernel_calls_lane_state", "lane", "state"),
    Index("ix_kernel_calls_mission_id", "mission_id"),
    Index("ix_kernel_calls_task_id", "task_id"),
)

lanes = Table(
    "lanes",
    metadata,
    _mission(primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("moved_to", Text, nullable=False),
)
"""Lanes of plans for which another kernel answers now."""

amendments = Table(
    "amendments",
    metadata,
    Column("id", _Number, primary_key=True),
    _mission(),
    Column("plan_hash", Text, nullable=False),
    Column("budget", Float),
    _facts("models"),
    _text("by_user"),
    Column("at", UtcText, nullable=False),
    Column("signature", Text, nullable=False),
    Index("ix_amendments_mission_id", "mission_id"),
)

cache_entries = Table(
    "cache_entries",
    metadata,
    Column("request_hash", Text, primary_key=True),
    Column("reply", LargeBinary, nullable=False),
    Column("size_bytes", _Number, nullable=False),
    _text("model"),
    Column("cost", Float),
    Column("at", UtcText, nullable=False),
    _whole("hits"),
    _fraction("spared"),
    Column("used_at", UtcText, nullable=False),
    Index("ix_cache_entries_used_at", "used_at"),
)
"""Answers to requests that may be asked again."""
