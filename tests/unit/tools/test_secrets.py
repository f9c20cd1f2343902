"""Secrets, by detect-secrets itself; they are found and never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus
from hypernb.tools import _programs

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

# Put together here, so that this file holds no secret.
AWS = "AKIA" + "IOSFODNN7EXAMPLF"
WORD = "correct" + "horsebatterystaple"
LEAKY = f'key = "{AWS}"\npassword = "{WORD}"\n'


def test_secrets_are_found_by_kind(ran: Ran) -> None:
    run = ran("detect-secrets", {"src/a.py": LEAKY})
    assert [(f.where, f.rule, f.severity.value) for f in run.findings] == [
        ("src/a.py:1", "aws-access-key", "high"),
        ("src/a.py:2", "secret-keyword", "high"),
    ]
    assert run.command == "detect-secrets scan --no-verify <1 file>"


def test_secrets_themselves_go_nowhere(ran: Ran) -> None:
    said = ran("detect-secrets", {"a.py": LEAKY}).model_dump_json()
    assert AWS not in said
    assert WORD not in said


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("tests/a.py", id="tests"),
        pytest.param("docs/guide.txt", id="docs"),
        pytest.param("README.md", id="prose"),
        pytest.param("pkg/test_login.py", id="test-file"),
    ],
)
def test_secrets_beside_the_code_weigh_little(ran: Ran, file: str) -> None:
    run = ran("detect-secrets", {file: LEAKY})
    assert {f.severity.value for f in run.findings} == {"low"}


def test_allowed_lines_are_allowed(ran: Ran) -> None:
    run = ran("detect-secrets", {"a.py": f'key = "{AWS}"  # pragma: allowlist secret\n'})
    assert (run.status, run.findings) == (RunStatus.RAN, ())


def test_files_that_are_not_text_are_named(ran: Ran) -> None:
    run = ran("detect-secrets", {"a.bin": b"\xff\xfe\0", "a.py": "x = 1\n"})
    assert (run.checked, run.facts) == (1, {"not_text": ["a.bin"]})
    assert run.reason == "Not UTF-8 text, so not searched: 1 file (a.bin)."


def test_odd_names_are_no_options(ran: Ran) -> None:
    run = ran("detect-secrets", {"-c.py": LEAKY, "--string": LEAKY, "a b.txt": LEAKY})
    assert {f.file for f in run.findings} == {"-c.py", "--string", "a b.txt"}


def test_many_files_go_in_batches(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_programs, "_BATCH_BYTES", 60)
    run = ran("detect-secrets", {f"file_{n}.txt": LEAKY for n in range(5)})
    assert (len(run.findings), run.checked) == (10, 5)


def test_tree_without_text_has_nothing_to_check(ran: Ran) -> None:
    assert ran("detect-secrets", {"a.bin": b"\xff"}).status is RunStatus.NOTHING_TO_CHECK
