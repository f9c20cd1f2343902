"""A mission in JupyterLab: launched, approved, steered and taken, with clicks."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.e2e.axe import violations
from tests.e2e.conftest import COMPUTE, PROPOSE
from tests.e2e.notebook import outputs_of

if TYPE_CHECKING:
    from tests.e2e.conftest import Desk
    from tests.e2e.notebook import Notebook

# Asked for are 200 ms; a test beside other work may take longer without anything being wrong.
CLICK_WITHIN_S = 3.0


def test_mission_is_launched_approved_by_click_and_frozen(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE)
    notebook.run(1)
    expect(notebook.view(1)).to_be_visible()
    notebook.reads(1, "Nothing runs until you approve it")
    notebook.press(1, "Approve both tasks")
    desk.comes_to("running", task="read")
    notebook.reads(1, "Running")
    assert violations(desk.page, ".jp-Notebook .hypernb") == []
    desk.text.write_text("hello")
    desk.comes_to("succeeded")
    notebook.reads(1, "Succeeded")
    expect(notebook.view(1)).to_have_count(0)
    [kept, _] = outputs_of(notebook.save(), 1)
    assert "application/vnd.jupyter.widget-view+json" not in kept
    assert "Succeeded" in kept["text/html"]
    assert "<script" not in kept["text/html"]


def test_clicks_reach_the_store_while_a_cell_computes(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE, COMPUTE)
    notebook.run(1)
    expect(notebook.view(1)).to_be_visible()
    notebook.run(2, wait=False)
    _click(desk, notebook, "Approve both tasks", "running")
    _click(desk, notebook, "Pause", "paused")
    _click(desk, notebook, "Resume", "running")
    notebook.press(1, "Cancel mission")
    _click(desk, notebook, "Cancel the mission", "cancelled")
    assert notebook.is_running(2)
    (desk.folder / "enough").touch()
    notebook.reads(1, "Cancelled")


def _click(desk: Desk, notebook: Notebook, name: str, state: str) -> None:
    button = notebook.button(1, name)
    expect(button).to_be_enabled(timeout=15_000)
    began = time.monotonic()
    button.click()
    desk.comes_to(state)
    took = time.monotonic() - began
    print(f"{name}: {took:.2f} s")  # noqa: T201 - shown where it fails
    # A runner that is only starting takes some seconds of its own.
    assert took < CLICK_WITHIN_S + (10 if name.startswith("Approve") else 0)


def test_plan_is_edited_before_it_is_approved(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE)
    notebook.run(1)
    view = notebook.view(1)
    expect(view).to_be_visible()
    view.get_by_role("button", name="Edit", exact=True).click()
    view.get_by_role("button", name=re.compile("shout")).first.click()
    goal = view.get_by_label("Goal", exact=True)
    if not goal.is_visible():
        view.get_by_role("button", name=re.compile("shout")).first.click()
    goal.fill("Say it louder")
    goal.press("Tab")
    view.get_by_role("button", name="Save as revision 2").first.click()
    expect(view.get_by_role("button", name="Save as revision 3").first).to_be_visible(
        timeout=15_000
    )
    notebook.reads(1, "Say it louder")
    assert desk.mission.record.revision == 2
    assert desk.mission.plan.tasks[1].goal == "Say it louder"
    notebook.press(1, "Approve")
    desk.comes_to("running")


def test_tabs_show_the_mission_at_work(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE + " --yes")
    notebook.run(1)
    desk.comes_to("running", task="read")
    view = notebook.view(1)
    expect(view.get_by_role("tab").first).to_be_visible()
    for tab in ("Plan", "Graph", "Board", "Feed", "Timeline", "Result"):
        view.get_by_role("tab", name=re.compile(tab, re.I)).click()
        panel = view.get_by_role("tabpanel")
        expect(panel).to_be_visible()
        expect(panel).not_to_be_empty()
    view.get_by_role("tab", name=re.compile("Feed", re.I)).click()
    expect(view.get_by_role("tabpanel")).to_contain_text("read")
    desk.text.write_text("hello")
    notebook.reads(1, "Succeeded")


def test_failed_mission_is_retried_by_click(desk: Desk) -> None:
    desk.text.mkdir(parents=True)
    notebook = desk.notebook(
        PROPOSE + " --yes", 'from hypernb.widgets import MissionView\nMissionView("m-1")'
    )
    notebook.run(1)
    desk.comes_to("failed")
    notebook.run(2)
    expect(notebook.view(2)).to_be_visible()
    notebook.reads(2, "Failed")
    desk.text.rmdir()
    desk.text.write_text("hello")
    notebook.press(2, "Retry")
    desk.comes_to("succeeded")
    notebook.reads(2, "Succeeded")
    # A view that somebody made stays one.
    expect(notebook.view(2)).to_be_visible()
    assert desk.mission.result() == "HELLO"


def test_mission_at_the_end_of_a_cell_is_its_live_view(desk: Desk) -> None:
    made = (
        "session = hypernb.Session()\n"
        'plan = hypernb.Plan("Read a file")\n'
        'plan.add("read", wait_for, "text.txt")\n'
        "mission = session.start(plan, approve=True)\n"
        "mission"
    )
    notebook = desk.notebook(made, "mission", "%hyper doctor")
    notebook.run(1)
    expect(notebook.view(1)).to_be_visible()
    notebook.run(2)
    expect(notebook.view(2)).to_be_visible()
    notebook.run(3)
    notebook.reads(3, re.compile("live view: JupyterLab answered .* ago, clicks work"))
    desk.text.write_text("hello")
    for cell in (1, 2):
        notebook.reads(cell, "Succeeded")
        expect(notebook.view(cell)).to_have_count(0)
