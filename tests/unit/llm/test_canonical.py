from __future__ import annotations

from typing import Any

import pytest

from hypernb.llm import canonical, request_hash
from hypernb.model import ChatMessage, ChatRequest, ModelSpec, ToolCall, ToolSchema

HERE = ModelSpec(name="m1", base_url="http://localhost:11434/v1")


def request(text: str = "Count rows", **more: Any) -> ChatRequest:
    said = (ChatMessage(role="user", content=text),)
    return ChatRequest(**({"model": "local", "messages": said} | more))


def conversation(call_id: str, arguments: str) -> ChatRequest:
    call = ToolCall(id=call_id, name="read_file", arguments=arguments)
    said = (
        ChatMessage(role="user", content="Read a.py"),
        ChatMessage(role="assistant", tool_calls=(call,)),
        ChatMessage(role="tool", content="x = 1", tool_call_id=call_id),
    )
    return ChatRequest(model="local", messages=said)


@pytest.mark.parametrize(
    "there",
    [
        pytest.param({"base_url": "https://models.example.org/v1"}, id="host"),
        pytest.param({"key": "OPENAI_API_KEY", "key_id": "0" * 16}, id="key"),
        pytest.param({"api": "responses"}, id="interface"),
        pytest.param({"timeout_s": 5.0, "max_output_tokens": 9}, id="limits"),
    ],
)
def test_hash_does_not_depend_on_where_and_how(there: dict[str, Any]) -> None:
    spec = ModelSpec.model_validate(HERE.model_dump() | there)
    assert request_hash(request(), spec) == request_hash(request(), HERE)


def test_hash_does_not_depend_on_what_the_plan_calls_the_model() -> None:
    other = request(model="local:m1", purpose="plan")
    assert request_hash(other, HERE) == request_hash(request(), HERE)


def test_ids_that_servers_make_up_do_not_count() -> None:
    one = conversation("call_8f", '{"path": "a.py"}')
    other = conversation("toolu_01", '{"path":"a.py"}')
    assert request_hash(one, HERE) == request_hash(other, HERE)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(request("Count runs"), id="text"),
        pytest.param(request(temperature=0.5), id="temperature"),
        pytest.param(request(max_output_tokens=9), id="length"),
        pytest.param(request(tools=(ToolSchema(name="t"),)), id="tools"),
        pytest.param(request(answer_schema={"type": "object"}), id="form"),
    ],
)
def test_whatever_the_answer_depends_on_counts(other: ChatRequest) -> None:
    assert request_hash(other, HERE) != request_hash(request(), HERE)


def test_another_model_is_another_request() -> None:
    other = HERE.model_copy(update={"name": "m2"})
    assert request_hash(request(), other) != request_hash(request(), HERE)


def test_what_json_cannot_hold_has_a_hash_all_the_same() -> None:
    odd = request("half a pair: \ud800", answer_schema={"enum": {1, 2}, "most": 2**70})
    assert canonical(odd, HERE).startswith(b'{"answer":')
