"""Resources and their permits: one transaction takes all that an attempt needs, or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from hypernb.model import AttemptState, Resource, ResourceUse
from hypernb.store import _tables as t
from hypernb.store._bulk import Bulk, Lookup
from hypernb.store._values import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Select

    from hypernb.model import MissionId, Refusal, Wait

Key = tuple[str, int]
"""A task's id and an attempt's number."""
End = tuple[AttemptState, "Refusal | None", datetime]
"""How an attempt ended, what was refused, and when it began."""

# In the order of the fields of `Resource`.
_r: Final = t.resources.c
_COLUMNS: Final = (
    _r.name,
    _r.at_once,
    _r.rate_per_s,
    _r.burst,
    _r.ceiling,
    _r.tokens,
    _r.filled_at,
    _r.closed_at,
    _r.closed_s,
    _r.refusals,
)
_SELECT: Final[Select[Any]] = select(*_COLUMNS)
_HELD: Final = select(t.permits.c.resource, func.count()).group_by(t.permits.c.resource)
_OF_MISSION: Final = Lookup(
    select(t.permits.c.resource, t.permits.c.task_id, t.permits.c.attempt).where(
        t.permits.c.mission_id == bindparam("mission")
    ),
    "mission",
)
_GIVE_BACK: Final = Bulk(
    delete(t.permits).where(
        t.permits.c.resource == bindparam("name"),
        t.permits.c.task_id == bindparam("task"),
        t.permits.c.attempt == bindparam("number"),
    ),
    "name",
    "task",
    "number",
)


def limit(
    connection: Connection,
    name: str,
    *,
    at_once: int | None,
    rate_per_s: float | None,
    burst: int,
) -> Resource:
    """Set a resource's limits; what was learnt of it is forgotten, and all without limits."""
    resource = Resource(clean(name), at_once, rate_per_s, burst, tokens=float(burst))
    if at_once is None and rate_per_s is None:
        connection.execute(delete(t.resources).where(_r.name == resource.name))
    else:
        _write(connection, [resource])
    return resource


def uses(connection: Connection, at: datetime) -> list[ResourceUse]:
    """Return every resource that has a limit, was learnt of, or is held; by name."""
    known = _known(connection)
    held = _held(connection)
    named = {**{name: Resource(name) for name in held}, **known}
    counted = [(named[name], held.get(name, 0)) for name in sorted(named)]
    return [ResourceUse(each, many, each.wait(many, at)) for each, many in counted]


def hurdle(connection: Connection, key: Key, names: Sequence[str], at: datetime) -> Wait | None:
    """Return why an attempt cannot have all of its resources now; None if it can."""
    known, held = _known(connection, names), _held(connection, names)
    own = _own(connection, key)
    for name in dict.fromkeys(names):
        if name not in own:
            resource = known.get(name) or Resource(name)
            if (wait := resource.wait(held.get(name, 0), at)) is not None:
                return wait
    return None


def take(
    connection: Connection, mission_id: MissionId, key: Key, names: Sequence[str], at: datetime
) -> Wait | None:
    """Take a permit of each resource for an attempt, inside a write transaction.

    Returns:
        Why nothing was taken; None if all are held, now or already.
    """
    if (wait := hurdle(connection, key, names, at)) is not None:
        return wait
    own = _own(connection, key)
    new = [name for name in dict.fromkeys(names) if name not in own]
    known = _known(connection, new)
    _write(connection, [known[name].taken(at) for name in new if name in known])
    task, attempt = key
    if new:
        rows = [
            {
                "resource": name,
                "task_id": task,
                "attempt": attempt,
                "mission_id": mission_id,
                "at": at,
            }
            for name in new
        ]
        connection.execute(insert(t.permits), rows)
    return None


def give_back(
    connection: Connection, mission_id: MissionId, ends: Mapping[Key, End], at: datetime
) -> None:
    """Free the permits of attempts that end, and learn from how they end."""
    rows = _OF_MISSION.rows(connection, mission_id)
    freed = [row for row in rows if (row[1], row[2]) in ends]
    if not freed:
        return
    names = sorted({name for name, _, _ in freed})
    known, held = _known(connection, names), _held(connection, names)
    learnt: dict[str, Resource] = {}
    for name, task, number in freed:
        before = learnt.get(name) or known.get(name) or Resource(name)
        after = _after(before, held[name], ends[task, number], at)
        if after != before:
            learnt[name] = after
    _GIVE_BACK.run(connection, freed)
    _write(connection, list(learnt.values()))


def _after(resource: Resource, held: int, end: End, at: datetime) -> Resource:
    state, refusal, began = end
    if state is AttemptState.SUCCEEDED:
        return resource.served()
    if refusal is None or (refusal.resources and resource.name not in refusal.resources):
        return resource
    return resource.refused(held, at, refusal.retry_after_s, began=began)


def free_all(connection: Connection, mission_id: str) -> None:
    """Free all permits of a mission: who held them has no lease on it any more."""
    connection.execute(delete(t.permits).where(t.permits.c.mission_id == mission_id))


def _known(connection: Connection, names: Iterable[str] | None = None) -> dict[str, Resource]:
    chosen = _SELECT if names is None else _SELECT.where(_r.name.in_(list(names)))
    found: Sequence[Any] = connection.execute(chosen).all()
    return {row[0]: Resource(*row) for row in found}


def _held(connection: Connection, names: Iterable[str] | None = None) -> dict[str, int]:
    chosen = _HELD if names is None else _HELD.where(t.permits.c.resource.in_(list(names)))
    found: Sequence[Any] = connection.execute(chosen).all()
    return dict(found)


def _own(connection: Connection, key: Key) -> set[str]:
    task, attempt = key
    own = select(t.permits.c.resource).where(
        t.permits.c.task_id == task, t.permits.c.attempt == attempt
    )
    return set(connection.execute(own).scalars())


def _write(connection: Connection, resources: Sequence[Resource]) -> None:
    for each in resources:
        fields: dict[str, Any] = {
            column.name: getattr(each, column.name) for column in _COLUMNS
        }
        found = update(t.resources).where(_r.name == each.name).values(fields)
        if not connection.execute(found).rowcount:
            connection.execute(insert(t.resources), fields)
