"""What leaves of which variable for which host, before a person says yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from hypernb.model import ALL_AT_MOST, LOOKS_AT_A_FRAME, AgentWork
from hypernb.views import words
from hypernb.views._clean import clean, line
from hypernb.views._columns import columns
from hypernb.views._frame import small
from hypernb.views._markup import el, join, table
from hypernb.views._phrase import Code, Part, Phrase, enumerate_names, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hypernb.model import Grant, PlanSpec, TaskSpec
    from hypernb.views._markup import Head

# Nothing of what is sent may be missing: what is told of a variable ends long before.
_TEXT_AT_MOST: Final = 2 * ALL_AT_MOST
_NOTHING: Final = "No variable leaves this machine."
_NOTHING_LEFT: Final = "No variable has left this machine."
_NAMES_SHOWN: Final = 12
_LEAVE: Final = " leave for "
_NOT_SENT: Final = "nothing is sent"
_PLANNING: Final = "Planning has sent "
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
    def shape(self) -> tuple[int, ...]: ...
    @property
    def parts(self) -> tuple[str, ...]: ...
    @property
    def is_whole(self) -> bool: ...
    @property
    def untold(self) -> int: ...
    @property
    def left(self) -> str: ...
    @property
    def note(self) -> str: ...


def leaves(each: EgressLike) -> str:
    """Say in a sentence what leaves of a variable."""
    said = f"Of {each.variable}, {words.count(each.size_bytes, 'byte')}"
    said += f"{_verb(each)}{each.host}"
    what = _what(each)
    covered = covered_up(each.redactions)
    note = f"; {each.note}" if each.note else ""
    return f"{said}: {what}{f'; {covered}' if covered else ''}{note}."


def _verb(each: EgressLike) -> str:
    if each.left:
        return (
            " have left for " if each.left == "yes" and not each.note else " may have left for "
        )
    return _LEAVE if _is_sent(each) else f" would{_LEAVE}"


def _is_sent(each: EgressLike) -> bool:
    return _NOT_SENT not in each.note


def _leaves_for(rows: Sequence[EgressLike]) -> str:
    if all(each.left for each in rows):
        return "Left for"
    return "Leaves for" if any(map(_is_sent, rows)) else "Would leave for"


def says_leaving(note: str) -> bool:
    """Tell whether a note of a plan is one of `leaves`."""
    return note.startswith("Of ") and _LEAVE in note


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


def _what(each: EgressLike) -> str:
    if each.is_whole:
        return "all of it"
    if each.untold and "all" in each.parts:
        return f"a part of it, {words.count(each.untold, 'more character')} are not told"
    if "all" in each.parts:
        return "its values, some of them cut short"
    return _portrayed(each)


def _portrayed(each: EgressLike) -> str:
    there = each.shape[0] if each.shape else 0
    most = min(each.rows, there) if each.see == "sample" else 0
    if each.kind == "str":
        lines = f", {words.count(each.rows, 'sampled line')} at most" if most else ""
        return f"its length{lines}"
    told = ["types" if "schema" in each.parts else "its type"]
    told += ["statistics"] if "statistics" in each.parts else []
    if "sample" in each.parts and not each.shape:
        told.append("its value")
    elif "sample" in each.parts and most:
        told.append(words.count(most, f"sampled {_unit(each)}"))
    elif len(told) == 1 and each.shape:
        told.append("its size")
    return ", ".join(told) if most else " and ".join(told)


def _unit(each: EgressLike) -> str:
    if len(each.shape) > 1:
        return "row"
    return {"dict": "key", "Series": "value"}.get(each.kind, "item")


def grant_reaches(grant: Grant) -> str:
    """Say how much of a variable a grant lets through, whatever the variable is."""
    if grant.see == "all":
        return f"up to {words.count(ALL_AT_MOST, 'character')} of it"
    if grant.see == "sample" and grant.rows:
        some = "row, line or item" if grant.rows == 1 else "rows, lines or items"
        return f"types, statistics, at most {grant.rows:,} {some}"
    return "types and statistics"


def leaves_later(
    plan: PlanSpec, *, over: Collection[str] = (), asked: Mapping[str, Collection[str]] = {}
) -> list[str]:
    """Say, a line a task, what else will leave that nobody can show before it begins.

    Args:
        plan: The plan.
        over: Tasks that have ended: nothing leaves of them any more, and what has is said.
        asked: The hosts that they have asked, by task.
    """
    if plan.is_replayed:
        return []
    said = (
        _told(task, asked.get(task.name, ())) if task.name in over else _later(plan, task)
        for task in plan.tasks
    )
    return [each for each in said if each]


def _later(plan: PlanSpec, task: TaskSpec) -> str:
    work = task.work
    model = plan.models.get(getattr(work, "model", ""))
    if model is None or not isinstance(work, AgentWork):
        return ""
    told = _handed(task, work, "answers", "answer")
    how = (
        "what the agent's own code sends of it" if work.function else "covered up like the rest"
    )
    return (
        f"{line(task.name, cut_at=120)}, later also for {model.host}: {', '.join(told)} "
        f"(not known yet; {how})."
        if told
        else ""
    )


def _told(task: TaskSpec, hosts: Collection[str]) -> str:
    work = task.work
    if not hosts or not isinstance(work, AgentWork):
        return ""
    told = _handed(task, work, "answered", "answered")
    how = "covered up like the rest"
    if work.function:
        how = "what the agent's own code has sent of it"
    name, to = line(task.name, cut_at=120), _named(list(hosts))
    said = f"{name} has told {to}: {', '.join(told)}, as far as there was any ({how})."
    return said if told else ""


def _handed(task: TaskSpec, work: AgentWork, one: str, many: str) -> list[str]:
    """Name what a task is told besides variables: answers of functions, outputs of needs."""
    told = []
    if work.lanes:
        functions = [f"{name}()" for name in work.tools if name in work.lanes]
        told.append(f"what {_named(functions)} {one if len(functions) == 1 else many}")
    looks = [name for name in work.tools if name.startswith(LOOKS_AT_A_FRAME)]
    seen = [name for name, grant in sorted(work.variables.items()) if grant.see != "schema"]
    if looks and seen:
        finds = "finds" if len(looks) == 1 else "find"
        told.append(f"what {_named(looks)} {finds} in {_named(seen)}")
    if task.needs:
        outputs = "output" if len(task.needs) == 1 else "outputs"
        told.append(f"{outputs} of {_named(task.needs)}")
    return told


def _named(names: Sequence[str]) -> str:
    return plain(enumerate_names(names, most=_NAMES_SHOWN))


def told_variables(plan: PlanSpec) -> Phrase:
    """Say which variables are told to which host, as far as the plan alone says it.

    And in which task, where one sees more of a variable than another.
    """
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for task in plan.tasks:
        model = plan.models.get(getattr(task.work, "model", ""))
        if model is None:
            continue
        granted: Mapping[str, Grant] = task.work.variables  # type: ignore[union-attr]
        for name, grant in sorted(granted.items()):
            told = found.setdefault((name, model.host), {})
            told.setdefault(grant_reaches(grant), []).append(task.name)
    parts: list[Part] = []
    for (name, host), told in found.items():
        for what, tasks in told.items():
            between = ["; "] if parts else []
            where = (" in ", *enumerate_names(tasks)) if len(told) > 1 else ()
            parts += [*between, Code(line(name, cut_at=80)), f" to {host}", *where, f": {what}"]
    return tuple(parts)


def egress_html(
    rows: Sequence[EgressLike],
    later: Sequence[str] = (),
    before: Sequence[str] = (),
    *,
    is_over: bool = False,
) -> str:
    """Show what leaves, each with its text to the last character.

    Args:
        later: What `leaves_later` has said.
        before: What `told_planner` has said, and what it has told of each variable.
        is_over: Nothing leaves any more.
    """
    title = "What has left" if is_over else "What leaves"
    sent, *outlines = before or ("",)
    more = join(el("p", each) for each in later)
    if sent:
        outlined = clean("\n\n".join(outlines), cut_at=_TEXT_AT_MOST)
        said = el("summary", line(sent, cut_at=400))
        shown = el("details", said, el("pre", outlined)) if outlines else el("p", sent)
        more = join([shown, more])
    if not rows:
        return small(title, el("p", _NOTHING_LEFT if is_over else _NOTHING), more)
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
    return small(title, table(caption, heads, told), join(texts), more)


def egress_text(
    rows: Sequence[EgressLike],
    width: int = 100,
    later: Sequence[str] = (),
    before: Sequence[str] = (),
    *,
    is_over: bool = False,
) -> str:
    """Write what leaves, and below it the text of each to the last character.

    Args:
        later: What `leaves_later` has said.
        before: What `told_planner` has said, and what it has told of each variable.
        is_over: Nothing leaves any more.
    """
    sent = [clean("\n\n".join(before), cut_at=_TEXT_AT_MOST)] if before else []
    if not rows:
        nothing = _NOTHING_LEFT if is_over else _NOTHING
        return "\n\n".join(["\n".join([nothing, *later]), *sent])
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
