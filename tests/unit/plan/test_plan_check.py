"""Every way in which a plan has no meaning is said in a sentence that helps."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hypernb.errors import CyclicPlanError, PlanProblemsError
from hypernb.model import AgentWork, PlanSpec, PythonWork, TaskSpec
from hypernb.plan import MAX_GOAL, MAX_TASKS, check_plan, plan_problems

UNSEEN = "\u200b\u2060\u00ad\u034f\u115f\u3164\u17b4\u2800\u202e\ufeff\U000e0041"
PYTHON = PythonWork(function="f" * 64, arguments="a" * 64, label="fetch")


def task(name: str = "fetch", **fields: Any) -> TaskSpec:
    return TaskSpec.model_validate({"name": name, "work": PYTHON} | fields)


def plan(*tasks: TaskSpec, **fields: Any) -> PlanSpec:
    given = {"goal": "Nightly numbers", "tasks": tasks or (task(),)}
    return PlanSpec.model_validate(given | fields)


def problems(spec: PlanSpec, **known: Any) -> tuple[str, ...]:
    with pytest.raises(PlanProblemsError) as caught:
        check_plan(spec, **known)
    return caught.value.problems


def test_sound_plan_has_no_problems() -> None:
    spec = plan(
        task("fetch"),
        task("clean", needs=("fetch",), timeout_s=1, cap_cost=0, estimate_s=0, backoff_s=0),
        task("Zahlen für 🐍 und 👩‍🔬", needs=("fetch", "fetch")),
        result="clean",
        priority=100,
        budget=0,
        deadline_s=0.5,
    )
    check_plan(spec)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        pytest.param(
            {"goal": " \n"},
            "The plan has no goal. Say in a sentence what it is for.",
            id="no-goal",
        ),
        pytest.param(
            {"goal": "x" * (MAX_GOAL + 1)},
            "The plan's goal has 100,001 characters; 100,000 is the most. "
            "Hand over long text as an input.",
            id="long-goal",
        ),
        pytest.param(
            {"tasks": ()}, "The plan has no tasks. plan.add(...) adds one.", id="no-tasks"
        ),
        pytest.param(
            {"result": "fecth"},
            "The plan's result is to be 'fecth', which is not one of its tasks. "
            "Did you mean 'fetch'?",
            id="unknown-result",
        ),
        pytest.param(
            {"priority": 101},
            "The plan's priority is 101. Choose one from 0 to 100, high first.",
            id="priority-above",
        ),
        pytest.param(
            {"priority": -1},
            "The plan's priority is -1. Choose one from 0 to 100, high first.",
            id="priority-below",
        ),
        pytest.param(
            {"concurrency": 0},
            "The plan's concurrency is 0. At least 1 task must run at once.",
            id="no-concurrency",
        ),
        pytest.param(
            {"agent_concurrency": 0},
            "The plan's agent_concurrency is 0. At least 1 task of an agent must run at once; "
            "None sets no limit.",
            id="no-agent-concurrency",
        ),
        pytest.param(
            {"deadline_s": 0},
            "The plan's deadline is 0 s. Give the seconds it may take, more than 0, or None.",
            id="no-time",
        ),
        pytest.param(
            {"budget": -0.5},
            "The plan's budget is -0.5. Give dollars, 0 or more, or None.",
            id="negative-budget",
        ),
        pytest.param(
            {"inputs": {"my df": "d"}},
            "The plan's input 'my df' cannot arrive as a keyword argument. "
            "Use letters, digits and underscores.",
            id="input-that-is-no-keyword",
        ),
        pytest.param(
            {"params": {"a": object}},
            "The plan's parameters cannot be kept as JSON: "
            "Type is not JSON serializable: type.",
            id="odd-parameter",
        ),
    ],
)
def test_problem_of_plan_is_said(fields: dict[str, Any], problem: str) -> None:
    assert problems(plan(**fields)) == (problem,)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        pytest.param(
            {"name": "  "},
            "A task has no name. Give it one that says what it does.",
            id="no-name",
        ),
        pytest.param(
            {"name": "n" * 201},
            f"The name of task '{'n' * 40}…' has 201 characters; 200 is the most. "
            "Put the rest into its goal.",
            id="long-name",
        ),
        pytest.param(
            {"name": "fe\x1btch"},
            "The name of task 'fe\\x1btch' contains '\\x1b', which cannot be seen. "
            "Leave it out.",
            id="control-character",
        ),
        pytest.param(
            {"name": "hcte\u202ef"},
            "The name of task 'hcte\\u202ef' contains '\\u202e', which cannot be seen. "
            "Leave it out.",
            id="reversing-mark",
        ),
        pytest.param(
            {"name": "load/rows"},
            "The name of task 'load/rows' contains '/', which separates mission and task "
            "(m-7/clean). Use '-' instead.",
            id="slash",
        ),
        pytest.param(
            {"name": "fetch "},
            "The name of task 'fetch ' begins or ends with white space.",
            id="white-space",
        ),
        pytest.param(
            {"timeout_s": -1},
            "Task 'fetch' has a timeout of -1 s. "
            "Give the seconds one attempt may take, more than 0.",
            id="negative-timeout",
        ),
        pytest.param(
            {"timeout_s": math.inf},
            "Task 'fetch' has a timeout of inf s. "
            "Give the seconds one attempt may take, more than 0.",
            id="endless-timeout",
        ),
        pytest.param(
            {"timeout_s": math.nan},
            "Task 'fetch' has a timeout of nan s. "
            "Give the seconds one attempt may take, more than 0.",
            id="timeout-that-is-no-number",
        ),
        pytest.param(
            {"attempts": 0},
            "Task 'fetch' has 0 attempts. It needs at least 1.",
            id="no-attempt",
        ),
        pytest.param(
            {"backoff_s": -2},
            "Task 'fetch' has a backoff of -2 s. Give 0 or more.",
            id="negative-backoff",
        ),
        pytest.param(
            {"cap_cost": -1},
            "Task 'fetch' has a cap on cost of -1. Give 0 or more.",
            id="negative-cost",
        ),
        pytest.param(
            {"estimate_s": -1},
            "Task 'fetch' has an estimate of -1 s. Give 0 or more.",
            id="negative-estimate",
        ),
        pytest.param(
            {"goal": "x" * (MAX_GOAL + 1)},
            "The goal of task 'fetch' has 100,001 characters; 100,000 is the most. "
            "Hand over long text as an input.",
            id="long-goal",
        ),
        pytest.param(
            {"needs": ("fetch",)},
            "Task 'fetch' needs itself. Remove it from its own needs.",
            id="needs-itself",
        ),
        pytest.param(
            {"needs": ("fech",)},
            "Task 'fetch' needs 'fech', which the plan does not have.",
            id="never-itself",
        ),
        pytest.param(
            {"needs": ("zzz",)},
            "Task 'fetch' needs 'zzz', which the plan does not have.",
            id="nothing-known",
        ),
        pytest.param(
            {"agent": "qa-enginer"},
            "Task 'fetch' is for 'qa-enginer', which is not an agent here. "
            "Did you mean 'qa-engineer'?",
            id="unknown-agent",
        ),
        pytest.param(
            {"work": AgentWork(tools=("scan",))},
            "Task 'fetch' has nobody to do it. Name an agent or give a function.",
            id="nobody",
        ),
        pytest.param(
            {"agent": "qa-engineer", "work": AgentWork(tools=("ruf",))},
            "Task 'fetch' uses 'ruf', which is not a tool here. Did you mean 'ruff'?",
            id="unknown-tool",
        ),
        pytest.param(
            {"agent": "qa-engineer", "work": AgentWork(tools=("scan",), params={"scam": {}})},
            "Task 'fetch' has arguments for 'scam', which is not among its tools. "
            "Did you mean 'scan'?",
            id="arguments-of-no-tool",
        ),
        pytest.param(
            {
                "agent": "qa-engineer",
                "work": AgentWork(tools=("scan",), params={"scan": {"a": {1}}}),
            },
            "The arguments of task 'fetch' cannot be JSON: Type is not JSON serializable: set.",
            id="odd-arguments",
        ),
    ],
)
def test_problem_of_task_is_said(fields: dict[str, Any], problem: str) -> None:
    spec = plan(TaskSpec.model_validate({"name": "fetch", "work": PYTHON} | fields))
    assert problems(spec, agents=["qa-engineer"], tools=["ruff", "scan"]) == (problem,)


def test_agents_and_tools_are_checked_only_if_known() -> None:
    check_plan(plan(task(agent="anyone", work=AgentWork(tools=("anything",)))))


@pytest.mark.parametrize(
    ("need", "hint"), [("fech", "Did you mean 'fetch'?"), ("zzz", "Known: 'fetch', 'rank'.")]
)
def test_need_is_never_guessed_to_be_the_task_itself(need: str, hint: str) -> None:
    found = problems(plan(task("fetch"), task("rank"), task("fetches", needs=(need,))))
    assert found == (f"Task 'fetches' needs {need!r}, which the plan does not have. {hint}",)


def test_second_task_of_a_name_is_said() -> None:
    assert problems(plan(task("a"), task("b"), task("a"))) == (
        "Task 'a' is there twice. Give one of them another name.",
    )


@pytest.mark.parametrize(
    ("needs", "inputs", "problem"),
    [
        pytest.param(
            ("load-rows", "load_rows"),
            {},
            "Task 'sum' would get the output of 'load-rows' and the output of 'load_rows' both "
            "as 'load_rows'. Rename one.",
            id="two-needs",
        ),
        pytest.param(
            ("load-rows",),
            {"load_rows": "d"},
            "Task 'sum' would get the input 'load_rows' and the output of 'load-rows' both as "
            "'load_rows'. Rename one.",
            id="need-and-input",
        ),
    ],
)
def test_two_things_cannot_share_keyword(
    needs: tuple[str, ...], inputs: dict[str, str], problem: str
) -> None:
    spec = plan(task("load-rows"), task("load_rows"), task("sum", needs=needs), inputs=inputs)
    assert problems(spec) == (problem,)


def test_shared_keyword_that_nobody_takes_is_fine() -> None:
    blind = PYTHON.model_copy(update={"takes": ()})
    check_plan(plan(task("a-b"), task("a_b"), task("c", needs=("a-b", "a_b"), work=blind)))


@pytest.mark.parametrize(
    "second",
    [
        pytest.param("FETCH", id="case"),
        pytest.param("fetch\ufe0f", id="variation"),
        pytest.param("fe\u200dtch", id="joiner"),
        pytest.param("\uff46etch", id="width"),
    ],
)
def test_names_that_look_the_same_are_refused(second: str) -> None:
    (said,) = problems(plan(task("fetch"), task(second)))
    assert "can hardly be told from task 'fetch'. Give one of them another name." in said


@pytest.mark.parametrize("mark", [pytest.param(each, id=ascii(each)) for each in UNSEEN])
def test_marks_that_are_not_seen_are_no_part_of_a_name(mark: str) -> None:
    (said,) = problems(plan(task(f"fetch{mark}x")))
    assert "which cannot be seen. Leave it out" in said


@pytest.mark.parametrize("name", ["t1", "t2", "T07", "\uff54\uff11"])
def test_no_task_is_called_like_a_number(name: str) -> None:
    (said,) = problems(plan(task("harmless"), task(name)))
    assert "is called as tasks are numbered (t1, t2 ...). Call it 'task-" in said


def test_what_was_approved_is_not_refused_for_its_looks() -> None:
    check_plan(plan(task("t1"), task("T1"), task("t3")), is_approved=True)


def test_all_problems_are_collected_in_order() -> None:
    found = problems(
        plan(task("a", needs=("zzz",), attempts=0), task("b", needs=("b",)), goal="")
    )
    assert [problem.split(".")[0] for problem in found] == [
        "The plan has no goal",
        "Task 'a' has 0 attempts",
        "Task 'a' needs 'zzz', which the plan does not have",
        "Task 'b' needs itself",
    ]


def test_circle_is_named_with_full_route() -> None:
    spec = plan(
        task("start"),
        task("clean", needs=("start", "train")),
        task("split", needs=("clean",)),
        task("train", needs=("split",)),
        task("report", needs=("train",)),
    )
    with pytest.raises(CyclicPlanError) as caught:
        check_plan(spec)
    assert caught.value.cycle == ("clean", "split", "train")
    assert str(caught.value) == (
        "The plan can never finish: clean -> split -> train -> clean. "
        "Remove 'train' from the needs of 'clean', or split one of them."
    )


def test_circle_comes_last_among_other_problems() -> None:
    found = problems(plan(task("a", needs=("b",)), task("b", needs=("a",)), priority=500))
    assert [problem.partition(":")[0].partition(" is")[0] for problem in found] == [
        "The plan's priority",
        "The plan can never finish",
    ]


def test_long_circle_is_found_without_recursion() -> None:
    last = 19_999
    chain = [task(f"task{n}", needs=(f"task{n - 1}",)) for n in range(1, last + 1)]
    with pytest.raises(CyclicPlanError) as caught:
        check_plan(plan(task("task0", needs=(f"task{last}",)), *chain))
    assert len(caught.value.cycle) == last + 1
    assert len(str(caught.value)) < 500


def test_long_chain_is_accepted() -> None:
    rest = (task(f"task{n}", needs=(f"task{n - 1}",)) for n in range(1, 20_000))
    check_plan(plan(task("task0"), *rest))


def test_near_misses_are_found_in_large_plan() -> None:
    many = [task(f"task-{number}") for number in range(6_000)]
    (problem,) = problems(plan(*many, task("last", needs=("task_17",))))
    assert "Did you mean 'task-17'" in problem


def test_too_many_tasks_are_refused() -> None:
    one = task("t")
    spec = plan().model_copy(update={"tasks": (one,) * (MAX_TASKS + 1)})
    (problem,) = problems(spec)
    assert problem == (
        "The plan has 200,001 tasks; 200,000 is the most. "
        "Let each task do more, or split the plan."
    )


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        (("a", "b", "a"), "shares something twice"),
        (("",), "no name for it"),
        (("two words",), "no name for it"),
        (("x" * 201,), "no name for it"),
        (("\u202ecba",), "no name for it"),
        (("\ta",), "no name for it"),
    ],
)
def test_resources_have_names_that_can_be_read(resources: tuple[str, ...], said: str) -> None:
    task = TaskSpec(name="a", work=AgentWork(), agent="qa-engineer", resources=resources)
    with pytest.raises(PlanProblemsError, match=said):
        check_plan(PlanSpec(goal="g", tasks=(task,)))


def test_cap_above_the_budget_can_never_start() -> None:
    plan = PlanSpec(goal="g", budget=1.0, tasks=(TaskSpec(name="fetch", work=AgentWork()),))
    dear = plan.tasks[0].model_copy(update={"agent": "qa-engineer", "cap_cost": 2.0})
    with pytest.raises(PlanProblemsError) as raised:
        check_plan(plan.model_copy(update={"tasks": (dear,)}))
    assert (
        "Task 'fetch' may cost up to $2.00, more than the plan's budget of $1.00. "
        "Raise the budget, or lower the cap."
    ) in str(raised.value)


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        (plan(goal=""), ("", "goal", None)),
        (plan(priority=400), ("", "priority", 100)),
        (plan(concurrency=0), ("", "concurrency", 1)),
        (plan(task(), result="fecth"), ("", "result", "fetch")),
        (plan(task(), result="nothing-like-it"), ("", "result", "")),
        (plan(task(" a ")), (" a ", "name", "a")),
        (plan(task("a/b")), ("a/b", "name", "a-b")),
        (plan(task(attempts=0)), ("fetch", "attempts", 1)),
        (plan(task(timeout_s=-1)), ("fetch", "timeout_s", 600.0)),
        (plan(task(), task("b", needs=("fecth",))), ("b", "needs", ["fetch"])),
        (plan(task(needs=("fetch",))), ("fetch", "needs", [])),
        (plan(task(resources=("a", "a"))), ("fetch", "resources", ["a"])),
        (plan(task(cap_cost=2), budget=1), ("fetch", "cap_cost", 1.0)),
    ],
)
def test_each_problem_has_its_place(spec: PlanSpec, place: tuple[str, str, Any]) -> None:
    (problem,) = plan_problems(spec)
    assert (problem.task, problem.field, problem.instead) == place


@pytest.mark.parametrize(
    "spec", [plan(priority=400), plan(task(), result="fecth"), plan(task(needs=("fetch",)))]
)
def test_what_is_proposed_instead_is_right(spec: PlanSpec) -> None:
    (problem,) = plan_problems(spec)
    change = {problem.field: problem.instead}
    if problem.task:
        better = spec.tasks[0].model_copy(update=change)
        check_plan(spec.model_copy(update={"tasks": (better,)}))
    else:
        check_plan(spec.model_copy(update=change))


def test_circle_is_placed_at_its_first_task() -> None:
    spec = plan(task("a", needs=("b", "c")), task("b", needs=("a",)), task("c"))
    (problem,) = plan_problems(spec)
    assert (problem.task, problem.field, problem.instead) == ("a", "needs", ["c"])
    assert problem.route == ("a", "b")
