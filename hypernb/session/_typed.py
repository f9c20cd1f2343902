"""Changes and comments as a person types them, in a cell or in a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.session._mission import Mission

_LISTS: Final = frozenset({"needs", "tools", "scope", "hosts", "resources"})
_TEXTS: Final = frozenset(
    {"goal", "agent", "check", "result", "on_failure", "model", "prompt", "returns"}
)
_SHOWN: Final = 80


def assignment(word: str) -> tuple[str, Any]:
    """Read ``field=value``; a value is JSON, a list of words, or text.

    Raises:
        UsageError: There is no ``=``.

    Example:
        >>> assignment("timeout_s=60"), assignment("needs=a,b"), assignment("goal=Look")
        (('timeout_s', 60), ('needs', ('a', 'b')), ('goal', 'Look'))
    """
    name, equals, text = word.partition("=")
    if not equals:
        raise UsageError(f"{word[:_SHOWN]!r} is no change.", hint="Write field=value.")
    if name in _TEXTS and not text.startswith('"'):
        return name, text  # a goal of "2026" is no number
    try:
        return name, json.loads(text)
    except ValueError:
        return name, tuple(filter(None, text.split(","))) if name in _LISTS else text


def edited_fields() -> dict[str, tuple[str, ...]]:
    """Return the fields that can be changed, of a task and of a plan, sorted."""
    from hypernb.session._editing import PLAN_FIELDS, TASK_FIELDS, WORK_FIELDS

    of_task = tuple(sorted(TASK_FIELDS | WORK_FIELDS))
    return {"a task": of_task, "a plan": tuple(sorted(PLAN_FIELDS))}


def typed_edit(
    words: Sequence[str],
    values: Mapping[str, Any],
    *,
    drop: Sequence[str] = (),
    add: str = "",
) -> dict[str, Any]:
    """Return arguments of `Mission.edit`.

    Args:
        words: A task, if the first is none of the others, then ``field=value`` of it; of the
            plan itself without one, or of the task that is added.
        values: Further values of that task, by field.
        drop: Tasks to leave out.
        add: Name of a new task.

    Raises:
        UsageError: There is no change among them, or it is not clear of what.
    """
    rest = list(words)
    task = rest.pop(0) if rest and "=" not in rest[0] else ""
    given = {**dict(assignment(word) for word in rest), **values}
    if not isinstance(given.get("variables", {}), dict):
        raise UsageError(
            f"variables cannot be {given['variables']!r:.80}.",
            hint="""For example: 'variables={"df": {"see": "sample"}}'.""",
        )
    if task and add:
        raise UsageError(
            f"{task[:_SHOWN]!r} cannot be changed while {add[:_SHOWN]!r} is added.",
            hint="Do one after the other; field=value is for the new task.",
        )
    if add:
        return {"add": [{"name": add, **given}], "drop": drop}
    if values and not task:
        raise UsageError(
            f"--{min(values)} is about a task.", hint="Name it: %hyper edit m-7 t3 ..."
        )
    if not given and not drop:
        raise UsageError(
            "An edit needs a change.",
            hint="For example: %hyper edit m-7 t3 timeout_s=60, --drop t3, or --add review "
            "--agent qa-engineer.",
        )
    return {"changes": {task: given}, "drop": drop} if task else {"drop": drop, **given}


def typed_rewind(words: Sequence[str]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return the task at which a fork begins, or nothing, and its changes; for `Mission.fork`.

    Args:
        words: The task, then ``field=value`` of it.

    Raises:
        UsageError: A change is about no task, or is none.
    """
    rest = list(words)
    at = rest.pop(0) if rest and "=" not in rest[0] else ""
    values = dict(assignment(word) for word in rest)
    if values and not at:
        raise UsageError(
            "A change needs the task that it is about.",
            hint="For example: %hyper rewind m-7 t3 timeout_s=60.",
        )
    return at, {at: values} if values else {}


def typed_comment(mission: Mission, said: str) -> tuple[str, str]:
    """Split what was typed into a task of the mission, or nothing, and the comment."""
    first, _, rest = said.strip().partition(" ")
    tasks = mission.tasks
    names = {*tasks, *(f"t{task.record.number}" for task in tasks.values())}
    if rest.strip() and first in names:
        return first, _unquoted(rest.strip())
    return "", _unquoted(said.strip())


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted and text[0] not in text[1:-1] else text
