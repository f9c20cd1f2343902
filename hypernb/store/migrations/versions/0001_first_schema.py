"""The first schema: missions and all that belongs to them, full-text search, views for people.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Types and defaults are written out, not taken from the package: a migration says what a
# database of that revision looked like, whatever the tables are today.
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

SEARCH = """
CREATE VIRTUAL TABLE search USING fts5(
    text, kind UNINDEXED, mission UNINDEXED, task UNINDEXED, place UNINDEXED,
    tokenize = 'unicode61 remove_diacritics 2'
)
"""

SERVER_SEARCH = """
CREATE TABLE search (
    id BIGSERIAL PRIMARY KEY,
    text TEXT NOT NULL, kind TEXT NOT NULL, mission TEXT NOT NULL, task TEXT NOT NULL,
    place TEXT NOT NULL, words TSVECTOR NOT NULL
)
"""
# SQLite looks at such references for many rows at once; a server does it row by row.
SERVER_INDEXES = (
    "CREATE INDEX ix_search_words ON search USING GIN (words)",
    "CREATE INDEX ix_search_mission ON search (mission)",
    "CREATE INDEX ix_tasks_output ON tasks (output)",
)

VIEWS = {
    "task_list": """
        SELECT m.short_id AS mission, 't' || t.number AS task, t.name, t.agent, t.state,
               t.outcome, t.findings, t.attempt AS attempts, t.worked_s, t.started_at,
               t.finished_at, t.note, t.error
        FROM tasks t JOIN missions m ON m.id = t.mission_id
    """,
    "finding_list": """
        SELECT m.short_id AS mission, t.name AS task, f.severity, f.category, f.rule, f.file,
               f.line, f.cell, f.message, f.tool, f.agent
        FROM findings f
        JOIN missions m ON m.id = f.mission_id JOIN tasks t ON t.id = f.task_id
    """,
    "event_list": """
        SELECT e.seq, e.at, m.short_id AS mission, e.task, e.attempt, e.kind, e.payload
        FROM events e LEFT JOIN missions m ON m.id = e.mission_id
    """,
}


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _facts(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="{}")


def _whole(name: str, default: str = "0") -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=default)


def _fraction(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=False, server_default="0")


def _mission(table: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(
        "mission_id",
        sa.Text,
        sa.ForeignKey(
            "missions.id", ondelete="CASCADE", name=f"fk_{table}_mission_id_missions"
        ),
        nullable=nullable,
    )


def _task(table: str) -> sa.Column[str]:
    return sa.Column(
        "task_id",
        sa.Text,
        sa.ForeignKey("tasks.id", ondelete="CASCADE", name=f"fk_{table}_task_id_tasks"),
        nullable=False,
    )


def upgrade() -> None:
    """Make everything."""
    _missions_and_plans()
    _tasks_and_attempts()
    _history()
    _decisions_and_runners()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(SEARCH)
    else:
        op.execute(SERVER_SEARCH)
        for statement in SERVER_INDEXES:
            op.execute(statement)
    for name, select in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {select}")


def downgrade() -> None:
    """Remove everything."""
    for name in VIEWS:
        op.execute(f"DROP VIEW {name}")
    op.execute("DROP TABLE search")
    for name in (
        "usage",
        "leases",
        "commands",
        "approvals",
        "findings",
        "events",
        "attempts",
        "tasks",
        "artifacts",
        "plans",
        "missions",
        "counters",
    ):
        op.drop_table(name)


def _missions_and_plans() -> None:
    counters = op.create_table(
        "counters",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.bulk_insert(counters, [{"name": "event", "value": 0}, {"name": "mission", "value": 0}])
    op.create_table(
        "missions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("short_id", sa.Text, nullable=False),
        sa.Column("goal", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        _text("playbook"),
        _text("planned_by"),
        _text("root"),
        _whole("priority", "50"),
        _whole("revision"),
        _text("plan_hash"),
        sa.Column("started_at", sa.Text),
        sa.Column("finished_at", sa.Text),
        _text("error"),
        _fraction("cost"),
        _text("by_user"),
        sa.PrimaryKeyConstraint("id", name="pk_missions"),
        sa.UniqueConstraint("number", name="uq_missions_number"),
        sa.UniqueConstraint("short_id", name="uq_missions_short_id"),
    )
    op.create_index("ix_missions_state", "missions", ["state"])
    op.create_table(
        "plans",
        _mission("plans"),
        sa.Column("revision", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        _text("by_user"),
        sa.PrimaryKeyConstraint("mission_id", "revision", name="pk_plans"),
    )
    op.create_table(
        "artifacts",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", NUMBER, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        _text("path"),
        _text("signature"),
        sa.Column("data", sa.LargeBinary),
        sa.PrimaryKeyConstraint("digest", name="pk_artifacts"),
    )


def _tasks_and_attempts() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text, nullable=False),
        _mission("tasks"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        _text("agent"),
        _text("goal"),
        _whole("attempt"),
        sa.Column("ready_at", sa.Text),
        sa.Column("started_at", sa.Text),
        sa.Column("finished_at", sa.Text),
        sa.Column("heartbeat_at", sa.Text),
        sa.Column("pid", sa.Integer),
        _text("note"),
        _text("error"),
        sa.Column(
            "output",
            sa.Text,
            sa.ForeignKey("artifacts.digest", name="fk_tasks_output_artifacts"),
        ),
        _text("outcome"),
        _whole("findings"),
        _fraction("worked_s"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index(
        "ix_tasks_mission_id_number", "tasks", ["mission_id", "number"], unique=True
    )
    op.create_index("ix_tasks_mission_id_state", "tasks", ["mission_id", "state"])
    op.create_table(
        "attempts",
        _task("attempts"),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        _mission("attempts"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
        sa.Column("runner_id", sa.Text),
        sa.Column("pid", sa.Integer),
        _text("error"),
        sa.PrimaryKeyConstraint("task_id", "number", name="pk_attempts"),
    )
    op.create_index(
        "ix_attempts_mission_id_started_at", "attempts", ["mission_id", "started_at"]
    )


def _history() -> None:
    op.create_table(
        "events",
        sa.Column("seq", NUMBER, nullable=False, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        _mission("events", nullable=True),
        sa.Column("task_id", sa.Text),
        sa.Column("task", sa.Text),
        sa.Column("attempt", sa.Integer),
        _facts("payload"),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    op.create_index("ix_events_mission_id_seq", "events", ["mission_id", "seq"])
    op.create_table(
        "findings",
        sa.Column("id", NUMBER, nullable=False),
        _mission("findings"),
        _task("findings"),
        _text("file"),
        _whole("line"),
        sa.Column("cell", sa.Integer),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        _text("message"),
        _text("tool"),
        _text("agent"),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
    )
    op.create_index("ix_findings_mission_id_severity", "findings", ["mission_id", "severity"])
    op.create_index("ix_findings_task_id", "findings", ["task_id"])


def _decisions_and_runners() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", NUMBER, nullable=False),
        _mission("approvals"),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("plan_hash", sa.Text, nullable=False),
        _text("by_user"),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
    )
    op.create_index("ix_approvals_mission_id", "approvals", ["mission_id"])
    op.create_table(
        "commands",
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        _mission("commands", nullable=True),
        _facts("payload"),
        _text("by_user"),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("answered_at", sa.Text),
        _text("outcome"),
        sa.PrimaryKeyConstraint("seq", name="pk_commands"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_commands_open",
        "commands",
        ["seq"],
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "leases",
        sa.Column("resource", sa.Text, nullable=False),
        _text("holder"),
        sa.Column("token", NUMBER, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        _facts("facts"),
        sa.PrimaryKeyConstraint("resource", name="pk_leases"),
    )
    op.create_table(
        "usage",
        sa.Column("id", NUMBER, nullable=False),
        _mission("usage"),
        sa.Column("task_id", sa.Text),
        sa.Column("attempt", sa.Integer),
        sa.Column("at", sa.Text, nullable=False),
        _text("model"),
        _whole("input_tokens"),
        _whole("output_tokens"),
        _fraction("cost"),
        sa.PrimaryKeyConstraint("id", name="pk_usage"),
    )
    op.create_index("ix_usage_mission_id", "usage", ["mission_id"])
