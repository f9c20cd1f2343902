"""What interrupts a view, closes it or puts another store under it, and what it does then."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from ipywidgets import Widget
from ipywidgets.widgets import widget as widgets

from hypernb.session import Session
from hypernb.widgets import History, MissionView
from hypernb.widgets import _tail as tails
from hypernb.widgets._desk import DESK
from tests.unit.widgets.conftest import FrontEnd, until
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission


@pytest.fixture(autouse=True)
def _views_end() -> Iterator[None]:
    before = threading.active_count()
    yield
    Widget.close_all()
    assert threading.active_count() <= before


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "moment", ["hypernb.widgets._line.DESK.open", "hypernb.widgets._tail.Tail.attach"]
)
def test_a_view_that_is_interrupted_while_it_is_made_leaves_nothing(
    mission: Mission, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    before, threads = len(widgets._instances), threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr(moment, _interrupted)
        with pytest.raises(KeyboardInterrupt):
            MissionView(mission)
    assert len(widgets._instances) == before
    assert threading.active_count() == threads
    assert FrontEnd(MissionView(mission)).ask("events")["ok"]


def test_a_view_that_is_interrupted_while_it_closes_leaves_no_thread(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = MissionView(mission)
    assert FrontEnd(view).ask("events")["ok"]
    with monkeypatch.context() as patch:
        patch.setattr("hypernb.widgets._tail.Tail.detach", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            view.close()
    assert not DESK._users
    view._line._tail.detach(view._line)
    view.close()


def test_a_view_that_was_closed_says_so_where_it_is_displayed(
    session: Session, mission: Mission
) -> None:
    view, board = MissionView(mission), History(session)
    view.close()
    board.close()
    assert not view.is_open
    assert repr(view) == "<MissionView of m-1: awaiting approval, closed>"
    assert repr(board) == "<History, closed>"


def test_a_view_whose_session_was_closed_is_no_longer_open(
    session: Session, mission: Mission
) -> None:
    view = MissionView(mission)
    assert view.is_open
    session.close()
    assert not view.is_open


def test_an_observer_that_raises_keeps_no_other_from_being_told(session: Session) -> None:
    recorded = Recorded(session, "a")
    view = MissionView(recorded.mission)
    FrontEnd(view).hello()
    view.observe(_interrupted, "state")
    recorded.start()
    until(lambda: view.seq == session.store.last_seq())
    assert view.state == "running"


def test_a_backup_in_the_place_of_the_store_is_followed_from_its_own_numbers(
    mission: Mission, tmp_path: Path
) -> None:
    path, kept = tmp_path / "store.db", tmp_path / "kept.db"
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(kept)) as other:
        one.backup(other)
    for number in range(5):
        mission.comment(f"comment {number}")
    page = FrontEnd(MissionView(mission))
    assert page.hello()["seq"] == 7
    for each in tmp_path.glob("store.db?*"):
        each.rename(tmp_path / f"old-{each.name}")
    path.rename(tmp_path / "old.db")
    kept.rename(path)
    assert page.of("picture")["seq"] == 2
    with Session(path) as second:
        second.mission(1).comment("after it")
    assert page.of("batch", seq=3)["events"][0]["kind"] == "plan.commented"


def test_who_looks_for_a_runner_when_nobody_is_in_looks_again_later(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "_RUNNER_STARTS_S", 0.0)
    asked = threading.Event()
    recorded = Recorded(session, "a").start()
    view = MissionView(recorded.mission)
    tail = view._line._tail
    FrontEnd(view).hello()
    tail._is_looking_for_runner = True  # its desk was left before it could do so
    view.close()
    monkeypatch.setattr(Session, "keep_runner", lambda _self, *_: asked.set())
    FrontEnd(MissionView(recorded.mission)).hello()
    assert tails.tail_of(session) is tail
    assert asked.wait(10)


def test_a_view_that_is_left_when_the_interpreter_ends_is_left_alone(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = MissionView(mission)
    monkeypatch.setattr("hypernb.widgets._widget.os", None)
    view.__del__(lambda: True)
    monkeypatch.undo()
    assert view.is_open
