"""Changes of a plan as a person types them."""

from __future__ import annotations

from typing import Any

import pytest

from hypernb.errors import UsageError
from hypernb.session import typed_comment, typed_edit


@pytest.mark.parametrize(
    ("words", "more", "asked"),
    [
        (["t3", "timeout_s=60"], {}, {"changes": {"t3": {"timeout_s": 60}}, "drop": ()}),
        (["t3", "goal=2026"], {}, {"changes": {"t3": {"goal": "2026"}}, "drop": ()}),
        (["t3", "check=null"], {}, {"changes": {"t3": {"check": "null"}}, "drop": ()}),
        (["concurrency=2"], {"drop": ["t4"]}, {"drop": ["t4"], "concurrency": 2}),
        (["t3", "cap_cost=null"], {}, {"changes": {"t3": {"cap_cost": None}}, "drop": ()}),
        (
            ["t3"],
            {"values": {"needs": ("a", "b")}},
            {"changes": {"t3": {"needs": ("a", "b")}}, "drop": ()},
        ),
        (
            ["timeout_s=9"],
            {"add": "review", "values": {"agent": "qa-engineer"}},
            {"add": [{"name": "review", "timeout_s": 9, "agent": "qa-engineer"}], "drop": ()},
        ),
    ],
)
def test_words_become_an_edit(words: list[str], more: Any, asked: dict[str, Any]) -> None:
    more = {"values": {}} | more
    assert typed_edit(words, more.pop("values"), **more) == asked


@pytest.mark.parametrize(
    ("words", "more", "said"),
    [
        ([], {}, "An edit needs a change"),
        (["t3"], {"add": "x"}, "cannot be changed while 'x' is added"),
        ([], {"values": {"goal": "x"}}, "--goal is about a task"),
        (["t3", "timeout"], {}, "'timeout' is no change"),
        (["t3", "variables=df"], {}, "variables cannot be 'df'.*see"),
    ],
)
def test_what_is_unclear_is_refused(words: list[str], more: Any, said: str) -> None:
    more = {"values": {}} | more
    with pytest.raises(UsageError, match=said):
        typed_edit(words, more.pop("values"), **more)


class _Record:
    number = 3


class _Task:
    record = _Record()


class _Mission:
    tasks = {"audit": _Task()}  # noqa: RUF012


@pytest.mark.parametrize(
    ("said", "split"),
    [
        ("t3 Don't do this", ("t3", "Don't do this")),
        ("audit why?", ("audit", "why?")),
        ("audit", ("", "audit")),
        ("Fine with me", ("", "Fine with me")),
        ('"Fine with me"', ("", "Fine with me")),
        ("t9 is no task", ("", "t9 is no task")),
    ],
)
def test_comment_may_name_a_task_first(said: str, split: tuple[str, str]) -> None:
    mission: Any = _Mission()
    assert typed_comment(mission, said) == split
