from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from hypernb import tools
from hypernb.abc import Tool, ToolContext
from hypernb.agents import perform
from hypernb.errors import NothingRanError, ToolAbsentError, ToolError
from hypernb.model import AgentWork, Finding, Outcome, Report, RunStatus, Severity, ToolRun
from hypernb.tools import list_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Plant = Callable[[Mapping[str, str]], Path]


def finding(line: int = 1, severity: Severity = Severity.LOW, rule: str = "R1") -> Finding:
    return Finding(
        file="a.py",
        line=line,
        category="lint",
        rule=rule,
        severity=severity,
        message="m",
        tool="fake",
    )


class Fake(Tool):
    name = "fake"
    title = "Fake"

    def __init__(self, answer: ToolRun | Exception) -> None:
        self.answer = answer
        self.seen: list[ToolContext] = []

    def run(self, context: ToolContext) -> ToolRun:
        self.seen.append(context)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


Offer = Any


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Offer tools that answer as told; returns them by name."""

    def put(**answers: ToolRun | Exception) -> dict[str, Fake]:
        made = {name: Fake(answer) for name, answer in answers.items()}
        monkeypatch.setattr("hypernb.agents._perform.tool", made.__getitem__)
        return made

    return put


def ran(*findings: Finding, tool: str = "fake") -> ToolRun:
    return ToolRun(tool=tool, status=RunStatus.RAN, findings=findings)


def done(tmp_path: Path, *names: str, **fields: Any) -> Report:
    context = ToolContext(root=tmp_path, files=(), **fields)
    return perform(agent="qa-engineer", task="t", work=AgentWork(tools=names), context=context)


def test_real_tools_report_in_order(plant: Plant) -> None:
    root = plant({"a.py": "import os\n\nPASSWORD = 'hunter2hunter2'\n"})
    context = ToolContext(root=root, files=list_files(root).files)
    work = AgentWork(tools=("ruff", "bandit"))
    report = perform(agent="backend-specialist", task="lint-code", work=work, context=context)
    assert [run.tool for run in report.runs] == ["ruff", "bandit"]
    assert {each.rule for each in report.findings} == {"F401", "B105"}
    assert {each.agent for each in report.findings} == {"backend-specialist"}


def test_findings_are_sorted_by_harm(tmp_path: Path, offer: Offer) -> None:
    offer(a=ran(finding(9), finding(3), finding(20, Severity.HIGH), finding(3, rule="R0")))
    found = done(tmp_path, "a").findings
    assert [(each.line, each.rule) for each in found] == [
        (20, "R1"),
        (3, "R0"),
        (3, "R1"),
        (9, "R1"),
    ]


def test_each_tool_gets_its_own_arguments(tmp_path: Path, offer: Offer) -> None:
    made = offer(a=ran(), b=ran())
    work = AgentWork(tools=("a", "b"), params={"a": {"limit": 3}})
    perform(agent="x", task="t", work=work, context=ToolContext(root=tmp_path, files=()))
    assert made["a"].seen[0].params == {"limit": 3}
    assert made["b"].seen[0].params == {}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(ToolAbsentError("a"), "it is not installed. pip install", id="absent"),
        pytest.param(
            ToolError("a", "no config.", hint="Mend it."), "no config. Mend", id="failed"
        ),
        pytest.param(ValueError("boom"), "it failed: ValueError: boom", id="raised"),
    ],
)
def test_failed_tool_did_not_run(
    tmp_path: Path, offer: Offer, error: Exception, reason: str
) -> None:
    offer(a=error, b=ran())
    report = done(tmp_path, "a", "b")
    assert report.outcome is Outcome.PARTLY_RAN
    assert report.runs[0].status is RunStatus.DID_NOT_RUN
    assert reason in report.runs[0].reason


def test_unexpected_failure_is_logged(
    tmp_path: Path, offer: Offer, caplog: pytest.LogCaptureFixture
) -> None:
    offer(a=ValueError("boom"), b=ran())
    done(tmp_path, "a", "b")
    assert caplog.records[0].exc_info is not None


def test_nothing_ran_fails_the_task(tmp_path: Path, offer: Offer) -> None:
    offer(a=ToolAbsentError("a"), b=ToolError("b", "cannot collect"))
    with pytest.raises(
        NothingRanError, match="t did not run: a: it is not installed"
    ) as caught:
        done(tmp_path, "a", "b")
    assert caught.value.reasons["b"] == "cannot collect"


def test_unknown_tool_did_not_run(tmp_path: Path) -> None:
    with pytest.raises(NothingRanError, match="No tool is called 'rufff'"):
        done(tmp_path, "rufff")


def test_absent_program_is_no_absence_of_findings(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plant({"a.py": "import os\n"})
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(NothingRanError, match=r"profile-plots: .*not installed"):
        done(root, "profile-plots", inputs={}, outbox=root)


def test_progress_names_tool_and_share(tmp_path: Path, offer: Offer) -> None:
    offer(a=ran(), b=ran())
    said: list[tuple[str, float | None]] = []
    done(tmp_path, "a", "b", report=lambda words, share: said.append((words, share)))
    assert said == [("a", 0.0), ("b", 0.5), ("done", 1.0)]


def idle(tool: str) -> ToolRun:
    return ToolRun(tool=tool, status=RunStatus.NOTHING_TO_CHECK, reason="no SQL here.")


@pytest.mark.parametrize(
    ("answers", "summary"),
    [
        pytest.param({"a": ran()}, "No findings.", id="clean"),
        pytest.param(
            {"a": ran(finding(), finding(2, Severity.HIGH))},
            "2 findings: 1 high and 1 low.",
            id="counts",
        ),
        pytest.param(
            {"a": idle("sql")},
            "Nothing to check. sql had nothing to check: no SQL here.",
            id="idle",
        ),
        pytest.param(
            {"a": ran(finding()), "b": idle("sql"), "c": ToolError("c", "it broke")},
            "1 finding: 1 low. sql had nothing to check: no SQL here. c did not run: it broke.",
            id="mixed",
        ),
        pytest.param(
            {"a": idle("sql"), "b": ToolError("b", "it broke")},
            "Nothing was looked at. sql had nothing to check: no SQL here. "
            "b did not run: it broke.",
            id="nothing-seen",
        ),
    ],
)
def test_summary_says_what_happened(
    tmp_path: Path, offer: Offer, answers: dict[str, Any], summary: str
) -> None:
    offer(**answers)
    assert done(tmp_path, *answers).summary == summary


def test_summing_up_holds_all_runs(tmp_path: Path) -> None:
    part = Report(
        agent="a", task="one", summary="", runs=(ran(finding()),), files={"p.png": "0" * 64}
    )
    report = done(tmp_path, "rank", inputs={"one": part, "two": None}, outbox=tmp_path)
    assert [run.tool for run in report.runs] == ["fake", "two", "rank"]
    assert report.files == part.files
    assert len(report.sprint) == 1


def test_missing_task_is_partly_ran(tmp_path: Path) -> None:
    part = Report(agent="a", task="one", summary="", runs=(ran(),))
    planned = {"two": {"agent": "b", "tools": ["bandit", "detect-secrets"]}}
    context = ToolContext(
        root=tmp_path,
        files=(),
        inputs={"one": part, "two": None},
        failures={"two": "bandit: it is not installed."},
    )
    work = AgentWork(tools=("rank",), params={"rank": {"tasks": planned}})
    report = perform(agent="project-strategist", task="sum", work=work, context=context)
    assert report.outcome is Outcome.PARTLY_RAN
    assert [run.tool for run in report.runs[1:3]] == ["bandit", "detect-secrets"]
    assert report.summary == (
        "No findings. Nothing is known from two: bandit: it is not installed."
    )


def test_every_registered_tool_can_be_made() -> None:
    assert {tools.tool(name).name for name in tools.tool_names() if "profile" in name} == {
        name for name in tools.tool_names() if "profile" in name
    }
