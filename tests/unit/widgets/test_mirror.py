"""A mission in memory stays the mission in the store, and tells what changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.clock import SystemClock
from hypernb.errors import UnknownMissionError
from hypernb.model import (
    AgentWork,
    CallRecord,
    CallState,
    Change,
    MissionId,
    MissionState,
    ModelSpec,
    PlanSpec,
    TaskSpec,
    Usage,
    new_id,
)
from hypernb.session import Mission
from hypernb.store import process_facts
from hypernb.views import Outlook
from hypernb.widgets._mirror import EVENTS_AT_ONCE, Mirror
from tests.by_hand import plan_of
from tests.unit.widgets.conftest import proposed
from tests.unit.widgets.recorded import START, Recorded

if TYPE_CHECKING:
    from hypernb.model import LeaseRecord
    from hypernb.session import Session
    from hypernb.widgets._mirror import Step


def _mirror(session: Session, mission: Mission) -> Mirror:
    return Mirror(session, session.store, mission.record.id, SystemClock())


def _kinds(step: Step | None) -> list[str]:
    return [] if step is None else [event["kind"] for event in step.body["events"]]


def _same(mirror: Mirror, mission: Mission) -> None:
    mine, stored = mirror.snapshot(), mission.snapshot(events=500)
    assert mine.mission == stored.mission
    assert mine.plan == stored.plan
    assert mine.tasks == stored.tasks
    assert set(mine.attempts) == set(stored.attempts)
    assert mine.events == stored.events
    assert mine.findings == stored.findings
    assert mine.approvals == stored.approvals


def test_nothing_is_told_when_nothing_happens(session: Session, mission: Mission) -> None:
    proposed(session, "c")
    mirror = _mirror(session, mission)
    proposed(session, "d")
    assert mirror.advance() is None


def test_a_step_tells_what_changed_and_nothing_else(session: Session) -> None:
    recorded = Recorded(session, "a", "b").start()
    mirror = _mirror(session, recorded.mission)
    before = mirror.seq
    recorded.begin("b")
    step = mirror.advance()
    assert step is not None
    assert (step.from_seq, step.seq) == (before, session.store.last_seq())
    assert [task["name"] for task in step.body["tasks"]] == ["b"]
    assert step.body["tasks"][0]["state"] == "running"
    assert "mission" not in step.body
    assert "plan" not in step.body
    _same(mirror, recorded.mission)


def test_the_mirror_stays_the_mission(session: Session) -> None:
    recorded = Recorded(session, "a", "b")
    mirror = _mirror(session, recorded.mission)
    recorded.start()
    mirror.advance()
    assert mirror.is_under_way
    _same(mirror, recorded.mission)
    recorded.begin("a")
    mirror.advance()
    recorded.finish("b")
    mirror.advance()
    _same(mirror, recorded.mission)
    recorded.end()
    mirror.advance()
    _same(mirror, recorded.mission)
    assert not mirror.is_under_way


def test_signs_of_life_are_told_without_events(session: Session) -> None:
    recorded = Recorded(session, "a").start().begin("a")
    mirror = _mirror(session, recorded.mission)
    session.store.heartbeat({recorded.ids["a"]: START.replace(year=2027)})
    step = mirror.advance()
    assert step is not None
    assert _kinds(step) == []
    assert step.body["tasks"][0]["heartbeat_at"].startswith("2027-")
    assert mirror.advance() is None


def _planned(session: Session) -> tuple[Mission, LeaseRecord]:
    """Return a mission that is being planned, and the lease of who plans it."""
    call = CallRecord(new_id(), MissionId(""), CallState.RESERVED, START, model="large-1")
    spec, ttl = PlanSpec(goal="count the stars"), timedelta(minutes=10)
    facts = process_facts()
    record, lease = session.store.begin_planning(spec, call, by="ada", ttl=ttl, facts=facts)
    return Mission(session, record), lease


def test_plan_that_has_come_is_told_with_all_its_tasks(session: Session) -> None:
    mission, lease = _planned(session)
    mirror = _mirror(session, mission)
    assert mirror.snapshot().plan is None
    assert "The plan is being made" in str(mirror.head)
    session.store.propose_plan(lease, plan_of("a", "b"), by="ada")
    step = mirror.advance()
    assert step is not None
    assert [task["name"] for task in step.body["tasks"]] == ["a", "b"]
    assert [task["name"] for task in step.body["plan"]["tasks"]] == ["a", "b"]
    assert step.body["mission"]["state"] == "awaiting_approval"
    _same(mirror, mission)


def test_planning_that_has_ended_is_told(session: Session) -> None:
    mission, lease = _planned(session)
    mirror = _mirror(session, mission)
    session.store.end_planning(lease, MissionState.FAILED, "there is no plan", by="ada")
    step = mirror.advance()
    assert step is not None
    assert step.body["mission"]["state"] == "failed"
    mirror.make_head()
    assert "There is no plan. Nothing ran" in str(mirror.head)


def test_an_edited_plan_is_told_with_all_its_tasks(session: Session, mission: Mission) -> None:
    mirror = _mirror(session, mission)
    mission.edit({"a": {"timeout_s": 60}}, drop=["b"])
    step = mirror.advance()
    assert step is not None
    assert [task["name"] for task in step.body["tasks"]] == ["a"]
    assert step.body["plan"]["tasks"][0]["timeout_s"] == 60
    assert step.body["mission"]["revision"] == 2
    _same(mirror, mission)
    mirror.make_head()  # on a busy machine it waits for its turn
    assert _mirror(session, mission).head == mirror.head


def test_a_rejected_plan_ends_its_tasks(session: Session, mission: Mission) -> None:
    mirror = _mirror(session, mission)
    mission.reject("no")
    step = mirror.advance()
    assert step is not None
    assert {task["state"] for task in step.body["tasks"]} == {"cancelled"}


def test_money_adds_up_by_task(session: Session) -> None:
    recorded = Recorded(session, "a", "b").start().begin("a")
    recorded.tell("budget.settled", "a", attempt=1, usage=Usage(0.25, "m", 10, 5))
    mirror = _mirror(session, recorded.mission)
    assert _money(mirror.picture()["tasks"]) == {"a": (0.25, 15), "b": (0.0, 0)}
    recorded.tell("budget.settled", "a", attempt=1, usage=Usage(0.5, "m", 1, 1))
    step = mirror.advance()
    assert step is not None
    assert _money(step.body["tasks"]) == {"a": (0.75, 17)}


def _money(tasks: list[dict[str, Any]]) -> dict[str, tuple[float, int]]:
    return {task["name"]: (task["cost"], task["tokens"]) for task in tasks}


def test_a_burst_is_told_in_portions(session: Session) -> None:
    recorded = Recorded(session, "a").start().begin("a")
    mirror = _mirror(session, recorded.mission)
    total = mirror.picture()["total_events"]
    progress = Change("task.progressed", START, recorded.ids["a"], 1, note="on")
    session.store.commit(recorded.record.id, recorded.lease, [progress] * 2_500)
    sizes = []
    step = mirror.advance()
    while step is not None:
        sizes.append(len(step.body["events"]))
        step = mirror.advance() if step.more else None
    assert sizes == [EVENTS_AT_ONCE, EVENTS_AT_ONCE, 500]
    assert mirror.picture()["total_events"] == total + 2_500
    assert len(mirror.picture()["events"]) == 500


def test_a_page_is_for_who_has_seen_less(session: Session) -> None:
    recorded = Recorded(session, "a", "b").start()
    mirror = _mirror(session, recorded.mission)
    after = mirror.seq
    recorded.finish("a")
    mirror.advance()
    page = mirror.page(after)
    assert (page.from_seq, page.seq, page.more) == (after, mirror.seq, False)
    assert page.body["tasks"][0]["state"] == "succeeded"
    assert page.body["mission"]["state"] == "running"


def test_a_page_ends_where_the_mirror_does(session: Session) -> None:
    recorded = Recorded(session, "a", "b").start()
    mirror = _mirror(session, recorded.mission)
    after = mirror.seq
    recorded.begin("a")
    mirror.advance()
    recorded.finish("b")
    page, step = mirror.page(after), mirror.advance()
    assert step is not None
    assert (page.seq, page.more) == (step.from_seq, False)
    told = [event["seq"] for told in (page, step) for event in told.body["events"]]
    assert told == sorted(set(told))


def test_a_mission_that_is_gone_is_refused(session: Session) -> None:
    with pytest.raises(UnknownMissionError):
        Mirror(session, session.store, MissionId("01J"), SystemClock())


def test_a_head_costs_a_tenth_of_the_time_at_most(session: Session) -> None:
    recorded = Recorded(session, "a").start()
    mirror = _mirror(session, recorded.mission)
    mirror._head_cost_s, mirror._head_at = 0.2, 100.0
    recorded.begin("a")
    step = mirror.advance()
    assert step is not None
    assert "head" not in step.body
    assert not mirror.head_is_due(101.9)
    assert mirror.head_is_due(102.1)
    mirror.make_head()
    assert mirror.head["at_work"] == 1


def test_a_cheap_head_comes_with_the_step(session: Session) -> None:
    recorded = Recorded(session, "a").start()
    mirror = _mirror(session, recorded.mission)
    mirror._head_cost_s = 0.0
    recorded.begin("a")
    step = mirror.advance()
    assert step is not None
    assert step.body["head"]["at_work"] == 1


def test_progress_alone_brings_ten_heads_a_second_at_most(session: Session) -> None:
    recorded = Recorded(session, "a").start().begin("a")
    mirror = _mirror(session, recorded.mission)
    mirror._head_cost_s, mirror._head_at = 0.0, float("inf")
    recorded.tell("task.progressed", "a", attempt=1)
    step = mirror.advance()
    assert step is not None
    assert "head" not in step.body
    mirror._head_at = 100.0
    assert not mirror.head_is_due(100.1)
    assert mirror.head_is_due(100.3)
    mirror._head_at = float("-inf")
    recorded.tell("task.progressed", "a", attempt=1)
    step = mirror.advance()
    assert step is not None
    assert step.body["head"]["at_work"] == 1


class TestOutlook:
    """What a mission will cost: looked up by several statements, so not with every call."""

    @pytest.fixture
    def looks(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        looks: list[int] = []

        def look(_self: Mission, _plan: object = None) -> Outlook:
            looks.append(1)
            return Outlook(unknown=len(looks))

        monkeypatch.setattr(Mission, "outlook", look)
        return looks

    def test_call_whose_cost_is_known_has_nothing_looked_up(
        self, session: Session, looks: list[int]
    ) -> None:
        recorded = Recorded(session, "a").start().begin("a")
        mirror = _mirror(session, recorded.mission)
        looks.clear()
        paid = Usage(0.25, "m", 10, 10)
        facts = {"cost": 0.25, "state": "settled"}
        recorded.tell("llm.responded", "a", attempt=1, usage=paid, payload=facts)
        mirror.advance()
        mirror.make_head()
        assert looks == []

    @pytest.mark.parametrize(("cost", "state"), [(None, "settled"), (0.05, "lost")])
    def test_calls_whose_cost_nobody_knows_are_counted_once_a_second(
        self, session: Session, looks: list[int], cost: float | None, state: str
    ) -> None:
        recorded = Recorded(session, "a").start().begin("a")
        mirror = _mirror(session, recorded.mission)
        looks.clear()
        facts = {"cost": cost, "state": state}
        recorded.tell("llm.responded", "a", attempt=1, payload=facts)
        mirror._looked_up_at = float("inf")
        mirror.advance()
        mirror.make_head()
        assert looks == []
        mirror._looked_up_at = float("-inf")
        mirror.make_head()
        mirror.make_head()
        assert looks == [1]
        assert mirror.outlook().unknown == 1

    @pytest.mark.parametrize("kind", ["budget.raised", "mission.paused"])
    def test_is_looked_up_when_terms_or_state_change(
        self, session: Session, looks: list[int], kind: str
    ) -> None:
        recorded = Recorded(session, "a").start().begin("a")
        mirror = _mirror(session, recorded.mission)
        looks.clear()
        state = {"mission_state": MissionState.PAUSED} if kind == "mission.paused" else {}
        recorded.tell(kind, **state)
        mirror.advance()
        mirror.make_head()
        assert looks == [1]


@pytest.mark.parametrize("has_models", [False, True])
def test_plan_with_models_offers_the_tools_that_a_model_calls(
    session: Session, *, has_models: bool
) -> None:
    model = ModelSpec(name="m", base_url="http://localhost:9/v1")
    work = AgentWork(
        model="m" if has_models else "",
        tools=("my-tool",),
        lanes={"my-tool": "kernel:k1"},
    )
    plan = PlanSpec(
        goal="look",
        tasks=(TaskSpec(name="a", agent="qa-engineer", work=work),),
        models={"m": model} if has_models else {},
    )
    record = session.store.create_mission(plan, by="ada@here")
    tools = _mirror(session, Mission(session, record)).picture()["tools"]
    assert "ruff" in tools
    assert ({"read-file", "my-tool"} <= set(tools)) is has_models
