"""Calls of models: written with the changes that tell of them, and summed up."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Float,
    Text,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from hypernb.errors import UnknownNameError, UsageError
from hypernb.model import (
    CallRecord,
    CallState,
    EventKind,
    ReplySource,
    TaskHistory,
    TaskState,
    UsageSum,
)
from hypernb.store import _tables as t
from hypernb.store._bulk import Bulk
from hypernb.store._events import append_event
from hypernb.store._values import clean, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from hypernb.model import MissionId
    from hypernb.store._bulk import Row

# In the order of the fields of `CallRecord`.
_COLUMNS: Final = (
    *("id", "mission_id", "state", "at", "task_id", "task", "attempt", "agent", "model"),
    *("host", "purpose", "source", "ended_at", "reserved", "cost", "input_tokens"),
    *("output_tokens", "cached_tokens", "tries", "request_hash", "request", "reply", "error"),
)
_TIMES: Final = frozenset({"at", "ended_at"})
_CHANGING: Final = tuple(name for name in _COLUMNS if name not in ("id", "mission_id", "at"))
_SELECT: Final[Select[Any]] = select(
    *(
        type_coerce(t.calls.c[name], Text) if name in _TIMES else t.calls.c[name]
        for name in _COLUMNS
    )
)
_TOLD: Final = (
    *("agent", "model", "host", "purpose", "source", "input_tokens", "output_tokens"),
    *("cost", "tries"),
)
"""What the event of an answer tells besides, as that of a runner does."""
_TOLD_BEFORE: Final = ("agent", "model", "host", "purpose")
GROUPS: Final = ("mission", "agent", "task", "model", "day")
_PAID: Final = tuple(each.value for each in CallState if each.is_paid)
_CALLS_LOOKED_AT: Final = 5_000
_MOST_TOKENS: Final = 2**53
_LONGEST_DAYS: Final = 365_000.0


def _upsert(kind: Any) -> Bulk:
    statement = kind.insert(t.calls)
    newer = {name: statement.excluded[name] for name in _CHANGING}
    return Bulk(
        statement.on_conflict_do_update(
            index_elements=[t.calls.c.id],
            set_=newer,
            # An id is made by whoever calls: one of another mission's stays that one's.
            where=t.calls.c.mission_id == statement.excluded.mission_id,
        ),
        *_COLUMNS,
    )


_UPSERT: Final = {"sqlite": _upsert(sqlite), "postgresql": _upsert(postgresql)}


def row_of(call: CallRecord, mission_id: MissionId) -> Row:
    """Return a call as the database takes it, of this mission whatever it says."""
    return (
        call.id,
        mission_id,
        call.state.value,
        utc_text(call.at),
        call.task_id,
        clean(call.task),
        call.attempt,
        clean(call.agent),
        clean(call.model),
        clean(call.host),
        clean(call.purpose),
        clean(call.source),
        call.ended_at and utc_text(call.ended_at),
        _dollars(call.reserved),
        _dollars(call.cost),
        _tokens(call.input_tokens),
        _tokens(call.output_tokens),
        _tokens(call.cached_tokens),
        call.tries,
        clean(call.request_hash),
        call.request,
        call.reply,
        clean(call.error),
    )


def _dollars(amount: float | None) -> float | None:
    """Return an amount; what is none, or not a number, is not known."""
    known = amount is not None and math.isfinite(amount) and amount >= 0
    return amount if known else None


def _tokens(many: int) -> int:
    return min(max(many, 0), _MOST_TOKENS)


def write(connection: Connection, rows: Sequence[Row]) -> None:
    """Write calls as they are now, whether they are there already or not."""
    if rows:
        _UPSERT[connection.dialect.name].run(connection, rows)


def take_over(
    connection: Connection, calls: Sequence[CallRecord], mission_id: MissionId
) -> None:
    """Write calls that a session has made to plan a mission, which pays for them now."""
    for each in calls:
        state = CallState.SETTLED if each.state is CallState.RESERVED else each.state
        settle(connection, replace(each, state=state), mission_id)


def reserve(connection: Connection, call: CallRecord, mission_id: MissionId) -> None:
    """Write a call that is about to be made to plan a mission, and tell of it."""
    call = replace(_of_planning(call), state=CallState.RESERVED)
    write(connection, [row_of(call, mission_id)])
    facts = {"call": call.id, "reserved": _dollars(call.reserved)}
    facts |= {name: getattr(call, name) for name in _TOLD_BEFORE}
    append_event(connection, EventKind.LLM_REQUESTED, call.at, facts, mission_id)


def settle(connection: Connection, call: CallRecord, mission_id: MissionId) -> None:
    """Write a call that was made to plan a mission, have that pay for it, and tell of it."""
    call = _of_planning(call)
    write(connection, [row_of(call, mission_id)])
    if call.is_live and (call.state.is_paid or call.paid):
        _pay(connection, call, mission_id)
    facts = {"call": call.id, "state": call.state.value}
    facts |= {name: getattr(call, name) for name in _TOLD}
    at = call.ended_at or call.at
    append_event(connection, EventKind.LLM_RESPONDED, at, facts, mission_id)


def _of_planning(call: CallRecord) -> CallRecord:
    return replace(call, task_id=None, task="", attempt=None)


def _pay(connection: Connection, call: CallRecord, mission_id: MissionId) -> None:
    cost = _dollars(call.paid) or 0.0
    connection.execute(
        update(t.missions)
        .where(t.missions.c.id == mission_id)
        .values(cost=t.missions.c.cost + cost)
    )
    connection.execute(
        insert(t.usage),
        {
            "mission_id": mission_id,
            "at": call.ended_at or call.at,
            "model": clean(call.model),
            "input_tokens": _tokens(call.input_tokens),
            "output_tokens": _tokens(call.output_tokens),
            "cost": cost,
            "call_id": call.id,
        },
    )


def read(connection: Connection, mission_id: MissionId | None) -> list[CallRecord]:
    """Return calls in the order they were made; of all missions if None."""
    statement = _SELECT.order_by(t.calls.c.at, t.calls.c.id)
    if mission_id is not None:
        statement = statement.where(t.calls.c.mission_id == mission_id)
    return [_record(row) for row in connection.execute(statement)]


def _record(row: Any) -> CallRecord:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["state"] = CallState(values["state"])
    for name in _TIMES:
        values[name] = values[name] and datetime.fromisoformat(values[name])
    return CallRecord(**values)


# -- sums --------------------------------------------------------------------------------


def sums(
    connection: Connection,
    by: Sequence[str],
    *,
    mission_id: MissionId | None,
    days: float | None,
    now: datetime,
) -> list[UsageSum]:
    """Return what was used and paid, in groups, dearest first.

    Dollars and tokens are those of the payments, which missions' costs are the sums of too;
    calls are only counted.

    Raises:
        UsageError: There is nothing to group by.
        UnknownNameError: There is no such group.
    """
    _require_groups(by)
    since = None
    if days is not None:
        since = utc_text(now - timedelta(days=min(max(days, 0.0), _LONGEST_DAYS)))
    found: dict[tuple[str, ...], UsageSum] = {}
    for row in connection.execute(_payments(by, mission_id, since)):
        keys, (cost, read_, written) = tuple(row[: len(by)]), row[len(by) :]
        found[keys] = UsageSum(
            keys, input_tokens=int(read_), output_tokens=int(written), cost=float(cost)
        )
    for row in connection.execute(_counted(by, mission_id, since)):
        keys, (live, spared, unknown, at_most) = tuple(row[: len(by)]), row[len(by) :]
        paid = found.get(keys) or UsageSum(keys)
        found[keys] = UsageSum(
            keys,
            int(live),
            int(spared),
            paid.input_tokens,
            paid.output_tokens,
            paid.cost,
            int(unknown),
            int(at_most),
        )
    return sorted(found.values(), key=lambda each: (-each.cost, -each.calls, each.keys))


def _require_groups(by: Sequence[str]) -> None:
    if not by or isinstance(by, str):
        raise UsageError(
            "There is nothing to sum up by.", hint=f"Name some of {', '.join(GROUPS)}."
        )
    for name in by:
        if name not in GROUPS:
            raise UnknownNameError("group of usage", str(name), GROUPS)


def _payments(
    by: Sequence[str], mission_id: MissionId | None, since: str | None
) -> Select[Any]:
    u, c, k = t.usage.c, t.calls.c, t.tasks.c
    at = func.coalesce(type_coerce(c.at, Text), type_coerce(u.at, Text))
    keys = {
        "mission": t.missions.c.short_id,
        "agent": func.coalesce(c.agent, k.agent, ""),
        "task": func.coalesce(k.name, c.task, ""),
        "model": func.coalesce(_model_key(mission_id, since), u.model),
        "day": func.substr(at, 1, 10),
    }
    rows = (
        select(
            *(keys[name].label(f"key_{place}") for place, name in enumerate(by)),
            u.cost.label("cost"),
            u.input_tokens.label("read"),
            u.output_tokens.label("written"),
        )
        .join(t.missions, t.missions.c.id == u.mission_id)
        .outerjoin(t.calls, c.id == u.call_id)
        .outerjoin(t.tasks, k.id == u.task_id)
    )
    each = _narrowed(rows, u.mission_id, at, mission_id, since).subquery()
    names = [each.c[f"key_{place}"] for place in range(len(by))]
    added = (_sum(each.c[name]) for name in ("cost", "read", "written"))
    return select(*names, *added).group_by(*names)


def _is_unknown() -> ColumnElement[bool]:
    """Tell which calls were paid, and nobody knows how much."""
    c = t.calls.c
    return (c.source == ReplySource.LIVE.value) & c.state.in_(_PAID) & c.cost.is_(None)


def _is_at_most() -> ColumnElement[bool]:
    """Tell which calls count with what was kept for them."""
    c = t.calls.c
    is_live = c.source == ReplySource.LIVE.value
    return is_live & (c.state == CallState.LOST.value) & (c.cost > 0)


def uncertain_among(
    connection: Connection, missions: Sequence[MissionId]
) -> dict[MissionId, tuple[int, int]]:
    """Return of how many calls nobody knows the cost, and of how many only the most.

    Of the missions that have any.
    """
    c, unknown, at_most = t.calls.c, _is_unknown(), _is_at_most()
    statement = (
        select(
            c.mission_id,
            func.sum(case((unknown, 1), else_=0)),
            func.sum(case((at_most, 1), else_=0)),
        )
        .where(c.mission_id.in_(missions), unknown | at_most)
        .group_by(c.mission_id)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(statement)}


def _counted(by: Sequence[str], mission_id: MissionId | None, since: str | None) -> Select[Any]:
    c = t.calls.c
    at = type_coerce(c.at, Text)
    keys = {
        "mission": t.missions.c.short_id,
        "agent": c.agent,
        "task": c.task,
        "model": _model_key(mission_id, since),
        "day": func.substr(at, 1, 10),
    }
    is_live = c.source == ReplySource.LIVE.value
    rows = select(
        *(keys[name].label(f"key_{place}") for place, name in enumerate(by)),
        case((is_live, 1), else_=0).label("live"),
        case((is_live, 0), else_=1).label("spared"),
        case((_is_unknown(), 1), else_=0).label("unknown"),
        case((_is_at_most(), 1), else_=0).label("at_most"),
    ).join(t.missions, t.missions.c.id == c.mission_id)
    each = _narrowed(rows, c.mission_id, at, mission_id, since).subquery()
    names = [each.c[f"key_{place}"] for place in range(len(by))]
    added = (func.sum(each.c[name]) for name in ("live", "spared", "unknown", "at_most"))
    return select(*names, *added).group_by(*names)


def _model_key(mission_id: MissionId | None, since: str | None) -> ColumnElement[str]:
    """Return the name of a call's model, with its host where several have one of that name."""
    c, k = t.calls.c, t.calls.alias().c
    names = select(k.model).group_by(k.model).having(func.count(k.host.distinct()) > 1)
    several = _narrowed(names, k.mission_id, type_coerce(k.at, Text), mission_id, since)
    return case((c.model.in_(several), c.model + literal(" at ") + c.host), else_=c.model)


def _sum(column: ColumnElement[Any]) -> ColumnElement[float]:
    # SQLite fails when whole numbers add up to more than 63 bits, as absurd ones soon do.
    return func.sum(cast(column, Float))


def _narrowed(
    rows: Select[Any],
    mission: ColumnElement[str],
    at: ColumnElement[str],
    mission_id: MissionId | None,
    since: str | None,
) -> Select[Any]:
    if mission_id is not None:
        rows = rows.where(mission == mission_id)
    return rows if since is None else rows.where(at >= since)


# -- what tasks have used before ---------------------------------------------------------


def history(connection: Connection, agent: str, model: str, limit: int) -> list[TaskHistory]:
    """Return what tasks of an agent with a model have used, newest first."""
    rows = connection.execute(_past(clean(agent), clean(model)).limit(max(limit, 0))).all()
    sizes = _sizes(connection, [row[6] for row in rows])
    return [
        TaskHistory(
            agent,
            model,
            calls=calls,
            input_tokens=int(read_),
            output_tokens=int(written),
            seconds=float(worked_s),
            size=sizes.get(first, 0),
            cached_tokens=int(cached),
        )
        for _id, worked_s, calls, read_, written, cached, first in rows
    ]


def _past(agent: str, model: str) -> Select[Any]:
    """Return what tasks have used, a row each; those that asked another model are left out."""
    c, k = t.calls.c, t.tasks.c
    latest = (
        select(c.task_id)
        .where(c.agent == agent, c.model == model, c.task_id.is_not(None))
        .order_by(type_coerce(c.at, Text).desc())
        .limit(_CALLS_LOOKED_AT)
    ).subquery()
    is_other = or_(c.source != ReplySource.LIVE.value, c.model != model)
    return (
        select(
            k.id,
            k.worked_s,
            func.count(),
            _sum(c.input_tokens),
            _sum(c.output_tokens),
            _sum(c.cached_tokens),
            func.min(c.id),
        )
        .join(t.calls, c.task_id == k.id)
        .where(k.id.in_(select(latest.c.task_id)), k.state == TaskState.SUCCEEDED.value)
        .group_by(k.id, k.worked_s, k.finished_at)
        .having(func.sum(case((is_other, 1), else_=0)) == 0)
        .order_by(type_coerce(k.finished_at, Text).desc(), k.id)
    )


def _sizes(connection: Connection, calls: Iterable[str]) -> dict[str, int]:
    """Return how long the texts of requests are that are kept, by call."""
    ids = list(calls)
    if not ids:
        return {}
    c, a = t.calls.c, t.artifacts.c
    found = select(c.id, a.size_bytes).join(t.artifacts, a.digest == c.request)
    return {row[0]: int(row[1]) for row in connection.execute(found.where(c.id.in_(ids)))}
