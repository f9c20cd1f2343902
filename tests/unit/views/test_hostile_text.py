"""What agents, files and people write is shown, and does nothing else."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import RoleCard, SearchHit
from hypernb.views import (
    agents_html,
    agents_text,
    events_html,
    events_text,
    findings_html,
    findings_text,
    hits_html,
    hits_text,
    mission_html,
    mission_markdown,
    mission_text,
    missions_html,
    missions_text,
    page,
    report_html,
    report_markdown,
    report_text,
    table_html,
    table_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>]]>--></style></section>"
    '\' onmouseover="alert(3)" &lt;b&gt; \x1b[31mred\x1b[0m\x1b]0;title\x07\x9b1m\x00\x08'
    "\u202egnp.exe\u202c\u2066x\u2069 `code` | cell | [link](javascript:alert(4)) **bold** "
    "\ud800 مرحبا 日本語 line\r\nbreak\u2028sep"
)


def _mission(make: Any, state: str) -> Any:
    plain = make.snapshot(state)
    names = {each.name: f"{HOSTILE[:120]}{each.number}" for each in plain.tasks}
    specs = tuple(
        spec.model_copy(
            update={
                "name": names[spec.name],
                "goal": HOSTILE,
                "agent": HOSTILE if spec.agent else "",
                "check": HOSTILE,
                "needs": tuple(names[need] for need in spec.needs),
            }
        )
        for spec in plain.plan.tasks
    )
    tasks = tuple(
        replace(each, name=names[each.name], agent=HOSTILE, note=HOSTILE, error=HOSTILE)
        for each in plain.tasks
    )
    terms = {"goal": HOSTILE, "tasks": specs, "notes": (HOSTILE,), "root": HOSTILE}
    return replace(
        plain,
        mission=replace(plain.mission, goal=HOSTILE, error=HOSTILE),
        plan=plain.plan.model_copy(update=terms),
        tasks=tasks,
        events=(
            make.event(HOSTILE, HOSTILE, x=HOSTILE),
            make.event("tool.called", tool=HOSTILE),
        ),
        findings=(make.finding(message=HOSTILE, file=HOSTILE, rule=HOSTILE, tool=HOSTILE),),
    )


def _report(make: Any) -> Any:
    return make.report(
        summary=HOSTILE, task=HOSTILE, facts={HOSTILE: HOSTILE, "a": [{"b": HOSTILE}]}
    )


def _card() -> RoleCard:
    return RoleCard(name=HOSTILE, role=HOSTILE, capabilities=(HOSTILE,), tools=(HOSTILE,))


def _hit() -> SearchHit:
    return SearchHit("finding", HOSTILE, HOSTILE, HOSTILE, HOSTILE)


HTML: dict[str, Callable[[Any], str]] = {
    "plan": lambda make: mission_html(_mission(make, "awaiting_approval"), live=True),
    "running": lambda make: mission_html(_mission(make, "running"), live=True),
    "failed": lambda make: mission_html(
        _mission(make, "failed"), live=False, result=_report(make)
    ),
    "missions": lambda make: missions_html([_mission(make, "running").mission]),
    "findings": lambda make: findings_html(_mission(make, "running").findings),
    "report": lambda make: report_html(_report(make)),
    "events": lambda make: events_html(_mission(make, "running").events),
    "agents": lambda _make: agents_html([_card()]),
    "hits": lambda _make: hits_html([_hit()]),
    "table": lambda _make: table_html([HOSTILE], [[HOSTILE]]),
    "page": lambda _make: page(HOSTILE, ""),
}
TEXT: dict[str, Callable[[Any], str]] = {
    "plan": lambda make: mission_text(_mission(make, "awaiting_approval")),
    "running": lambda make: mission_text(_mission(make, "running")),
    "failed": lambda make: mission_text(_mission(make, "failed"), result=_report(make)),
    "missions": lambda make: missions_text([_mission(make, "running").mission]),
    "findings": lambda make: findings_text(_mission(make, "running").findings),
    "report": lambda make: report_text(_report(make)),
    "events": lambda make: events_text(_mission(make, "running").events),
    "agents": lambda _make: agents_text([_card()]),
    "hits": lambda _make: hits_text([_hit()]),
    "table": lambda _make: table_text([HOSTILE], [[HOSTILE]]),
    "mission-markdown": lambda make: mission_markdown(_mission(make, "failed")),
    "report-markdown": lambda make: report_markdown(_report(make)),
}


def _controls(text: str) -> set[str]:
    return {
        hex(ord(char))
        for char in text
        if (unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t")
        or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028"
    }


@pytest.mark.parametrize("kind", HTML)
def test_markup_of_strangers_stays_text(kind: str, make: Any, read: Any) -> None:
    shown = read(HTML[kind](make))
    assert not shown.select("script, img, iframe, object, embed, link, base, a")
    assert not [key for tag in shown.select("*") for key in tag.attrs if key[:2] == "on"]
    assert "<script>alert(1)</script>" in shown.text


@pytest.mark.parametrize("kind", HTML)
def test_html_has_no_control_characters(kind: str, make: Any) -> None:
    assert _controls(HTML[kind](make)) == set()


@pytest.mark.parametrize("kind", TEXT)
def test_text_has_no_control_characters(kind: str, make: Any) -> None:
    shown = TEXT[kind](make)
    assert _controls(shown) == set()
    assert "[31m" not in shown


@pytest.mark.parametrize("kind", ["mission-markdown", "report-markdown"])
def test_markdown_of_strangers_stays_text(kind: str, make: Any, read: Any) -> None:
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(TEXT[kind](make))
    shown = read(rendered)
    assert not shown.select("script, img, a, section, style")
    assert not [each for each in shown.select("strong") if each.text == "bold"]


@pytest.mark.parametrize("state", ["awaiting_approval", "running", "failed", "succeeded"])
def test_endless_text_is_cut(state: str, make: Any) -> None:
    long = "x" * 1_000_000
    plain = make.snapshot(state)
    tasks = tuple(replace(each, note=long, error=long) for each in plain.tasks)
    record = replace(plain.mission, goal=long, error=long)
    found = (make.finding(message=long, file=long),)
    shown = replace(plain, mission=record, tasks=tasks, findings=found)
    for markup in (
        mission_html(shown, live=True),
        mission_text(shown),
        mission_markdown(shown),
    ):
        assert len(markup) < 100_000
        assert "cut here; 1,000,000 characters in all" in " ".join(markup.split())


@pytest.mark.parametrize(
    "goal", ["", "   ", "\x00\x1b[0m", "\u200b"], ids=["empty", "blank", "controls", "unseen"]
)
def test_unwritten_goal_is_said(goal: str, make: Any) -> None:
    shown = make.snapshot(mission=make.mission("running", goal=goal, started_at=make.at(0)))
    assert "(no goal was written)" in mission_text(shown)
    assert "(no goal was written)" in mission_html(shown, live=True)
