"""What leaves of which variable for which host, before a person says yes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from hypernb.model import AgentWork
from hypernb.views import words
from hypernb.views._clean import clean, line
from hypernb.views._columns import columns
from hypernb.views._frame import small
from hypernb.views._markup import el, join, table
from hypernb.views._phrase import Code, Phrase, enumerate_names, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.model import Grant, PlanSpec, TaskSpec
    from hypernb.views._markup import Head

_TEXT_AT_MOST: Final = 200_000
_NOTHING: Final = "No variable leaves this machine."
_NAMES_SHOWN: Final = 12
_LEAVE: Final = " leave for "
_NOT_SENT: Final = "nothing is sent"
_PLANNING: Final = "Planning has sent "
_ALL: Final = "all of it"
_LEFT_OF: Final = re.compile(
    rf"Of (?P<name>\w+), (?P<bytes>[\d,]+) bytes?(?: would)?{_LEAVE}.+?: (?P<what>[^;.]+)"
)
_COVERED: Final = {
    "e-mail": ("e-mail address", "e-mail addresses"),
    "secret": ("secret", "secrets"),
    "number": ("long number", "long numbers"),
}


class EgressLike(Protocol):
    """What is read of one variable that leaves."""

    @property
    def task(self) -> str: ...
    @property
    def variable(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def redactions(self) -> Mapping[str, int]: ...
    @property
    def see(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def note(self) -> str: ...


def leaves(each: EgressLike) -> str:
    """Say in a sentence what leaves of a variable."""
    would = "" if _is_sent(each) else " would"
    said = f"Of {each.variable}, {words.count(each.size_bytes, 'byte')}"
    said += f"{would}{_LEAVE}{each.host}"
    what = _what(each.see, each.rows, each.kind)
    covered = covered_up(each.redactions)
    note = f"; {each.note}" if each.note else ""
    return f"{said}: {what}{f'; {covered}' if covered else ''}{note}."


def _is_sent(each: EgressLike) -> bool:
    return _NOT_SENT not in each.note


def _leaves_for(rows: Sequence[EgressLike]) -> str:
    return "Leaves for" if any(map(_is_sent, rows)) else "Would leave for"


def says_leaving(note: str) -> bool:
    """Tell whether a note of a plan is one of `leaves`."""
    return note.startswith("Of ") and _LEAVE in note


def bytes_handed_in(plan: PlanSpec) -> dict[str, int]:
    """Return how many bytes of variables tasks are told at least, by the plan's notes.

    Who quotes a plan need not load its variables again, which may be large, for what `leaves`
    has said of them. Of an agent's own code nothing is known.
    """
    said = [found for note in plan.notes if (found := _LEFT_OF.match(note))]
    sizes: dict[str, int] = {}
    for task in plan.tasks:
        if isinstance(task.work, AgentWork) and task.work.model and not task.work.function:
            grants = task.work.variables.items()
            least = sum(_least(said, name, whole=grant.see == "all") for name, grant in grants)
            sizes[task.name] = least
    return sizes


def _least(said: Sequence[re.Match[str]], name: str, *, whole: bool) -> int:
    sizes = [
        int(found["bytes"].replace(",", ""))
        for found in said
        if found["name"] == name and (found["what"] == _ALL) is whole
    ]
    return min(sizes, default=0)


def told_planner(size_bytes: int, host: str, names: Sequence[str]) -> str:
    """Say in a sentence what planning has sent before the plan was there."""
    seen = "name, type and shape, of frames and series the columns too"
    of = f", and of {_named(names)} {seen}" if names else ""
    size = words.count(size_bytes, "byte")
    what = f"the goal, agents, tools, names of files{of}"
    return f"{_PLANNING}{size} to {host} before this plan was there: {what}."


def says_told_planner(note: str) -> bool:
    """Tell whether a note of a plan is one of `told_planner`."""
    return note.startswith(_PLANNING)


def covered_up(redactions: Mapping[str, int]) -> str:
    """Say how often what was covered up: ``3 e-mail addresses covered up``."""
    said = []
    for kind, times in sorted(redactions.items(), key=lambda each: (-each[1], each[0])):
        one, many = _COVERED.get(kind, (kind, f"{kind}s"))
        said.append(f"{times:,} {one if times == 1 else many}")
    return f"{', '.join(said)} covered up" if said else ""


def _what(see: str, rows: int, kind: str = "") -> str:
    if see == "all":
        return _ALL
    if kind == "str":
        lines = f", {words.count(rows, 'sampled line')} at most" if see == "sample" else ""
        return f"its length{lines}"
    if see == "sample" and rows:
        return f"types, statistics, {words.count(rows, 'sampled row')}"
    return "types and statistics"


def leaves_later(plan: PlanSpec) -> list[str]:
    """Say, a line a task, what else will leave that nobody can show before it begins."""
    if plan.is_replayed:
        return []
    return [said for task in plan.tasks if (said := _later(plan, task))]


def _later(plan: PlanSpec, task: TaskSpec) -> str:
    work = task.work
    model = plan.models.get(getattr(work, "model", ""))
    if model is None or not isinstance(work, AgentWork):
        return ""
    told = []
    if work.lanes:
        functions = [f"{name}()" for name in work.tools if name in work.lanes]
        verb = "answers" if len(functions) == 1 else "answer"
        told.append(f"what {_named(functions)} {verb}")
    if task.needs:
        told.append(
            f"{'output' if len(task.needs) == 1 else 'outputs'} of {_named(task.needs)}"
        )
    if not told:
        return ""
    how = (
        "what the agent's own code sends of it" if work.function else "covered up like the rest"
    )
    return (
        f"{line(task.name, cut_at=120)}, later also for {model.host}: {', '.join(told)} "
        f"(not known yet; {how})."
    )


def _named(names: Sequence[str]) -> str:
    return plain(enumerate_names(names, most=_NAMES_SHOWN))


def told_variables(plan: PlanSpec) -> Phrase:
    """Say which variables are told to which host, as far as the plan alone says it."""
    found: dict[tuple[str, str, str], None] = {}
    for task in plan.tasks:
        model = plan.models.get(getattr(task.work, "model", ""))
        if model is None:
            continue
        granted: Mapping[str, Grant] = task.work.variables  # type: ignore[union-attr]
        for name, grant in sorted(granted.items()):
            found[(name, model.host, _what(grant.see, grant.rows))] = None
    parts: list[Any] = []
    for name, host, what in found:
        between = ["; "] if parts else []
        parts += [*between, Code(line(name, cut_at=80)), f" to {host}: {what}"]
    return tuple(parts)


def egress_html(
    rows: Sequence[EgressLike], later: Sequence[str] = (), before: Sequence[str] = ()
) -> str:
    """Show what leaves, each with its text to the last character.

    Args:
        later: What `leaves_later` has said.
        before: What `told_planner` has said, and what it has told of each variable.
    """
    sent, *outlines = before or ("",)
    more = join(el("p", each) for each in later)
    if sent:
        outlined = clean("\n\n".join(outlines), cut_at=_TEXT_AT_MOST)
        said = el("summary", line(sent, cut_at=400))
        shown = el("details", said, el("pre", outlined)) if outlines else el("p", sent)
        more = join([shown, more])
    if not rows:
        return small("What leaves", el("p", _NOTHING), more)
    for_whom, size = _leaves_for(rows), ("Bytes", "num")
    heads: list[Head] = ["Variable", "Task", for_whom, size, "Covered up"]
    told = (
        el(
            "tr",
            el("th", el("code", line(each.variable, cut_at=80)), scope="row"),
            el("td", line(each.task, cut_at=120)),
            el("td", line(each.host, cut_at=200)),
            el("td", f"{each.size_bytes:,}", cls="num"),
            el("td", covered_up(each.redactions) or "nothing"),
        )
        for each in rows
    )
    texts = (
        el(
            "details",
            el("summary", line(f"{each.task}: {leaves(each)}", cut_at=400)),
            el("pre", clean(each.text, cut_at=_TEXT_AT_MOST)),
        )
        for each in rows
    )
    told_to = words.count(len({each.task for each in rows}), "task")
    caption = f"{words.count(len({each.variable for each in rows}), 'variable')}, {told_to}"
    return small("What leaves", table(caption, heads, told), join(texts), more)


def egress_text(
    rows: Sequence[EgressLike],
    width: int = 100,
    later: Sequence[str] = (),
    before: Sequence[str] = (),
) -> str:
    """Write what leaves, and below it the text of each to the last character.

    Args:
        later: What `leaves_later` has said.
        before: What `told_planner` has said, and what it has told of each variable.
    """
    sent = [clean("\n\n".join(before), cut_at=_TEXT_AT_MOST)] if before else []
    if not rows:
        return "\n\n".join(["\n".join([_NOTHING, *later]), *sent])
    body = [
        (
            each.variable,
            each.task,
            each.host,
            f"{each.size_bytes:,}",
            covered_up(each.redactions),
        )
        for each in rows
    ]
    heads = ("Variable", "Task", _leaves_for(rows), "Bytes", "Covered up")
    texts = (
        f"{each.task}: {leaves(each)}\n\n{clean(each.text, cut_at=_TEXT_AT_MOST)}"
        for each in rows
    )
    more = ["\n".join(later)] if later else []
    return "\n\n".join([columns(heads, body, width=width), *texts, *more, *sent])
