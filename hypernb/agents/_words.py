"""Words for reports: counts by severity, and what could not be looked at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypernb.model import RunStatus, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def _because(run: ToolRun) -> str:
    reason = " ".join(run.reason.split())
    return f": {reason.rstrip('.')}." if reason else "."
