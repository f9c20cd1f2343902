"""The result of a mission that has failed: what a cell shows, binds and raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import MissionError, NotFinishedError, UsageError
from hypernb.magics._actions import act
from hypernb.magics._line import read_line
from hypernb.magics._start import Surroundings, bind_result, show_started
from hypernb.magics._verbs import VERBS
from hypernb.model import MissionState
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from hypernb.session import Session


def failed(session: Session, *done: str, result: str = "") -> Recorded:
    """A mission of three tasks of which some have succeeded."""
    recorded = Recorded(session, "left", "right", "review", result=result).start()
    for name in done:
        recorded.finish(name, name.upper())
    return recorded.end(MissionState.FAILED, "Task 'review' failed: it broke")


def typed(around: Surroundings, line: str) -> Any:
    return act(around, read_line(line, VERBS))


def test_result_of_a_failed_mission_is_shown_with_why_it_failed(
    session: Session, around: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(session, "left", result="left")
    assert typed(around, "result m-1") == "LEFT"
    said = capsys.readouterr().out
    assert "Mission m-1 failed: Task 'review' failed: it broke. Its result is there" in said


def test_part_of_a_result_is_shown_as_a_part(
    session: Session, around: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    failed(session, "left")
    assert typed(around, "result") == {"left": "LEFT", "right": None, "review": None}
    assert "A part of its result is there: left." in capsys.readouterr().out


def test_nothing_to_show_is_an_error(session: Session, around: Surroundings) -> None:
    failed(session)
    with pytest.raises(MissionError, match="it broke"):
        typed(around, "result")
    Recorded(session, "a").start()
    for line in ("result m-2", "result m-2 --out answer"):
        with pytest.raises(NotFinishedError, match="m-2 has no result yet"):
            typed(around, line)


def test_out_is_bound_to_a_result_that_is_there_and_the_cell_fails(
    session: Session, around: Surroundings
) -> None:
    mission = failed(session, "left", result="left").mission
    with pytest.raises(MissionError, match="it broke"):
        bind_result(around, mission, "answer", wait=True)
    assert around.namespace == {"answer": "LEFT"}
    assert session.why("answer", around.namespace).task == "left"


def test_out_is_not_bound_to_a_part(session: Session, around: Surroundings) -> None:
    mission = failed(session, "left").mission
    with pytest.raises(MissionError, match=r"mission.tasks\[\"left\"\].output is there"):
        bind_result(around, mission, "answer", wait=True)
    assert around.namespace == {}


@pytest.mark.parametrize("wait", [False, True])
def test_why_of_a_result_that_never_came_is_the_same_whether_the_cell_waited(
    session: Session, around: Surroundings, *, wait: bool
) -> None:
    mission = failed(session).mission
    options = {"out": "answer"}
    if wait:
        with pytest.raises(MissionError):
            show_started(around, mission, options, wait=True)
        assert around.namespace == {}
    else:
        show_started(around, mission, options, wait=False)
    with pytest.raises(UsageError, match=r"'answer' has no value: m-1 \(failed\)"):
        typed(around, "why answer")
