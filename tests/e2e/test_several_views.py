"""Several views of one mission agree, and views of many missions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from hypernb import Plan
from tests.e2e.conftest import PROPOSE, watch_for_problems
from tests.e2e.notebook import Notebook

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.browser import Chrome
    from tests.e2e.conftest import Desk

VIEW = 'from hypernb.widgets import MissionView\nMissionView("m-1")'


def test_notebooks_on_one_mission_agree(desk: Desk, chrome: Chrome) -> None:
    first = desk.notebook(PROPOSE)
    first.run(1)
    expect(first.view(1)).to_be_visible()
    page = chrome.context().new_page()
    problems = watch_for_problems(page)
    second = desk.notebook(VIEW, name="two", page=page)
    second.run(1)
    second.reads(1, "Nothing runs until you approve it")
    second.press(1, "Approve both tasks")
    first.reads(1, "Running")
    first.press(1, "Pause")
    second.reads(1, "Paused")
    second.press(1, "Resume")
    first.reads(1, "Running")
    desk.text.write_text("hello")
    first.reads(1, "Succeeded")
    second.reads(1, "Succeeded")
    assert not problems


def test_revision_from_elsewhere_is_approved_only_when_it_was_seen(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE)
    notebook.run(1)
    approve = notebook.button(1, "Approve both tasks")
    expect(approve).to_be_enabled(timeout=15_000)
    approve.focus()
    desk.mission.edit({"shout": {"goal": "Say it louder"}})
    notebook.reads(1, "Revision 2 has come meanwhile")
    expect(approve).to_be_disabled()
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.press("Space")
    assert desk.mission.state.value == "awaiting_approval"
    notebook.press(1, "I have seen it")
    expect(approve).to_be_enabled()
    desk.page.keyboard.press("Enter")
    assert desk.mission.state.value == "awaiting_approval"
    approve.click()
    desk.comes_to("running", task="read")
    notebook.reads(1, "Running")
    # What was pressed has gone, and the focus has stayed in the view.
    within = "() => document.activeElement?.closest('.hypernb') !== null"
    desk.page.wait_for_function(within)
    assert desk.mission.record.revision == 2


def test_view_of_a_restarted_kernel_explains_itself(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE + " --yes", "%hyper attach m-1")
    notebook.run(1)
    desk.comes_to("running", task="read")
    expect(notebook.view(1)).to_be_visible()
    notebook.restart_kernel()
    notebook.reads(1, re.compile("kernel|no longer live", re.I), timeout=30_000)
    notebook.says_nothing_of_models()
    notebook.run(0)
    notebook.run(2)
    notebook.reads(2, "Running")
    desk.text.write_text("hello")
    notebook.reads(2, "Succeeded")


def test_history_finds_and_opens_a_mission(desk: Desk) -> None:
    view = _history(desk, "Count apples", "Count pears")
    view.get_by_role("searchbox").first.fill("pears")
    expect(view).not_to_contain_text("Count apples", timeout=15_000)
    view.get_by_role("button", name=re.compile("^Open")).first.click()
    expect(view).to_contain_text("Nothing runs until you approve it", timeout=15_000)
    view.get_by_role("button", name=re.compile("^Back to")).click()
    expect(view).to_contain_text("Count pears")


def test_history_compares_two_missions(desk: Desk) -> None:
    view = _history(desk, "Count apples", "Count pears")
    for mission in ("m-1", "m-2"):
        view.get_by_role("checkbox", name=f"Compare {mission}").check()
    view.get_by_role("button", name="Compare m-1 with m-2").click()
    expect(view.get_by_role("table").first).to_be_visible(timeout=15_000)
    expect(view).to_contain_text("Count apples")
    expect(view).to_contain_text("Count pears")


def test_history_forks_and_exports_a_mission(desk: Desk) -> None:
    mission = desk.propose(Plan("Count apples").add("count", len, "fruit"))
    mission.approve()
    desk.comes_to("succeeded")
    view = _history(desk)
    view.get_by_role("button", name=re.compile("^Export")).first.click()
    view.get_by_label(re.compile("^Write it as a")).select_option("json")
    view.get_by_role("button", name="Write the file").click()
    written = view.get_by_role("status").filter(has_text="Written to")
    expect(written).to_be_visible(timeout=15_000)
    assert Path(written.inner_text().partition("Written to ")[2].strip()).is_file()
    view.get_by_role("button", name="Fork m-1", exact=True).first.click()
    expect(view).to_contain_text("m-2 is a fork of m-1", timeout=15_000)
    view.get_by_role("button", name="Open m-2", exact=True).first.click()
    expect(view).to_contain_text("Nothing would run", timeout=15_000)
    assert desk.mission.record.forked_from == mission.record.short_id


def _history(desk: Desk, *goals: str) -> Locator:
    for goal in goals:
        desk.propose(Plan(goal).add("count", len, "fruit"))
    notebook = desk.notebook("from hypernb.widgets import History\nHistory()")
    view = notebook.run(1)
    for goal in goals:
        notebook.reads(1, goal)
    return view


def test_hyper_board_shows_all_live_missions(desk: Desk) -> None:
    for name in ("Count apples", "Count pears"):
        desk.propose(Plan(name).add("count", len, "fruit"))
    notebook = desk.notebook("from hypernb.widgets import HyperBoard\nHyperBoard()")
    notebook.run(1)
    notebook.reads(1, "Count apples")
    notebook.reads(1, "Count pears")
    desk.mission.reject("not now")
    expect(notebook.output(1)).not_to_contain_text("Count pears", timeout=15_000)


def test_board_goes_on_after_its_page_was_loaded_anew_with_a_mission_open(desk: Desk) -> None:
    desk.propose(Plan("Count apples").add("count", len, "fruit"))
    notebook = desk.notebook("from hypernb.widgets import HyperBoard\nHyperBoard()")
    notebook.run(1)
    notebook.reads(1, "Count apples")
    notebook.button(1, "Read the plan").click()
    notebook.reads(1, "Back to the board")
    notebook.save()
    desk.page.goto("about:blank")
    again = Notebook(desk.page, desk.jupyter, notebook.path).open()
    again.reads(1, "Count apples")
    desk.propose(Plan("Count plums").add("count", len, "fruit"))
    again.reads(1, "Count plums")
    again.button(1, "Read the plan").click()
    again.reads(1, "Back to the board")
    again.reads(1, "Nothing runs until you approve it")


def test_two_displays_of_one_history_say_what_each_shows(desk: Desk) -> None:
    for name in ("Count apples", "Count pears"):
        desk.propose(Plan(name).add("count", len, "fruit"))
    notebook = desk.notebook("from hypernb.widgets import History\nh = History()\nh", "h")
    for cell in (1, 2):
        notebook.run(cell)
        notebook.reads(cell, "Count pears")
    notebook.button(1, "Open m-1").click()
    notebook.reads(1, "Nothing runs until you approve it")
    notebook.reads(2, "Count pears")
    notebook.button(2, "Open m-2").click()
    notebook.reads(2, "Nothing runs until you approve it")
    notebook.reads(1, "Another view of this list has opened m-2")
    notebook.button(1, "Show m-1 here").click()
    notebook.reads(1, "Nothing runs until you approve it")
    notebook.reads(2, "Another view of this list has opened m-1")


def test_graph_has_the_same_colours_in_an_output_view(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE + " --yes")
    notebook.run(1)
    desk.comes_to("running", task="read")
    expect(notebook.view(1).locator("canvas")).to_be_visible()
    desk.page.evaluate(
        "() => window.jupyterapp.commands.execute('notebook:create-output-view')"
    )
    expect(desk.page.locator(".jp-LinkedOutputView canvas")).to_be_visible()
    desk.page.wait_for_function(
        """() => {
          const corner = (canvas) => canvas.getContext("2d").getImageData(1, 1, 1, 1).data;
          const found = [...document.querySelectorAll(".hypernb canvas")].map(corner);
          return found.length === 2 && String(found[0]) === String(found[1]);
        }"""
    )
