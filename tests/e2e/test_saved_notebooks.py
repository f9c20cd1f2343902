"""What a notebook shows that is opened again: never a widget without its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PROPOSE
from tests.e2e.notebook import Notebook, outputs_of

if TYPE_CHECKING:
    from tests.e2e.conftest import Desk

BOX = """
from ipywidgets import VBox
from hypernb.widgets import FeedView, GraphView

graph, feed = GraphView("m-1"), FeedView("m-1")
VBox([graph, feed])
"""


@pytest.mark.parametrize("database", ["kept", "gone"])
def test_mission_that_ended_is_shown_as_it_ended(desk: Desk, database: str) -> None:
    desk.text.write_text("hello")
    notebook = desk.notebook(PROPOSE + " --yes")
    notebook.run(1)
    desk.comes_to("succeeded")
    notebook.reads(1, "Succeeded")
    # The live view says so a moment before its page takes its place.
    expect(notebook.view(1)).to_have_count(0)
    notebook.save()
    _close(desk)
    if database == "gone":
        desk.session.stop()
        desk.session.close()
        for file in desk.folder.glob("missions.db*"):
            if file.is_file():
                file.unlink()
    again = _open_again(desk, notebook)
    again.reads(1, "Succeeded")
    again.says_nothing_of_models()


def test_notebook_saved_while_the_mission_ran_shows_its_copy(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE + " --yes")
    notebook.run(1)
    desk.comes_to("running", task="read")
    expect(notebook.view(1)).to_be_visible()
    notebook.reads(1, "Running")
    kept = outputs_of(notebook.save_with_copy("Read a file"), 1)[0]
    assert "Read a file" in kept["text/html"]
    _close(desk)
    again = _open_again(desk, notebook)
    again.reads(1, "Read a file")
    again.says_nothing_of_models()


@pytest.mark.parametrize("view", ["MissionView", "PlanView"])
def test_view_made_in_python_is_kept_as_its_mission_ended(desk: Desk, view: str) -> None:
    desk.text.write_text("hello")
    notebook = desk.notebook(
        PROPOSE + " --yes", f"from hypernb.widgets import {view}\n{view}('m-1')"
    )
    notebook.run(1)
    desk.comes_to("succeeded")
    notebook.reads(1, "Succeeded")
    notebook.run(2)
    expect(notebook.view(2)).to_be_visible()
    notebook.save_with_copy("Succeeded")
    _close(desk)
    again = _open_again(desk, notebook)
    again.reads(2, "Succeeded")
    again.says_nothing_of_models()
    expect(again.output(2)).not_to_contain_text("Run the cell again")


def test_notebook_is_opened_again_while_its_kernel_lives(desk: Desk) -> None:
    notebook = desk.notebook(PROPOSE + " --yes")
    notebook.run(1)
    desk.comes_to("running", task="read")
    expect(notebook.view(1)).to_be_visible()
    notebook.save()
    desk.page.goto("about:blank")
    again = _open_again(desk, notebook)
    again.reads(1, "Running")
    desk.text.write_text("hello")
    desk.comes_to("succeeded")
    again.reads(1, "Succeeded")


def test_box_without_a_view_that_was_closed_is_shown_on_a_page_that_is_opened_anew(
    desk: Desk,
) -> None:
    notebook = desk.notebook(PROPOSE + " --yes", BOX, "feed.close()")
    notebook.run(1)
    desk.comes_to("running", task="read")
    notebook.run(2)
    expect(notebook.output(2).locator(".hypernb")).to_have_count(2)
    notebook.run(3)
    expect(notebook.output(2).locator(".hypernb")).to_have_count(1)
    notebook.save()
    desk.page.goto("about:blank")
    again = _open_again(desk, notebook)
    again.reads(1, "Running")
    expect(again.output(2).locator(".hypernb")).to_contain_text("read")


def _close(desk: Desk) -> None:
    desk.page.goto("about:blank")
    desk.jupyter.shut_kernels_down()


def _open_again(desk: Desk, notebook: Notebook) -> Notebook:
    return Notebook(desk.page, desk.jupyter, notebook.path).open(workspace=f"{desk.name}-again")
