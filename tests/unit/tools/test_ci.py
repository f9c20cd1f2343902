from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

WORKFLOW = ".github/workflows/ci.yml"
CLEAN = """on: [push]
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: x/y@1234567890123456789012345678901234567890
      - run: make test
      - run: echo "${{ secrets.KEY }}" | docker login --password-stdin
"""


def workflow(steps: str, on: str = "push") -> dict[str, str]:
    return {
        WORKFLOW: f"on: {on}\npermissions: {{}}\njobs:\n  a:\n    steps:\n      - {steps}\n"
    }


def test_clean_workflow_has_no_findings(ran: Ran) -> None:
    run = ran("ci", {WORKFLOW: CLEAN, ".gitlab-ci.yml": "a: {script: !reference [b, c]}\n"})

    assert run.findings == ()
    assert run.facts["services"] == ["GitHub Actions", "GitLab CI"]


@pytest.mark.parametrize(
    ("files", "rule", "line"),
    [
        pytest.param(workflow("uses: a/b@main"), "action-on-branch", 6, id="branch"),
        pytest.param(workflow("uses: a/b@v1"), "action-by-tag", 6, id="tag"),
        pytest.param({WORKFLOW: "on: push\njobs: {a: {}}"}, "no-permissions", 1, id="rights"),
        pytest.param(
            workflow("run: echo ${{ secrets.KEY }}"), "secret-echoed", 6, id="secret-echoed"
        ),
        pytest.param(
            workflow("run: echo ${{ github.event.issue.title }}"),
            "script-injection",
            6,
            id="injection",
        ),
        pytest.param(
            workflow(
                "uses: actions/checkout@v4\n        with:\n"
                "          ref: ${{ github.event.pull_request.head.sha }}",
                on="pull_request_target",
            ),
            "untrusted-checkout",
            8,
            id="checkout",
        ),
        pytest.param({WORKFLOW: "on: [push\njobs: {}\n"}, "yaml-error", 2, id="no-yaml"),
        pytest.param({".gitlab-ci.yml": "a: [\n"}, "yaml-error", 2, id="gitlab"),
    ],
)
def test_each_problem_is_found(ran: Ran, files: dict[str, str], rule: str, line: int) -> None:
    run = ran("ci", files)

    assert [(each.rule, each.line) for each in run.findings] == [(rule, line)]


def test_repository_without_ci_is_named(ran: Ran) -> None:
    run = ran("ci", {f"m{number}.py": "" for number in range(6)})

    assert [(each.rule, each.file) for each in run.findings] == [("no-ci", "")]


def test_folder_that_is_no_repository_is_left_alone(ran: Ran) -> None:
    run = ran("ci", {f"m{number}.py": "" for number in range(6)}, git=False)

    assert run.status is RunStatus.NOTHING_TO_CHECK


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\0\1", id="binary"),
        pytest.param(b"{" * 5_000, id="deep-nesting"),
        pytest.param(b"on: &o {jobs: *o}\njobs: *o\n", id="alias-of-itself"),
        pytest.param(b"jobs: 3\n", id="other-shape"),
        pytest.param(b"jobs: {a: {steps: [1, [2], {run: [3]}]}}\n", id="other-shapes-inside"),
    ],
)
def test_hostile_workflow_never_ends_it(ran: Ran, content: bytes) -> None:
    assert ran("ci", {WORKFLOW: content, ".travis.yml": "a: b"}).status is RunStatus.RAN
