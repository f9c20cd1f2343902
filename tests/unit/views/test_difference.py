"""What an edit changed, as text and as a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hypernb.model import AgentWork, ModelSpec, PythonWork
from hypernb.plan import compare
from hypernb.views import Changed, changed, difference_html, difference_text, value_words

MODEL = ModelSpec(name="m-1", base_url="https://api.example/v1", key_id="1f2e")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("budget", 0.5, "$0.50"),
        ("budget", None, "no limit"),
        ("budget", 0, "$0.00"),
        ("timeout_s", 90, "1 min 30 s"),
        ("estimate_s", None, "not known"),
        ("needs", (), "nothing"),
        ("tools", tuple("abcdefghijklmn"), "a, b, c, d, e, f, g, h, i, j, k, l and 2 more"),
        ("repeatable", True, "yes"),
        ("concurrency", 1200, "1,200"),
        ("goal", "two\nlines", "two lines"),
        ("params", {"tests": 1}, "tests: 1"),
        ("work.params", {"ruff": {"select": ["E", "F"]}}, "ruff (select: E, F)"),
        ("work.tools", (), "no tool"),
        ("check", "", "none"),
        ("work", AgentWork(tools=("ruff", "git")), "an agent with ruff, git"),
        (
            "work",
            PythonWork(function="", arguments="", label="load"),
            "the Python function load",
        ),
        ("models", {"big": MODEL}, "big: m-1 at api.example, cost not known"),
        ("notes", ("It spends nothing.", "It is slow."), "It spends nothing. It is slow."),
    ],
)
def test_values_are_told_for_people(field: str, value: Any, said: str) -> None:
    assert value_words(field, value) == said


def edited(make: Any, **values: Any) -> tuple[Any, Any]:
    old = make.plan()
    first = old.tasks[0].model_copy(update=values)
    return old, old.model_copy(update={"tasks": (first, *old.tasks[2:]), "budget": 0.5})


def test_text_names_what_came_went_and_changed(make: Any) -> None:
    old, new = edited(make, timeout_s=60.0)
    told = difference_text(compare(old, new), new, (1, 2), 100)
    assert told.startswith("From revision 1 to revision 2. As before: 8 tasks.")
    lines = [each.split() for each in told.splitlines()[4:]]
    assert ["imports", "left", "out"] in lines
    assert ["scan", "timeout_s", "3", "min", "1", "min"] in lines
    assert ["the", "plan", "budget", "no", "limit", "$0.50"] in lines


def test_same_plan_is_said_to_be_the_same(make: Any) -> None:
    same = make.plan()
    assert difference_text(compare(same, same), same, (1, 1)) == (
        "Revision 1 is the same as revision 1."
    )
    assert "is the same as" in difference_html(compare(same, same), same, (1, 1))


def test_markup_in_values_is_text(make: Any, read: Any) -> None:
    old, new = edited(make, goal="<img src=x onerror=alert(1)>\u202e")
    page = read(difference_html(compare(old, new), new, (1, 2)))
    assert not page.select("img")
    assert "<img src=x onerror=alert(1)>" in page.text
    assert "\u202e" not in page.text
    assert all(head["scope"] for head in page.select("th"))


def test_a_goal_is_compared_to_its_end(make: Any) -> None:
    old, new = (edited(make, goal=f"{'x' * 3_000} {end}")[1] for end in ("Keep it.", "Go."))
    (told,) = changed(compare(old, new))
    assert (told.old[-8:], told.new[-3:]) == ("Keep it.", "Go.")


def test_fields_of_the_plan_come_first(make: Any) -> None:
    old, new = edited(make, attempts=3)
    assert [each.task for each in changed(compare(old, new))] == ["", "scan"]


def test_of_two_dictionaries_only_what_differs_is_told(make: Any) -> None:
    old, new = (
        make.plan().model_copy(update={"params": {"depth": 2, "agents": [], "tests": tests}})
        for tests in (False, True)
    )
    assert changed(compare(old, new)) == [Changed("", "params", "tests: no", "tests: yes")]


PLAN_FIELDS = Path(__file__).parents[3] / "widgets/src/views/plan-fields.ts"


def test_fields_are_called_as_in_the_form_that_edits_them() -> None:
    source = PLAN_FIELDS.read_text("utf-8").replace("\n", " ")
    labels = re.findall(r" (\w+): \{\s+label: \"(.+?)\"", source)
    assert len(labels) > 15
    called = {name: Changed("", name, "", "").label for name, _ in labels}
    assert called == {name: label.lower() for name, label in labels}
