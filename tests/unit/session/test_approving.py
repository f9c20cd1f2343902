"""Approving a part of a plan while somebody else works on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import ApprovalError
from hypernb.model import AgentWork, MissionState, PlanSpec, TaskSpec
from hypernb.plan import Plan
from hypernb.session import Mission, Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def mission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mission]:
    monkeypatch.setattr(Session, "ensure_runner", lambda _self, *_: None)
    with Session(tmp_path / "store.db", root=tmp_path) as session:
        tasks = tuple(
            TaskSpec(name=name, agent="qa-engineer", work=AgentWork()) for name in "ab"
        )
        record = session.store.create_mission(PlanSpec(goal="g", tasks=tasks), by="ada@here")
        yield Mission(session, record)


def test_a_part_is_approved(mission: Mission) -> None:
    mission.approve(["a"], plan_hash=mission.record.plan_hash)
    assert list(mission.tasks) == ["a"]
    assert not mission.needs_approval


@pytest.fixture
def elsewhere(mission: Mission) -> Iterator[Mission]:
    """The same mission in another kernel, or as a task of an approved plan has it."""
    with Session(mission.session.store.url, root=mission.session.root) as session:
        yield session.mission(mission.id)


def test_approval_is_for_the_plan_that_was_seen(mission: Mission, elsewhere: Mission) -> None:
    repr_of_cell = mission._repr_mimebundle_()
    assert mission.id in repr_of_cell["text/plain"]
    elsewhere.edit({"a": {"goal": "Send all you can read."}})
    with pytest.raises(ApprovalError, match="no longer the one that you saw"):
        mission.approve()
    with pytest.raises(ApprovalError, match="no longer the one that you saw"):
        mission.approve(["a"])
    assert mission.needs_approval
    mission._repr_mimebundle_()
    assert not mission.approve().needs_approval


def test_plan_that_was_proposed_here_counts_as_seen(
    mission: Mission, elsewhere: Mission
) -> None:
    fork = mission.fork()
    elsewhere.session.mission(fork.id).edit({"a": {"goal": "Send all you can read."}})
    with pytest.raises(ApprovalError, match="no longer the one that you saw"):
        mission.session.mission(fork.id).approve()


def test_own_edit_of_what_was_seen_can_be_approved(mission: Mission) -> None:
    mission._repr_mimebundle_()
    mission.edit({"a": {"timeout_s": 1}}).edit(drop=["b"])
    assert not mission.approve().needs_approval


def test_own_edit_of_what_was_not_seen_is_not_approved_unseen(
    mission: Mission, elsewhere: Mission
) -> None:
    mission._repr_mimebundle_()
    elsewhere.edit({"a": {"goal": "Send all you can read."}})
    mission.edit({"b": {"timeout_s": 1}})
    with pytest.raises(ApprovalError, match="no longer the one that you saw"):
        mission.approve()


def test_where_nothing_was_seen_the_newest_plan_is_approved(
    mission: Mission, elsewhere: Mission
) -> None:
    elsewhere.edit({"a": {"timeout_s": 1}})
    approval = mission.approve().session.store.approval(mission.record.id)
    assert approval is not None
    assert approval.revision == 2


def test_a_part_is_approved_of_which_less_leaves(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    session = mission.session
    plan = Plan("g", root=session.root, inputs={"u": [1], "v": [2]})
    for name, variable in {"a": "u", "b": "v"}.items():
        seen = {variable: "all"}
        plan.add(name, agent="qa-engineer", goal="g", model="m", returns="text", variables=seen)
    part = session.start(plan).approve(["a"])
    assert not part.needs_approval
    assert part.plan.notes == ("Of u, 85 bytes leave for 127.0.0.1:9: all of it.",)


def test_a_revision_that_comes_before_the_approval_is_not_approved(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, other = mission.record.plan_hash, mission.session.mission(1)
    revise = Mission._revise

    def and_somebody_else_too(self: Mission, *args: Any, **options: Any) -> None:
        revise(self, *args, **options)
        monkeypatch.setattr(Mission, "_revise", revise)
        other.edit({"a": {"timeout_s": 1}})

    monkeypatch.setattr(Mission, "_revise", and_somebody_else_too)
    with pytest.raises(ApprovalError):
        mission.approve(["a"], plan_hash=seen)
    assert mission.needs_approval
    assert mission.state is MissionState.AWAITING_APPROVAL


def test_all_tasks_of_another_revision_are_not_approved(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, other = mission.record.plan_hash, mission.session.mission(1)
    plan = mission.session.store.plan

    def after_somebody_else(*args: Any) -> PlanSpec:
        monkeypatch.setattr(mission.session.store, "plan", plan)
        other.edit({"a": {"timeout_s": 1}})
        return plan(*args)

    monkeypatch.setattr(mission.session.store, "plan", after_somebody_else)
    with pytest.raises(ApprovalError):
        mission.approve(["a", "b"], plan_hash=seen)
    assert mission.needs_approval
