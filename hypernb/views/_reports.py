"""Reports: what an agent did and found, and what it could not look at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import RunStatus
from hypernb.views import words
from hypernb.views._clean import clean, line
from hypernb.views._columns import columns, wrap
from hypernb.views._endings import sprint
from hypernb.views._findings import findings_table, findings_text, tally
from hypernb.views._frame import fragment
from hypernb.views._icons import icon
from hypernb.views._markup import Html, el, join, pairs, table
from hypernb.views._text import sprint_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hypernb.model import Report, ToolRun
    from hypernb.views._markup import Head

_RUNS_SHOWN: Final = 100
_ROWS: Final = 50
_SHAPES: Final = {
    RunStatus.RAN: ("succeeded", "good"),
    RunStatus.NOTHING_TO_CHECK: ("skipped", "neutral"),
    RunStatus.DID_NOT_RUN: ("failed", "bad"),
}


def report_html(report: Report) -> str:
    """Show a report: summary, sprint, findings, what each tool did, what was measured."""
    parts = [
        el(
            "header",
            el("p", f"Report of {line(report.agent, cut_at=120)}", cls="eyebrow"),
            el("h3", line(report.task), cls="goal"),
            el("p", line(report.summary, cut_at=1000)),
            el("p", f"Outcome: {report.outcome.value}.", cls="quiet"),
            cls="head",
        ),
        _block(el("h4", "Proposed sprint", cls="h"), sprint(report.sprint))
        if report.sprint
        else None,
        _block(
            findings_table(report.findings, how="_.to_frame()") if report.findings else None
        ),
        _block(_runs(report.runs)) if report.runs else None,
        *(_block(shown) for shown in _facts(report.facts)),
    ]
    return fragment(f"Report: {line(report.task, cut_at=120)}", *parts)


def _block(*children: Html | None) -> Html:
    return el("div", *children, cls="block") if any(children) else Html("")


def _runs(runs: Sequence[ToolRun]) -> Html:
    heads: list[Head] = [
        "Tool",
        "Status",
        ("Looked at", "num"),
        ("Findings", "num"),
        ("Took", "num"),
        "How, or why not",
    ]
    told = table("What each tool did", heads, map(_run, runs[:_RUNS_SHOWN]))
    more = len(runs) - _RUNS_SHOWN
    return join(
        [
            told,
            el("p", f"And {words.count(more, 'more run')}.", cls="quiet") if more > 0 else None,
        ]
    )


def _run(run: ToolRun) -> Html:
    shape, role = _SHAPES[run.status]
    status = el(
        "span",
        icon(shape, role),
        Html(" "),
        el("span", run.status.value.replace("_", " ")),
        cls="state",
    )
    version = f" {line(run.version, cut_at=60)}" if run.version else ""
    ran = run.status is RunStatus.RAN
    return el(
        "tr",
        el("th", el("code", line(run.tool, cut_at=80)), version, scope="row"),
        el("td", status),
        el("td", f"{run.checked:,}" if run.checked else "–", cls="num"),
        el("td", f"{len(run.findings):,}" if ran else "–", cls="num"),
        el("td", words.duration(run.duration_s) if run.duration_s else "–", cls="num"),
        el("td", _how(run), cls="wide"),
    )


def how_it_ran(run: ToolRun) -> str:
    """Say how a tool ran, or why it did not: both are often sentences, sometimes not."""
    said = [line(text, cut_at=500).rstrip(".") for text in (run.reason, run.settings) if text]
    return ". ".join(said)


def _how(run: ToolRun) -> Html:
    said = how_it_ran(run)
    command = el("code", line(run.command, cut_at=500)) if run.command else None
    return join(
        [
            said,
            Html("<br>") if said and command else None,
            command,
        ]
    )


# -- facts -------------------------------------------------------------------------------


def _facts(facts: Mapping[str, Any]) -> Iterator[Html]:
    """Show what was measured: single values as a list, rows as tables, the rest as JSON."""
    single = {key: value for key, value in facts.items() if _is_single(value)}
    if single:
        rows = (
            (line(key, cut_at=80), line(value, cut_at=400)) for key, value in single.items()
        )
        yield join([el("h4", "Measured", cls="h"), pairs(rows, cls="kv wide")])
    for key, value in facts.items():
        if key in single:
            continue
        rows_of = _as_rows(value)
        if rows_of is not None:
            yield _rows_table(key, *rows_of)
        else:
            text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
            said = el("pre", clean(text, cut_at=6000), tabindex=0)
            yield el("details", el("summary", line(key, cut_at=80)), said)


def _is_single(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _as_rows(value: Any) -> tuple[list[str], list[list[Any]]] | None:
    """Read a list of dictionaries, or a dictionary of them or of single values, as rows."""
    match value:
        case [dict(), *_] if all(isinstance(each, dict) for each in value):
            heads = list(dict.fromkeys(key for each in value[:_ROWS] for key in each))
            return heads, [[each.get(head) for head in heads] for each in value]
        case dict() if value and all(isinstance(each, dict) for each in value.values()):
            heads = list(dict.fromkeys(key for each in value.values() for key in each))
            rows = [[key, *(each.get(head) for head in heads)] for key, each in value.items()]
            return ["Name", *heads], rows
        case dict() if value and all(map(_is_single, value.values())):
            return ["Name", "Value"], [[key, each] for key, each in value.items()]
        case _:
            return None


def _rows_table(key: str, heads: list[str], rows: list[list[Any]]) -> Html:
    shown = rows[:_ROWS]
    body = (el("tr", *(el("td", _cell(cell)) for cell in row)) for row in shown)
    rest = f"{len(shown):,} of {len(rows):,} rows" if len(rows) > len(shown) else None
    title = line(key, cut_at=80).replace("_", " ").capitalize()
    return table(title, [line(head, cut_at=80) for head in heads], body, aside=rest)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, list | tuple):
        return line(", ".join(map(str, value)), cut_at=300)
    return line(value, cut_at=300)


# -- text --------------------------------------------------------------------------------


def report_text(report: Report, width: int = 80) -> str:
    """Write a report as text: summary, findings, what each tool did, the sprint."""
    head = f"{line(report.task)}, by {line(report.agent)}: {report.outcome.value}"
    parts = ["\n".join([head, *wrap(line(report.summary, cut_at=1000), width)])]
    if report.findings:
        parts.append(findings_text(report.findings, width, most=60))
    if report.runs:
        rows = [
            (
                line(run.tool),
                run.status.value.replace("_", " "),
                f"{run.checked:,}",
                tally(run.findings) or "-",
                line(run.reason, cut_at=200) or "-",
            )
            for run in report.runs[:_RUNS_SHOWN]
        ]
        parts.append(
            columns(("tool", "status", "looked at", "findings", "why not"), rows, width=width)
        )
    if report.sprint:
        parts.append(f"Proposed sprint\n{sprint_text(report.sprint, width)}")
    return "\n\n".join(parts)
