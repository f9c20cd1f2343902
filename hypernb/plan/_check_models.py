"""What keeps the tasks of agents with a model from being carried out."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from hypernb.errors import PlanProblem, limit_words, nearest
from hypernb.model import KERNEL_LANE, AgentWork
from hypernb.plan._json_schema import schema_refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hypernb.model import ModelSpec, PlanSpec, TaskSpec

_SHOWN: Final = 200


def price_problems(spec: PlanSpec) -> Iterator[PlanProblem]:
    """Yield why a budget could not be held: nobody knows what a model costs."""
    # What is replayed costs nothing, whatever it did.
    if spec.budget is None or spec.is_replayed:
        return
    works = [task.work for task in spec.tasks if isinstance(task.work, AgentWork)]
    for name in sorted({work.model for work in works if work.model in spec.models}):
        if spec.models[name].price is None:
            yield price_problem(spec.budget, name, spec.models[name])


def price_problem(
    budget: float, name: str, model: ModelSpec, priced: Collection[str] = ()
) -> PlanProblem:
    """Return why a budget cannot be held with a model whose price nobody knows.

    Args:
        budget: In dollars.
        name: What the plan calls the model.
        model: The model.
        priced: Names of models of its server whose prices are known: one may be meant.
    """
    profile, colon, _ = name.partition(":")
    near = difflib.get_close_matches(model.name, priced, n=1)
    whole = f"{profile}:{near[0]}" if near and colon else "".join(near)
    meant = f" Did you mean {whole!r}?" if near else ""
    said = (
        f"The plan's budget of {limit_words(budget)} cannot be held: nobody knows what "
        f"{model.name} at {model.host} costs.{meant} Write its price into your config.toml, "
        f'below [profiles.{profile if colon else "openai"}.prices."{model.name}"]: input and '
        "output, dollars for a million tokens. Or leave out the budget."
    )
    return PlanProblem(said, "", "budget")


def model_problems(
    spec: PlanSpec,
    task: TaskSpec,
    work: AgentWork,
    *,
    model_tools: Collection[str],
    is_whole: bool,
) -> Iterator[PlanProblem]:
    """Yield what is wrong with the model of a task, its tools and its output.

    Args:
        model_tools: Names of the tools that only a model calls.
        is_whole: The plan has its models already; they are looked up when it is stored.
    """
    if work.model and work.model not in spec.models and is_whole:
        said = (
            f"Task {task.name!r} is for the model {work.model[:_SHOWN]!r}, which the plan does "
            f"not name. {nearest(work.model[:_SHOWN], spec.models)}"
        ).strip()
        yield PlanProblem(said, task.name, "model")
    elif work.tools and work.model in spec.models and not spec.models[work.model].tools:
        said = (
            f"Task {task.name!r} gives tools to {spec.models[work.model].name}, which cannot "
            "call any. Take another model, or leave the tools out."
        )
        yield PlanProblem(said, task.name, "tools", [])
    if not (work.model or work.function):
        for name in work.tools:
            if name in model_tools or name in work.lanes:
                said = (
                    f"Task {task.name!r} uses {name[:_SHOWN]!r}, which only a model calls, and "
                    "it has none. Give it a model, or leave the tool out."
                )
                rest = [each for each in work.tools if each != name]
                yield PlanProblem(said, task.name, "tools", rest)
    yield from _named_alike(spec, task, work)
    yield from _lane_problems(task, work)
    yield from _answer_problems(task, work)


def _named_alike(spec: PlanSpec, task: TaskSpec, work: AgentWork) -> Iterator[PlanProblem]:
    """Yield where an output would stand in the place of a variable that was approved."""
    if not (work.model or work.function):
        return
    for need in dict.fromkeys(task.needs):
        if need in work.variables and need in spec.inputs:
            said = (
                f"Task {task.name!r} would see the variable {need[:_SHOWN]!r} and the output "
                f"of the task {need[:_SHOWN]!r} under one name. Give the task another name, or "
                "the variable."
            )
            yield PlanProblem(said, task.name, "needs")


def _lane_problems(task: TaskSpec, work: AgentWork) -> Iterator[PlanProblem]:
    for name, lane in work.lanes.items():
        if name not in work.tools:
            said = f"Task {task.name!r} says where {name[:_SHOWN]!r} runs, and does not use it."
            yield PlanProblem(said, task.name, "lanes")
        elif not lane.startswith(KERNEL_LANE) or lane == KERNEL_LANE:
            said = (
                f"Task {task.name!r} has {name[:_SHOWN]!r} run in {lane[:_SHOWN]!r}, which is "
                f"no lane. Kernels are named {KERNEL_LANE}<id>."
            )
            yield PlanProblem(said, task.name, "lanes")


def _answer_problems(task: TaskSpec, work: AgentWork) -> Iterator[PlanProblem]:
    if not work.answer:
        return
    if work.returns not in ("json", "table"):
        said = (
            f"Task {task.name!r} has a schema for its output, and returns {work.returns}. "
            "Let it return json or table, or leave the schema out."
        )
        yield PlanProblem(said, task.name, "answer", {})
        return
    if refusal := schema_refusal(work.answer):
        said = (
            f"The schema of the output of task {task.name!r} is none: {refusal[:300]}. "
            "Give a JSON schema."
        )
        yield PlanProblem(said, task.name, "answer")
