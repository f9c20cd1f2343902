"""Leases: who may write for a resource, and whether that process still lives."""

from __future__ import annotations

import functools
import os
import platform
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update

from hypernb.errors import LeaseLostError
from hypernb.model import EventKind, LeaseRecord, RunnerId
from hypernb.store import _rows
from hypernb.store import _tables as t
from hypernb.store._commit import check_lease
from hypernb.store._events import append_event
from hypernb.store._resources import free_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

# The start of a process is counted from the boot, and the boot's time moves when the clock is
# set; a process id that was given again within seconds is not a thing that happens.
_SAME_START_S: Final = 3.0

_UNTOLD_LENGTH_S: Final = 15.0

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
        "machine": _machine(),
        "pid": os.getpid(),
        "pid_started": psutil.Process().create_time(),
    }


@functools.cache
def _machine() -> str:
    """Return where process ids mean the same: this boot, and of containers this one."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def is_dead(facts: Mapping[str, Any]) -> bool:
    """Tell whether facts name a process of this machine that is no more.

    False if nobody can tell from here: another machine, another container, the time before
    the machine was started anew, or facts that name no process.
    """
    pid = facts.get("pid")
    if facts.get("host") != platform.node() or not isinstance(pid, int) or pid <= 0:
        return False
    if facts.get("machine", _machine()) != _machine():
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


def seems_held(lease: LeaseRecord, now: datetime) -> bool:
    """Tell by the wall clock, for people and for a first guess, whether a lease is held."""
    return bool(lease.holder) and lease.expires_at > now and not is_dead(lease.facts)


class Watch:
    """What this process has seen of leases, timed by a clock of its own.

    Wall clocks are set, differ from machine to machine, and jump when a laptop wakes up. So
    a holder whose death cannot be seen counts as gone only when nothing of its lease has
    changed for the whole length of it, while we looked. Who wakes up later than that is kept
    from writing by its token.

    Args:
        monotonic: Seconds that never go backwards. If they stand still while the machine
            sleeps, so do those of its other processes.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[str, tuple[LeaseRecord, float]] = {}
        self._lock = threading.Lock()

    def is_silent(self, lease: LeaseRecord) -> bool:
        """Look at a lease; True if it has been the same for its whole length."""
        now = self._monotonic()
        with self._lock:
            seen, since = self._seen.get(lease.resource, (None, now))
            if seen != lease:
                self._seen[lease.resource] = (lease, now)
                return False
            return now - since >= _length_s(lease)


def _length_s(lease: LeaseRecord) -> float:
    told = lease.facts.get("ttl_s")
    return float(told) if isinstance(told, int | float) and told >= 0 else _UNTOLD_LENGTH_S


def asked_for(
    resource: str, holder: RunnerId, ttl: timedelta, facts: Mapping[str, Any], now: datetime
) -> LeaseRecord:
    """Lay out a lease that somebody would like to have; its token comes with it."""
    told = {**facts, "ttl_s": ttl.total_seconds(), "renewals": 0}
    return LeaseRecord(resource, holder, 0, now + ttl, told)


def renewed(
    lease: LeaseRecord, ttl: timedelta, facts: Mapping[str, Any], now: datetime
) -> LeaseRecord:
    """Lay out a lease's renewal: it differs from what it was, whatever the clock says."""
    times = lease.facts.get("renewals", 0) + 1
    told = {**facts, "ttl_s": ttl.total_seconds(), "renewals": times}
    return LeaseRecord(lease.resource, lease.holder, lease.token, now + ttl, told)


def take(
    connection: Connection, lease: LeaseRecord, watch: Watch
) -> tuple[LeaseRecord, LeaseRecord | None] | None:
    """Take a lease, inside a write transaction.

    Args:
        lease: What is asked for; its token is not looked at.

    Returns:
        The lease with its token and what was there before, or None if somebody may have it.
    """
    row = connection.execute(_ONE, {"wanted": lease.resource}).one_or_none()
    before = LeaseRecord(*row) if row else None
    may_live = before is not None and before.holder and not is_dead(before.facts)
    if before is not None and may_live and not watch.is_silent(before):
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
        _free_permits(connection, taken)
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
    _free_permits(connection, lease)
    return True


def _free_permits(connection: Connection, lease: LeaseRecord) -> None:
    """Permits live no longer than the lease that they were taken under."""
    kind, _, name = lease.resource.partition(":")
    if kind == "mission":
        free_all(connection, name)


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
