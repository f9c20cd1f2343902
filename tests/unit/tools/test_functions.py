"""Typed functions as tools: their schemas, what arguments they take, what they answer."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from hypernb.abc import ToolContext
from hypernb.errors import ToolArgumentsError, ToolError, UnknownNameError, UsageError
from hypernb.tools import (
    FunctionTool,
    ToolAnswer,
    all_tool_names,
    bounded,
    function_tool,
    function_tool_names,
    tool_names,
)

NOWHERE = ToolContext(root=Path("/"), files=())


class Place(BaseModel):
    """Where something is."""

    city: str
    floor: int = 0


def look_up(
    context: ToolContext,
    word: str,
    most: Annotated[int, Field(ge=1, le=50)] = 10,
    order: Literal["up", "down"] = "up",
    place: Place | None = None,
) -> dict[str, Any]:
    """Look a word up.

    Everywhere.

    Args:
        word: What to look for,
            however long.
        most (int): How many.

    Returns:
        What was found.
    """
    assert context is NOWHERE
    return {"word": word, "most": most, "order": order, "city": place and place.city}


TOOL = FunctionTool(look_up, name="look-up")


def test_schema_is_made_of_signature_and_docstring() -> None:
    schema = TOOL.schema
    properties = schema.parameters["properties"]
    assert (schema.name, schema.description) == ("look-up", "Look a word up.\nEverywhere.")
    assert schema.parameters["required"] == ["word"]
    assert properties["word"] == {
        "description": "What to look for, however long.",
        "type": "string",
    }
    assert properties["most"]["maximum"] == 50
    assert "context" not in properties


def test_arguments_are_checked_and_handed_over_as_typed() -> None:
    given = TOOL.check('{"word": "a", "place": {"city": "Rome"}}')
    answer = TOOL.call(NOWHERE, given)
    assert given == {"word": "a", "place": {"city": "Rome"}}
    assert answer == ToolAnswer({"word": "a", "most": 10, "order": "up", "city": "Rome"})


@pytest.mark.parametrize("written", ["", " ", "{}"], ids=["empty", "blank", "object"])
def test_nothing_written_is_no_arguments(written: str) -> None:
    def now() -> str:
        """Say when it is."""
        return "now"

    assert FunctionTool(now).check(written) == {}


def test_nulls_for_what_may_be_left_out_are_left_out() -> None:
    assert TOOL.check('{"word": "a", "most": null, "order": null}') == {"word": "a"}
    assert TOOL.check('{"word": "a", "place": null}') == {"word": "a", "place": None}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param("{", "They are not JSON: Expecting property name", id="broken"),
        pytest.param("[1]", "They are a list, and have to be an object.", id="list"),
        pytest.param('"a"', "They are a text, and have to be an object.", id="text"),
        pytest.param("{}", "'word' is missing.", id="missing"),
        pytest.param('{"words": "a"}', "There is no 'words'. Did you mean 'word'", id="near"),
        pytest.param('{"word": 3}', "'word' cannot be 3: Input should be", id="type"),
        pytest.param('{"word": null}', "'word' cannot be None", id="null"),
        pytest.param('{"word": "a", "most": "3"}', "'most' cannot be '3'", id="number-as-text"),
        pytest.param('{"word": "a", "most": 99}', "less than or equal to 50", id="range"),
        pytest.param('{"word": "a", "order": "x"}', "'up' or 'down'", id="choice"),
        pytest.param(
            '{"word": "a", "place": {}}', "'place.city' is missing.", id="inside-of-one"
        ),
        pytest.param('{"word": "a", "word": "b"}', "'word' is there twice", id="twice"),
        pytest.param('{"word": NaN}', "NaN is no JSON", id="not-a-number"),
        pytest.param('{"word": 1e999}', "too large a number", id="infinite"),
        pytest.param('{"word": ' + "9" * 5000 + "}", "5,000 digits is too large", id="digits"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        pytest.param('{"word": "\\ud800"}', "They are not JSON", id="half-a-character"),
        pytest.param('{"word": "' + "a" * 100_000 + '"}', "100,000 are the most", id="long"),
    ],
)
def test_arguments_that_do_not_fit_are_named_exactly(written: str, said: str) -> None:
    with pytest.raises(ToolArgumentsError, match="look-up did not run") as caught:
        TOOL.check(written)
    assert said in " ".join(caught.value.problems)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ToolArgumentsError) as caught:
        TOOL.check('{"words": "a", "most": "x"}')
    assert len(caught.value.problems) == 3


def test_many_problems_are_counted() -> None:
    with pytest.raises(ToolArgumentsError) as caught:
        TOOL.check(json.dumps({f"x{number}": 1 for number in range(500)}))
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "And 481 more."


@given(st.text(max_size=200))
def test_whatever_is_written_is_refused_or_fits(written: str) -> None:
    """Nothing but a refusal comes through, and what comes through can be called."""
    try:
        arguments = TOOL.check(written)
    except ToolArgumentsError:
        return
    assert TOOL.call(NOWHERE, arguments).content["word"] == arguments["word"]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["word", "most", "order", "place", "words", ""]), _VALUES)
)
def test_whatever_json_is_given_is_refused_or_fits(arguments: dict[str, Any]) -> None:
    """What was checked once can be checked again, and means the same."""
    try:
        checked = TOOL.check(json.dumps(arguments))
    except ToolArgumentsError:
        return
    assert TOOL.check(json.dumps(checked)) == checked
    assert TOOL.call(NOWHERE, checked).content["word"] == arguments["word"]


def test_names_of_parameters_may_be_any() -> None:
    def odd(schema: str, copy: int, _inner: list[bool], model_config: float) -> list[Any]:
        """Take odd names."""
        return [schema, copy, _inner, model_config]

    made = FunctionTool(odd)
    given = made.check('{"schema": "a", "copy": 1, "_inner": [true], "model_config": 2}')
    assert made.call(NOWHERE, given).content == ["a", 1, [True], 2.0]


def test_methods_and_partials_are_functions_too() -> None:
    class Shelf:
        def take(self, name: str) -> str:
            """Take a book."""
            return f"book {name}"

    def two(one: int, other: int) -> int:
        return one * other

    assert FunctionTool(Shelf().take).call(NOWHERE, {"name": "a"}).content == "book a"
    part = FunctionTool(functools.partial(two, other=3), name="two")
    assert part.call(NOWHERE, {"one": 2}).content == 6


def _untyped(a, b: int) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Lack a type."""


def _many(*words: str) -> None:
    """Take any number."""


def _unknown(a: Nothing) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Name a type that is nowhere."""


def _formless(a: pytest.MonkeyPatch) -> None:
    """Take what JSON cannot be."""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        pytest.param(_untyped, "its parameter 'a' has no type. Write a: str", id="untyped"),
        pytest.param(_many, "'words' takes none", id="any-number"),
        pytest.param(_unknown, "its parameters cannot be read", id="unknown-type"),
        pytest.param(_formless, "its types have no form in JSON", id="no-json"),
    ],
)
def test_functions_that_no_model_can_call_are_refused(function: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        FunctionTool(function)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["two words", "ä", "a" * 65, "a;b"])
def test_names_that_no_server_takes_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="A tool cannot be called"):
        FunctionTool(lambda: None, name=name)


def test_failure_of_the_function_is_a_sentence() -> None:
    def fails() -> None:
        raise KeyError("price")

    with pytest.raises(ToolError, match=r"fails did not run: it failed: KeyError: 'price'\."):
        FunctionTool(fails).call(NOWHERE, {})


def test_failure_whose_text_fails_is_a_sentence() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fails() -> None:
        raise OddError

    with pytest.raises(ToolError, match=r"it failed: OddError\."):
        FunctionTool(fails).call(NOWHERE, {})


def test_answers_are_bounded_and_say_how_much_is_missing() -> None:
    made = FunctionTool(lambda: "x" * 30_000, name="long")
    content = made.call(NOWHERE, {}).content
    assert content.endswith("\n… 10,000 more characters.")
    assert len(content) < 20_100
    assert bounded({"a": "b" * 100}, 50).startswith('{"a": "bbb')


def test_answers_are_json_whatever_was_returned() -> None:
    made = FunctionTool(lambda: {"a": {1, 2}, "b": object(), "c": float("nan")}, name="odd")
    content = made.call(NOWHERE, {}).content
    assert json.loads(json.dumps(content)) == content
    assert content["b"] == "<object>"


def test_built_in_tools_have_names_schemas_and_docstrings() -> None:
    for name in all_tool_names():
        schema = function_tool(name).schema
        assert schema.name == name
        assert schema.description, name
        assert json.dumps(schema.parameters)
        for parameter, about in schema.parameters.get("properties", {}).items():
            assert about.get("description"), (name, parameter)


def test_names_of_tools_without_a_model_stay_what_they_were() -> None:
    assert set(tool_names()).isdisjoint(function_tool_names())
    assert set(all_tool_names()) == {*tool_names(), *function_tool_names()}


def test_unknown_tool_is_refused_with_near_misses() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'read-file'"):
        function_tool("read_file")
