"""What cannot be asked of a mission in its state: refused, with what to do instead."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.clock import SystemClock
from hypernb.errors import MissionWaitsError, TransitionError
from hypernb.model import (
    AgentWork,
    AttemptState,
    CallRecord,
    CallState,
    MissionId,
    MissionState,
    ModelSpec,
    PlanSpec,
    Price,
    TaskSpec,
    TaskState,
    new_id,
)
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from hypernb.session import Mission, Session

SPEC = ModelSpec(
    name="big", base_url="http://127.0.0.1:9/v1", price=Price(input=1, output=2, source="x")
)


def asking(session: Session, **fields: Any) -> Recorded:
    """A mission whose task asks a model."""
    task = TaskSpec(name="a", agent="qa-engineer", work=AgentWork(model="big"))
    return Recorded(session, tasks=(task,), models={"big": SPEC}, **fields)


def poor(session: Session, *, needed: float, left: float = 0.01) -> Mission:
    """A mission that was paused because its next call was not covered."""
    facts = {"because": "budget", "needed": needed, "left": left}
    made = asking(session, budget=left).start()
    made.tell("mission.paused", mission_state=MissionState.PAUSED, payload=facts)
    return made.mission


def sent(session: Session) -> list[str]:
    return [command.kind for command in session.store.commands()]


@pytest.mark.parametrize("end", ["cancel", "reject"])
@pytest.mark.parametrize("task", ["", "t1"])
def test_plan_that_was_never_approved_is_not_retried(
    session: Session, end: str, task: str
) -> None:
    mission = asking(session).mission
    getattr(mission, end)()
    with pytest.raises(TransitionError, match="never approved") as refused:
        mission.retry(task)
    assert "%hyper rewind m-1 proposes it again" in refused.value.hint
    assert sent(session) == []
    assert mission.fork().needs_approval


def test_mission_without_a_plan_is_told_to_plan_anew(session: Session) -> None:
    reserved = CallRecord(
        id=new_id(), mission_id=MissionId(""), state=CallState.RESERVED, at=SystemClock().now()
    )
    record, lease = session.store.begin_planning(
        PlanSpec(goal="count"), reserved, by="ada", ttl=timedelta(minutes=1), facts={}
    )
    session.store.end_planning(lease, MissionState.FAILED, "no plan came of it", by="ada")
    mission = session.mission(record.short_id)
    for asked in (mission.retry, mission.resume):
        with pytest.raises(TransitionError, match="%%hyper and a goal makes one") as refused:
            asked()
        assert "%hyper retry" not in refused.value.hint


def test_plan_that_was_never_approved_is_not_resumed_but_proposed_again(
    session: Session,
) -> None:
    with pytest.raises(TransitionError) as refused:
        asking(session).mission.cancel().resume()
    assert "%hyper rewind m-1" in refused.value.hint
    assert "retry" not in refused.value.hint


def test_mission_that_was_approved_and_cancelled_before_it_began_is_retried(
    session: Session,
) -> None:
    mission = Recorded(session, "a").approve().mission
    mission.cancel().retry()
    assert sent(session) == ["retry"]


def succeeded_without(session: Session, *failed: str) -> Mission:
    """A mission that has succeeded, though tasks of it failed."""
    made = Recorded(session, *failed, "rest").start()
    for name in failed:
        ended = {"task_state": TaskState.FAILED, "attempt_state": AttemptState.FAILED}
        made.begin(name).tell("task.finished", name, attempt=1, **ended)
    return made.finish("rest").end().mission


@pytest.mark.parametrize(
    ("failed", "task", "at"),
    [
        pytest.param(["look"], "look", " look", id="task"),
        pytest.param(["look"], "", " look", id="whole"),
        pytest.param(["look", "read"], "t2", " read", id="one-of-several"),
        pytest.param(["look", "read"], "", "", id="several"),
    ],
)
def test_mission_that_has_succeeded_is_rewound_and_not_retried(
    session: Session, failed: list[str], task: str, at: str
) -> None:
    mission = succeeded_without(session, *failed)
    with pytest.raises(TransitionError) as refused:
        mission.retry(task)
    assert f"%hyper rewind m-1{at} does " in refused.value.hint
    assert "retry" not in sent(session)
    with pytest.raises(TransitionError) as refused:
        mission.resume()
    assert "retry" not in refused.value.hint


def test_task_that_has_succeeded_is_not_offered_to_be_done_anew(session: Session) -> None:
    with pytest.raises(TransitionError) as refused:
        succeeded_without(session, "look").retry("rest")
    assert refused.value.hint.startswith("Only what failed")


def test_mission_is_not_resumed_into_the_same_pause(session: Session) -> None:
    mission = poor(session, needed=0.05)
    with pytest.raises(MissionWaitsError) as refused:
        mission.resume()
    said = str(refused.value)
    assert "$0.01 of its budget of $0.01 is left" in said
    assert "may cost up to $0.05" in said
    for way in ("--budget DOLLARS", "--model NAME", "--finish", "%hyper cancel m-1"):
        assert way in said
    assert "resume" not in sent(session)


def test_budget_that_does_not_pay_the_call_changes_nothing(session: Session) -> None:
    mission = poor(session, needed=0.05)
    with pytest.raises(MissionWaitsError, match=r"its budget of \$0\.04"):
        mission.resume(budget=0.04)
    assert session.store.amendments(mission.record.id) == []


def test_each_way_on_lets_it_go_on(session: Session) -> None:
    poor(session, needed=0.05).resume(budget=0.05)
    poor(session, needed=0.05).resume(finish=True)
    raised = poor(session, needed=0.05).raise_budget(1.0)
    raised.resume()
    other = poor(session, needed=0.05)
    session.store.amend(other.record.id, models={"big": SPEC}, by=session.by)
    other.resume()
    assert sent(session).count("resume") == 4


def test_mission_that_a_person_paused_is_resumed_whatever_is_left(session: Session) -> None:
    asking(session, budget=0.0).start().pause().mission.resume()
    assert "resume" in sent(session)


def test_mission_that_runs_is_paused_before_it_is_to_finish(session: Session) -> None:
    mission = asking(session, budget=1.0).start().mission
    with pytest.raises(TransitionError, match="is running already") as refused:
        mission.resume(finish=True)
    assert refused.value.hint.startswith("%hyper pause m-1")
    assert "%hyper resume m-1 --finish" in refused.value.hint


def test_plan_whose_first_task_asks_no_model_is_told_of_one_that_does(session: Session) -> None:
    works = {"a": AgentWork(), "b": AgentWork(model="big")}
    tasks = tuple(TaskSpec(name=name, work=work) for name, work in works.items())
    mission = Recorded(session, tasks=tasks, models={"big": SPEC}).mission
    with pytest.raises(TransitionError) as refused:
        mission.resume(model="small")
    assert "%hyper edit m-1 t2 model=small" in refused.value.hint


@pytest.mark.parametrize(
    ("terms", "hint"),
    [
        pytest.param({"model": "small"}, "%hyper edit m-1 t1 model=small", id="model"),
        pytest.param({"budget": 2.0}, "%hyper edit m-1 budget=2", id="budget"),
        pytest.param({}, "%hyper approve m-1", id="bare"),
        pytest.param({"finish": True}, "%hyper approve m-1", id="finish"),
    ],
)
def test_plan_that_awaits_approval_is_edited_or_approved(
    session: Session, terms: dict[str, Any], hint: str
) -> None:
    mission = asking(session).mission
    with pytest.raises(TransitionError) as refused:
        mission.resume(**terms)
    assert hint in refused.value.hint
