"""Commands about models: the same as the magics, in a terminal."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.cli._main import CANNOT, DONE, MISUSE, run
from hypernb.model import (
    MissionId,
    MissionRecord,
    MissionSnapshot,
    MissionState,
    TaskId,
    TaskRecord,
    TaskState,
)
from hypernb.session import Mission, Session
from tests.model_server import ModelServer, Reply, fails, says
from tests.planned import plan, task

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path))
    monkeypatch.setenv("HYPERNB_DB", str(tmp_path / "store.db"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").touch()
    for name in ("HYPERNB_MODEL", "HYPERNB_MODE", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("models", "No model is configured", id="models"),
        pytest.param("usage --by agent,model", "Nothing was called", id="usage"),
        pytest.param("cache", "The cache is empty", id="cache"),
        pytest.param("cache --evict --days 3", "0 answers were forgotten.", id="evict"),
    ],
)
def test_nothing_used_is_said_so(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == DONE
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said", "code"),
    [
        pytest.param("cache --days 3", "Add --evict", MISUSE, id="evict"),
        pytest.param("usage --by colour", "'colour'", MISUSE, id="group"),
        pytest.param("models nowhere", "No profile is called 'nowhere'", MISUSE, id="profile"),
        pytest.param("why m-7", "No mission is called 'm-7'", MISUSE, id="why"),
        pytest.param("resume m-7 --budget 1", "No mission is called", MISUSE, id="resume"),
        pytest.param("run --goal look --in df", "does not take --in", MISUSE, id="variables"),
        pytest.param(
            "run --goal look --model a --offline --yes", "exclude", MISUSE, id="offline"
        ),
        pytest.param(
            "run --goal look --record - --offline --yes", "--record and", MISUSE, id="record"
        ),
        pytest.param(
            "run --goal look --replay none.jsonl --yes", "is not there", MISUSE, id="replay"
        ),
    ],
)
def test_misuse_is_one_line(
    line: str, said: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == code
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1


def test_models_of_the_settings_are_listed_with_what_they_need(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text(
        'model = "work"\n[profiles.work]\nbase_url = "https://models.example/v1"\n'
        'key = "WORK_KEY"\nmodel = "large"\n'
    )
    assert run(["models"]) == DONE
    told = capsys.readouterr().out
    assert "models.example" in told
    assert "WORK_KEY, not set here" in told
    assert "cost not known" in told


def test_unreadable_settings_say_which_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("model = ")
    assert run(["models"]) == CANNOT
    assert "config.toml" in capsys.readouterr().err


def test_goal_in_place_of_a_playbook_is_told_where_to_stand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["run", "Which tests are missing?"]) == MISUSE
    assert "Write a goal in words after --goal." in capsys.readouterr().err


def test_yes_to_a_plan_that_no_model_has_made_is_one_line_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app.py").write_text("import os\n")
    monkeypatch.chdir(tmp_path)
    with ModelServer(Reply(text="I would rather not.")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("HYPERNB_MODEL", "scripted")
        assert run(["run", "--goal", "Is it safe?", "--yes"]) == CANNOT
    told = capsys.readouterr().err
    assert "has made no plan, so nothing was started" in told
    assert "Leave out --yes to read the plan that rules make" in told
    assert run(["ls"]) == DONE
    assert "failed" in capsys.readouterr().out


def test_doctor_says_that_no_model_is_configured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["doctor"])
    told = " ".join(capsys.readouterr().out.split())
    assert "no model is configured; everything that works offline works" in told


def test_doctor_says_what_it_asks_a_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer(says("ready")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        monkeypatch.setenv("HYPERNB_MODEL", "scripted")
        run(["doctor"])
    told = capsys.readouterr()
    assert "The doctor asks scripted at 127.0.0.1" in told.err
    assert "model, answers" in told.out


def test_plan_that_nobody_can_approve_here_is_shown_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app.py").write_text("import os\n")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(["run", "--goal", "Look at it", "--offline"]) == MISUSE
    told = capsys.readouterr()
    assert "What you allow" in told.out
    assert "hypernb approve m-1 starts it" in told.err
    assert run(["run", "--goal", "Look at it", "--offline", "--json", "-"]) == MISUSE
    told = capsys.readouterr()
    assert told.out == ""
    assert "hypernb show m-2 shows its plan" in told.err


def test_plan_that_is_approved_at_once_is_shown_with_its_quote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Session, "ensure_runner", lambda *_keys: None)
    approve = Mission.approve

    def begun(mission: Mission, *tasks: Any, **terms: Any) -> Mission:
        approved = approve(mission, *tasks, **terms)
        with closing(sqlite3.connect(tmp_path / "store.db")) as store, store:
            store.execute("update missions set started_at=created_at, state='running'")
        return approved

    monkeypatch.setattr(Mission, "approve", begun)
    made = plan(task(returns="text"))
    with ModelServer(Reply(text=json.dumps(made))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("HYPERNB_MODEL", "scripted")
        assert run(["run", "--goal", "Is it safe?", "--yes", "--no-wait"]) == DONE
    told = capsys.readouterr().out
    assert "Quote  " in told
    assert "as the model guessed it" in " ".join(told.split())


def test_missions_can_be_listed_by_state_and_tools_be_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Session, "ensure_runner", lambda *_keys: None)
    made = plan(task(returns="text", tools=["search-files"]))
    start = ["run", "--goal", "Is it safe?", "--yes", "--no-wait"]
    with ModelServer(Reply(text=json.dumps(made))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("HYPERNB_MODEL", "scripted")
        assert run([*start, "--tools", "read-file,search-files"]) == DONE
        told = str(server.requests[-1].body)
    assert "search-files" in told
    assert "list-files" not in told
    capsys.readouterr()
    assert run(["ls", "--state", "awaiting_approval,running"]) == DONE
    assert "Is it safe?" in capsys.readouterr().out
    assert run(["ls", "--state", "failed"]) == DONE
    assert "No mission to show" in capsys.readouterr().out
    assert run(["ls", "--state", "lost"]) == MISUSE
    assert "'lost'" in capsys.readouterr().err


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def _planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mission m-1 is planned, and nobody sits at the terminal."""
    monkeypatch.setattr(Session, "ensure_runner", lambda *_keys: None)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    (tmp_path / "app.py").write_text("import os\n")
    run(["run", "--goal", "Look at it", "--offline"])
    capsys.readouterr()


@pytest.mark.usefixtures("_planned")
def test_approval_in_a_terminal_is_for_the_plan_that_it_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal("n\n"))
    assert run(["approve", "m-1"]) == MISUSE
    told = capsys.readouterr()
    assert "What you allow" in told.out
    assert "m-1 was not approved" in told.err
    monkeypatch.setattr("sys.stdin", _Terminal("y\n"))
    assert run(["approve", "m-1"]) == DONE
    assert "m-1 is approved and starts: revision 1" in capsys.readouterr().out


@pytest.mark.usefixtures("_planned")
def test_approval_without_anybody_says_what_was_approved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["edit", "m-1", "concurrency=2"])
    with Session() as session:
        plan_hash = session.mission("m-1").record.plan_hash
    capsys.readouterr()
    assert run(["approve", "m-1"]) == DONE
    told = capsys.readouterr().out
    assert f"revision 2 of its plan, hash {plan_hash[:12]}." in told
    assert "hypernb diff m-1 1 shows what was changed since the first" in told


HOSTILE = "\x1b]0;PWNED\x07\x1b[2J\u202e\x9b31m"


def _obeyed(text: str) -> set[str]:
    return {each for each in text if not each.isprintable() and each not in "\n\t"}


def test_nothing_that_a_server_says_is_obeyed_by_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app.py").write_text("import os\n")
    monkeypatch.setenv("HYPERNB_MODEL", "scripted")
    start = ["--runner", "inprocess", "run", "--goal", "Is it safe?", "--yes"]
    with ModelServer(fails(400, f"bad {HOSTILE}")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert run(start) == CANNOT
    refused = capsys.readouterr()
    made = json.dumps(plan(task(returns="text")))
    with ModelServer([Reply(text=made), says(f"Safe. {HOSTILE}")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert run(start) == DONE
    told = capsys.readouterr()
    assert "bad" in refused.err
    assert "succeeded" in told.out
    assert not _obeyed(refused.err + refused.out + told.err + told.out)


def test_live_table_shows_nothing_that_a_terminal_obeys() -> None:
    from rich.console import Console

    from hypernb.cli._progress import _sentence, _table

    said = TaskRecord(
        id=TaskId("T"),
        mission_id=MissionId("M"),
        number=1,
        name=f"look{HOSTILE}",
        state=TaskState.FAILED,
        agent=f"qa{HOSTILE}",
        error=f"bad {HOSTILE}",
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)
    record = MissionRecord(MissionId("M"), 1, "g", MissionState.RUNNING, at)
    shown = io.StringIO()
    Console(file=shown, width=200).print(_table(MissionSnapshot(1, at, record, None, (said,))))
    assert "look" in shown.getvalue()
    assert not _obeyed(shown.getvalue() + _sentence(said))
