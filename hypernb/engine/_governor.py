"""The governor: which of the store's resources a runner need not ask for now."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator
    from typing import Any

    from hypernb.abc import Clock
    from hypernb.model import Wait

LOOK_S: Final = 0.25
"""How often to ask for what others hold; they are in other processes and tell nobody."""
_LONGEST_LOOK_S: Final = 2.0
"""Somebody may change a limit meanwhile."""
_SHORTEST_LOOK_S: Final = 0.001


class Governor:
    """Remembers what the store refused, so that a thousand tasks do not ask for one thing.

    The store decides who gets what, for all runners and missions; see
    `hypernb.abc.Store.take_permits`. Nothing here is a promise, it only saves questions.

    Args:
        spawn: Starts a named task in the runner's group.
        poke: Asks the runner to decide again what may start.
    """

    def __init__(
        self,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
        poke: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._spawn = spawn
        self._poke = poke
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._asked: set[str] = set()

    @property
    def lacking(self) -> Collection[str]:
        """Resources that cannot be had now, or are being asked for."""
        if not self._asked:
            return self._timers.keys()
        return self._asked | self._timers.keys()

    @contextmanager
    def asking(self, names: Collection[str]) -> Iterator[None]:
        """Keep others from asking for the same: what it is told decides about them."""
        self._asked.update(names)
        try:
            yield
        finally:
            self._asked.difference_update(names)

    def note(self, wait: Wait) -> None:
        """Remember that a resource cannot be had, and look again when that may have changed."""
        self._drop(wait.resource)
        after_s = LOOK_S if wait.after_s is None else wait.after_s
        pause_s = min(max(after_s, _SHORTEST_LOOK_S), _LONGEST_LOOK_S)
        self._timers[wait.resource] = self._spawn(
            self._again(wait.resource, pause_s), f"wait for {wait.resource}"
        )

    def freed(self, names: Iterable[str]) -> None:
        """Take note that permits were given back."""
        for name in names:
            self._drop(name)
        self._poke()

    async def _again(self, name: str, pause_s: float) -> None:
        await self._clock.sleep(pause_s)
        del self._timers[name]
        self._poke()

    def _drop(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
