"""A request has one form, however its schemas were written down."""

from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from hypernb.llm import canonical, request_hash
from hypernb.model import ChatMessage, ChatRequest, ModelSpec, ToolCall, ToolSchema

SPEC = ModelSpec(name="m1", base_url="http://localhost:11434/v1")
KEYS = st.text("abcdef", min_size=1, max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
SCHEMAS = st.dictionaries(KEYS, VALUES, max_size=4)


def turned(value: Any) -> Any:
    """Return a value with the keys of all objects in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(each) for key, each in reversed(value.items())}
    return [turned(each) for each in value] if isinstance(value, list) else value


def request(schema: dict[str, Any], text: str, arguments: str) -> ChatRequest:
    call = ToolCall(id="c", name="t", arguments=arguments)
    return ChatRequest(
        model="m",
        messages=(
            ChatMessage(role="user", content=text),
            ChatMessage(role="assistant", tool_calls=(call,)),
        ),
        tools=(ToolSchema(name="t", parameters=schema),),
        answer_schema=schema,
    )


@given(SCHEMAS, st.text(max_size=20))
def test_order_of_keys_and_white_space_do_not_count(schema: dict[str, Any], text: str) -> None:
    one = request(schema, text, json.dumps(schema, indent=4))
    other = request(turned(schema), text, orjson.dumps(turned(schema)).decode())
    assert request_hash(one, SPEC) == request_hash(other, SPEC)


@given(SCHEMAS, st.text(max_size=20))
def test_canonical_request_is_json_with_the_text_in_it(
    schema: dict[str, Any], text: str
) -> None:
    body = orjson.loads(canonical(request(schema, text, "not json"), SPEC))
    assert body["messages"][0]["content"] == text
    assert body["tools"][0]["parameters"] == schema
