"""A report says what was found, and tells nothing found from nothing known."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hypernb.model import Finding, Outcome, Report, RunStatus, Severity, ToolRun


def finding(**fields: Any) -> Finding:
    given = {
        "file": "src/app.py",
        "category": "lint",
        "rule": "F401",
        "severity": "low",
        "message": "'os' is not used",
        "tool": "ruff",
    }
    return Finding.model_validate(given | fields)


def ran(*findings: Finding, **fields: Any) -> ToolRun:
    return ToolRun(tool="ruff", status=RunStatus.RAN, findings=findings, **fields)


def empty(status: RunStatus) -> ToolRun:
    return ToolRun(tool="vulture", status=status, reason="not installed")


def report(*runs: ToolRun, task: str = "lint") -> Report:
    return Report(agent="backend-specialist", task=task, summary="Done.", runs=runs)


ABSENT = empty(RunStatus.DID_NOT_RUN)
NOTHING = empty(RunStatus.NOTHING_TO_CHECK)


@pytest.mark.parametrize(
    ("runs", "outcome"),
    [
        pytest.param([ran(finding())], Outcome.FINDINGS, id="findings"),
        pytest.param([ran()], Outcome.NO_FINDINGS, id="no-findings"),
        pytest.param([ran(), NOTHING], Outcome.NO_FINDINGS, id="one-had-nothing"),
        pytest.param([NOTHING], Outcome.NOTHING_TO_CHECK, id="nothing-to-check"),
        pytest.param([], Outcome.NOTHING_TO_CHECK, id="no-tools"),
        pytest.param([ABSENT], Outcome.DID_NOT_RUN, id="did-not-run"),
        pytest.param([ABSENT, ran()], Outcome.PARTLY_RAN, id="partly-ran"),
        pytest.param([ABSENT, ran(finding())], Outcome.PARTLY_RAN, id="partly-with-findings"),
        pytest.param([ABSENT, NOTHING], Outcome.PARTLY_RAN, id="absent-and-nothing"),
    ],
)
def test_outcome_never_claims_too_much(runs: list[ToolRun], outcome: Outcome) -> None:
    assert report(*runs).outcome is outcome


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        pytest.param({"line": 12}, "src/app.py:12", id="line"),
        pytest.param({}, "src/app.py", id="file"),
        pytest.param({"file": "a.ipynb", "cell": 3, "line": 2}, "a.ipynb#cell-3:2", id="cell"),
        pytest.param({"file": ""}, "", id="tree"),
    ],
)
def test_place_is_one_word(fields: dict[str, Any], where: str) -> None:
    assert finding(**fields).where == where


def test_severities_are_ranked() -> None:
    assert sorted(Severity, key=lambda severity: severity.rank) == [
        Severity.LOW,
        Severity.MEDIUM,
        Severity.HIGH,
        Severity.CRITICAL,
    ]


def test_unknown_severity_is_refused() -> None:
    with pytest.raises(ValidationError, match="severity"):
        finding(severity="awful")


def test_findings_keep_the_order_of_tools() -> None:
    one, other = finding(line=9), finding(line=1)
    assert report(ran(one), NOTHING, ran(other)).findings == (one, other)


def test_own_report_leaves_out_other_tasks() -> None:
    mine, theirs = ran(task="rank"), ran(finding(), task="lint")
    assert report(mine, theirs, task="rank").own().runs == (mine,)


def test_report_without_others_is_its_own() -> None:
    whole = report(ran(), ran(task="lint"))
    assert whole.own() is whole


def test_frame_has_one_row_each() -> None:
    frame = report(ran(finding(line=1), finding(line=2))).to_frame()
    assert list(frame["line"]) == [1, 2]
    assert list(frame.columns) == list(Finding.model_fields)


def test_frame_without_findings_has_columns() -> None:
    assert list(report(ran()).to_frame().columns) == list(Finding.model_fields)
