"""The specialists' tasks in a plan: tools, arguments, and what the person reads."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._model_tasks import profiles, timeout_without, with_model
from hypernb.agents._plan_notes import OFFLINE, SUITE_RUNS, TREE_STAYS, no_model, not_tracked
from hypernb.agents._words import listed, number
from hypernb.errors import PathError, UnknownNameError
from hypernb.model import AgentWork
from hypernb.tools import list_files, new_files, tool, tool_names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hypernb.model import PlanSpec, RoleCard, TaskSpec
    from hypernb.plan import Plan
    from hypernb.tools import Listing

STRATEGIST: Final = "project-strategist"
SCAN: Final = "scan-tree"
SPRINT: Final = "propose-sprint"

_TIMEOUT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Errand:
    """A specialist's task in an audit: its name, and what it is for."""

    task: str
    words: str


_ERRANDS: Final = {
    "system-architect": _Errand(
        "map-imports", "Map which module imports which; find cycles and oversized modules."
    ),
    "backend-specialist": _Errand(
        "lint-code", "Look for lint, complex functions and dead code in the Python files."
    ),
    "frontend-specialist": _Errand(
        "check-frontend", "Check pages, styles, scripts, links between files, and notebooks."
    ),
    "database-architect": _Errand(
        "check-database", "Check SQL files, SQL in strings, and ORM models."
    ),
    "qa-engineer": _Errand(
        "run-tests", "Run the project's own tests; name failing tests and untested modules."
    ),
    "devops-engineer": _Errand(
        "check-delivery", "Check containers, CI, packaging, and secrets files left unignored."
    ),
    "security-engineer": _Errand(
        "check-security", "Look for unsafe calls, and for secrets left in files."
    ),
}
_WITHOUT_SUITE: Final = _Errand(
    "find-untested", "Name modules that no test imports. The tests are not run."
)


def checked_tree(path: Path) -> Listing:
    """List a directory's files.

    Raises:
        PathError: It is missing, unreadable, no directory, or has no files.
    """
    listing = list_files(path)
    if not listing.files:
        raise PathError(
            str(path),
            "has no files to look at",
            hint=listing.note or "Give the directory of a project.",
        )
    return listing


def checked_agents(names: Sequence[str], cards: Mapping[str, RoleCard]) -> tuple[str, ...]:
    """Return the agents in the order of the cards, each once.

    Raises:
        UnknownNameError: There is no card of that name; near misses are named.
    """
    for name in names:
        if name not in cards:
            raise UnknownNameError("agent", name, cards)
    return tuple(name for name in cards if name in names)


def add_tasks(
    plan: Plan,
    picked: Collection[str],
    cards: Mapping[str, RoleCard],
    listing: Listing,
    *,
    suite: bool = True,
    scope: tuple[str, ...] = (),
) -> None:
    """Add scan, one task for each picked agent at the same time, and the proposed sprint.

    A task of the audit that fails does not end it: the strategist then names what is missing.

    Args:
        picked: Agents besides the strategist.
        suite: Whether the project's own tests are run.
        scope: The part of the tree that is looked at; all of it if empty.
    """
    plan.add(
        SCAN,
        agent=STRATEGIST,
        goal=_goal("Take stock of the tree: files, languages, sizes, open notes.", ["scan"]),
        tools=("scan",),
        scope=scope,
        timeout=_TIMEOUT_S,
        on_failure="continue",
    )
    done: dict[str, dict[str, Any]] = {SCAN: {"agent": STRATEGIST, "tools": ["scan"]}}
    for name in picked:
        task, tools = _add_one(plan, cards[name], listing, suite=suite, scope=scope)
        if tools:
            done[task] = {"agent": name, "tools": list(tools)}
    plan.add(
        SPRINT,
        agent=STRATEGIST,
        goal=_goal("Rank all findings, and propose the next three pieces of work.", ["rank"]),
        needs=tuple(done),
        tools=("rank",),
        params={"rank": {"tasks": done}},
        timeout=_TIMEOUT_S,
        on_failure="stop",
    )
    plan.result = SPRINT


def _add_one(
    plan: Plan, card: RoleCard, listing: Listing, *, suite: bool, scope: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    errand = _errand(card)
    tools = tuple(
        name
        for name in card.tools
        if not profiles(name) and name != "rank" and (suite or name != "tests")
    )
    if not suite and "tests" in card.tools and card.name == "qa-engineer":
        errand = _WITHOUT_SUITE
    params = _params(tools, listing.root)
    if tools:
        plan.add(
            errand.task,
            agent=card.name,
            goal=_goal(errand.words, tools, params),
            needs=(SCAN,),
            tools=tools,
            params=params,
            scope=scope,
            timeout=timeout_without(params),
            on_failure="continue",
        )
    return errand.task, tools


def equip(spec: PlanSpec, cards: Mapping[str, RoleCard]) -> PlanSpec:
    """Give agents' tasks what is not said of them and the approval is to cover.

    A task with a model, or without tools in a plan that has models, gets model, role, tools
    and bounds of the agent's card, and sees a sample of each input. Without a model an agent
    can do what its tools do and nothing else: a task that names none gets those of the card;
    the plan says so, and names every tool and command before it is approved. A task whose
    agent is unknown is left to the check of the plan.
    """
    agents = {task.name: task.agent for task in spec.tasks}
    bare = []
    tasks = []
    for task in spec.tasks:
        card = cards.get(task.agent)
        if _is_for_a_model(task, card, spec):
            tasks.append(with_model(task, card, spec, agents=agents))
        elif card is not None and _is_bare(task):
            bare.append(task.name)
            tasks.append(_equipped(task, card, Path(spec.root)))
        else:
            tasks.append(task)
    hosts = [host for task in tasks for host in task.hosts]
    update = {"tasks": tuple(tasks), "hosts": tuple(dict.fromkeys([*spec.hosts, *hosts]))}
    if bare:
        update["notes"] = (*spec.notes, no_model(bare))
    same = all(old is new for old, new in zip(spec.tasks, tasks, strict=True))
    return spec if same else spec.model_copy(update=update)


def _is_bare(task: TaskSpec) -> bool:
    return isinstance(task.work, AgentWork) and not (task.work.tools or task.work.function)


def _is_for_a_model(task: TaskSpec, card: RoleCard | None, spec: PlanSpec) -> bool:
    work = task.work
    if not isinstance(work, AgentWork):
        return False
    if work.function:
        return True  # it has what it is given, also without a model
    return card is not None and bool(work.model or (spec.models and not work.tools))


def _equipped(task: TaskSpec, card: RoleCard, root: Path) -> TaskSpec:
    tools = tuple(name for name in card.tools if not profiles(name))
    params = _params(tools, root)
    return task.model_copy(
        update={
            "work": AgentWork(tools=tools, params=params),
            "goal": _goal(task.goal.strip() or _errand(card).words, tools, params),
            "timeout_s": max(task.timeout_s, timeout_without(params)),
        }
    )


def retold(task: TaskSpec, before: TaskSpec) -> TaskSpec:
    """Return a task with other tools or arguments so that its goal names these, not the old.

    Without a model nobody reads the goal but the person, who is told there what runs. Where
    it has named no tools, it still names none.

    Args:
        before: The task as it was.
    """
    work = task.work
    if task.work == before.work or not uses_only_tools(task):
        return task
    words = _words(before) if uses_only_tools(before) else task.goal
    names_none = uses_only_tools(before) and words == before.goal
    if names_none or not isinstance(work, AgentWork):
        return task
    if not set(work.tools) <= set(tool_names()):
        return task  # which the check of the plan refuses
    return task.model_copy(update={"goal": _goal(words, work.tools, work.params)})


def uses_only_tools(task: TaskSpec) -> bool:
    """Tell whether an agent does what its tools do: there is no model, and no code."""
    work = task.work
    if not isinstance(work, AgentWork) or work.model or work.function:
        return False
    return bool(work.tools)


def _words(task: TaskSpec) -> str:
    """Return the goal of a task without the lines of `_goal` that name its tools."""
    if not isinstance(task.work, AgentWork):
        return task.goal
    tools, said = task.work.tools, task.goal.splitlines()
    first = max(len(said) - len(tools), 0)
    named = zip(said[first:], tools, strict=False)
    is_named = len(said) > len(tools) and all(a.startswith(f"{b}: ") for a, b in named)
    return "\n".join(said[:first]) if is_named else task.goal


def _errand(card: RoleCard) -> _Errand:
    return _ERRANDS.get(card.name, _Errand(card.name, card.role))


def _params(tools: Collection[str], root: Path) -> dict[str, dict[str, Any]]:
    """Put into the plan whatever decides what is executed: the test command, in full."""
    if "tests" not in tools:
        return {}
    from hypernb.tools import suite_command

    return {"tests": suite_command(root)}


def _goal(
    words: str, tools: Collection[str], params: Mapping[str, Mapping[str, Any]] | None = None
) -> str:
    """Say what a task is for, and what its tools will do with these arguments."""
    given = params or {}
    said = [f"{name}: {tool(name).describe(given.get(name, {}))}" for name in tools]
    return "\n".join([words, *said])


def tree_notes(
    listing: Listing,
    cards: Mapping[str, RoleCard],
    picked: Collection[str],
    *,
    suite: bool,
) -> list[str]:
    """Say what a person should know before approving an audit of a tree."""
    asked = {"tests"} if suite and any("tests" in cards[name].tools for name in picked) else ()
    runs_suite = bool(_params(asked, listing.root).get("tests", {}).get("command"))
    notes = [f"{number(len(listing.files), 'file')} of {listing.root} can be read."]
    if listing.note:
        notes.append(listing.note)
    if new := new_files(listing):
        notes.append(not_tracked(new))
    if whole := _repository_around(listing):
        notes.append(
            f"That is a part of the repository in {whole}; nothing else of it is looked at. "
            f"All of it: %hyper run repo-audit {shlex.quote(str(whole))}"
        )
    if runs_suite:
        notes.append(SUITE_RUNS)
    changed = [name for name in (STRATEGIST, *picked) if cards[name].source != "built in"]
    if changed:
        said = listed([f"{name} ({cards[name].source})" for name in changed])
        notes.append(f"Role cards that are not only built in: {said}.")
    notes.append(f"{TREE_STAYS} {OFFLINE}")
    return notes


def _repository_around(listing: Listing) -> Path | None:
    """Return the repository of which a tree is only a part; None if it is whole, or in none."""
    if not listing.git or (listing.root / ".git").exists():
        return None
    return next((each for each in listing.root.parents if (each / ".git").exists()), None)
