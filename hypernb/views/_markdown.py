"""A mission and a report as Markdown: reads as text, renders on GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hypernb.model import TaskState
from hypernb.views import words
from hypernb.views._clean import clean, line, name
from hypernb.views._contract import allowed, caps
from hypernb.views._endings import (
    ANSWER_AT_MOST,
    next_commands,
    outcome,
    rest_of_result,
    result_title,
    took,
)
from hypernb.views._figures import Figures
from hypernb.views._findings import ranked, rest_of, tally
from hypernb.views._mission_html import GOAL_CUT_AT, since
from hypernb.views._own_code import NO_SOURCE, own_tasks, own_work, source
from hypernb.views._phrase import WHOLE_AT_MOST, Code, Strong, Whole
from hypernb.views._story import gaps, story
from hypernb.views._task_table import chosen, said_last

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hypernb.model import Finding, MissionSnapshot, PlanSpec, Report, SprintItem
    from hypernb.views._phrase import Part

_ROWS: Final = 200
_DRAWN: Final = 60
_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
# What begins a list, a heading's underline or a link without any brackets.
_BEGINS: Final = re.compile(r"^(\d{0,9})([-+=.)])")
_ESCAPED: Final = r"\1\\\2"
_LINKS: Final = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)")
_PLAIN: Final = re.compile(r"[^A-Za-z0-9 ]")


def mission_markdown(snapshot: MissionSnapshot, *, result: Report | None = None) -> str:
    """Write a mission as Markdown, in any of its states.

    Text of strangers is escaped: it can make neither links, HTML nor tables.
    """
    figures = Figures(snapshot)
    return "\n\n".join(filter(None, _parts(figures, result))) + "\n"


def _parts(figures: Figures, result: Report | None) -> Iterator[str]:
    snapshot, mission = figures.snapshot, figures.snapshot.mission
    word = figures.word
    when = took(figures) if mission.state.is_final else since(figures)
    yield f"# Mission {mission.short_id}"
    goal = clean(mission.goal, cut_at=GOAL_CUT_AT).strip() or "(no goal was written)"
    yield "\n".join(f"> {escape(said)}".rstrip() for said in goal.splitlines())
    yield f"**{word.word.capitalize()}**{', ' if when else ''}{escape(when)}"
    if mission.state.is_final:
        yield escape(outcome(figures, result))
    yield "\n".join(f"* **{label}:** {phrase(said)}" for label, said in story(figures).lines())
    yield _answers(figures)
    yield _findings(snapshot.findings)
    yield _gaps(figures, result)
    if result is not None and result.sprint:
        yield f"## Proposed sprint\n\n{_sprint(result.sprint)}"
    if snapshot.plan is not None and not mission.started_at:
        rows = [(term, phrase(said)) for term, said in allowed(snapshot.plan)]
        yield f"## What a yes allows\n\n{table(('', 'allowed'), rows, raw=True)}"
        yield _own_code(snapshot.plan)
    yield _plan(figures)
    yield _mermaid(figures)
    yield "## Go on\n\n" + "\n".join(
        f"* {code(typed)}: {does}" for typed, does in _typed(figures)
    )
    yield f"Made {words.moment(snapshot.now)}. Times are {words.offset(snapshot.now)}."


def _typed(figures: Figures) -> list[tuple[str, str]]:
    ref = figures.snapshot.mission.short_id
    if figures.decides:
        return [
            (f"%hyper approve {ref}", "approves the plan"),
            (f'%hyper reject {ref} "reason"', "ends it; nothing of it ever runs"),
        ]
    if figures.snapshot.mission.state.is_final:
        return next_commands(figures)
    return [(f"%hyper attach {ref}", "the live view")]


# -- escaping ----------------------------------------------------------------------------


def escape(text: object) -> str:
    """Write text so that Markdown shows it and does nothing else with it."""
    return _BEGINS.sub(_ESCAPED, _inert(line(text, cut_at=2000)))


def _inert(text: str) -> str:
    return _LINKS.sub(lambda match: f"\\{match[0]}", _MARKS.sub(r"\\\1", text))


def code(text: object, *, cut_at: int = 400) -> str:
    """Write text in the fixed-width face, whatever it contains; also within tables."""
    said = line(text, cut_at=cut_at)
    if not said:
        return ""
    longest = max((len(run) for run in re.findall("`+", said)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or said[0] == " " else ""
    return f"{fence}{pad}{said}{pad}{fence}"


def phrase(parts: Sequence[Part]) -> str:
    """Write a sentence with its names and stresses."""
    said = []
    for part in parts:
        match part:
            case Code(text):
                said.append(code(text))
            case Strong(text):
                said.append(f"**{escape(text)}**")
            case Whole(text):
                said.append(_inert(line(text, cut_at=WHOLE_AT_MOST)))
            case _:
                said.append(_inert(part))
    return "".join(said)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, raw: bool = False) -> str:
    """Write a table; cells are escaped unless they are Markdown already."""
    lines = [_line(heads), _line(["---"] * len(heads))]
    lines += [_line([cell if raw else escape(cell) for cell in row]) for row in rows]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    # GitHub splits cells at bars before it reads code, so bars are escaped there too.
    safe = (re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in cells)
    return f"| {' | '.join(safe)} |"


# -- parts -------------------------------------------------------------------------------


def _answers(figures: Figures) -> str:
    told = figures.snapshot.answers
    if not told:
        return ""
    parts = [f"## {result_title(figures)}"]
    for each in told:
        if len(told) > 1:
            parts.append(f"{code(each.task)}:")
        said = clean(each.text.strip(), cut_at=ANSWER_AT_MOST) or line(each.about)
        parts.append(_quoted(said) if each.is_text else _fenced(said))
    if rest := rest_of_result(figures):
        typed = figures.typed(f"result {figures.snapshot.mission.short_id}")
        parts.append(f"{rest}: {code(typed)}.")
    return "\n\n".join(parts)


def _quoted(text: str) -> str:
    # Of lines one below the other, Markdown would make one.
    lines = re.sub(r"(?<=\S)\n(?=\S)", "\\\n", text).split("\n")
    return "\n".join(f"> {_BEGINS.sub(_ESCAPED, _inert(each))}".rstrip() for each in lines)


def _fenced(text: str, kind: str = "") -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text}\n{fence}"


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    shown = ranked(findings)[:_ROWS]
    rows = [
        (
            f.severity.value,
            code(f.rule or f.category),
            code(f.where) or "the whole tree",
            escape(line(f.message, cut_at=600)),
            escape(line(f"{f.agent}, {f.tool}" if f.agent else f.tool)),
        )
        for f in shown
    ]
    told = table(("severity", "rule", "where", "finding", "agent, tool"), rows, raw=True)
    rest = rest_of(len(findings), len(shown))
    head = f"## Findings\n\n{len(findings):,}: {tally(findings)}."
    return "\n\n".join(filter(None, [head, told, rest]))


def _gaps(figures: Figures, result: Report | None) -> str:
    found = gaps(figures, result)[:_ROWS]
    if not found:
        return ""
    rows = [
        (
            code(gap.task or gap.what),
            escape(gap.what) if gap.task else "did not run",
            escape(gap.why),
        )
        for gap in found
    ]
    told = table(("task or tool", "what", "why"), rows, raw=True)
    return f"## What was not done, and why\n\n{told}"


def _sprint(items: Sequence[SprintItem]) -> str:
    lines = []
    for number, item in enumerate(items, 1):
        about = f"{item.severity.value}, for {line(item.agent)}"
        if item.effort:
            about += f", {line(item.effort)}"
        lines.append(f"{number}. **{escape(item.title)}** {escape(item.why)} ({escape(about)})")
        lines += [f"   * {code(place)}" for place in item.findings[:5]]
    return "\n".join(lines)


def _plan(figures: Figures) -> str:
    shown = chosen(figures)
    if not shown:
        return ""
    rows = []
    for task in shown:
        spec = figures.specs.get(task.name)
        worked = figures.worked_s(task)
        needs = ", ".join(code(each) for each in (spec.needs if spec else ())[:20])
        rows.append(
            (
                code(task.name),
                words.state_word(task.state).word,
                escape(task.agent) or "–",
                needs or "–",
                escape(caps(spec)) if spec else "–",
                words.duration(worked) if worked else "–",
                escape(said_last(task, cut_at=200) or line(task.goal, cut_at=200)) or "–",
            )
        )
    told = table(
        ("task", "state", "agent", "needs", "cap", "worked", "said last"), rows, raw=True
    )
    total = len(figures.snapshot.tasks)
    rest = f"\n\n{len(shown):,} of {total:,} tasks are shown." if len(shown) < total else ""
    return f"## Tasks\n\n{told}{rest}"


def _own_code(plan: PlanSpec) -> str:
    """Give the source of the person's own code: who says yes to it should have seen it."""
    told = []
    for task in own_tasks(plan)[:_DRAWN]:
        said = source(task) or f"({NO_SOURCE})"
        work = own_work(task)
        runs = f": {code(work.label)}" if work else ""
        told.append(f"{code(task.name)}{runs}\n\n{_fenced(said, 'python')}")
    return "## Code of your own\n\n" + "\n\n".join(told) if told else ""


def _mermaid(figures: Figures) -> str:
    plan = figures.plan
    if plan is None or not 0 < len(plan.tasks) <= _DRAWN:
        return ""
    number = {task.name: f"t{place}" for place, task in enumerate(plan.tasks, 1)}
    lines = ["graph LR"]
    for task in plan.tasks:
        record = figures.tasks.get(task.name)
        word = words.state_word(record.state if record else TaskState.PENDING).word
        lines.append(f'  {number[task.name]}["{_label(task.name)}<br/>{word}"]')
    steps = set(zip(figures.critical, figures.critical[1:], strict=False))
    for task in plan.tasks:
        for need in task.needs:
            if need in number:
                arrow = "==>" if (need, task.name) in steps else "-->"
                lines.append(f"  {number[need]} {arrow} {number[task.name]}")
    body = "\n".join(lines)
    return f"## Graph\n\n```mermaid\n{body}\n```"


def _label(text: str) -> str:
    # Mermaid reads numeric entities with a hash; so no character can end the label.
    return _PLAIN.sub(lambda match: f"#{ord(match[0])};", name(text))


# -- reports -----------------------------------------------------------------------------


def report_markdown(report: Report) -> str:
    """Write a report as Markdown: summary, findings, what each tool did, the sprint."""
    parts = [f"# {escape(report.task)}", escape(report.summary), _findings(report.findings)]
    if report.runs:
        rows = [
            (
                code(run.tool),
                run.status.value.replace("_", " "),
                f"{run.checked:,}",
                words.duration(run.duration_s),
                escape(run.reason or run.settings),
            )
            for run in report.runs[:_ROWS]
        ]
        told = table(
            ("tool", "status", "looked at", "took", "reason or settings"), rows, raw=True
        )
        parts.append(f"## What each tool did\n\n{told}")
    if report.sprint:
        parts.append(f"## Proposed sprint\n\n{_sprint(report.sprint)}")
    return "\n\n".join(filter(None, parts)) + "\n"
