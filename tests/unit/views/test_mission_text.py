from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from hypernb.model import UNCOVERED, Event, MissionState, TaskState
from hypernb.views import mission_markdown, mission_text, plan_text

STATES = [state.value for state in MissionState]


@pytest.mark.parametrize("state", STATES)
def test_text_tells_all_three_sentences(state: str, make: Any) -> None:
    lines = mission_text(make.snapshot(state)).splitlines()
    said = [line for line in lines if re.match(r"(Now|Waiting for|Next)\s+\S", line)]
    assert len(said) == 3


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("state", STATES)
def test_lines_fit_the_terminal(state: str, width: int, make: Any) -> None:
    lines = mission_text(make.snapshot(state), width, result=make.report()).splitlines()
    assert [line for line in lines if len(line) > width] == []


def test_plan_text_asks_for_decision(make: Any) -> None:
    said = plan_text(make.snapshot("awaiting_approval"))
    assert "%hyper approve m-7" in said
    assert "pytest -q 'a b'" in said
    assert said.index("What you allow") < said.index("Your decision")


@pytest.mark.parametrize(
    ("begun", "said"),
    [
        ((), "Paused. Nothing runs."),
        (
            ("lint",),
            "lint stands still; if it cannot be stopped, it goes on to its end.",
        ),
        (
            ("lint", "pages"),
            "lint and pages stand still; those that cannot be stopped go on to their end.",
        ),
    ],
    ids=len,
)
def test_paused_tasks_stand_still_where_they_can(
    begun: tuple[str, ...], said: str, make: Any
) -> None:
    tasks = tuple(make.task(name, "running") for name in begun)
    told = mission_text(make.snapshot("paused", tasks=tasks), width=400)
    assert said in told


@pytest.mark.parametrize("state", STATES)
def test_command_line_is_told_no_magics(state: str, make: Any) -> None:
    said = mission_text(make.snapshot(state), result=make.report(), cli=True)
    assert "%" not in re.sub(r"\d %", "", said)
    assert "notebook" not in said


def test_command_line_is_offered_only_its_own_commands(make: Any) -> None:
    said = plan_text(make.snapshot("awaiting_approval"), cli=True)
    assert "hypernb approve m-7 t1 t2" in said
    assert "edit" not in said


@pytest.mark.parametrize("cli", [False, True])
def test_plan_that_was_cancelled_unapproved_is_proposed_again_and_not_retried(
    make: Any,
    cli: bool,  # noqa: FBT001 - a case
) -> None:
    record = make.mission("cancelled", finished_at=make.at(100))
    shown = make.snapshot("cancelled", approvals=(), mission=record)
    said = mission_text(shown, 300, cli=cli)
    assert "Cancelled before its plan was approved. Nothing ran, and nothing will." in said
    assert f"{'hypernb' if cli else '%hyper'} rewind m-7 proposes this plan again" in said
    assert "retry" not in said
    assert "What was not done" not in said


@pytest.mark.parametrize("cli", [False, True])
@pytest.mark.parametrize(
    ("failed", "typed"),
    [
        pytest.param(["tests"], "rewind m-7 t6 does tests anew, in a new mission.", id="one"),
        pytest.param(["pages", "tests"], "rewind m-7 does pages and tests anew", id="several"),
    ],
)
def test_mission_that_succeeded_without_a_task_is_rewound_and_not_retried(
    make: Any,
    failed: list[str],
    typed: str,
    cli: bool,  # noqa: FBT001 - a case
) -> None:
    ended = make.snapshot("succeeded")
    tasks = tuple(make.task(t.name, "failed") if t.name in failed else t for t in ended.tasks)
    said = mission_text(replace(ended, tasks=tasks), width=300, cli=cli)
    assert f"{'hypernb' if cli else '%hyper'} {typed}" in said
    assert "what failed anew, in a new mission" in said
    assert "retry" not in said
    assert "rewind" not in mission_text(ended, cli=cli)


def test_plan_text_of_approved_asks_nothing(make: Any) -> None:
    yes = make.snapshot().approvals
    assert "Your decision" not in plan_text(make.snapshot("awaiting_approval", approvals=yes))


def test_last_line_of_traceback_is_reason(make: Any) -> None:
    traced = "Traceback (most recent call last):\n  File 'x'\nValueError: no such column"
    ended = make.snapshot("failed")
    tasks = tuple(replace(t, error=traced) if t.error else t for t in ended.tasks)
    said = mission_text(replace(ended, tasks=tasks))
    assert "tests failed: ValueError: no such column." in said
    assert "Traceback" not in said


def test_task_that_ran_before_it_was_cancelled_is_not_said_to_have_not_run(make: Any) -> None:
    stopped = make.task("lint", "cancelled", note="cancelled by ada", worked_s=4.0)
    never = replace(make.task("clean", "pending"), state=TaskState.CANCELLED)
    said = mission_text(make.snapshot("cancelled", tasks=(stopped, never)), 200)
    assert "What was not done, and why" in said
    assert "did not run" not in said
    assert re.search(r"lint +cancelled after 4\.?0? s +cancelled by ada", said, re.I)
    assert re.search(r"clean +cancelled +", said)


def test_progress_is_counted_in_words(make: Any) -> None:
    said = " ".join(mission_text(make.snapshot()).split())
    assert "2 of 10 tasks succeeded" in said
    assert "2 running, 1 verifying, 1 awaiting approval, 1 stalled" in said


@pytest.mark.parametrize("state", STATES)
def test_markdown_tells_all_three_sentences(state: str, make: Any) -> None:
    said = mission_markdown(make.snapshot(state))
    assert re.findall(r"^\* \*\*(.+?):\*\*", said, re.MULTILINE) == [
        "Now",
        "Waiting for",
        "Next",
    ]


def test_markdown_draws_the_plan(make: Any) -> None:
    said = mission_markdown(make.snapshot())
    graph = said.split("```mermaid\n")[1].split("```")[0]
    assert graph.startswith("graph LR")
    assert 't1["scan<br/>succeeded"]' in graph
    assert re.search(r"t1 [-=]=?-?> ?t3|t1 ==> t3|t1 --> t3", graph)


def test_markdown_labels_cannot_end_early(make: Any) -> None:
    plain = make.snapshot()
    spec = plain.plan.tasks[0].model_copy(update={"name": 'x"]; click t1 call f() %%'})
    record = replace(plain.tasks[0], name=spec.name)
    odd = make.plan(tasks=(spec,))
    said = mission_markdown(replace(plain, plan=odd, tasks=(record,), attempts=()))
    label = said.split("```mermaid\n")[1].splitlines()[1]
    assert label.count('"') == 2
    assert "#34;#93;#59;" in label


def test_plan_of_a_fork_says_what_is_shared_and_what_starts(make: Any) -> None:
    waiting = make.snapshot("awaiting_approval")
    first = waiting.tasks[0].name
    tasks = (make.task(first, "succeeded", attempt=0), *waiting.tasks[1:])
    origin = replace(waiting.mission, forked_from="m-3", forked_at="lint")
    text = plan_text(replace(waiting, mission=origin, tasks=tasks))
    assert "Mission m-7, forked from m-3 at lint" in text
    shared = text[text.index("Shared") : text.index("Time")]
    assert first in shared
    assert "m-3" in shared
    assert "will not run: its output is that of" in " ".join(shared.split())
    following = text[text.index("Next") : text.index("What you allow")]
    assert first not in following


def test_fork_that_has_ended_says_what_did_not_run(make: Any) -> None:
    ended = make.snapshot("succeeded")
    first, *others = ended.tasks
    tasks = (make.task(first.name, "succeeded", attempt=0, worked_s=0.0), *others)
    origin = replace(ended.mission, forked_from="m-3", forked_at="lint")
    said = " ".join(mission_text(replace(ended, mission=origin, tasks=tasks)).split())
    assert "1 of them are shared with m-3" not in said
    assert "1 of them is shared with m-3 and did not run" in said


def test_critical_path_of_a_fork_leaves_out_what_is_shared(make: Any) -> None:
    waiting = make.snapshot("awaiting_approval")
    before = re.findall(r"t\d+ +(\S+) \*", plan_text(waiting))
    tasks = tuple(
        make.task(task.name, "succeeded", attempt=0) if task.name == before[0] else task
        for task in waiting.tasks
    )
    origin = replace(waiting.mission, forked_from="m-3", forked_at=before[1])
    after = re.findall(
        r"t\d+ +(\S+) \*", plan_text(replace(waiting, mission=origin, tasks=tasks))
    )
    assert after
    assert before[0] not in after


def _waiting_alone(make: Any, note: str, **payload: Any) -> str:
    """Show a mission of one task, which waits."""
    running = make.snapshot("running")
    task = make.task(running.tasks[0].name, "waiting", note=note)
    told = Event(
        9, running.now, "task.deferred", running.mission.id, task.id, task.name, None, payload
    )
    shown = replace(running, tasks=(task,), attempts=(), events=(told,))
    return " ".join(mission_text(shown).split())


def test_waiting_task_says_for_what_until_when_and_what_comes_next(make: Any) -> None:
    note = "waits for the-service: too many requests"
    said = _waiting_alone(make, note, resources=["the-service"], after_s=600.0)
    assert "Waiting for the-service (too many requests; asked again at " in said
    assert "You need not act." in said
    assert "starts by itself." in said
    assert "1 waiting" in said


def test_wait_without_a_known_end_names_none(make: Any) -> None:
    said = _waiting_alone(make, "waits for pytest: 1 of 1 in use", hurdle="full")
    assert "Waiting for pytest (1 of 1 in use), for" in said


def test_plan_of_no_fork_speaks_of_none(make: Any) -> None:
    text = plan_text(make.snapshot("awaiting_approval"))
    assert "Shared" not in text
    assert "forked" not in text


@pytest.mark.parametrize("cli", [False, True])
def test_mission_without_money_is_told_how_to_go_on_with_more(make: Any, cli: bool) -> None:  # noqa: FBT001 - a case
    ended = make.snapshot("failed", plan=make.plan(budget=0.5))
    tasks = list(ended.tasks)
    tasks[-1] = replace(tasks[-1], state=TaskState.CANCELLED, note=UNCOVERED)
    poor = replace(ended, tasks=tuple(tasks))
    said = " ".join(mission_text(poor, cli=cli).split())
    typed = "hypernb" if cli else "%hyper"
    assert f"Your turn. {typed} rewind m-7 --budget " in said
    assert "retry" not in said
    assert "rewind" not in mission_text(ended, cli=cli)


def test_mission_of_a_task_that_spent_its_cap_is_told_of_higher_ones(make: Any) -> None:
    ended = make.snapshot("failed")
    error = "Task 'a' failed: BudgetExhaustedError: This attempt has spent $0.31 of the $0.30"
    tasks = tuple(replace(t, error=error) if t.error else t for t in ended.tasks)
    said = " ".join(mission_text(replace(ended, tasks=tasks)).split())
    assert "Your turn. %hyper rewind m-7 begins a mission that has what is done" in said
    assert "retry" not in said


def test_task_that_waits_for_money_is_said_to(make: Any) -> None:
    run = make.snapshot("running", runners=make.snapshot().runners)
    active = next(task.name for task in run.tasks if task.state is TaskState.RUNNING)
    then = {
        TaskState.PENDING: TaskState.READY,
        TaskState.STALLED: TaskState.SUCCEEDED,
        TaskState.AWAITING_APPROVAL: TaskState.SUCCEEDED,
    }
    tasks = tuple(replace(task, state=then.get(task.state, task.state)) for task in run.tasks)
    ready = next(task.name for task in tasks if task.state is TaskState.READY)
    caps = {active: 0.3, ready: 0.4}
    plan = run.plan.model_copy(
        update={
            "budget": 0.5,
            "tasks": tuple(
                spec.model_copy(update={"cap_cost": caps.get(spec.name)})
                for spec in run.plan.tasks
            ),
        }
    )
    said = " ".join(mission_text(replace(run, tasks=tasks, plan=plan)).split())
    assert f"Money that is kept for what runs: {ready}, for it may cost up to $0.40" in said
    assert "A free place" not in said


def test_task_whose_kernel_is_busy_is_said_to_wait_for_it(make: Any) -> None:
    run = make.snapshot("running")
    calm = {TaskState.STALLED: TaskState.SUCCEEDED, TaskState.AWAITING_APPROVAL: "succeeded"}
    tasks = [
        replace(task, state=TaskState(calm.get(task.state, task.state))) for task in run.tasks
    ]
    place = next(n for n, task in enumerate(tasks) if task.state is TaskState.RUNNING)
    tasks[place] = replace(tasks[place], note="waits for the kernel that has look")
    said = " ".join(mission_text(replace(run, tasks=tuple(tasks)), 200).split())
    name = tasks[place].name
    assert f"Waiting for The kernel that has look, which is busy: for {name}." in said


def test_two_tasks_are_both(make: Any) -> None:
    waiting = make.snapshot("awaiting_approval")
    two = waiting.plan.model_copy(update={"tasks": waiting.plan.tasks[:2]})
    few = replace(waiting, plan=two, tasks=waiting.tasks[:2])
    assert "approves both tasks" in mission_text(few)
    assert "approves all" in mission_text(waiting)
