"""Unsafe calls, by bandit itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.model import RunStatus
from hypernb.tools import _programs

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

UNSAFE = "import subprocess\nsubprocess.run('ls', shell=True)\nassert eval('1')\n"


def rules(run: ToolRun) -> list[tuple[str, str, str]]:
    return sorted((f.where, f.rule, f.severity.value) for f in run.findings)


def test_unsafe_calls_are_found(ran: Ran) -> None:
    run = ran("bandit", {"src/a.py": UNSAFE})
    assert rules(run) == [
        ("src/a.py:1", "B404", "low"),
        ("src/a.py:2", "B602", "low"),
        ("src/a.py:2", "B607", "low"),
        ("src/a.py:3", "B101", "low"),
        ("src/a.py:3", "B307", "medium"),
    ]
    assert run.command == "bandit -q -f json --exit-zero <1 file>"


def test_tests_weigh_one_less(ran: Ran) -> None:
    code = "import hashlib\nhashlib.md5(b'')\neval('1')\n"
    here = ran("bandit", {"a.py": code, "tests/a.py": code, "docs/conf.py": code})
    assert rules(here) == [
        ("a.py:2", "B324", "high"),
        ("a.py:3", "B307", "medium"),
        ("docs/conf.py:2", "B324", "medium"),
        ("docs/conf.py:3", "B307", "low"),
        ("tests/a.py:2", "B324", "medium"),
        ("tests/a.py:3", "B307", "low"),
    ]


def test_passwords_are_not_repeated(ran: Ran) -> None:
    code = "password = 'hunter2-it''s'\n\ndef f(token='abc'):\n    g(password='def')\n"
    said = [f.message for f in ran("bandit", {"a.py": code}).findings]
    assert len(said) == 3
    assert set(said) == {"Possible hardcoded password: '…'"}


def test_files_that_do_not_parse_are_named(ran: Ran) -> None:
    run = ran("bandit", {"a.py": "def f(:\n", "b.py": "eval('1')\n", "c.py": b"x='\xff'\n"})
    assert (set(run.facts["skipped"]), run.checked) == ({"a.py", "c.py"}, 1)
    assert run.reason.startswith("Bandit could not read 2 files: a.py (syntax error")


def test_files_that_bandit_leaves_out_are_named(ran: Ran) -> None:
    run = ran("bandit", {"a.py": "x = 1\n", "pkg/.tox/b.py": "eval('1')\n"})
    assert (run.findings, run.facts["left_out"]) == ((), ["pkg/.tox/b.py"])


def test_projects_ini_file_changes_nothing(ran: Ran) -> None:
    run = ran("bandit", {"a.py": "eval('1')\n", ".bandit": "[bandit]\nskips = B307\n"})
    assert [f.rule for f in run.findings] == ["B307"]


def test_odd_names_are_no_options(ran: Ran) -> None:
    run = ran("bandit", {"-r.py": "eval('1')\n", "@x y.py": "eval('1')\n"})
    assert [f.file for f in run.findings] == ["-r.py", "@x y.py"]


def test_many_files_go_in_batches(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_programs, "_BATCH_BYTES", 60)
    run = ran("bandit", {f"file_{n}.py": "eval('1')\n" for n in range(7)})
    assert (len(run.findings), run.checked) == (7, 7)


def test_clean_tree_ran_without_findings(ran: Ran) -> None:
    run = ran("bandit", {"a.py": "x = 1\n"})
    assert (run.status, run.findings, run.reason) == (RunStatus.RAN, (), "")


def test_tree_without_python_has_nothing_to_check(ran: Ran) -> None:
    assert ran("bandit", {"a.txt": ""}).status is RunStatus.NOTHING_TO_CHECK
