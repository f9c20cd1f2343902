"""Clicks: taken from any thread, done in turn, answered whatever comes of them."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import MissionState
from hypernb.widgets import _desk, _verbs
from hypernb.widgets._desk import Desk, Lane, answered
from tests.unit.widgets.conftest import WITHIN_S, proposed, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission, Session


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    made.open(made)
    yield made
    made.leave(made)


def _question(verb: str, **args: Any) -> dict[str, Any]:
    return {"type": "ask", "id": 3, "verb": verb, "args": args}


def test_what_cannot_be_done_is_answered_with_what_to_do(mission: Mission) -> None:
    mission.reject("no")
    asked = _question("approve", plan_hash=mission.record.plan_hash)
    answer = answered(asked, mission)
    assert (answer["id"], answer["ok"]) == (3, False)
    assert answer["error"]["code"] == "transition"
    assert "m-1" in answer["error"]["message"]
    assert answer["error"]["hint"] not in answer["error"]["message"]


def test_what_goes_wrong_unexpectedly_is_answered_and_logged(
    mission: Mission, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_mission: Mission) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(_verbs.VERBS, "pause", broken)
    answer = answered(_question("pause"), mission)
    assert answer["error"]["code"] == "unexpected"
    assert "ZeroDivisionError: oh" in answer["error"]["message"]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("verb", ["reject", "events"])
def test_nothing_else_waits_for_an_output_that_hangs(
    desk: Desk, mission: Mission, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    read = threading.Event()
    monkeypatch.setitem(_verbs.VERBS, "output", lambda _m: read.wait(WITHIN_S))
    answers: list[dict[str, Any]] = []
    desk.take({**_question("output"), "id": 1}, mission, answers.append)
    desk.take({**_question(verb), "id": 2}, mission, answers.append)
    until(lambda: len(answers) == 1)
    assert (answers[0]["id"], answers[0]["ok"]) == (2, True)
    read.set()
    until(lambda: len(answers) == 2)


def test_a_click_on_a_locked_store_is_told_of_and_then_done_once(
    desk: Desk, mission: Mission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _desk.PATIENCE_S < 2
    monkeypatch.setattr(_desk, "PATIENCE_S", 0.01)
    said: list[dict[str, Any]] = []
    with closing(sqlite3.connect(tmp_path / "store.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        desk.take(_question("reject"), mission, said.append)
        until(lambda: said)
        assert said == [{"type": "pending", "id": 3, "why": _desk.STILL_TRYING}]
        assert mission.record.state is MissionState.AWAITING_APPROVAL
        other.rollback()
    until(lambda: said[-1]["type"] == "answer")
    assert said[-1] == {"type": "answer", "id": 3, "ok": True, "value": {}}
    events = mission.session.store.events(mission.record.id, kinds=["plan.rejected"])
    assert len(events) == 1


def test_a_click_that_is_done_at_once_is_only_answered(desk: Desk, mission: Mission) -> None:
    said: list[dict[str, Any]] = []
    desk.take(_question("reject"), mission, said.append)
    until(lambda: said)
    assert [each["type"] for each in said] == ["answer"]
    assert "hypernb still trying" not in {each.name for each in threading.enumerate()}


def test_threads_end_with_the_last_who_needs_them(mission: Mission) -> None:
    desk = Desk()
    desk.open("one")
    desk.open("two")
    answers: list[dict[str, Any]] = []
    desk.take(_question("events"), mission, answers.append)
    desk.take(_question("reject"), mission, answers.append)
    until(lambda: len(answers) == 2)
    desk.leave("one")
    desk.leave("one")
    assert _lanes() == 2
    desk.leave("two")
    assert _lanes() == 0


def test_nothing_is_begun_when_nobody_is_in() -> None:
    desk = Desk()
    desk.later(lambda: None)
    assert _lanes() == 0


def _lanes() -> int:
    return sum(each.name.startswith("hypernb") for each in threading.enumerate())


def test_a_lane_goes_on_after_a_job_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    lane, done = Lane("hypernb test"), threading.Event()
    facts: dict[str, int] = {}
    lane.put(lambda: facts["nothing"])
    lane.put(done.set)
    assert done.wait(WITHIN_S)
    lane.end()
    assert "KeyError" in caplog.text


def test_a_lane_does_what_it_was_given_before_it_ends() -> None:
    lane, done = Lane("hypernb test"), []
    for number in range(100):
        lane.put(lambda number=number: done.append(number))  # type: ignore[misc]
    lane.end()
    assert done == list(range(100))


def test_a_click_of_a_list_says_which_mission(session: Session) -> None:
    proposed(session, "a")
    proposed(session, "a")
    assert answered(_question("reject", mission="m-1"), session)["ok"]
    assert [each.state.value for each in session.missions()] == [
        "awaiting_approval",
        "rejected",
    ]
    assert not answered(_question("reject"), session)["ok"]
