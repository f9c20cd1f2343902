"""Leases: who may write for a resource, until when, and whether that process still lives."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from hypernb.errors import LeaseLostError
from hypernb.model import EventKind, LeaseRecord, RunnerId
from hypernb.store import _rows
from hypernb.store import _tables as t
from hypernb.store._commit import check_lease
from hypernb.store._events import append_event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

# The start of a process is counted from the boot, and the boot's time moves when the clock is
# set; a process id that was given again within seconds is not a thing that happens.
_SAME_START_S: Final = 3.0

_ONE: Final = _rows.SELECT_LEASES.where(t.leases.c.resource == bindparam("wanted"))
_WRITE: Final = (
    update(t.leases)
    .where(t.leases.c.resource == bindparam("wanted"))
    .values(
        holder=bindparam("new_holder"),
        token=bindparam("new_token"),
        expires_at=bindparam("new_expires_at"),
        facts=bindparam("new_facts"),
    )
)
_VOID: Final = (
    update(t.leases)
    .where(t.leases.c.resource == bindparam("wanted"))
    .values(holder="", token=t.leases.c.token + 1)
)


def process_facts() -> dict[str, Any]:
    """Return what a lease says of this process, so that others can tell whether it lives."""
    import psutil

    return {
        "host": platform.node(),
        "pid": os.getpid(),
        "pid_started": psutil.Process().create_time(),
    }


def is_dead(facts: Mapping[str, Any]) -> bool:
    """Tell whether facts name a process of this machine that is no more.

    False if nobody can tell from here: another machine, or facts that name no process.
    """
    pid = facts.get("pid")
    if facts.get("host") != platform.node() or not isinstance(pid, int) or pid <= 0:
        return False
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        started = facts.get("pid_started")
        return (
            isinstance(started, int | float)
            and abs(process.create_time() - started) > _SAME_START_S
        )
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def is_live(lease: LeaseRecord, now: datetime) -> bool:
    """Tell whether somebody holds the lease now."""
    return bool(lease.holder) and lease.expires_at > now and not is_dead(lease.facts)


def take(
    connection: Connection, lease: LeaseRecord, now: datetime
) -> tuple[LeaseRecord, LeaseRecord | None] | None:
    """Take a lease, inside a write transaction.

    Args:
        lease: What is asked for; its token is not looked at.

    Returns:
        The lease with its token and what was there before, or None if somebody alive has it.
    """
    row = connection.execute(_ONE, {"wanted": lease.resource}).one_or_none()
    before = LeaseRecord(*row) if row else None
    if before is not None and is_live(before, now):
        return None
    token = before.token + 1 if before else 1
    taken = LeaseRecord(lease.resource, lease.holder, token, lease.expires_at, lease.facts)
    if before is None:
        connection.execute(
            insert(t.leases),
            {
                "resource": taken.resource,
                "holder": taken.holder,
                "token": token,
                "expires_at": taken.expires_at,
                "facts": taken.facts,
            },
        )
    else:
        _write(connection, taken)
    return taken, before


def tell_of_taking(
    connection: Connection, lease: LeaseRecord, before: LeaseRecord, now: datetime
) -> None:
    """Write that nobody gave the lease back: its holder died, or was silent for too long."""
    kind, _, name = lease.resource.partition(":")
    known = select(t.missions.c.id).where(t.missions.c.id == name)
    facts = {
        "resource": lease.resource,
        "holder": lease.holder,
        "token": lease.token,
        "before": before.holder,
    }
    mission_id = connection.execute(known).scalar() if kind == "mission" else None
    append_event(connection, EventKind.LEASE_TAKEN, now, facts, mission_id)


def renew(connection: Connection, lease: LeaseRecord) -> LeaseRecord:
    """Write a lease's new end and facts.

    Raises:
        LeaseLostError: Another holder has it.
    """
    check_lease(connection, lease, lease.resource)
    _write(connection, lease)
    return lease


def release(connection: Connection, lease: LeaseRecord, now: datetime) -> bool:
    """Free a lease; its row stays, so the next token is higher. False if it is another's."""
    try:
        check_lease(connection, lease, lease.resource)
    except LeaseLostError:
        return False
    _write(connection, LeaseRecord(lease.resource, RunnerId(""), lease.token, now))
    return True


def void(connection: Connection, resource: str) -> None:
    """Take a lease away, if there is one: its holder's next write is refused.

    A runner may have read a mission just before a person changed or ended it; what it then
    begins would be about a mission that is no more.
    """
    connection.execute(_VOID, {"wanted": resource})


def _write(connection: Connection, lease: LeaseRecord) -> None:
    connection.execute(
        _WRITE,
        {
            "wanted": lease.resource,
            "new_holder": lease.holder,
            "new_token": lease.token,
            "new_expires_at": lease.expires_at,
            "new_facts": lease.facts,
        },
    )
