"""Messages between agents: kept until each recipient has acknowledged them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import func, insert, or_, select

from hypernb.errors import UnknownNameError, UnknownTaskError, UsageError
from hypernb.model import EVERYBODY, AgentMessage, EventKind, new_id, number_of, task_meant
from hypernb.store import _tables as t
from hypernb.store._events import append_event
from hypernb.store._values import clean, plain_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select
    from sqlalchemy.engine import RowMapping

    from hypernb.model import MissionId, TaskId

MOST_CHARACTERS: Final = 100_000
MOST_OF_A_TASK: Final = 1_000
_NAMES_TOLD: Final = 200
_IDS_AT_ONCE: Final = 500
_m: Final = t.messages.c
_COLUMNS: Final = (
    *(_m.id, _m.sender, _m.recipient, _m.type, _m.content),
    *(_m.reply_to, _m.metadata, _m.at),
)


def send(
    connection: Connection,
    mission_id: MissionId,
    task_id: TaskId,
    message: AgentMessage,
    now: datetime,
) -> AgentMessage:
    """Keep a message of a task, and tell of it.

    Raises:
        UnknownTaskError: The mission has no such task.
        UnknownNameError: It has no task and no agent of the recipient's name.
        AmbiguousTaskError: One is called so, and another one has that number.
        UsageError: The message is too long, or the task has sent too many.
    """
    sender = _task(connection, mission_id, task_id)[0]
    content, metadata = plain_json(message.content), plain_json(message.metadata)
    if (size := len(content) + len(metadata)) > MOST_CHARACTERS:
        raise UsageError(
            f"Task {sender!r} cannot send a message of {size:,} characters.",
            hint=f"{MOST_CHARACTERS:,} are the most; hand larger things over as outputs.",
        )
    sent = select(func.count()).where(_m.task_id == task_id)
    if connection.execute(sent).scalar_one() >= MOST_OF_A_TASK:
        raise UsageError(
            f"Task {sender!r} has sent {MOST_OF_A_TASK:,} messages, and cannot send more.",
            hint="Say more in fewer.",
        )
    row = {
        "id": new_id(),
        "mission_id": mission_id,
        "task_id": task_id,
        "sender": sender,
        "recipient": _recipient(connection, mission_id, clean(message.recipient)),
        "type": clean(message.type),
        "content": content,
        "reply_to": clean(message.reply_to),
        "metadata": orjson.loads(metadata),
        "at": now,
    }
    connection.execute(insert(t.messages), row)
    told = ("id", "recipient", "type", "reply_to")
    facts = {name: row[name] for name in told} | {"characters": size}
    append_event(
        connection, EventKind.MESSAGE_SENT, now, facts, mission_id, task=(task_id, sender)
    )
    return _message(row)


def _task(connection: Connection, mission_id: MissionId, task_id: TaskId) -> tuple[str, str]:
    """Return name and agent of a task."""
    c = t.tasks.c
    mine = select(c.name, c.agent).where(c.id == task_id, c.mission_id == mission_id)
    found = connection.execute(mine).one_or_none()
    if found is None:
        raise UnknownTaskError(task_id)
    return found[0], found[1]


def _recipient(connection: Connection, mission_id: MissionId, name: str) -> str:
    """Return the name of a task or an agent, which ``t3`` may stand for."""
    if name == EVERYBODY:
        return name
    c = t.tasks.c
    mine = c.mission_id == mission_id
    called = select(c.id).where(mine, or_(c.name == name, c.agent == name)).limit(1)
    names = {name} if connection.execute(called).first() is not None else set()
    number = number_of(name)
    numbered = {}
    if number is not None:
        rows = select(c.number, c.name).where(mine, c.number == number)
        numbered = {row[0]: str(row[1]) for row in connection.execute(rows)}
    if found := task_meant(name, names, numbered):
        return found
    known = connection.execute(
        select(c.name, c.agent).where(mine).order_by(c.number).limit(_NAMES_TOLD)
    )
    near = dict.fromkeys(each for row in known for each in row if each)
    raise UnknownNameError("task or agent of the mission", name, near)


def read(
    connection: Connection, mission_id: MissionId, task_id: TaskId | None
) -> list[AgentMessage]:
    """Return messages, oldest first: those that a task has not acknowledged, or all.

    Raises:
        UnknownTaskError: The mission has no such task.
    """
    statement = select(*_COLUMNS).where(_m.mission_id == mission_id).order_by(_m.number)
    if task_id is not None:
        name, agent = _task(connection, mission_id, task_id)
        mine = {name, EVERYBODY} | ({agent} if agent else set())
        statement = statement.where(
            _m.recipient.in_(mine), _m.task_id != task_id, _m.id.not_in(_done(task_id))
        )
    return [_message(row) for row in connection.execute(statement).mappings()]


def _done(task_id: TaskId) -> Select[Any]:
    """Return the ids of messages that a task has acknowledged."""
    c = t.acknowledgements.c
    return select(c.message_id).where(c.task_id == task_id)


def _message(row: Mapping[str, Any] | RowMapping) -> AgentMessage:
    # Without checking it again: what is stored was checked when it was sent.
    values = {column.name: row[column.name] for column in _COLUMNS}
    return AgentMessage.model_construct(
        **(values | {"content": orjson.loads(values["content"])})
    )


def acknowledge(
    connection: Connection, task_id: TaskId, ids: Sequence[str], now: datetime
) -> None:
    """Note that a task has dealt with messages of its mission; tell of those that are new.

    Raises:
        UnknownTaskError: There is no such task.
    """
    c = t.tasks.c
    found = connection.execute(
        select(c.mission_id, c.name).where(c.id == task_id)
    ).one_or_none()
    if found is None:
        raise UnknownTaskError(task_id)
    mission_id, name = found
    fresh: list[str] = []
    wanted = [clean(each) for each in dict.fromkeys(ids)]
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        some = wanted[start : start + _IDS_AT_ONCE]
        mine = select(_m.id).where(
            _m.mission_id == mission_id, _m.id.in_(some), _m.id.not_in(_done(task_id))
        )
        fresh += connection.execute(mine.order_by(_m.number)).scalars()
    if not fresh:
        return
    connection.execute(
        insert(t.acknowledgements),
        [{"message_id": each, "task_id": task_id, "at": now} for each in fresh],
    )
    kind = EventKind.MESSAGE_RECEIVED
    append_event(connection, kind, now, {"ids": fresh}, mission_id, task=(task_id, name))
