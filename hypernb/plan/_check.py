"""Whether a plan can be carried out, and if not, all the reasons at once."""

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING, Final

import orjson

from hypernb.errors import CyclicPlanError, PlanProblemsError, dollars, nearest
from hypernb.model import AgentWork, PythonWork
from hypernb.plan._graph import children_of, cycle_in, order_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hypernb.model import PlanSpec, TaskSpec

MAX_TASKS: Final = 200_000
MAX_NAME: Final = 200
MAX_GOAL: Final = 100_000

_MAX_PRIORITY: Final = 100
_SEARCHED_AT_MOST: Final = 5_000
# Control characters, line separators, and the marks that reverse the order of what follows.
_ODD: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


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
) -> None:
    """Make sure that a plan can be carried out.

    Args:
        spec: The plan.
        agents: Names of the agents there are; None if that is not to be checked.
        tools: Names of the tools there are; None if that is not to be checked.

    Raises:
        PlanProblemsError: Something in it has no meaning. All problems are collected, those of
            the plan first, then those of its tasks in plan order.
        CyclicPlanError: Tasks wait for each other in a circle, and that is all that is wrong.
    """
    if len(spec.tasks) > MAX_TASKS:
        too_many = (
            f"The plan has {len(spec.tasks):,} tasks; {MAX_TASKS:,} is the most. "
            "Let each task do more, or split the plan."
        )
        raise PlanProblemsError([too_many])  # looking at each of them would take too long
    first = _first_of_each(spec)
    problems = [*_plan_problems(spec, first)]
    for number, task in enumerate(spec.tasks):
        if first[task.name] != number:
            problems.append(f"{_the_task(task)} is there twice. Give one of them another name.")
        problems += _name_problems(task)
        problems += _limit_problems(task, spec.budget)
        problems += _resource_problems(task)
        problems += _need_problems(spec, task, first)
        problems += _work_problems(task, agents, tools)
    cycle = _cycle(spec, first)
    if not problems and cycle:
        raise CyclicPlanError(cycle)
    if cycle:
        problems.append(str(CyclicPlanError(cycle)))
    if problems:
        raise PlanProblemsError(problems)


def _first_of_each(spec: PlanSpec) -> dict[str, int]:
    first: dict[str, int] = {}
    for number, task in enumerate(spec.tasks):
        first.setdefault(task.name, number)
    return first


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


def _plan_problems(spec: PlanSpec, first: Mapping[str, int]) -> Iterator[str]:
    if not spec.goal.strip():
        yield "The plan has no goal. Say in a sentence what it is for."
    elif len(spec.goal) > MAX_GOAL:
        yield (
            f"The plan's goal has {len(spec.goal):,} characters; {MAX_GOAL:,} is the most. "
            "Hand over long text as an input."
        )
    if not spec.tasks:
        yield "The plan has no tasks. plan.add(...) adds one."
    if spec.result and spec.result not in first:
        yield (
            f"The plan's result is to be {spec.result[:MAX_NAME]!r}, which is not one of its "
            f"tasks. {_suggestion(spec.result, first)}"
        ).strip()
    yield from _plan_limits(spec)
    for name in spec.inputs:
        if not name.isidentifier():
            yield (
                f"The plan's input {name[:MAX_NAME]!r} cannot arrive as a keyword argument. "
                "Use letters, digits and underscores."
            )
    if _json_refusal(spec.params):
        yield f"The plan's parameters cannot be kept as JSON: {_json_refusal(spec.params)}."


def _plan_limits(spec: PlanSpec) -> Iterator[str]:
    if not 0 <= spec.priority <= _MAX_PRIORITY:
        yield f"The plan's priority is {spec.priority}. Choose one from 0 to 100, high first."
    if spec.concurrency < 1:
        yield f"The plan's concurrency is {spec.concurrency}. At least 1 task must run at once."
    if spec.agent_concurrency is not None and spec.agent_concurrency < 1:
        yield (
            f"The plan's agent_concurrency is {spec.agent_concurrency}. "
            "At least 1 task of an agent must run at once; None sets no limit."
        )
    if spec.deadline_s is not None and not _above_zero(spec.deadline_s):
        yield (
            f"The plan's deadline is {spec.deadline_s:g} s. "
            "Give the seconds it may take, more than 0, or None."
        )
    if spec.budget is not None and not _zero_or_more(spec.budget):
        yield f"The plan's budget is {spec.budget:g}. Give dollars, 0 or more, or None."


def _name_problems(task: TaskSpec) -> Iterator[str]:
    name = task.name
    if not name.strip():
        yield "A task has no name. Give it one that says what it does."
    elif len(name) > MAX_NAME:
        yield (
            f"The name of task {name[:40] + '…'!r} has {len(name):,} characters; "
            f"{MAX_NAME} is the most. Put the rest into its goal."
        )
    elif odd := _ODD.search(name):
        yield (
            f"The name of {_the_task(task, lower=True)} contains {odd[0]!r}, which cannot be "
            "seen. Leave it out."
        )
    elif "/" in name:
        yield (
            f"The name of {_the_task(task, lower=True)} contains '/', which separates mission "
            "and task (m-7/clean). Use '-' instead."
        )
    elif name != name.strip():
        yield f"The name of {_the_task(task, lower=True)} begins or ends with white space."


def _limit_problems(task: TaskSpec, budget: float | None) -> Iterator[str]:
    if not _above_zero(task.timeout_s):
        yield (
            f"{_the_task(task)} has a timeout of {task.timeout_s:g} s. "
            "Give the seconds one attempt may take, more than 0."
        )
    if task.attempts < 1:
        yield f"{_the_task(task)} has {task.attempts} attempts. It needs at least 1."
    if not _zero_or_more(task.backoff_s):
        yield f"{_the_task(task)} has a backoff of {task.backoff_s:g} s. Give 0 or more."
    if task.cap_cost is not None and not _zero_or_more(task.cap_cost):
        yield f"{_the_task(task)} has a cap on cost of {task.cap_cost:g}. Give 0 or more."
    elif task.cap_cost is not None and budget is not None and task.cap_cost > budget:
        yield (
            f"{_the_task(task)} may cost up to {dollars(task.cap_cost)}, more than the plan's "
            f"budget of {dollars(budget)}. Raise the budget, or lower the cap."
        )
    if task.estimate_s is not None and not _zero_or_more(task.estimate_s):
        yield f"{_the_task(task)} has an estimate of {task.estimate_s:g} s. Give 0 or more."
    if len(task.goal) > MAX_GOAL:
        yield (
            f"The goal of {_the_task(task, lower=True)} has {len(task.goal):,} characters; "
            f"{MAX_GOAL:,} is the most. Hand over long text as an input."
        )


def _resource_problems(task: TaskSpec) -> Iterator[str]:
    if len(set(task.resources)) < len(task.resources):
        yield f"{_the_task(task)} shares something twice. Name it once."
    for name in task.resources:
        if not is_resource_name(name):
            yield (
                f"{_the_task(task)} shares {name[:MAX_NAME]!r}, which is no name for it. "
                f"Use 1 to {MAX_NAME} characters that can be seen, without white space."
            )


def is_resource_name(name: str) -> bool:
    """Tell whether a resource can be called so.

    Example:
        >>> is_resource_name("openai:gpt-6"), is_resource_name("two words")
        (True, False)
    """
    is_seen = not _ODD.search(name) and not re.search(r"\s|[\ud800-\udfff]", name)
    return 0 < len(name) <= MAX_NAME and is_seen


def _need_problems(spec: PlanSpec, task: TaskSpec, first: Mapping[str, int]) -> Iterator[str]:
    for need in dict.fromkeys(task.needs):
        if need == task.name:
            yield f"{_the_task(task)} needs itself. Remove it from its own needs."
        elif need not in first:
            yield (
                f"{_the_task(task)} needs {need[:MAX_NAME]!r}, which the plan does not have. "
                f"{_suggestion(need, first)}"
            ).strip()
    if isinstance(task.work, PythonWork):
        yield from _keyword_problems(spec, task, task.work)


def _keyword_problems(spec: PlanSpec, task: TaskSpec, work: PythonWork) -> Iterator[str]:
    arriving: dict[str, str] = {name: f"the input {name!r}" for name in spec.inputs}
    for need in dict.fromkeys(task.needs):
        keyword = keyword_name(need)
        taken = work.takes is None or keyword in work.takes
        if taken and keyword in arriving:
            yield (
                f"{_the_task(task)} would get {arriving[keyword]} and the output of {need!r} "
                f"both as {keyword!r}. Rename one."
            )
        arriving[keyword] = f"the output of {need!r}"


def _work_problems(
    task: TaskSpec, agents: Collection[str] | None, tools: Collection[str] | None
) -> Iterator[str]:
    if agents is not None and task.agent and task.agent not in agents:
        yield (
            f"{_the_task(task)} is for {task.agent[:MAX_NAME]!r}, which is not an agent here. "
            f"{nearest(task.agent, agents)}"
        ).strip()
    if not isinstance(task.work, AgentWork):
        return
    if not task.agent:
        yield f"{_the_task(task)} has nobody to do it. Name an agent or give a function."
    for tool in task.work.tools if tools is not None else ():
        if tools is not None and tool not in tools:
            yield (
                f"{_the_task(task)} uses {tool[:MAX_NAME]!r}, which is not a tool here. "
                f"{nearest(tool, tools)}"
            ).strip()
    for tool in task.work.params:
        if tool not in task.work.tools:
            yield (
                f"{_the_task(task)} has arguments for {tool[:MAX_NAME]!r}, which is not among "
                f"its tools. {nearest(tool, task.work.tools)}"
            ).strip()
    if refusal := _json_refusal(task.work.params):
        yield f"The arguments of {_the_task(task, lower=True)} cannot be JSON: {refusal}."


def _the_task(task: TaskSpec, *, lower: bool = False) -> str:
    return f"{'task' if lower else 'Task'} {task.name[:MAX_NAME]!r}"


def _suggestion(name: str, known: Collection[str]) -> str:
    """Name near misses; in a large plan only among names that begin alike, for speed."""
    if len(known) > _SEARCHED_AT_MOST:
        alike = [one for one in known if one[:2] == name[:2]]
        known = alike[:_SEARCHED_AT_MOST]
    return nearest(name[:MAX_NAME], known)


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
