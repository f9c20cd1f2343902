"""What people decide about a mission that no runner has begun, and ask of one that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update

from hypernb.errors import EditConflictError, TransitionError
from hypernb.model import EventKind, MissionState, TaskState, transition
from hypernb.store import _leases, _search
from hypernb.store import _tables as t
from hypernb.store._events import append_event
from hypernb.store._reading import task_by_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import MissionId, MissionRecord


def require_unapproved(mission: MissionRecord, after: MissionState) -> None:
    """Make sure that the mission still awaits approval.

    Raises:
        TransitionError: It does not.
    """
    if mission.state is not MissionState.AWAITING_APPROVAL:
        raise TransitionError(
            "mission",
            mission.short_id,
            mission.state.value,
            after.value,
            hint=f"%hyper show {mission.short_id} shows it.",
        )


def require_revision(mission: MissionRecord, revision: int | None) -> None:
    """Make sure that nobody has changed the plan since it had this revision.

    Raises:
        EditConflictError: Somebody has.
    """
    if revision is not None and mission.revision != revision:
        raise EditConflictError(mission.short_id, revision, mission.revision)


def end_unstarted(
    connection: Connection,
    mission: MissionRecord,
    state: MissionState,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    """End a mission that awaits approval, with its tasks and the commands about it."""
    transition(mission.state, state, name=mission.short_id)
    _leases.void(connection, f"mission:{mission.id}")
    connection.execute(
        update(t.missions)
        .where(t.missions.c.id == mission.id)
        .values(state=state.value, finished_at=now, error=reason)
    )
    connection.execute(
        update(t.tasks)
        .where(
            t.tasks.c.mission_id == mission.id,
            t.tasks.c.state == TaskState.PENDING.value,  # what a fork shares stays done
        )
        .values(state=TaskState.CANCELLED.value, finished_at=now)
    )
    connection.execute(
        update(t.commands)
        .where(t.commands.c.mission_id == mission.id, t.commands.c.answered_at.is_(None))
        .values(answered_at=now, outcome=f"mission {state.value}")
    )
    rejected = state is MissionState.REJECTED
    kind = EventKind.PLAN_REJECTED if rejected else EventKind.MISSION_FINISHED
    facts = {"state": state.value, "reason": reason, "by": by}
    append_event(connection, kind, now, facts, mission.id)
    if reason:
        _search.index(connection, [(reason, "event", mission.short_id, "", kind.value)])


def append_comment(
    connection: Connection,
    mission: MissionRecord,
    task: str,
    facts: Mapping[str, str],
    *,
    now: datetime,
) -> int:
    """Write what somebody says of a plan, or of a task of it; return its ``seq``.

    Raises:
        UnknownTaskError: The mission has no task of that name.
    """
    about = (task_by_name(connection, mission.id, task), task) if task else None
    kind = EventKind.PLAN_COMMENTED
    _search.index(connection, [(facts["text"], "event", mission.short_id, task, kind.value)])
    return append_event(connection, kind, now, facts, mission.id, task=about)


def append_command(
    connection: Connection,
    kind: str,
    mission_id: MissionId | None,
    payload: Mapping[str, Any],
    *,
    by: str,
    now: datetime,
) -> int:
    """Write a command for a runner; return its number."""
    row = {
        "kind": kind,
        "mission_id": mission_id,
        "payload": dict(payload),
        "by_user": by,
        "at": now,
    }
    statement = insert(t.commands).returning(t.commands.c.seq)
    return int(connection.execute(statement, row).scalar_one())
