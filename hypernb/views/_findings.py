"""Findings: harm first, then where, what, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._columns import wrap
from hypernb.views._frame import small
from hypernb.views._icons import severity
from hypernb.views._markup import Html, el, join, place, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.model import Finding
    from hypernb.views._markup import Head

ROWS_AT_MOST: Final = 200
ROWS_AT_ONCE: Final = 15


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings most severe first; within a severity, in the order they came."""
    return sorted(findings, key=lambda finding: -finding.severity.rank)


def tally(findings: Sequence[Finding]) -> str:
    """Count findings by severity: ``2 critical, 3 high``; empty if there are none."""
    counted = (
        (level, sum(f.severity is level for f in findings)) for level in words.SEVERITIES
    )
    return ", ".join(f"{many:,} {level.value}" for level, many in counted if many)


def findings_table(
    findings: Sequence[Finding], *, how: str = "", most: int = ROWS_AT_MOST
) -> Html:
    """List the findings, most severe first; past ``most``, say how many more there are.

    The first rows stand open and the others are folded away, so that what follows a long list
    is still found.
    """
    if not findings:
        return Html("")
    shown = ranked(findings)[:most]
    heads: list[Head] = ["Severity", "Rule", "Where", "Finding", "Agent and tool"]
    rows = [_row(finding) for finding in shown]
    first, others = rows[:ROWS_AT_ONCE], rows[ROWS_AT_ONCE:]
    told = table("Findings", heads, first, aside=_aside(findings), cls="find")
    return join([told, _folded(heads, others), _rest(len(findings), len(shown), how)])


def _folded(heads: Sequence[Head], rows: Sequence[Html]) -> Html | None:
    if not rows:
        return None
    said = words.count(len(rows), "more finding")
    return el(
        "details", el("summary", said), table("Further findings", heads, rows, cls="find")
    )


def _aside(findings: Sequence[Finding]) -> str:
    return f"{len(findings):,}: {tally(findings)}"


def _row(finding: Finding) -> Html:
    who = line(finding.agent, cut_at=80)
    return el(
        "tr",
        el("td", severity(finding.severity)),
        el(
            "td", el("code", line(finding.rule, cut_at=80) or line(finding.category, cut_at=80))
        ),
        el("td", place(line(finding.where, cut_at=400)) if finding.where else "the whole tree"),
        el("td", line(finding.message, cut_at=600), cls="wide"),
        el("td", f"{who}, " if who else "", el("code", line(finding.tool, cut_at=80))),
    )


def rest_of(total: int, shown: int) -> str:
    """Say how many findings are not listed; empty if all are."""
    if shown >= total:
        return ""
    return f"The {shown:,} most severe of {total:,} findings are listed; the rest is not."


def _rest(total: int, shown: int, how: str) -> Html | None:
    said = rest_of(total, shown)
    if not said:
        return None
    way = join([" All of them: ", el("code", how), "."]) if how else None
    return el("p", said, way, cls="quiet")


def findings_html(findings: Sequence[Finding]) -> str:
    """Show findings as a table, most severe first, at most 200 rows."""
    if not findings:
        return small("Findings", el("p", "No findings."))
    return small("Findings", findings_table(findings))


def findings_text(
    findings: Sequence[Finding], width: int = 80, *, most: int = ROWS_AT_MOST
) -> str:
    """Write findings as text, most severe first: the place on one line, then what is wrong."""
    if not findings:
        return "No findings."
    shown = ranked(findings)[:most]
    rules = [line(each.rule or each.category, cut_at=40) for each in shown]
    widest = max(map(len, rules))
    head = f"{words.count(len(findings), 'finding')}: {tally(findings)}"
    blocks = [
        _block(each, rule.ljust(widest), width) for each, rule in zip(shown, rules, strict=True)
    ]
    return "\n".join(filter(None, [head, *blocks, rest_of(len(findings), len(shown))]))


def _block(finding: Finding, rule: str, width: int) -> str:
    # A place stays in one piece, however long: terminals make it a link, people copy it.
    where = line(finding.where, cut_at=400) or "the whole tree"
    first = f"{finding.severity.value:8}  {rule}  {where}"
    said = wrap(
        f"{line(finding.message, cut_at=600)} ({line(finding.tool, cut_at=60)})", width - 10
    )
    return "\n".join([first, *(f"{'':10}{each}" for each in said)])
