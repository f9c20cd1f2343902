"""Tasks for a model: what is fixed of them when a plan is made, for its approval to cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._post import TALK_TOOLS
from hypernb.model import DEFAULT_TIMEOUT_S, LOOKS_AT_A_FRAME, AgentWork, Grant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hypernb.model import ModelSpec, PlanSpec, RoleCard, TaskSpec

READERS: Final = (
    "list-files",
    "read-file",
    "search-files",
    "outline-file",
    "git-log",
    "git-diff",
    "git-blame",
)
"""Tools that every agent with a model has: they read the files of the plan's scope."""

INSPECT: Final = "inspect-variable"
RANK: Final = "rank"
SUITE: Final = "tests"

_TIMEOUT_S: Final = 1_800.0
_SUITE_SLACK_S: Final = 120.0
"""A suite has a time limit of its own; its task must outlive it to report it."""
_FROM_CARD: Final = ("returns", "steps", "calls", "tokens")


def shows(tool: str) -> bool:
    """Tell whether a tool looks at values that the plan hands in, and has no use without."""
    return tool == INSPECT or profiles(tool)


def profiles(tool: str) -> bool:
    """Tell whether a tool looks through frames, and tells of what it finds in them."""
    return tool.startswith(LOOKS_AT_A_FRAME)


def usual_tools(card: RoleCard, *, has_inputs: bool, ranks: bool = False) -> tuple[str, ...]:
    """Return the tools of an agent's task that names none.

    Args:
        card: Its role.
        has_inputs: Whether the plan hands values in.
        ranks: Whether the task has reports to rank.
    """
    own = (
        name
        for name in card.tools
        if (has_inputs or not profiles(name)) and (ranks or name != RANK)
    )
    return tuple(dict.fromkeys([*own, *READERS, *([INSPECT] if has_inputs else [])]))


def allowed_tools(card: RoleCard, *, has_inputs: bool) -> tuple[str, ...]:
    """Return the tools that a task of an agent may be given by who plans it."""
    usual = usual_tools(card, has_inputs=has_inputs, ranks=True)
    return tuple(dict.fromkeys([*usual, *TALK_TOOLS]))


def model_of(card: RoleCard | None, models: Mapping[str, ModelSpec]) -> str:
    """Return which of a plan's models an agent has: the one of its card, or the first."""
    if card is not None and card.model in models:
        return card.model
    return next(iter(models), "")


def with_model(
    task: TaskSpec, card: RoleCard | None, spec: PlanSpec, *, agents: Mapping[str, str]
) -> TaskSpec:
    """Return an agent's task with all that its approval is to cover, for its model.

    What the task says itself stays.

    Args:
        task: Its work may name a model.
        card: Role of the agent; None of an agent of the user's own.
        spec: The plan.
        agents: Who does the tasks of the plan, by their names.
    """
    work = task.work
    if not isinstance(work, AgentWork):
        return task
    model = work.model or model_of(card, spec.models)
    known = spec.models.get(model)
    update: dict[str, Any] = {"model": model}
    if card is not None:
        update["prompt"] = work.prompt or card.prompt.strip() or card.role
        if not work.tools and not work.prompt and (known is None or known.tools):
            update["tools"] = usual_tools(
                card, has_inputs=bool(spec.inputs), ranks=bool(task.needs)
            )
        update |= _bounds(work, card)
    tools = update.get("tools", work.tools)
    update["params"] = {**model_params(tools, spec, task.needs, agents), **work.params}
    if "variables" not in work.model_fields_set:
        update["variables"] = {name: usual_grant(name, spec) for name in sorted(spec.inputs)}
    return task.model_copy(
        update={
            "work": work.model_copy(update=update),
            "hosts": _added(task.hosts, [known.host] if known else []),
            "timeout_s": _timeout(task, work),
        }
    )


def timeout_without(params: Mapping[str, Mapping[str, Any]]) -> float:
    """Return the time of a task without a model whose tools have these arguments."""
    limits = [float(each.get("timeout_s", 0)) + _SUITE_SLACK_S for each in params.values()]
    return max([DEFAULT_TIMEOUT_S, *limits])


def _timeout(task: TaskSpec, work: AgentWork) -> float:
    """Return its time: more than without a model, unless somebody has said how much it gets."""
    if task.timeout_s not in (DEFAULT_TIMEOUT_S, timeout_without(work.params)):
        return task.timeout_s
    return max(task.timeout_s, _TIMEOUT_S)


def usual_grant(name: str, spec: PlanSpec) -> Grant:
    """Return how much of an input a task may see that says nothing of it itself.

    What the person has said for the whole mission; else a sample, but no more than any other
    task of the plan may see of it: who has narrowed one thought of the variable.
    """
    if name in spec.see:
        return spec.see[name]
    others = [
        task.work.variables[name]
        for task in spec.tasks
        if isinstance(task.work, AgentWork) and name in task.work.variables
    ]
    if any(each.see == "schema" for each in others):
        return Grant(see="schema", rows=0)
    rows = [each.rows for each in others if each.see == "sample"]
    return Grant(rows=min([Grant().rows, *rows]))


def model_params(
    tools: Iterable[str], spec: PlanSpec, needs: Iterable[str], agents: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the arguments of tools that a model has no say in: commands, whom to rank."""
    from pathlib import Path

    from hypernb.tools import suite_command

    params: dict[str, dict[str, Any]] = {}
    if SUITE in tools and spec.root:
        params[SUITE] = suite_command(Path(spec.root))
    if RANK in tools:
        ranked = {need: {"agent": agents.get(need, ""), "tools": []} for need in needs}
        params[RANK] = {"tasks": ranked}
    return params


def _bounds(work: AgentWork, card: RoleCard) -> dict[str, Any]:
    """Return what the card says of output and bounds, where the task says nothing."""
    said = work.model_fields_set
    found = {name: getattr(card, name) for name in _FROM_CARD if name not in said}
    return {name: value for name, value in found.items() if value is not None}


def _added(names: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*names, *more]))
