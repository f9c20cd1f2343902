"""Hostile files are counted or named, and end no tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

HOSTILE = {
    "attributes.py": "x = a" + ".b" * 20_000,
    "big.py": b"\0" * (6 * 1024 * 1024),
    "binary.py": bytes(range(256)) * 20,
    "brackets.py": "x = " + "(" * 5000,
    "encoding.py": "# -*- coding: nope -*-\nx = 1\n",
    "empty.ipynb": "",
    "list.ipynb": "[1, 2]",
    "minus.py": "x = " + "-" * 20_000 + "1",
    "nul.py": "x = 1\0\n",
    "quotes.js": '"' * 50_000 + " // TODO",
    "stars.c": "/*" * 50_000,
    "wide.py": "import os".encode("utf-16"),
    "good.py": "import os\npassword = 'correct" + "horsebatterystaple'  # TODO\n",
}
PYTHON = ("imports", "modules", "vulture", "bandit")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=name)
        for name in (*PYTHON, "scan", "ruff", "complexity", "detect-secrets")
    ],
)
def test_good_file_is_seen_among_hostile_ones(ran: Ran, name: str) -> None:
    # Detect-secrets reads a large file of nothing to its end, which only takes time.
    left_out = {"big.py"} if name == "detect-secrets" else set()
    run = ran(name, {file: text for file, text in HOSTILE.items() if file not in left_out})
    assert run.status is RunStatus.RAN
    assert len(run.reason) < 2000
    if name not in {"imports", "modules", "complexity"}:
        assert "good.py" in {finding.file for finding in run.findings}


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in PYTHON])
def test_hostile_files_are_named(ran: Ran, name: str) -> None:
    run = ran(name, HOSTILE)
    named = run.facts.get("unparsable") or run.facts["skipped"]
    assert set(named) == {file for file in HOSTILE if file.endswith(".py")} - {"good.py"}
    assert run.checked == 1


def test_file_that_crashes_ruff_is_named(ran: Ran) -> None:
    run = ran("ruff", {"minus.py": HOSTILE["minus.py"], "a.py": "import os\n"})
    assert (run.facts["crashed"], run.checked) == (["minus.py"], 1)
    assert [finding.file for finding in run.findings] == ["a.py"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, id=name) for name in (*PYTHON, "complexity")]
)
def test_nothing_but_broken_files_is_no_clean_bill(ran: Ran, name: str) -> None:
    run = ran(name, {"a.py": "def f(:\n"})
    assert (run.status, run.checked) == (RunStatus.NOTHING_TO_CHECK, 0)
    assert "a.py" in run.reason
