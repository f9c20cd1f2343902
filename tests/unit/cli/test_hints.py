"""Hints on the command line name what can be typed there, those in a notebook its magics."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hypernb
from hypernb.cli._commands import hypernb as commands
from hypernb.cli._main import run
from hypernb.magics._verbs import VERBS
from hypernb.views import as_commands
from tests.model_server import ModelServer, says

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(hypernb.__file__).parent
NOTEBOOK_ONLY = ("magics", "widgets")
MAGIC = re.compile(r"(?<!%)%hyper ([a-z]+)")
COMMAND = re.compile(r"\bhypernb ([a-z]+)")


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "app.py").write_text("import os\n")
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path))
    monkeypatch.setenv("HYPERNB_DB", str(tmp_path / "store.db"))
    monkeypatch.chdir(project)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name in ("HYPERNB_MODEL", "HYPERNB_MODE", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def texts(*, but: tuple[str, ...]) -> Iterator[Any]:
    """Yield each text of the package that is no docstring; what is filled in is an X."""
    for file in sorted(PACKAGE.rglob("*.py")):
        if but and file.relative_to(PACKAGE).parts[0] in but:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        inside = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                inside.add(id(node.value))
        for node in ast.walk(tree):
            if id(node) not in inside and (text := text_of(node)):
                yield pytest.param(
                    text, id=f"{file.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
                )


def text_of(node: Any) -> str:
    """Return what a node of the syntax tree says; empty if it is no text."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "X" for part in node.values)
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(node.value) if is_text else ""


def is_sentence(text: str) -> bool:
    """Tell whether a text names commands, and is no name of a thread."""
    return bool(COMMAND.search(text)) and ("." in text or ";" in text)


MAGICAL = [each for each in texts(but=NOTEBOOK_ONLY) if "%hyper " in str(each.values[0])]
SENTENCES = [each for each in texts(but=("cli",)) if is_sentence(str(each.values[0]))]


def test_hints_are_found() -> None:
    assert len(MAGICAL) > 40


@pytest.mark.parametrize("text", MAGICAL)
def test_hint_in_a_terminal_names_commands_that_there_are(text: str) -> None:
    told = as_commands(text)
    assert "%hyper" not in told.replace("there: %hyper attach", "")
    assert "before the kernel starts" not in told
    assert set(COMMAND.findall(told)) <= commands.commands.keys()


@pytest.mark.parametrize("text", MAGICAL)
def test_hint_in_a_notebook_names_verbs_that_there_are(text: str) -> None:
    assert set(MAGIC.findall(text)) <= VERBS.keys()


@pytest.mark.parametrize("text", SENTENCES)
def test_hint_in_a_notebook_names_no_command_for_which_there_is_a_magic(text: str) -> None:
    assert not set(COMMAND.findall(text)) & VERBS.keys()


def told(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    run(line.split())
    said = capsys.readouterr()
    return " ".join(f"{said.out} {said.err}".split())


LINES = (
    "run --goal Look",
    "run --goal Look --model ollam:a",
    "run --goal Look --model work",
    "run --goal Look --model gone --budget 1",
    "show",
    "show m-9",
    "events",
    "status",
    "models",
    "models work",
    "doctor --model work",
    "wait m-1 --timeout 0",
    "result m-1",
    "rewind m-1",
    "edit m-1",
    "diff m-1",
    "why m-1/t1",
    "sql drop",
    "export m-1 /",
)


@pytest.mark.parametrize("line", LINES)
def test_command_line_names_no_magic(
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "config.toml").write_text(
        '[profiles.work]\nbase_url = "https://models.example/v1"\nkey = "WORK_KEY"\n'
        'model = "large"\n'
    )
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-the-tests")
    with ModelServer(says("No."), models=("scripted",)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        run(["run", "--goal", "Look"])
        first = capsys.readouterr().out
        assert "hypernb approve m-1" in first
        assert "%hyper" not in f"{first}{told(line, capsys)}"


def test_plan_without_a_model_says_how_to_name_one_in_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = told("run --goal Look", capsys)
    assert "--model NAME, HYPERNB_MODEL, or" in said
    assert "hypernb models PROFILE lists what a server offers" in said
