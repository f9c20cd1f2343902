"""A real model, where you name one.

`OPENAI_BASE_URL` is its address, `HYPERNB_MODEL` its name, and `OPENAI_API_KEY` its key, if it
needs one. Nothing is asked without the first two.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import ChatMessage, ChatRequest, ModelSpec, ToolSchema
from tests.unit.llm.asking import opened, run

if TYPE_CHECKING:
    from hypernb.model import ChatReply

pytestmark = [
    pytest.mark.skipif(
        not (os.environ.get("OPENAI_BASE_URL") and os.environ.get("HYPERNB_MODEL")),
        reason="asks a model of yours: set OPENAI_BASE_URL and HYPERNB_MODEL for it",
    ),
    pytest.mark.timeout(300),
]
ADD = ToolSchema(
    name="add",
    description="Add two numbers.",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
    },
)


def ask(text: str, *, streams: bool, **more: Any) -> ChatReply:
    spec = ModelSpec(
        name=os.environ["HYPERNB_MODEL"],
        base_url=os.environ["OPENAI_BASE_URL"],
        streams=streams,
    )
    said = (ChatMessage(role="user", content=text),)

    async def work() -> ChatReply:
        async with opened(spec, key=os.environ.get("OPENAI_API_KEY")) as model:
            return await model.complete(ChatRequest(model="mine", messages=said, **more))

    return run(work, timeout_s=280)


@pytest.mark.parametrize("streams", [True, False])
def test_a_model_of_yours_answers(*, streams: bool) -> None:
    reply = ask("Say the word: pong", streams=streams)
    assert "pong" in reply.text.lower()


@pytest.mark.parametrize("streams", [True, False])
def test_a_model_of_yours_calls_a_tool(*, streams: bool) -> None:
    reply = ask("Add 2 and 3 with the tool.", streams=streams, tools=(ADD,))
    assert reply.tool_calls[0].name == "add"


@pytest.mark.parametrize("streams", [True, False])
def test_a_model_of_yours_keeps_to_a_schema(*, streams: bool) -> None:
    schema = {
        "type": "object",
        "properties": {"sum": {"type": "integer"}},
        "required": ["sum"],
        "additionalProperties": False,
    }
    reply = ask("What is 2 + 3?", streams=streams, answer_schema=schema)
    assert '"sum"' in reply.text
