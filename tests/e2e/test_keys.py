"""Letters typed on what has the focus in a view are no commands of the notebook around it."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import nbformat
import pytest
from playwright.sync_api import expect

from hypernb.session._following import Follower
from tests.e2e.conftest import PROPOSE, Desk
from tests.e2e.jupyter import Jupyter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.notebook import Notebook

# What deletes, cuts, adds and splits cells, restarts the kernel, and turns cells into text.
COMMANDS = ("d", "d", "x", "a", "b", "0", "0", "m", "Shift+M", "z", "Escape", "c", "v")


@pytest.fixture(scope="module", params=["lab", "notebook"])
def server(
    request: pytest.FixtureRequest,
    chromium: str,  # noqa: ARG001 (no server where there is no browser)
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Jupyter]:
    started = Jupyter(tmp_path_factory.mktemp(f"keys-{request.param}"), app=request.param)
    started.start()
    yield started
    started.stop()


def test_letters_on_any_control_leave_the_notebook_as_it_is(
    server: Jupyter, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(server.folder / "home"))
    desk = Desk(server, f"keys-{server.app}", page)
    notebook = desk.notebook(PROPOSE, "kept = 1", "kept = 2")
    notebook.run(1)
    view = notebook.view(1)
    expect(view).to_be_visible()
    before = _cells(notebook)
    link = view.get_by_role("button", name=re.compile("^read")).first
    approve = notebook.button(1, "Approve both tasks")
    _typed_on(notebook, link, before)
    _typed_on(notebook, approve, before)
    notebook.press(1, "Approve some")
    _typed_on(notebook, view.get_by_role("checkbox").first, before)
    notebook.press(1, "Stop choosing")
    _saves(desk, notebook, approve)
    approve.click()
    desk.comes_to("running", task="read")
    _typed_on(notebook, view.get_by_role("tab").first, before)
    notebook.press(1, "Cancel mission")
    _typed_on(notebook, notebook.button(1, "Cancel the mission"), before)
    desk.clear()


def _typed_on(notebook: Notebook, control: Locator, before: list[str]) -> None:
    control.focus()
    for key in COMMANDS:
        control.focus()
        notebook.page.keyboard.press(key)
        if key == "Escape":
            # What Escape closes gives the focus to something of the view, never to the page.
            within = "() => document.activeElement?.closest('.hypernb') !== null"
            assert notebook.page.evaluate(within), f"Escape on {control}"
            if control.count() == 0:
                break
    assert _cells(notebook) == before, str(control)
    assert notebook.page.locator(".jp-Dialog").count() == 0, str(control)


def _saves(desk: Desk, notebook: Notebook, control: Locator) -> None:
    """Hold that Ctrl+S saves from a button as from anywhere."""
    notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.model.sharedModel"
        ".setMetadata('typed', 'then saved'); }"
    )
    control.focus()
    notebook.page.keyboard.press("ControlOrMeta+s")
    for _ in Follower(desk.session.store).looks(20, tick_s=0.2):
        # It is looked at while it may be written, and is empty then for a moment.
        with suppress(nbformat.reader.NotJSONError):
            if nbformat.read(notebook.file, as_version=4).metadata.get("typed") == "then saved":
                return
    pytest.fail("Ctrl+S on a button of a view did not save the notebook.")


def _cells(notebook: Notebook) -> list[str]:
    cells: list[str] = notebook.page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells]"
        ".map((cell) => `${cell.type} ${cell.sharedModel.source}`)"
    )
    return cells
