"""Changing a plan before approval: pure, from one revision to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from hypernb.errors import PlanProblemsError, UnknownNameError, UnknownTaskError, UsageError
from hypernb.model import PlanSpec, TaskSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Spec = TypeVar("Spec", PlanSpec, TaskSpec)

# What a person may change; the rest is what the plan is, and changing it is a new plan.
TASK_FIELDS = frozenset(TaskSpec.model_fields) - {"name", "work"}
PLAN_FIELDS = frozenset(
    {
        "scope",
        "hosts",
        "budget",
        "concurrency",
        "agent_concurrency",
        "priority",
        "deadline_s",
        "result",
    }
)


def edited(
    plan: PlanSpec,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    drop: Collection[str] = (),
    plan_fields: Mapping[str, Any] | None = None,
) -> PlanSpec:
    """Return the plan with new values and without the dropped tasks.

    Raises:
        UnknownTaskError: No task has that name.
        UnknownNameError: No field has that name, or it cannot be changed.
        PlanProblemsError: A value is not one that the field can have.
    """
    dropped = set(task_names(plan, drop))
    wanted = dict(zip(task_names(plan, list(changes)), changes.values(), strict=True))
    tasks = [
        _with(task, wanted.get(task.name, {}), dropped)
        for task in plan.tasks
        if task.name not in dropped
    ]
    fields = _known(plan_fields or {}, PLAN_FIELDS, "field of a plan")
    return _valid(PlanSpec, {**plan.model_dump(), **fields, "tasks": tasks}, "The plan")


def keep_only(plan: PlanSpec, tasks: Collection[str]) -> PlanSpec:
    """Return the plan with these tasks and all that they need, and no others.

    Raises:
        UnknownTaskError: No task has that name.
        UsageError: No task is named.
    """
    if not tasks:
        raise UsageError("A part of a plan needs at least one task.", hint="Name it: t3.")
    needs = {task.name: task.needs for task in plan.tasks}
    kept: set[str] = set()
    waiting = list(task_names(plan, tasks))
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept.add(name)
            waiting.extend(needs[name])
    rest = tuple(task for task in plan.tasks if task.name in kept)
    result = plan.result if plan.result in kept else ""
    return plan.model_copy(update={"tasks": rest, "result": result})


def _with(task: TaskSpec, changes: Mapping[str, Any], dropped: set[str]) -> TaskSpec:
    known = _known(changes, TASK_FIELDS, "field of a task")
    needs = known.get("needs", [need for need in task.needs if need not in dropped])
    return _valid(
        TaskSpec, {**task.model_dump(), **known, "needs": needs}, f"Task {task.name!r}"
    )


def _known(changes: Mapping[str, Any], known: frozenset[str], kind: str) -> dict[str, Any]:
    for name in changes:
        if name not in known:
            raise UnknownNameError(kind, name, known)
    return dict(changes)


def _valid(kind: type[Spec], values: Mapping[str, Any], where: str) -> Spec:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems = [
            f"{where} cannot have {'.'.join(map(str, each['loc']))} "
            f"{each['input']!r}: {each['msg'][:1].lower()}{each['msg'][1:]}."
            for each in error.errors()
        ]
        raise PlanProblemsError(problems) from None


def task_names(plan: PlanSpec, refs: Collection[str]) -> list[str]:
    """Turn ``t3`` or names into names.

    Raises:
        UsageError: A reference is empty.
        UnknownTaskError: The plan has no such task.
    """
    names = [task.name for task in plan.tasks]
    by_ref = {f"t{number}": name for number, name in enumerate(names, start=1)}
    found = []
    for ref in refs:
        if not ref:
            raise UsageError("A task cannot be named by nothing.", hint="Write t3 or its name.")
        if ref not in names and ref not in by_ref:
            raise UnknownTaskError(ref, names)
        found.append(ref if ref in names else by_ref[ref])
    return found
