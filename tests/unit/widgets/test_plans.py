"""Drafts of a plan as views send them: checked at once, saved once, never lost."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import hypernb
from hypernb.errors import (
    EditConflictError,
    PlanProblemsError,
    UnknownNameError,
    UsageError,
)
from hypernb.model import ModelSpec
from hypernb.session import typed_edit
from hypernb.widgets._facts import plan_facts
from hypernb.widgets._plans import check, comment, edit
from tests.unit.widgets.test_facts import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission, Session


BIG = ModelSpec(name="big-1", base_url="https://api.example/v1")
SMALL = ModelSpec(name="small-1", base_url="https://api.example/v1")


def nothing() -> None:
    """Do nothing."""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    with hypernb.Session(tmp_path / "h.db", runner="inprocess", root=tmp_path) as made:
        yield made


@pytest.fixture
def mission(session: Session) -> Mission:
    plan = hypernb.Plan("Look at this", budget=0.5)
    plan.add("map", agent="system-architect", goal="Map it", cap_cost=0.1)
    plan.add("audit", agent="security-engineer", goal="Audit it", needs=["map"])
    plan.add("count", nothing, needs=["map"])
    return session.start(plan)


def draft(**parts: Any) -> dict[str, Any]:
    return {"changes": {}, "drop": [], "add": [], "plan": {}} | parts


def placed(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["task"], each["field"]) for each in answer["problems"]]


def test_answer_has_the_fields_of_the_protocol(mission: Mission) -> None:
    answer = check(mission, draft(changes={"map": {"timeout_s": "abc"}}))
    assert set(answer) == fields_of("Checked")[0]
    assert set(answer["difference"]) == fields_of("Difference")[0]
    told = check(mission, draft(changes={"map": {"check": "Map all"}}))["difference"]
    assert set(told["changed"][0]) == fields_of("Changed")[0]
    assert set(answer["problems"][0]) == fields_of("Problem")[0]
    assert orjson.loads(orjson.dumps(answer)) == answer


def test_checking_changes_nothing(mission: Mission) -> None:
    seq = mission.session.store.last_seq()
    answer = check(mission, draft(changes={"map": {"check": "Map all of it"}}))
    assert answer["problems"] == []
    assert answer["difference"]["changed"][0]["new"] == "Map all of it"
    assert (mission.record.revision, mission.session.store.last_seq()) == (1, seq)


def test_difference_is_in_words(mission: Mission) -> None:
    new = {"name": "more", "agent": "qa-engineer", "work": {"kind": "agent"}}
    answer = check(
        mission,
        draft(
            changes={"audit": {"timeout_s": 90, "cap_cost": 0.25}},
            drop=["count"],
            add=[new],
            plan={"budget": None},
        ),
    )
    assert answer["problems"] == []
    told = answer["difference"]
    assert (told["from_revision"], told["to_revision"], told["same"]) == (1, 2, 1)
    assert (told["added"], told["removed"]) == (["more"], ["count"])
    words = {
        (each["task"], each["field"]): (each["old"], each["new"]) for each in told["changed"]
    }
    assert words["audit", "timeout_s"] == ("10 min", "1 min 30 s")
    assert words["audit", "cap_cost"] == ("no limit", "$0.25")
    assert words["", "budget"] == ("$0.50", "no limit")


@pytest.mark.parametrize(
    ("parts", "typed"),
    [
        (
            {"changes": {"audit": {"check": "look twice", "needs": ["map"], "timeout_s": 90}}},
            'audit check="look twice" needs=map timeout_s=90',
        ),
        ({"plan": {"budget": None}, "drop": ["count"]}, "budget=null --drop count"),
        (
            {"add": [{"name": "d", "agent": "qa-engineer", "work": {"tools": ["ruff"]}}]},
            "--add d agent=qa-engineer tools=ruff",
        ),
        ({"drop": ["count"], "add": [{"name": "d"}]}, "--drop count (and 1 more)"),
    ],
    ids=["task", "plan", "new-task", "several"],
)
def test_draft_is_told_as_its_magic(
    mission: Mission, parts: dict[str, Any], typed: str
) -> None:
    assert check(mission, draft(**parts))["twin"] == f"%hyper edit {mission.id} {typed}"


def test_magic_of_a_draft_makes_the_same_edits(mission: Mission) -> None:
    values = {"goal": 'look; "twice"', "needs": ["map"], "cap_cost": None, "attempts": 2}
    line = check(mission, draft(changes={"audit": values}))["twin"]
    asked = typed_edit(shlex.split(line)[3:], {})
    assert asked["changes"] == {"audit": values | {"needs": ("map",)}}


@pytest.mark.parametrize(
    ("change", "place", "instead"),
    [
        ({"timeout_s": "abc"}, "timeout_s", 600.0),
        ({"timeout_s": 0}, "timeout_s", 600.0),
        ({"agent": "security-enginer"}, "agent", "security-engineer"),
        ({"needs": ["mpa"]}, "needs", ["map"]),
        ({"needs": ["audit"]}, "needs", []),
        ({"cap_cost": 2}, "cap_cost", 0.5),
        ({"attempts": 0}, "attempts", 1),
        ({"on_failure": "explode"}, "on_failure", "stop"),
        ({"work": {"kind": "agent", "tools": ["ruf"]}}, "tools", ["ruff"]),
    ],
)
def test_problems_stand_where_they_are(
    mission: Mission, change: dict[str, Any], place: str, instead: Any
) -> None:
    answer = check(mission, draft(changes={"audit": change}))
    assert placed(answer) == [("audit", place)]
    assert answer["problems"][0]["instead"] == instead


def test_problems_of_the_plan_are_placed_in_it(mission: Mission) -> None:
    answer = check(mission, draft(plan={"result": "adit", "concurrency": 0}))
    assert placed(answer) == [("", "result"), ("", "concurrency")]
    assert [each["instead"] for each in answer["problems"]] == ["audit", 1]


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        pytest.param("timeout_s", "soon", "no length of time", id="words"),
        # A number to Python, but not the minutes that somebody has typed.
        pytest.param("timeout_s", "1e3", "no length of time", id="number"),
        pytest.param("cap_cost", "4 cents", "no sum", id="dollars"),
        pytest.param("attempts", "3.5", "no whole number", id="whole"),
    ],
)
def test_text_where_a_number_stands_is_a_problem(
    mission: Mission, field: str, text: str, said: str
) -> None:
    wanted = draft(changes={"audit": {field: text}})
    answer = check(mission, wanted)
    assert placed(answer) == [("audit", field)]
    assert said in answer["problems"][0]["text"]
    with pytest.raises(PlanProblemsError, match=said):
        edit(mission, wanted)
    assert wanted["changes"]["audit"] == {field: text}


def test_texts_of_the_plan_and_of_new_tasks_are_problems_of_theirs(mission: Mission) -> None:
    new = {"name": "more", "agent": "qa-engineer", "timeout_s": "1:75"}
    answer = check(mission, draft(plan={"budget": "much"}, add=[new]))
    assert placed(answer) == [("", "budget"), ("more", "timeout_s")]
    assert [each["instead"] for each in answer["problems"]] == [0.5, None]


@pytest.fixture
def with_models(session: Session) -> Mission:
    plan = hypernb.Plan("Look at this")
    tools = ["read-file"]
    plan.add("map", agent="system-architect", goal="Map it", model="big", tools=tools)
    spec = session.build(plan)[0].model_copy(update={"models": {"big": BIG, "small": SMALL}})
    record = session.store.create_mission(session.equipped(spec), by="ada@here")
    return session.mission(record.short_id)


def test_model_of_a_task_is_changed_and_nothing_else_of_its_work(with_models: Mission) -> None:
    task = plan_facts(with_models.plan)["tasks"][0]
    assert task["work"]["model"] == "big"
    changes = {"map": {"work": {**task["work"], "model": "small"}}}
    answer = check(with_models, draft(changes=changes))
    assert answer["problems"] == []
    assert answer["twin"] == f"%hyper edit {with_models.id} map model=small"
    gone, change = answer["difference"]["changed"]
    assert (gone["field"], gone["old"].partition(":")[0]) == ("models", "big")
    assert (change["old"], change["new"]) == ("big", "small")
    edit(with_models, draft(changes=changes))
    assert with_models.plan.tasks[0].work == with_models.session.store.plan(
        with_models.record.id, 1
    ).tasks[0].work.model_copy(update={"model": "small"})


def test_model_that_cannot_use_the_tools_of_its_task_is_a_problem(with_models: Mission) -> None:
    poor = {"map": {"work": {"kind": "agent", "model": "poor"}}}
    spec = with_models.plan.model_copy(
        update={"models": {"big": BIG, "poor": SMALL.model_copy(update={"tools": False})}}
    )
    with_models.session.store.revise_plan(with_models.record.id, spec, by="ada@here")
    assert placed(check(with_models, draft(changes=poor))) == [("map", "tools")]


def test_circle_is_put_where_it_was_closed(mission: Mission) -> None:
    new = {"name": "last", "agent": "qa-engineer", "needs": ["audit"]}
    answer = check(mission, draft(add=[new], changes={"map": {"needs": ["last"]}}))
    (problem,) = answer["problems"]
    assert (problem["task"], problem["field"]) == ("last", "needs")
    assert "can never finish" in problem["text"]
    answer = check(mission, draft(changes={"map": {"needs": ["audit"]}}))
    assert answer["problems"][0]["task"] == "map"
    assert answer["problems"][0]["instead"] == []


def test_function_cannot_be_brought_in(mission: Mission) -> None:
    work = {"kind": "python", "function": "f" * 64, "arguments": "a" * 64, "label": "evil"}
    with pytest.raises(UsageError, match="cannot be put into a plan from here"):
        check(mission, draft(add=[{"name": "x", "agent": "qa-engineer", "work": work}]))
    with pytest.raises(UsageError):
        check(mission, draft(changes={"map": {"work": work}}))


@pytest.mark.parametrize(
    "wrong", [{"changes": []}, {"drop": "map"}, {"add": ["x"]}, {"changes": {"map": 7}}, 7]
)
def test_what_is_no_draft_is_refused(mission: Mission, wrong: Any) -> None:
    with pytest.raises(UsageError):
        check(mission, draft(**wrong) if isinstance(wrong, dict) else wrong)


@pytest.mark.parametrize("name", ["revision", "drop", "tasks", "root", "inputs", "nonsense"])
def test_fields_that_are_not_to_be_changed_are_refused(mission: Mission, name: str) -> None:
    with pytest.raises(UnknownNameError):
        check(mission, draft(plan={name: 1}))


def test_new_task_gets_the_tools_of_its_agent(mission: Mission) -> None:
    new = {"name": "more", "agent": "backend-specialist", "goal": "Look", "needs": ["map"]}
    answer = edit(mission, draft(add=[new]), 1)
    assert answer["difference"]["added"] == ["more"]
    added = mission.plan.tasks[-1]
    assert added.name == "more"
    assert added.work.kind == "agent"
    assert added.work.tools
    assert mission.record.revision == 2


def test_new_task_without_a_goal_has_its_agents_and_changes_nothing_else(
    mission: Mission,
) -> None:
    answer = check(mission, draft(add=[{"name": "more", "agent": "backend-specialist"}]))
    added = answer["plan"]["tasks"][-1]
    assert added["goal"] == added["goal"].strip()
    assert len(added["goal"].splitlines()) > 1
    # The program notes that no model is used, which is no change of the person's.
    assert answer["plan"]["notes"]
    assert answer["difference"]["changed"] == []


def test_saving_on_an_older_revision_is_refused_and_nothing_is_lost(mission: Mission) -> None:
    mission.edit({"map": {"timeout_s": 60}})
    wanted = draft(changes={"map": {"timeout_s": 30}})
    with pytest.raises(EditConflictError, match="saved revision 2 while you edited revision 1"):
        edit(mission, wanted, 1)
    assert mission.record.revision == 2
    assert mission.plan.tasks[0].timeout_s == 60
    assert edit(mission, wanted, 2)["difference"]["to_revision"] == 3


def test_saving_what_is_wrong_is_refused(mission: Mission) -> None:
    with pytest.raises(PlanProblemsError) as caught:
        edit(mission, draft(changes={"audit": {"needs": ["nobody"]}}), 1)
    assert caught.value.placed[0].field == "needs"
    assert mission.record.revision == 1


def test_comment_is_kept_with_the_mission(mission: Mission) -> None:
    assert comment(mission, "Why the audit?", "audit") == {}
    assert [(each.task, each.text) for each in mission.comments()] == [
        ("audit", "Why the audit?")
    ]


def test_draft_of_a_large_plan_is_checked_while_one_types(session: Session) -> None:
    plan = hypernb.Plan("Large")
    for number in range(2000):
        needs = [f"t-{number - 1}"] if number % 50 else []
        plan.add(f"t-{number}", agent="qa-engineer", goal="x", needs=needs, tools=["tests"])
    mission = session.start(plan)
    began = time.thread_time()
    check(mission, draft(changes={"t-7": {"timeout_s": 5}}))
    assert time.thread_time() - began < 2
