"""Ranking: what all tasks found, by the harm it can do, and the next three pieces of work."""

from __future__ import annotations

import json
import math
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.abc import Tool
from hypernb.errors import ToolError
from hypernb.model import Report, RunStatus, Severity, SprintItem, ToolRun
from hypernb.tools._rank_themes import EFFORTS, RULES, THEMES, TRIFLES, UNKNOWN, Theme
from hypernb.tools._reading import is_side_path, is_test_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hypernb.abc import ToolContext
    from hypernb.model import Finding

SPRINT_FILE: Final = "proposed_sprint.json"
SPRINT_SIZE: Final = 3

_RANKED_AT_MOST: Final = 100
_PLACES_AT_MOST: Final = 200
_MESSAGE_AT_MOST: Final = 160

# What one finding weighs. Steps of five and more, so that no number of unused imports
# outranks a password; tests and documents are not what attackers and users meet.
_SEVERITY: Final = {
    Severity.CRITICAL: 1000.0,
    Severity.HIGH: 200.0,
    Severity.MEDIUM: 40.0,
    Severity.LOW: 5.0,
}
_ASIDE: Final = 0.2
_SAME_CATEGORY: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Group:
    """Findings that one piece of work would settle, worst first."""

    findings: tuple[Finding, ...]
    score: float

    @property
    def tool(self) -> str:
        return self.findings[0].tool

    @property
    def category(self) -> str:
        return self.findings[0].category

    @property
    def rule(self) -> str:
        """Its rule, or nothing if there are several."""
        rules = {finding.rule for finding in self.findings}
        return self.findings[0].rule if len(rules) == 1 else ""

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.where for finding in self.findings if finding.file))

    @property
    def files(self) -> Counter[str]:
        return Counter(finding.file for finding in self.findings)

    @property
    def order(self) -> tuple[float, str, str, str, str]:
        return (-self.score, self.category, self.tool, self.rule, self.findings[0].file)


class RankTool(Tool):
    """Ranks the findings of the tasks before it, and proposes a sprint of three tasks.

    Parameters: ``tasks``, what was planned: by task name, its ``agent`` and its ``tools``.
    A planned task that reported nothing is named as missing, with the reason.
    """

    name: ClassVar[str] = "rank"
    title: ClassVar[str] = (
        f"Rank findings by severity, kind and spread; propose three tasks ({SPRINT_FILE})"
    )

    def run(self, context: ToolContext) -> ToolRun:
        """Rank.

        Raises:
            ToolError: No task before it reported anything.
        """
        began = time.monotonic()
        reports = {
            task: value
            for task, value in sorted(context.inputs.items())
            if isinstance(value, Report)
        }
        missing = _missing(context)
        if not reports:
            raise ToolError(self.name, _nothing_to_rank(missing))
        findings = [each for report in reports.values() for each in report.findings]
        groups = _grouped(findings)
        sprint = [_item(group) for group in _choose(groups)]
        facts = {
            "counts": _counts(findings),
            "ranking": [_line(group) for group in groups[:_RANKED_AT_MOST]],
            "missing": missing,
            "sprint": [item.model_dump(mode="json") for item in sprint],
        }
        _write(context, facts)
        return ToolRun(
            tool=self.name,
            status=RunStatus.RAN,
            settings=(
                "severity times kind of problem; a fifth in tests, docs and examples; "
                "more for many findings and many files"
            ),
            checked=len(findings),
            duration_s=time.monotonic() - began,
            facts=facts,
        )


def _missing(context: ToolContext) -> list[dict[str, Any]]:
    planned: Mapping[str, Mapping[str, Any]] = context.params.get("tasks", {})
    empty = {task for task, value in context.inputs.items() if value is None}
    return [
        {
            "task": task,
            "agent": planned.get(task, {}).get("agent", ""),
            "tools": list(planned.get(task, {}).get("tools", ())),
            "reason": context.failures.get(task) or "its task failed or was cancelled",
        }
        for task in sorted(empty | (planned.keys() - context.inputs.keys()))
    ]


def _nothing_to_rank(missing: Sequence[Mapping[str, Any]]) -> str:
    if not missing:
        return "no task before it hands over a report"
    said = "; ".join(f"{each['task']}: {each['reason']}" for each in missing)
    return f"no task before it has anything to report ({said})"


def _grouped(findings: Iterable[Finding]) -> list[_Group]:
    """Group by category and rule, the most harmful first; by file too if that is too few."""
    by_rule: defaultdict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        rule = "" if _theme(finding).whole else finding.rule
        by_rule[finding.tool, finding.category, rule].append(finding)
    groups = [_group(found) for found in by_rule.values()]
    while len(groups) < SPRINT_SIZE:
        wide = [group for group in groups if len(group.files) > 1]
        if not wide:
            break
        group = min(wide, key=lambda each: each.order)
        groups.remove(group)
        groups += _split(group)
    return sorted(groups, key=lambda each: each.order)


def _theme(finding: Finding) -> Theme:
    return THEMES.get(finding.tool) or THEMES.get(finding.category, UNKNOWN)


def _group(findings: Iterable[Finding]) -> _Group:
    worst_first = sorted(
        findings, key=lambda each: (-_points(each), each.file, each.cell or 0, each.line)
    )
    top = _points(worst_first[0])
    files = len({each.file for each in worst_first})
    spread = math.log2(len(worst_first)) / 10 + math.log2(files) / 10
    return _Group(tuple(worst_first), round(top * (1 + spread), 3))


def _split(group: _Group) -> list[_Group]:
    """Take the file with the most findings out of a group."""
    busiest = min(group.files, key=lambda name: (-group.files[name], name))
    inside = [each for each in group.findings if each.file == busiest]
    outside = [each for each in group.findings if each.file != busiest]
    return [_group(part) for part in (inside, outside)]


def _points(finding: Finding) -> float:
    weight = _theme(finding).weight * TRIFLES.get(finding.rule, 1.0)
    # A failing test stands in a test file by nature.
    here = finding.category in ("tests", "docs") or not _is_aside(finding.file)
    factor = 1.0 if here else _ASIDE
    return _SEVERITY[finding.severity] * weight * factor


@lru_cache(maxsize=100_000)
def _is_aside(file: str) -> bool:
    return is_test_path(file) or is_side_path(file)


def _choose(groups: Sequence[_Group]) -> list[_Group]:
    """Take the best three, but rather of different kinds and at different places."""
    left = list(groups)
    chosen: list[_Group] = []
    while left and len(chosen) < SPRINT_SIZE:
        taken = {group.category for group in chosen}
        covered = {place for group in chosen for place in group.places}

        def worth(
            group: _Group, taken: set[str] = taken, covered: set[str] = covered
        ) -> tuple[bool, float, tuple[float, str, str, str, str]]:
            score = group.score * (_SAME_CATEGORY if group.category in taken else 1.0)
            again = bool(group.places) and covered.issuperset(group.places)
            return again, -score, group.order

        best = min(left, key=worth)
        left.remove(best)
        chosen.append(best)
    return chosen


def _item(group: _Group) -> SprintItem:
    worst = group.findings[0]
    theme = _theme(worst)
    number = len(group.findings)
    agents = Counter(finding.agent for finding in group.findings)
    return SprintItem(
        title=_title(group, theme),
        why=f"{theme.why} {_worst(worst, number)}{_cut(group)}",
        agent=min(agents, key=lambda name: (-agents[name], name)),
        severity=max((each.severity for each in group.findings), key=lambda each: each.rank),
        findings=group.places[:_PLACES_AT_MOST],
        effort=_effort(theme.minutes * number),
    )


def _title(group: _Group, theme: Theme) -> str:
    if group.rule in RULES:
        verb, one, many = RULES[group.rule]
        if not many:
            return f"{verb} {one}"
        what = _number(len(group.findings), one, many)
    else:
        verb = theme.verb
        one, many = theme.one, theme.many
        if theme is UNKNOWN:
            one, many = f"{group.category} {one}", f"{group.category} {many}"
        named = f" ({group.rule})" if group.rule and group.rule != group.category else ""
        what = f"{_number(len(group.findings), one, many)}{named}"
    return f"{verb} {what} {_where(group)}"


def _where(group: _Group) -> str:
    files = group.files
    first = group.findings[0].file or "the whole tree"
    if len(files) == 1:
        return f"in {first}"
    return f"in {len(files):,} files, first of all {first}"


def _worst(finding: Finding, number: int) -> str:
    message = " ".join(finding.message.split())
    if len(message) > _MESSAGE_AT_MOST:
        message = f"{message[:_MESSAGE_AT_MOST].rstrip()}…"
    place = f" ({finding.where})" if finding.where else ""
    return f"{'The worst' if number > 1 else 'Here'}: {message.rstrip('.')}{place}."


def _cut(group: _Group) -> str:
    more = len(group.places) - _PLACES_AT_MOST
    return f" {more:,} further places are not listed here." if more > 0 else ""


def _number(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _effort(minutes: float) -> str:
    return next((words for limit, words in EFFORTS if minutes <= limit), "more than a week")


def _counts(findings: Sequence[Finding]) -> dict[str, dict[str, int]]:
    severities = Counter(each.severity for each in findings)
    worst_first = sorted(Severity, key=lambda each: -each.rank)
    return {
        "severity": {each.value: severities[each] for each in worst_first},
        "category": dict(sorted(Counter(each.category for each in findings).items())),
        "agent": dict(sorted(Counter(each.agent for each in findings).items())),
    }


def _line(group: _Group) -> dict[str, Any]:
    return {
        "category": group.category,
        "tool": group.tool,
        "rule": group.rule,
        "count": len(group.findings),
        "files": len(group.files),
        "score": group.score,
        "worst": group.findings[0].where,
    }


def _write(context: ToolContext, facts: Mapping[str, Any]) -> None:
    if context.outbox is None:
        return
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    context.outbox.joinpath(SPRINT_FILE).write_text(
        f"{text}\n", encoding="utf-8", errors="backslashreplace"
    )
