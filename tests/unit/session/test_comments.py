"""What people say of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import hypernb
from hypernb.errors import ApprovalError, UnknownTaskError, UsageError
from hypernb.session._mission import MAX_COMMENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission


def nothing() -> None:
    """Do nothing."""


@pytest.fixture
def mission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mission]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    plan = hypernb.Plan("Look").add("map", nothing).add("audit", nothing, needs=["map"])
    with hypernb.Session(tmp_path / "h.db", runner="inprocess", root=tmp_path) as session:
        yield session.start(plan)


def test_comments_are_kept_with_who_said_them(mission: Mission) -> None:
    mission.comment("  Why the audit?  ", "t2").comment("Fine with me.")
    first, second = mission.comments()
    assert (first.task, first.text) == ("audit", "Why the audit?")
    assert (second.task, second.by) == ("", mission.session.by)
    assert mission.record.revision == 1


@pytest.mark.parametrize("text", ["", " \n ", "x" * (MAX_COMMENT + 1)])
def test_comment_has_some_words_and_not_too_many(mission: Mission, text: str) -> None:
    with pytest.raises(UsageError):
        mission.comment(text)
    assert mission.comments() == []


def test_comment_on_no_task_names_near_misses(mission: Mission) -> None:
    with pytest.raises(UnknownTaskError, match="Did you mean 'audit'"):
        mission.comment("x", "adit")


def test_comments_outlive_the_revision_that_they_are_about(mission: Mission) -> None:
    mission.comment("Too long", "audit").edit(drop=["audit"])
    assert [each.task for each in mission.comments()] == ["audit"]


def test_difference_is_that_of_the_last_edit(mission: Mission) -> None:
    assert not mission.difference()
    mission.edit({"map": {"timeout_s": 9}}).edit(drop=["audit"])
    assert mission.difference().removed == ("audit",)
    assert mission.difference(1).changed == {"map": {"timeout_s": (600.0, 9.0)}}


def test_part_is_approved_only_of_the_plan_that_was_seen(mission: Mission) -> None:
    seen = mission.record.plan_hash
    mission.edit({"map": {"timeout_s": 9}})
    with pytest.raises(ApprovalError, match="no longer the one that you saw"):
        mission.approve(["map"], plan_hash=seen)
    assert mission.record.revision == 2
