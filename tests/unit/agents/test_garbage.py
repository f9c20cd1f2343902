"""Whatever a model says, an attempt ends with an output or with one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.agents import work_with_model
from hypernb.errors import AgentAnswerError
from hypernb.model import AgentWork, ChatReply, Finish, TokenUse, ToolCall, ToolSchema
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
