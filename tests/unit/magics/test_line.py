"""Reading a magic's line."""

from __future__ import annotations

import pytest

from hypernb.errors import UnknownNameError, UsageError
from hypernb.magics._help import help_text
from hypernb.magics._line import read_line, read_words, split_words
from hypernb.magics._verbs import CELL_OPTIONS, VERBS


def test_verb_arguments_and_options_are_read() -> None:
    request = read_line("approve m-7 t1 'my task' --wait", VERBS)
    assert request.verb == "approve"
    assert request.arguments == ("m-7", "t1", "my task")
    assert request.options == {"wait": True}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("aprove m-1", "'approve'", id="verb"),
        pytest.param("wait m-1 --timeuot 3", "'--timeout'", id="flag"),
    ],
)
def test_near_misses_are_suggested(line: str, said: str) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean") as caught:
        read_line(line, VERBS)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("pause", "%hyper pause M", id="too-few"),
        pytest.param("pause m-1 m-2", "does not take 'm-2'", id="too-many"),
        pytest.param("wait m-1 --timeout soon", "not 'soon'", id="no-number"),
        pytest.param("wait m-1 --timeout", "needs a value", id="no-value"),
        pytest.param("wait m-1 --timeout nan", "not 'nan'", id="nan"),
        pytest.param("approve m-1 --wait=yes", "takes no value", id="flag-with-value"),
        pytest.param("show 'm-1", "no closing quotation", id="open-quote"),
        pytest.param("show " + "x" * 30_000, "too long", id="too-long"),
    ],
)
def test_misuse_is_one_line(line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_line(line, VERBS)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        pytest.param('find it\'s a "trap"', 'it\'s a "trap"', id="loose-quotes"),
        pytest.param('find "hardcoded password"', "hardcoded password", id="quoted"),
        pytest.param(
            "find --limit 3 --not-an-option", "--not-an-option", id="looks-like-option"
        ),
        pytest.param("sql select 'a' || \"b\"", "select 'a' || \"b\"", id="sql"),
    ],
)
def test_text_verbs_take_the_rest_literally(line: str, text: str) -> None:
    assert read_line(line, VERBS).arguments == (text,)


@pytest.mark.parametrize(
    ("line", "text", "options"),
    [
        pytest.param("find two words --limit 3", "two words", {"limit": 3.0}, id="word"),
        pytest.param('find "a b" --limit=3', "a b", {"limit": 3.0}, id="equals"),
        pytest.param('find "a --limit 3"', "a --limit 3", {}, id="in-quotes"),
        pytest.param("find a --limit 3 b", "a --limit 3 b", {}, id="in-between"),
        pytest.param("find --limit 2 a --limit 3", "a", {"limit": 2.0}, id="twice"),
        pytest.param("comment m-1 use --limit 3", "m-1 use --limit 3", {}, id="no-option"),
    ],
)
def test_options_may_follow_a_text(line: str, text: str, options: dict[str, object]) -> None:
    request = read_line(line, VERBS)
    assert (request.arguments, request.options) == ((text,), options)


def test_option_after_a_text_needs_its_value() -> None:
    with pytest.raises(UsageError, match="--limit needs a value: --limit N"):
        read_line("find a --limit", VERBS)


def test_names_are_filled_in_for_options() -> None:
    def fill(text: str) -> str:
        return text.replace("{n}", "3").replace("{m.id}", "m-7").replace("{names}", "a,b")

    request = read_line("usage --mission {m.id} --days={n} --by {names}", VERBS, fill)
    assert request.options == {"mission": "m-7", "days": 3.0, "by": ("a", "b")}
    assert read_line("find x --limit {n}", VERBS, fill).options == {"limit": 3.0}


def test_help_of_edit_lists_the_fields() -> None:
    said = " ".join(help_text("edit").split())
    assert "Fields of a task: agent, answer, attempts," in said
    assert "Fields of a plan: agent_concurrency, budget," in said


def test_names_are_split_at_commas() -> None:
    _, options = read_words(split_words("--in df,cfg --scope=src/,tests/"), CELL_OPTIONS)
    assert options == {"in": ("df", "cfg"), "scope": ("src/", "tests/")}


def test_unknown_options_are_passed_on_to_playbooks() -> None:
    request = read_line("run repo-audit . --no-tests --yes", VERBS)
    assert request.arguments == ("repo-audit", ".", "--no-tests")
    assert request.options == {"yes": True}
