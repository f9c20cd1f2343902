"""What goes over the wire, and what does not."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import ModelError, ModelRefusedError
from hypernb.model import ChatMessage, ChatRequest, Price, ToolCall
from tests.model_server import Call, ModelServer, Reply, fails, says
from tests.unit.llm.asking import KEY, READ_FILE, Told, ask, opened, request, run, spec

if TYPE_CHECKING:
    from hypernb.abc import ChatModel
    from hypernb.model import ChatReply

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}},
    "required": ["answer"],
    "additionalProperties": False,
}
CONVERSATION = (
    ChatMessage(role="system", content="You read files."),
    ChatMessage(role="user", content="What is in a.py?"),
    ChatMessage(
        role="assistant",
        content="I look.",
        tool_calls=(ToolCall(id="one", name="read_file", arguments='{"path": "a.py"}'),),
    ),
    ChatMessage(role="tool", content="x = 1", tool_call_id="one"),
)


def sent(asked: ChatRequest, **more: Any) -> dict[str, Any]:
    with ModelServer(says("{}")) as server:
        ask(spec(server, **more), asked)
        body = server.asked[0].body
    assert isinstance(body, dict)
    return body


def test_a_conversation_is_worded_for_chat() -> None:
    body = sent(request(messages=CONVERSATION, tools=(READ_FILE,), temperature=0.5))
    assert [message["role"] for message in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]
    assert body["messages"][2]["tool_calls"][0]["function"]["name"] == "read_file"
    assert body["tools"][0]["function"]["parameters"] == READ_FILE.parameters
    assert (body["temperature"], body["max_tokens"]) == (0.5, 4096)


def test_a_conversation_is_worded_for_responses() -> None:
    body = sent(
        request(messages=CONVERSATION, tools=(READ_FILE,), answer_schema=SCHEMA),
        api="responses",
    )
    assert [item.get("type", item.get("role")) for item in body["input"]] == [
        "system",
        "user",
        "assistant",
        "function_call",
        "function_call_output",
    ]
    assert body["text"]["format"]["schema"] == SCHEMA
    assert body["store"] is False


def test_a_schema_that_names_all_it_has_is_strict() -> None:
    form = sent(request(answer_schema=SCHEMA, answer_name="the plan"))["response_format"]
    assert form["json_schema"] == {"name": "the_plan", "schema": SCHEMA, "strict": True}
    loose = {"type": "object", "properties": {"a": {}}}
    form = sent(request(answer_schema=loose))["response_format"]
    assert form["json_schema"]["strict"] is False


def test_instructions_are_said_once_and_first() -> None:
    body = sent(request(messages=CONVERSATION, answer_schema=SCHEMA), schema_mode="words")
    assert [m["role"] for m in body["messages"]].count("system") == 1
    assert json.dumps(SCHEMA) in body["messages"][0]["content"]


@pytest.mark.parametrize(("mode", "form"), [("json", {"type": "json_object"}), ("words", None)])
def test_a_schema_is_told_in_words_where_it_cannot_be_sent(mode: str, form: Any) -> None:
    body = sent(request(answer_schema=SCHEMA), schema_mode=mode)
    assert body.get("response_format") == form
    assert json.dumps(SCHEMA) in body["messages"][0]["content"]


def test_arguments_that_are_no_object_go_back_as_one() -> None:
    broken = ToolCall(id="one", name="read_file", arguments='{"path": ')
    said = (ChatMessage(role="assistant", tool_calls=(broken,)),)
    call = sent(request(messages=said))["messages"][0]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"unreadable": '{"path": '}


def test_text_that_is_no_unicode_is_sent_all_the_same() -> None:
    assert sent(request("half a pair: \ud800"))["messages"][0]["content"] == "half a pair: ?"


def test_an_answer_has_no_more_room_than_the_context() -> None:
    assert sent(request("x" * 4000), context_tokens=2000)["max_tokens"] < 1000


def test_a_parameter_that_a_server_does_not_take_is_worded_otherwise() -> None:
    def fussy(asked: Any) -> Reply:
        if "max_tokens" in asked.body:
            return fails(
                400, "Unsupported parameter: use 'max_completion_tokens' not 'max_tokens'"
            )
        if "temperature" in asked.body:
            return fails(400, "Unsupported value: 'temperature' does not support 0.5")
        return says("Fine.")

    told = Told()
    with ModelServer(fussy) as server:
        reply = ask(spec(server), request(temperature=0.5), told=told)
    assert (reply.text, told.waits) == ("Fine.", [])


def test_cost_is_known_where_price_and_tokens_are() -> None:
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 500},
    }
    with ModelServer(says("Fine.", usage=usage)) as server:
        reply = ask(
            spec(server, price=Price(input=2, output=10, cached=1)), request("x" * 4000)
        )
    assert reply.cost == pytest.approx((500 * 2 + 500 * 1 + 100 * 10) / 1e6)


# -- keys and the environment ---------------------------------------------------------------


def test_nothing_is_sent_but_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"OPENAI_{name}", "of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/of-the-environment")
    monkeypatch.setenv(
        "OPENAI_CUSTOM_HEADERS", "X-Mine: of-the-environment\nAuthorization: of-the-environment"
    )
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://of-the-environment:secret@127.0.0.1:9")
    with ModelServer(says("Fine.")) as server:
        ask(spec(server), key=None)
        ask(spec(server), key=KEY)
        headers = [asked.headers for asked in server.asked]
    assert "of-the-environment" not in str(headers)
    assert "authorization" not in headers[0]
    assert headers[1]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_is_sent_on_to_another_host(status: int) -> None:
    with ModelServer(says("Gotcha.")) as other:
        away = Reply(status=status, headers={"Location": f"{other.url}/chat/completions"})
        with (
            ModelServer(away) as server,
            pytest.raises(
                ModelRefusedError, match="Nothing is sent to another address"
            ) as error,
        ):
            ask(spec(server))
        assert not other.requests
    assert other.host in str(error.value)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_the_key_is_in_nothing_that_comes_back(
    api: str, caplog: pytest.LogCaptureFixture
) -> None:
    echo = f"the key is {KEY}, is it not? {KEY[:-1]}"
    replies = [
        fails(500, echo, headers={"x-request-id": KEY, "Server": KEY}),
        says(f'{{"error": {{"message": "{echo}"}}}}', headers={"x-request-id": KEY}),
        Reply(echo, calls=(Call(KEY, json.dumps({"key": KEY}), KEY),), model=KEY, piece=3),
    ]
    told = Told()
    caplog.set_level(logging.DEBUG)
    with ModelServer(replies) as server:
        replied = [ask(spec(server, api=api), told=told) for _ in range(2)]
    assert KEY not in "".join(told.texts)
    assert KEY not in str(told.waits)
    assert KEY not in "".join(map(repr, replied))
    assert KEY not in caplog.text
    assert told.text.endswith(f"the key is [key], is it not? {KEY[:-1]}")


ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in KEY)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, f'{{"error": {{"message": "Wrong key: {ESCAPED}"}}}}'),
        (404, f'{{"error": {{"message": "No {ESCAPED}", "code": "model_not_found"}}}}'),
        (403, f'{{"error": "The key {ESCAPED} may not"}}'),
        (200, f'{{"error": {{"message": "Wrong key: {ESCAPED}", "code": "401"}}}}'),
    ],
)
def test_errors_do_not_hold_a_key_that_was_written_with_escapes(status: int, body: str) -> None:
    reply = Reply(status=status, body=body.encode())
    with ModelServer(reply) as server, pytest.raises(ModelRefusedError) as refused:
        ask(spec(server))
    assert KEY not in f"{refused.value} {vars(refused.value)}"
    assert "[key]" in str(refused.value)


def test_the_sentence_of_a_server_ends_with_one_full_stop() -> None:
    with (
        ModelServer(fails(401, "Wrong key.")) as server,
        pytest.raises(ModelRefusedError) as no,
    ):
        ask(spec(server, key="K"))
    assert str(no.value).startswith("scripted at")
    assert "Wrong key. Check K" in str(no.value)


def test_answers_do_not_hold_a_key_that_is_read_out_of_their_json() -> None:
    with ModelServer(says(f'{{"a": "{ESCAPED}"}}')) as server:
        assert json.loads(ask(spec(server)).text) == {"a": "[key]"}


def test_an_error_that_is_nested_without_end_is_an_error_like_any() -> None:
    deep = b'{"error": ' + b"[" * 900 + b"]" * 900 + b"}"
    for status in (200, 400):
        with ModelServer(Reply(status=status, body=deep)) as server, pytest.raises(ModelError):
            ask(spec(server))


def test_errors_do_not_hold_the_key() -> None:
    echo = fails(403, f"The key {KEY} may not.", code=KEY)
    with ModelServer(echo) as server, pytest.raises(ModelRefusedError) as caught:
        ask(spec(server))
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("status", [404, 301])
def test_errors_do_not_hold_a_key_that_stands_in_the_address(status: int) -> None:
    with ModelServer(fails(status, "no")) as server, pytest.raises(ModelRefusedError) as no:
        ask(spec(server, base_url=f"{server.url}/{KEY}/v1"))
    assert KEY not in f"{no.value} {vars(no.value)}"
    assert "/[key]/v1" in str(no.value)


# -- connections ----------------------------------------------------------------------------


def test_connections_are_used_again() -> None:
    async def work(server: ModelServer) -> None:
        for streams in (True, False):
            async with opened(spec(server, streams=streams)) as model:
                for _ in range(5):
                    await model.complete(request())

    with ModelServer(says("Fine.")) as server:
        run(lambda: work(server))
        assert server.connections == 2


@pytest.mark.parametrize("streams", [True, False])
def test_two_hundred_calls_at_once_are_all_answered(*, streams: bool) -> None:
    async def work(server: ModelServer) -> list[ChatReply]:
        async with opened(spec(server, streams=streams)) as model:
            calls = [model.complete(request(f"number {n}")) for n in range(200)]
            everything = asyncio.gather(*calls)
            await asyncio.to_thread(server.wait_for, lambda: server.at_once == 200)
            server.release()
            return await everything

    def script(asked: Any) -> Reply:
        return says(f"answer to {asked.body['messages'][0]['content']}", hold="middle")

    with ModelServer(script) as server:
        replies = run(lambda: work(server))
    assert [reply.text for reply in replies] == [f"answer to number {n}" for n in range(200)]


def test_two_hundred_calls_of_a_busy_server_are_all_answered() -> None:
    async def work(server: ModelServer) -> list[ChatReply]:
        async with opened(spec(server)) as model:
            return await asyncio.gather(*(model.complete(request()) for _ in range(200)))

    def script(_: Any) -> Reply:
        return fails(429, retry_after="0.05") if server.at_once > 20 else says("Fine.")

    with ModelServer(script) as server:
        replies = run(lambda: work(server))
    assert {reply.text for reply in replies} == {"Fine."}


def test_a_model_is_used_in_one_loop_after_another() -> None:
    with ModelServer(says("Fine.")) as server:

        async def work() -> str:
            async with opened(spec(server)) as model:
                models.append(model)
                return (await model.complete(request())).text

        models: list[ChatModel] = []
        assert run(work) == "Fine."

        async def again() -> str:
            try:
                return (await models[0].complete(request())).text
            finally:
                await models[0].aclose()

        assert run(again) == "Fine."
