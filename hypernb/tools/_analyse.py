"""Analysers as tools that a model calls: without arguments, told in counts and findings."""

from collections import Counter
from typing import Any, Final

from hypernb.abc import Tool, ToolContext
from hypernb.model import Finding, Severity, ToolRun
from hypernb.redact import covered_values
from hypernb.tools._functions import ANSWER_AT_MOST, FunctionTool, ToolAnswer
from hypernb.tools._reading import shown
from hypernb.tools._scope import shown_text

FINDINGS_AT_MOST: Final = 100
"""Findings that a model is told; the report has all of them."""

_TIMEOUT_S: Final = 600.0
_FACTS_AT_MOST: Final = 4_000


def analyser_tool(analyser: Tool) -> FunctionTool:
    """Return an analyser as a tool that a model can call.

    What it works with is what the plan says (`ToolContext.params`): a model has no say in it.
    """

    def look(context: ToolContext) -> ToolAnswer:
        run = analyser.run(context)
        # What it found in a file is told no further than the file itself would be.
        return ToolAnswer(covered_values(_told(run), shown_text), run)

    return FunctionTool(
        look,
        name=analyser.name,
        description=f"{analyser.title}. Returns findings; takes no arguments.",
        timeout_s=_TIMEOUT_S,
    )


def _told(run: ToolRun) -> dict[str, Any]:
    worst_first = sorted(
        run.findings, key=lambda found: (-found.severity.rank, found.file, found.line)
    )
    lines: list[str] = []
    room = ANSWER_AT_MOST - _FACTS_AT_MOST - 1_000
    for finding in worst_first[:FINDINGS_AT_MOST]:
        line = _line(finding)
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    counts = Counter(found.severity for found in run.findings)
    told: dict[str, Any] = {
        "tool": run.tool,
        "status": run.status.value,
        "reason": shown(run.reason, 1_000),
        "checked": run.checked,
        "settings": run.settings[:500],
        "findings": {each.value: counts[each] for each in Severity if counts[each]},
        "worst_first": lines,
        "facts": run.facts if len(str(run.facts)) <= _FACTS_AT_MOST else {},
    }
    if more := len(run.findings) - len(lines):
        told["not_shown"] = more
    return {name: value for name, value in told.items() if value not in ("", {}, [])}


def _line(finding: Finding) -> str:
    return f"{finding.severity.value} {finding.where} {finding.rule}: {finding.message}"
