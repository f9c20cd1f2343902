"""Values as a view can show them: tables, findings, text, diffs and pictures, never markup.

Everything in here was made by an agent or by a person's code. Text leaves it without control
characters, cut to what a page can hold, and no value is asked for HTML.
"""

from __future__ import annotations

import base64
import json
import math
import re
import reprlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from hypernb.model import Finding, Report
from hypernb.views import clean, how_it_ran, line, words
from hypernb.widgets._frames import (
    CELL_CUT_AT,
    Shown,
    cell,
    frame,
    is_frame,
    is_series,
    rows_table,
)

ROWS_AT_MOST: Final = 200
TEXT_AT_MOST: Final = 100_000
IMAGE_AT_MOST: Final = 3_000_000
PARTS_AT_MOST: Final = 40
DEEPEST: Final = 3

_DIFF: Final = re.compile(
    r"^(?:diff --git |Index: |--- [^\n]*\n\+\+\+ [^\n]*\n@@ )", re.MULTILINE
)
_MARKDOWN: Final = re.compile(
    r"^(?:#{1,6} \S[^\n]*\n(?:\n|$)|```|\|[^\n]*\|\s*\n\|[ :|-]+\|)"
    r"|\[[^\[\]\n]{1,300}\]\([^\s()]{1,2000}\)"
    r"|^(?:[-*] |\d+\. )[^\n]*\n(?:[-*] |\d+\. )",
    re.MULTILINE,
)
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_DOTS_PER_INCH: Final = 100.0
_DOTS_AT_MOST: Final = 8_000_000
_KILO: Final = 1_000
_NAME_OF: Final[Callable[[type], str]] = type.__dict__["__name__"].__get__

Open = Callable[[str], tuple[str, bytes]]
"""Gives media type and bytes of a file that a report left, by its digest."""


class Seen(NamedTuple):
    """A value, described in a few words, and as it is shown."""

    what: str
    shown: Shown


def see(value: Any, open_file: Open | None = None, depth: int = 0) -> Seen:
    """Say what a value is, and lay it out to be shown. Never raises for an odd one.

    Args:
        value: Anything that a task can return.
        open_file: Opens the files of reports; without it they are only named.
        depth: How deep inside another value it stands.
    """
    try:
        seen = _see(value, open_file, depth)
        return seen if seen is not None else _fallback(value)
    except BaseException as error:  # noqa: BLE001  a value's own code may raise anything
        kind = _kind(value)
        return Seen(kind, nothing(f"{kind} cannot be shown: {said_by(error)}."))


def _see(value: Any, open_file: Open | None, depth: int) -> Seen | None:
    match value:
        case None:
            return Seen("nothing (None)", nothing("It returned nothing: None."))
        case Report():
            return _report(value, open_file)
        case [Finding(), *_] if all(isinstance(each, Finding) for each in value):
            return Seen(f"Findings, {len(value):,}", findings(value))
        case Mapping() if depth < DEEPEST and _needs_parts(value):
            return _parts(value, open_file, depth)
        case _:
            return _see_plain(value)


def _see_plain(value: Any) -> Seen | None:
    match value:
        case str():
            return see_text(value)
        case bytes() | bytearray():
            return _bytes(bytes(value))
        case bool() | int() | float() | list() | tuple() | dict():
            return _json(value)
        case _ if is_frame(value) or is_series(value):
            return Seen(*frame(value))
        case _:
            return _picture(value)


def nothing(why: str) -> Shown:
    """Show a sentence in the place of an output."""
    return {"kind": "none", "why": clean(why, cut_at=1_000)}


def findings(found: Sequence[Finding]) -> Shown:
    """Show findings, most severe first; the first few of many."""
    ranked = sorted(found, key=lambda each: -each.severity.rank)
    return {
        "kind": "findings",
        "rows": [finding_facts(each) for each in ranked[:ROWS_AT_MOST]],
        "total": len(found),
    }


def finding_facts(finding: Finding) -> dict[str, Any]:
    """Write a finding."""
    return {
        "severity": finding.severity.value,
        "category": line(finding.category, cut_at=80),
        "rule": line(finding.rule, cut_at=120),
        "path": line(finding.file, cut_at=600),
        "line": finding.line or None,
        "cell": finding.cell,
        "text": line(finding.message, cut_at=1_000),
        "tool": line(finding.tool, cut_at=80),
        "agent": line(finding.agent, cut_at=120),
    }


# -- text --------------------------------------------------------------------------------


def see_text(text: str, media_type: str = "") -> Seen:
    """Show text as what it is: a diff, Markdown, or text."""
    many = words.count(text.count("\n") + 1, "line")
    said = clean(text, cut_at=TEXT_AT_MOST)
    if media_type == "text/x-diff" or _DIFF.search(text[:TEXT_AT_MOST]):
        return Seen(f"diff, {many}", {"kind": "diff", "text": said})
    if media_type == "text/markdown" or (not media_type and _MARKDOWN.search(text[:20_000])):
        return Seen(f"Markdown, {many}", {"kind": "markdown", "text": said})
    return Seen(f"text, {many}", {"kind": "text", "text": said, "note": ""})


def _json(value: Any) -> Seen:
    what = _count_of(value)
    table = rows_table(value)
    if table is not None:
        return Seen(what, table)
    try:
        text = json.dumps(value, indent=1, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return _fallback(value, what)
    return Seen(what, {"kind": "json", "text": clean(text, cut_at=TEXT_AT_MOST)})


def _count_of(value: Any) -> str:
    kind = _kind(value)
    if isinstance(value, dict):
        return f"{kind}, {words.count(len(value), 'key')}"
    return f"{kind}, {words.count(len(value), 'item')}" if hasattr(value, "__len__") else kind


def _fallback(value: Any, what: str = "") -> Seen:
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxstring, brief.maxother = 6, 2_000, 20_000
    brief.maxlist = brief.maxtuple = brief.maxset = brief.maxfrozenset = brief.maxdict = 200
    try:
        said = brief.repr(value)
    except BaseException as error:  # noqa: BLE001  a repr may raise anything
        said = f"<{_kind(value)}: its repr cannot be made, {said_by(error)}>"
    text = clean(said, cut_at=TEXT_AT_MOST)
    note = "As Python shows it, cut where it is long."
    return Seen(what or _kind(value), {"kind": "text", "text": text, "note": note})


def _kind(value: Any) -> str:
    # Not type(value).__name__, which a metaclass may answer with anything.
    return line(_NAME_OF(type(value)), cut_at=80)


def said_by(error: BaseException) -> str:
    """Write an exception in one line; never raises, whatever the exception is."""
    try:
        text = line(str(error), cut_at=300).rstrip(".")
    except BaseException:  # noqa: BLE001  so may an exception's
        text = ""
    return f"{_kind(error)}: {text}" if text else _kind(error)


# -- pictures and bytes ------------------------------------------------------------------


def _picture(value: Any) -> Seen | None:
    """Show a figure as the picture that it makes of itself; None if it makes none."""
    if _is_figure(value):
        import io

        sink = io.BytesIO()
        value.savefig(sink, format="png", dpi=_dots_per_inch(value), bbox_inches="tight")
        return _bytes(sink.getvalue(), _kind(value))
    draw = getattr(type(value), "_repr_png_", None)
    data = draw(value) if callable(draw) else None
    return _bytes(data, _kind(value)) if isinstance(data, bytes) else None


def _dots_per_inch(figure: Any) -> float:
    """Return how fine a figure is drawn: one of many inches would take gigabytes."""
    # It is measured on a canvas as large as itself, so that has to be small enough first.
    figure.set_dpi(_fitting(*figure.get_size_inches()))
    # Titles and legends may lie far outside of it, and are drawn too.
    return min(float(figure.get_dpi()), _fitting(*figure.get_tightbbox().size))


def _fitting(width_in: float, height_in: float) -> float:
    return min(_DOTS_PER_INCH, math.sqrt(_DOTS_AT_MOST / max(width_in * height_in, 1.0)))


def _is_figure(value: Any) -> bool:
    module = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)


def _bytes(data: bytes, name: str = "") -> Seen:
    kind = image_kind(data)
    size = size_of(len(data))
    if kind is None:
        what = f"bytes, {size}"
        return Seen(what, nothing(f"These are bytes, {size}, and no picture."))
    what = name or f"{'PNG' if kind == 'image/png' else 'JPEG'} image, {size}"
    if len(data) > IMAGE_AT_MOST:
        most = size_of(IMAGE_AT_MOST)
        return Seen(what, nothing(f"The picture has {size}; up to {most} are shown here."))
    shown = {
        "kind": "image",
        "data": base64.b64encode(data).decode(),
        "media_type": kind,
        "alt": what,
    }
    return Seen(what, shown)


def image_kind(data: bytes) -> str | None:
    """Say by its first bytes which picture it is; what a name claims does not count."""
    if data.startswith(_PNG):
        return "image/png"
    return "image/jpeg" if data.startswith(_JPEG) else None


def size_of(size_bytes: int) -> str:
    """Write a size as people say it.

    Example:
        >>> size_of(1), size_of(12_300), size_of(2_500_000)
        ('1 byte', '12.3 kB', '2.5 MB')
    """
    if size_bytes < _KILO:
        return words.count(size_bytes, "byte")
    if size_bytes < _KILO**2:
        return f"{size_bytes / _KILO:.3g} kB"
    return f"{size_bytes / _KILO**2:,.3g} MB"


# -- values of several parts -------------------------------------------------------------


def _needs_parts(value: Mapping[Any, Any]) -> bool:
    """Tell whether values of a dictionary are more than JSON: each is then shown by itself."""
    plain = (str, int, float, bool, list, dict, type(None))
    return any(not isinstance(each, plain) or _is_long(each) for each in value.values())


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _parts(value: Mapping[Any, Any], open_file: Open | None, depth: int) -> Seen:
    listed = list(value.items())
    parts = [
        {"title": title, "what": inner.what, "shown": inner.shown}
        for key, each in listed[:PARTS_AT_MOST]
        for title, inner in [(_title(key), see(each, open_file, depth + 1))]
    ]
    rest = len(listed) - len(parts)
    summary = f"The first {len(parts)} of {len(listed):,} values are shown." if rest else ""
    return Seen(_count_of(value), {"kind": "report", "summary": summary, "parts": parts})


def _title(key: Any) -> str:
    return line(key if isinstance(key, str) else _fallback(key).shown["text"], cut_at=120)


def _report(report: Report, open_file: Open | None) -> Seen:
    found = report.findings
    what = f"Report, {words.count(len(found), 'finding') if found else report.outcome.value}"
    parts = [*_own_parts(report), *_facts_parts(report), *_file_parts(report, open_file)]
    summary = line(report.summary, cut_at=2_000)
    return Seen(what, {"kind": "report", "summary": summary, "parts": parts[:PARTS_AT_MOST]})


def _part(title: str, shown: Shown) -> dict[str, Any]:
    return {"title": title, "what": "", "shown": shown}


def _own_parts(report: Report) -> list[dict[str, Any]]:
    parts = []
    if report.sprint:
        rows = [
            {
                "What to do": item.title,
                "Why": item.why,
                "Agent": item.agent,
                "Effort": item.effort,
            }
            for item in report.sprint
        ]
        parts.append(_part("Proposed sprint", rows_table(rows) or nothing("")))
    if report.findings:
        parts.append(_part("Findings", findings(report.findings)))
    if report.runs:
        runs = [
            {
                "Tool": f"{run.tool} {run.version}".strip(),
                "Status": run.status.value.replace("_", " "),
                "Looked at": run.checked,
                "Findings": len(run.findings),
                "Took": words.duration(run.duration_s) if run.duration_s else "",
                "How, or why not": how_it_ran(run),
            }
            for run in report.runs
        ]
        parts.append(_part("What each tool did", rows_table(runs) or nothing("")))
    return parts


def _facts_parts(report: Report) -> list[dict[str, Any]]:
    """Show what was measured: single values and counts as one table, rows as tables."""
    facts = {key: _told(value) for key, value in report.facts.items()}
    single = {
        key: value for key, value in facts.items() if not isinstance(value, dict | list | tuple)
    }
    parts = []
    if single:
        rows = [{"Name": key, "Value": value} for key, value in single.items()]
        parts.append(_part("Measured", rows_table(rows) or nothing("")))
    for key, value in facts.items():
        if key not in single:
            title = line(key, cut_at=80).replace("_", " ").capitalize()
            parts.append(_part(title, _json(value).shown))
    return parts


def _told(fact: Any) -> Any:
    """Write numbers by name in words, and several such as rows; leave the rest as it is."""
    if said := _tally(fact):
        return said
    if not isinstance(fact, dict):
        return fact
    rows = [{"Name": name, "Value": _tally(each)} for name, each in fact.items()]
    return rows if rows and all(row["Value"] for row in rows) else fact


def _tally(fact: Any) -> str:
    """Write ``name 3, other 5``; empty if these are no numbers, or too many for a cell."""
    if not isinstance(fact, dict):
        return ""
    if not all(isinstance(each, int | float) for each in fact.values()):
        return ""
    said = ", ".join(f"{line(name)} {cell(number)}" for name, number in fact.items())
    return said if len(said) <= CELL_CUT_AT else ""


def _file_parts(report: Report, open_file: Open | None) -> list[dict[str, Any]]:
    parts = []
    for name, digest in list(report.files.items())[:PARTS_AT_MOST]:
        title = line(name, cut_at=200)
        if open_file is None:
            parts.append(_part(title, nothing("It is among the mission's files.")))
            continue
        parts.append(_part(title, see_file(digest, open_file)))
    return parts


def see_file(digest: str, open_file: Open) -> Shown:
    """Show a file that a report left."""
    try:
        media_type, data = open_file(digest)
    except Exception as error:  # noqa: BLE001  a file that is gone must not take the rest along
        return nothing(f"It cannot be read: {said_by(error)}.")
    if image_kind(data) is not None:
        return _bytes(data).shown
    if media_type.startswith("text/") or media_type.endswith(("json", "toml", "yaml")):
        text = data[: 4 * TEXT_AT_MOST].decode("utf-8", "replace")
        return see_text(text, media_type).shown
    return nothing(f"It has {size_of(len(data))} of {line(media_type, cut_at=80)}.")
