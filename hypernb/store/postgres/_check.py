"""What the doctor asks a store on a server; pages and references are the server's own care."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from hypernb.store import _tables as t
from hypernb.store._check import gaps_told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


def problems(connection: Connection) -> Iterator[str]:
    """Yield what is wrong, one sentence each."""
    rows = connection.execute(select(t.counters.c.name, t.counters.c.value)).all()
    counters = {row.name: row.value for row in rows}
    seq = t.events.c.seq
    last, many = connection.execute(select(func.max(seq), func.count(seq))).one()
    yield from gaps_told(counters, last, many)
    a = t.artifacts.c
    lost = connection.execute(select(func.count()).where(a.data.is_(None))).scalar_one()
    if lost:
        yield f"{lost} artifacts have lost their bytes."
