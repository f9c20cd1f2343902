"""Lint and complexity, by ruff itself."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ToolAbsentError, ToolError
from hypernb.model import Finding, RunStatus, ToolRun
from hypernb.tools import _programs, _ruff, list_files, tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Ran = Callable[..., ToolRun]

BRANCHY = "def f(x):\n" + "".join(f"    if x == {n}:\n        return {n}\n" for n in range(12))
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Title"]},
            {
                "cell_type": "code",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": ["x = 1\n", "import os"],
            },
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
)


def places(run: ToolRun) -> list[tuple[str, str]]:
    return [(finding.where, finding.rule) for finding in run.findings]


def test_plain_rules_without_configuration(ran: Ran) -> None:
    run = ran("ruff", {"a.py": "import os\nx = undefined\nprint( 1 )\n"})
    assert places(run) == [("a.py:1", "F401"), ("a.py:2", "F821")]
    assert [f.severity.value for f in run.findings] == ["low", "medium"]
    assert "E4,E7,E9,F" in run.settings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("ruff.toml", '[lint]\nselect = ["T20"]', id="ruff.toml"),
        pytest.param(".ruff.toml", '[lint]\nselect = ["T20"]', id="hidden"),
        pytest.param("pyproject.toml", '[tool.ruff.lint]\nselect = ["T20"]', id="pyproject"),
    ],
)
def test_own_configuration_is_used(ran: Ran, name: str, text: str) -> None:
    run = ran("ruff", {"a.py": "import os\nprint(1)\n", name: text})
    assert places(run) == [("a.py:2", "T201")]
    assert name in run.settings


def test_pyproject_without_ruff_is_no_configuration(ran: Ran) -> None:
    run = ran("ruff", {"a.py": "import os\n", "pyproject.toml": "[project]\nname='x'"})
    assert "no configuration" in run.settings


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[tool.ruff.lint]\nselect = ['NOPE']", id="unknown-rule"),
        pytest.param("[tool.ruff\n", id="no-toml"),
        pytest.param("[tool.ruff]\nrequired-version = '==0.0.1'", id="other-version"),
    ],
)
def test_broken_configuration_is_told_in_ruffs_words(ran: Ran, text: str) -> None:
    with pytest.raises(
        ToolError, match="ruff did not run: it ended with exit code 2: ruff fail"
    ):
        ran("ruff", {"a.py": "import os\n", "pyproject.toml": text})


def test_syntax_errors_are_grave_findings(ran: Ran) -> None:
    run = ran("ruff", {"a.py": "def f(:\n"})
    assert {(f.rule, f.severity.value) for f in run.findings} == {("invalid-syntax", "high")}


def test_notebook_findings_name_the_cell(ran: Ran) -> None:
    run = ran("ruff", {"a.ipynb": NOTEBOOK})
    assert [(f.rule, f.cell, f.line) for f in run.findings] == [("E402", 2, 2), ("F401", 2, 2)]


def test_files_that_are_not_listed_are_left_out(ran: Ran) -> None:
    run = ran("ruff", {"a.py": "x = 1\n", "node_modules/b.py": "import os\n"}, git=False)
    assert (run.findings, run.checked) == ((), 1)


def test_files_that_ruff_leaves_out_are_named(ran: Ran) -> None:
    config = 'exclude = ["old"]'
    run = ran("ruff", {"a.py": "x = 1\n", "old/b.py": "import os\n", "ruff.toml": config})
    assert (run.findings, run.checked) == ((), 1)
    assert run.reason == "Left out by ruff's settings: old/b.py."


def test_files_left_out_of_lint_only_are_quiet(ran: Ran) -> None:
    config = '[lint]\nexclude = ["old/*"]\n'
    run = ran("ruff", {"a.py": "import re\n", "old/b.py": "import os\n", "ruff.toml": config})
    assert places(run) == [("a.py:1", "F401")]


def test_pyproject_is_checked_where_ruff_does(ran: Ran) -> None:
    config = '[project]\nname = 1\n[tool.ruff.lint]\nselect = ["RUF200"]\n'
    run = ran("ruff", {"a.py": "x = 1\n", "pyproject.toml": config})
    assert [(f.file, f.rule) for f in run.findings] == [("pyproject.toml", "RUF200")]


def test_untracked_files_are_not_read(tree: Callable[..., Path]) -> None:
    root = tree({"a.py": "x = 1\n"})
    (root / "b.py").write_text("import os\n")
    listing = list_files(root)
    run = tool("ruff").run(ToolContext(root=root, files=listing.files))
    assert (run.findings, run.checked) == ((), 1)


def test_many_files_go_in_batches(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_programs, "_BATCH_BYTES", 60)
    run = ran("ruff", {f"file_{n}.py": "import os\n" for n in range(7)})
    assert (len(run.findings), run.checked) == (7, 7)


def test_all_files_left_out_is_no_clean_bill(ran: Ran) -> None:
    run = ran("ruff", {"old/b.py": "import os\n", "ruff.toml": 'exclude = ["old"]'})
    assert run.status is RunStatus.NOTHING_TO_CHECK
    assert run.reason == "Ruff's settings leave out all 1 file."


def test_configuration_that_fixes_changes_nothing(ran: Ran, tree: Callable[..., Path]) -> None:
    files = {"a.py": "import os\n", "ruff.toml": "fix = true\nfix-only = true\n"}
    run = ran("ruff", files)
    root = tree({})
    assert places(run) == [("a.py:1", "F401")]
    assert (root / "a.py").read_text() == "import os\n"
    assert not (root / ".ruff_cache").exists()


def test_tree_without_python_has_nothing_to_check(ran: Ran) -> None:
    run = ran("ruff", {"a.txt": "x"})
    assert (run.status, run.reason) == (
        RunStatus.NOTHING_TO_CHECK,
        "There are no Python files or notebooks.",
    )


def test_clean_tree_ran_without_findings(ran: Ran) -> None:
    run = ran("ruff", {"a.py": "x = 1\n"})
    assert (run.status, run.findings, run.reason) == (RunStatus.RAN, (), "")
    assert (run.version, run.checked) == (version("ruff"), 1)
    assert run.command.startswith("ruff check --output-format json --no-cache")


def test_absent_ruff_is_told(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_distribution: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(_programs, "version", absent)
    with pytest.raises(ToolAbsentError, match="ruff did not run: it is not installed"):
        ran("ruff", {"a.py": "x = 1\n"})


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        pytest.param("F821", "medium", id="undefined-name"),
        pytest.param("F401", "low", id="unused-import"),
        pytest.param("FBT001", "low", id="another-letter"),
        pytest.param("E902", "medium", id="unreadable"),
        pytest.param("E501", "low", id="style"),
        pytest.param("S602", "medium", id="security"),
        pytest.param("S101", "low", id="assert"),
        pytest.param("B006", "medium", id="bugbear"),
        pytest.param("invalid-syntax", "high", id="syntax"),
    ],
)
def test_rules_weigh_by_their_harm(rule: str, severity: str) -> None:
    assert _ruff.severity_of(rule).value == severity


def test_complex_functions_are_found(ran: Ran) -> None:
    run = ran("complexity", {"a.py": BRANCHY, "b.py": "x = 1\n"})
    found: tuple[Finding, ...] = run.findings
    assert [(f.where, f.rule, f.category) for f in found] == [("a.py:1", "C901", "complexity")]
    assert "limit 10" in run.settings


def test_complexity_limit_is_a_parameter(ran: Ran) -> None:
    assert ran("complexity", {"a.py": BRANCHY}, max_complexity=20).findings == ()


def test_complexity_is_not_reported_twice(ran: Ran) -> None:
    files = {"a.py": BRANCHY, "ruff.toml": '[lint]\nselect = ["C901"]\n'}
    run = ran("complexity", files)
    assert (run.status, run.settings) == (RunStatus.NOTHING_TO_CHECK, "C901 is on in ruff.toml")


def test_complexity_of_broken_files_is_unknown(ran: Ran) -> None:
    run = ran("complexity", {"a.py": "def f(:\n", "b.py": "x = 1\n"})
    assert (run.findings, run.reason) == ((), "Could not be parsed: a.py.")
