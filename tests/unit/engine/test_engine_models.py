"""Models as a runner asks them: opened once, and nobody waits for another's cassette."""

from __future__ import annotations

import asyncio
import fcntl
from typing import TYPE_CHECKING

import pytest

from hypernb.clock import SystemClock
from hypernb.engine import ModelDesk, Way
from hypernb.errors import ConfigError
from hypernb.llm import recording
from hypernb.store import SqlStore
from tests.model_server import ModelServer, says
from tests.unit.llm.asking import request, run, spec
from tests.unit.llm.scripted import Scripted, reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(says("live")) as server:
        yield server


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ModelDesk]:
    store = SqlStore(tmp_path / "hypernb.db")
    desk = ModelDesk({}, store, SystemClock())
    yield desk
    desk.close()
    store.close()


async def ask(desk: ModelDesk, server: ModelServer, cassette: str = "") -> str:
    reply = await desk.complete(
        spec(server),
        request(),
        way=Way(cassette),
        deadline_s=60.0,
        on_text=None,
        on_wait=lambda _wait: None,
    )
    return reply.text


def test_call_goes_on_while_another_waits_for_its_cassette(
    desk: ModelDesk, server: ModelServer, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.jsonl"

    async def work() -> None:
        with tape.open("wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            loop = asyncio.get_running_loop()
            waiting = loop.create_task(ask(desk, server, f"record:{tape}"))
            other = loop.create_task(ask(desk, server))
            assert await asyncio.wait_for(other, 10) == "live"
            assert not waiting.done()
        assert await waiting == "live"

    run(work)


def test_calls_at_once_share_what_is_opened_for_the_first(
    desk: ModelDesk, server: ModelServer, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.jsonl"

    async def work() -> list[str]:
        model = recording(Scripted([reply("1"), reply("2")]), tape, spec(server))
        for _ in range(2):
            await model.complete(request())
        return await asyncio.gather(*(ask(desk, server, f"replay:{tape}") for _ in range(2)))

    # A cassette that is opened twice begins with its first answer twice.
    assert sorted(run(work)) == ["1", "2"]


def test_what_could_not_be_opened_is_opened_by_the_next_call(
    desk: ModelDesk, server: ModelServer, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.jsonl"
    tape.write_text("export A=1\n")

    async def work() -> str:
        with pytest.raises(ConfigError, match="is no cassette"):
            await ask(desk, server, f"record:{tape}")
        tape.unlink()
        return await ask(desk, server, f"record:{tape}")

    assert run(work) == "live"
    assert len(server.asked) == 1
