"""The same in Notebook 7."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PROPOSE, Desk
from tests.e2e.jupyter import Jupyter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page


@pytest.fixture
def notebook_7(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:  # noqa: ARG001 (no server where there is no browser)
    server = Jupyter(tmp_path_factory.mktemp("notebook"), app="notebook")
    server.start()
    yield server
    server.stop()


def test_mission_is_approved_watched_and_frozen(
    notebook_7: Jupyter, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(notebook_7.folder / "home"))
    desk = Desk(notebook_7, "seven", page)
    notebook = desk.notebook(PROPOSE, "%hyper doctor")
    notebook.run(1)
    expect(notebook.view(1)).to_be_visible()
    notebook.press(1, "Approve both tasks")
    notebook.reads(1, "Running")
    notebook.run(2)
    notebook.reads(2, "live view: Notebook 7 answered")
    desk.text.write_text("hello")
    notebook.reads(1, "Succeeded")
    expect(notebook.view(1)).to_have_count(0)
    desk.clear()
