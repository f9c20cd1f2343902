from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ConfigError, ToolError
from hypernb.model import RunStatus, Severity
from hypernb.tools import list_files
from hypernb.tools._suite import suite_command
from hypernb.tools._tests import COVERAGE_FILE, SuiteTool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypernb.model import ToolRun

    Tree = Callable[..., Path]

# The plugins of this environment take seconds to load, and no test here needs one.
PYTEST = [sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload"]
PASSING = {
    "app/__init__.py": "",
    "app/sums.py": "def add(a, b):\n    return a + b\n\ndef unused():\n    return 1\n",
    "tests/test_sums.py": (
        "from app.sums import add\n\ndef test_adds():\n    assert add(1, 2) == 3\n"
    ),
}
FAILING = (
    "from app.sums import add\n\ndef test_adds():\n    one = 1\n    assert add(one, 2) == 4\n\n"
    "class TestMore:\n    def test_fine(self):\n        pass\n\n"
    "def test_broken(missing_fixture):\n    pass\n"
)


def run(root: Path, *, outbox: Path | None = None, **params: Any) -> ToolRun:
    listing = list_files(root)
    given = suite_command(root)
    if given["source"] == "default":
        given["command"] = PYTEST
    given |= params
    context = ToolContext(root=root, files=listing.files, params=given, outbox=outbox)
    return SuiteTool().run(context)


def shell(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def everything_below(root: Path) -> list[str]:
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if ".git" not in path.parts
    )


def test_passing_suite_has_no_findings(tree: Tree) -> None:
    done = run(tree(PASSING, git=False))

    assert done.status is RunStatus.RAN
    assert done.findings == ()
    assert {
        key: done.facts[key] for key in ("passed", "failed", "skipped", "coverage_percent")
    } == {
        "passed": 1,
        "failed": 0,
        "skipped": 0,
        "coverage_percent": 75.0,
    }


def test_nothing_is_left_below_the_root(tree: Tree, tmp_path: Path) -> None:
    root = tree({**PASSING, "pyproject.toml": "[tool.pytest.ini_options]\n"}, git=False)
    before = everything_below(root)
    outbox = tmp_path / "outbox"
    outbox.mkdir()

    run(root, outbox=outbox)

    assert everything_below(root) == before
    assert [path.name for path in outbox.iterdir()] == [COVERAGE_FILE]


def test_failing_and_broken_tests_are_named(tree: Tree) -> None:
    done = run(tree({**PASSING, "tests/test_sums.py": FAILING}, git=False), coverage=False)

    places = [(found.where, found.rule, found.severity) for found in done.findings]
    assert places == [
        ("tests/test_sums.py:5", "failing-test", Severity.HIGH),
        ("tests/test_sums.py:11", "broken-test", Severity.HIGH),
    ]
    assert "test_adds fails: assert 3 == 4" in done.findings[0].message
    assert (done.facts["passed"], done.facts["errors"]) == (1, 1)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        pytest.param(
            {"tests/test_a.py": "import no_such_module_here\n"},
            "the tests cannot be collected: tests/test_a.py: ModuleNotFoundError: "
            "No module named 'no_such_module_here'",
            id="collection",
        ),
        pytest.param(
            {
                "tests/test_a.py": "def test_a(): pass\n",
                "conftest.py": "raise ValueError('no')\n",
            },
            "ValueError: no",
            id="conftest",
        ),
        pytest.param(
            {
                "tests/test_a.py": "def test_a(): pass\n",
                ".hypernb/config.toml": '[tests]\ncommand = "pytest --no-such-option"\n',
            },
            "pytest cannot be started like this: ",
            id="option",
        ),
        pytest.param(
            {"tests/test_a.py": "import os\n\ndef test_a():\n    os.kill(os.getpid(), 9)\n"},
            "it was ended by SIGKILL",
            id="signal",
        ),
        pytest.param(
            {
                "tests/test_a.py": "",
                ".hypernb/config.toml": "[tests]\ncommand = 'pytest'\ninterpreter = 'no/py'\n",
            },
            "there is no interpreter ",
            id="interpreter",
        ),
    ],
)
def test_suite_without_verdict_did_not_run(
    tree: Tree, files: dict[str, str], reason: str
) -> None:
    with pytest.raises(ToolError) as caught:
        run(tree(files, git=False), coverage=False)

    assert caught.value.tool == "tests"
    assert reason in caught.value.reason
    assert "config.toml" in caught.value.hint


def test_suite_beyond_its_time_did_not_run(tree: Tree) -> None:
    waits = "import threading\n\ndef test_a():\n    threading.Event().wait(60)\n"

    with pytest.raises(ToolError, match="not done after 2 s"):
        run(tree({"tests/test_a.py": waits}, git=False), coverage=False, timeout_s=2)


def test_no_collected_tests_are_nothing_to_check(tree: Tree) -> None:
    done = run(tree({"tests/test_a.py": "x = 1\n"}, git=False), coverage=False)

    assert done.status is RunStatus.NOTHING_TO_CHECK
    assert done.reason == "No tests were collected."


def test_tree_without_tests_is_nothing_to_check(tree: Tree) -> None:
    done = run(tree({"app.py": "x = 1\n"}, git=False))

    assert done.status is RunStatus.NOTHING_TO_CHECK
    assert done.reason == "There are no test files."


def test_command_outside_the_plan_is_refused(tree: Tree) -> None:
    root = tree(PASSING, git=False)
    context = ToolContext(root=root, files=list_files(root).files)

    with pytest.raises(ToolError, match="the plan does not say which command"):
        SuiteTool().run(context)


@pytest.mark.parametrize(
    ("code", "rules"),
    [
        pytest.param("", [], id="success"),
        pytest.param("raise SystemExit('3 checks failed')", ["suite-failed"], id="failure"),
    ],
)
def test_exit_code_of_another_command_decides(tree: Tree, code: str, rules: list[str]) -> None:
    done = run(tree({"a.txt": ""}, git=False), command=shell(code))

    assert [found.rule for found in done.findings] == rules
    assert done.status is RunStatus.RAN


def test_suite_sees_no_secrets(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "hunter22")
    assert "SOME_API_KEY" in os.environ

    done = run(tree({}, git=False), command=shell("import os; os.environ['SOME_API_KEY']"))

    assert "'SOME_API_KEY'" in done.findings[0].message


# --- choosing the command ---------------------------------------------------------------


def test_default_command_is_pytest_of_this_interpreter(tree: Tree) -> None:
    chosen = suite_command(tree(PASSING, git=False))

    assert chosen["command"] == [sys.executable, "-m", "pytest", "-q"]
    assert (chosen["source"], chosen["timeout_s"]) == ("default", 300.0)


def test_own_interpreter_with_pytest_is_preferred(tree: Tree) -> None:
    root = tree(PASSING, git=False)
    (root / ".venv/lib/python3.12/site-packages/pytest").mkdir(parents=True)
    (root / ".venv/bin").mkdir()
    (root / ".venv/bin/python").symlink_to(sys.executable)

    assert suite_command(root)["command"][0] == str(root / ".venv/bin/python")


@pytest.mark.parametrize(
    ("config", "command"),
    [
        pytest.param(
            'command = "pytest -x tests"', ["PY", "-m", "pytest", "-x", "tests"], id="text"
        ),
        pytest.param('command = ["python", "run.py"]', ["PY", "run.py"], id="list"),
        pytest.param('command = "make test"', ["make", "test"], id="other-program"),
    ],
)
def test_configuration_names_the_command(tree: Tree, config: str, command: list[str]) -> None:
    root = tree({".hypernb/config.toml": f"[tests]\ntimeout_s = 9\n{config}\n"}, git=False)

    chosen = suite_command(root)

    assert chosen["command"] == [sys.executable if word == "PY" else word for word in command]
    assert (chosen["source"], chosen["timeout_s"]) == (".hypernb/config.toml", 9.0)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        pytest.param("[tests", "cannot be read", id="no-toml"),
        pytest.param("tests = 3", "tests is no table", id="no-table"),
        pytest.param("[tests]\ncomand = 'x'", "Did you mean 'command'?", id="near-miss"),
        pytest.param("[tests]\ncommand = 3", "neither a text nor a list", id="no-command"),
        pytest.param("[tests]\ncommand = ''", "command is empty", id="empty-command"),
        pytest.param(
            '[tests]\ncommand = "a \'b"', "neither a text nor a list", id="open-quote"
        ),
        pytest.param("[tests]\ntimeout_s = 'x'", "timeout_s is no number", id="no-number"),
        pytest.param("[tests]\ntimeout_s = -1", "timeout_s is -1", id="no-time"),
        pytest.param("[tests]\ncoverage = 1", "neither true nor false", id="no-switch"),
        pytest.param("[tests]\ninterpreter = 1", "interpreter is no text", id="no-path"),
    ],
)
def test_configuration_without_meaning_is_refused(tree: Tree, config: str, words: str) -> None:
    root = tree({".hypernb/config.toml": config}, git=False)

    with pytest.raises(ConfigError) as caught:
        suite_command(root)

    assert words in str(caught.value)


def test_description_names_command_and_limit() -> None:
    params = {"command": ["python", "-m", "pytest", "-k", "a b"], "timeout_s": 60}

    assert SuiteTool().describe(params) == (
        "runs python -m pytest -k 'a b' (with coverage, at most 60 s)"
    )
    assert SuiteTool().describe({"command": [], "reason": "There are no test files."}) == (
        "runs no test suite: There are no test files."
    )
