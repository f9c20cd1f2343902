"""Which objects of this process came out of which mission: remembered, and never kept alive."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hypernb.model import MissionRecord
    from hypernb.session._session import Session

NAMES_AT_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an object came from.

    Attributes:
        store: The store that has the mission.
        mission: Its id.
        task: The task that returned it; empty for several together.
        equals: Other tasks that returned the same: nobody knows which of them is meant.
    """

    store: str
    mission: str
    task: str = ""
    equals: tuple[str, ...] = ()


_by_id: dict[int, tuple[weakref.ref[Any], Origin]] = {}
_by_name: dict[str, tuple[int, Origin]] = {}
_wanted: dict[str, Origin] = {}
_lock: Final = threading.Lock()


def remember(value: Any, record: MissionRecord, task: str, session: Session) -> None:
    """Remember where an object came from, as long as it exists.

    Numbers, texts and lists cannot be told from others that look the same, so they are not
    remembered; the store finds them by what they are.
    """
    number, origin = id(value), Origin(session.store.url, str(record.id), task)
    try:
        # Without the lock: it may be called while this thread has it.
        alive = weakref.ref(value, lambda _gone: _by_id.pop(number, None))
    except TypeError:
        return
    if not isinstance(value, type):
        _by_id[number] = (alive, origin)


def remember_name(name: str, value: Any, origin: Origin) -> None:
    """Remember what a variable was bound to by a mission; counts until it is bound anew."""
    with _lock:
        while len(_by_name) >= NAMES_AT_MOST:
            del _by_name[next(iter(_by_name))]
        _by_name[name] = (id(value), origin)


def remember_wanted(name: str, origin: Origin) -> None:
    """Remember which mission a variable is to have the result of."""
    with _lock:
        while len(_wanted) >= NAMES_AT_MOST:
            del _wanted[next(iter(_wanted))]
        _wanted[name] = origin


def wanted_of(name: str) -> Origin | None:
    """Return the mission whose result a variable was to have; None if nobody said so."""
    return _wanted.get(name)


def origin_of(value: Any) -> Origin | None:
    """Return where this very object came from; None if that is not known."""
    alive, origin = _by_id.get(id(value), (None, None))
    return origin if alive is not None and alive() is value else None


def origin_of_name(name: str, value: Any) -> Origin | None:
    """Return which mission has bound a variable, if nobody has bound it to another since."""
    number, origin = _by_name.get(name, (0, None))
    return origin if number == id(value) else None
