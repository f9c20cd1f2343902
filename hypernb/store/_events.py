"""Events: numbered in the transaction that writes them, so the numbers have no gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from hypernb.errors import StoreCorruptError
from hypernb.store import _tables as t

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_TAKE: Final = (
    update(t.counters)
    .where(t.counters.c.name == bindparam("counter"))
    .values(value=t.counters.c.value + bindparam("many"))
    .returning(t.counters.c.value)
)
_INSERT: Final = insert(t.events)
_LAST: Final = select(t.counters.c.value).where(t.counters.c.name == "event")


def take_numbers(connection: Connection, counter: str, many: int = 1) -> int:
    """Take the next numbers of a counter and return the last of them."""
    last = connection.execute(_TAKE, {"counter": counter, "many": many}).scalar()
    if last is None:
        raise StoreCorruptError(f"The store has lost its counter {counter!r}.")
    return int(last)


def last_seq(connection: Connection) -> int:
    """Return the number of the newest event."""
    return int(connection.execute(_LAST).scalar() or 0)


def append_events(connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Write events in order; return the ``seq`` of the last.

    Args:
        connection: Inside a write transaction.
        rows: Values by column, without ``seq``; this adds it.
    """
    last = take_numbers(connection, "event", len(rows))
    for seq, row in enumerate(rows, last - len(rows) + 1):
        row["seq"] = seq
    connection.execute(_INSERT, rows)
    return last


def append_event(
    connection: Connection,
    kind: str,
    at: datetime,
    mission_id: str | None = None,
    **payload: Any,
) -> int:
    """Write one event about a mission or the store; return its ``seq``."""
    return append_events(connection, [event_row(kind, at, mission_id, payload)])


def event_row(
    kind: str, at: datetime, mission_id: str | None, payload: Mapping[str, Any]
) -> dict[str, Any]:
    """Lay out an event that is about no task."""
    return {
        "at": at,
        "kind": kind,
        "mission_id": mission_id,
        "task_id": None,
        "task": None,
        "attempt": None,
        "payload": payload,
    }
