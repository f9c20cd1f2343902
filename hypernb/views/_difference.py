"""What changed from one revision of a plan to another, in words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import dollars
from hypernb.model import NO_MODEL, AgentWork, Grant, ModelSpec, PythonWork
from hypernb.views import words
from hypernb.views._clean import CUT_AT, line
from hypernb.views._columns import columns
from hypernb.views._egress import leaves_later, says_leaving, told_variables
from hypernb.views._frame import small
from hypernb.views._markup import el, join, table
from hypernb.views._models import grant_words, price_words
from hypernb.views._phrase import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hypernb.model import PlanSpec
    from hypernb.plan import PlanDifference

ROWS_AT_MOST: Final = 200
_VALUE_CUT_AT: Final = 300
_LISTED: Final = 12
# What a model is told is approved to the end, and may differ only there.
_TOLD: Final = frozenset({"goal", "check", "prompt", "work.prompt"})
_LEAVES: Final = "leaves"
# Of these depends what a task tells its model of functions and of tasks before it.
_FEEDS: Final = frozenset({"needs", "work.model", "work.tools", "work.lanes"})
_DOLLARS: Final = frozenset({"budget", "cap_cost"})
_SECONDS: Final = frozenset({"timeout_s", "backoff_s", "estimate_s", "deadline_s"})
_NOTHING: Final[Mapping[str, str]] = {
    "budget": "no limit",
    "cap_cost": "no limit",
    "deadline_s": "no limit",
    "agent_concurrency": "no limit",
    "estimate_s": "not known",
    "estimate_tokens": "not known",
    "needs": "nothing",
    "agent": "nobody: a Python function",
    "check": "none",
    "result": "the outputs of all tasks that nothing needs",
    "scope": "what the plan allows",
    "hosts": "no host",
    "tools": "no tool",
}
# The words of the form in which they are edited: widgets/src/views/plan-fields.ts.
_LABELS: Final[Mapping[str, str]] = {
    "cap_cost": "cap on cost",
    "timeout_s": "cap on time",
    "on_failure": "if it fails",
    "deadline_s": "deadline",
    "concurrency": "at once",
    "agent_concurrency": "at once for one agent",
    "estimate_s": "estimate",
    "estimate_tokens": "estimate of tokens",
    "backoff_s": "wait before a retry",
    "root": "folder",
    "work": "done by",
    "work.params": "arguments of tools",
    "params": "parameters",
}


@dataclass(frozen=True, slots=True)
class Changed:
    """Old and new value of a field, in words.

    Attributes:
        task: Name of the task; empty for a field of the plan itself.
    """

    task: str
    field: str
    old: str
    new: str

    @property
    def label(self) -> str:
        """The field, as people call it."""
        own = self.field.removeprefix("work.").replace("_", " ")
        return _LABELS.get(self.field, own)


def changed(difference: PlanDifference) -> list[Changed]:
    """Return what changed in fields of the plan first, then in its tasks, in words."""
    fields: Iterator[tuple[str, Mapping[str, tuple[Any, Any]]]] = iter(
        [("", difference.plan_fields), *difference.changed.items()]
    )
    found = [
        Changed(task, name, *(value_words(name, each) for each in _differing(old, new)))
        for task, values in fields
        for name, (old, new) in values.items()
        if task or not _is_told_elsewhere(name, old, new)
    ]
    return [*_leaving(*difference.plan_fields.get("notes", ((), ()))), *found]


def _is_told_elsewhere(name: str, old: Any, new: Any) -> bool:
    """Tell whether a change of the plan is one of what leaves, which is told in sentences."""
    return name == "handed_in" or (name == "notes" and _own_notes(old) == _own_notes(new))


def _leaving(old: Sequence[str], new: Sequence[str]) -> list[Changed]:
    """Return what left for which host and what leaves now, a row a sentence of the notes."""
    gone = [note for note in old if says_leaving(note) and note not in new]
    come = [note for note in new if says_leaving(note) and note not in old]
    nothing = "nothing of it"
    return [
        Changed("", _LEAVES, *(line(each, cut_at=_VALUE_CUT_AT) for each in pair))
        for pair in zip_longest(gone, come, fillvalue=nothing)
    ]


def leaving_changed(
    difference: PlanDifference, plan: PlanSpec, before: PlanSpec | None = None
) -> list[Changed]:
    """Return what else newly leaves, which no note says.

    Args:
        difference: What changed.
        plan: The newer plan, or a draft of it.
        before: The older one, where the newer is a draft: its notes are made when it is kept.
    """
    fed = (name for name, each in difference.changed.items() if not _FEEDS.isdisjoint(each))
    touched = {*difference.added, *fed}
    tasks = tuple(task for task in plan.tasks if task.name in touched)
    only = plan.model_copy(update={"tasks": tasks})
    found = [Changed("", _LEAVES, "", each) for each in leaves_later(only)]
    if before is None or _leaving(before.notes, plan.notes):
        return found
    old, new = (plain(told_variables(each)) for each in (before, plan))
    told = [Changed("", _LEAVES, line(old) or "nothing", line(new) or "nothing")]
    return [*(told if old != new else []), *found]


def _differing(old: Any, new: Any) -> tuple[Any, Any]:
    """Leave out of two dictionaries what they have in common."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return old, new
    same = {key for key, value in old.items() if key in new and new[key] == value}
    before, now = ({k: v for k, v in each.items() if k not in same} for each in (old, new))
    return before, now


def _own_notes(notes: Sequence[str]) -> list[str]:
    """Leave out what is noted along with a task: nobody has changed that by itself."""
    return [note for note in notes if not (note.startswith(NO_MODEL) or says_leaving(note))]


def value_words(field: str, value: object) -> str:
    """Write the value of a field of a plan or a task for people.

    Example:
        >>> value_words("timeout_s", 90.0), value_words("needs", ("a", "b"))
        ('1 min 30 s', 'a, b')
        >>> value_words("cap_cost", None), value_words("repeatable", False)
        ('no limit', 'no')
        >>> value_words("params", {"agents": [], "tests": False})
        'agents: nothing; tests: no'
    """
    if value is None or value in ("", (), [], {}):
        return _NOTHING.get(field.removeprefix("work."), "nothing")
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return _number(field, value)
        case list() | tuple() | dict():
            return _several(field, value)
        case AgentWork() | PythonWork() | ModelSpec() | Grant():
            return _told(value)
        case _:
            return line(value, cut_at=CUT_AT if field in _TOLD else _VALUE_CUT_AT)


def _several(field: str, values: Sequence[object] | dict[str, object]) -> str:
    if isinstance(values, dict):
        return line("; ".join(_entry(key, each) for key, each in values.items()))
    between = " " if field == "notes" else ", "
    shown = between.join(line(each, cut_at=120) for each in values[:_LISTED])
    more = len(values) - _LISTED
    return f"{shown} and {more:,} more" if more > 0 else shown


def _entry(key: str, value: object) -> str:
    said = value_words(key, value)
    return f"{key} ({said})" if value and isinstance(value, dict) else f"{key}: {said}"


def _told(value: AgentWork | PythonWork | ModelSpec | Grant) -> str:
    match value:
        case Grant():
            return plain(grant_words(value))
        case AgentWork():
            return f"an agent with {value_words('tools', value.tools)}"
        case PythonWork():
            return f"the Python function {line(value.label)}"
        case _:
            return line(f"{value.name} at {value.host}, {price_words(value.price)}")


def _number(field: str, value: float) -> str:
    if field in _DOLLARS:
        return dollars(value)
    return words.duration(value) if field in _SECONDS else f"{value:,}"


def unchanged(difference: PlanDifference, plan: PlanSpec) -> int:
    """Count the tasks of the new plan that are as they were."""
    return len(plan.tasks) - len(difference.added) - len(difference.changed)


def difference_text(
    difference: PlanDifference, plan: PlanSpec, revisions: tuple[int, int], width: int = 80
) -> str:
    """Write what changed as text.

    Args:
        difference: What changed.
        plan: The newer plan.
        revisions: Numbers of the older and the newer revision.
        width: Columns of the terminal.
    """
    rows = _rows(difference, plan)
    parts = [_head(difference, plan, revisions)]
    if rows:
        parts.append(
            columns(("task", "what", "before", "now"), rows[:ROWS_AT_MOST], width=width)
        )
    if len(rows) > ROWS_AT_MOST:
        parts.append(f"And {len(rows) - ROWS_AT_MOST:,} more changes.")
    return "\n\n".join(parts)


def difference_html(
    difference: PlanDifference, plan: PlanSpec, revisions: tuple[int, int]
) -> str:
    """Show what changed as a table; arguments as for `difference_text`."""
    rows = _rows(difference, plan)
    items = (
        el(
            "tr",
            el("th", el("code", task) if task != _PLAN else task, scope="row"),
            el("td", what),
            el("td", old),
            el("td", new),
        )
        for task, what, old, new in rows[:ROWS_AT_MOST]
    )
    told = el("p", _head(difference, plan, revisions))
    if not rows:
        return small("Difference", told)
    heads = ["Task", "What", "Before", "Now"]
    more = len(rows) - ROWS_AT_MOST
    rest = el("p", f"And {more:,} more changes.", cls="quiet") if more > 0 else None
    return small("Difference", join([told, table("What changed", heads, items), rest]))


_PLAN: Final = "the plan"


def _rows(difference: PlanDifference, plan: PlanSpec) -> list[tuple[str, str, str, str]]:
    rows = [(line(name, cut_at=120), "added", "", "") for name in difference.added]
    rows += [(line(name, cut_at=120), "left out", "", "") for name in difference.removed]
    rows += [
        (line(each.task, cut_at=120) or _PLAN, each.field, each.old, each.new)
        for each in [*leaving_changed(difference, plan), *changed(difference)]
    ]
    return rows


def _head(difference: PlanDifference, plan: PlanSpec, revisions: tuple[int, int]) -> str:
    old, new = revisions
    if not difference:
        return f"Revision {new} is the same as revision {old}."
    same = words.count(unchanged(difference, plan), "task")
    return f"From revision {old} to revision {new}. As before: {same}."
