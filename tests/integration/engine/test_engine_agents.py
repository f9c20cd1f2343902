"""Agents' tasks in workers: scope, findings, files and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb import codec
from hypernb.model import Digest, Report
from hypernb.plan import Plan

if TYPE_CHECKING:
    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

pytestmark = pytest.mark.timeout(120)


def project(bench: Bench) -> None:
    (bench.root / "src").mkdir()
    (bench.root / "tests").mkdir()
    text = "# TODO: count the rows\nimport subprocess\nsubprocess.call('ls', shell=True)\n"
    (bench.root / "src" / "app.py").write_text(text)
    (bench.root / "tests" / "test_app.py").write_text("# TODO: test the rows\n")


def report_of(bench: Bench, mission: object, name: str) -> Report:
    report = bench.output(mission, name)
    assert isinstance(report, Report)
    return report


def test_findings_of_an_agent_are_rows(bench: Bench) -> None:
    project(bench)
    plan = Plan("audit", root=bench.root)
    plan.add("security", agent="security-engineer", goal="Look", tools=["bandit"])
    mission = bench.run(plan)
    task = bench.tasks(mission)["security"]
    found = bench.store.findings(mission.id)
    assert (task.state, task.outcome, task.findings) == ("succeeded", "findings", len(found))
    assert {(each.file, each.line, each.rule) for each in found} >= {("src/app.py", 3, "B602")}


def test_scope_bounds_what_is_read(bench: Bench) -> None:
    project(bench)
    plan = Plan("audit", root=bench.root, scope=["src/"])
    plan.add("scan", agent="project-strategist", goal="Look", tools=["scan"])
    mission = bench.run(plan)
    files = {each.file for each in bench.store.findings(mission.id)}
    assert files - {""} == {"src/app.py"}  # "" is about the tree as a whole


def test_files_of_an_agent_are_artifacts(bench: Bench) -> None:
    project(bench)
    plan = Plan("audit", root=bench.root)
    plan.add("scan", agent="project-strategist", goal="Look", tools=["scan"])
    plan.add("rank", agent="project-strategist", goal="Rank", tools=["rank"], needs=["scan"])
    mission = bench.run(plan)
    files = report_of(bench, mission, "rank").files
    record, data = bench.store.artifact(Digest(files["proposed_sprint.json"]))
    assert record.media_type == codec.JSON
    assert codec.decode(record.media_type, data)


def test_agent_without_a_working_tool_says_why(bench: Bench) -> None:
    plan = Plan("audit", root=bench.root / "gone")
    plan.add("scan", agent="project-strategist", goal="Look", tools=["scan"])
    mission = bench.run(plan)
    assert mission.state == "failed"
    assert "gone" in mission.error
