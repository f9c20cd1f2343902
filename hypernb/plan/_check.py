"""Whether a plan can be carried out, and if not, all the reasons at once."""

from __future__ import annotations

import difflib
import functools
import math
import re
from typing import TYPE_CHECKING, Final

import orjson

from hypernb.errors import (
    CyclicPlanError,
    PlanProblem,
    PlanProblemsError,
    nearest,
    told_apart,
)
from hypernb.model import (
    DEFAULT_TIMEOUT_S,
    HIDDEN,
    AgentWork,
    PythonWork,
    is_like_a_number,
    look_of,
)
from hypernb.plan._check_models import model_problems, price_problems
from hypernb.plan._graph import children_of, cycle_in, order_of

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping

    from hypernb.model import PlanSpec, TaskSpec

MAX_TASKS: Final = 200_000
MAX_NAME: Final = 200
MAX_GOAL: Final = 100_000

_MAX_PRIORITY: Final = 100
_SEARCHED_AT_MOST: Final = 5_000
# Control characters, line separators, and marks that hide text or reverse its order.
_ODD: Final = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029{HIDDEN}]")


@functools.lru_cache(maxsize=10_000)
def keyword_name(name: str) -> str:
    """Return the keyword under which a task's output arrives at the functions that need it.

    Example:
        >>> keyword_name("load-rows")
        'load_rows'
    """
    return re.sub(r"\W", "_", name)


def check_plan(
    spec: PlanSpec,
    *,
    agents: Collection[str] | None = None,
    tools: Collection[str] | None = None,
    model_tools: Collection[str] = (),
    is_approved: bool = False,
) -> None:
    """Make sure that a plan can be carried out.

    Args:
        spec: The plan.
        agents: Names of the agents there are; None if that is not to be checked.
        tools: Names of the tools there are; None if that is not to be checked.
        model_tools: Names of those that only a model calls.
        is_approved: A person has approved it: whether its names can be told apart by one no
            longer matters.

    Raises:
        PlanProblemsError: Something in it has no meaning. All problems are collected, those of
            the plan first, then those of its tasks in plan order.
        CyclicPlanError: Tasks wait for each other in a circle, and that is all that is wrong.
    """
    problems = plan_problems(
        spec, agents=agents, tools=tools, model_tools=model_tools, is_approved=is_approved
    )
    if len(problems) == 1 and problems[0].route:
        raise CyclicPlanError(problems[0].route)
    if problems:
        raise PlanProblemsError(problems)


def plan_problems(
    spec: PlanSpec,
    *,
    agents: Collection[str] | None = None,
    tools: Collection[str] | None = None,
    model_tools: Collection[str] = (),
    is_approved: bool = False,
) -> list[PlanProblem]:
    """Return what keeps a plan from being carried out, each with its place.

    Arguments and order as for `check_plan`; a circle comes last.

    Example:
        >>> from hypernb.plan import Plan
        >>> spec, _ = Plan("demo").add("fetch", dict).build()
        >>> wrong = spec.model_copy(update={"result": "fecth"})
        >>> [(each.task, each.field, each.instead) for each in plan_problems(wrong)]
        [('', 'result', 'fetch')]
    """
    if len(spec.tasks) > MAX_TASKS:
        too_many = (
            f"The plan has {len(spec.tasks):,} tasks; {MAX_TASKS:,} is the most. "
            "Let each task do more, or split the plan."
        )
        return [PlanProblem(too_many)]  # looking at each of them would take too long
    first = _first_of_each(spec)
    looks: dict[str, str] = {}
    problems = [*_plan_problems(spec, first), *price_problems(spec)]
    for number, task in enumerate(spec.tasks):
        if first[task.name] != number:
            said = f"{_the_task(task)} is there twice. Give one of them another name."
            problems.append(PlanProblem(said, task.name, "name"))
        problems += _name_problems(task)
        if not is_approved:
            problems += _look_problems(task, looks, first)
        problems += _limit_problems(task, spec.budget)
        problems += _resource_problems(task)
        problems += _need_problems(spec, task, first)
        problems += _work_problems(task, agents, tools, spec.inputs)
        if isinstance(task.work, AgentWork):
            is_whole = agents is not None
            problems += model_problems(
                spec, task, task.work, model_tools=model_tools, is_whole=is_whole
            )
    return [*problems, *_circle(spec, first)]


def _first_of_each(spec: PlanSpec) -> dict[str, int]:
    first: dict[str, int] = {}
    for number, task in enumerate(spec.tasks):
        first.setdefault(task.name, number)
    return first


def _circle(spec: PlanSpec, first: Mapping[str, int]) -> Iterator[PlanProblem]:
    route = _cycle(spec, first)
    if route:
        needs = spec.tasks[first[route[0]]].needs
        open_again = [need for need in needs if need != route[-1]]
        said = str(CyclicPlanError(route))
        yield PlanProblem(said, route[0], "needs", open_again, tuple(route))


def _cycle(spec: PlanSpec, first: Mapping[str, int]) -> list[str]:
    """Return the names along a circle of two or more tasks; empty if there is none."""
    needs = [
        [first[n] for n in dict.fromkeys(task.needs) if n in first and first[n] != number]
        for number, task in enumerate(spec.tasks)
    ]
    order = order_of(needs, children_of(needs))
    if len(order) == len(needs):
        return []
    return [spec.tasks[number].name for number in cycle_in(needs, order)]


def _plan_problems(spec: PlanSpec, first: Mapping[str, int]) -> Iterator[PlanProblem]:
    if not spec.goal.strip():
        yield PlanProblem("The plan has no goal. Say in a sentence what it is for.", "", "goal")
    elif len(spec.goal) > MAX_GOAL:
        said = (
            f"The plan's goal has {len(spec.goal):,} characters; {MAX_GOAL:,} is the most. "
            "Hand over long text as an input."
        )
        yield PlanProblem(said, "", "goal")
    if not spec.tasks:
        yield PlanProblem("The plan has no tasks. plan.add(...) adds one.")
    if spec.result and spec.result not in first:
        said = (
            f"The plan's result is to be {spec.result[:MAX_NAME]!r}, which is not one of its "
            f"tasks. {_suggestion(spec.result, first)}"
        ).strip()
        yield PlanProblem(said, "", "result", _meant(spec.result, first) or "")
    yield from _plan_limits(spec)
    for name in spec.inputs:
        if not name.isidentifier():
            said = (
                f"The plan's input {name[:MAX_NAME]!r} cannot arrive as a keyword argument. "
                "Use letters, digits and underscores."
            )
            yield PlanProblem(said, "", "inputs")
    if _json_refusal(spec.params):
        said = f"The plan's parameters cannot be kept as JSON: {_json_refusal(spec.params)}."
        yield PlanProblem(said, "", "params")


def _plan_limits(spec: PlanSpec) -> Iterator[PlanProblem]:
    if not 0 <= spec.priority <= _MAX_PRIORITY:
        said = f"The plan's priority is {spec.priority}. Choose one from 0 to 100, high first."
        yield PlanProblem(said, "", "priority", min(max(spec.priority, 0), _MAX_PRIORITY))
    if spec.concurrency < 1:
        said = (
            f"The plan's concurrency is {spec.concurrency}. At least 1 task must run at once."
        )
        yield PlanProblem(said, "", "concurrency", 1)
    if spec.agent_concurrency is not None and spec.agent_concurrency < 1:
        said = (
            f"The plan's agent_concurrency is {spec.agent_concurrency}. "
            "At least 1 task of an agent must run at once; None sets no limit."
        )
        yield PlanProblem(said, "", "agent_concurrency", 1)
    if spec.deadline_s is not None and not _above_zero(spec.deadline_s):
        said = (
            f"The plan's deadline is {spec.deadline_s:g} s. "
            "Give the seconds it may take, more than 0, or None."
        )
        yield PlanProblem(said, "", "deadline_s")
    if spec.budget is not None and not _zero_or_more(spec.budget):
        said = f"The plan's budget is {spec.budget:g}. Give dollars, 0 or more, or None."
        yield PlanProblem(said, "", "budget")


def _name_problems(task: TaskSpec) -> Iterator[PlanProblem]:
    name = task.name
    said, instead = "", None
    if not name.strip():
        said = "A task has no name. Give it one that says what it does."
    elif len(name) > MAX_NAME:
        said = (
            f"The name of task {name[:40] + '…'!r} has {len(name):,} characters; "
            f"{MAX_NAME} is the most. Put the rest into its goal."
        )
        instead = name[:MAX_NAME].strip()
    elif odd := _ODD.search(name):
        said = (
            f"The name of {_the_task(task, lower=True)} contains {odd[0]!r}, which cannot be "
            "seen. Leave it out."
        )
        instead = _ODD.sub("", name).strip()
    elif "/" in name:
        said = (
            f"The name of {_the_task(task, lower=True)} contains '/', which separates mission "
            "and task (m-7/clean). Use '-' instead."
        )
        instead = name.replace("/", "-").strip()
    elif name != name.strip():
        said = f"The name of {_the_task(task, lower=True)} begins or ends with white space."
        instead = name.strip()
    if said:
        yield PlanProblem(said, name, "name", instead or None)


def _look_problems(
    task: TaskSpec, looks: dict[str, str], names: Container[str]
) -> Iterator[PlanProblem]:
    """Say if a person could take a task for another one, by its name or by its number."""
    look = look_of(task.name)
    before = looks.setdefault(look, task.name)
    if before != task.name:
        said = (
            f"{_the_task(task)} can hardly be told from task {before[:MAX_NAME]!r}. Give one "
            "of them another name."
        )
        yield PlanProblem(said, task.name, "name")
    elif is_like_a_number(task.name):
        instead = f"task-{look[1:]}"[:MAX_NAME]
        said = (
            f"{_the_task(task)} is called as tasks are numbered (t1, t2 ...). Call it "
            f"{instead!r}, for example."
        )
        yield PlanProblem(said, task.name, "name", None if instead in names else instead)


def _limit_problems(task: TaskSpec, budget: float | None) -> Iterator[PlanProblem]:
    if not _above_zero(task.timeout_s):
        said = (
            f"{_the_task(task)} has a timeout of {task.timeout_s:g} s. "
            "Give the seconds one attempt may take, more than 0."
        )
        yield PlanProblem(said, task.name, "timeout_s", DEFAULT_TIMEOUT_S)
    if task.attempts < 1:
        said = f"{_the_task(task)} has {task.attempts} attempts. It needs at least 1."
        yield PlanProblem(said, task.name, "attempts", 1)
    if not _zero_or_more(task.backoff_s):
        said = f"{_the_task(task)} has a backoff of {task.backoff_s:g} s. Give 0 or more."
        yield PlanProblem(said, task.name, "backoff_s", 0)
    yield from _cost_problems(task, budget)
    if task.estimate_s is not None and not _zero_or_more(task.estimate_s):
        said = f"{_the_task(task)} has an estimate of {task.estimate_s:g} s. Give 0 or more."
        yield PlanProblem(said, task.name, "estimate_s")
    if len(task.goal) > MAX_GOAL:
        said = (
            f"The goal of {_the_task(task, lower=True)} has {len(task.goal):,} characters; "
            f"{MAX_GOAL:,} is the most. Hand over long text as an input."
        )
        yield PlanProblem(said, task.name, "goal")


def _cost_problems(task: TaskSpec, budget: float | None) -> Iterator[PlanProblem]:
    cap = task.cap_cost
    if cap is not None and not _zero_or_more(cap):
        said = f"{_the_task(task)} has a cap on cost of {cap:g}. Give 0 or more."
        yield PlanProblem(said, task.name, "cap_cost", 0)
    elif cap is not None and budget is not None and cap > budget:
        most, limit = told_apart(cap, limit=budget)
        said = (
            f"{_the_task(task)} may cost up to {most}, more than the plan's "
            f"budget of {limit}. Raise the budget, or lower the cap."
        )
        yield PlanProblem(said, task.name, "cap_cost", budget if budget >= 0 else None)


def _resource_problems(task: TaskSpec) -> Iterator[PlanProblem]:
    if len(set(task.resources)) < len(task.resources):
        said = f"{_the_task(task)} shares something twice. Name it once."
        yield PlanProblem(said, task.name, "resources", list(dict.fromkeys(task.resources)))
    for name in task.resources:
        if not is_resource_name(name):
            said = (
                f"{_the_task(task)} shares {name[:MAX_NAME]!r}, which is no name for it. "
                f"Use 1 to {MAX_NAME} characters that can be seen, without white space."
            )
            rest = [each for each in task.resources if is_resource_name(each)]
            yield PlanProblem(said, task.name, "resources", rest)


def is_resource_name(name: str) -> bool:
    """Tell whether a resource can be called so.

    Example:
        >>> is_resource_name("openai:gpt-6"), is_resource_name("two words")
        (True, False)
    """
    is_seen = not _ODD.search(name) and not re.search(r"\s|[\ud800-\udfff]", name)
    return 0 < len(name) <= MAX_NAME and is_seen


def _need_problems(
    spec: PlanSpec, task: TaskSpec, first: Mapping[str, int]
) -> Iterator[PlanProblem]:
    for need in dict.fromkeys(task.needs):
        if need == task.name:
            said = f"{_the_task(task)} needs itself. Remove it from its own needs."
            yield PlanProblem(said, task.name, "needs", _instead(task.needs, need, None))
        elif need not in first:
            others = [name for name in first if name != task.name]
            said = (
                f"{_the_task(task)} needs {need[:MAX_NAME]!r}, which the plan does not have. "
                f"{_suggestion(need, others)}"
            ).strip()
            meant = _meant(need, others)
            yield PlanProblem(said, task.name, "needs", _instead(task.needs, need, meant))
    if isinstance(task.work, PythonWork):
        yield from _keyword_problems(spec, task, task.work)


def _instead(names: Iterable[str], wrong: str, right: str | None) -> list[str]:
    """Return a list of names with another one in the place of the wrong one, or without it."""
    put = (right if name == wrong else name for name in names)
    return list(dict.fromkeys(name for name in put if name is not None))


def _keyword_problems(
    spec: PlanSpec, task: TaskSpec, work: PythonWork
) -> Iterator[PlanProblem]:
    arriving: dict[str, str] = {name: f"the input {name!r}" for name in spec.inputs}
    for need in dict.fromkeys(task.needs):
        keyword = keyword_name(need)
        taken = work.takes is None or keyword in work.takes
        if taken and keyword in arriving:
            said = (
                f"{_the_task(task)} would get {arriving[keyword]} and the output of {need!r} "
                f"both as {keyword!r}. Rename one."
            )
            yield PlanProblem(said, task.name, "needs")
        arriving[keyword] = f"the output of {need!r}"


def _work_problems(
    task: TaskSpec,
    agents: Collection[str] | None,
    tools: Collection[str] | None,
    inputs: Collection[str],
) -> Iterator[PlanProblem]:
    own = isinstance(task.work, AgentWork) and task.work.function
    if agents is not None and task.agent and task.agent not in agents and not own:
        said = (
            f"{_the_task(task)} is for {task.agent[:MAX_NAME]!r}, which is not an agent here. "
            f"{nearest(task.agent, agents)}"
        ).strip()
        yield PlanProblem(said, task.name, "agent", _meant(task.agent, agents))
    if not isinstance(task.work, AgentWork):
        return
    if not task.agent:
        said = f"{_the_task(task)} has nobody to do it. Name an agent or give a function."
        yield PlanProblem(said, task.name, "agent")
    yield from _tool_problems(task, task.work, tools)
    for name in task.work.variables:
        if name not in inputs:
            said = (
                f"{_the_task(task)} may see {name[:MAX_NAME]!r}, which the plan does not hand "
                f"in. {nearest(name, inputs)}"
            ).strip()
            yield PlanProblem(said, task.name, "variables")


def _tool_problems(
    task: TaskSpec, work: AgentWork, tools: Collection[str] | None
) -> Iterator[PlanProblem]:
    for tool in work.tools if tools is not None else ():
        if tools is not None and tool not in tools and tool not in work.lanes:
            said = (
                f"{_the_task(task)} uses {tool[:MAX_NAME]!r}, which is not a tool here. "
                f"{nearest(tool, tools)}"
            ).strip()
            instead = _instead(work.tools, tool, _meant(tool, tools))
            yield PlanProblem(said, task.name, "tools", instead)
    for tool in work.params:
        if tool not in work.tools:
            said = (
                f"{_the_task(task)} has arguments for {tool[:MAX_NAME]!r}, which is not among "
                f"its tools. {nearest(tool, work.tools)}"
            ).strip()
            rest = {name: given for name, given in work.params.items() if name in work.tools}
            yield PlanProblem(said, task.name, "params", rest)
    if refusal := _json_refusal(work.params):
        said = f"The arguments of {_the_task(task, lower=True)} cannot be JSON: {refusal}."
        yield PlanProblem(said, task.name, "params")


def _the_task(task: TaskSpec, *, lower: bool = False) -> str:
    return f"{'task' if lower else 'Task'} {task.name[:MAX_NAME]!r}"


def _suggestion(name: str, known: Collection[str]) -> str:
    """Name near misses; in a large plan only among names that begin alike, for speed."""
    if len(known) > _SEARCHED_AT_MOST:
        alike = [one for one in known if one[:2] == name[:2]]
        known = alike[:_SEARCHED_AT_MOST]
    return nearest(name[:MAX_NAME], known)


def _meant(name: str, known: Collection[str]) -> str | None:
    """Return the one known name that was probably meant; None if there is none like it."""
    if len(known) > _SEARCHED_AT_MOST:
        known = [one for one in known if one[:2] == name[:2]][:_SEARCHED_AT_MOST]
    close = difflib.get_close_matches(name[:MAX_NAME], known, n=1, cutoff=0.6)
    return close[0] if close else None


def _json_refusal(params: Mapping[str, object]) -> str:
    if not params:
        return ""
    try:
        orjson.dumps(params)
    except (TypeError, RecursionError) as error:
        return str(error).rstrip(".")
    return ""


def _above_zero(number: float) -> bool:
    return 0 < number < math.inf


def _zero_or_more(number: float) -> bool:
    return 0 <= number < math.inf
