"""A plan as a model proposes it: read, cleaned, and told what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._cards import known_tools, model_tools
from hypernb.agents._fences import plain
from hypernb.agents._model_tasks import INSPECT, shows
from hypernb.agents._specialists import equip
from hypernb.agents._words import listed
from hypernb.errors import PlanProblemsError
from hypernb.model import Grant, PlanSpec, is_like_a_number, look_of
from hypernb.plan import Plan, plan_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hypernb.agents._circumstances import Circumstances

TASKS_AT_MOST: Final = 40

_NAME_AT_MOST: Final = 60
_GOAL_AT_MOST: Final = 4_000
_CHECK_AT_MOST: Final = 1_000
_NOTE_AT_MOST: Final = 300
_NOTES_AT_MOST: Final = 10
_DAY_S: Final = 86_400
_ATTEMPTS: Final = 2  # three answers in a row that cannot be used are bad luck now and then
_TOKENS_AT_MOST: Final = 10_000_000
_PROBLEMS_AT_MOST: Final = 20

_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_TASK: Final[dict[str, Any]] = {
    "name": _TEXT,
    "goal": _TEXT,
    "agent": _TEXT,
    "needs": _TEXTS,
    "tools": _TEXTS,
    "check": _TEXT,
    "returns": {"type": "string", "enum": ["report", "text", "json", "table", "value"]},
    "seconds": {"type": "number"},
    "tokens": {"type": "integer"},
    "scope": _TEXTS,
}


def plan_schema(there: Circumstances) -> dict[str, Any]:
    """Return the JSON schema of a plan; tasks name variables only where any are handed in."""
    task = {**_TASK, "variables": _TEXTS} if there.inputs else _TASK
    return _object(
        {
            "tasks": {"type": "array", "items": _object(task)},
            "result": _TEXT,
            "notes": _TEXTS,
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan as a model proposes it, as arguments of `hypernb.Plan.add`, cleaned.

    Attributes:
        tasks: Arguments, one of each task.
        result: The task whose output is the result; empty for all ends.
        notes: What the model wants the person to know.
        left_out: Which tools it named and could not give, a sentence for each task.
    """

    tasks: tuple[dict[str, Any], ...]
    result: str
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def read_proposal(answer: Mapping[str, Any], there: Circumstances) -> Proposal:
    """Return what a model proposes; it has the form of `plan_schema` already.

    A task that is called as tasks are numbered gets another name: a person who writes t1 means
    the one that the plan shows so.
    """
    tasks = tuple(_task(each, there) for each in answer["tasks"][: TASKS_AT_MOST + 1])
    names = _renamed([each["name"] for each in tasks])
    for task in tasks:
        task["name"] = names.get(task["name"], task["name"])
        task["needs"] = tuple(names.get(need, need) for need in task["needs"])
    left_out = tuple(filter(None, (_leave_out_tools(each, there) for each in tasks)))
    said = (" ".join(plain(each, _NOTE_AT_MOST).split()) for each in answer["notes"])
    notes = tuple(filter(None, said))[:_NOTES_AT_MOST]
    result = _name(answer["result"])
    return Proposal(tasks, names.get(result, result), notes, left_out)


def _renamed(names: Sequence[str]) -> dict[str, str]:
    """Return other names for those that look like numbers of tasks."""
    taken = {look_of(name) for name in names}
    renamed: dict[str, str] = {}
    for name in filter(is_like_a_number, names):
        if name not in renamed:
            new = f"task-{look_of(name)[1:]}"
            while new in taken:
                new += "-other"
            taken.add(new)
            renamed[name] = new
    return renamed


def _leave_out_tools(task: dict[str, Any], there: Circumstances) -> str:
    """Take from a task the tools that it cannot use, and say which and why; empty for none.

    Where nothing would be left of what it was to work with, all stay, and are a problem.
    """
    if task["agent"] not in there.cards:
        return ""
    allowed = there.tools_of(task["agent"])
    kept = tuple(each for each in task["tools"] if each in allowed)
    odd = list(dict.fromkeys(each for each in task["tools"] if each not in allowed))
    if not odd or (allowed and not kept):
        return ""
    task["tools"] = kept
    is_one = len(odd) == 1
    return (
        f"Task {task['name']!r} was to use {listed([repr(each) for each in odd])}, "
        f"{_why_not(task, there)}; {'it is' if is_one else 'they are'} left out."
    )


def _why_not(task: Mapping[str, Any], there: Circumstances) -> str:
    model = there.models.get(task["model"])
    if model is not None and not model.tools:
        return f"and {model.name} at {model.host} calls no tools"
    return f"which {task['agent']} may not"


def _task(said: Mapping[str, Any], there: Circumstances) -> dict[str, Any]:
    card = there.cards.get(said["agent"])
    seconds = said["seconds"]
    tools = tuple(plain(each, _NAME_AT_MOST) for each in said["tools"][:TASKS_AT_MOST])
    seen = sorted({plain(each, _NAME_AT_MOST) for each in said.get("variables", ())})
    if card is not None and not tools:
        tools = there.usual_tools_of(
            card.name, has_inputs=bool(seen), ranks=bool(said["needs"])
        )
    return {
        "name": _name(said["name"]),
        "goal": said["goal"].encode("utf-8", "replace").decode().strip(),
        "agent": plain(said["agent"], _NAME_AT_MOST),
        "needs": tuple(_name(each) for each in said["needs"][: TASKS_AT_MOST + 1]),
        "tools": tools,
        "check": plain(said["check"].strip(), _CHECK_AT_MOST),
        "returns": said["returns"],
        "estimate_tokens": said["tokens"] if 0 < said["tokens"] <= _TOKENS_AT_MOST else None,
        "estimate": float(seconds) if 0 < seconds <= _DAY_S else None,
        "scope": tuple(plain(each, _CHECK_AT_MOST) for each in said["scope"][:TASKS_AT_MOST]),
        "model": there.model_of(said["agent"]),
        "variables": {name: there.grants.get(name, Grant()) for name in seen},
        "on_failure": "continue",
        "attempts": _ATTEMPTS,
    }


def _name(said: str) -> str:
    return " ".join(plain(said, _NAME_AT_MOST).replace("/", "-").split())


def proposal_problems(proposal: Proposal, there: Circumstances) -> list[str]:
    """Return why a proposal cannot be carried out, in sentences for who made it."""
    problems = list(_own_problems(proposal, there))
    draft = Plan(there.goal, root=there.root)
    for task in proposal.tasks[:TASKS_AT_MOST]:
        try:
            draft.add(**task)
        except PlanProblemsError as error:
            problems += error.problems
    spec = PlanSpec(
        goal=there.goal,
        tasks=draft.tasks,
        root=there.root,
        scope=there.scope,
        inputs=dict(there.inputs),
        models=dict(there.models),
        result=proposal.result,
        budget=there.budget,
    )
    problems += [
        each.text
        for each in plan_problems(
            equip(spec, there.cards),
            agents=there.cards,
            tools=(*known_tools(), *there.kernel),
            model_tools=model_tools(),
        )
    ]
    unique = list(dict.fromkeys(plain(each, _CHECK_AT_MOST) for each in problems))
    return unique[:_PROBLEMS_AT_MOST]


def _own_problems(proposal: Proposal, there: Circumstances) -> Iterator[str]:
    if len(proposal.tasks) > TASKS_AT_MOST:
        yield f"The plan has more than {TASKS_AT_MOST} tasks. Let each do more."
    for task in proposal.tasks:
        name = task["name"]
        if len(task["goal"]) > _GOAL_AT_MOST:
            yield (
                f"The goal of task {name!r} has {len(task['goal']):,} characters; "
                f"{_GOAL_AT_MOST:,} are the most."
            )
        if not task["goal"]:
            yield f"Task {name!r} has no goal. Say what is to be achieved."
        yield from _tool_problems(task, there)
        for entry in task["scope"]:
            if not _is_inside(entry, there):
                yield (
                    f"Task {name!r} has {entry!r} in its scope, which is no file or folder of "
                    "the project. Name one of it, or leave the scope empty."
                )


def _tool_problems(task: Mapping[str, Any], there: Circumstances) -> Iterator[str]:
    name = task["name"]
    if task["agent"] in there.cards:
        allowed = there.tools_of(task["agent"])
        if odd := [each for each in task["tools"] if each not in allowed]:
            may = f" It may use {listed(allowed)}." if allowed else ""
            yield (
                f"Task {name!r} uses {listed([repr(each) for each in odd])}, "
                f"{_why_not(task, there)}.{may}"
            )
    if there.inputs and (blind := _blind(task)):
        yield (
            f"Task {name!r} uses {listed([repr(each) for each in blind])}, and names no "
            f"variable to look at. {_handed_in(there)}"
        )
    if task["returns"] == "value" and there.kernel.keys().isdisjoint(task["tools"]):
        yield (
            f"Task {name!r} returns value, which is what a function of the person "
            "returned, and has none of these as a tool. "
            f"{_functions(there)}"
        )


def _blind(task: Mapping[str, Any]) -> list[str]:
    """Return the tools of a task that would have nothing to look at."""
    if task["variables"]:
        return []
    # What an earlier task has made can be profiled, and is never asked about by name.
    return [
        each for each in task["tools"] if shows(each) and (each == INSPECT or not task["needs"])
    ]


def _handed_in(there: Circumstances) -> str:
    names = listed([repr(each) for each in sorted(there.inputs)[:_NOTES_AT_MOST]])
    return f"Name those of {names} that it needs, or leave these tools out."


def _functions(there: Circumstances) -> str:
    if not there.kernel:
        return "There is none here. Let it return report, text, json or table."
    return f"There is {listed(sorted(there.kernel))}."


def _is_inside(entry: str, there: Circumstances) -> bool:
    path = PurePosixPath(entry)
    if path.is_absolute() or ".." in path.parts or "\\" in entry:
        return False
    inside = str(path)
    if there.scope and not any(_is_below(inside, each.rstrip("/")) for each in there.scope):
        return False
    return any(_is_below(file, inside) for file in there.files)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
