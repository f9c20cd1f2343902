"""What stands below a cell while a model plans."""

from __future__ import annotations

import io
from typing import Any

import pytest

from hypernb.magics._planning_line import PlanningLine
from hypernb.session.front_end import Rung

ASKS = "asks gpt-6 for a plan"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    import IPython.display

    made: list[dict[str, Any]] = []

    def publish(data: dict[str, str], **more: Any) -> None:
        made.append({"said": data["text/plain"], **more})

    monkeypatch.setattr(IPython.display, "publish_display_data", publish)
    return made


def test_one_line_is_shown_replaced_and_left_without_the_hint(
    shown: list[dict[str, Any]],
) -> None:
    with PlanningLine(Rung.WIDGET) as line:
        line.tell(ASKS)
        line.tell(f"{ASKS}: 3 s so far")
        line.tell("asked gpt-6 for a plan, for 3.2 s")
    assert [each["update"] for each in shown] == [False, True, True, True]
    assert len({each["transient"]["display_id"] for each in shown}) == 1
    assert shown[1]["said"] == (
        f"The strategist {ASKS}: 3 s so far. Nothing runs yet; interrupting the cell ends it."
    )
    assert shown[-1]["said"] == "The strategist asked gpt-6 for a plan, for 3.2 s."


@pytest.mark.parametrize("rung", [Rung.WIDGET, Rung.TEXT])
def test_names_in_the_line_are_not_obeyed_by_a_terminal(
    shown: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], rung: Rung
) -> None:
    with PlanningLine(rung) as line:
        line.tell("asks m\x1b]0;PWNED\x07\x1b[2J\u202e for a plan")
    said = capsys.readouterr().err + "".join(each["said"] for each in shown)
    assert "asks m for a plan" in said
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_nothing_is_shown_of_a_plan_that_asks_nobody(
    shown: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    for rung in Rung:
        with PlanningLine(rung):
            pass
    assert not shown
    assert capsys.readouterr() == ("", "")


def test_a_terminal_is_told_once(
    shown: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    with PlanningLine(Rung.TEXT) as line:
        line.tell(ASKS)
        line.tell(f"{ASKS}: 3 s so far")
    assert not shown
    assert capsys.readouterr().err == f"The strategist {ASKS}. Ctrl-C ends it.\n"


def test_line_of_a_terminal_is_written_over_as_time_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "78")
    with PlanningLine(Rung.TEXT) as line:
        line.tell(ASKS)
        line.tell(f"{ASKS}: 3 s so far; cannot reach api.example, and it is tried again")
        line.tell("asked gpt-6 for a plan, for 3.2 s")
    first, second, *last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert first == f"The strategist {ASKS}. Ctrl-C ends it."
    assert "cannot reach api.example" in second
    assert len(second) == 77
    assert last[-1] == "The strategist asked gpt-6 for a plan, for 3.2 s.\n"


def test_doctor_has_a_line_of_its_own(shown: list[dict[str, Any]]) -> None:
    with PlanningLine(Rung.WIDGET, who="The doctor", hint="Interrupting ends it.") as line:
        line.tell("asks gpt-6 at api.example for a word")
        line.tell("asked gpt-6 at api.example what it can do")
    assert shown[0]["said"] == (
        "The doctor asks gpt-6 at api.example for a word. Interrupting ends it."
    )
    assert shown[-1]["said"] == "The doctor asked gpt-6 at api.example what it can do."
