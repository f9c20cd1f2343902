"""What goes wrong stays where it is, and leaves other missions, views and stores alone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import StoreUnavailableError
from hypernb.session import Session
from hypernb.widgets import History, MissionView, _verbs
from hypernb.widgets import _tail as tails
from hypernb.widgets._desk import Lane, answered
from tests.unit.widgets.conftest import WITHIN_S, FrontEnd, proposed, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission


@pytest.fixture(autouse=True)
def _views_end() -> Iterator[None]:
    yield
    from ipywidgets import Widget

    Widget.close_all()


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "_BEAT_S", 0.02)
    monkeypatch.setattr(tails, "_AFTER_FAILURE_S", 0.01)


def _damage(mission: Mission) -> None:
    import sqlite3

    path = mission.session.store.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE plans SET spec = '{\"goal\": 5' WHERE mission_id = ?", (mission.record.id,)
        )
    connection.close()


@pytest.mark.usefixtures("_often")
def test_a_damaged_mission_ends_only_its_own_views(session: Session, mission: Mission) -> None:
    page = FrontEnd(MissionView(mission))
    page.hello()
    broken = proposed(session, "a")
    _damage(broken)
    other = FrontEnd(MissionView(broken))
    other.tell(type="hello", front_end="a test")
    assert "Revision 1 of the plan" in other.of("closed")["reason"]
    mission.comment("goes on")
    until(lambda: any(each.get("events") for each in page.said))
    page.said.clear()
    assert page.of("beat")["why"] == ""
    # A page that is loaded later is told the same.
    other.tell(type="hello", front_end="a test")
    assert "Revision 1 of the plan" in other.of("closed")["reason"]


def test_a_list_goes_on_without_a_mission_that_is_damaged(session: Session) -> None:
    _damage(proposed(session, "a"))
    fine = proposed(session, "a")
    page = FrontEnd(History(session))
    page.tell(type="hello", front_end="a test")
    assert len(page.of("missions")["rows"]) == 2
    page.ask("open", mission="m-1")
    page.of("opened", mission="m-1")
    told = next(
        each for each in iter(lambda: page.of("opened", mission=None), {}) if each["why"]
    )
    assert "Revision 1 of the plan" in told["why"]
    assert page.ask("open", mission="m-2")["ok"]
    assert page.of("picture")["mission"]["id"] == fine.record.id


def test_an_error_of_ours_in_one_mission_ends_only_its_own_views(
    session: Session, mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hypernb.widgets._head import head_facts

    second = proposed(session, "a")

    def odd(snapshot: Any, **more: Any) -> Any:
        if snapshot.mission.id == second.record.id:
            raise SystemExit("bye")
        return head_facts(snapshot, **more)

    monkeypatch.setattr("hypernb.widgets._mirror.head_facts", odd)
    other = FrontEnd(MissionView(second))
    other.tell(type="hello", front_end="a test")
    assert "SystemExit: bye" in other.of("closed")["reason"]
    FrontEnd(MissionView(mission)).hello()


@pytest.mark.usefixtures("_often")
def test_a_store_that_goes_away_is_told_of_and_followed_when_it_is_back(
    session: Session, mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = FrontEnd(MissionView(mission))
    page.hello()

    def away() -> bool:
        raise StoreUnavailableError("The store is gone.", hint="Put it back.")

    with monkeypatch.context() as patch:
        patch.setattr(session.store, "changed", away)
        page.of("beat", why="The store is gone. Put it back.")
        page.of("beat", why="The store is gone. Put it back.")
    page.of("beat", why="")
    mission.comment("it is back")
    page.of("batch", seq=session.store.last_seq())


class _Panic(BaseException):
    """What pyo3 raises for a panic in Rust."""

    def __str__(self) -> str:
        raise SystemExit("worse")


@pytest.mark.parametrize("raised", [SystemExit("bye"), KeyboardInterrupt(), _Panic()])
def test_what_is_no_exception_is_answered_too(
    raised: BaseException, mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad(_mission: Mission) -> None:
        raise raised

    monkeypatch.setitem(_verbs.VERBS, "output", bad)
    page = FrontEnd(MissionView(mission))
    assert type(raised).__name__ in page.ask("output")["error"]["message"]
    assert page.ask("events")["ok"]


def test_a_lane_outlives_what_is_no_exception() -> None:
    lane, done = Lane("hypernb test"), threading.Event()

    def leave() -> None:
        raise SystemExit

    lane.put(leave)
    lane.put(done.set)
    assert done.wait(WITHIN_S)
    lane.end()


def test_a_lane_whose_thread_has_died_gets_another() -> None:
    lane, done = Lane("hypernb test"), threading.Event()
    dead = threading.Thread(target=lambda: None)
    dead.start()
    dead.join()
    lane._thread = dead
    lane.put(done.set)
    assert done.wait(WITHIN_S)
    lane.end()


def test_a_locked_store_does_not_hold_up_another(
    mission: Mission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = threading.Event()
    with Session(tmp_path / "other.db", root=tmp_path) as second:
        stuck = proposed(second, "a")
        reject = _verbs.reject

        def slow(asked: Mission, reason: str = "") -> Any:
            if asked.record.id == stuck.record.id:
                assert locked.wait(WITHIN_S)
            return reject(asked, reason)

        monkeypatch.setitem(_verbs.VERBS, "reject", slow)
        waits, goes = FrontEnd(MissionView(stuck)), FrontEnd(MissionView(mission))
        waits.tell(type="ask", id=1, verb="reject", args={})
        try:
            assert goes.ask("reject")["ok"]
            assert not any(each["type"] == "answer" for each in waits.said)
        finally:
            locked.set()
        assert waits.of("answer")["ok"]


@pytest.mark.parametrize("args", [[1], "m-1", 5, {"mission": 5}, {"mission": {"a": 1}}])
def test_opening_what_makes_no_sense_is_answered(session: Session, args: Any) -> None:
    page = FrontEnd(History(session))
    page.tell(type="ask", id="a", verb="open", args=args)
    assert not page.of("answer", id="a")["ok"]


def test_opening_is_answered_whatever_goes_wrong(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hypernb.widgets._line.named", lambda *_: 1 / 0)
    page = FrontEnd(History(session))
    assert page.ask("open", mission="m-1")["error"]["code"] == "unexpected"


def test_an_answer_is_made_of_any_error(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad(_mission: Mission) -> None:
        raise _Panic

    monkeypatch.setitem(_verbs.VERBS, "pause", bad)
    asked = {"id": 1, "verb": "pause", "args": {}}
    assert answered(asked, mission)["error"]["message"] == "That did not work: _Panic"
