"""How many calls of a host are under way at once, and who goes next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hypernb.llm import HostGate
from hypernb.testing import FakeClock
from tests.unit.llm.asking import run

if TYPE_CHECKING:
    from hypernb.llm._gate import Permit, Turn

HOST = "localhost:1"


class Callers:
    """Calls that wait at a gate, and the order they were let in."""

    def __init__(self, gate: HostGate) -> None:
        self.gate = gate
        self.let_in: list[int] = []
        self.permits: dict[int, Permit] = {}
        self.turns: list[Turn] = []

    async def enter(self, number: int) -> None:
        self.permits[number] = await self.gate.enter(HOST, self.turns.append)
        self.let_in.append(number)

    def queue(self, numbers: range) -> list[asyncio.Task[None]]:
        loop = asyncio.get_running_loop()
        return [loop.create_task(self.enter(number)) for number in numbers]


async def settle() -> None:
    """Let every task do what it can."""
    for _ in range(20):
        await asyncio.get_running_loop().run_in_executor(None, int)


def limited(**limits: float) -> tuple[HostGate, FakeClock, Callers]:
    clock = FakeClock()
    gate = HostGate(clock)
    gate.limit(HOST, **limits)  # type: ignore[arg-type] # the tests' numbers fit
    return gate, clock, Callers(gate)


def test_no_more_are_let_in_than_the_limit() -> None:
    async def work() -> None:
        gate, _, callers = limited(at_once=2)
        tasks = callers.queue(range(5))
        await settle()
        assert callers.let_in == [0, 1]
        gate.served(callers.permits[0])
        await settle()
        assert callers.let_in == [0, 1, 2]
        for task in tasks:
            task.cancel()

    run(work)


def test_who_came_first_is_let_in_first() -> None:
    async def work() -> None:
        gate, _, callers = limited(at_once=1)
        tasks = callers.queue(range(50))
        for number in range(50):
            await settle()
            gate.served(callers.permits[number])
        await asyncio.gather(*tasks)
        assert callers.let_in == list(range(50))

    run(work)


@pytest.mark.parametrize(
    "waits", [pytest.param(True, id="waiting"), pytest.param(False, id="let-in")]
)
def test_cancelled_call_costs_nobody_a_place(*, waits: bool) -> None:
    async def work() -> None:
        gate, _, callers = limited(at_once=1)
        tasks = callers.queue(range(3))
        await settle()
        if not waits:
            gate.served(callers.permits[0])  # the next is let in, and does not know it yet
        tasks[1].cancel()
        await settle()
        if waits:
            gate.served(callers.permits[0])
        await settle()
        assert callers.let_in == [0, 2]
        gate.served(callers.permits[2])
        assert not gate._hosts[HOST].permits

    run(work)


def test_rate_is_kept_to() -> None:
    async def work() -> None:
        _, clock, callers = limited(rate_per_s=2.0)
        tasks = callers.queue(range(4))
        for expected in (1, 2, 3, 4):
            await settle()
            assert len(callers.let_in) == expected
            clock.advance(0.5)
        await asyncio.gather(*tasks)

    run(work)


def test_refusal_keeps_all_calls_of_the_host_waiting() -> None:
    async def work() -> None:
        gate, clock, callers = limited()
        await callers.enter(0)
        gate.refused(callers.permits[0], "too many requests", 90.0)
        tasks = callers.queue(range(1, 4))
        await settle()
        assert [turn.wait and turn.wait.wait_s for turn in callers.turns] == [90.0] * 3
        assert all(turn.is_excused for turn in callers.turns)
        clock.advance(90.1)
        await settle()
        assert callers.let_in[1] == 1
        for task in tasks:
            task.cancel()

    run(work)


def test_who_waits_for_others_is_told_of_a_refusal() -> None:
    async def work() -> None:
        gate, _, callers = limited(at_once=1)
        tasks = callers.queue(range(2))
        await settle()
        assert [turn.wait for turn in callers.turns] == [None]
        gate.refused(callers.permits[0], "too many requests", 30.0)
        await settle()
        told = callers.turns[-1].wait
        assert told is not None
        assert (told.reason, told.is_asked) == ("too many requests", True)
        tasks[1].cancel()

    run(work)


def test_fewer_are_let_in_after_a_refusal() -> None:
    async def work() -> None:
        gate, clock, callers = limited()
        await asyncio.gather(*callers.queue(range(8)))
        clock.advance(1)
        gate.refused(callers.permits[0], "too many requests", 1.0)
        for number in range(1, 8):
            gate.leave(callers.permits[number])
        clock.advance(2)
        tasks = callers.queue(range(8, 20))
        await settle()
        assert len(gate._hosts[HOST].permits) == 4
        for task in tasks:
            task.cancel()

    run(work)


def test_short_wish_of_a_server_that_goes_on_refusing_is_not_the_whole_rest() -> None:
    async def work() -> None:
        gate, clock, callers = limited()
        for number in range(8):
            tasks = callers.queue(range(number, number + 1))
            await settle()
            clock.advance(5)
            await asyncio.gather(*tasks)
            gate.refused(callers.permits[number], "too many requests", 0.01)
        tasks = callers.queue(range(8, 9))
        await settle()
        assert not callers.turns[-1].is_excused
        tasks[0].cancel()

    run(work)


def test_each_host_has_a_gate_of_its_own() -> None:
    async def work() -> None:
        gate, _, callers = limited(at_once=1)
        await callers.enter(0)
        await gate.enter("localhost:2", callers.turns.append)
        assert not callers.turns

    run(work)


def test_new_limits_hold_at_once() -> None:
    async def work() -> None:
        gate, _, callers = limited(at_once=1)
        tasks = callers.queue(range(3))
        await settle()
        gate.limit(HOST, at_once=3)
        await asyncio.gather(*tasks)

    run(work)
