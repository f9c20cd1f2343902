"""What agents remember: one state for each task, saved only by whoever has seen the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import insert, select, update

from hypernb.errors import StateConflictError, UnknownTaskError, UsageError
from hypernb.store import _tables as t
from hypernb.store._values import exact_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import TaskId

MOST_BYTES: Final = 1_000_000
_s: Final = t.agent_states.c


def text_of(state: Mapping[str, Any]) -> str:
    """Return a state as JSON that gives the very same when it is read.

    Raises:
        UsageError: It holds what JSON cannot, or is too large.
    """
    text = exact_json(dict(state), "The state of an agent")
    if (size := len(text.encode())) > MOST_BYTES:
        raise UsageError(
            f"The state of an agent cannot have {size:,} bytes.",
            hint=f"{MOST_BYTES:,} are the most; keep larger things as outputs.",
        )
    return text


def save(
    connection: Connection, task_id: TaskId, text: str, version: int, now: datetime
) -> int:
    """Write the state that was made from a version; return its own version.

    Raises:
        UnknownTaskError: There is no such task.
        StateConflictError: Another version than that is the newest.
    """
    named = select(t.tasks.c.name, _s.version).outerjoin(t.agent_states, _s.task_id == task_id)
    found = connection.execute(named.where(t.tasks.c.id == task_id)).one_or_none()
    if found is None:
        raise UnknownTaskError(task_id)
    name, newest = found
    if version != (newest or 0):
        raise StateConflictError(name, version, newest or 0)
    row = {"version": version + 1, "state": text, "at": now}
    if newest is None:
        connection.execute(insert(t.agent_states), {"task_id": task_id, **row})
    else:
        connection.execute(update(t.agent_states).where(_s.task_id == task_id).values(row))
    return version + 1


def load(connection: Connection, task_id: TaskId) -> tuple[dict[str, Any], int]:
    """Return the newest state and its version."""
    wanted = select(_s.state, _s.version).where(_s.task_id == task_id)
    found = connection.execute(wanted).one_or_none()
    return ({}, 0) if found is None else (orjson.loads(found[0]), found[1])
