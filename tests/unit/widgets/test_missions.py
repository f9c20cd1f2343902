"""Rows of many missions, two side by side, forks and exports."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import (
    PathError,
    UnknownMissionError,
    UnknownNameError,
    UnknownTaskError,
    UsageError,
)
from hypernb.model import (
    AgentWork,
    CallState,
    Finding,
    MissionState,
    SearchHit,
    Severity,
    TaskSpec,
    Usage,
)
from hypernb.session import Session
from hypernb.views import mission_text, plain
from hypernb.widgets._missions import (
    _figures,
    _longer,
    _task,
    compare,
    export,
    fork,
    found_in,
    rows,
)
from hypernb.widgets._output import output
from hypernb.widgets._verbs import act
from tests.unit.widgets.recorded import Recorded
from tests.unit.widgets.test_facts import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator


NOTHING_KEPT = {"kept": ("", "")}


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    root = tmp_path / "project"
    root.mkdir()
    with Session(tmp_path / "store.db", root=root) as opened:
        yield opened


def finding(message: str, **fields: Any) -> Finding:
    return Finding(
        **(
            {
                "file": "src/app.py",
                "line": 3,
                "category": "security",
                "rule": "B105",
                "severity": Severity.LOW,
                "message": message,
                "tool": "bandit",
            }
            | fields
        )
    )


def sentence(row: dict[str, Any], of: str = "told") -> str:
    return "".join(
        part if isinstance(part, str) else "".join(part.values()) for part in row[of]
    )


def only(session: Session) -> dict[str, Any]:
    (row,) = rows(session)["rows"]
    assert isinstance(row, dict)
    return row


# -- rows --------------------------------------------------------------------------------


def test_proposed_mission_needs_you(session: Session) -> None:
    Recorded(session, "a", "b", budget=0.5)
    row = only(session)
    assert row["needs_you"]
    assert sentence(row) == "The plan is ready: 2 tasks. Nothing runs until you approve it."
    assert row["mission"]["short_id"] == "m-1"
    assert row["counts"] == [("pending", 2)]
    assert (row["total"], row["at_work"]) == (2, 0)
    assert row["figures"] == "It may spend $0.50"
    assert row["actions"] == []


def test_approved_mission_waits_for_a_runner(session: Session) -> None:
    Recorded(session).approve()
    row = only(session)
    assert not row["needs_you"]
    assert "as soon as a runner takes it up" in sentence(row)
    assert [action["verb"] for action in row["actions"]] == ["cancel"]


def test_running_mission_says_what_runs(session: Session) -> None:
    names = ["a", "b", "c", "d", "e"]
    recorded = Recorded(session, *names).start()
    assert sentence(only(session)) == "Nothing runs at this moment."
    for name in names[:4]:
        recorded.begin(name)
    row = only(session)
    assert sentence(row) == "4 tasks are running: a, b and c and 1 more."
    assert row["at_work"] == 4
    assert not row["needs_you"]
    assert [(action["verb"], action["twin"]) for action in row["actions"]] == [
        ("pause", "%hyper pause m-1"),
        ("cancel", "%hyper cancel m-1"),
    ]
    assert all(action["args"] == {"mission": "m-1"} for action in row["actions"])
    assert row["actions"][1]["confirm"]["button"] == "Cancel m-1"


def test_running_mission_with_a_question_needs_you(session: Session) -> None:
    Recorded(session, "a", "b").start().begin("a").begin("b").ask("a")
    row = only(session)
    assert row["needs_you"]
    assert sentence(row) == "It needs you for 1 decision: a. 1 task is running: b."


def test_paused_mission_can_be_resumed(session: Session) -> None:
    Recorded(session, "a", "b").start().finish("a", 1).pause()
    row = only(session)
    assert "1 of 2 tasks had succeeded" in sentence(row)
    assert [action["verb"] for action in row["actions"]] == ["resume", "cancel"]


def test_ended_missions_say_what_came_of_them(session: Session) -> None:
    recorded = Recorded(session, "a").start()
    recorded.finish("a", 1, findings=[finding("x"), finding("y")]).end()
    row = only(session)
    assert sentence(row).startswith("2 findings, 1 of 1 task succeeded")
    assert row["figures"] == "2 findings so far"
    assert row["actions"] == []


def test_failed_mission_says_why(session: Session) -> None:
    Recorded(session, "a").start().end(MissionState.FAILED, "Task 'a' failed.")
    assert sentence(only(session)) == "Task 'a' failed. 0 of 1 task succeeded."


def test_fork_of_which_all_is_done_needs_nobody(session: Session) -> None:
    origin = Recorded(session, "a", "b").start().finish("a", 1).finish("b", 2).end()
    fork = partial(session.store.create_mission, origin.mission.plan, by="ada@here")
    fork(forked_from=origin.record.id)
    row, _ = rows(session)["rows"]
    assert sentence(row) == (
        "Both tasks are done already, and shared with m-1. Nothing would run."
    )
    assert not row["needs_you"]
    fork(forked_from=origin.record.id, forked_at="b")
    row, *_ = rows(session)["rows"]
    assert row["needs_you"]


def test_cancelled_mission_says_by_whom(session: Session) -> None:
    recorded = Recorded(session, "a").start().end(MissionState.CANCELLED, "by ada@here")
    assert sentence(only(session)) == "Cancelled by ada@here. 0 of 1 task succeeded."
    assert "Ended by ada@here. 0 of 1 task succeeded." in mission_text(
        recorded.mission.snapshot()
    )
    assert output(recorded.mission)["shown"]["why"] == (
        "There is no result: m-1 was cancelled by ada@here."
    )


def test_row_of_a_plan_that_was_never_approved_offers_no_retry(session: Session) -> None:
    Recorded(session, "a").mission.cancel()
    assert only(session)["actions"] == []


def test_rejected_mission_says_that_nothing_ran(session: Session) -> None:
    Recorded(session).mission.reject("too dear")
    assert sentence(only(session)) == "The plan was rejected, and nothing ran: too dear."


def test_rows_are_searched_filtered_and_paged(session: Session) -> None:
    for number in range(5):
        Recorded(session, goal=f"count the stars of {number}")
    Recorded(session, goal="audit").start()
    found = rows(session, text="STARS 3")
    assert [row["mission"]["goal"] for row in found["rows"]] == ["count the stars of 3"]
    assert found["total"] == 1
    running = rows(session, states=["running"])
    assert [row["mission"]["short_id"] for row in running["rows"]] == ["m-6"]
    page = rows(session, limit=2, offset=1)
    assert [row["mission"]["short_id"] for row in page["rows"]] == ["m-5", "m-4"]
    assert page["total"] == 6
    assert rows(session, limit=-1, offset=-1)["rows"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("stars", "Found in the goal.", id="goal"),
        pytest.param("weigh", "Found in the name of weigh-it.", id="name"),
        pytest.param(
            "flour", "Found in the goal of weigh-it: How much flour.", id="goal-of-a-task"
        ),
        pytest.param(
            "careless",
            "Found in a finding of weigh-it, src/app.py:3: careless · B105 · security · low ·"
            " src/app.py.",
            id="finding",
        ),
        pytest.param("broke", "Found in an event: The scales broke.", id="event"),
        pytest.param(
            "stars flour",
            "Found in the goal; the goal of weigh-it: How much flour.",
            id="two-places",
        ),
        pytest.param("", "", id="no-search"),
    ],
)
def test_rows_say_where_words_were_found(session: Session, text: str, said: str) -> None:
    work = TaskSpec(name="weigh-it", goal="How much flour", work=AgentWork())
    recorded = Recorded(session, goal="count the stars", tasks=(work,)).start()
    recorded.finish("weigh-it", 1, findings=[finding("careless")])
    recorded.end(MissionState.FAILED, "The scales broke")
    (row,) = rows(session, text=text)["rows"]
    assert sentence(row, "found") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("mktemp", "use [<mktemp>] of [tempfile]", id="in-brackets"),
        pytest.param("use temp", "<use> [mktemp] of [<tempfile>]", id="two"),
    ],
)
def test_only_what_was_searched_stands_out(session: Session, text: str, said: str) -> None:
    recorded = Recorded(session, "a").start()
    recorded.end(MissionState.FAILED, "use [mktemp] of [tempfile]")
    (row,) = rows(session, text=text)["rows"]
    told = [part if isinstance(part, str) else f"<{part['strong']}>" for part in row["found"]]
    assert "".join(told) == f"Found in an event: {said}."


def test_long_text_around_a_hit_is_cut() -> None:
    hit = SearchHit("event", "m-1", "", "", f"{'a' * 150} [b] {'c' * 900} [b]", ((151, 154),))
    said = plain(found_in([hit]))
    assert len(said) < 300
    assert said.startswith(f"Found in an event: {'a' * 150} b ccc")


def test_places_beyond_the_third_are_counted() -> None:
    hits = [SearchHit("task", "m-1", f"t{number}", "", "") for number in range(5)]
    assert plain(found_in(hits)).endswith("the name of t2; and in 2 more places.")


def test_unknown_state_is_refused(session: Session) -> None:
    with pytest.raises(UnknownNameError, match="rejected"):
        rows(session, states=["rejecte"])


def test_running_mission_says_how_long_it_still_takes(session: Session) -> None:
    for estimate_s in (60.0, None):
        task = TaskSpec(name="a", work=AgentWork(), estimate_s=estimate_s)
        Recorded(session, tasks=(task,)).start()
    left = [row["figures"] for row in rows(session)["rows"]]
    assert left == ["", "about 60 s left"]


@pytest.mark.parametrize(
    ("cost", "unknown", "budget", "said"),
    [
        pytest.param(0.25, 0, 0.5, "$0.25 of $0.50 spent", id="both"),
        pytest.param(0.25, 0, None, "$0.25 spent", id="no-budget"),
        pytest.param(0.0, 0, 0.5, "$0.00 of $0.50 spent", id="nothing-spent"),
        pytest.param(0.0, 0, None, "", id="no-money"),
        pytest.param(0.0, 2, None, "2 calls of unknown cost", id="unknown"),
        pytest.param(0.25, 1, 0.5, "$0.25 and 1 call of unknown cost", id="part-unknown"),
    ],
)
def test_figures_tell_of_money_that_there_is(
    session: Session, cost: float, unknown: int, budget: float | None, said: str
) -> None:
    Recorded(session, budget=budget).start()
    (summary,), _ = session.store.summaries()
    mission = replace(summary.mission, cost=cost)
    assert _figures(replace(summary, mission=mission, unknown=unknown), "") == said


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        pytest.param(None, "at most $0.25 spent", id="no-budget"),
        pytest.param(0.5, "at most $0.25 of $0.50 spent", id="budget"),
    ],
)
def test_reserve_that_counts_as_paid_is_at_most_that(
    session: Session, budget: float | None, said: str
) -> None:
    for _ in range(2):
        made = Recorded(session, "a", budget=budget).start().begin("a")
        lost = replace(made.underway.call("a"), state=CallState.LOST, cost=0.25)
        usage = Usage(0.25, lost.model)
        made.tell("llm.responded", "a", attempt=1, call=lost, usage=usage)
    (row, _) = rows(session)["rows"]
    assert (row["cost"], row["figures"]) == ("at most $0.25", said)
    told = compare(session, "m-1", "m-2")
    costs = [f["said"][0] for f in told["a"]["facts"] if f["label"] == "Cost"]
    assert costs[0].startswith("at most $0.25")


def test_cost_that_nobody_knows_is_no_zero_in_lists_and_comparisons(session: Session) -> None:
    for budget in (None, 0.5):
        made = Recorded(session, "a", budget=budget).start().begin("a")
        call = replace(made.underway.call("a"), state=CallState.SETTLED, input_tokens=10)
        made.tell("llm.responded", "a", attempt=1, call=call)
    assert [row["cost"] for row in rows(session)["rows"]] == ["1 call of unknown cost"] * 2
    told = compare(session, "m-1", "m-2")
    said = [{fact["label"]: fact["said"] for fact in told[side]["facts"]} for side in "ab"]
    assert [each["Cost"] for each in said] == [
        ["1 call of unknown cost, no limit"],
        ["1 call of unknown cost"],
    ]


def test_rows_have_the_fields_of_the_protocol(session: Session) -> None:
    Recorded(session)
    assert set(only(session)) == fields_of("MissionRow")[0]


def test_rows_are_json(session: Session) -> None:
    Recorded(session, goal="x\x1b[31m" + "W" * 90_000).start()
    found = rows(session)
    assert json.loads(json.dumps(found))["total"] == 1
    assert len(found["rows"][0]["mission"]["goal"]) < 3_000


def test_many_missions_take_a_fixed_number_of_reads(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(20):
        Recorded(session)
    store, calls = session.store, []
    summaries = store.summaries

    def counted(**asked: Any) -> Any:
        calls.append(asked)
        return summaries(**asked)

    monkeypatch.setattr(store, "summaries", counted)
    monkeypatch.setattr(store, "tasks", None)
    monkeypatch.setattr(store, "snapshot", None)
    assert len(rows(session)["rows"]) == 20
    assert len(calls) == 1


# -- two side by side --------------------------------------------------------------------


def test_missions_are_compared(session: Session) -> None:
    shared, moved = finding("both"), finding("both", line=9)
    one = Recorded(session, "a", "b", budget=0.5).start()
    one.finish("a", 1, findings=[shared, finding("old")]).finish("b", 1).end()
    two = Recorded(session, "a", "c", goal="count the moons").start()
    two.finish("a", 1, findings=[moved, finding("new", severity=Severity.HIGH)])
    told = compare(session, "m-1", "m-2")
    assert told["a"]["mission"]["short_id"] == "m-1"
    said = [{fact["label"]: fact["said"] for fact in told[side]["facts"]} for side in "ab"]
    assert [each["Findings"] for each in said] == [["2"], ["2"]]
    assert [each["Cost"] for each in said] == [["$0.00 of $0.50"], ["$0.00, no limit"]]
    assert told["a"]["counts"] == [("succeeded", 2)]
    assert set(told["a"]) == fields_of("ComparedSide")[0]
    difference = told["difference"]
    assert (difference["added"], difference["removed"]) == (["c"], ["b"])
    assert difference["same"] == 1
    budget = {"task": "", "field": "budget", "label": "budget"} | NOTHING_KEPT
    budget |= {"old": "$0.50", "new": "no limit"}
    assert budget in difference["changed"]
    assert [task["name"] for task in told["tasks"]] == ["a", "c", "b"]
    assert told["tasks"][1]["a"] is None
    assert told["tasks"][1]["b"] == {"state": "pending", "more": ""}
    assert told["tasks"][2]["b"] is None
    assert told["total_tasks"] == 3
    assert told["findings"]["both"] == 1
    assert [each["text"] for each in told["findings"]["only_a"]["rows"]] == ["old"]
    assert [each["text"] for each in told["findings"]["only_b"]["rows"]] == ["new"]
    assert json.loads(json.dumps(told))["total_tasks"] == 3


def test_finding_that_is_there_twice_is_counted_twice(session: Session) -> None:
    one = Recorded(session, "a").start()
    one.finish("a", 1, findings=[finding("x"), finding("x", line=8)])
    Recorded(session, "a").start().finish("a", 1, findings=[finding("x")])
    told = compare(session, "m-1", "m-2")["findings"]
    assert (told["both"], told["only_a"]["total"], told["only_b"]["total"]) == (1, 1, 0)


def test_changes_of_tasks_are_in_words(session: Session) -> None:
    Recorded(session, "a")
    task = TaskSpec(name="a", work=AgentWork(tools=("files", "git")), timeout_s=60)
    Recorded(session, tasks=(task,))
    changed = compare(session, "1", "2")["difference"]["changed"]
    timeout = {"task": "a", "field": "timeout_s", "label": "cap on time"}
    assert {**timeout, "old": "10 min", "new": "1 min", "kept": ("", "min")} in changed
    assert [each["new"] for each in changed if each["field"] == "work.tools"] == ["files, git"]


def test_tasks_are_compared_by_how_long_they_worked(session: Session) -> None:
    Recorded(session, "a").start().finish("a", 1)
    (task,) = session.mission("m-1").snapshot(events=0).tasks
    minute, second = replace(task, worked_s=60.0), replace(task, worked_s=1.0)
    assert _longer(minute, second) == "59 s less"
    assert _longer(second, minute) == "59 s more"
    assert _longer(minute, minute) == "the same"
    assert [_longer(minute, None), _longer(replace(task, worked_s=0.0), minute)] == ["", ""]
    assert _task(replace(minute, attempt=2, findings=1)) == {
        "state": "succeeded",
        "more": "1 min, 2 attempts, 1 finding",
    }


def test_what_cannot_be_compared_is_refused(session: Session) -> None:
    Recorded(session)
    with pytest.raises(UsageError, match="itself"):
        compare(session, "m-1", "1")
    with pytest.raises(UnknownMissionError):
        compare(session, "m-1", "m-2")


# -- forks and exports -------------------------------------------------------------------


def test_fork_answers_with_the_new_mission(session: Session) -> None:
    (session.root / "app.py").write_text("x = 1\n")
    plan = session.plan(playbook="repo-audit")
    first = session.start(plan)
    name = next(iter(first.tasks))
    assert fork(first, name) == {"mission": "m-2"}
    assert session.mission("m-2").record.forked_from == "m-1"
    with pytest.raises(UnknownTaskError):
        fork(first, "nobody")


def test_fork_can_have_another_budget(session: Session) -> None:
    (session.root / "app.py").write_text("x = 1\n")
    first = session.start(session.plan(playbook="repo-audit"))
    fork(first, budget=0.75)
    assert session.mission("m-2").plan.budget == 0.75
    fork(first)
    assert session.mission("m-3").plan.budget == first.plan.budget


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("html", "m-1.html"),
        ("notebook", "m-1.ipynb"),
        ("markdown", "m-1.md"),
        ("json", "m-1.json"),
        ("plan", "m-1.json"),
    ],
)
def test_export_says_where_the_file_is(session: Session, form: str, name: str) -> None:
    mission = Recorded(session).mission
    answer = export(mission, form)
    assert answer == {"path": str(session.root / name)}
    assert (session.root / name).stat().st_size > 0


def test_export_overwrites_nothing(session: Session) -> None:
    mission = Recorded(session).mission
    (session.root / "m-1.md").write_text("mine")
    assert export(mission, "markdown")["path"].endswith("m-1-2.md")
    assert export(mission, "markdown")["path"].endswith("m-1-3.md")
    assert (session.root / "m-1.md").read_text() == "mine"


def test_export_that_fails_leaves_no_file(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    mission = Recorded(session).mission
    with pytest.raises(UnknownNameError, match="html"):
        export(mission, "htlm")
    monkeypatch.setattr(type(mission), "snapshot", None)
    with pytest.raises(TypeError):
        export(mission, "html")
    assert list(session.root.iterdir()) == []


def test_exported_mission_has_the_time_that_its_views_tell(session: Session) -> None:
    recorded = Recorded(session, "a").start().end()
    told = json.loads(Path(export(recorded.mission, "json")["path"]).read_text())
    assert told["took_s"] == recorded.mission.record.took_s() is not None


def test_export_into_a_folder_that_is_gone_says_so(session: Session) -> None:
    mission = Recorded(session).mission
    session.root = session.root / "gone"
    with pytest.raises(PathError, match="cannot be written"):
        export(mission)


@pytest.mark.parametrize("form", ["../../x", "/etc/passwd", "../x.html", ".html", "HTML", ""])
def test_a_form_of_export_is_no_path(session: Session, form: str) -> None:
    mission = Recorded(session).mission
    before = sorted(session.root.parent.rglob("*"))
    with pytest.raises(UnknownNameError):
        act("export", {"form": form}, mission)
    assert sorted(session.root.parent.rglob("*")) == before


@pytest.mark.parametrize("name", ["path", "target", "mission", "folder"])
def test_a_view_cannot_say_where_an_export_goes(session: Session, name: str) -> None:
    mission = Recorded(session).mission
    with pytest.raises(UsageError):
        act("export", {"form": "html", name: "../x.html"}, mission)
    assert list(session.root.iterdir()) == []


@pytest.mark.parametrize("is_there", [True, False])
def test_export_does_not_follow_a_link(session: Session, *, is_there: bool) -> None:
    mission = Recorded(session).mission
    outside = session.root.parent / "outside.html"
    if is_there:
        outside.write_text("mine")
    (session.root / "m-1.html").symlink_to(outside)
    assert export(mission, "html")["path"] == str(session.root / "m-1-2.html")
    assert outside.exists() == is_there
    assert not is_there or outside.read_text() == "mine"


@pytest.mark.parametrize("number", ["../../x", "/../../x", "1/../../../x"])
def test_a_store_cannot_say_where_an_export_goes(session: Session, number: Any) -> None:
    mission = Recorded(session).mission
    mission._record = replace(mission.record, number=number)
    before = sorted(session.root.parent.rglob("*"))
    with pytest.raises(PathError, match="no name of a file"):
        export(mission, "html")
    assert sorted(session.root.parent.rglob("*")) == before
