"""Whatever a model says, there is an output or a plan, or one clear error."""

from __future__ import annotations

import asyncio
import functools
import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.abc import ChatModel
from hypernb.agents import (
    Circumstances,
    circumstances,
    load_cards,
    propose,
    work_with_model,
)
from hypernb.errors import AgentAnswerError, NoPlanError
from hypernb.model import (
    AgentWork,
    ChatReply,
    ChatRequest,
    Finish,
    ModelSpec,
    TokenUse,
    ToolCall,
    ToolSchema,
)
from tests.scripted_services import ScriptedServices, context_of

TOOLS = ("list-files", "read-file", "send-message", "read-messages", "fit")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["summary", "claims", "file", "to", "rows"]), inner)
    ),
    max_leaves=8,
)
WRITTEN = VALUES.map(json.dumps) | st.text(st.characters(), max_size=60)
CALLS = st.builds(
    ToolCall,
    id=st.sampled_from(["", "a", "b"]),
    name=st.sampled_from([*TOOLS, "rm", ""]) | st.text(max_size=80),
    arguments=WRITTEN | st.sampled_from(["{}", '{"to": "", "content": "x"}', "[" * 5_000]),
)
REPLIES = st.builds(
    ChatReply,
    text=WRITTEN | st.just("[" * 100_000) | st.just('{"summary": "", "claims": []}'),
    refusal=st.just("") | st.text(max_size=20),
    tool_calls=st.lists(CALLS, max_size=3).map(tuple) | st.just(()),
    finish=st.sampled_from(Finish),
    use=st.none()
    | st.builds(
        TokenUse, input_tokens=st.integers(0, 2**53), output_tokens=st.integers(0, 2**53)
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    replies=st.lists(REPLIES, min_size=1, max_size=8),
    returns=st.sampled_from(["report", "text", "json", "table", "value"]),
    steps=st.integers(1, 9),
)
def test_garbage_ends_in_an_output_or_one_clear_error(
    replies: list[ChatReply], returns: Any, steps: int
) -> None:
    services = ScriptedServices(*replies, tools={"fit": lambda **_: 1})
    work = AgentWork(
        model="default",
        tools=TOOLS,
        returns=returns,
        steps=steps,
        calls=5,
        lanes={"fit": "kernel:1"},
        schemas={"fit": ToolSchema(name="fit", parameters={"type": "object"})},
    )
    try:
        work_with_model(
            agent="qa-engineer",
            task="look",
            goal="Look.",
            check="",
            work=work,
            context=context_of(services, Path(__file__).parent),
        )
    except AgentAnswerError:
        assert services.asked
    assert len(services.asked) <= steps
    assert len(services.tools_called) <= 5
    for request in services.asked:
        request.model_dump_json()


WORDS = st.text(max_size=30) | st.sampled_from(
    ["look", "sum/up", "src", "..", "/", "\x00", "\ud800"]
)
LISTS = st.lists(WORDS | st.sampled_from(["read-file", "rank", "tests"]), max_size=4)
TASKS = st.fixed_dictionaries(
    {
        "name": WORDS,
        "goal": WORDS,
        "agent": WORDS | st.sampled_from(["qa-engineer", "project-strategist"]),
        "needs": LISTS,
        "tools": LISTS,
        "check": WORDS,
        "returns": st.sampled_from(["report", "text", "json", "table"]),
        "seconds": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "tokens": st.integers(-(2**70), 2**70),
        "scope": LISTS,
    }
)
PLANS = st.fixed_dictionaries(
    {
        "tasks": st.lists(TASKS, max_size=5),
        "result": WORDS,
        "notes": st.lists(WORDS, max_size=4),
    }
)


class Says(ChatModel):
    def __init__(self, replies: list[ChatReply]) -> None:
        self._replies = replies

    async def complete(self, request: ChatRequest, **_: Any) -> ChatReply:
        request.model_dump_json()
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


@functools.cache
def here() -> Circumstances:
    return circumstances(
        "Look.",
        root=Path(__file__).parent,
        cards=load_cards(),
        models={"default": ModelSpec(name="gpt-6", base_url="http://localhost:1/v1")},
        of_agents={},
    )


@settings(max_examples=80, deadline=None)
@given(
    st.lists(PLANS.map(json.dumps).map(lambda text: ChatReply(text=text)) | REPLIES, min_size=1)
)
def test_garbage_ends_in_a_plan_or_one_clear_error(replies: list[ChatReply]) -> None:
    there = here()
    asked = propose(
        there, Says(replies), name="default", card=there.cards["qa-engineer"], variables={}
    )
    try:
        proposal = asyncio.run(asked)
    except NoPlanError as error:
        json.dumps(error.problems).encode()
        str(error).encode()
    else:
        assert proposal.tasks
        assert all(task["agent"] in there.cards for task in proposal.tasks)
