"""Answers of models that are kept for the very same request, within bounds."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, select, update

from hypernb.model import CacheStats
from hypernb.store import _tables as t
from hypernb.store._values import clean

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from hypernb.store._keys import SigningKey

MOST_BYTES: Final = 200 * 1024 * 1024
LONGEST: Final = timedelta(days=90)
_PURPOSE: Final = "cached reply"
_SIGNATURE_BYTES: Final = 64
_e: Final = t.cache_entries.c


def find(
    connection: Connection, request_hash: str, since: datetime, key: SigningKey
) -> bytes | None:
    """Return the answer that was kept for a request, if it is not older and this user's."""
    kept = clean(request_hash)
    wanted = select(_e.reply).where(_e.request_hash == kept, _e.at >= since)
    found = bytes(connection.execute(wanted).scalar() or b"")
    signature, reply = found[:_SIGNATURE_BYTES], found[_SIGNATURE_BYTES:]
    is_signed = key.verify(signature.decode("ascii", "replace"), *_parts(kept, reply))
    return reply if is_signed else None


def keep(  # noqa: PLR0913  each is named at the call
    connection: Connection,
    request_hash: str,
    reply: bytes,
    *,
    model: str,
    cost: float | None,
    now: datetime,
    key: SigningKey,
) -> None:
    """Keep an answer in the place of an older one; what that has spared stays counted."""
    kept = clean(request_hash)
    row = {
        # Who could put an answer there would say what a model says, the plan of it included.
        "reply": key.sign(*_parts(kept, reply)).encode() + reply,
        "size_bytes": len(reply),
        "model": clean(model),
        "cost": cost,
        "at": now,
        "used_at": now,
    }
    renewed = update(t.cache_entries).where(_e.request_hash == kept).values(row)
    if not connection.execute(renewed).rowcount:
        connection.execute(insert(t.cache_entries), {"request_hash": kept, **row})


def _parts(request_hash: str, reply: bytes) -> tuple[str, str, str]:
    return _PURPOSE, request_hash, hashlib.sha256(reply).hexdigest()


def count_hit(connection: Connection, request_hash: str, now: datetime) -> None:
    """Note that an answer was used once more, and what a call would have cost."""
    connection.execute(
        update(t.cache_entries)
        .where(_e.request_hash == clean(request_hash))
        .values(
            hits=_e.hits + 1,
            spared=_e.spared + func.coalesce(_e.cost, 0.0),
            used_at=now,
        )
    )


def stats(connection: Connection) -> CacheStats:
    """Return what is kept, and what that has spared."""
    total = (
        func.coalesce(func.sum(column), 0) for column in (_e.size_bytes, _e.hits, _e.spared)
    )
    entries, size, hits, spared = connection.execute(select(func.count(), *total)).one()
    return CacheStats(int(entries), int(size), int(hits), float(spared))


def evict(connection: Connection, before: datetime | None, model: str) -> int:
    """Forget answers: those from before a time, those of a model, or all; return how many."""
    gone = delete(t.cache_entries)
    if before is not None:
        gone = gone.where(_e.at < before)
    if model:
        gone = gone.where(_e.model == clean(model))
    return connection.execute(gone).rowcount


def bound(connection: Connection, now: datetime) -> int:
    """Forget what is old, and of the rest what was not used for longest, if it is too much."""
    many = evict(connection, now - LONGEST, "")
    total = connection.execute(select(func.coalesce(func.sum(_e.size_bytes), 0))).scalar_one()
    surplus, keys = int(total) - MOST_BYTES, []
    if surplus <= 0:
        return many
    oldest = select(_e.request_hash, _e.size_bytes).order_by(_e.used_at, _e.request_hash)
    for key, size in connection.execute(oldest):
        if surplus <= 0:
            break
        keys.append(key)
        surplus -= size
    for key in keys:
        connection.execute(delete(t.cache_entries).where(_e.request_hash == key))
    return many + len(keys)
