"""The command line as a real process: outcomes, exit codes, one-line errors."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from hypernb import Plan, Session
from hypernb.model import MissionState
from tests.model_server import ModelServer, says
from tests.pages import IN_A_TERMINAL, block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DONE, FAILED, MISUSE, CANNOT = 0, 1, 2, 3

WATCH = """
import os, sys

def tell(said):
    with open(os.environ["WATCHED"], "a") as file:
        file.write(said + "\\n")

def watch(event, values):
    host = ""
    if event == "socket.getaddrinfo":
        host = str(values[0])
    elif event == "socket.connect" and isinstance(values[1], tuple):
        host = str(values[1][0])
    if host and not host.startswith(("127.", "::1", "localhost")):
        tell(f"host {host}")

words = sys.orig_argv
tell("began " + (words[words.index("-m") + 1] if "-m" in words else words[0]))
sys.addaudithook(watch)
"""
"""What each Python process tells: which program began, and which host it looks for."""

pytestmark = pytest.mark.timeout(180)


class Terminal:
    """A folder with a store of its own, and ``hypernb`` run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.database = folder / "store" / "h.db"
        self.environment = {
            **{name: value for name, value in os.environ.items() if "KEY" not in name},
            "HYPERNB_DB": str(self.database),
            "HYPERNB_HOME": str(folder / "home"),
            "COLUMNS": "100",
        }

    def hypernb(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        return subprocess.run(
            [sys.executable, "-m", "hypernb", *words],
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def missions(self) -> int:
        """Count the missions in the store, without hypernb."""
        if not self.database.exists():
            return 0
        with closing(sqlite3.connect(self.database)) as connection:
            return int(connection.execute("select count(*) from missions").fetchone()[0])


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal whose runner is ended afterwards."""
    made = Terminal(tmp_path)
    made.database.parent.mkdir()
    made.folder.mkdir()
    (made.folder / "notes.md").write_text("# Notes\n")
    yield made
    if made.database.exists():
        made.hypernb("stop")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small git repository with a known flaw of each of a few kinds."""
    root = tmp_path / "repo"
    root.mkdir()
    (root / "app.py").write_text(
        "import os\n"  # unused: F401
        "import subprocess\n\n\n"
        "# TODO: check the input\n"
        "def run(command):\n"
        "    return subprocess.call(command, shell=True)\n"
    )
    (root / "README.md").write_text("# App\n\nSee [the guide](missing.md).\n")
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=root, check=True, timeout=30)
    return root


def test_audit_writes_outcome_as_json(terminal: Terminal, repository: Path) -> None:
    done = terminal.hypernb("run", "repo-audit", str(repository), "--yes", "--json", "out.json")
    assert done.returncode == DONE, done.stderr
    outcome = json.loads((terminal.folder / "out.json").read_text())
    assert outcome["status"] == "succeeded"
    assert {finding["file"] for finding in outcome["findings"]} >= {"app.py", "README.md"}
    assert {(each["rule"], each["line"]) for each in outcome["findings"]} >= {
        ("F401", 1),
        ("TODO", 5),
        ("B602", 7),
    }
    assert {task["agent"] for task in outcome["tasks"]} == {
        "project-strategist",
        "system-architect",
        "backend-specialist",
        "frontend-specialist",
        "database-architect",
        "qa-engineer",
        "devops-engineer",
        "security-engineer",
    }
    assert len(outcome["sprint"]) == 3


def test_commands_of_the_readme_do_what_it_says(terminal: Terminal, repository: Path) -> None:
    terminal.folder = repository
    lines = [
        shlex.split(line, comments=True) for line in block(IN_A_TERMINAL).body.splitlines()
    ]
    for _, *words in lines:
        done = terminal.hypernb(*words)
        assert done.returncode == DONE, f"{words}: {done.stdout}{done.stderr}"
    assert json.loads((repository / "audit.json").read_text())["status"] == "succeeded"
    assert terminal.missions() == 2


def test_without_a_model_nothing_leaves_the_machine(
    terminal: Terminal, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    said = tmp_path / "asked"
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    watched = {"PYTHONPATH": paths, "WATCHED": str(said)}
    words = ("run", "repo-audit", str(repository), "--yes", "--no-tests")
    assert terminal.hypernb(*words, **watched).returncode == DONE
    told: dict[str, set[str]] = {"began": set(), "host": set()}
    for line in said.read_text().splitlines():
        kind, _, what = line.partition(" ")
        told[kind].add(what)
    assert {"hypernb.engine", "hypernb.engine.worker"} <= told["began"]
    assert told["host"] == set()


def test_history_is_there_for_the_next_process(terminal: Terminal, repository: Path) -> None:
    terminal.hypernb("run", "repo-audit", str(repository), "--yes", "--no-tests")
    assert "m-1" in terminal.hypernb("ls").stdout
    assert "app.py" in terminal.hypernb("find", "shell=True").stdout
    assert "F401" in terminal.hypernb("sql", "select rule from findings").stdout
    assert "F401" in terminal.hypernb("result", "m-1").stdout
    assert json.loads(
        terminal.hypernb("result", "m-1", "--file", "proposed_sprint.json").stdout
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["rnu"], "'run'", id="command"),
        pytest.param(["run", "repo-adit"], "'repo-audit'", id="playbook"),
        pytest.param(["run", "repo-audit", "--no-test", "--yes"], "--no-tests", id="flag"),
        pytest.param(["run", "repo-audit", ".", "--agents", "qa"], "agent", id="agent"),
        pytest.param(["run"], "--goal", id="nothing"),
        pytest.param(["run", "--goal", "  ", "--yes"], "goal", id="empty-goal"),
        pytest.param(["show", "m-9"], "m-9", id="mission"),
        pytest.param(["run", "repo-audit", "nowhere", "--yes"], "nowhere", id="path"),
        pytest.param(["--runner", "inproces", "ls"], "'inprocess'", id="runner"),
    ],
)
def test_misuse_is_one_line_and_starts_nothing(
    terminal: Terminal, words: list[str], said: str
) -> None:
    done = terminal.hypernb(*words)
    assert done.returncode in (MISUSE, CANNOT)
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert terminal.missions() == 0


@pytest.mark.parametrize(
    "goal",
    [
        pytest.param("{df} {{x}} {0} {} \\frac{1}{2} $(id) `id` %s", id="braces"),
        pytest.param("--yes --json /etc/passwd; rm -rf /", id="option-look-alikes"),
        pytest.param("🦆 tests \u202e\x1b[31m audit", id="odd-characters"),
    ],
)
def test_goals_are_taken_literally(terminal: Terminal, goal: str) -> None:
    done = terminal.hypernb("run", f"--goal={goal}")
    assert done.returncode == MISUSE
    assert "--yes" in done.stderr
    with closing(sqlite3.connect(terminal.database)) as connection:
        assert connection.execute("select goal, state from missions").fetchall() == [
            (goal, "awaiting_approval")
        ]


def test_nobody_there_to_approve_fails_closed(terminal: Terminal, repository: Path) -> None:
    done = terminal.hypernb("run", "repo-audit", str(repository))
    assert done.returncode == MISUSE
    assert "hypernb approve m-1" in done.stderr
    assert "awaiting approval" in terminal.hypernb("show", "m-1").stdout.lower()


def test_rejected_mission_never_runs(terminal: Terminal, repository: Path) -> None:
    terminal.hypernb("run", "repo-audit", str(repository))
    assert terminal.hypernb("reject", "m-1", "not", "now").returncode == DONE
    assert terminal.hypernb("approve", "m-1").returncode == MISUSE
    assert "not now" in terminal.hypernb("show", "m-1").stdout


def test_plan_is_edited_compared_and_commented_on(terminal: Terminal) -> None:
    terminal.hypernb("run", "--goal", "Check the tests", "--agents", "qa-engineer")
    added = terminal.hypernb("edit", "m-1", "--add", "more", "--agent", "backend-specialist")
    assert "m-1 has revision 2" in added.stdout
    assert "more" in terminal.hypernb("diff", "m-1").stdout
    assert "Kept with m-1" in terminal.hypernb("comment", "m-1", "more", "Needed?").stdout
    assert "Needed?" in terminal.hypernb("comment", "m-1").stdout
    refused = terminal.hypernb("edit", "m-1", "more", "--needs", "nobody")
    assert refused.returncode == MISUSE
    assert "which the plan does not have" in refused.stderr


def test_what_is_said_of_task_is_not_done_to_mission(terminal: Terminal) -> None:
    terminal.hypernb("run", "--goal", "Check the tests")
    for verb in ("reject", "cancel", "show"):
        done = terminal.hypernb(verb, "m-1/t1")
        assert done.returncode == MISUSE
        assert "'m-1'" in done.stderr
    assert terminal.hypernb("approve", "m-1/t99").returncode == MISUSE
    assert "awaiting approval" in terminal.hypernb("ls").stdout


def test_next_steps_are_commands_of_the_command_line(terminal: Terminal) -> None:
    empty = terminal.hypernb("ls").stdout + terminal.hypernb("show").stderr
    assert "hypernb run" in empty
    assert "%" not in empty
    terminal.hypernb("run", "--goal", "Check the tests")
    assert "hypernb approve m-1" in terminal.hypernb("show").stdout
    assert terminal.hypernb("ls", "--limit", "0").returncode == MISUSE


@pytest.mark.parametrize("form", ["ipynb", "md", "html", "json"])
def test_mission_is_exported_as_one_file(terminal: Terminal, form: str) -> None:
    terminal.hypernb("run", "--goal", "Check the <b>tests</b>")
    done = terminal.hypernb("export", "m-1", f"m.{form}")
    assert done.returncode == DONE, done.stderr
    text = (terminal.folder / f"m.{form}").read_text()
    assert "tests" in text
    assert "<script" not in text


def test_unwritable_json_is_refused_early(terminal: Terminal) -> None:
    done = terminal.hypernb("run", "repo-audit", "--yes", "--json", "/proc/x/out")
    assert done.returncode == MISUSE
    assert terminal.missions() == 0


def test_backup_is_restored_with_its_missions(terminal: Terminal) -> None:
    terminal.hypernb("run", "--goal", "Check the tests")
    assert terminal.hypernb("backup", "kept.hypernb-backup").returncode == DONE
    terminal.hypernb("run", "--goal", "Check something else")
    refused = terminal.hypernb("restore", "kept.hypernb-backup")
    assert refused.returncode == CANNOT
    assert "--force" in refused.stderr
    assert terminal.hypernb("restore", "kept.hypernb-backup", "--force").returncode == DONE
    assert terminal.missions() == 1


def test_query_cannot_write(terminal: Terminal) -> None:
    terminal.hypernb("ls")
    for statement in ("delete from missions", "attach 'x.db' as x", "pragma user_version = 9"):
        assert terminal.hypernb("sql", statement).returncode == MISUSE
    assert not (terminal.folder / "x.db").exists()


def test_database_that_is_none_is_named(terminal: Terminal) -> None:
    terminal.database.write_bytes(b"this is no database" * 1000)
    done = terminal.hypernb("ls")
    assert done.returncode == CANNOT
    assert "h.db" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_rewind_does_a_mission_anew_from_a_task_on(terminal: Terminal) -> None:
    (terminal.folder / "a.py").write_text("import os\n")
    run = ("run", "repo-audit", ".", "--yes")
    assert terminal.hypernb(*run).returncode == DONE
    refused = terminal.hypernb("rewind", "m-1", "lint-cod", "--yes")
    assert refused.returncode == MISUSE
    assert "Did you mean 'lint-code'" in refused.stderr or "'lint-code'" in refused.stderr
    asked = terminal.hypernb("rewind", "m-1", "lint-code")
    assert asked.returncode == MISUSE
    assert "waits for approval" in asked.stderr
    done = terminal.hypernb("rewind", "m-1", "lint-code", "--yes")
    assert done.returncode == DONE, done.stderr
    shown = terminal.hypernb("show", "m-3").stdout
    assert "forked from m-1 at lint-code" in shown
    assert "shared from m-1" in shown


def test_rewind_can_give_another_budget(terminal: Terminal) -> None:
    (terminal.folder / "a.py").write_text("import os\n")
    assert terminal.hypernb("run", "repo-audit", ".", "--yes", "--no-tests").returncode == DONE
    asked = terminal.hypernb("rewind", "m-1", "--budget", "0.25")
    assert "waits for approval" in asked.stderr
    assert "budget of $0.25" in terminal.hypernb("show", "m-2").stdout
    assert terminal.hypernb("rewind", "m-1", "--budget", "-1", "--yes").returncode == MISUSE


def test_doctor_says_what_could_go_and_removes_it_only_when_asked(terminal: Terminal) -> None:
    (terminal.folder / "a.py").write_text("import os\n")
    assert terminal.hypernb("run", "repo-audit", ".", "--yes", "--no-tests").returncode == DONE
    assert terminal.hypernb("stop").returncode == DONE
    keep = {"HYPERNB_KEEP_DAYS": "0", "HYPERNB_KEEP_MISSIONS": "0"}
    assert "no old missions" in terminal.hypernb("doctor").stdout
    assert "1 mission of long ago (m-1)" in terminal.hypernb("doctor", **keep).stdout
    assert terminal.missions() == 1
    fixed = terminal.hypernb("doctor", "--fix", **keep)
    assert "Forgotten: m-1, Audit" in fixed.stdout
    assert "of free space were given back" in fixed.stdout
    assert terminal.missions() == 0
    assert "There was nothing to remove" in terminal.hypernb("doctor", "--fix", **keep).stdout


def test_limits_are_those_of_every_process(terminal: Terminal) -> None:
    assert terminal.hypernb("limits", "the-service", "--at-once", "4").returncode == DONE
    shown = terminal.hypernb("limits")
    assert shown.returncode == DONE
    assert "the-service" in shown.stdout
    refused = terminal.hypernb("limits", "the-service", "--at-once", "0")
    assert refused.returncode == MISUSE
    assert "at_once cannot be 0" in refused.stderr


def test_runner_in_the_foreground_has_the_keys_of_its_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"OPENAI_API_KEY": "sk-test-0123456789"}
    monkeypatch.setenv("HYPERNB_HOME", terminal.environment["HYPERNB_HOME"])
    monkeypatch.setenv("OPENAI_API_KEY", key["OPENAI_API_KEY"])
    monkeypatch.setattr(Session, "ensure_runner", lambda *_: None)
    with (
        ModelServer(says("All is well.")) as server,
        Session(terminal.database, root=terminal.folder) as session,
    ):
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        plan = Plan("look", root=terminal.folder)
        plan.add("look", agent="qa-engineer", goal="Look.", model="scripted", returns="text")
        mission = session.start(plan).approve()
        terminal.hypernb("runner", HYPERNB_IDLE_S="0.2", **key)
        assert mission.state is MissionState.SUCCEEDED
        assert mission.result() == "All is well."
