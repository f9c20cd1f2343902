"""Calls of tools that run in kernels: written by a runner, taken and answered by a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import func, insert, select, update

from hypernb.model import KernelCall, ToolCallState
from hypernb.store import _tables as t
from hypernb.store._values import clean, plain_json

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.model import Digest, MissionId, TaskId
    from hypernb.store._keys import SigningKey

_PURPOSE: Final = "kernel call"
_k: Final = t.kernel_calls.c
# Named as the fields of `KernelCall` are.
_SELECT: Final = select(
    *(_k.id, _k.mission_id, _k.task_id, _k.attempt, _k.lane, _k.tool, _k.state, _k.at),
    *(_k.arguments, _k.answer, _k.value, _k.error, _k.taken_by, _k.ended_at),
)
_WAITING: Final = ToolCallState.WAITING.value
_OPEN: Final = (_WAITING, ToolCallState.TAKEN.value)


def ask(connection: Connection, call: KernelCall, key: SigningKey) -> None:
    """Write a signed call for the kernel that answers for its lane now; idempotent."""
    if connection.execute(select(_k.id).where(_k.id == call.id)).first() is not None:
        return
    connection.execute(
        insert(t.kernel_calls),
        {
            "id": call.id,
            "mission_id": call.mission_id,
            "task_id": call.task_id,
            "attempt": call.attempt,
            "lane": lane_of(connection, call.mission_id, call.lane),
            "tool": clean(call.tool),
            "state": _WAITING,
            "at": call.at,
            "arguments": dict(call.arguments),
            "error": "",
            "signature": key.sign(_PURPOSE, *_parts(call)),
        },
    )


def _parts(call: KernelCall) -> tuple[str, ...]:
    # Not the lane: another kernel may answer for it later.
    asked = plain_json(orjson.loads(plain_json(dict(call.arguments))))
    where = (call.id, call.mission_id, call.task_id, str(call.attempt))
    return (*where, clean(call.tool), asked)


def waiting(connection: Connection, lane: str, key: SigningKey) -> list[KernelCall]:
    """Return the calls of a lane that wait and were written with this key, oldest first."""
    mine = _SELECT.add_columns(_k.signature)
    mine = mine.where(_k.lane == clean(lane), _k.state == _WAITING).order_by(_k.at, _k.id)
    rows = connection.execute(mine).all()
    calls = [(_call(row), row.signature) for row in rows]
    return [call for call, mark in calls if key.verify(mark, _PURPOSE, *_parts(call))]


def find(connection: Connection, call_id: str) -> KernelCall | None:
    """Return a call as it is now."""
    row = connection.execute(_SELECT.where(_k.id == clean(call_id))).one_or_none()
    return None if row is None else _call(row)


def _call(row: Any) -> KernelCall:
    values = dict(row._mapping)  # noqa: SLF001 - its documented name
    values.pop("signature", None)
    values["state"] = ToolCallState(values["state"])
    if values["answer"] is not None:
        values["answer"] = orjson.loads(values["answer"])
    return KernelCall(**values)


def take(connection: Connection, call_id: str, by: str) -> bool:
    """Take a call that waits; False if it waits no longer."""
    taken = connection.execute(
        update(t.kernel_calls)
        .where(_k.id == clean(call_id), _k.state == _WAITING)
        .values(state=ToolCallState.TAKEN.value, taken_by=clean(by))
    )
    return bool(taken.rowcount)


def answer(
    connection: Connection,
    call_id: str,
    *,
    said: Any,
    value: Digest | None,
    error: str,
    now: datetime,
) -> None:
    """Write what came of a call that nobody has answered or cancelled yet."""
    state = ToolCallState.FAILED if error else ToolCallState.RETURNED
    connection.execute(
        update(t.kernel_calls)
        .where(_k.id == clean(call_id), _k.state.in_(_OPEN))
        .values(
            state=state.value,
            answer=None if said is None else plain_json(said),
            value=value,
            error=clean(error),
            ended_at=now,
        )
    )


def cancel(connection: Connection, task_id: TaskId, attempt: int, now: datetime) -> None:
    """Cancel what an attempt has asked for and was not answered."""
    connection.execute(
        update(t.kernel_calls)
        .where(_k.task_id == task_id, _k.attempt == attempt, _k.state.in_(_OPEN))
        .values(state=ToolCallState.CANCELLED.value, ended_at=now)
    )


def forget(connection: Connection, task_id: TaskId, attempt: int) -> None:
    """Remove what was asked and answered in calls that are over, up to an attempt."""
    connection.execute(
        update(t.kernel_calls)
        .where(_k.task_id == task_id, _k.attempt <= attempt, _k.state.not_in(_OPEN))
        .values(arguments={}, answer=None, error="")
    )


def move(connection: Connection, mission_id: MissionId, before: str, after: str) -> int:
    """Have another kernel answer for one that is gone; return how many calls it has now.

    What the one that is gone had taken waits again: nobody else will answer it.
    """
    before, after = clean(before), clean(after)
    lanes = t.lanes.c
    mine = lanes.mission_id == mission_id
    connection.execute(
        update(t.lanes).where(mine, lanes.moved_to == before).values(moved_to=after)
    )
    moved = update(t.lanes).where(mine, lanes.lane == before).values(moved_to=after)
    if not connection.execute(moved).rowcount:
        row = {"mission_id": mission_id, "lane": before, "moved_to": after}
        connection.execute(insert(t.lanes), row)
    connection.execute(
        update(t.kernel_calls)
        .where(_k.mission_id == mission_id, _k.lane == before, _k.state.in_(_OPEN))
        .values(lane=after, state=_WAITING, taken_by="")
    )
    there = select(func.count()).where(
        _k.mission_id == mission_id, _k.lane == after, _k.state.in_(_OPEN)
    )
    return int(connection.execute(there).scalar_one())


def lane_of(connection: Connection, mission_id: MissionId, lane: str) -> str:
    """Return the lane that answers for a lane of the plan."""
    lanes, lane = t.lanes.c, clean(lane)
    wanted = select(lanes.moved_to).where(lanes.mission_id == mission_id, lanes.lane == lane)
    return connection.execute(wanted).scalar() or lane
