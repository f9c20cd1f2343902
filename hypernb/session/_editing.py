"""Changing a plan before approval: pure, from one revision to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from hypernb.errors import (
    PlanProblem,
    PlanProblemsError,
    UnknownNameError,
    UnknownTaskError,
    UsageError,
    nearest,
)
from hypernb.model import AgentWork, PlanSpec, TaskSpec, task_meant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from hypernb.model import ModelSpec
    from hypernb.session._session import Session

Spec = TypeVar("Spec", PlanSpec, TaskSpec)

# What a person may change; the rest is what the plan is, and changing it is a new plan.
TASK_FIELDS = frozenset(TaskSpec.model_fields) - {"name", "work"}
WORK_FIELDS = frozenset(
    {"tools", "params", "model", "prompt", "returns", "answer", "steps", "calls", "tokens"}
    | {"variables"}
)
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
    add: Sequence[Mapping[str, Any]] = (),
    plan_fields: Mapping[str, Any] | None = None,
) -> PlanSpec:
    """Return the plan with new values and tasks, and without the dropped ones.

    Raises:
        UnknownTaskError: No task has that name.
        AmbiguousTaskError: A task is called so, and another one has that number.
        UnknownNameError: No field has that name, or it cannot be changed.
        PlanProblemsError: A value is not one that the field can have.
    """
    spec, problems = drafted(plan, changes, drop=drop, add=add, plan_fields=plan_fields)
    if problems:
        raise PlanProblemsError(problems)
    return spec


def drafted(
    plan: PlanSpec,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    drop: Collection[str] = (),
    add: Sequence[Mapping[str, Any]] = (),
    plan_fields: Mapping[str, Any] | None = None,
) -> tuple[PlanSpec, list[PlanProblem]]:
    """Return the plan as it would be, and which values are none that their fields can have.

    Those values are left out: the field keeps the one it had. Whether the plan can be carried
    out is another question.

    Args:
        plan: The plan.
        changes: New values by task and field; ``tools``, ``model``, ``steps`` and so on are
            those of an agent's work.
        drop: Tasks to leave out; what needs them no longer does.
        add: Fields of new tasks, each done by an agent; they come last.
        plan_fields: New values of the plan's own fields.

    Raises:
        UnknownTaskError: No task has that name.
        AmbiguousTaskError: A task is called so, and another one has that number.
        UnknownNameError: No field has that name, or it cannot be changed.
    """
    new_names = {str(each.get("name", "")) for each in add}
    dropped = set(task_names(plan, drop))
    wanted = dict(zip(task_names(plan, list(changes)), changes.values(), strict=True))
    draft = _Draft(plan, gone=dropped - new_names)
    tasks = [
        draft.changed(task, wanted.get(task.name, {}))
        for task in plan.tasks
        if task.name not in dropped
    ]
    tasks += [draft.added(fields) for fields in add]
    own = dict(_known(plan_fields or {}, PLAN_FIELDS, "field of a plan"))
    if plan.result in draft.gone:
        own.setdefault("result", "")
    whole = {name: getattr(plan, name) for name in PlanSpec.model_fields}
    spec = draft.valid(PlanSpec, whole | {"tasks": ()}, own, "")
    spec = spec.model_copy(update={"tasks": tuple(tasks)})
    spec = _without_unasked(plan, spec, hosts="hosts" not in own)
    return spec, draft.problems


def _without_unasked(before: PlanSpec, after: PlanSpec, *, hosts: bool = True) -> PlanSpec:
    """Return a plan without the models that no task asks any more, and without their hosts."""
    left = _asked(before) - _asked(after)
    models = {name: model for name, model in after.models.items() if name not in left}
    if len(models) == len(after.models):
        return after
    still = {model.host for model in models.values()}
    still.update(host for task in after.tasks for host in task.hosts)
    gone = {after.models[name].host for name in left if name in after.models} - still
    kept = tuple(host for host in after.hosts if not hosts or host not in gone)
    return after.model_copy(update={"models": models, "hosts": kept})


def _asked(plan: PlanSpec) -> set[str]:
    return {model for task in plan.tasks if (model := _model_of(task))}


def _model_of(task: TaskSpec) -> str:
    return task.work.model if isinstance(task.work, AgentWork) else ""


def with_models(
    session: Session,
    before: PlanSpec,
    spec: PlanSpec,
    changes: Mapping[str, Mapping[str, Any]],
    add: Sequence[Mapping[str, Any]] = (),
) -> PlanSpec:
    """Return an edited plan with the models that its tasks name, and all that agents need.

    Args:
        session: Whose models and agents.
        before: The plan as it was before the edit.
        spec: The edited plan, as it is if the edit names no model.
        changes: New values by task and field.
        add: Fields of new tasks.
    """
    if not add and not any("model" in fields for fields in changes.values()):
        return spec
    # What has a model is usually given more time; these have the time that was said of them.
    timed = task_names(before, [ref for ref in changes if "timeout_s" in changes[ref]])
    own = {*timed, *(task.name for task in before.tasks if _model_of(task))}
    equipped = session.equipped(spec)
    tasks = [
        task.model_copy(update={"timeout_s": old.timeout_s}) if task.name in own else task
        for task, old in zip(equipped.tasks, spec.tasks, strict=True)
    ]
    return equipped.model_copy(update={"tasks": tuple(tasks)})


class _Draft:
    """Makes tasks and a plan of new values, and notes what is wrong with them.

    Args:
        plan: The plan as it was.
        gone: Names that nothing can need any more.
    """

    def __init__(self, plan: PlanSpec, *, gone: set[str]) -> None:
        self.gone = gone
        self.problems: list[PlanProblem] = []
        self._numbered = _numbered(plan)
        self._names = frozenset(self._numbered.values())
        self._models: Mapping[str, ModelSpec] = plan.models

    def changed(self, task: TaskSpec, changes: Mapping[str, Any]) -> TaskSpec:
        """Return a task with new values."""
        if not changes and self.gone.isdisjoint(task.needs):
            return task
        new = _known(changes, TASK_FIELDS | WORK_FIELDS, "field of a task")
        new["needs"] = (
            self._needs(new["needs"]) if "needs" in new else self._still_there(task.needs)
        )
        work = {name: new.pop(name) for name in WORK_FIELDS & set(new)}
        old = {name: getattr(task, name) for name in TaskSpec.model_fields}
        if work and isinstance(task.work, AgentWork):
            new["work"] = _work(task.work, work)
            if "model" in work and (asked := self._models.get(task.work.model)):
                # The host of the new one is added when the plan is equipped.
                new.setdefault("hosts", [each for each in task.hosts if each != asked.host])
        elif work:
            named = " or ".join(sorted(work))
            said = f"Task {task.name!r} is a Python function and uses no {named}."
            self.problems.append(PlanProblem(said, task.name, min(work)))
        made = self.valid(TaskSpec, old, new, task.name)
        return self._with_its_goal(made, task) if work or made.goal != task.goal else made

    def _with_its_goal(self, made: TaskSpec, before: TaskSpec) -> TaskSpec:
        """Return a task whose goal says what its tools do; not what somebody wants of them."""
        from hypernb.agents import retold, uses_only_tools

        if made.goal == before.goal or not (uses_only_tools(made) and uses_only_tools(before)):
            return retold(made, before)
        said = (
            f"Task {made.name!r} has no model: its goal is only its title, and its tools "
            "decide what it does. Change tools or params, leave it out, or give it a model."
        )
        self.problems.append(PlanProblem(said, made.name, "goal", before.goal))
        return retold(made.model_copy(update={"goal": before.goal}), before)

    def added(self, fields: Mapping[str, Any]) -> TaskSpec:
        """Return a new task."""
        known = TASK_FIELDS | WORK_FIELDS | {"name"}
        new = _known(fields, known, "field of a task")
        name = str(new.pop("name", ""))
        new["needs"] = self._needs(new.get("needs", ()))
        new["work"] = _work(AgentWork(), {n: new.pop(n) for n in WORK_FIELDS & set(new)})
        return self.valid(TaskSpec, {"name": name, "work": AgentWork()}, new, name)

    def valid(
        self, kind: type[Spec], old: Mapping[str, Any], new: Mapping[str, Any], name: str
    ) -> Spec:
        """Return what has the new values that it can have, and else its old ones."""
        try:
            return kind.model_validate({**old, **new})
        except ValidationError as error:
            where = "The plan" if "tasks" in old else f"Task {name!r}"
            wrong = set()
            for each in error.errors():
                field = str(each["loc"][0])
                wrong.add(field)
                self.problems.append(_problem(each, name, where, old.get(field)))
            kept = {field: value for field, value in new.items() if field not in wrong}
            return kind.model_validate({**old, **kept})

    def _needs(self, needs: Any) -> Any:
        """Name needs by their names, and leave those out that are gone."""
        if isinstance(needs, str) or not isinstance(needs, list | tuple):
            return needs  # its kind is wrong, which is said with the others
        return self._still_there(
            (task_meant(need, self._names, self._numbered) or need)
            if isinstance(need, str)
            else need
            for need in needs
        )

    def _still_there(self, needs: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(need for need in needs if need not in self.gone)


def _work(old: AgentWork, new: Mapping[str, Any]) -> dict[str, Any]:
    """Return an agent's work with new values; what belongs to tools that went goes with them.

    What nobody has said yet is left open, for the agent's card to fill in.
    """
    kept = {name: getattr(old, name) for name in old.model_fields_set}
    work = {"kind": "agent", **kept, **new}
    tools = work.get("tools")
    if "tools" in new and isinstance(tools, list | tuple):
        for field in ("params", "lanes", "schemas"):
            if field not in new:
                given = getattr(old, field)
                work[field] = {name: given[name] for name in given if name in tools}
    return work


def _problem(each: ErrorDetails, name: str, where: str, old: Any) -> PlanProblem:
    # Tools are part of the work, and so is where pydantic has found them wrong.
    place = [str(part) for part in each["loc"]]
    if place[0] == "work":
        place = [part for part in place[1:] if part != "agent"] or ["work"]
    field = place[0]
    said = (
        f"{where} cannot have {'.'.join(place)} {each['input']!r:.80}: "
        f"{each['msg'][:1].lower()}{each['msg'][1:]}."
    )
    if field in WORK_FIELDS:
        old = getattr(old, field, None)
    return PlanProblem(said, name, field, _plain(old))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def keep_only(plan: PlanSpec, tasks: Collection[str]) -> PlanSpec:
    """Return the plan with these tasks and all that they need, and no others.

    Raises:
        UnknownTaskError: No task has that name.
        AmbiguousTaskError: A task is called so, and another one has that number.
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
    return _without_unasked(plan, plan.model_copy(update={"tasks": rest, "result": result}))


def _known(changes: Mapping[str, Any], known: frozenset[str], kind: str) -> dict[str, Any]:
    for name in changes:
        if name not in known:
            listed = f"Fields: {', '.join(sorted(known))}."
            is_near = nearest(name, known).startswith("Did")
            raise UnknownNameError(kind, name, known, hint="" if is_near else listed)
    return dict(changes)


def task_names(plan: PlanSpec, refs: Collection[str]) -> list[str]:
    """Turn ``t3`` or names into names.

    Raises:
        UsageError: A reference is empty.
        UnknownTaskError: The plan has no such task.
        AmbiguousTaskError: A task is called so, and another one has that number.
    """
    numbered = _numbered(plan)
    names = frozenset(numbered.values())
    found = []
    for ref in refs:
        if not ref:
            raise UsageError("A task cannot be named by nothing.", hint="Write t3 or its name.")
        name = task_meant(ref, names, numbered)
        if not name:
            raise UnknownTaskError(ref, numbered.values())
        found.append(name)
    return found


def _numbered(plan: PlanSpec) -> dict[int, str]:
    return {number: task.name for number, task in enumerate(plan.tasks, start=1)}
