"""``%hyper approve``: only what this kernel has shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import ApprovalError
from hypernb.magics import _actions
from hypernb.magics._actions import act
from hypernb.magics._line import read_line
from hypernb.magics._start import Surroundings
from hypernb.magics._verbs import VERBS
from hypernb.model import AgentWork, PlanSpec, TaskSpec
from hypernb.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission

SHOWN_ANEW = "This kernel had not shown the plan of m-1 before"
NO_LONGER = "The plan of m-1 is no longer the one that you saw"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def publish(data: dict[str, Any], **_: Any) -> None:
        made.append(data["text/plain"])

    monkeypatch.setattr("IPython.display.publish_display_data", publish)
    return made


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HYPERNB_VIEWS", "text")
    monkeypatch.setattr(Session, "ensure_runner", lambda _self, *_: None)
    with Session(tmp_path / "store.db", root=tmp_path) as made:
        tasks = (TaskSpec(name="look", agent="qa-engineer", work=AgentWork()),)
        made.store.create_mission(PlanSpec(goal="Is it clear?", tasks=tasks), by="ada@here")
        yield made


@pytest.fixture
def elsewhere(session: Session) -> Iterator[Mission]:
    """The mission in another kernel, or as a task of an approved plan has it."""
    with Session(session.store.url, root=session.root) as other:
        yield other.mission("m-1")


def typed(session: Session, line: str, *, headless: bool = False) -> Any:
    around = Surroundings(
        namespace={},
        hidden=(),
        headless=headless,
        shell=None,
        open_session=lambda: session,
        configure=lambda _settings: None,
    )
    return act(around, read_line(line, VERBS))


def test_plan_that_was_changed_since_it_was_shown_is_not_approved(
    session: Session, elsewhere: Mission, shown: list[str]
) -> None:
    typed(session, "show m-1")
    elsewhere.edit({"look": {"goal": "Print all files."}}, budget=500.0)
    with pytest.raises(ApprovalError, match=NO_LONGER):
        typed(session, "approve m-1")
    assert elsewhere.needs_approval
    typed(session, "show m-1")
    assert not typed(session, "approve m-1").needs_approval
    assert shown


def test_plan_that_this_kernel_has_not_shown_is_shown_first(
    session: Session, shown: list[str]
) -> None:
    with pytest.raises(ApprovalError, match=SHOWN_ANEW):
        typed(session, "approve m-1")
    assert "Is it clear?" in shown[0]
    assert session.mission("m-1").needs_approval
    assert not typed(session, "approve m-1").needs_approval


@pytest.mark.usefixtures("shown")
def test_plan_whose_hash_is_given_is_approved_at_once(session: Session) -> None:
    plan_hash = session.mission("m-1").record.plan_hash
    assert not typed(session, f"approve m-1 --hash {plan_hash}").needs_approval


def test_where_nobody_is_there_the_newest_plan_is_approved(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_actions, "_watched", lambda _around, _request, mission, **_: mission)
    assert not typed(session, "approve m-1", headless=True).needs_approval
