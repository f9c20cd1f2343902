"""How a mission is shown in a kernel, as a front end without a browser sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.magics.conftest import Desk, Kernel

pytestmark = pytest.mark.timeout(90)

WIDGET = "application/vnd.jupyter.widget-view+json"
IMPATIENT = "from hypernb.magics import _live\n_live.ANSWER_WITHIN_S = {seconds}"
DOCTOR = "each = %hyper doctor\n[c.found for c in each if c.what == 'views']"


def test_widget_comes_with_html_and_text(reader: Kernel) -> None:
    [shown] = reader.ok("%hyper run read-file text.txt").of("display_data")
    data = shown["content"]["data"]
    assert set(data) == {WIDGET, "text/html", "text/plain"}
    assert "Nothing runs until you approve it" in data["text/html"]


def test_widget_that_nobody_answers_gives_way_to_html(reading: Desk, reader: Kernel) -> None:
    reader.ok(IMPATIENT.format(seconds=0.1))
    [shown] = reader.ok("%hyper run read-file text.txt").of("display_data")
    update = reader.later(lambda m: m["msg_type"] == "update_display_data")
    reader.ok(IMPATIENT.format(seconds=10))
    assert update["content"]["transient"] == shown["content"]["transient"]
    assert set(update["content"]["data"]) == {"text/html", "text/plain"}
    assert "no front end answered" in reader.ok(DOCTOR).value
    reading.text.write_text("hello")
    reader.ok(f"%hyper approve {reading.newest} --wait")


def test_mission_at_the_end_of_a_cell_shares_the_display(reader: Kernel) -> None:
    proposed = reader.ok("mission = %hyper run read-file text.txt")
    mission = reader.ok("mission;None")
    line = reader.ok("mission").of("execute_result")
    again = reader.ok("mission")
    assert not mission.of("display_data")
    assert "shown above" in line[0]["content"]["data"]["text/plain"]
    assert not again.of("execute_result")
    assert _display(again) == _display(proposed)
    assert _model(again) == _model(proposed)


@pytest.mark.parametrize(
    ("rung", "kinds"),
    [
        pytest.param("html", {"text/html", "text/plain"}, id="html"),
        pytest.param("text", {"text/plain"}, id="text"),
    ],
)
def test_rung_is_chosen_by_the_environment(reader: Kernel, rung: str, kinds: set[str]) -> None:
    reader.ok(f"%env HYPERNB_VIEWS={rung}")
    [shown] = reader.ok("%hyper run read-file text.txt").of("display_data")
    said = reader.ok(DOCTOR).value
    reader.ok("import os; del os.environ['HYPERNB_VIEWS']")
    assert set(shown["content"]["data"]) == kinds
    assert f"HYPERNB_VIEWS={rung}" in said


def test_ended_mission_is_html_in_every_cell(reading: Desk, reader: Kernel) -> None:
    reading.text.write_text("hello")
    reader.ok("%hyper run read-file text.txt --yes")
    last = reader.later(lambda m: "Succeeded" in str(m["content"].get("data", {})))
    assert last["msg_type"] == "update_display_data"
    assert WIDGET not in last["content"]["data"]
    shown = reader.ok("%hyper attach").of("display_data")
    assert WIDGET not in shown[0]["content"]["data"]


def _display(cell: Any) -> Any:
    return cell.of("display_data")[0]["content"]["transient"]


def _model(cell: Any) -> Any:
    return cell.of("display_data")[0]["content"]["data"][WIDGET]["model_id"]
