"""What may be left out of a line, and where to look for a name that nothing has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.cli._main import run
from hypernb.errors import UnknownNameError, UsageError
from hypernb.magics._actions import act
from hypernb.magics._line import read_line, read_words
from hypernb.magics._start import Surroundings
from hypernb.magics._verbs import CELL_OPTIONS, VERBS
from hypernb.model import AgentWork, MissionState, TaskSpec
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.session import Session


@pytest.fixture
def around(session: Session) -> Surroundings:
    return Surroundings(
        namespace={f"variable_{number}": number for number in range(20)},
        hidden=(),
        headless=False,
        shell=None,
        open_session=lambda: session,
        configure=lambda _settings: None,
    )


def planned(session: Session) -> Recorded:
    tasks = tuple(
        TaskSpec(name=name, agent="qa-engineer", work=AgentWork()) for name in ("look", "tell")
    )
    return Recorded(session, tasks=tasks)


def typed(around: Surroundings, line: str) -> Any:
    return act(around, read_line(line, VERBS))


def test_edit_shows_first_what_has_changed(
    session: Session, around: Surroundings, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(session)
    mission = typed(around, "edit m-1 look timeout_s=77")
    said = capsys.readouterr().out
    assert "revision 2" in said
    assert "1 min 17 s" in said
    assert "tell" not in said
    assert mission.record.revision == 2
    typed(around, "edit m-1 look timeout_s=77")
    assert "1 min 17 s" not in capsys.readouterr().out


def test_edit_in_a_terminal_says_what_has_changed(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned(session)
    assert run(["--db", str(tmp_path / "store.db"), "edit", "m-1", "t1", "timeout_s=77"]) == 0
    said = capsys.readouterr().out
    assert "m-1 has revision 2." in said
    assert "1 min 17 s" in said


def test_diff_is_about_the_newest_mission_if_none_is_named(
    session: Session, around: Surroundings
) -> None:
    planned(session)
    planned(session).mission.edit({"look": {"timeout_s": 77}})
    assert str(typed(around, "diff")) == str(typed(around, "diff m-2"))
    assert "1 min 17 s" in str(typed(around, "diff"))


def test_resume_takes_the_only_mission_that_is_paused(
    session: Session, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hypernb.magics._actions.watch_answer", lambda *_: None)
    with pytest.raises(UsageError, match="No mission is paused"):
        typed(around, "resume")
    planned(session).start().pause()
    planned(session).start()
    assert typed(around, "resume").id == "m-1"
    planned(session).start().pause()
    with pytest.raises(UsageError, match="2 missions are paused: m-3, m-1") as refused:
        typed(around, "resume")
    assert "%hyper resume m-3" in refused.value.hint


def test_events_of_an_unknown_kind_are_refused_with_near_names(
    session: Session, around: Surroundings
) -> None:
    Recorded(session, "a").start().end(MissionState.FAILED, "it broke")
    with pytest.raises(
        UnknownNameError, match=r"No kind of event is called 'task\.starts'"
    ) as e:
        typed(around, "events --kind task.starts")
    assert "'task.started'" in e.value.hint
    with pytest.raises(UnknownNameError) as e:
        typed(around, "events --kind bogus")
    assert "%hyper sql select distinct kind from events" in e.value.hint
    [kinds] = {event.kind for event in typed(around, "events --kind mission.started")}
    assert kinds == "mission.started"


@pytest.mark.parametrize(
    ("line", "where"),
    [
        pytest.param("help nosuch", "%hyper help", id="verb"),
        pytest.param("run repo-audit --in nosuchvar", "%who", id="variable"),
        pytest.param("agents zzzzzz", "'qa-engineer'", id="few"),
    ],
)
def test_name_that_nothing_comes_near_says_where_to_look(
    around: Surroundings, line: str, where: str
) -> None:
    with pytest.raises(UnknownNameError) as refused:
        typed(around, line)
    assert where in refused.value.hint


def test_flag_that_nothing_comes_near_says_where_to_look() -> None:
    with pytest.raises(UnknownNameError) as refused:
        read_words(["--zzzzzz"], CELL_OPTIONS)
    assert "%hyper help" in refused.value.hint


def test_near_names_go_before_where_to_look() -> None:
    with pytest.raises(UnknownNameError) as refused:
        read_words(["--concurency"], CELL_OPTIONS)
    assert refused.value.hint.startswith("Did you mean '--concurrency'?")


def test_tool_that_nothing_comes_near_says_where_to_look() -> None:
    tools = [f"tool-{number}" for number in range(20)]
    error = UnknownNameError("tool of these agents", "zzzzzz", tools)
    assert error.hint == "%hyper agents lists the tools of each agent."
