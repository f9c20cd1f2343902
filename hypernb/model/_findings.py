"""What agents report: findings, the tools that were run for them, and reports."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, JsonValue

if TYPE_CHECKING:
    import pandas as pd

_FROZEN = ConfigDict(frozen=True, extra="forbid")

# Checked where they are made: a report with facts that JSON does not hold could be stored as a
# pickle only, and its findings would then be out of reach of search and SQL.
if TYPE_CHECKING:
    Facts = dict[str, Any]
else:
    Facts = dict[str, JsonValue]


class Severity(StrEnum):
    """How much harm a finding can do."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return ("low", "medium", "high", "critical").index(self.value)


class Finding(BaseModel):
    """One problem at one place.

    Attributes:
        file: Path relative to the mission's root, with forward slashes; empty if the
            finding is about the whole tree.
        line: From 1; 0 if it is about the whole file. For notebooks, the line within the
            cell that ``cell`` names.
        category: What it is about: ``lint``, ``security``, ``secret``, ``todo`` ...
        rule: The tool's own name for the rule: ``F401``, ``B602`` ...
        tool: What found it.
        agent: Who reports it.
        cell: Number of the notebook cell, from 1, or None.
    """

    model_config = _FROZEN
    file: str
    line: int = 0
    category: str
    rule: str
    severity: Severity
    message: str
    tool: str
    agent: str = ""
    cell: int | None = None

    @property
    def where(self) -> str:
        """The place in one word: ``src/app.py:12``."""
        place = f"{self.file}#cell-{self.cell}" if self.cell else self.file
        return f"{place}:{self.line}" if self.line else place


class RunStatus(StrEnum):
    """Whether a tool was run; three different answers, never mixed up.

    ``ran``: it looked and its findings, perhaps none, are the answer. ``nothing_to_check``:
    it is there, and the tree has nothing that it could look at. ``did_not_run``: it is
    absent or it failed, and nothing is known.
    """

    RAN = "ran"
    NOTHING_TO_CHECK = "nothing_to_check"
    DID_NOT_RUN = "did_not_run"


class ToolRun(BaseModel):
    """What one tool did for one task.

    Attributes:
        task: The task it was run for.
        reason: Why it did not run or had nothing to check; if it ran, which files it could
            not look at, or empty.
        command: The command line, where a process was started.
        settings: The settings that decide the outcome, in words.
        checked: How many files (or rows, functions ...) it looked at.
        duration_s: In seconds.
        facts: What it measured, JSON values only.
    """

    model_config = _FROZEN
    tool: str
    status: RunStatus
    task: str = ""
    reason: str = ""
    version: str = ""
    command: str = ""
    settings: str = ""
    checked: int = 0
    duration_s: float = 0.0
    findings: tuple[Finding, ...] = ()
    facts: Facts = {}


class Outcome(StrEnum):
    """A report in a word or two."""

    FINDINGS = "findings"
    NO_FINDINGS = "no findings"
    NOTHING_TO_CHECK = "nothing to check"
    PARTLY_RAN = "partly ran"
    DID_NOT_RUN = "did not run"
    SUMMED_UP = "summed up"


class SprintItem(BaseModel):
    """One proposed piece of work.

    Attributes:
        title: An imperative: what to do.
        why: What is gained, in a sentence.
        agent: Who would do it.
        findings: Places of the findings it settles.
        effort: In words: ``about an hour``.
    """

    model_config = _FROZEN
    title: str
    why: str
    agent: str
    severity: Severity
    findings: tuple[str, ...] = ()
    effort: str = ""


class Report(BaseModel):
    """The output of an agent's task; of a whole audit, when the strategist sums up.

    Attributes:
        summary: What was done and found, in one or two sentences.
        runs: What each tool did. In a summing-up report, those of all tasks.
        sprint: The proposed next tasks; only in a summing-up report.
        files: Digests of further files that the task left, by file name.
    """

    model_config = _FROZEN
    agent: str
    task: str
    summary: str
    runs: tuple[ToolRun, ...] = ()
    sprint: tuple[SprintItem, ...] = ()
    facts: Facts = {}
    files: dict[str, str] = {}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all its tools, in their order."""
        return tuple(finding for run in self.runs for finding in run.findings)

    def own(self) -> Report:
        """Return the report without what other tasks' tools did.

        A summing-up report repeats what its needs found; counting both would count twice.
        """
        runs = tuple(run for run in self.runs if run.task in ("", self.task))
        return self if len(runs) == len(self.runs) else self.model_copy(update={"runs": runs})

    @property
    def sums_up(self) -> bool:
        """Whether it repeats what other tasks found."""
        return any(run.task not in ("", self.task) for run in self.runs)

    @property
    def outcome(self) -> Outcome:
        """The report in a word; ``no findings`` only if every tool could look."""
        statuses = {run.status for run in self.runs}
        if statuses == {RunStatus.DID_NOT_RUN}:
            return Outcome.DID_NOT_RUN
        if RunStatus.DID_NOT_RUN in statuses:
            return Outcome.PARTLY_RAN
        if self.findings:
            return Outcome.FINDINGS
        if RunStatus.RAN in statuses:
            return Outcome.NO_FINDINGS
        return Outcome.NOTHING_TO_CHECK

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a DataFrame, one row each, columns as `Finding`'s fields."""
        import pandas as pd

        rows = [finding.model_dump(mode="json") for finding in self.findings]
        return pd.DataFrame(rows, columns=list(Finding.model_fields))
