from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ToolError
from hypernb.model import Finding, Report, RunStatus, Severity, SprintItem, ToolRun
from hypernb.tools import tool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECURITY = {"category": "security", "tool": "bandit", "agent": "security-engineer"}


def found(file: str = "src/app.py", line: int = 1, **fields: Any) -> Finding:
    given: dict[str, Any] = {
        "category": "lint",
        "rule": "F401",
        "severity": Severity.LOW,
        "message": "`os` is imported and not used",
        "tool": "ruff",
        "agent": "backend-specialist",
        **fields,
    }
    return Finding(file=file, line=line, **given)


def password(file: str = "src/app.py", line: int = 3) -> Finding:
    message = "Possible hardcoded password"
    return found(file, line, rule="B105", severity=Severity.MEDIUM, message=message, **SECURITY)


def report(*findings: Finding) -> Report:
    run = ToolRun(tool="x", status=RunStatus.RAN, findings=findings)
    return Report(agent="a", task="t", summary="", runs=(run,))


def context(root: Path, inputs: dict[str, Any], **fields: Any) -> ToolContext:
    return ToolContext(root=root, files=(), inputs=inputs, outbox=root, **fields)


def ranked(root: Path, *findings: Finding) -> dict[str, Any]:
    return tool("rank").run(context(root, {"one": report(*findings)})).facts


def sprint(root: Path, *findings: Finding) -> list[SprintItem]:
    return [SprintItem.model_validate(item) for item in ranked(root, *findings)["sprint"]]


def titles(items: Sequence[SprintItem]) -> list[str]:
    return [item.title for item in items]


def test_title_names_what_and_where(tmp_path: Path) -> None:
    item = sprint(tmp_path, password(line=3), password(line=9))[0]
    assert item.title == "Remove 2 hardcoded passwords in src/app.py"
    assert item.findings == ("src/app.py:3", "src/app.py:9")
    assert (item.agent, item.effort) == ("security-engineer", "about half an hour")


def test_why_tells_gain_and_worst(tmp_path: Path) -> None:
    item = sprint(tmp_path, password())[0]
    assert item.why == (
        "It is harmless or a hole, depending on where its input comes from. "
        "Here: Possible hardcoded password (src/app.py:3)."
    )


def test_several_files_are_counted(tmp_path: Path) -> None:
    rows = [found(f"src/{n}.py", rule="X1") for n in range(4)]
    others = [password(), found(rule="F841")]
    assert "Fix 4 lint problems (X1) in 4 files, first of all src/0.py" in titles(
        sprint(tmp_path, *rows, *others)
    )


def test_unknown_category_is_named(tmp_path: Path) -> None:
    item = sprint(tmp_path, found(category="prose", tool="vale", rule="P1"))[0]
    assert item.title == "Settle 1 prose finding (P1) in src/app.py"


def test_finding_about_the_whole_tree(tmp_path: Path) -> None:
    item = sprint(tmp_path, found("", 0, rule="no-readme", category="docs", tool="scan"))[0]
    assert item.title == "Write a README"
    assert item.findings == ()


def many(rules: int, files: int = 1) -> list[Finding]:
    return [
        found(f"src/{name}.py", line, rule=f"R{rule}")
        for rule in range(rules)
        for name in range(files)
        for line in range(1, 4)
    ]


@pytest.mark.parametrize(
    ("findings", "size"),
    [
        pytest.param([], 0, id="none"),
        pytest.param(many(1), 1, id="one-rule-one-file"),
        pytest.param(many(2), 2, id="two-rules"),
        pytest.param(many(1, files=3), 3, id="one-rule-three-files"),
        pytest.param(many(2, files=2), 3, id="two-rules-two-files"),
        pytest.param(many(9, files=5), 3, id="plenty"),
    ],
)
def test_sprint_has_three_tasks(tmp_path: Path, findings: list[Finding], size: int) -> None:
    items = sprint(tmp_path, *findings)
    assert len(items) == size
    assert len(set(titles(items))) == size


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        pytest.param(found(rule="A", severity=Severity.HIGH), found(rule="B"), id="severity"),
        pytest.param(password(), found(severity=Severity.MEDIUM), id="kind"),
        pytest.param(password(), password("tests/test_app.py"), id="tests-count-less"),
        pytest.param(password(), password("docs/conf.py"), id="docs-count-less"),
        pytest.param(
            found(
                "tests/test_a.py",
                rule="failing-test",
                tool="tests",
                category="tests",
                severity=Severity.HIGH,
            ),
            found(severity=Severity.HIGH, rule="E999"),
            id="failing-test-before-lint",
        ),
    ],
)
def test_harm_decides_the_order(tmp_path: Path, worse: Finding, better: Finding) -> None:
    places = sprint(tmp_path, better, worse)
    assert places[0].findings == (worse.where,)


def test_no_number_of_trifles_outranks_a_password(tmp_path: Path) -> None:
    trifles = [found(f"src/{n}.py", line) for n in range(50) for line in range(1, 100)]
    assert "password" in sprint(tmp_path, *trifles, password())[0].title


def test_rules_that_fire_everywhere_weigh_little(tmp_path: Path) -> None:
    asserts = [found(line=n, rule="B101", **SECURITY) for n in range(1, 90)]
    assert sprint(tmp_path, *asserts, found(rule="F841"))[0].title.startswith("Remove 1 unused")


def test_more_places_weigh_more(tmp_path: Path) -> None:
    few, lots = [found(rule="A")], [found(line=n, rule="B") for n in range(1, 9)]
    assert [line["rule"] for line in ranked(tmp_path, *few, *lots)["ranking"]] == ["B", "A"]


def test_sprint_prefers_different_kinds(tmp_path: Path) -> None:
    unsafe = [
        found(line=n, rule=f"B60{n}", severity=Severity.MEDIUM, **SECURITY) for n in range(1, 5)
    ]
    chosen = sprint(tmp_path, *unsafe, found(line=30, severity=Severity.HIGH, rule="E999"))
    assert [item.agent for item in chosen].count("backend-specialist") == 1


def test_one_place_is_not_proposed_twice(tmp_path: Path) -> None:
    secret = found(
        line=3,
        rule="secret-keyword",
        category="secret",
        tool="detect-secrets",
        severity=Severity.HIGH,
        agent="security-engineer",
    )
    chosen = sprint(tmp_path, secret, password(line=3), found(line=8), found(line=9, rule="E1"))
    assert not any("password" in title for title in titles(chosen))


def test_order_of_findings_does_not_matter(tmp_path: Path) -> None:
    findings = [*many(5, files=3), password(), password("b.py"), found("z.py", rule="E722")]
    first = ranked(tmp_path, *findings)
    random.Random(3).shuffle(findings)  # noqa: S311 - a shuffle, nothing secret
    assert ranked(tmp_path, *findings) == first


def test_all_findings_are_counted(tmp_path: Path) -> None:
    facts = ranked(tmp_path, password(), found(), found(line=2))
    assert facts["counts"]["severity"] == {"critical": 0, "high": 0, "medium": 1, "low": 2}
    assert facts["counts"]["category"] == {"lint": 2, "security": 1}
    assert facts["counts"]["agent"] == {"backend-specialist": 2, "security-engineer": 1}


def test_sprint_is_left_as_a_file(tmp_path: Path) -> None:
    facts = ranked(tmp_path, password("src/naïve.py"))
    left = json.loads((tmp_path / "proposed_sprint.json").read_text("utf-8"))
    assert left == facts
    assert "naïve" in left["sprint"][0]["title"]


def test_long_lists_of_places_are_cut(tmp_path: Path) -> None:
    item = sprint(tmp_path, *[found(line=n) for n in range(1, 502)])[0]
    assert len(item.findings) == 200
    assert item.why.endswith("301 further places are not listed here.")


def test_failed_task_is_missing_with_reason(tmp_path: Path) -> None:
    planned = {"two": {"agent": "qa-engineer", "tools": ["tests"]}, "three": {}}
    given = context(
        tmp_path,
        {"one": report(), "two": None},
        params={"tasks": planned},
        failures={"two": "tests: cannot be collected."},
    )
    assert tool("rank").run(given).facts["missing"] == [
        {
            "task": "three",
            "agent": "",
            "tools": [],
            "reason": "its task failed or was cancelled",
        },
        {
            "task": "two",
            "agent": "qa-engineer",
            "tools": ["tests"],
            "reason": "tests: cannot be collected.",
        },
    ]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        pytest.param({}, "no task before it hands over a report", id="no-needs"),
        pytest.param(
            {"one": None}, "anything to report (one: its task failed", id="all-failed"
        ),
    ],
)
def test_nothing_to_rank_is_said(tmp_path: Path, inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        tool("rank").run(context(tmp_path, inputs))
    assert said in str(caught.value)
