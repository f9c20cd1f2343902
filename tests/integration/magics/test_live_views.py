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

RETRY_WHEN_CANCELLED = """
import IPython.display

publish = IPython.display.publish_display_data

def publish_and_retry(data, **options):
    publish(data, **options)
    if "Cancelled" in str(data) and not any("widget" in kind for kind in data):
        IPython.display.publish_display_data = publish
        mission.retry()

IPython.display.publish_display_data = publish_and_retry
"""


@pytest.fixture(autouse=True)
def _nobody_is_late(reader: Kernel) -> None:
    # Nobody answers here, and a slow machine takes its time.
    reader.ok(IMPATIENT.format(seconds=300))


def test_widget_comes_with_html_and_text(reader: Kernel) -> None:
    [shown] = reader.ok("%hyper run read-file text.txt").of("display_data")
    data = shown["content"]["data"]
    assert set(data) == {WIDGET, "text/html", "text/plain"}
    assert "Nothing runs until you approve it" in data["text/html"]


def test_widget_that_nobody_answers_gives_way_to_html(reading: Desk, reader: Kernel) -> None:
    reader.ok(IMPATIENT.format(seconds=0.1))
    cell = reader.ok("%hyper run read-file text.txt")
    update = _later(reader, _display(cell), "Read a file", cell=cell)
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


def test_mission_that_ends_is_html_until_it_is_attached(reading: Desk, reader: Kernel) -> None:
    reading.text.write_text("hello")
    cell = reader.ok("%hyper run read-file text.txt --yes")
    last = _later(reader, _display(cell), "Succeeded", cell=cell)
    assert WIDGET not in last["content"]["data"]
    frozen = last["content"]["data"]["text/html"]
    assert f"%hyper attach {reading.newest}" in frozen
    assert "the live view, with its buttons" in frozen
    attached = reader.ok("%hyper attach")
    # The cell itself, and the one before, which shares the display.
    assert {WIDGET} <= set(attached.of("display_data")[0]["content"]["data"])
    assert {WIDGET} <= set(attached.of("update_display_data")[0]["content"]["data"])
    again = reader.ok(f"hypernb.Session().mission({reading.newest!r})")
    assert _model(again) == _model(attached)


def test_a_view_that_is_closed_leaves_its_page_in_its_cell(
    reading: Desk, reader: Kernel
) -> None:
    reader.ok("%hyper run read-file text.txt")
    reader.ok(
        f"from hypernb.widgets import MissionView\nview = MissionView({reading.newest!r})"
    )
    shown = reader.ok("view")
    [left] = reader.ok("view.close()").of("update_display_data")
    assert WIDGET in shown.of("display_data")[0]["content"]["data"]
    assert left["content"]["transient"] == _display(shown)
    assert set(left["content"]["data"]) == {"text/html", "text/plain"}
    assert "shows it live again" in left["content"]["data"]["text/html"]


@pytest.mark.parametrize("by", ["mission.retry()", "%hyper retry"])
def test_cells_go_on_with_a_retry(reading: Desk, reader: Kernel, by: str) -> None:
    started = reader.ok("mission = %hyper run read-file text.txt --yes")
    cell = reader.ok("mission.cancel();")
    _later(reader, _display(started), "Cancelled", cell=cell)
    cell = reader.ok(by.replace("retry", f"retry {reading.newest}") if "%" in by else f"{by};")
    _later(reader, _display(started), "", kind=WIDGET, cell=cell)
    reading.text.write_text("hello")
    _later(reader, _display(started), "Succeeded")


def test_cells_go_on_with_a_retry_that_comes_while_they_say_how_it_ended(
    reading: Desk, reader: Kernel
) -> None:
    started = reader.ok("mission = %hyper run read-file text.txt --yes")
    reader.ok(RETRY_WHEN_CANCELLED)
    cell = reader.ok("mission.cancel();")
    _later(reader, _display(started), "", kind=WIDGET, cell=cell)
    reading.text.write_text("hello")
    _later(reader, _display(started), "Succeeded")


def _later(kernel: Kernel, display: Any, text: str, *, kind: str = "", cell: Any = None) -> Any:
    """Wait for an update of one display: to a frozen page, or to what is of a kind."""

    def is_wanted(message: dict[str, Any]) -> bool:
        data = message["content"].get("data", {})
        is_update = message["msg_type"] == "update_display_data"
        is_update = is_update and message["content"]["transient"] == display
        has_kind = kind in data if kind else WIDGET not in data
        return is_update and has_kind and text in str(data)

    said = [] if cell is None else [m for m in cell.messages if is_wanted(m)]
    return said[0] if said else kernel.later(is_wanted)


def _display(cell: Any) -> Any:
    return cell.of("display_data")[0]["content"]["transient"]


def _model(cell: Any) -> Any:
    return cell.of("display_data")[0]["content"]["data"][WIDGET]["model_id"]
