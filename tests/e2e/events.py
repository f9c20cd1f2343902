"""Events by the thousand, as a runner would commit them, without a runner."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypernb.store import SqlStore
from hypernb.store._events import append_rows
from hypernb.store._values import json_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.session import Mission


def append_notes(mission: Mission, notes: Sequence[str]) -> int:
    """Have the first task of a mission say something; return the last event's ``seq``."""
    store, task = mission.session.store, mission.snapshot(events=1).tasks[0]
    if not isinstance(store, SqlStore):
        raise TypeError("Only a store of this package takes events without a lease.")
    at = utc_text(datetime.now(UTC))  # noqa: TID251 (no clock is handed in)
    kind, about = "task.progressed", (mission.record.id, task.id, task.name, 1)
    rows = [(at, kind, *about, json_text({"note": note})) for note in notes]
    with store._database.writing() as connection:
        return append_rows(connection, rows)
