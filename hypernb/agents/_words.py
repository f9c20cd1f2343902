"""Words for reports: counts by severity, and what could not be looked at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypernb.model import RunStatus, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hypernb.model import Finding, ToolRun


def number(count: int, word: str, plural: str = "") -> str:
    """Write a count with its noun: ``1 finding``, ``1,200 findings``."""
    return f"{count:,} {word if count == 1 else plural or word + 's'}"


def listed(words: Sequence[str]) -> str:
    """Join words for people.

    Example:
        >>> listed(["ruff", "vulture", "bandit"])
        'ruff, vulture and bandit'
    """
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def counts(findings: Iterable[Finding]) -> str:
    """Say how many findings there are, and how severe.

    Returns:
        ``No findings``, or ``12 findings: 2 high and 10 low``.
    """
    by_severity = Counter(finding.severity for finding in findings)
    if not by_severity:
        return "No findings"
    worst_first = sorted(Severity, key=lambda severity: -severity.rank)
    parts = [f"{by_severity[each]:,} {each.value}" for each in worst_first if by_severity[each]]
    return f"{number(by_severity.total(), 'finding')}: {listed(parts)}"


def summarise(runs: Sequence[ToolRun]) -> str:
    """Say in plain words what a task's tools found, and which of them could not look."""
    findings = [finding for run in runs for finding in run.findings]
    idle = [run for run in runs if run.status is RunStatus.NOTHING_TO_CHECK]
    absent = [run for run in runs if run.status is RunStatus.DID_NOT_RUN]
    if runs and len(idle) == len(runs):
        first = "Nothing to check"
    elif len(idle) + len(absent) == len(runs):
        first = "Nothing was looked at"
    else:
        first = counts(findings)
    sentences = [f"{first}."]
    sentences += [f"{run.tool} had nothing to check{_because(run)}" for run in idle]
    sentences += [f"{run.tool} did not run{_because(run)}" for run in absent]
    return " ".join(sentences)


def sum_up(runs: Sequence[ToolRun], sprint: int, missing: Sequence[Mapping[str, Any]]) -> str:
    """Say what all tasks found together, what is proposed, and what nobody looked at."""
    findings = [finding for run in runs for finding in run.findings]
    gone = {name for gap in missing for name in gap.get("tools", ())}
    absent = [
        run for run in runs if run.status is RunStatus.DID_NOT_RUN and run.tool not in gone
    ]
    sentences = [f"{counts(findings)}."]
    if sprint:
        proposed = number(sprint, "piece of work is", "pieces of work are")
        sentences.append(f"{proposed} proposed.")
    sentences += [
        f"Nothing is known from {gap['task']}: {_flat(gap['reason'])}" for gap in missing
    ]
    sentences += [f"{run.tool} did not run{_because(run)}" for run in absent]
    return " ".join(sentences)


def _flat(reason: str) -> str:
    return f"{' '.join(reason.split()).rstrip('.')}."


def _because(run: ToolRun) -> str:
    return f": {_flat(run.reason)}" if run.reason.strip() else "."
