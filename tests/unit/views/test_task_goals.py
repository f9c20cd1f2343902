"""A goal of several lines: what for in the table, by what where there is room."""

from __future__ import annotations

from hypernb.model import AgentWork, TaskSpec
from hypernb.views._contract import contract, errand, means

TASK = TaskSpec(
    name="lint",
    agent="backend-specialist",
    goal="Look for lint.\nruff: ruff check .\nvulture: vulture <files>\x1b[31m",
    work=AgentWork(tools=("ruff", "vulture")),
)


def test_first_line_says_what_for() -> None:
    assert errand(TASK) == "Look for lint."


def test_further_lines_say_by_what() -> None:
    assert means(TASK) == ["ruff: ruff check .", "vulture: vulture <files>"]


def test_contract_names_every_means() -> None:
    terms = contract(TASK)
    assert ("Does", ("Look for lint.",)) in terms
    assert [said for term, said in terms if term == "By"] == [(each,) for each in means(TASK)]
