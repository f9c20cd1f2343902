"""What a mission's result says, on its pages, in its exports and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from hypernb.model import Answer, MissionState, Report, SprintItem
from hypernb.session import as_json
from hypernb.views import mission_html, mission_markdown, mission_text
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.session import Mission, Session

LONG = f"The key is printed to the log. {'It is read in app.py and sent on. ' * 26}THE END."
HOSTILE = "<img src=x onerror=alert(1)>\u202e\n[a](javascript:b) \x1b[31mred"


def answered(session: Session, value: Any) -> Mission:
    recorded = Recorded(session, "tell", "other", result="tell").start()
    return recorded.finish("other", 1).finish("tell", value).end().mission


def told(session: Session, value: Any) -> Answer:
    (answer,) = answered(session, value).snapshot().answers
    return answer


@pytest.mark.parametrize("form", ["html", "md", "ipynb", "json"])
def test_exports_have_the_whole_answer(session: Session, tmp_path: Path, form: str) -> None:
    path = answered(session, LONG).export(tmp_path / f"mission.{form}")
    text = path.read_text()
    if form == "ipynb":
        texts = [cell.get("outputs", []) for cell in json.loads(text)["cells"]]
        text = " ".join("".join(out["data"]["text/html"]) for each in texts for out in each)
    assert LONG in text


def test_pages_begin_with_the_answer_and_have_all_of_it(session: Session) -> None:
    mission = answered(session, LONG)
    snapshot = mission.snapshot()
    text = " ".join(mission_text(snapshot).split())
    assert LONG in text
    assert text.count("The key is printed to the log.") == 2
    assert "No findings." not in text
    bundle = mission._repr_mimebundle_()
    assert LONG in bundle["text/html"]
    assert 'class="outcome">The key is printed' in bundle["text/html"]


def test_answer_of_strangers_is_only_text(session: Session) -> None:
    snapshot = answered(session, HOSTILE).snapshot()
    markup, text = mission_html(snapshot, live=False), mission_markdown(snapshot)
    assert "<img" not in markup + text.replace("\\<img", "")
    assert "](" not in text.replace("\\](", "").replace("]\\(", "")
    for said in (markup, text, mission_text(snapshot)):
        assert "\u202e" not in said
        assert "\x1b" not in said


def test_endless_answer_is_cut_and_says_where_all_of_it_is(session: Session) -> None:
    snapshot = answered(session, "word " * 10_000).snapshot()
    for said in (mission_html(snapshot, live=False), mission_text(snapshot)):
        assert "cut here; 49,999 characters in all" in " ".join(said.split())
        assert "All of it: " in said
        assert len(said) < 120_000


def test_values_are_told_by_how_they_look(session: Session) -> None:
    assert json.loads(told(session, {"rows": 3}).text) == {"rows": 3}
    table = told(session, pd.DataFrame({"shop": ["a", "b"] * 20, "sold": range(40)}))
    assert table.text.split()[:2] == ["shop", "sold"]
    assert table.text.endswith("20 more rows")
    assert not table.is_text


class Trap:
    """Tells when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("it was loaded",)


def test_pickle_is_not_loaded_to_be_shown(session: Session) -> None:
    mission = answered(session, Trap())
    assert mission.snapshot().answers == ()
    assert "Result" not in mission_text(mission.snapshot())


def test_report_is_told_by_its_summary_unless_all_of_it_is_shown(session: Session) -> None:
    report = Report(agent="qa-engineer", task="tell", summary="All is well.", runs=())
    assert told(session, report) == Answer("tell", "All is well.", is_text=True)
    item = SprintItem(title="Mend it", why="It is broken", agent="qa-engineer", severity="high")
    planned = report.model_copy(update={"sprint": (item,)})
    assert answered(session, planned).snapshot().answers == ()


def test_several_results_are_named(session: Session) -> None:
    recorded = Recorded(session, "left", "right").start()
    mission = recorded.finish("left", "It is one.").finish("right", "It is two.").end().mission
    text = mission_text(mission.snapshot())
    assert "2 results: left and right." in text
    assert "left:\n  It is one.\n  right:\n  It is two." in text


def test_of_many_results_the_first_are_shown_and_programs_get_all(session: Session) -> None:
    names = [f"part-{number}" for number in range(23)]
    recorded = Recorded(session, *names).start()
    for name in names:
        recorded.finish(name, f"It is {name}.")
    mission = recorded.end().mission
    for said in (mission_text(mission.snapshot()), mission_markdown(mission.snapshot())):
        assert "23 results: " in said
        assert "And 3 more results. All of them: " in said
    assert len(as_json(mission)["result"]) == 23


def test_part_of_a_result_is_told_as_a_part(session: Session) -> None:
    recorded = Recorded(session, "left", "right").start().finish("left", "It is one.")
    snapshot = recorded.end(MissionState.FAILED, "right broke").mission.snapshot()
    assert "What there is of its result\n" in mission_text(snapshot)
    assert "What there is of its result" in mission_html(snapshot, live=False)


def test_nothing_is_told_before_the_end(session: Session) -> None:
    recorded = Recorded(session, "tell").start().finish("tell", "It is one.")
    assert recorded.mission.snapshot().answers == ()


def test_programs_get_the_answer_and_the_cost(session: Session) -> None:
    facts = as_json(answered(session, LONG))
    assert (facts["result"], facts["cost"], facts["calls_without_cost"]) == (LONG, 0.0, 0)
    assert as_json(answered(session, {"rows": 3}))["result"] == {"rows": 3}
    assert as_json(Recorded(session, "tell").start().mission)["result"] is None
