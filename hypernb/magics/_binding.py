"""``--out NAME`` of a cell that does not wait: the variable fills when the mission ends."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from hypernb.errors import HypernbError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from hypernb.session import Mission

_log = logging.getLogger(__name__)


def bind_later(namespace: MutableMapping[str, Any], name: str, mission: Mission) -> None:
    """Bind the name to the mission now, and to its result when that is there.

    Until then the name holds the mission itself, so using it early says what it waits for. A
    variable that was bound to something else in the meantime is left alone.
    """
    namespace[name] = mission

    def fill() -> None:
        try:
            mission.wait()
            if namespace.get(name) is mission and mission.has_result:
                value = namespace[name] = mission.partial_result()
                mission.remember_bound(name, value)
        except HypernbError as error:
            # A line is enough: a terminal shows its log over what is being typed.
            _log.warning("%s was not bound to the result of %s: %s", name, mission.id, error)

    threading.Thread(target=fill, name=f"hypernb result of {mission.id}", daemon=True).start()
