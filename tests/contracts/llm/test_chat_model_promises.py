"""The promises of `hypernb.abc.ChatModel`, on each model."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import ChatModel
from hypernb.clock import SystemClock
from hypernb.errors import ModelError, ModelUnavailableError
from hypernb.llm import cached, open_model, recording, replaying
from hypernb.model import ChatReply
from hypernb.testing import FakeClock
from tests.model_server import Call, ModelServer, Reply, fails, page, refuses, says
from tests.unit.llm.asking import KEY, Told, request, run, spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from hypernb.abc import Clock
    from hypernb.model import ChatRequest, ModelSpec

    Make = Callable[[ModelSpec, Clock, Path], ChatModel]


def live(spec: ModelSpec, clock: Clock, _: Path) -> ChatModel:
    return open_model(spec, key=KEY, clock=clock)


def recorded(spec: ModelSpec, clock: Clock, folder: Path) -> ChatModel:
    tape = folder / "tape.jsonl"
    return recording(live(spec, clock, folder), tape, secrets=(KEY,), root=str(folder))


@dataclass
class Entries:
    """A cache whose entries are files, so that it is seen what is in them."""

    folder: Path

    def cached_reply(self, request_hash: str, *, since: datetime) -> bytes | None:
        del since
        path = self.folder / request_hash
        return path.read_bytes() if path.exists() else None

    def cache_reply(
        self, request_hash: str, reply: bytes, *, model: str, cost: float | None
    ) -> None:
        told = f"{model} {cost}".encode()
        (self.folder / request_hash).write_bytes(reply)
        (self.folder / f"{request_hash}.told").write_bytes(told)

    def count_cache_hit(self, request_hash: str) -> None:
        (self.folder / f"{request_hash}.hits").touch()


def behind_a_cache(spec: ModelSpec, clock: Clock, folder: Path) -> ChatModel:
    return cached(live(spec, clock, folder), Entries(folder), 3_600.0, spec, clock)


class Replayed(ChatModel):
    """Answers from a cassette to which the same call has just been recorded.

    Where the call has failed, the cassette has no answer to it.
    """

    def __init__(self, spec: ModelSpec, clock: Clock, folder: Path) -> None:
        self._recorded = recorded(spec, clock, folder)
        tape = folder / "tape.jsonl"
        self._play = partial(replaying, tape, spec, secrets=(KEY,), root=str(folder))

    async def complete(self, request: ChatRequest, **more: Any) -> ChatReply:
        with suppress(ModelError):
            await self._recorded.complete(request, **{**more, "on_text": None})
        return await self._play().complete(request, **more)

    async def aclose(self) -> None:
        await self._recorded.aclose()


# A cassette asks nobody, so what is promised of waits, deadlines and connections is not its.
# The ledger of a planning asks through a runner's desk, in real time: it has tests of its own.
ASKING = pytest.mark.parametrize("make", [live, recorded, behind_a_cache])
ALL = pytest.mark.parametrize("make", [live, recorded, behind_a_cache, Replayed])
WAYS = pytest.mark.parametrize(
    "way",
    [
        pytest.param({"api": api, "streams": streams}, id=f"{api}-{word}")
        for api in ("chat", "responses")
        for streams, word in ((True, "stream"), (False, "whole"))
    ],
)
GOOD = says("All is well.")


def use(
    make: Make,
    server: ModelServer,
    folder: Path,
    told: Told | None = None,
    *,
    deadline_s: float = 600.0,
    **way: Any,
) -> ChatReply:
    """Ask once; time passes as far as the call waits."""
    told = told or Told()
    told.clock = FakeClock()

    async def work() -> ChatReply:
        model = make(spec(server, **way), told.clock or FakeClock(), folder)
        try:
            return await told.complete(model, deadline_s=deadline_s)
        finally:
            await model.aclose()

    return run(work)


@ALL
@WAYS
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(GOOD, id="an-answer"),
        pytest.param(refuses(), id="a-refusal"),
        pytest.param(Reply(calls=(Call("f", "]["),)), id="broken-arguments"),
        pytest.param(page(), id="html"),
        pytest.param(Reply(body=b"\xff\xfe\x00"), id="no-text"),
        pytest.param(Reply(body=b"null"), id="null"),
        pytest.param(Reply(body=b"[" * 100_000), id="deep"),
        pytest.param(Reply(body=b'{"choices": [[]], "output": [[]]}'), id="lists-in-lists"),
        pytest.param(Reply(body=b"data: {\n\ndata: [DONE]\n\n"), id="half-an-event"),
        pytest.param(Reply(body=b'{"error": 5}'), id="an-error"),
        pytest.param(fails(418), id="418"),
        pytest.param(Reply(status=404, body=b"\xff"), id="404"),
        pytest.param(
            Reply(status=400, body=b"x", content_type="text/html; charset=hex"), id="charset"
        ),
        pytest.param(Reply("x", headers={"Content-Encoding": "gzip"}), id="no-gzip"),
        pytest.param(fails(599), id="599"),
        pytest.param(Reply(cut="before"), id="closed-before-headers"),
        pytest.param(Reply("words", cut="headers"), id="closed-after-headers"),
        pytest.param(Reply("words of an answer", cut="middle"), id="closed-in-the-middle"),
        pytest.param(says("x" * 10_000_000, piece=1_000_000), id="10-MB"),
    ],
)
def test_whatever_the_server_sends_comes_back_as_a_reply_or_a_model_error(
    make: Make, way: dict[str, Any], reply: Reply, tmp_path: Path
) -> None:
    with ModelServer(reply) as server:
        try:
            answer: object = use(make, server, tmp_path, deadline_s=20, **way)
        except ModelError as error:
            answer = error
    assert isinstance(answer, ChatReply | ModelError)


@ASKING
@WAYS
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply("slow words " * 9, piece=1, drip_s=0.05), id="slow-drip"),
        pytest.param(Reply("words", hold="start"), id="no-headers"),
        pytest.param(Reply("words", hold="middle"), id="stops-in-the-middle"),
    ],
)
def test_a_call_never_ends_later_than_its_deadline(
    make: Make, way: dict[str, Any], reply: Reply, tmp_path: Path
) -> None:
    clock = SystemClock()

    async def work() -> float:
        model = make(spec(server, **way, timeout_s=0.2), clock, tmp_path)
        began = clock.monotonic()
        with pytest.raises(ModelUnavailableError, match=r"longer than 0\.2 s"):
            await Told().complete(model, deadline_s=0.8)
        took = clock.monotonic() - began
        await model.aclose()
        return took

    with ModelServer(reply) as server:
        assert run(work) < 5


@ASKING
@WAYS
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fails(429, retry_after="9"), id="too-many-requests"),
        pytest.param(fails(503), id="a-fault-of-the-server"),
        pytest.param(Reply(cut="before"), id="a-lost-connection"),
        pytest.param(Reply("words of an answer", cut="middle"), id="a-stream-that-was-cut"),
    ],
)
def test_while_it_can_still_succeed_a_call_waits_and_tells_why_and_for_how_long(
    make: Make, way: dict[str, Any], fault: Reply, tmp_path: Path
) -> None:
    told = Told()
    with ModelServer([fault, fault, GOOD]) as server:
        reply = use(make, server, tmp_path, told, **way)
    assert (reply.text, reply.tries) == ("All is well.", 3)
    assert all(wait.reason for wait in told.waits)
    assert sum(wait.wait_s > 0 for wait in told.waits) == 2


@ALL
@WAYS
def test_a_reply_holds_one_trys_answer(make: Make, way: dict[str, Any], tmp_path: Path) -> None:
    cut = Reply("These words", calls=(Call("f", '{"a": 1}', "old"),), piece=3, cut="middle")
    told = Told()
    with ModelServer([cut, cut, GOOD]) as server:
        reply = use(make, server, tmp_path, told, **way)
    assert (reply.text, reply.tool_calls) == ("All is well.", ())
    assert told.text in ("All is well.", "")


@ALL
@WAYS
@pytest.mark.parametrize("number", [7, 0, -1, 2**53, 10**30, 1.5, "7", None, True])
def test_numbers_of_tokens_are_whole_not_negative_and_below_2_to_53_or_are_not_there(
    make: Make, way: dict[str, Any], number: Any, tmp_path: Path
) -> None:
    names = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
    with ModelServer(says("Fine.", usage=dict.fromkeys(names, number))) as server:
        use_ = use(make, server, tmp_path, **way).use
    # A server that has read nothing for an answer does not count.
    assert (use_ is not None) == (number == 7)
    assert use_ is None or use_.input_tokens == number


@ALL
@WAYS
def test_the_key_is_in_no_reply_no_error_no_log_and_no_file(
    make: Make, way: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = Told()
    script = [
        fails(500, f"your key is {KEY}", headers={"x-request-id": KEY}),
        says(f"your key is {KEY}", piece=5, headers={"Server": KEY}),
        fails(401, f"Incorrect API key provided: {KEY}"),
        page(f"<html>{'x' * 480}{KEY}</html>"),
    ]
    seen: list[object] = []
    with ModelServer(script) as server:
        for _ in range(3):
            with suppress(ModelError):
                try:
                    seen.append(use(make, server, tmp_path, told, **way))
                except ModelError as error:
                    seen += [error, vars(error), error.__context__, error.__cause__]
                    raise
            server.script = script[-2:] if server.script is script else script[-1]
            server._numbered = 0
    seen += [told.texts, told.waits, caplog.text]
    seen += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for each in seen:
        assert KEY[:12] not in f"{each!s} {each!r}"


@ASKING
@WAYS
@pytest.mark.parametrize("hold", ["start", "middle"])
def test_cancelling_the_caller_closes_the_connection_and_nothing_more_is_sent(
    make: Make, way: dict[str, Any], hold: Any, tmp_path: Path
) -> None:
    async def work() -> None:
        model = make(spec(server, **way), SystemClock(), tmp_path)
        call = asyncio.get_running_loop().create_task(model.complete(request()))
        await asyncio.to_thread(server.wait_for, lambda: server.at_once == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.to_thread(server.wait_for, lambda: server.at_once == 0)
        await model.aclose()

    with ModelServer(says("Some words of an answer.", hold=hold)) as server:
        run(work)
        assert len(server.requests) == 1
        assert server.requests[0].is_left
