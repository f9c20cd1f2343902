"""Where variables and values came from."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pandas as pd
import psutil
import pytest

from hypernb.codec import encode
from hypernb.errors import UsageError
from hypernb.model import (
    AgentWork,
    AttemptState,
    CallRecord,
    CallState,
    Grant,
    MissionState,
    ModelSpec,
    TaskSpec,
    TaskState,
    Usage,
)
from hypernb.session import Session
from hypernb.session import _origins as origins
from tests.unit.widgets.recorded import START, Recorded

if TYPE_CHECKING:
    from pathlib import Path

FRAME = pd.DataFrame({"a": [1, 2, 3]})


def done(session: Session, value: Any) -> Recorded:
    return Recorded(session, "features").start().finish("features", value).end()


def asked(recorded: Recorded, task: str = "", **facts: Any) -> Recorded:
    """Add a call of a model, and what counts as paid for it: of a task, or for the plan."""
    known: dict[str, Any] = {"model": "gpt-6", "host": "api.example"}
    of_task = {"task_id": recorded.ids[task], "task": task} if task else {"purpose": "plan"}
    known |= {"id": "01CALL", "state": CallState.SETTLED, "at": START}
    call = CallRecord(mission_id=recorded.record.id, **(known | of_task | facts))
    usage = Usage(call.paid, call.model) if call.is_live else None
    return recorded.tell("llm.responded", task or None, call=call, usage=usage)


def test_result_knows_its_mission_and_task(session: Session) -> None:
    features = done(session, FRAME).mission.result()
    why = session.why(features)
    assert (why.mission, why.task) == ("m-1", "features")


def test_name_bound_by_a_mission_is_known(session: Session) -> None:
    mission = done(session, 42).mission
    value = mission.result()
    mission.remember_bound("answer", value)
    why = session.why("answer", {"answer": value})
    assert (why.name, why.mission) == ("answer", "m-1")


def test_name_that_was_bound_anew_is_not_known(session: Session) -> None:
    mission = done(session, 42).mission
    mission.remember_bound("answer", mission.result())
    with pytest.raises(UsageError, match="'answer' is not known"):
        session.why("answer", {"answer": 43})


def test_equal_value_of_another_process_is_found_in_the_store(session: Session) -> None:
    done(session, {"rows": [1, 2]})
    assert session.why({"rows": [1, 2]}).task == "features"


def test_value_of_one_own_is_not_known(session: Session) -> None:
    done(session, FRAME)
    with pytest.raises(UsageError, match="DataFrame is not known"):
        session.why(FRAME.assign(b=1))


def test_task_can_be_named(session: Session) -> None:
    done(session, 1)
    assert session.why("m-1/features", {}).task == "features"


def test_remembering_keeps_nothing_alive(session: Session) -> None:
    features = done(session, FRAME).mission.result()
    number = id(features)
    assert number in origins._by_id
    del features
    gc.collect()
    assert number not in origins._by_id


def test_model_cost_and_check_are_told(session: Session) -> None:
    task = TaskSpec(name="features", work=AgentWork(), check="No column is empty.")
    made = Recorded(session, "features", tasks=(task,)).start()
    recorded = asked(made, "features", cost=0.02)
    recorded.finish("features", FRAME).end()
    why = session.why(recorded.mission.result())
    said = repr(why)
    assert why.models == ("gpt-6 at api.example",)
    assert "$0.02 for 1 call" in said
    assert "nobody has checked it: No column is empty." in said
    assert "gpt-6 at api.example" in why._repr_mimebundle_()["text/html"]


def test_cost_that_nobody_knows_is_not_nothing(session: Session) -> None:
    recorded = asked(Recorded(session, "features").start(), "features", cost=None)
    recorded.finish("features", 5).end()
    said = repr(session.why("m-1/features", {}))
    assert "unknown for 1 call" in said
    assert "$0" not in said


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        pytest.param(
            ({"state": CallState.FAILED, "cost": None}, {"cost": 0.02}),
            "$0.02 for 2 calls",
            id="failed",
        ),
        pytest.param(
            ({"state": CallState.RESERVED, "reserved": 0.5, "cost": None}, {"cost": 0.02}),
            "$0.02 for 2 calls",
            id="under-way",
        ),
        pytest.param(
            ({"reserved": 0.5, "cost": None},), "$0.50 and 1 unknown for 1 call", id="uncounted"
        ),
        pytest.param(
            ({"state": CallState.LOST, "reserved": 0.1, "cost": 0.1},),
            "at most $0.10 for 1 call",
            id="lost",
        ),
        pytest.param(
            ({"source": "cache", "cost": 0.0}, {"cost": 0.02}),
            "$0.02 for 1 call, 1 answered by a cache",
            id="spared",
        ),
    ],
)
def test_its_figures_are_those_of_usage(
    session: Session, calls: tuple[dict[str, Any], ...], said: str
) -> None:
    recorded = Recorded(session, "features", "other").start()
    for number, facts in enumerate(calls):
        asked(recorded, "features", id=f"01CALL{number}", **facts)
    asked(recorded, "other", id="01OTHER", cost=1.0)
    recorded.finish("features", 5).end()
    why = session.why("m-1/features", {})
    of_task = session.usage("task", mission="m-1").rows
    (used,) = [each for each in of_task if each.keys == ("features",)]
    for name in ("calls", "spared", "cost", "unknown", "at_most"):
        assert getattr(why, name) == getattr(used, name), name
    assert said in " ".join(repr(why).split())


def test_value_of_another_store_leaves_nothing_of_that_open(
    session: Session, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    with Session(other, runner="inprocess", root=tmp_path) as made:
        features = done(made, FRAME).mission.result()
        failed = Recorded(made, "report").start().end(MissionState.FAILED, "it broke").mission
        failed.remember_asked("elsewhere")
    assert session.why(features).task == "features"
    with pytest.raises(UsageError, match="'elsewhere' has no value"):
        session.why("elsewhere", {})
    is_open = [each.path for each in psutil.Process().open_files()]
    assert str(tmp_path / "store.db") in is_open
    assert str(other) not in is_open


def test_mission_that_only_a_model_planned_names_that_model(session: Session) -> None:
    recorded = asked(Recorded(session, "first", "second").start(), cost=0.02)
    recorded.finish("first", 1).finish("second", 2).end()
    why = session.why("m-1", {})
    assert why.models == ("gpt-6 at api.example, for the plan",)
    assert "$0.02 for 1 call" in repr(why)


def test_name_of_a_mission_that_has_not_ended_is_not_finished(session: Session) -> None:
    mission = Recorded(session, "features").start().mission
    with pytest.raises(
        UsageError, match=r"'features' is not finished: m-1 \(running\)"
    ) as told:
        session.why("features", {"features": mission})
    assert "%hyper wait m-1" in str(told.value)
    with pytest.raises(UsageError, match="This mission is not finished: m-1"):
        session.why(mission)


def test_name_that_still_holds_its_mission_is_known_when_that_has_ended(
    session: Session,
) -> None:
    mission = done(session, 42).mission
    why = session.why("features", {"features": mission})
    assert (why.name, why.mission, why.task) == ("features", "m-1", "features")


def test_mission_with_one_result_names_its_task(session: Session) -> None:
    recorded = Recorded(session, "first", "second", result="second").start()
    recorded.finish("first", 1).finish("second", 2).end()
    assert session.why("m-1", {}).task == "second"
    assert "several together" not in repr(session.why("m-1", {}))


def test_mission_with_several_last_tasks_holds_several_outputs(session: Session) -> None:
    recorded = Recorded(session, "first", "second").start()
    recorded.finish("first", 1).finish("second", 2).end()
    assert "the outputs of several together" in repr(session.why("m-1", {}))


def test_variable_and_function_that_it_was_made_from_are_told(session: Session) -> None:
    digest = session.store.put_artifact(encode(FRAME))
    work = AgentWork(
        model="big",
        tools=("make_features", "other"),
        lanes=dict.fromkeys(("make_features", "other"), "kernel:01K"),
        variables={"df": Grant()},
    )
    spec = TaskSpec(name="features", agent="writer", work=work)
    models = {"big": ModelSpec(name="x", base_url="https://api.example/v1")}
    inputs = {"df": digest, "unseen": digest}
    recorded = Recorded(session, tasks=(spec,), inputs=inputs, models=models).start()
    called = {"tool": "make_features", "number": 1, "arguments": "{}"}
    recorded.finish("features", FRAME).tell("tool.called", "features", payload=called).end()
    why = session.why("m-1", {})
    assert (why.variables, why.functions) == (("df",), ("make_features",))
    said = " ".join(repr(why).split())
    assert "Of yours df" in said
    assert "Called make_features, in your kernel" in said


def test_name_of_a_mission_that_has_failed_has_no_value(session: Session) -> None:
    recorded = Recorded(session, "features").start()
    mission = recorded.end(MissionState.FAILED, "it broke").mission
    with pytest.raises(UsageError, match=r"'features' has no value: m-1 \(failed\)") as told:
        session.why("features", {"features": mission})
    assert "%hyper show m-1" in str(told.value)


def test_value_that_two_missions_have_is_said_to_be_of_either(session: Session) -> None:
    first = done(session, "the same words").mission
    done(session, "the same words")
    value = first.result()
    said = session.why(value)
    other = {"m-1": "m-2/features", "m-2": "m-1/features"}[said.mission]
    assert said.equals == (other,)
    assert f"The same as {other}: a value alone" in " ".join(repr(said).split())
    first.remember_bound("answer", value)
    named = session.why("answer", {"answer": value})
    assert (named.mission, named.equals) == ("m-1", ())


@pytest.mark.parametrize("is_bound", [False, True])
def test_name_that_was_to_have_a_result_says_why_it_has_none(
    session: Session, *, is_bound: bool
) -> None:
    mission = Recorded(session, "features").start().end(MissionState.FAILED, "it broke").mission
    mission.remember_asked("answer")
    variables = {"answer": mission} if is_bound else {}
    with pytest.raises(UsageError, match=r"'answer' has no value: m-1 \(failed\)"):
        session.why("answer", variables)


def test_name_of_a_mission_that_failed_with_its_result_is_known(session: Session) -> None:
    recorded = Recorded(session, "sum-up", "review", result="sum-up").start()
    mission = recorded.finish("sum-up", 42).end(MissionState.FAILED, "review broke").mission
    why = session.why("answer", {"answer": mission})
    assert (why.mission, why.task) == ("m-1", "sum-up")


def test_name_of_a_mission_with_a_part_of_its_result_has_no_value(session: Session) -> None:
    recorded = Recorded(session, "left", "right").start().finish("left", 42)
    mission = recorded.end(MissionState.FAILED, "right broke").mission
    with pytest.raises(UsageError, match="without its whole result") as told:
        session.why("answer", {"answer": mission})
    assert "%hyper result m-1" in told.value.hint


def test_task_that_gave_nothing_is_not_what_another_was_made_from(session: Session) -> None:
    needs = {"look": (), "read": (), "sum-up": ("look", "read")}
    tasks = tuple(TaskSpec(name=n, needs=of, work=AgentWork()) for n, of in needs.items())
    made = Recorded(session, tasks=tasks).start().begin("look").finish("read", 1)
    ended = {"task_state": TaskState.FAILED, "attempt_state": AttemptState.FAILED}
    made.tell("task.finished", "look", attempt=1, **ended).finish("sum-up", 2).end()
    why = session.why("m-1/sum-up")
    assert (why.needs, why.without) == (("read",), (("look", "failed"),))
    assert "read; not from look (failed)" in repr(why)
