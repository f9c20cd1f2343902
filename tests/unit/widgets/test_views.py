"""The widgets: what they take, what they refuse, and that nothing of them is left."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from ipywidgets import Layout, VBox

from hypernb import widgets
from hypernb.clock import SystemClock
from hypernb.errors import (
    StoreUnavailableError,
    UnknownMissionError,
    UnknownNameError,
    UnknownTaskError,
    UsageError,
)
from hypernb.model import MissionState, Retention
from hypernb.session import Session
from hypernb.widgets import FeedView, GraphView, History, HyperBoard, MissionView, PlanView
from hypernb.widgets import _tail as tails
from hypernb.widgets import _widget as module
from hypernb.widgets._copies import Copies
from hypernb.widgets._mirror import Mirror
from tests.unit.widgets.conftest import FrontEnd, proposed, until
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.session import Mission

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Any:
    before = threading.active_count()
    turns_s = sys.getswitchinterval()
    yield
    from ipywidgets import Widget

    Widget.close_all()
    assert threading.active_count() <= before
    assert sys.getswitchinterval() == turns_s


# -- what they take ----------------------------------------------------------------------


def test_every_view_names_its_component(mission: Mission) -> None:
    made = [getattr(widgets, name)(mission) for name in widgets.__all__ if "H" not in name]
    made += [HyperBoard(mission.session), History(mission.session)]
    assert sorted(each.component for each in made) == [
        "board",
        "feed",
        "graph",
        "history",
        "hyper_board",
        "mission",
        "plan",
        "result",
        "timeline",
    ]


def test_a_view_is_told_the_id_of_its_model(mission: Mission) -> None:
    view = MissionView(mission)
    assert view.own_id == view.model_id == view.get_state()["own_id"]


def test_a_mission_is_named_as_everywhere(
    session: Session, mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hypernb.session._here._default", session)
    for ref in (mission, "m-1", 1, "1"):
        assert MissionView(ref).mission_id == "m-1"
    with pytest.raises(UnknownMissionError, match="m-9"):
        MissionView("m-9")


def test_an_unknown_option_is_refused_with_near_misses(mission: Mission) -> None:
    with pytest.raises(UnknownNameError, match=r"'densty'.*Did you mean 'density'\?"):
        MissionView(mission, densty="compact")
    with pytest.raises(UnknownNameError) as caught:
        MissionView(mission, tabb="board")
    assert "Did you mean 'tab'?" in str(caught.value)
    with pytest.raises(UnknownNameError, match="PlanView is called 'tab'"):
        PlanView(mission, tab="plan")


def test_an_option_without_a_meaning_is_refused(mission: Mission) -> None:
    with pytest.raises(UsageError, match=r"'bxard'.*Did you mean 'board'\?"):
        MissionView(mission, tab="bxard")
    view = MissionView(mission, tab="board", density="compact", layout={"width": "50%"})
    with pytest.raises(UsageError, match="Known: 'comfortable', 'compact'"):
        view.density = "huge"


@pytest.mark.parametrize("ref", [None, "", "  ", 3.5, True, ["m-1"]])
def test_a_view_of_no_mission_says_what_to_give(mission: Mission, ref: Any) -> None:
    del mission  # which is the newest, and must not be shown because none is named
    with pytest.raises(UsageError, match=r"GraphView needs a mission.*GraphView\('m-7'\)"):
        GraphView(ref)


def test_a_view_without_a_mission_says_what_to_give() -> None:
    with pytest.raises(UsageError, match="GraphView needs a mission"):
        GraphView()


def test_an_unknown_task_is_refused_with_near_misses(session: Session) -> None:
    mission = proposed(session, "clean", "count")
    view = MissionView(mission, task="clean")
    with pytest.raises(UnknownTaskError, match="Did you mean 'clean'"):
        view.task = "clena"
    assert view.task == "clean"
    view.task = ""
    with pytest.raises(UnknownTaskError, match="'nope'"):
        MissionView(mission, task="nope")


def test_views_that_were_not_built_say_so(
    mission: Mission, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(module, "_STATIC", tmp_path)
    module.built.cache_clear()
    with pytest.raises(UsageError, match="Live views were not built"):
        MissionView(mission)
    module.built.cache_clear()


def test_importing_the_package_does_not_import_anywidget() -> None:
    import subprocess

    code = "import sys, hypernb.widgets; sys.exit('anywidget' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- what they tell ----------------------------------------------------------------------


def test_a_view_follows_its_mission(session: Session) -> None:
    recorded = Recorded(session, "a")
    view = MissionView(recorded.mission)
    page = FrontEnd(view)
    assert page.hello()["mission"]["state"] == "awaiting_approval"
    states: list[str] = []
    view.observe(lambda change: states.append(change["new"]), "state")
    recorded.start()
    batch = page.of("batch", seq=session.store.last_seq())
    assert batch["events"][-1]["kind"] == "mission.started"
    until(lambda: view.state == "running")
    recorded.end()
    until(lambda: view.seq == session.store.last_seq())
    assert states[-1] == "succeeded"
    assert repr(view) == "<MissionView of m-1: succeeded>"


def test_a_stream_of_commits_is_gathered(session: Session) -> None:
    recorded = Recorded(session, "a").start().begin("a")
    page = FrontEnd(MissionView(recorded.mission))
    page.widget._line.channel.window = 1_000
    page.hello()
    began = time.monotonic()
    for number in range(300):
        recorded.tell("task.progressed", "a", attempt=1, note=f"step {number}")
    last = session.store.last_seq()
    until(lambda: any(said.get("seq") == last for said in page.said))
    took_s = time.monotonic() - began
    told = [said["events"] for said in page.said if said.get("events")]
    assert sum(map(len, told)) == 300
    assert len(told) <= 10 + took_s / 0.02


def test_two_views_agree_and_a_click_in_one_shows_in_both(mission: Mission) -> None:
    pages = [FrontEnd(MissionView(mission)), FrontEnd(PlanView(mission))]
    for page in pages:
        page.hello()
    assert pages[0].ask("reject", reason="not now")["ok"]
    for page in pages:
        page.of("batch", seq=mission.session.store.last_seq())


def test_a_mission_that_ends_is_copied(session: Session) -> None:
    recorded = Recorded(session, "a").start()
    page = FrontEnd(MissionView(recorded.mission))
    page.hello()
    recorded.end()
    until(lambda: any("Succeeded" in each.get("html", "") for each in page.said))


def test_a_forgotten_mission_closes_its_views(session: Session, mission: Mission) -> None:
    page = FrontEnd(MissionView(mission))
    page.hello()
    mission.reject("no")
    session.store.sweep(Retention(days=0, missions=0))
    assert "forgotten" in page.of("closed")["reason"]
    assert page.ask("pause")["error"]["code"] == "usage"


def test_turns_are_quick_while_a_mission_is_watched(session: Session) -> None:
    before = sys.getswitchinterval()
    recorded = Recorded(session, "a").start()
    page = FrontEnd(MissionView(recorded.mission))
    assert sys.getswitchinterval() == before
    page.hello()
    until(lambda: sys.getswitchinterval() < 0.002)
    recorded.end()
    until(lambda: sys.getswitchinterval() == before)


def test_who_watches_a_mission_has_a_runner_there(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "_RUNNER_STARTS_S", 0.0)
    asked = threading.Event()
    monkeypatch.setattr(Session, "ensure_runner", lambda _self, *_: asked.set())
    recorded = Recorded(session, "a")
    FrontEnd(MissionView(recorded.mission)).hello()
    assert not asked.is_set()
    recorded.start()
    assert asked.wait(10)


def test_a_store_that_fails_for_a_while_is_followed_again(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tails, "_AFTER_FAILURE_S", 0.01)
    recorded = Recorded(session, "a")
    page = FrontEnd(MissionView(recorded.mission))
    page.hello()
    failed = threading.Event()

    def away() -> bool:
        failed.set()
        raise StoreUnavailableError("The disk is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(session.store, "changed", away)
        assert failed.wait(10)
        recorded.start()
    page.of("batch", seq=session.store.last_seq())
    assert caplog.text.count("are not current: The disk is gone.") == 1
    assert "Traceback" not in caplog.text


def test_every_view_of_an_ended_mission_gets_its_copy(session: Session) -> None:
    recorded = Recorded(session, "a").start()
    first = FrontEnd(MissionView(recorded.mission))
    first.hello()
    recorded.end()
    until(lambda: any("Succeeded" in each.get("html", "") for each in first.said))
    # One that comes later has it too, and so has a page that is loaded anew.
    later = FrontEnd(PlanView(recorded.mission))
    for _ in range(2):
        later.hello()
        assert "Succeeded" in later.of("copy")["html"]


def test_a_mission_is_copied_as_soon_as_it_has_ended(session: Session) -> None:
    recorded = Recorded(session, "a").start()
    mirror = Mirror(session, session.store, recorded.mission.record.id, SystemClock())
    copies = Copies()
    first = copies.job(mirror, 100.0)
    assert first is not None
    first()
    recorded.end()
    mirror.advance()
    second = copies.job(mirror, 100.01)
    assert second is not None
    second()
    assert "Succeeded" in copies.html


def test_a_view_brings_a_page_and_words_for_who_cannot_run_it(mission: Mission) -> None:
    view = GraphView(mission)
    data, _ = view._repr_mimebundle_()
    assert data[WIDGET]["model_id"] == view.model_id
    assert "look around" in data["text/html"]
    assert "<script" not in data["text/html"]
    assert "m-1" in data["text/plain"]


# -- lists -------------------------------------------------------------------------------


def test_a_board_shows_live_missions_and_opens_one(session: Session) -> None:
    first, second = proposed(session, "a"), proposed(session, "a")
    second.reject("no")
    board = HyperBoard(session)
    page = FrontEnd(board)
    page.tell(type="hello", front_end="a test")
    shown = page.of("missions")
    assert [row["mission"]["short_id"] for row in shown["rows"]] == ["m-1"]
    assert page.ask("open", mission="m-1")["ok"]
    assert page.of("picture")["mission"]["id"] == first.record.id
    assert page.ask("open", mission=None)["ok"]
    first.reject("no")
    assert page.of("missions")["rows"] == []


def test_a_click_in_an_opened_mission_is_about_that_mission(session: Session) -> None:
    first, second = proposed(session, "a"), proposed(session, "a")
    page = FrontEnd(HyperBoard(session))
    page.tell(type="hello", front_end="a test")
    assert page.ask("open", mission="m-1")["ok"]
    assert page.ask("open", mission="m-2")["ok"]
    # Another view of the same list may show another mission, so what is open tells nothing.
    assert not page.ask("reject", reason="no")["ok"]
    assert page.ask("reject", mission=first.record.id)["ok"]
    assert first.state is MissionState.REJECTED
    assert second.state is MissionState.AWAITING_APPROVAL
    assert page.ask("missions")["value"]["total"] == 2


def test_a_click_that_was_meant_for_another_mission_does_nothing(session: Session) -> None:
    first, second = proposed(session, "a"), proposed(session, "a")
    page = FrontEnd(MissionView(first))
    for ref in ("m-2", second.record.id, 1, ""):
        refused = page.ask("reject", mission=ref)
        assert "this view shows m-1" in refused["error"]["message"]
    assert first.state is second.state is MissionState.AWAITING_APPROVAL
    assert page.ask("reject", mission=first.record.id)["ok"]


def test_questions_of_many_pages_are_told_apart(mission: Mission) -> None:
    page = FrontEnd(MissionView(mission))
    page.tell(type="ask", id="k3x-1", verb="events", args={})
    assert page.of("answer")["id"] == "k3x-1"


def test_a_page_that_is_loaded_anew_gets_the_list_and_what_is_open_in_it(
    session: Session,
) -> None:
    first, second = proposed(session, "a"), proposed(session, "a")
    page = FrontEnd(HyperBoard(session))
    page.tell(type="hello", front_end="a test")
    assert page.ask("open", mission="m-1")["ok"]
    page.of("picture")
    page.said.clear()
    page.tell(type="hello", front_end="a test")
    assert page.of("opened") == {"type": "opened", "mission": "m-1", "why": ""}
    assert len(page.of("missions")["rows"]) == 2
    assert page.of("picture")["mission"]["id"] == first.record.id
    # The list goes on beside the mission.
    second.reject("no")
    until(lambda: any(len(each.get("rows", "ab")) == 1 for each in page.said))


def test_all_views_of_a_list_are_told_what_is_open_before_whoever_asked(
    session: Session,
) -> None:
    first = proposed(session, "a")
    page = FrontEnd(History(session))
    page.tell(type="hello", front_end="a test")
    page.of("missions")
    page.said.clear()
    assert page.ask("open", mission="m-1")["ok"]
    assert page.said[0] == {"type": "opened", "mission": "m-1", "why": ""}
    page.of("picture")
    first.reject("no")
    assert page.of("batch")["mission_id"] == first.record.id


def test_a_history_shows_all_missions(session: Session) -> None:
    proposed(session, "a").reject("no")
    page = FrontEnd(History(session))
    page.tell(type="hello", front_end="a test")
    assert page.of("missions")["total"] == 1
    assert page.ask("missions", text="look")["value"]["total"] == 1
    assert not page.ask("open", mission="m-77")["ok"]


# -- the end -----------------------------------------------------------------------------


def test_a_hundred_views_leave_nothing(session: Session) -> None:
    Recorded(session, "a").start()
    mission = session.mission(1)
    before = threading.active_count()
    for _ in range(100):
        with FeedView(mission) as view:
            page = FrontEnd(view)
            page.hello()
            assert page.ask("events")["ok"]
            assert threading.active_count() <= before + 3
    assert threading.active_count() == before
    assert not view._msg_callbacks.callbacks


def test_views_open_at_once_share_their_threads(mission: Mission) -> None:
    before = threading.active_count()
    made = [MissionView(mission) for _ in range(100)]
    for view in made:
        FrontEnd(view).hello()
    assert threading.active_count() <= before + 3
    for view in made:
        view.close()
        view.close()
    assert threading.active_count() == before


def test_a_closed_view_is_collected(mission: Mission) -> None:
    view = MissionView(mission)
    page = FrontEnd(view)
    page.hello()
    view.close()
    assert page.of("closed")["reason"]
    gone = weakref.ref(view)
    del view, page
    gc.collect()
    assert gone() is None


Published = list[tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    """What is published to cells, and how."""
    taken: Published = []

    def take(data: dict[str, Any], *_about: object, **options: Any) -> None:
        taken.append((data, options))

    monkeypatch.setattr("hypernb.widgets._widget.current_kernel", object)
    monkeypatch.setattr("IPython.display.publish_display_data", take)
    return taken


def test_a_closed_view_leaves_its_page_where_it_was_shown(
    mission: Mission, published: Published
) -> None:
    view = MissionView(mission)
    view._ipython_display_()
    view.close()
    view.close()
    (shown, first), (left, last) = published
    assert WIDGET in shown
    assert last == {**first, "update": True}
    assert set(left) == {"text/plain", "text/html"}
    assert "<code>%hyper attach m-1</code> shows it live again." in left["text/html"]


def test_a_closed_list_says_what_shows_it_again(session: Session, published: Published) -> None:
    view = History(session)
    view._ipython_display_()
    view.close()
    view._ipython_display_()
    said = [data["text/plain"] for data, _ in published[1:]]
    assert said == ["History: closed; History() shows it live again."] * 2


def test_a_closed_view_of_a_store_that_is_gone_says_so_much(
    mission: Mission, tmp_path: Path, published: Published
) -> None:
    view = MissionView(mission)
    view._ipython_display_()
    (tmp_path / "store.db").unlink()
    view.close()
    said = published[-1][0]["text/plain"]
    assert said == "Mission m-1: closed; %hyper attach m-1 shows it live again."


def test_a_view_that_no_cell_showed_by_itself_leaves_nothing(
    mission: Mission, published: Published
) -> None:
    box = VBox([MissionView(mission)])
    box.children[0].close()
    assert published == []


def test_a_box_goes_on_without_a_view_that_was_closed(mission: Mission) -> None:
    graph, feed = MissionView(mission), MissionView(mission)
    boxes = VBox([graph, feed]), VBox([graph])
    graph.close()
    assert boxes[0].children == (feed,)
    assert boxes[1].children == ()


def test_a_closed_view_closes_its_layout_but_not_one_that_was_given(mission: Mission) -> None:
    given = Layout(width="50%")
    with MissionView(mission) as view, MissionView(mission, layout=given):
        own = view.layout
        assert own.comm is not None
    assert own.comm is None
    assert given.comm is not None
    given.close()


def test_views_that_were_closed_leave_no_widget_in_the_kernel(mission: Mission) -> None:
    from ipywidgets.widgets import widget

    before = len(widget._instances)
    for _ in range(200):
        MissionView(mission).close()
    assert len(widget._instances) == before


def test_closing_a_view_in_a_fork_leaves_it_to_its_parent(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = MissionView(mission)
    page = FrontEnd(view)
    page.hello()
    with monkeypatch.context() as patch:
        patch.setattr("hypernb.widgets._widget.os.getpid", lambda: -1)
        view.close()
    assert view.comm is not None
    assert view.layout.comm is not None
    assert page.ask("events")["ok"]


def test_a_view_ends_with_its_session(session: Session, mission: Mission) -> None:
    before = threading.active_count()
    view = MissionView(mission)
    page = FrontEnd(view)
    page.hello()
    session.close()
    assert page.of("closed")["reason"] == "The session was closed."
    assert threading.active_count() < before + 1
    assert page.ask("pause")["error"]["hint"] == (
        f"%hyper attach {mission.id} shows the mission anew."
    )


def _in_child(database: str, answers: Any) -> None:
    with Session(database) as own:
        answers.put((len(own.missions()), threading.active_count()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_beside_open_views_can_use_the_store(session: Session) -> None:
    recorded = Recorded(session, "a").start()
    page = FrontEnd(MissionView(recorded.mission))
    page.hello()
    forking = multiprocessing.get_context("fork")
    answers = forking.SimpleQueue()
    path = str(session.store.path)  # type: ignore[attr-defined]
    child = forking.Process(target=_in_child, args=(path, answers))
    child.start()
    assert answers.get() == (1, 1)
    child.join()
    recorded.end()
    page.of("batch", seq=session.store.last_seq())
