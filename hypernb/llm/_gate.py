"""One gate for each host: how many calls are under way at once, and how many a second."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hypernb.abc import ModelWait
from hypernb.clock import SystemClock
from hypernb.model import Hurdle, Resource

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from hypernb.abc import Clock
    from hypernb.model import Wait

_SHORTEST_LOOK_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Turn:
    """Why a call is not let in yet.

    Attributes:
        wait: What a person is told; None if others merely go first.
        is_excused: It is no time of the call's own: the server asked for it, or others go
            first.
    """

    wait: ModelWait | None
    is_excused: bool


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """One call that is under way."""

    host: str
    began: datetime


@dataclass(slots=True, eq=False)
class _Waiter:
    let_in: asyncio.Future[Permit]
    tell: Callable[[Turn], None]

    def hear(self, turn: Turn) -> None:
        if not self.let_in.done():
            self.tell(turn)


@dataclass(slots=True)
class _Host:
    resource: Resource
    permits: set[Permit] = field(default_factory=set)
    queue: deque[_Waiter] = field(default_factory=deque)
    told: object = None
    reason: str = ""
    said: str = ""
    asked_until: float = 0.0
    timer: asyncio.Task[None] | None = None

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class HostGate:
    """Lets calls to a host in, in the order they came, as many as it takes.

    All models of a runner share one. What a host can take at once is learnt from its refusals
    (`hypernb.model.Resource`); while one asked to be left alone, nobody is let in. Works in
    one event loop at a time. Cancelling who waits costs nobody a place.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock: Clock = clock or SystemClock()
        self._hosts: dict[str, _Host] = {}

    def limit(
        self,
        host: str,
        *,
        at_once: int | None = None,
        rate_per_s: float | None = None,
        burst: int = 1,
    ) -> None:
        """Set the limits of a host; None is no limit. What was learnt of it is forgotten.

        Args:
            host: As in `hypernb.model.ModelSpec.host`.
            at_once: How many calls may be under way at once.
            rate_per_s: How many may begin in a second, on average.
            burst: How many may begin at once after a rest.
        """
        state = self._state(host)
        state.resource = Resource(
            host, at_once=at_once, rate_per_s=rate_per_s, burst=burst, tokens=float(burst)
        )
        if state.queue:
            self._look(state)

    async def enter(self, host: str, tell: Callable[[Turn], None]) -> Permit:
        """Wait for one's turn. Cancelling the caller gives up its place.

        Args:
            tell: Told why it waits, and again when that changes; not called if it need not.
        """
        state = self._state(host)
        wait = state.resource.wait(len(state.permits), self._clock.now())
        if wait is None and not state.queue:
            return self._admit(state)
        waiter = _Waiter(asyncio.get_running_loop().create_future(), tell)
        tell(self._turn(state, wait))
        state.queue.append(waiter)
        if len(state.queue) == 1:
            state.told = _what(state, wait)
            self._look(state)
        try:
            return await waiter.let_in
        except asyncio.CancelledError:
            self._give_up(state, waiter)
            raise

    def served(self, permit: Permit) -> None:
        """Give a permit back after an answer."""
        state = self._hosts[permit.host]
        state.resource = state.resource.served()
        self.leave(permit)

    def refused(
        self, permit: Permit, reason: str, retry_after_s: float | None, *, said: str = ""
    ) -> None:
        """Give a permit back after the host said that it is asked too much.

        Args:
            reason: What those who wait are told.
            retry_after_s: How long it asked to be left alone; None if it did not say.
            said: What else it said, in its words.
        """
        state = self._hosts[permit.host]
        now, held = self._clock.now(), len(state.permits)
        state.resource = state.resource.refused(held, now, retry_after_s, began=permit.began)
        state.reason, state.said = reason, said
        if retry_after_s is not None:
            until = self._clock.monotonic() + retry_after_s
            state.asked_until = max(state.asked_until, until)
        self.leave(permit)

    def leave(self, permit: Permit) -> None:
        """Give a permit back; nothing happens if it was already."""
        state = self._hosts[permit.host]
        state.permits.discard(permit)
        if state.queue:
            self._look(state)

    def _state(self, host: str) -> _Host:
        if host not in self._hosts:
            self._hosts[host] = _Host(Resource(host))
        return self._hosts[host]

    def _admit(self, state: _Host) -> Permit:
        now = self._clock.now()
        state.resource = state.resource.taken(now)
        permit = Permit(state.resource.name, now)
        state.permits.add(permit)
        return permit

    def _give_up(self, state: _Host, waiter: _Waiter) -> None:
        if waiter.let_in.done() and not waiter.let_in.cancelled():
            self.leave(waiter.let_in.result())
        elif waiter in state.queue:
            state.queue.remove(waiter)
            if not state.queue:
                state.stop_timer()

    def _look(self, state: _Host) -> None:
        """Let in who can be, in order; have the others told if they wait for something else."""
        state.stop_timer()
        wait = None
        while state.queue:
            wait = state.resource.wait(len(state.permits), self._clock.now())
            if wait is not None:
                break
            waiter = state.queue.popleft()
            if not waiter.let_in.done():
                waiter.let_in.set_result(self._admit(state))
        if wait is None or not state.queue:
            state.told = None
            return
        loop = asyncio.get_running_loop()
        if (what := _what(state, wait)) != state.told:
            state.told = what
            for each in state.queue:
                # Whoever gives a permit back is not to meet the errors of those who wait.
                loop.call_soon(each.hear, self._turn(state, wait))
        if wait.after_s is not None:
            state.timer = loop.create_task(self._later(state, wait.after_s), name="gate")

    async def _later(self, state: _Host, after_s: float) -> None:
        # Clocks round: one that is woken a hair too early would look for ever.
        await self._clock.sleep(max(after_s, _SHORTEST_LOOK_S))
        state.timer = None
        self._look(state)

    def _turn(self, state: _Host, wait: Wait | None) -> Turn:
        if wait is None or wait.hurdle is not Hurdle.CLOSED:
            return Turn(None, is_excused=True)
        left = wait.after_s or 0.0
        # What the gate adds to a short wish, after many refusals, nobody has asked for.
        is_asked = state.asked_until - self._clock.monotonic() >= left - _SHORTEST_LOOK_S
        told = ModelWait(
            state.reason, left, is_asked=is_asked, said=state.said, is_refused=True
        )
        return Turn(told, is_excused=is_asked)


def _what(state: _Host, wait: Wait | None) -> object:
    """Return what makes one reason to wait differ from another."""
    if wait is None or wait.hurdle is not Hurdle.CLOSED:
        return "others"
    return state.resource.closed_at, state.resource.closed_s
