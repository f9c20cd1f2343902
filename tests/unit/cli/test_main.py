"""What the command line makes of errors."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.cli import _commands
from hypernb.cli._main import run
from hypernb.errors import WaitInterruptedError
from hypernb.model import AgentWork, MissionState, TaskSpec
from hypernb.session import Session
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (WaitInterruptedError("m-7"), "m-7 goes on. hypernb wait m-7 watches it again"),
        (KeyboardInterrupt(), "Interrupted."),
    ],
)
def test_interrupted_says_what_goes_on(
    error: BaseException,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(_: Any) -> None:
        raise error

    monkeypatch.setattr(_commands, "_mission", interrupted)
    assert run(["--db", str(tmp_path / "h.db"), "wait"]) == 130
    assert said in capsys.readouterr().err


def test_errors_break_between_words_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HYPERNB_DB", str(tmp_path / "store.db"))
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    run(["run", "Which tests are missing in this project?"])
    lines = terminal.getvalue().splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 40
    assert "take 'Which tests are missing in this project?'" in " ".join(lines)


def test_result_of_a_failed_mission_is_printed_and_the_command_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    with Session(tmp_path / "h.db") as session:
        recorded = Recorded(session, "left", "review", result="left").start()
        recorded.finish("left", "All is\nwell.\x1b[2J").end(MissionState.FAILED, "review broke")
    assert run(["--db", str(tmp_path / "h.db"), "result"]) == 1
    said = capsys.readouterr()
    assert said.out == "All is\nwell.\n"
    assert said.err.startswith("hypernb: Mission m-1 failed: review broke. hypernb show m-1")


@pytest.mark.parametrize("more", [[], ["--timeout", "0"]])
def test_plan_that_awaits_approval_is_not_waited_for(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Session(tmp_path / "h.db", root=tmp_path) as session:
        Recorded(session, "a")
    assert run(["--db", str(tmp_path / "h.db"), "wait", "m-1", *more]) == 2
    said = capsys.readouterr().err
    assert "m-1 waits for your approval; it does not run yet." in said
    assert "hypernb approve m-1 --wait starts it" in said


def test_rewind_takes_changes_of_its_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = TaskSpec(name="a", agent="qa-engineer", work=AgentWork(tools=("tests",)))
    with Session(tmp_path / "h.db", root=tmp_path) as session:
        Recorded(session, tasks=(task,))
    rewind = ["--db", str(tmp_path / "h.db"), "rewind", "m-1"]
    assert run([*rewind, "timeout_s=60"]) == 2
    assert "A change needs the task that it is about." in capsys.readouterr().err
    for words in (["a", "timeout_s=60"], ["t1", "timeout_s=60"]):
        assert run([*rewind, *words]) == 2
        assert "waits for approval" in capsys.readouterr().err
    with Session(tmp_path / "h.db", root=tmp_path) as session:
        forks = [session.mission(ref).plan.tasks[0].timeout_s for ref in ("m-2", "m-3")]
    assert forks == [60, 60]
