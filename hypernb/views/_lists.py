"""Lists: missions, agents, events, search hits and rows of a query, as HTML and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from hypernb.errors import dollars
from hypernb.model import Hurdle
from hypernb.views import words
from hypernb.views._clean import clean, line
from hypernb.views._columns import columns, labelled
from hypernb.views._commands import event_with_commands
from hypernb.views._events import tell
from hypernb.views._frame import small
from hypernb.views._icons import state
from hypernb.views._markup import Html, el, join, sentence, short, table
from hypernb.views._phrase import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from hypernb.model import (
        CacheStats,
        Event,
        LeaseRecord,
        MissionRecord,
        ResourceUse,
        RoleCard,
        SearchHit,
    )
    from hypernb.views._markup import Head

ROWS_AT_MOST: Final = 200
_RUNNER_FACTS: Final = ("pid", "host", "missions", "running", "load")
_HEARTBEAT: Final = "task.heartbeat"


class StatusLike(Protocol):
    """What `status_text` reads of a session's status."""

    @property
    def store(self) -> str: ...
    @property
    def runners(self) -> tuple[LeaseRecord, ...]: ...
    @property
    def running(self) -> tuple[MissionRecord, ...]: ...
    @property
    def needs_you(self) -> tuple[MissionRecord, ...]: ...
    @property
    def planning(self) -> tuple[MissionRecord, ...]: ...
    @property
    def cost(self) -> float: ...
    @property
    def missions(self) -> int: ...
    @property
    def unknown(self) -> int: ...
    @property
    def at_most(self) -> int: ...
    @property
    def waits(self) -> Mapping[str, str]: ...


EARLIER: Final = "There are earlier ones: --limit N shows the last N."
LATER: Final = "There are later ones: --limit N shows N."
_MORE: Final = "There are more: --limit N shows N."


def _rest(total: int, shown: int, things: str) -> str:
    if total <= shown:
        return ""
    return f"{shown:,} of {total:,} {things} are shown."


# -- missions ----------------------------------------------------------------------------


def missions_html(missions: Sequence[MissionRecord]) -> str:
    """Show missions as a table, in the order given."""
    if not missions:
        return small(
            "Missions",
            el("p", "No mission to show. ", el("code", "%%hyper"), " and a goal starts one."),
        )
    shown = missions[:ROWS_AT_MOST]
    heads: list[Head] = ["Mission", "Goal", "State", "Began", ("Took", "num")]
    rows = (
        el(
            "tr",
            el("th", el("code", each.short_id), scope="row", cls="nowrap"),
            el("td", line(each.goal, cut_at=160), cls="wide", dir="auto"),
            el("td", state(words.state_word(each.state))),
            el("td", words.moment(each.started_at or each.created_at)),
            el("td", _took(each) or "–", cls="num"),
        )
        for each in shown
    )
    caption = words.count(len(missions), "mission")
    rest = _rest(len(missions), len(shown), "missions")
    return small(
        "Missions", table(caption, heads, rows), el("p", rest, cls="quiet") if rest else None
    )


def missions_text(missions: Sequence[MissionRecord], width: int = 80) -> str:
    """Write missions as a table of text, in the order given."""
    if not missions:
        return "No mission to show. %%hyper and a goal starts one."
    rows = [
        (
            each.short_id,
            _signed(each),
            words.moment(each.started_at or each.created_at),
            _took(each) or "-",
            line(each.goal, cut_at=160),
        )
        for each in missions
    ]
    return columns(("mission", "state", "began", "took", "goal"), rows, width=width)


def _signed(mission: MissionRecord) -> str:
    word = words.state_word(mission.state)
    return f"{word.sign} {word.word}"


def _took(mission: MissionRecord) -> str:
    took_s = mission.took_s()
    return "" if took_s is None else words.duration(took_s)


# -- events ------------------------------------------------------------------------------


def feed(events: Sequence[Event], caption: str, *, now: datetime | None = None) -> Html:
    """Show events in words, newest last; heartbeats are left out."""
    shown = [event for event in events if event.kind != _HEARTBEAT]
    if not shown:
        return Html("")
    heads: list[Head] = ["Time", "Task", "What happened", "Event", ("Seq", "num")]
    rows = (_event_row(event, now) for event in shown)
    return table(caption, heads, rows, aside="newest last", cls="feed")


def _event_row(event: Event, now: datetime | None) -> Html:
    ago = f" {words.duration((now - event.at).total_seconds())} ago" if now else ""
    return el(
        "tr",
        el(
            "td",
            words.clock(event.at),
            el("span", ago, cls="quiet ago") if ago else None,
            cls="nowrap",
        ),
        el(
            "td",
            el("code", line(event.task, cut_at=120)) if event.task else "–",
            cls=short(event.task),
        ),
        el("td", sentence(tell(event)), cls="wide"),
        el("td", el("code", line(event.kind, cut_at=80)), cls="nowrap"),
        el("td", f"{event.seq:,}", cls="num"),
    )


def events_html(events: Sequence[Event], *, others: str = "") -> str:
    """Show events in words, oldest first.

    Args:
        others: Which events there are besides, as a sentence.
    """
    if not events:
        return small("Events", el("p", "No events."))
    shown = events[-ROWS_AT_MOST * 5 :]
    rest = _rest(len(events), len(shown), "events")
    times = f"Times are {words.offset(shown[-1].at)}."
    return small(
        "Events",
        feed(shown, words.count(len(events), "event")),
        el("p", " ".join(filter(None, (rest, others, times))), cls="quiet"),
    )


def events_text(
    events: Sequence[Event], width: int = 80, *, cli: bool = False, others: str = ""
) -> str:
    """Write events one after the other, oldest first: time, task, what happened.

    Args:
        cli: Commands are those of a terminal.
        others: Which events there are besides, as a sentence.
    """
    if not events:
        return "No events."
    if cli:
        events = [event_with_commands(each) for each in events]
    lines = []
    for event in events:
        subject = f"{line(event.task, cut_at=80)}: " if event.task else ""
        lines.append((words.clock(event.at), f"{subject}{plain(tell(event))}"))
    told = labelled(lines, width=width)
    times = f"Times are {words.offset(events[-1].at)}."
    return f"{told}\n{f'{others} {times}'.strip()}"


# -- agents, hits, rows ------------------------------------------------------------------


def agents_html(cards: Sequence[RoleCard]) -> str:
    """Show role cards as a table."""
    if not cards:
        return small("Agents", el("p", "No agent is known."))
    heads: list[Head] = ["Agent", "Looks after", "Can", "Tools", "Card"]
    rows = (
        el(
            "tr",
            el("th", el("b", line(card.name, cut_at=120)), scope="row"),
            el("td", line(card.role, cut_at=400), cls="wide"),
            el("td", line(", ".join(card.capabilities), cut_at=400), cls="wide"),
            el("td", _codes(card.tools)),
            el("td", line(card.source, cut_at=200)),
        )
        for card in cards
    )
    return small("Agents", table(words.count(len(cards), "agent"), heads, rows))


def _codes(names: Iterable[str]) -> Html:
    return join(part for each in names for part in (el("code", line(each, cut_at=80)), " "))


def agents_text(cards: Sequence[RoleCard], width: int = 80) -> str:
    """Write role cards one below the other."""
    if not cards:
        return "No agent is known."
    blocks = []
    for card in cards:
        rows = [
            ("role", line(card.role, cut_at=400)),
            ("can", line(", ".join(card.capabilities), cut_at=400)),
            ("tools", line(", ".join(card.tools), cut_at=400) or "none"),
            ("card", line(card.source, cut_at=200)),
        ]
        blocks.append(
            f"{line(card.name, cut_at=120)}\n{labelled(rows, width=width, indent='  ')}"
        )
    return "\n\n".join(blocks)


RESOURCE_HEADS: Final = ("Resource", "In use", "At most", "Rate", "Now")


def resource_row(use: ResourceUse) -> tuple[str, ...]:
    """Return what stands under `RESOURCE_HEADS`."""
    resource = use.resource
    most = "any number" if resource.at_once is None else f"{resource.at_once:,}"
    rate = "any"
    if resource.rate_per_s is not None:
        rate = f"{resource.rate_per_s:g} a second"
        if resource.burst > 1:
            rate += f", burst {resource.burst:,}"
    return (line(resource.name, cut_at=200), f"{use.held:,}", most, rate, _now(use))


def _now(use: ResourceUse) -> str:
    resource, wait = use.resource, use.wait
    said = []
    if wait is None:
        said.append("there is room")
    elif wait.hurdle is Hurdle.CLOSED:
        said.append(f"too many requests: left alone for {words.duration(wait.after_s or 0.0)}")
    elif wait.hurdle is Hurdle.RATE:
        said.append(f"the next in {words.duration(wait.after_s or 0.0)}")
    else:
        said.append("all in use")
    limit = resource.limit
    if resource.ceiling is not None and limit is not None and limit != resource.at_once:
        said.append(f"{limit:,} at once, as its refusals taught")
    return "; ".join(said)


def cache_text(stats: CacheStats) -> str:
    """Write what the cache of models' answers holds, and what it has spared."""
    if not stats.entries and not stats.hits:
        return "The cache is empty. A plan keeps answers if cache_s is set."
    told = [
        ("Kept", f"{words.count(stats.entries, 'answer')}, {stats.size_bytes / 1e6:.1f} MB"),
        ("Used again", words.count(stats.hits, "time")),
        ("Spared", f"{dollars(stats.spared)}, as far as prices are known"),
    ]
    return labelled(told)


def hits_html(hits: Sequence[SearchHit], *, is_more: bool = False) -> str:
    """Show where a search found its words.

    Args:
        is_more: There are others, which are not among these.
    """
    if not hits:
        return small("Search", el("p", "Nothing was found."))
    shown = hits[:ROWS_AT_MOST]
    rows = (
        el(
            "tr",
            el("td", el("code", line(hit.mission, cut_at=80)), cls="nowrap"),
            el("td", line(hit.kind, cut_at=40)),
            el("td", el("code", line(hit.task, cut_at=120)) if hit.task else "–"),
            el(
                "td", el("code", line(hit.where, cut_at=300)) if hit.where else "–", cls="where"
            ),
            el("td", line(hit.snippet, cut_at=400), cls="wide"),
        )
        for hit in shown
    )
    told = table(
        _first(hits) if is_more else words.count(len(hits), "hit"),
        ["Mission", "In", "Task", "Where", "Text"],
        rows,
        aside="[words found]",
    )
    rest = _rest(len(hits), len(shown), "hits") or (_MORE if is_more else "")
    return small("Search", told, el("p", rest, cls="quiet") if rest else None)


def hits_text(hits: Sequence[SearchHit], width: int = 80, *, is_more: bool = False) -> str:
    """Write where a search found its words, two lines each.

    Args:
        is_more: There are others, which are not among these.
    """
    if not hits:
        return "Nothing was found."
    blocks = []
    for hit in hits:
        places = [
            line(hit.mission, cut_at=80),
            line(hit.kind, cut_at=40),
            line(hit.task, cut_at=120),
            line(hit.where, cut_at=300),
        ]
        head = "  ".join(filter(None, places))
        body = columns(("",), [(line(hit.snippet, cut_at=400),)], width=max(width - 2, 20))
        blocks.append("\n".join([head, *(f"  {said}" for said in body.splitlines()[2:])]))
    told = f"{_first(hits)}. {_MORE}" if is_more else words.count(len(hits), "hit") + "."
    return "\n".join([*blocks, told])


def _first(hits: Sequence[SearchHit]) -> str:
    return f"The first {len(hits):,} hits" if len(hits) > 1 else "The first hit"


def table_html(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], *, caption: str = ""
) -> str:
    """Show rows of a query."""
    shown = rows[:ROWS_AT_MOST]
    numeric = [_is_numeric(rows, place) for place in range(len(heads))]
    kinds = ["num" if number else "" for number in numeric]
    body = (
        el(
            "tr",
            *(
                el("td", _cell(cell), cls=kind or None)
                for cell, kind in zip(row, kinds, strict=False)
            ),
        )
        for row in shown
    )
    title = caption or words.count(len(rows), "row")
    told = table(
        title,
        [(line(head, cut_at=120), kind) for head, kind in zip(heads, kinds, strict=True)],
        body,
    )
    rest = _rest(len(rows), len(shown), "rows")
    return small(title, told, el("p", rest, cls="quiet") if rest else None)


def _is_numeric(rows: Sequence[Sequence[Any]], place: int) -> bool:
    found = [row[place] for row in rows[:50] if place < len(row) and row[place] is not None]
    return bool(found) and all(
        isinstance(each, int | float) and not isinstance(each, bool) for each in found
    )


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bytes):
        return f"{words.count(len(value), 'byte')}"
    return clean(value, cut_at=1000)


def table_text(heads: Sequence[str], rows: Sequence[Sequence[Any]], *, width: int = 80) -> str:
    """Write rows of a query as a table of text."""
    body = [[line(_cell(cell), cut_at=400) for cell in row] for row in rows]
    told = columns([line(head, cut_at=120) for head in heads], body, width=width)
    return told if rows else f"{told}\nNo rows."


# -- status ------------------------------------------------------------------------------


def status_text(status: StatusLike) -> str:
    """Write what runs, what needs you, what it cost, and who does the work."""
    spent = words.cost_and_unknown(status.cost, status.unknown, status.at_most)
    told = [
        ("Running", _missions(status.running, status.waits) or "Nothing."),
        *([("Being planned", _missions(status.planning, {}))] if status.planning else ()),
        ("Needs you", _missions(status.needs_you, status.waits) or "Nothing."),
        ("Spent", f"{spent} in {words.count(status.missions, 'mission')}"),
        ("Runner", _runners(status.runners)),
        ("Store", line(status.store, cut_at=300)),
    ]
    return labelled(told, width=100)


def _missions(missions: Sequence[MissionRecord], waits: Mapping[str, str]) -> str:
    return "\n".join(
        f"{each.short_id} {line(waits.get(each.short_id) or words.state_word(each.state).word)}"
        f": {line(each.goal, cut_at=70)}"
        for each in missions[:20]
    )


def _runners(runners: Sequence[LeaseRecord]) -> str:
    if not runners:
        return "None. Approving or waiting starts one."
    return "\n".join(_runner(each) for each in runners)


def _runner(lease: LeaseRecord) -> str:
    shown = {key: lease.facts[key] for key in _RUNNER_FACTS if key in lease.facts}
    facts = [f"{key} {line(value, cut_at=60)}" for key, value in shown.items()]
    until = f"lease until {words.clock(lease.expires_at)}"
    return ", ".join([*facts, until])
