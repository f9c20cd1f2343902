from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import (
    ModelAnswerError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
)
from hypernb.llm import Probe, list_models, probe
from hypernb.model import ModelSpec, Price
from hypernb.testing import FakeClock
from tests.model_server import ModelServer, Reply, calls, fails, says
from tests.unit.llm.asking import KEY, spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.model_server import Asked


def model(asked: Asked) -> Reply:
    """Do what is asked, as a good model does."""
    body: Any = asked.body
    if body.get("tools"):
        return calls("report_word", word="ready")
    if "response_format" in body:
        return says({"ready": True})
    return says("ready, set and go")


def probed(server: ModelServer, **more: Any) -> Probe:
    async def bounded() -> Probe:
        return await asyncio.wait_for(probe(spec(server, **more), server.key or None), 30)

    return asyncio.run(bounded())


def listed(server: ModelServer, *, key: str | None = KEY) -> list[str]:
    return asyncio.run(list_models(spec(server), key))


def words(found: Probe) -> str:
    return "\n".join(trial.words for trial in found.trials)


def works(found: Probe) -> dict[str, bool]:
    return {trial.what: trial.works for trial in found.trials}


def test_each_trial_is_told_before_it_is_made() -> None:
    told: list[tuple[str, int]] = []

    with ModelServer(model) as server:

        async def bounded() -> Probe:
            made = probe(
                spec(server),
                server.key or None,
                on_trial=lambda words: told.append((words, len(server.requests))),
            )
            return await asyncio.wait_for(made, 30)

        asyncio.run(bounded())
        host = spec(server).host
    wanted = ("for a word", "for a text in pieces", "to call a tool", "for JSON")
    asks = f"asks {told[0][0].split()[1]} at {host}"
    assert told == [(f"{asks} {each}", number) for number, each in enumerate(wanted)]


def test_model_that_can_everything_needs_no_other_settings() -> None:
    with ModelServer(model) as server:
        found = probed(server)
    assert works(found) == {
        "answers": True,
        "streaming": True,
        "tools": True,
        "JSON schema": True,
        "counts tokens": True,
    }
    assert found.proposal == {}


def test_model_without_tools_and_schema_is_told_and_settings_proposed() -> None:
    with ModelServer(model, tools=False, schema=False) as server:
        found = probed(server)
    assert (works(found)["tools"], works(found)["JSON schema"]) == (False, False)
    assert found.proposal == {"tools": False, "schema_mode": "json"}
    assert found.lines == ["tools = false", 'schema_mode = "json"']


def test_model_that_writes_prose_is_told_in_words() -> None:
    with ModelServer(says("I am ready.")) as server:
        found = probed(server)
    assert works(found)["JSON"] is False
    assert found.proposal == {"tools": False, "schema_mode": "words"}
    assert "It was offered a tool and did not call it." in words(found)


def test_server_that_does_not_count_is_told() -> None:
    with ModelServer(lambda asked: Reply(**{**vars_of(model(asked)), "usage": None})) as server:
        found = probed(server)
    assert works(found)["counts tokens"] is False
    assert found.cost is None


def vars_of(reply: Reply) -> dict[str, Any]:
    return {name: getattr(reply, name) for name in reply.__slots__}


def test_cost_of_the_probe_is_known_if_the_price_is() -> None:
    with ModelServer(model) as server:
        found = probed(server, price=Price(input=1, output=1))
    assert found.cost is not None
    assert 0 < found.cost < 0.01


def test_model_that_does_not_answer_is_asked_nothing_else() -> None:
    with ModelServer(fails(403, "not for you")) as server:
        found = probed(server)
        assert len(server.asked) == 1
    assert works(found) == {"answers": False}
    assert "not for you" in words(found)


def test_host_that_cannot_be_reached_is_one_line_after_one_try() -> None:
    nobody = ModelSpec(name="m", base_url="http://127.0.0.1:9/v1")
    found = asyncio.run(probe(nobody, clock=FakeClock()))
    assert words(found).startswith("m at 127.0.0.1:9 gave no answer: cannot reach 127.0.0.1:9")
    assert (len(words(found).splitlines()), found.calls, found.cost) == (1, 1, 0.0)


def test_server_that_wants_to_be_left_alone_for_long_is_not_waited_for() -> None:
    busy = fails(429, "slow down", headers={"retry-after": "3600"})
    with ModelServer(busy) as server:
        found = asyncio.run(probe(spec(server), server.key or None, clock=FakeClock()))
    assert "gave no answer: " in words(found)
    assert works(found) == {"answers": False}


def test_what_was_not_tried_in_time_is_left_out_and_said() -> None:
    def slow(asked: Asked) -> Reply:
        return says("", hold="start") if asked.body.get("tools") else model(asked)

    async def work(server: ModelServer) -> Probe:
        clock = FakeClock()
        asked = asyncio.get_running_loop().create_task(probe(spec(server), KEY, clock=clock))
        await asyncio.to_thread(server.wait_for, lambda: len(server.asked) == 3)
        clock.advance(11)
        return await asyncio.wait_for(asked, 30)

    with ModelServer(slow) as server:
        found = asyncio.run(work(server))
        assert len(server.asked) == 3
    assert works(found) == {"answers": True, "streaming": True, "time": False}
    assert "The rest was not tried, because 10 s were over." in words(found)
    assert found.cost is None


def test_wrong_key_is_told_without_the_key() -> None:
    with ModelServer(model, key="another") as server:
        found = asyncio.run(probe(spec(server, key="THE_KEY"), KEY))
    assert "Check THE_KEY" in found.trials[0].next_step
    assert KEY not in repr(found)


def test_each_question_of_a_probe_is_tiny() -> None:
    with ModelServer(model) as server:
        probed(server)
        assert all(len(json.dumps(asked.body)) < 1_000 for asked in server.asked)


def test_models_are_listed_sorted() -> None:
    with ModelServer(models=("qwen3", "llama3", "qwen3")) as server:
        assert listed(server) == ["llama3", "qwen3"]


def test_list_is_bounded() -> None:
    with ModelServer(models=[f"m{number:05}" for number in range(3_000)]) as server:
        assert len(listed(server)) == 1_000


def test_list_with_a_wrong_key_says_so_without_the_key() -> None:
    with (
        ModelServer(key="another") as server,
        pytest.raises(ModelRefusedError, match="is closed to this key") as caught,
    ):
        listed(server)
    assert KEY not in str(caught.value)


def test_server_that_is_not_there_is_one_sentence() -> None:
    nobody = ModelSpec(name="m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(ModelUnavailableError, match=r"cannot reach 127\.0\.0\.1:9"):
        asyncio.run(list_models(nobody))


def test_address_without_the_version_is_told() -> None:
    with ModelServer() as server:
        wrong = ModelSpec(name="m", base_url=f"http://{server.host}")
        with pytest.raises(ModelError, match="ends with the version"):
            asyncio.run(list_models(wrong))


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Serve one body for whatever is asked, as something that is no model server does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"<!doctype html><p>Hello", "has answered with a web page", id="page"),
        pytest.param(b"", "has answered with nothing", id="nothing"),
        pytest.param(b"[1, 2]", "JSON that is no object", id="list"),
        pytest.param(b'{"data": 3}', "JSON that lists no models", id="number"),
        pytest.param(b'{"data": ' + b"[" * 9_000, "what is not JSON", id="deep"),
        pytest.param(b" " * 9_000_000, "more than 8,000,000 bytes", id="endless"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(body: bytes, said: str) -> None:
    with answering(body) as url, pytest.raises(ModelAnswerError, match=said):
        asyncio.run(list_models(ModelSpec(name="m", base_url=url)))


def test_names_that_are_none_are_left_out() -> None:
    listed = [{"id": "a"}, {"id": 3}, {"id": ""}, {"id": "x" * 300}, {"id": "a\nb"}, 7, None]
    with answering(json.dumps({"data": listed}).encode()) as url:
        assert asyncio.run(list_models(ModelSpec(name="m", base_url=url))) == ["a"]


def test_names_of_models_do_not_hold_the_key() -> None:
    with ModelServer(says(""), models=(f"for-{KEY}",)) as server:
        assert listed(server) == ["for-[key]"]


def test_errors_of_a_list_do_not_hold_a_key_that_stands_in_the_address() -> None:
    with answering(b"[1, 2]") as url, pytest.raises(ModelAnswerError) as no:
        asyncio.run(list_models(ModelSpec(name="m", base_url=f"{url}/{KEY}"), KEY))
    assert KEY not in str(no.value)
    nobody = ModelSpec(name="m", base_url=f"http://127.0.0.1:9/{KEY}/v1")
    with pytest.raises(ModelUnavailableError, match=r"/\[key\]/v1"):
        asyncio.run(list_models(nobody, KEY))
