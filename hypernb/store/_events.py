"""Events: numbered in the transaction that writes them, so the numbers have no gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, update

from hypernb.errors import StoreCorruptError
from hypernb.store import _tables as t
from hypernb.store._bulk import InsertMany, Lookup, Row
from hypernb.store._values import json_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_TAKE: Final = Lookup(
    update(t.counters)
    .where(t.counters.c.name == bindparam("counter"))
    .values(value=t.counters.c.value + bindparam("many"))
    .returning(t.counters.c.value),
    "counter",
    "many",
)
_INSERT: Final = InsertMany(
    t.events,
    "seq",
    "at",
    "kind",
    "mission_id",
    "task_id",
    "task",
    "attempt",
    "payload",
)
_LAST: Final = select(t.counters.c.value).where(t.counters.c.name == "event")


def take_numbers(connection: Connection, counter: str, many: int = 1) -> int:
    """Take the next numbers of a counter and return the last of them."""
    found = _TAKE.rows(connection, counter, many)
    if not found:
        raise StoreCorruptError(f"The store has lost its counter {counter!r}.")
    return int(found[0][0])


def last_seq(connection: Connection) -> int:
    """Return the number of the newest event."""
    return int(connection.execute(_LAST).scalar() or 0)


def append_rows(connection: Connection, rows: Sequence[Row]) -> int:
    """Write events in order; return the ``seq`` of the last.

    Args:
        connection: Inside a write transaction.
        rows: Time, kind, mission, task's id, task's name, attempt, payload; as text.
    """
    last = take_numbers(connection, "event", len(rows))
    first = last - len(rows) + 1
    _INSERT.run(connection, [(seq, *row) for seq, row in enumerate(rows, first)])
    return last


def append_event(
    connection: Connection,
    kind: str,
    at: datetime,
    facts: Mapping[str, Any],
    mission_id: str | None = None,
    *,
    task: tuple[str, str] | None = None,
) -> int:
    """Write an event about a mission, a task (id, name) or the store; return its ``seq``."""
    task_id, name = task or (None, None)
    row = (utc_text(at), str(kind), mission_id, task_id, name, None, json_text(facts))
    return append_rows(connection, [row])
