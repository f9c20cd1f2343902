"""Planning by a model: what it is shown, and how its answers become a plan."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from hypernb.agents._answers import REPAIRS_AT_MOST, Form, MisfitError, usable
from hypernb.agents._fences import FENCES, fence, plain, shortened
from hypernb.agents._model_tasks import SUITE
from hypernb.agents._plan_notes import FILES_STAY, SUITE_MAY_RUN, not_tracked, told_to, unseen
from hypernb.agents._proposal import (
    TASKS_AT_MOST,
    Proposal,
    plan_schema,
    proposal_problems,
    read_proposal,
)
from hypernb.agents._specialists import STRATEGIST
from hypernb.agents._words import listed, number
from hypernb.errors import ModelAnswerError, NoPlanError
from hypernb.model import ChatMessage, ChatRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from hypernb.abc import ChatModel
    from hypernb.agents._circumstances import Circumstances
    from hypernb.model import ChatReply, ModelSpec, RoleCard

OUTLINE_AT_MOST: Final = 6_000

OUTLINED_AT_MOST: Final = 20
"""Variables that the strategist is told of, the first by name."""

_OWN_AT_MOST: Final = 20_000
_FOLDERS_AT_MOST: Final = 60
_OWN: Final = " It is the person's own, and runs in the notebook."
_RULES: Final = f"""
You only plan; others carry it out, after a person has read the plan and approved it. Nothing
can be added later: no task, tool, file or agent that is not in the plan.

* Use the fewest tasks that settle the goal, {TASKS_AT_MOST} at most. Tasks that do not need
  each other run at the same time; a task sees the outputs of the tasks that it needs, and no
  others.
* `agent` is one of those below, and `tools` are some of those that it may use; if you name
  none, it has its usual ones. Tools only read; nobody can write files.
* `goal` tells the agent what to do, on its own: it sees neither the person's goal nor this.
* `check` says what must hold for the task to count as done.
* `returns`: `report` for findings and an account in words, `text` for prose, `json` or
  `table` for data that others go on with, `value` for the object that a tool of the person's
  own has returned, such as a data frame, whole and as it is.
* `scope` names files and folders of the project that the task may read; empty for all.
* `seconds` and `tokens` are what you expect the task to take.
* `result` is the name of the task whose output is the result; empty for all that no other
  needs.
* `notes` tell the person what they should know before approving, such as what is left out.
"""
_OF_VARIABLES: Final = """
* `variables` names which of the person's variables, shown below, the task is to look at; it
  sees no others, and an agent's model is told of them. None for a task that needs none.
"""


async def propose(
    there: Circumstances,
    model: ChatModel,
    *,
    name: str,
    card: RoleCard,
    variables: Mapping[str, Any],
    on_text: Callable[[str], None] | None = None,
) -> Proposal:
    """Have a model propose a plan that can be carried out.

    It is told what is wrong with its plan, twice at most. Cancelling the caller ends the call.

    Args:
        there: Goal, agents, tools, files and budget.
        model: Who is asked.
        name: What requests call it.
        card: The role of who plans.
        variables: Values handed in, by name; only their schemas are shown.
        on_text: Told each piece of the answer.

    Raises:
        NoPlanError: None of its answers can be carried out.
        ModelError: It gave no answer.
    """
    schema = plan_schema(there)
    form = Form("answer with JSON and nothing else, of the schema below", schema)
    messages = [
        ChatMessage(role="system", content=_system(card, there, schema)),
        ChatMessage(role="user", content=_task(there, variables)),
    ]
    problems: list[str] = []
    for repairs in range(REPAIRS_AT_MOST + 1):
        request = ChatRequest(
            model=name,
            messages=tuple(messages),
            answer_schema=schema,
            answer_name="plan",
            purpose="repair" if repairs else "plan",
        )
        try:
            reply = await model.complete(request, on_text=on_text)
        except ModelAnswerError as error:
            problems = [f"The answer cannot be read: {error.problem}."]
        else:
            proposal, problems = _looked_at(reply, form, there)
            if proposal is not None and not problems:
                return proposal
            messages += _said(reply)
        messages.append(ChatMessage(role="user", content=_objection(problems)))
    raise NoPlanError(name, problems)


def _looked_at(
    reply: ChatReply, form: Form, there: Circumstances
) -> tuple[Proposal | None, list[str]]:
    try:
        proposal = read_proposal(form.read(usable(reply)), there)
    except MisfitError as error:
        return None, [f"It cannot be used: {error}."]
    return proposal, proposal_problems(proposal, there)


def _said(reply: ChatReply) -> Iterator[ChatMessage]:
    text = reply.text.encode("utf-8", "replace").decode()
    if text.strip():
        yield ChatMessage(role="assistant", content=shortened(text, _OWN_AT_MOST))


def _objection(problems: Iterable[str]) -> str:
    said = "\n".join(f"* {each}" for each in problems)
    return f"That plan cannot be carried out:\n{said}\n\nAnswer with the whole plan, corrected."


def _system(card: RoleCard, there: Circumstances, schema: Mapping[str, Any]) -> str:
    rules = _RULES + (_OF_VARIABLES.lstrip("\n") if there.inputs else "")
    written = json.dumps(schema, sort_keys=True)
    form = f"Answer with JSON and nothing else, of this schema:\n{written}"
    return "\n\n".join(
        [f"You are {STRATEGIST}.", card.prompt.strip(), rules.strip(), FENCES, form]
    )


def _task(there: Circumstances, variables: Mapping[str, Any]) -> str:
    parts = [
        f"The person's goal:\n{there.goal.strip()}",
        "The agents:\n" + "\n".join(_agents(there)),
        "The tools:\n" + "\n".join(_tools(there)),
        fence("the project's files", outline(there.files)),
        *_variables(variables),
    ]
    if there.scope:
        parts.append(f"Only this may be looked at: {', '.join(there.scope)}.")
    # Not the budget: a plan that was recorded with one is to be replayed with any, or none.
    return "\n\n".join(parts)


def _agents(there: Circumstances) -> Iterator[str]:
    tools = {name: there.tools_of(name) for name in there.cards}
    shared = set.intersection(*(set(each) for each in tools.values()))
    for name, card in there.cards.items():
        role = " ".join(plain(card.role, 300).split())
        own = [each for each in tools[name] if each not in shared]
        yield f"* {name}: {role}" + (f" It may use {', '.join(own)}." if own else "")
    if shared:
        yield f"All of them may use {', '.join(sorted(shared))}."


def _tools(there: Circumstances) -> Iterator[str]:
    from hypernb.agents._post import SCHEMAS
    from hypernb.tools import function_tool

    for name in sorted({tool for agent in there.cards for tool in there.tools_of(agent)}):
        schema = there.kernel.get(name) or SCHEMAS.get(name) or function_tool(name).schema
        said = " ".join(schema.description.split())[:300]
        yield f"* {name}: {said}" + (_OWN if name in there.kernel else "")


def _variables(variables: Mapping[str, Any]) -> Iterator[str]:
    from hypernb.tools import outline_variable

    for name in sorted(variables)[:OUTLINED_AT_MOST]:
        yield fence(f"variable {name}", outline_variable(name, variables[name]))
    if len(variables) > OUTLINED_AT_MOST:
        yield f"{len(variables) - OUTLINED_AT_MOST:,} more variables are handed in."


def plan_notes(
    proposal: Proposal, there: Circumstances, planner: ModelSpec, *, is_replayed: bool = False
) -> list[str]:
    """Return what a person should know before approving a plan that a model has made."""
    used = {task["model"] for task in proposal.tasks}
    models = [there.models[name] for name in sorted(used)]
    hosts = [f"{each.name} at {each.host}" for each in models]
    asked = "in a cassette: nobody was asked" if is_replayed else f"at {planner.host}"
    notes = [
        f"Planned by {STRATEGIST} with {planner.name} {asked}.",
        f"{number(len(there.files), 'file')} of {there.root} can be read.",
        *([not_tracked(there.new_files)] if there.new_files else []),
        *proposal.left_out,
        *(f"The strategist says: {each}" for each in proposal.notes),
        f"{told_to(hosts, is_replayed=is_replayed)} {FILES_STAY}",
    ]
    seen = {name for task in proposal.tasks for name in task["variables"]}
    if others := sorted(set(there.inputs) - seen):
        notes.append(unseen(others))
    if any(SUITE in task["tools"] for task in proposal.tasks):
        notes.append(SUITE_MAY_RUN)
    own = [name for name, card in there.cards.items() if card.source != "built in"]
    if own := [name for name in own if any(task["agent"] == name for task in proposal.tasks)]:
        said = listed([f"{name} ({there.cards[name].source})" for name in own])
        notes.append(f"Role cards that are not only built in: {said}.")
    return notes


def outline(files: Iterable[str]) -> str:
    """Return what is in a project in at most 6,000 characters: folders, and files by depth.

    Example:
        >>> print(outline(["README.md", "src/app.py", "src/db/models.py"]))
        3 files
        ./: 1 (.md 1)
        src/: 1 (.py 1)
        src/db/: 1 (.py 1)
        README.md
        src/app.py
        src/db/models.py
    """
    names = sorted(files)
    folders: dict[str, Counter[str]] = {}
    for name in names:
        path = PurePosixPath(name)
        folders.setdefault(f"{path.parent}/", Counter())[path.suffix or "other"] += 1
    lines = [number(len(names), "file")]
    shown = sorted(folders, key=lambda each: (each.count("/"), each))
    for folder in shown[:_FOLDERS_AT_MOST]:
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(folders[folder].items()))
        lines.append(f"{folder}: {folders[folder].total()} ({kinds})")
    if len(folders) > _FOLDERS_AT_MOST:
        lines.append(f"… {number(len(folders) - _FOLDERS_AT_MOST, 'more folder')}")
    return _filled(lines, sorted(names, key=lambda each: (each.count("/"), each)))


def _filled(lines: list[str], names: list[str]) -> str:
    """Add as many names as there is room for."""
    lines = [plain(each, 200) for each in lines]
    room = OUTLINE_AT_MOST - sum(len(each) + 1 for each in lines) - 30
    for place, name in enumerate(names):
        shown = plain(name, 200)
        room -= len(shown) + 1
        if room < 0:
            lines.append(f"… {number(len(names) - place, 'more file')}")
            break
        lines.append(shown)
    return "\n".join(lines)[:OUTLINE_AT_MOST]
