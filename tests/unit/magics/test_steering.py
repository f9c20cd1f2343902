"""Lines that steer a mission: when their cell ends, and what is shown of its money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.cli._main import run
from hypernb.magics import _start
from hypernb.magics._actions import act
from hypernb.magics._line import read_line
from hypernb.magics._verbs import VERBS
from hypernb.model import EventKind
from hypernb.session import Session
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.magics._start import Surroundings


def typed(around: Surroundings, line: str) -> Any:
    return act(around, read_line(line, VERBS))


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_refusal_that_is_there_at_once_ends_the_cell(
    session: Session, around: Surroundings, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    recorded = Recorded(session, "a").start()
    if verb == "resume":
        recorded.pause()
    before = recorded.mission.state

    def refuse(_self: Session, *_: object) -> None:
        for command in session.store.commands():
            facts = {"command": command.kind, "reason": "too late", "by": command.by}
            session.store.record(EventKind.COMMAND_REFUSED, facts)
            session.store.answer_command(command.seq, "refused: too late")

    monkeypatch.setattr(Session, "ensure_runner", refuse)
    monkeypatch.setattr(_start, "ANSWER_WITHIN_S", 60.0)  # longer than a test may take
    assert typed(around, f"{verb} m-1").state is before


def test_command_that_nobody_answers_is_waited_for_no_longer_than_said(
    session: Session,
) -> None:
    mission = Recorded(session, "a").start().mission
    assert mission.wait_for_answer(60.0)
    assert not mission.pause().wait_for_answer(0.01)
    *_, command = session.store.commands()
    session.store.answer_command(command.seq, "done")
    assert mission.wait_for_answer(60.0)


def test_quote_of_now_is_not_taken_for_one_that_was_not_kept(
    session: Session, around: Surroundings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    not_kept = "What was quoted was not kept with its approval."
    recorded = Recorded(session, "a")
    assert not_kept not in repr(typed(around, "quote m-1"))
    recorded.start()
    shown = typed(around, "quote m-1")
    assert repr(shown).startswith(not_kept)
    assert not_kept in shown._repr_html_()
    assert run(["--db", str(tmp_path / "store.db"), "quote", "m-1"]) == 0
    assert capsys.readouterr().out.startswith(not_kept)
