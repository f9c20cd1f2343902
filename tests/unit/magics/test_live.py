"""The view in a cell: who follows a mission, and what the cells are told meanwhile."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import RunnerError, StoreUnavailableError
from hypernb.magics import _live
from hypernb.magics._live import LiveView
from hypernb.magics._start import watch
from hypernb.model import AttemptState, MissionState, TaskState
from hypernb.session import Mission, Session
from hypernb.session._mission import Mission as Watched
from hypernb.session.front_end import Rung
from tests.unit.widgets import recorded as recorded_missions
from tests.unit.widgets.conftest import until
from tests.unit.widgets.recorded import START, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDGET = "application/vnd.jupyter.widget-view+json"


class Notebook:
    """What cells show: the newest of each display."""

    def __init__(self) -> None:
        self.shown: dict[str, dict[str, Any]] = {}
        self.history: list[str] = []

    def publish(
        self,
        data: dict[str, Any],
        *,
        transient: dict[str, str] | None = None,
        update: bool = False,
    ) -> None:
        display = (transient or {}).get("display_id", "")
        assert not update or display in self.shown
        self.shown[display] = data
        self.history.append(self.model(data))

    @staticmethod
    def model(data: dict[str, Any]) -> str:
        return str(data[WIDGET]["model_id"]) if WIDGET in data else "html"

    @property
    def models(self) -> list[str]:
        return [self.model(data) for data in self.shown.values()]

    @property
    def text(self) -> str:
        [data] = self.shown.values()
        return str(data["text/plain"])


class _Around:
    """A notebook with somebody at it."""

    rung = Rung.WIDGET
    headless = False


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    made = Notebook()
    monkeypatch.setattr("IPython.display.publish_display_data", made.publish)
    monkeypatch.setattr("hypernb.widgets._widget.built", lambda _name: "")
    monkeypatch.setattr(_live, "ANSWER_WITHIN_S", 60)
    yield made
    for view in list(_live._following.values()):
        view.end()
    from ipywidgets import Widget

    Widget.close_all()
    for each in (_live._widgets, _live._showing, _live._rungs, _live._displays):
        each.clear()


def _shown(mission: Mission, *, rung: Rung = Rung.WIDGET, lasts: bool = False) -> LiveView:
    view = LiveView(mission, rung=rung, lasts=lasts)
    view.show()
    view.follow()
    return view


def _failed(session: Session) -> Recorded:
    recorded = Recorded(session).start().begin("a")
    failed = {"task_state": TaskState.FAILED, "attempt_state": AttemptState.FAILED}
    recorded.tell("task.failed", "a", attempt=1, **failed)
    return recorded.end(MissionState.FAILED, "a failed")


def _copy(database: Path, target: Path) -> None:
    with closing(sqlite3.connect(database)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def _views() -> list[str]:
    names = [each.name for each in threading.enumerate()]
    return [name for name in names if name.startswith("hypernb view of")]


def _open_widgets() -> list[str]:
    from ipywidgets.widgets import widget

    return [key for key, each in widget._instances.items() if hasattr(each, "is_open")]


def test_a_mission_of_a_copied_store_has_a_view_of_its_own(
    session: Session, notebook: Notebook, tmp_path: Path
) -> None:
    mission = Recorded(session).mission
    _copy(tmp_path / "store.db", tmp_path / "copy.db")
    _shown(mission)
    with Session(tmp_path / "copy.db", root=tmp_path) as second:
        _shown(second.mission("m-1"))
        second.mission("m-1").reject("no")
        until(lambda: "html" in notebook.models)
        until(lambda: len(_views()) == 1)
        assert len(notebook.shown) == 2
        assert mission.state is MissionState.AWAITING_APPROVAL


def test_cells_share_one_model_and_one_follower(session: Session, notebook: Notebook) -> None:
    mission = Recorded(session).mission
    for _ in range(3):
        _shown(mission)
    assert len(set(notebook.history)) == len(notebook.shown) == len(_views()) == 1


def test_a_view_that_was_closed_is_not_shown_again(
    session: Session, notebook: Notebook, tmp_path: Path
) -> None:
    _shown(Recorded(session).mission)
    session.close()
    [closed] = notebook.models
    with Session(tmp_path / "store.db", root=tmp_path) as later:
        _shown(later.mission(1))
        [live] = notebook.models
        assert live != closed
        assert _open_widgets() == [live]


def test_cells_are_told_the_end_although_the_store_was_away(
    session: Session,
    notebook: Notebook,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(_live, "AFTER_FAILURE_S", 0.01)
    recorded = Recorded(session).start()
    failed = threading.Event()

    def away() -> bool:
        failed.set()
        raise StoreUnavailableError("The disk is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(session.store, "changed", away)
        _shown(recorded.mission)
        assert failed.wait(10)
        recorded.end()
    until(lambda: notebook.models == ["html"])
    assert "Succeeded" in notebook.text
    # A kernel shows it below the cell.
    assert caplog.text.count("The view of m-1 is late: The disk is gone.") == 1
    assert "Traceback" not in caplog.text


def test_an_interrupt_leaves_the_cells_before_followed(
    session: Session, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(session).start()
    _shown(recorded.mission)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("hypernb.views.mission_text", interrupted)
        with pytest.raises(KeyboardInterrupt):
            watch(_Around(), session.mission(1), wait=False)  # type: ignore[arg-type]
    recorded.end()
    until(lambda: notebook.models == ["html"])
    assert "Succeeded" in notebook.text


def test_a_display_that_showed_nothing_is_not_followed(
    session: Session, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = Recorded(session).mission

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("hypernb.views.mission_text", interrupted)
        with pytest.raises(KeyboardInterrupt):
            watch(_Around(), mission, wait=False)  # type: ignore[arg-type]
    assert not _views()
    assert not _open_widgets()
    _shown(mission)
    assert len(_views()) == len(notebook.shown) == 1


def test_a_retry_while_a_cell_is_about_to_follow_makes_no_second_view(
    session: Session, notebook: Notebook
) -> None:
    recorded = _failed(session)
    view = LiveView(recorded.mission, rung=Rung.WIDGET, lasts=True)
    view.show()
    session.mission(1).retry()
    view.follow()
    assert len(set(notebook.history)) == 1
    assert _open_widgets() == notebook.models


def test_a_cell_that_waits_shows_a_retry_that_comes_when_it_has_ended(
    session: Session, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = _failed(session)
    view = LiveView(recorded.mission, rung=Rung.WIDGET)
    view.show()
    follow = view.follow

    def retry_first() -> None:
        session.mission(1).retry()
        follow()

    monkeypatch.setattr(view, "follow", retry_first)
    view.wait(10)
    until(lambda: notebook.models != ["html"])
    assert _open_widgets() == notebook.models
    assert len(_views()) == 1


def test_cells_go_on_with_a_retry_whose_runner_does_not_start(
    session: Session, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = _failed(session)
    _shown(recorded.mission)
    assert notebook.models == ["html"]

    def broken(_self: Session, *_: object) -> None:
        raise RunnerError("It ended at once.")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "ensure_runner", broken)
        with pytest.raises(RunnerError):
            recorded.mission.retry()
    assert _open_widgets() == notebook.models


def test_an_end_that_is_shown_live_gives_way_to_the_next_end(
    session: Session, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = _failed(session)
    looked = threading.Event()
    go_on = threading.Event()
    wait = Watched.wait_for_retry

    def late(self: Watched, **options: Any) -> bool:
        looked.set()
        assert go_on.wait(10)
        return wait(self, **options)

    monkeypatch.setattr(Watched, "wait_for_retry", late)
    _shown(recorded.mission, lasts=True)
    assert looked.wait(10)
    # All of it between two looks, as beside a cell that computes.
    monkeypatch.setattr(recorded_missions, "START", START + timedelta(minutes=1))
    recorded.tell("mission.started", mission_state=MissionState.RUNNING)
    recorded.end()
    go_on.set()
    session.mission(1).comment("so that there is a commit")
    until(lambda: notebook.models == ["html"])
    assert "Succeeded" in notebook.text


def test_views_in_a_fork_are_those_of_its_parent(
    session: Session, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = Recorded(session).mission
    view = _shown(mission)
    for name in ("_following", "_widgets", "_showing", "_rungs", "_displays"):
        monkeypatch.setattr(_live, name, dict(getattr(_live, name)))
    held = _live._lock
    held.acquire()
    try:
        monkeypatch.setattr(_live, "_lock", held)
        _live._in_child()
        assert _live._lock is not held
        assert not _live._following
        assert not _live._widgets
    finally:
        held.release()
        view.end()
    assert notebook.models != ["html"]


def test_text_of_a_mission_that_has_ended_is_written_once(
    session: Session, notebook: Notebook
) -> None:
    mission = Recorded(session, "a").start().finish("a", 1).end().mission
    view = LiveView(mission, rung=Rung.TEXT)
    view.show()
    view.wait()
    assert len(notebook.history) == 1


def test_text_is_brief_for_who_has_just_seen_all_of_it(
    session: Session, notebook: Notebook
) -> None:
    mission = Recorded(session, "a").approve().mission
    LiveView(mission, rung=Rung.TEXT, briefly=True).show()
    assert "Next " in notebook.text
    assert "What you allow" not in notebook.text
