"""What a mission was for, when it has failed and all of that, or a part, is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.errors import MissionError, NotFinishedError
from hypernb.model import MissionState, TaskState
from hypernb.views import mission_text
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from hypernb.session import Mission, Session

BECAUSE = "Task 'review' failed: it broke"


def summed_up(session: Session) -> Mission:
    """A mission whose result is there, and whose other task has failed."""
    recorded = Recorded(session, "sum-up", "review", result="sum-up").start()
    return recorded.finish("sum-up", "All is well.").end(MissionState.FAILED, BECAUSE).mission


def halved(session: Session) -> Mission:
    """A mission of two independent tasks, of which one has failed."""
    recorded = Recorded(session, "left", "right").start()
    return recorded.finish("left", 1).end(MissionState.FAILED, "right broke").mission


def empty(session: Session) -> Mission:
    return Recorded(session, "a").start().end(MissionState.FAILED, "a broke").mission


def page(mission: Mission) -> str:
    return " ".join(mission_text(mission.snapshot(), 300).split())


def test_result_of_a_failed_mission_raises_and_says_where_its_value_is(
    session: Session,
) -> None:
    mission = summed_up(session)
    with pytest.raises(MissionError, match=BECAUSE) as failed:
        mission.result()
    assert 'mission.tasks["sum-up"].output is there' in failed.value.hint
    assert "%hyper result m-1" in failed.value.hint
    assert mission.tasks["sum-up"].output == "All is well."


def test_partial_result_is_what_there_is(session: Session) -> None:
    assert summed_up(session).partial_result() == "All is well."
    assert halved(session).partial_result() == {"left": 1, "right": None}
    with pytest.raises(MissionError, match="a broke") as failed:
        empty(session).partial_result()
    assert "output" not in failed.value.hint
    with pytest.raises(NotFinishedError):
        Recorded(session, "a").start().mission.partial_result()


def test_has_result_means_all_of_it(session: Session) -> None:
    missions = [summed_up(session), halved(session), empty(session)]
    assert [each.has_result for each in missions] == [True, False, False]


def test_page_of_a_failed_mission_says_what_of_its_result_is_there(session: Session) -> None:
    said = page(summed_up(session))
    assert "It failed. Its result is there: sum-up. Nothing is running" in said
    assert "%hyper result m-1 gives what is there. %hyper retry m-1" in said
    assert "It failed. A part of its result is there: left." in page(halved(session))
    assert "It ended without its result." in page(empty(session))


def test_cancelled_mission_gives_what_there_is_too(session: Session) -> None:
    recorded = Recorded(session, "left", "right").start().finish("left", 1)
    mission = recorded.end(MissionState.CANCELLED, "by ada").mission
    assert mission.partial_result() == {"left": 1, "right": None}


def test_success_in_spite_of_a_failure_offers_to_do_that_task_anew(session: Session) -> None:
    recorded = Recorded(session, "sum-up", "look", result="sum-up").start()
    recorded.begin("look").tell("task.finished", "look", task_state=TaskState.FAILED)
    recorded.finish("sum-up", "All is well.").end()
    assert "%hyper rewind m-1 look" in page(recorded.mission)
    recorded = Recorded(session, "sum-up", "look", result="sum-up").start()
    recorded.finish("look", 1).finish("sum-up", "All is well.").end()
    assert "%hyper rewind" not in page(recorded.mission)
