"""What of a call's time is its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hypernb.errors import ModelUnavailableError
from hypernb.llm import HostGate
from hypernb.llm._openai import OpenAIModel
from hypernb.llm._retry import Patience, limit
from hypernb.testing import FakeClock
from tests.model_server import ModelServer, fails, says
from tests.unit.llm.asking import Told, opened, request, run, spec


def test_excused_time_is_not_the_calls_own() -> None:
    clock = FakeClock()
    patience = Patience(clock, 10)
    clock.advance(4)
    with patience.waiting():
        patience.excuse(excused=True)
        clock.advance(1000)
        assert patience.left_s == 6
        patience.excuse(excused=False)
        clock.advance(1)
    assert (patience.left_s, patience.passed_s) == (5, 1005)


def test_a_block_ends_when_nothing_is_left() -> None:
    async def work() -> None:
        clock = FakeClock()
        patience = Patience(clock, 10)
        asyncio.get_running_loop().call_later(0.01, clock.advance, 10)
        with pytest.raises(TimeoutError):
            async with limit(clock, lambda: patience.left_s):
                await asyncio.Event().wait()

    run(work)


def test_waiting_for_other_calls_is_excused() -> None:
    async def work(server: ModelServer) -> None:
        clock = FakeClock()
        gate = HostGate(clock)
        gate.limit(server.host, at_once=1)
        async with opened(spec(server), clock=clock, gate=gate) as model:
            loop = asyncio.get_running_loop()
            first = loop.create_task(model.complete(request(), deadline_s=1000))
            await asyncio.to_thread(server.wait_for, lambda: server.at_once == 1)
            second = loop.create_task(model.complete(request(), deadline_s=5))
            await asyncio.to_thread(int)
            clock.advance(200)
            server.release()
            assert [(await call).text for call in (first, second)] == ["Fine.", "Fine."]

    with ModelServer(says("Fine.", hold="start")) as server:
        run(lambda: work(server))


def test_a_rest_that_nobody_asked_for_is_the_calls_own() -> None:
    async def work(server: ModelServer) -> None:
        clock = FakeClock()
        told = Told(clock)
        async with opened(spec(server), clock=clock) as model:
            with pytest.raises(ModelUnavailableError, match="too many requests"):
                await told.complete(model, deadline_s=100)
        assert 60 <= clock.monotonic() <= 200

    with ModelServer(fails(429)) as server:
        run(lambda: work(server))


def test_a_whole_answer_does_not_wait_long_for_a_goodbye() -> None:
    def finish_first(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        finish = next(c for c in chunks if c["choices"][0]["finish_reason"])
        return [finish, *(chunk for chunk in chunks if chunk is not finish)]

    async def work(server: ModelServer) -> None:
        clock, told = FakeClock(), asyncio.Event()
        async with opened(spec(server), clock=clock) as model:
            asked = model.complete(request(), on_text=lambda _text: told.set())
            call = asyncio.get_running_loop().create_task(asked)
            await told.wait()
            while not call.done():
                await asyncio.to_thread(int)
                clock.advance(1)
            assert (await call).text.startswith("Some")
            assert clock.monotonic() < 100
        assert len(server.requests) == 1

    reply = says("Some words.", piece=1, usage=None, edit=finish_first, hold="middle")
    with ModelServer(reply) as server:
        run(lambda: work(server))


def test_a_call_that_waits_is_cancelled_at_once() -> None:
    async def work(server: ModelServer) -> None:
        waits = asyncio.Event()
        async with opened(spec(server)) as model:
            asked = model.complete(request(), on_wait=lambda _wait: waits.set())
            call = asyncio.get_running_loop().create_task(asked)
            await waits.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert isinstance(model, OpenAIModel)
            assert not model.gate._hosts[model.spec.host].permits
        assert len(server.requests) == 1

    with ModelServer([fails(429, retry_after="3600")]) as server:
        run(lambda: work(server))
