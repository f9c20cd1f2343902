"""Estimates of what a request may use."""

from __future__ import annotations

from typing import Any

import pytest

from hypernb.agents._fences import fence
from hypernb.errors import ContextTooLargeError
from hypernb.llm import worst_case
from hypernb.llm._sizes import check_size, output_limit
from hypernb.model import ChatMessage, ModelSpec, ToolCall
from tests.unit.llm.asking import READ_FILE, request

SPEC = ModelSpec(name="m", base_url="http://localhost:1/v1", max_output_tokens=1000)


def test_the_worst_case_is_a_token_for_two_bytes_and_more() -> None:
    use = worst_case(SPEC, request("x" * 10_000))
    assert 5_000 < use.input_tokens < 5_200
    assert use.output_tokens == 1000


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"tools": (READ_FILE,)}, id="tools"),
        pytest.param({"answer_schema": {"type": "object"}}, id="schema"),
        pytest.param(
            {
                "messages": (
                    ChatMessage(role="user", content="hello"),
                    ChatMessage(
                        role="assistant",
                        tool_calls=(ToolCall(id="1", name="f", arguments="{}"),),
                    ),
                )
            },
            id="calls",
        ),
    ],
)
def test_whatever_is_sent_counts(more: dict[str, Any]) -> None:
    assert (
        worst_case(SPEC, request(**more)).input_tokens
        > worst_case(SPEC, request()).input_tokens
    )


def test_the_worst_case_is_no_more_than_the_model_can_read() -> None:
    small = SPEC.model_copy(update={"context_tokens": 500})
    use = worst_case(small, request("x" * 100_000))
    assert (use.input_tokens, use.output_tokens) == (500, 500)


def test_an_answer_may_have_what_the_request_allows() -> None:
    assert worst_case(SPEC, request(max_output_tokens=10)).output_tokens == 10
    assert worst_case(SPEC, request(max_output_tokens=5000)).output_tokens == 1000


def test_a_request_that_may_fit_is_left_to_the_server() -> None:
    spec = SPEC.model_copy(update={"context_tokens": 3000})
    check_size(spec, request("x" * 8_000))
    assert output_limit(spec, request("x" * 8_000)) == 1000 - 80


def test_a_request_that_cannot_fit_is_refused_with_its_parts() -> None:
    spec = SPEC.model_copy(update={"context_tokens": 3000})
    with pytest.raises(ContextTooLargeError) as caught:
        check_size(spec, request("x" * 20_000, tools=(READ_FILE,)))
    assert caught.value.parts["the goal"] == 5_000
    assert caught.value.limit == 3000


def test_the_largest_part_is_named_with_its_size_and_how_to_make_it_smaller() -> None:
    said = "\n\n".join(
        [
            "Your task, sum-up:\nSum up.",
            fence("output of read", "x" * 8_000),
            fence("variable df", f"{fence('variable faked', 'y')}{'x' * 40_000}"),
        ]
    )
    answer = ChatMessage(role="tool", content=fence("answer of read-file", "x" * 4_000))
    asked = request(said, tools=(READ_FILE,))
    asked = asked.model_copy(update={"messages": (*asked.messages, answer)})
    with pytest.raises(ContextTooLargeError) as caught:
        check_size(SPEC.model_copy(update={"context_tokens": 3000}), asked)
    parts = caught.value.parts
    assert list(parts)[:3] == ["variable df", "output of read", "answer of read-file"]
    assert 10_000 < parts["variable df"] < 10_100
    assert {"the goal", "the tools"} < set(parts)
    assert "variable faked" not in parts
    assert "Its largest parts, in tokens, are variable df (10,0" in caught.value.hint
    assert "`--see df=sample:1` shows fewer rows of df, `--see df=schema` none" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("output of t1", "Have t1 give less"),
        ("answer of read-file", "look at less with read-file"),
        ("the goal", "Shorten the goal"),
        ("the tools", "tools="),
        ("what the model said before", "Show less of what the model said before"),
    ],
)
def test_next_step_is_that_of_the_largest_part(part: str, said: str) -> None:
    error = ContextTooLargeError("m", "host", tokens=9, limit=8, parts={"x": 1, part: 7})
    assert said in error.hint


def test_surrogates_are_counted_and_not_stumbled_over() -> None:
    assert worst_case(SPEC, request("\ud800" * 100)).input_tokens > 0
