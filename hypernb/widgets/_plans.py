"""Changes to a plan as a view makes them: checked while they are typed, then saved."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import (
    CyclicPlanError,
    PlanProblem,
    PlanProblemsError,
    UnknownNameError,
    UsageError,
)
from hypernb.model import PlanSpec
from hypernb.widgets._difference import difference_facts
from hypernb.widgets._facts import plan_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.model import TaskSpec
    from hypernb.session import Mission

Facts = dict[str, Any]

PROBLEMS_AT_MOST: Final = 200
_TYPED: Final = 60
_MINUTES: Final = "This is no length of time. Write minutes, such as 3, 0.5 or 1:30."
_DOLLARS: Final = "This is no sum. Write dollars, such as 0.04, or leave it empty."
_WHOLE: Final = "This is no whole number. Write one, such as 3."
_NO_VALUE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("timeout_s", "deadline_s"), _MINUTES),
    **dict.fromkeys(("cap_cost", "budget"), _DOLLARS),
    **dict.fromkeys(("attempts", "concurrency", "agent_concurrency", "priority"), _WHOLE),
}
"""What to write instead of a text where a number has to stand."""
_SHAPE: Final[Mapping[str, type]] = {"changes": dict, "drop": list, "add": list, "plan": dict}


def check(mission: Mission, draft: Mapping[str, Any]) -> Facts:
    """Say what a draft would make of the plan, and what is wrong with it; changes nothing.

    Args:
        mission: Whose plan it is.
        draft: ``Draft`` of ``widgets/src/protocol.ts``.

    Returns:
        ``problems``, ``difference``, ``plan`` and ``twin``.

    Raises:
        UsageError: It is no draft.
        UnknownTaskError: It changes a task that the plan does not have.
        UnknownNameError: It changes a field that there is not, or that cannot be changed.
    """
    revision, before = mission.record.revision, mission.plan
    asked = _arguments(draft, before)
    unread = _unread(asked, before)
    spec, problems = mission.draft(
        asked["changes"], drop=asked["drop"], add=asked["add"], **asked["plan"]
    )
    touched = [*(str(each.get("name", "")) for each in asked["add"]), *asked["changes"]]
    found = [*unread, *problems, *mission.session.problems(spec)]
    return {
        "problems": [problem_facts(_where_made(each, touched)) for each in _some(found)],
        "difference": difference_facts(before, spec, (revision, revision + 1)),
        "plan": plan_facts(spec),
        "twin": twin(mission.id, asked),
    }


def edit(mission: Mission, draft: Mapping[str, Any], revision: int | None = None) -> Facts:
    """Save a draft as the next revision of the plan.

    Args:
        mission: Whose plan it is.
        draft: As for `check`.
        revision: The one that it is based on.

    Raises:
        EditConflictError: Somebody else has saved a newer one.
        PlanError: The plan could not be carried out like that; nothing was saved.
        TransitionError: The mission no longer awaits approval.
    """
    before, based_on = mission.plan, mission.record.revision
    asked = _arguments(draft, before)
    if unread := _unread(asked, before):
        raise PlanProblemsError(unread)
    mission.edit(
        asked["changes"],
        drop=asked["drop"],
        add=asked["add"],
        revision=based_on if revision is None else revision,
        **asked["plan"],
    )
    saved = mission.plan
    return {
        "problems": [],
        "difference": difference_facts(before, saved, (based_on, mission.record.revision)),
        "plan": plan_facts(saved),
        "twin": twin(mission.id, asked),
    }


def _unread(asked: Mapping[str, Any], plan: PlanSpec) -> list[PlanProblem]:
    """Take out texts where numbers have to stand: a view sends what it cannot read as typed.

    Nothing else may read them: "1e3" is a number, and not one of minutes.
    """
    places = [("", asked["plan"]), *asked["changes"].items()]
    places += [(str(each.get("name", "")), each) for each in asked["add"]]
    texts = [
        (task, field, values)
        for task, values in places
        for field, value in values.items()
        if field in _NO_VALUE and isinstance(value, str)
    ]
    stored = {"": plan, **{task.name: task for task in plan.tasks}} if texts else {}
    for _, field, values in texts:
        del values[field]
    return [
        PlanProblem(_NO_VALUE[field], task, field, getattr(stored.get(task), field, None))
        for task, field, _ in texts
    ]


def twin(ref: str, asked: Mapping[str, Any]) -> str:
    """Write the magic that makes the same edits: the first of its lines, one for each task.

    Args:
        ref: Short id of the mission.
        asked: Arguments of `Mission.edit`.

    Example:
        >>> changes = {"a": {"goal": "look twice", "needs": ["b", "c"]}}
        >>> twin("m-7", {"changes": changes, "drop": [], "add": [], "plan": {}})
        '%hyper edit m-7 a goal="look twice" needs=b,c'
    """
    lines = [f"{_typed(name)} {_assigned(each)}" for name, each in asked["changes"].items()]
    drop = [f"--drop {_typed(asked['drop'])}"] if asked["drop"] else []
    if own := [*([_assigned(asked["plan"])] if asked["plan"] else []), *drop]:
        lines.append(" ".join(own))
    lines += [
        f"--add {_typed(name)} {_assigned(rest)}".rstrip()
        for name, rest in ((each.get("name", ""), _unnamed(each)) for each in asked["add"])
    ]
    first, *others = [f"%hyper edit {ref} {line}" for line in lines] or [f"%hyper edit {ref}"]
    return f"{first} (and {len(others)} more)" if others else first


def _unnamed(task: Mapping[str, Any]) -> Facts:
    return {field: value for field, value in task.items() if field != "name" and value}


def _assigned(values: Mapping[str, Any]) -> str:
    return " ".join(f"{field}={_typed(value)}" for field, value in values.items())


def _typed(value: object) -> str:
    """Write a value as one types it, quoted where that is needed; a long one is cut."""
    if isinstance(value, list | tuple):
        return ",".join(map(_typed, value))
    text = value if isinstance(value, str) else json.dumps(value)
    if re.fullmatch(r"[\w./*-]+", text):
        return text
    return json.dumps(f"{text[:_TYPED]}…" if len(text) > _TYPED else text, ensure_ascii=False)


def comment(mission: Mission, text: str, task: str = "") -> Facts:
    """Write something about a plan, or about a task of it; errors as of `Mission.comment`."""
    mission.comment(text, task)
    return {}


def problem_facts(problem: PlanProblem) -> Facts:
    """Write what is wrong, and where."""
    return {
        "task": problem.task,
        "field": problem.field,
        "text": problem.text,
        "instead": problem.instead,
    }


def _some(problems: Sequence[PlanProblem]) -> Sequence[PlanProblem]:
    return problems[:PROBLEMS_AT_MOST]


def _where_made(problem: PlanProblem, touched: Sequence[str]) -> PlanProblem:
    """Put a circle where it was closed, and not at whichever of its tasks comes first."""
    if not problem.route:
        return problem
    hint = CyclicPlanError(problem.route).hint
    said = replace(problem, text=f"{problem.text} {hint}")
    here = next((name for name in touched if name in problem.route), problem.task)
    return said if here == problem.task else replace(said, task=here, instead=None)


def _arguments(draft: Mapping[str, Any], plan: PlanSpec) -> dict[str, Any]:
    """Return a draft as arguments of `Mission.edit`.

    A view sends the whole work of a task; what of it is as in the plan is left out.

    Raises:
        UsageError: Something in it has another shape than a draft has.
        UnknownNameError: A plan has no such field.
    """
    if not isinstance(draft, dict) or not all(
        isinstance(draft.get(name, kind()), kind) for name, kind in _SHAPE.items()
    ):
        raise UsageError("That is no draft of a plan.", hint="Reload the page, and try again.")
    asked = {name: draft.get(name, kind()) for name, kind in _SHAPE.items()}
    stored = {task.name: task for task in plan.tasks} if asked["changes"] else {}
    asked["changes"] = {
        str(name): _fields(each, stored.get(name)) for name, each in asked["changes"].items()
    }
    asked["add"] = [_fields(each) for each in asked["add"]]
    asked["drop"] = [str(name) for name in asked["drop"]]
    asked["plan"] = dict(asked["plan"])
    for name in asked["plan"]:
        if name not in PlanSpec.model_fields:
            raise UnknownNameError("field of a plan", name, PlanSpec.model_fields)
    return asked


def _fields(given: object, stored: TaskSpec | None = None) -> dict[str, Any]:
    """Return fields of a task, with those of an agent's work among them."""
    if not isinstance(given, dict):
        raise UsageError("That is no task of a plan.", hint="Reload the page, and try again.")
    fields = dict(given)
    work = fields.pop("work", None)
    if work is None:
        return fields
    if not isinstance(work, dict) or work.get("kind", "agent") != "agent":
        raise UsageError(
            "A function cannot be put into a plan from here.",
            hint="plan.add(...) of a new plan takes one.",
        )
    before = stored.work.model_dump(mode="json") if stored is not None else {}
    return fields | {
        name: work[name]
        for name in ("tools", "params", "model")
        if name in work and work[name] != before.get(name)
    }
