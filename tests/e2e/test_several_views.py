"""Several views of one mission agree, and views of many missions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from hypernb import Plan
from tests.e2e.conftest import PROPOSE, watch_for_problems

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.e2e.conftest import Desk

VIEW = 'from hypernb.widgets import MissionView\nMissionView("m-1")'


def test_notebooks_on_one_mission_agree(desk: Desk, browser: Browser) -> None:
    first = desk.notebook(PROPOSE)
    first.run(1)
    expect(first.view(1)).to_be_visible()
    context = browser.new_context()
    page = context.new_page()
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
    context.close()
    assert not problems


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
    for name in ("Count apples", "Count pears"):
        desk.propose(Plan(name).add("count", len, "fruit"))
    notebook = desk.notebook("from hypernb.widgets import History\nHistory()")
    view = notebook.run(1)
    notebook.reads(1, "Count apples")
    notebook.reads(1, "Count pears")
    view.get_by_role("searchbox").first.fill("pears")
    expect(view).not_to_contain_text("Count apples", timeout=15_000)
    view.get_by_role("button", name=re.compile("^Open")).first.click()
    notebook.reads(1, "Nothing runs until you approve it")


def test_hyper_board_shows_all_live_missions(desk: Desk) -> None:
    for name in ("Count apples", "Count pears"):
        desk.propose(Plan(name).add("count", len, "fruit"))
    notebook = desk.notebook("from hypernb.widgets import HyperBoard\nHyperBoard()")
    notebook.run(1)
    notebook.reads(1, "Count apples")
    notebook.reads(1, "Count pears")
    desk.mission.reject("not now")
    expect(notebook.output(1)).not_to_contain_text("Count pears", timeout=15_000)
