"""What a model is told of its task: the same words on every machine, and data in fences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._fences import FENCES, fence, shortened
from hypernb.agents._words import listed, number
from hypernb.model import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hypernb.abc import ToolContext
    from hypernb.agents._answers import Form
    from hypernb.agents._assignment import Assignment
    from hypernb.model import AgentWork, Finding

OUTPUTS_AT_MOST: Final = 48_000
"""Characters of the outputs of other tasks that a model is shown, all together."""

_OUTPUT_AT_LEAST: Final = 1_000
_OUTPUT_AT_MOST: Final = 16_000
_FINDINGS_AT_MOST: Final = 100
_NAMES_AT_MOST: Final = 50
_PARTS_AT_LEAST: Final = 3  # "/" and "/tmp" stand in too many texts


def system_prompt(assignment: Assignment, *, form: Form) -> str:
    """Return who a model is, how it works, and in which form it answers."""
    work = assignment.work
    bounds = f"You may give {number(work.steps, 'answer')} at most"
    if work.tools and work.calls:
        bounds += f", and call tools {number(work.calls, 'time')} at most"
    parts = [
        f"You are {assignment.agent}, one of a crew that works for a person in a notebook.",
        work.prompt.strip(),
        FENCES,
        (
            f"{bounds}. Call no tool again with the same arguments: it says the same. Report "
            "only what a tool, a file or a value shows, and say what you could not find out."
        ),
        f"When you are done, {form.words}.",
    ]
    return "\n\n".join(filter(None, parts))


def task_prompt(assignment: Assignment) -> str:
    """Return what a model is to do, and what it is given for it."""
    work, context = assignment.work, assignment.context
    parts = [f"Your task, {assignment.task}:\n{assignment.goal.strip()}"]
    if check := assignment.check.strip():
        parts.append(f"It counts as done when this holds: {check}")
    if context.files:
        parts.append(f"{number(len(context.files), 'file')} can be read.")
    parts += _outputs(work, context)
    parts += _variables(work, context)
    return "\n\n".join(parts)


def _outputs(work: AgentWork, context: ToolContext) -> Iterator[str]:
    names = sorted({*context.inputs, *context.failures} - set(work.variables))
    if not names:
        return
    yield f"Outputs of the tasks before yours: {listed(names[:_NAMES_AT_MOST])}."
    each = min(max(OUTPUTS_AT_MOST // len(names), _OUTPUT_AT_LEAST), _OUTPUT_AT_MOST)
    for name in names[:_NAMES_AT_MOST]:
        said = _output(name, context)
        whole = portable(redacted(said), context)
        yield fence(f"output of {name}", shortened(whole, each))
    if len(names) > _NAMES_AT_MOST:
        yield f"{len(names) - _NAMES_AT_MOST:,} more outputs are not shown."


def _output(name: str, context: ToolContext) -> str:
    value = context.inputs.get(name)
    if value is None and name in context.failures:
        return f"There is none: {context.failures[name]}"
    if isinstance(value, str):
        return value
    if isinstance(value, Report):
        return _report(value)
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1)
    except (TypeError, ValueError, RecursionError):
        return _described(name, value)


def _described(name: str, value: Any) -> str:
    from hypernb.model import Grant
    from hypernb.tools import describe_variable

    return describe_variable(name, value, Grant()).text


def _report(report: Report) -> str:
    runs = [
        f"{run.tool}: {run.status.value.replace('_', ' ')}"
        + (f" ({run.reason.strip()})" if run.reason.strip() else "")
        for run in report.runs
    ]
    worst_first = sorted(report.findings, key=lambda found: -found.severity.rank)
    lines = [_finding(each) for each in worst_first[:_FINDINGS_AT_MOST]]
    if more := len(worst_first) - len(lines):
        lines.append(f"… {number(more, 'more finding')}")
    return "\n".join([report.summary, *runs, *lines])


def _finding(finding: Finding) -> str:
    place = f"{finding.where} " if finding.where else ""
    return f"{finding.severity.value} {place}{finding.rule}: {finding.message}"


def _variables(work: AgentWork, context: ToolContext) -> Iterator[str]:
    from hypernb.tools import describe_variable

    seen = {name: context.inputs[name] for name in work.variables if name in context.inputs}
    for name in sorted(seen):
        described = describe_variable(name, seen[name], work.variables[name])
        yield fence(f"variable {name}", described.text)


def portable(text: str, context: ToolContext) -> str:
    """Return a text without the folder that the project lies in on this machine."""
    root = str(context.root)
    if len(context.root.parts) < _PARTS_AT_LEAST:
        return text
    return text.replace(f"{root}/", "").replace(root, ".")


def redacted(text: str) -> str:
    """Return a text without what looks like a secret."""
    from hypernb.redact import redact

    return redact(text).text


def brief_arguments(arguments: Mapping[str, Any] | str, limit: int) -> str:
    """Return a call's arguments as an event shows them: in a line, cut, without secrets."""
    said = (
        arguments
        if isinstance(arguments, str)
        else json.dumps(dict(arguments), sort_keys=True, ensure_ascii=False)
    )
    begin = said if len(said) <= 20 * limit else f"{said[: 20 * limit]}…"
    return shortened(redacted(begin), limit)
