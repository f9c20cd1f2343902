"""The head of a mission in every state: sentences, buttons, money and time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson
import pytest

from hypernb.model import (
    OVERSPENT,
    AgentWork,
    AttemptRecord,
    AttemptState,
    Comment,
    MissionSnapshot,
    MissionState,
    MissionSummary,
    OnFailure,
    Past,
    PlanSpec,
    Quote,
    QuoteSource,
    Range,
    Spread,
    TaskId,
    TaskRecord,
    TaskSpec,
    TaskState,
)
from hypernb.views import Outlook, mission_html, mission_text, missions_text, plain, plan_text
from hypernb.widgets._head import EXPECTED_AT_MOST, head_facts
from hypernb.widgets._missions import told
from tests.unit.views.conftest import (
    CREW,
    MISSION,
    at,
    event,
    mission,
    plan,
    snapshot,
    task,
)
from tests.unit.widgets.test_facts import fields_of

STATES = [state.value for state in MissionState]


def verbs(actions: list[dict[str, Any]]) -> list[str]:
    return [each["verb"] for each in actions]


def text(phrase: list[Any]) -> str:
    return "".join(p if isinstance(p, str) else next(iter(p.values())) for p in phrase)


def timed(seconds: float) -> MissionSnapshot:
    """Return a mission whose unfinished tasks have the same estimate."""
    spec = plan()
    tasks = tuple(each.model_copy(update={"estimate_s": seconds}) for each in spec.tasks)
    return replace(snapshot(), plan=spec.model_copy(update={"tasks": tasks}))


def spread(typical: float, low: float | None = None, high: float | None = None) -> Spread:
    return Spread(11, low or typical, typical, high or typical)


# -- the shape ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_fields_are_those_of_the_protocol(state: str) -> None:
    made = head_facts(snapshot(state))
    assert set(made) == fields_of("HeadFacts")[0]
    assert orjson.loads(orjson.dumps(made)) == made
    for each in [*made["actions"], *(a for n in made["needs"] for a in n["actions"])]:
        always, perhaps = fields_of("Action")
        assert always <= set(each) <= always | perhaps


@pytest.mark.parametrize("state", STATES)
def test_three_sentences_are_always_there(state: str) -> None:
    made = head_facts(snapshot(state))
    assert all(len(text(made[name])) > 5 for name in ("now", "waiting", "next"))


def test_decision_has_the_fields_of_the_protocol() -> None:
    made = head_facts(snapshot("awaiting_approval"))["decision"]
    assert set(made) == fields_of("Decision")[0]


# -- buttons -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        ("planning", ["cancel"]),
        ("awaiting_approval", ["approve", "reject"]),
        ("running", ["pause", "cancel"]),
        ("paused", ["resume", "cancel"]),
        ("succeeded", []),
        ("failed", ["retry", "fork"]),
        ("cancelled", ["retry", "fork"]),
        ("rejected", []),
    ],
)
def test_each_state_has_its_buttons(state: str, asked: list[str]) -> None:
    actions = head_facts(snapshot(state))["actions"]
    assert verbs(actions) == asked
    assert sum(each["kind"] == "primary" for each in actions) <= 1
    assert all(each["twin"].startswith("%hyper ") for each in actions)
    # A button that asks first says so by its ellipsis.
    assert all(each["label"].endswith("…") == ("confirm" in each) for each in actions)


def test_approving_is_bound_to_the_plan_that_is_shown() -> None:
    made = snapshot("awaiting_approval")
    approve = head_facts(made)["actions"][0]
    assert approve["args"] == {"tasks": [], "plan_hash": made.mission.plan_hash}
    assert approve["label"] == "Approve all 10 tasks"


def test_approved_plan_can_only_be_cancelled() -> None:
    yes = snapshot("running").approvals
    made = head_facts(snapshot("awaiting_approval", approvals=yes))
    assert verbs(made["actions"]) == ["cancel"]
    assert made["decision"] is None


def test_mission_that_never_was_approved_cannot_be_retried() -> None:
    ended = snapshot("cancelled", approvals=())
    made = head_facts(replace(ended, mission=replace(ended.mission, started_at=None)))
    assert verbs(made["actions"]) == ["fork"]
    assert made["actions"][0]["label"] == "Propose the plan again"
    assert made["task_actions"] == {}
    assert "retry" not in str(made["next"]) + str(made["ending"]["commands"])
    assert "%hyper rewind m-7" in str(made["next"])


def test_mission_without_money_begins_anew_with_more() -> None:
    broke = tuple(
        replace(each, note=OVERSPENT) if each.state is TaskState.CANCELLED else each
        for each in snapshot("failed").tasks
    )
    (again,) = head_facts(snapshot("failed", tasks=broke))["actions"]
    assert (again["verb"], again["args"]["budget"] > 0) == ("fork", True)
    assert again["twin"].startswith("%hyper rewind m-7 --budget ")


def test_what_needs_a_person_comes_with_its_buttons() -> None:
    (need,) = head_facts(snapshot())["needs"]
    assert need["task"] == "pipeline"
    assert verbs(need["actions"]) == ["retry", "cancel"]
    assert need["actions"][0]["twin"] == "%hyper retry m-7 t7"
    assert need["actions"][0]["args"] == {"task": "pipeline"}


def test_stalled_tasks_look_alarming_and_need_nothing() -> None:
    alarms = head_facts(snapshot())["alarms"]
    assert [each["task"] for each in alarms] == ["pages", "tests"]
    # While an attempt is under way, no session can try the task again.
    assert [verbs(each["actions"]) for each in alarms] == [[], ["retry"]]


def test_tasks_have_the_buttons_that_a_session_allows() -> None:
    assert {
        name: verbs(each) for name, each in head_facts(snapshot())["task_actions"].items()
    } == {
        "tests": ["retry"],
        "pipeline": ["retry"],
    }
    ended = head_facts(snapshot("failed"))["task_actions"]
    assert verbs(ended["tests"]) == ["retry", "fork"]
    assert verbs(ended["scan"]) == ["fork"]
    assert verbs(ended["rank"]) == ["retry"]


# -- time --------------------------------------------------------------------------------


def test_time_left_comes_from_past_missions_with_its_range() -> None:
    past = Past(11, {name: spread(240, 180, 360) for name in CREW})
    made = head_facts(replace(snapshot(), now=at(0)), durations=past)
    # Four minutes each for what runs, then for what ranks it.
    assert made["left"] == "about 8 min left (6 to 12)"
    assert made["left_from"] == "from 11 past missions"
    assert (made["left_s"], made["left_limits_s"]) == (480, (360, 720))


def waiting(note: str, state: str = "running") -> MissionSnapshot:
    """Return a mission whose tasks at work all have this note."""
    made = timed(300)
    active = (TaskState.RUNNING, TaskState.VERIFYING)
    tasks = tuple(replace(t, note=note) if t.state in active else t for t in made.tasks)
    return replace(made, tasks=tasks, mission=replace(made.mission, state=MissionState(state)))


@pytest.mark.parametrize(
    "still",
    [
        pytest.param(waiting("reads a.py", "paused"), id="paused"),
        pytest.param(
            waiting("waits for the model: it is busy, again at 14:05:42"), id="server"
        ),
        pytest.param(waiting("the kernel that has f is gone: define it again"), id="kernel"),
        pytest.param(replace(waiting("reads a.py"), lacks=("A_KEY",)), id="key"),
    ],
)
def test_no_time_left_is_told_while_nothing_moves(still: MissionSnapshot) -> None:
    assert (head_facts(still)["left"], head_facts(still)["left_s"]) == ("", None)
    said = f"{mission_text(still)}{mission_html(still, live=True)}"
    assert not re.search(r"bout \d+ \w+ left", said)
    moves = waiting("reads a.py")
    said = f"{mission_text(moves)}{mission_html(moves, live=True)}"
    assert len(re.findall(r"bout \d+ \w+ left", said)) == 2
    assert head_facts(moves)["left"]


def test_limits_are_rounded_as_they_are_said() -> None:
    past = Past(11, {name: spread(240, 21, 2_000) for name in CREW})
    made = head_facts(replace(snapshot(), now=at(0)), durations=past)
    assert made["left"] == "about 8 min left (3 min to 1 h 5 min)"
    assert made["left_limits_s"] == (180, 3_900)


def test_estimates_of_the_plan_are_named_as_such() -> None:
    made = head_facts(replace(timed(300), now=at(0)))
    assert (made["left"], made["left_limits_s"]) == ("about 10 min left", None)
    assert made["left_from"] == "from the plan's estimates"


def test_where_both_are_needed_both_are_named() -> None:
    past = Past(1, {name: spread(300) for name in CREW if name != "rank"})
    made = head_facts(replace(timed(60), now=at(0)), durations=past)
    assert made["left_from"] == "from 1 past mission, and the plan's estimates for 1 task"
    assert made["left"] == "about 10 min left"


def test_unknown_stays_unknown() -> None:
    made = head_facts(snapshot())
    assert (made["left"], made["left_s"], made["left_from"]) == ("", None, "")
    assert made["expected_s"] == {}
    some = Past(3, {name: spread(10) for name in CREW if name != "rank"})
    assert head_facts(snapshot(), durations=some)["left_s"] is None


def test_time_over_is_said_and_not_counted_down() -> None:
    past = Past(3, {name: spread(1) for name in CREW})
    nearly = tuple(task(name, "succeeded" if name != "rank" else "running") for name in CREW)
    made = head_facts(replace(snapshot(), tasks=nearly), durations=past)
    assert (made["left"], made["left_s"]) == ("longer than expected", None)


def test_few_places_make_it_take_longer() -> None:
    names = [f"t{number}" for number in range(20)]
    spec = PlanSpec(
        goal="g",
        tasks=tuple(TaskSpec(name=n, work=AgentWork(), estimate_s=60) for n in names),
        concurrency=2,
    )
    tasks = tuple(
        TaskRecord(TaskId(n), MISSION, i, n, TaskState.READY) for i, n in enumerate(names, 1)
    )
    made = head_facts(replace(snapshot(), plan=spec, tasks=tasks, attempts=()))
    assert made["left_s"] == 600


def test_seconds_without_spread_are_welcome_too() -> None:
    made = head_facts(replace(snapshot(), now=at(0)), durations=dict.fromkeys(CREW, 60.0))
    assert (made["left"], made["left_from"]) == ("about 2 min left", "from past missions")


def test_expected_seconds_name_what_has_not_ended() -> None:
    made = head_facts(timed(7), durations=Past(2, {"rank": spread(9)}))
    assert made["expected_s"]["rank"] == 9
    assert made["expected_s"]["lint"] == 7
    assert "scan" not in made["expected_s"]


# -- money -------------------------------------------------------------------------------


def test_money_that_is_unknown_is_null_and_not_nothing() -> None:
    made = head_facts(snapshot())
    assert (made["budget"], made["quote"]) == (None, None)


def test_quote_is_what_missions_like_it_cost() -> None:
    past = Past(4, {}, cost=Spread(4, 0.27, 0.34, 0.46))
    made = head_facts(snapshot("awaiting_approval"), durations=past)
    assert made["quote"] == 0.34
    (said,) = [f["said"] for f in made["decision"]["expect"] if f["label"] == "Cost"]
    assert text(said) == "about $0.34 ($0.27 to $0.46)"


def test_reserved_is_what_caps_leave_to_running_tasks() -> None:
    spec = plan(budget=1.0)
    tasks = tuple(each.model_copy(update={"cap_cost": 0.1}) for each in spec.tasks)
    made = replace(snapshot(), plan=spec.model_copy(update={"tasks": tasks}))
    # lint, queries, secrets at work, pages stalled; one of them has paid a part.
    paid = {next(t.id for t in made.tasks if t.name == "lint"): (0.04, 10)}
    assert head_facts(made, usage=paid)["reserved"] == pytest.approx(0.36)


# -- decision and end --------------------------------------------------------------------


def test_difference_to_the_last_revision_is_in_words() -> None:
    before = plan(budget=0.5)
    made = head_facts(snapshot("awaiting_approval"), previous_plan=before)
    difference = made["decision"]["difference"]
    assert (difference["from_revision"], difference["to_revision"]) == (1, 2)
    assert difference["changed"] == [
        {
            "task": "",
            "field": "budget",
            "label": "budget",
            "old": "$0.50",
            "new": "no limit",
            "kept": ("", ""),
        }
    ]
    assert difference["same"] == 10


def test_comments_are_told_with_who_and_when() -> None:
    said = Comment("Why so long?", at(3), "rank", "ada@here")
    made = head_facts(snapshot("awaiting_approval"), comments=[said])
    assert made["decision"]["comments"] == [
        {"task": "rank", "text": "Why so long?", "by": "ada@here", "at": at(3).isoformat()}
    ]


def test_steps_say_what_happens_after_a_yes() -> None:
    made = head_facts(snapshot("awaiting_approval", plan=plan(result="rank")))
    steps = [text(each) for each in made["decision"]["steps"]]
    assert steps[0] == "Once approved, 2 tasks start at once: scan and imports."
    said = "It ends when all of them are done. Its result is the output of rank."
    assert steps[-1] == said, "clean does not wait for rank, nor rank for clean"


def test_plan_ends_with_its_result_where_nothing_comes_after_or_beside_it() -> None:
    whole = plan(result="rank")
    without = whole.model_copy(
        update={"tasks": tuple(each for each in whole.tasks if each.name != "clean")}
    )
    made = head_facts(snapshot("awaiting_approval", plan=without))
    assert text(made["decision"]["steps"][-1]) == "It ends with the output of rank."


def test_approval_of_a_part_has_a_record_and_steps_of_its_own() -> None:
    part = head_facts(snapshot("awaiting_approval"))["decision"]["part"]
    assert text(part["record"]).startswith("Approving a part makes a new revision")
    assert text(part["steps"][0]).startswith("A new revision with only the ticked tasks")


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled", "rejected"])
def test_end_says_what_came_of_it(state: str) -> None:
    made = head_facts(snapshot(state))
    assert made["ending"]["outcome"]
    assert made["ending"]["commands"]
    assert made["needs"] == made["alarms"] == []


def test_gaps_have_their_reasons() -> None:
    found = head_facts(snapshot("failed"))["ending"]["gaps"]
    assert {each["task"] for each in found} == {"tests", "rank", "clean"}
    assert all(each["why"] for each in found)


def test_last_change_names_time_and_task() -> None:
    said = head_facts(snapshot())["last_change"]
    assert {"code": "secrets"} in said
    assert text(said).endswith("secrets: Calls bandit.")
    assert head_facts(snapshot(events=()))["last_change"] == ["No change yet."]


def test_findings_are_counted_by_severity_where_they_are_known() -> None:
    assert head_facts(snapshot())["findings"] == "2 findings so far: 1 critical, 1 low"
    late = (replace(snapshot().tasks[0], findings=7), *snapshot().tasks[1:])
    assert head_facts(snapshot(tasks=late))["findings"] == "7 findings so far"


def test_hostile_names_stay_in_their_place() -> None:
    evil = "<script>alert(1)</script>\u202e" + "x" * 100_000
    made = head_facts(snapshot(events=(event("task.started", evil),)))
    assert len(text(made["last_change"])) < 500


# -- many tasks --------------------------------------------------------------------------


def large(many: int) -> MissionSnapshot:
    names = [f"task-{number}" for number in range(many)]
    spec = PlanSpec(
        goal="g",
        concurrency=16,
        tasks=tuple(
            TaskSpec(
                name=name,
                needs=tuple(names[max(0, place - 2) : place]) if place % 100 else (),
                work=AgentWork(),
                agent="qa-engineer",
                estimate_s=3,
                on_failure=OnFailure.SKIP,
            )
            for place, name in enumerate(names)
        ),
    )
    states = ["succeeded"] * (many // 3) + ["failed"] * (many // 3) + ["running"] * 16
    states += ["pending"] * (many - len(states))
    tasks = tuple(
        TaskRecord(
            TaskId(f"T{place}"),
            MISSION,
            place,
            name,
            TaskState(state),
            attempt=int(state != "pending"),
            started_at=at(place / 100) if state != "pending" else None,
        )
        for place, (name, state) in enumerate(zip(names, states, strict=True), 1)
    )
    attempts = tuple(
        AttemptRecord(each.id, 1, AttemptState.SUCCEEDED, each.started_at, at(each.number))
        for each in tasks
        if each.started_at
    )
    return replace(snapshot(), plan=spec, tasks=tasks, attempts=attempts)


def test_head_of_ten_thousand_tasks_is_small() -> None:
    made = large(10_000)
    past = Past(11, {each.name: Spread(11, 1, 2, 4) for each in made.tasks})
    head = head_facts(made, durations=past)
    assert len(orjson.dumps(head)) < 300_000
    assert len(head["expected_s"]) <= EXPECTED_AT_MOST
    assert head["alarms"][-1]["what"] == ["And 3,323 more like these."]


# -- between the yes and the start -------------------------------------------------------


def test_runner_that_is_starting_needs_nobody() -> None:
    yes = snapshot("running").approvals
    for seconds, runners in ((3, ()), (300, snapshot("running").runners)):
        made = snapshot(
            "awaiting_approval", approvals=yes, runners=runners, now=at(-1 + seconds)
        )
        head = head_facts(made)
        assert text(head["now"]).startswith("Approved. A runner ")
        assert text(head["waiting"]) == "Nothing. You need not act."
        assert head["since"].startswith("at ")
        assert "attention" not in mission_html(made, live=True).split("</header>")[1][:600]


def test_runner_that_does_not_come_can_be_started() -> None:
    yes = snapshot("running").approvals
    made = snapshot("awaiting_approval", approvals=yes, runners=(), now=at(30))
    assert "%hyper wait m-7 starts one" in text(head_facts(made)["waiting"])


# -- a failure that ends everything ------------------------------------------------------


def stopped(**fields: Any) -> MissionSnapshot:
    """A mission whose ``tests`` has failed and stops it, while others still run."""
    made = snapshot(**fields)
    assert made.plan is not None
    tasks = tuple(
        each.model_copy(update={"on_failure": OnFailure.STOP}) if each.name == "tests" else each
        for each in made.plan.tasks
    )
    return replace(made, plan=made.plan.model_copy(update={"tasks": tasks}))


def test_nothing_follows_a_failure_that_ends_the_mission() -> None:
    head = head_facts(stopped())
    assert text(head["next"]).startswith("The end, when ")
    assert "rank" not in text(head["next"])
    [alarm] = [each for each in head["alarms"] if each["task"] == "tests"]
    assert text(alarm["what"]).endswith(
        " The mission ends when what runs is done; then you can retry it."
    )
    assert "The rest goes on" not in text(head["waiting"])


# -- numbers that agree ------------------------------------------------------------------


def test_time_between_an_end_and_its_retry_is_a_pause() -> None:
    ended = mission("succeeded", started_at=at(0), finished_at=at(53), rested_s=37.0)
    made = snapshot("succeeded", mission=ended)
    head = head_facts(made)
    assert (head["elapsed_s"], head["rested_s"]) == (53, 37)
    assert "in 16 s, with a pause of 37 s, ended " in mission_html(made, live=False)
    assert "16 s" in missions_text([ended])
    assert plain(told(MissionSummary(ended))).endswith("succeeded in 16 s.")


def test_static_page_counts_no_events_of_the_whole_store() -> None:
    for live in (True, False):
        assert "event 236" not in mission_html(snapshot("running"), live=live)


def expected_of(made: MissionSnapshot, **facts: Any) -> dict[str, str]:
    expect = head_facts(made, **facts)["decision"]["expect"]
    return {each["label"]: text(each["said"]) for each in expect}


def test_budget_below_the_quote_is_told_where_it_is_allowed() -> None:
    made = snapshot("awaiting_approval", plan=plan(budget=0.06))
    for high, said in ((0.12, "; probably not enough: $0.06 to $0.12 is expected"), (0.06, "")):
        whole = Quote(QuoteSource.ESTIMATE, dollars=Range(0.06, high))
        facts = head_facts(made, outlook=Outlook((whole,)))
        (spends,) = [f["said"] for f in facts["decision"]["allow"] if f["label"] == "Spends"]
        assert text(spends).startswith(f"at most $0.06{said}; each attempt")


def test_time_that_is_not_known_rests_on_nothing() -> None:
    known = Past(missions=5, tasks={"scan": spread(9)})
    said = expected_of(snapshot("awaiting_approval"), durations=known)
    assert said["Time"] == "not known: no estimate for 9 of 10 tasks"
    assert "Based on" not in said


def test_fork_counts_what_will_run() -> None:
    made = snapshot("awaiting_approval")
    shared = tuple(
        replace(each, state=TaskState.SUCCEEDED) if each.name in ("scan", "imports") else each
        for each in made.tasks
    )
    fork = replace(made, mission=replace(made.mission, forked_from="m-3"), tasks=shared)
    said = expected_of(fork)
    head = head_facts(fork)
    assert said["Work"].startswith("8 of 10 tasks")
    assert said["Time"] == "not known: no estimate for 8 of 8 tasks"
    assert head["actions"][0]["label"] == "Approve 8 tasks to be run"
    assert "8 of 10 tasks to be run" in text(head["now"])
    assert "approves the 8 tasks to be run" in mission_html(fork, live=False)


def done_already() -> MissionSnapshot:
    made = snapshot("awaiting_approval")
    shared = tuple(replace(each, state=TaskState.SUCCEEDED) for each in made.tasks)
    return replace(made, mission=replace(made.mission, forked_from="m-3"), tasks=shared)


def test_fork_that_has_nothing_to_run_asks_for_a_task_to_begin_from() -> None:
    head = head_facts(done_already())
    assert text(head["now"]) == (
        "All 10 tasks are done already, and shared with m-3. Nothing would run."
    )
    assert text(head["waiting"]).startswith("You: name a task to begin from, or edit the plan.")
    assert text(head["next"]).startswith("%hyper rewind m-7 TASK does that task and all")
    assert verbs(head["actions"]) == ["reject"], "there is nothing that a yes would let run"
    said = expected_of(done_already())
    assert (said["Time"], said["Work"].partition(" by")[0]) == ("none", "0 of 10 tasks")
    (step,) = head["decision"]["steps"]
    assert text(step).startswith("Nothing runs")
    assert "Approving" not in str(head["decision"]["record"])


def test_copies_of_a_fork_that_has_nothing_to_run_offer_no_approval() -> None:
    for said in (mission_html(done_already(), live=False), plan_text(done_already())):
        assert "%hyper rewind m-7 TASK" in said
        assert "hyper approve" not in said
        assert "to be run" not in said


def test_plan_of_a_fork_says_which_tasks_are_done_already() -> None:
    assert mission_html(done_already(), live=False).count("done already</span>") == 10
    assert "done already" not in mission_html(snapshot("awaiting_approval"), live=False)


def test_approved_fork_that_has_nothing_to_run_ends_at_once() -> None:
    yes = snapshot().approvals
    told = head_facts(replace(done_already(), approvals=yes))
    assert text(told["next"]) == "Then it ends at once: all of its tasks are done."


@pytest.mark.parametrize(
    ("made", "known", "says"),
    [
        pytest.param(snapshot(), None, "no estimates.", id="unknown"),
        pytest.param(timed(9), None, "It decides how long", id="estimates"),
        pytest.param(snapshot(), {"scan": 9.0}, "It decides how long", id="past"),
        pytest.param(snapshot("failed"), None, "It decided how long", id="ended"),
    ],
)
def test_critical_path_says_what_it_rests_on(
    made: MissionSnapshot, known: Any, says: str
) -> None:
    assert says in head_facts(made, durations=known)["critical_says"]
    assert says in mission_html(made, live=False) or known


def test_what_never_ran_has_decided_nothing() -> None:
    made = snapshot("failed")
    began = tuple(
        replace(each, attempt=0) if each.name == "rank" else each for each in made.tasks
    )
    critical = head_facts(replace(made, tasks=began))["critical"]
    assert "rank" not in critical
    assert critical
