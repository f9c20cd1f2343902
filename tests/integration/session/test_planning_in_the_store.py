"""What planning asks of a model is in the store before it is asked, whoever is killed then."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import hypernb
from hypernb.errors import PlanningInterruptedError, TransitionError
from hypernb.model import CallState, EventKind, MissionState
from hypernb.session import _planning
from hypernb.views import mission_html, mission_text, missions_text, plan_text
from hypernb.views._figures import Figures
from hypernb.widgets._actions import mission_actions
from tests.model_server import ModelServer, Reply, says
from tests.planned import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.model_server import Asked

WITHIN_S = 60.0
MODEL = "scripted"
PRICED = '[profiles.openai.prices."scripted"]\ninput = 100\noutput = 1000\n'
HELD = Reply(text="late", hold="start")
PLANNED = Reply(text=json.dumps(plan()))
PROPOSES = """
import sys
import hypernb

hypernb.Session(sys.argv[1], runner="inprocess", root=sys.argv[2]).propose(
    "Is it safe?", budget=50.0
)
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "config.toml").write_text(PRICED)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "app.py").write_text("import os\n")
    for name in ("HYPERNB_MODE", "HYPERNB_DB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HYPERNB_HOME", str(folder))
    monkeypatch.setenv("HYPERNB_MODEL", MODEL)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    return folder


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], hypernb.Session]]:
    """Return a function that opens a further session on the same store."""
    sessions: list[hypernb.Session] = []

    def opens() -> hypernb.Session:
        store, root = tmp_path / "store.db", tmp_path / "project"
        sessions.append(hypernb.Session(store, runner="inprocess", root=root))
        return sessions[-1]

    yield opens
    for each in sessions:
        each.close()


Opened = Any


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], ModelServer]]:
    """Return a function that starts the configured model's server."""
    servers: list[ModelServer] = []

    def serves(script: Any) -> ModelServer:
        servers.append(ModelServer(script).__enter__())
        monkeypatch.setenv("OPENAI_BASE_URL", servers[-1].url)
        return servers[-1]

    yield serves
    for each in servers:
        each.__exit__()


Serve = Any


def kill_while_asked(server: ModelServer, tmp_path: Path, calls: int) -> None:
    """Have another process plan, and kill it while it waits for the last of so many answers."""
    where = [str(tmp_path / "store.db"), str(tmp_path / "project")]
    command = [sys.executable, "-c", PROPOSES, *where]
    process = subprocess.Popen(command)
    try:
        server.wait_for(lambda: len(server.asked) >= calls, WITHIN_S)
    finally:
        process.kill()
        process.wait()


def test_each_call_of_a_planning_is_in_the_store_before_it_is_asked(
    opened: Opened, serve: Serve
) -> None:
    seen: list[list[CallState]] = []
    other = opened()

    def script(asked: Asked) -> Reply:
        calls = other.store.calls()
        seen.append([each.state for each in calls])
        record = json.loads(other.store.artifact(calls[-1].request)[1])
        assert record["messages"][-1]["content"] == asked.body["messages"][-1]["content"]
        return says("not a plan") if asked.number < 1 else PLANNED

    serve(script)
    opened().propose("Is it safe?")
    assert seen == [[CallState.RESERVED], [CallState.SETTLED, CallState.RESERVED]]


def test_what_a_killed_kernel_has_asked_to_plan_is_paid_by_a_mission_that_has_failed(
    opened: Opened, serve: Serve, tmp_path: Path
) -> None:
    server = serve(lambda asked: says("not a plan") if asked.number < 2 else HELD)
    kill_while_asked(server, tmp_path, 3)
    session = opened()
    (mission,) = session.missions()
    first, second, third = session.store.calls(mission.record.id)
    assert mission.state is MissionState.FAILED
    assert mission.record.error == "the process that planned it has ended"
    assert [each.state for each in (first, second, third)] == [
        CallState.SETTLED,
        CallState.SETTLED,
        CallState.LOST,
    ]
    assert third.paid == third.reserved > 0
    paid = sum(each.paid for each in (first, second, third))
    assert mission.record.cost == pytest.approx(paid)
    total = session.usage().total
    assert (total.calls, total.cost) == (3, pytest.approx(paid))
    assert session.status().cost == pytest.approx(paid)
    assert b"Is it safe?" in session.store.artifact(third.request)[1]
    assert session.store.check() == []


def test_usage_and_status_count_a_planning_that_was_killed_while_they_were_open(
    opened: Opened, serve: Serve, tmp_path: Path
) -> None:
    session = opened()
    assert session.usage().total.calls == 0
    kill_while_asked(serve(HELD), tmp_path, 1)
    (call,) = session.store.calls()
    assert session.usage().total.cost == pytest.approx(call.reserved)
    assert session.status().planning == ()
    assert session.mission("m-1").state is MissionState.FAILED


def test_mission_that_is_being_planned_says_so_and_cannot_be_approved(
    opened: Opened, serve: Serve
) -> None:
    server, planner, other = serve(HELD), opened(), opened()
    thread = threading.Thread(target=lambda: planner.propose("Is it safe?"))
    thread.start()
    server.wait_for(lambda: bool(server.asked), WITHIN_S)
    mission = other.mission("m-1")
    assert mission.state is MissionState.PLANNING
    assert not mission.needs_approval
    snapshot = mission.snapshot()
    for said in (
        mission_text(snapshot, 96),
        plan_text(snapshot, 96),
        mission_html(snapshot, live=False),
        *mission._repr_mimebundle_().values(),
    ):
        assert "The plan is being made. Nothing runs." in said
        assert "approve" not in said
    assert "planning" in missions_text([mission.record], width=160)
    assert "m-1 planning: Is it safe?" in repr(other.status())
    assert other.status().needs_you == ()
    assert [each["verb"] for each in mission_actions(Figures(snapshot))] == ["cancel"]
    with pytest.raises(TransitionError):
        mission.approve()
    server.release()
    thread.join(WITHIN_S)
    assert mission.record.state is MissionState.AWAITING_APPROVAL


def test_plan_comes_in_the_mission_in_which_it_was_planned(
    opened: Opened, serve: Serve
) -> None:
    serve(PLANNED)
    session = opened()
    mission = session.propose("Is it safe?")
    assert (mission.id, mission.record.revision) == ("m-1", 1)
    assert mission.record.plan_hash == mission.plan.hash == mission.proposed_hash
    assert [each.id for each in session.missions()] == ["m-1"]
    assert [each.kind for each in mission.events()] == [
        EventKind.MISSION_CREATED,
        EventKind.LLM_REQUESTED,
        EventKind.LLM_RESPONDED,
        EventKind.PLAN_PROPOSED,
    ]
    assert session.store.leases("mission:") == []  # a runner can take it up


def test_two_kernels_that_plan_at_once_have_a_mission_each(
    opened: Opened, serve: Serve
) -> None:
    def script(asked: Asked) -> Reply:
        name = "slow" if "Is it slow?" in json.dumps(asked.body) else "safe"
        return Reply(text=json.dumps(plan(notes=[f"It is {name}."])), hold="start")

    server, made = serve(script), {}
    threads = []
    for at, goal in enumerate(("Is it safe?", "Is it slow?"), 1):
        session = opened()
        threads.append(
            threading.Thread(target=lambda s=session, g=goal: made.update({g: s.propose(g)}))
        )
        threads[-1].start()
        server.wait_for(lambda many=at: len(server.asked) >= many, WITHIN_S)
    server.release()
    for each in threads:
        each.join(WITHIN_S)
    assert [made[each].id for each in ("Is it safe?", "Is it slow?")] == ["m-1", "m-2"]
    for goal, mission in made.items():
        (call,) = mission.session.store.calls(mission.record.id)
        assert mission.goal == mission.plan.goal == goal
        assert goal.encode() in mission.session.store.artifact(call.request)[1]
        assert any(goal[6:10] in each for each in mission.plan.notes)


def test_planning_that_somebody_cancels_elsewhere_gives_no_plan(
    opened: Opened, serve: Serve
) -> None:
    server, planner, other = serve(Reply(text=PLANNED.text, hold="start")), opened(), opened()
    told: list[BaseException] = []

    def proposes() -> None:
        try:
            planner.propose("Is it safe?")
        except PlanningInterruptedError as error:
            told.append(error)

    thread = threading.Thread(target=proposes)
    thread.start()
    server.wait_for(lambda: bool(server.asked), WITHIN_S)
    other.mission("m-1").cancel()
    server.release()
    thread.join(WITHIN_S)
    assert "are kept in m-1" in str(told[0])
    (mission,) = other.missions()
    (call,) = other.store.calls()
    assert (mission.state, call.state) == (MissionState.CANCELLED, CallState.LOST)
    assert mission.record.cost == pytest.approx(call.reserved)


def test_plan_that_is_started_twice_is_paid_once(opened: Opened, serve: Serve) -> None:
    serve(PLANNED)
    session = opened()
    looked_at = session.plan("Is it safe?")
    cost = session.usage().total.cost
    assert cost > 0
    assert [session.start(looked_at).record.cost for _ in range(2)] == [0, 0]
    assert session.usage().total.cost == pytest.approx(cost)


def test_planning_that_ends_for_whatever_reason_is_no_longer_being_planned(
    opened: Opened, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise MemoryError

    serve(PLANNED)
    monkeypatch.setattr(_planning, "fill", breaks)
    session = opened()
    with pytest.raises(MemoryError):
        session.propose("Is it safe?")
    (mission,) = session.missions()
    assert (mission.state, mission.record.error) == (
        MissionState.FAILED,
        "planning failed: MemoryError",
    )


def test_plan_of_a_cassette_is_one_mission_and_nothing_is_kept_beforehand(
    opened: Opened, serve: Serve, tmp_path: Path
) -> None:
    serve(PLANNED)
    session, cassette = opened(), tmp_path / "plan.jsonl"
    session.propose("Is it safe?", cassette=f"record:{cassette}")
    replayed = session.propose("Is it safe?", cassette=f"replay:{cassette}")
    assert (replayed.id, replayed.record.cost) == ("m-2", 0)
    assert EventKind.LLM_REQUESTED not in [each.kind for each in replayed.events()]
