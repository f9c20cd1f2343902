"""A browser, a JupyterLab, and a desk for each test; each with an end, whatever happens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import Error, sync_playwright

from hypernb.session import Session
from hypernb.session._following import Follower
from tests.e2e.browser import Chrome, demand_chromium
from tests.e2e.events import append_notes
from tests.e2e.jupyter import Jupyter
from tests.e2e.notebook import Notebook, write_notebook
from tests.read_file import READ_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Dialog, Page, Playwright

    from hypernb import Plan
    from hypernb.session import Mission

TEST_TAKES_S: Final = 90
STOP_WITHIN_S: Final = 10
SIZE: Final = {"width": 1300, "height": 1400}

PROPOSE: Final = "%%hyper --playbook read-file text.txt"
# Pure Python that never lets go of the interpreter on its own.
COMPUTE: Final = """
import pathlib, time
until = time.monotonic() + 60
while time.monotonic() < until and not pathlib.Path("enough").exists():
    sum(range(2_000))
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(TEST_TAKES_S + 30))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> str:
    return demand_chromium(playwright)


@pytest.fixture(scope="module")
def shared_chrome(playwright: Playwright, chromium: str) -> Iterator[Chrome]:
    started = Chrome(playwright, chromium)
    yield started
    started.close()


@pytest.fixture
def chrome(shared_chrome: Chrome) -> Iterator[Chrome]:
    """The module's browser; a test that takes too long loses it, and fails."""
    try:
        with shared_chrome.for_a_test(TEST_TAKES_S):
            yield shared_chrome
    except Error as error:
        pytest.fail(f"The browser was ended after {TEST_TAKES_S} s: {error}")


@pytest.fixture
def page(chrome: Chrome) -> Iterator[Page]:
    """A page that fails its test if a view's own code raises."""
    made = chrome.context(viewport=SIZE).new_page()
    problems = watch_for_problems(made)
    yield made
    assert not problems


def watch_for_problems(page: Page) -> list[str]:
    """Gather what goes wrong in the views of a page, and any dialog that somebody opens.

    Jupyter has errors of its own, and its scripts have addresses; those of widgets are blobs.
    """
    problems: list[str] = []

    def note(error: Error) -> None:
        told = error.stack or str(error)
        if "/static/" not in told or "blob:" in told:
            problems.append(told)

    page.on("pageerror", note)

    def refuse(dialog: Dialog) -> None:
        problems.append(f"A dialog was opened: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refuse)
    return problems


@pytest.fixture(scope="session")
def jupyter(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:  # noqa: ARG001 (no server where there is no browser)
    server = Jupyter(tmp_path_factory.mktemp("jupyter"))
    server.start()
    yield server
    server.stop()


@dataclass
class Desk:
    """A folder of the server's with a store, for one test."""

    jupyter: Jupyter
    name: str
    page: Page
    sessions: list[Session] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.jupyter.root / self.name

    @property
    def database(self) -> Path:
        return self.folder / "missions.db"

    @property
    def text(self) -> Path:
        """The file that the playbook ``read-file`` waits for."""
        return self.folder / "text.txt"

    @property
    def session(self) -> Session:
        if not self.sessions:
            self.sessions.append(Session(self.database))
        return self.sessions[0]

    @property
    def first_cell(self) -> str:
        return f"import os\nos.environ['HYPERNB_DB'] = {str(self.database)!r}\n{READ_FILE}"

    def notebook(self, *cells: str, name: str = "one", page: Page | None = None) -> Notebook:
        """Write and open a notebook whose first cell is `first_cell`, and run that."""
        path = f"{self.name}/{name}.ipynb"
        write_notebook(self.jupyter.root / path, self.first_cell, *cells)
        opened = Notebook(page or self.page, self.jupyter, path).open(
            workspace=f"{self.name}-{name}"
        )
        opened.run(0)
        return opened

    @property
    def mission(self) -> Mission:
        """The newest mission."""
        return self.session.mission()

    def comes_to(self, state: str, *, within_s: float = 20, task: str = "") -> None:
        """Wait until the newest mission, or a task of it, is in this state."""
        mission = self.mission
        for _ in Follower(self.session.store).looks(within_s, tick_s=0.1):
            found = mission.tasks[task].state if task else mission.state
            if found.value == state:
                return
        pytest.fail(f"{mission.id} {task} did not come to be {state} within {within_s} s.")

    def propose(self, plan: Plan) -> Mission:
        """Propose a plan from outside of any notebook."""
        return self.session.start(plan)

    def say(self, mission: Mission, notes: Sequence[str]) -> int:
        """Have the first task of a mission say something; return the last event's ``seq``."""
        return append_notes(mission, notes)

    def clear(self) -> None:
        """End kernels, missions and the runner."""
        self.jupyter.shut_kernels_down()
        if not self.database.exists():
            return
        with self.session as session:
            for mission in session.missions():
                if not mission.state.is_final:
                    mission.cancel()
            session.stop(timeout=STOP_WITHIN_S)


@pytest.fixture
def desk(
    jupyter: Jupyter,
    page: Page,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    monkeypatch.setenv("HYPERNB_HOME", str(jupyter.folder / "home"))
    name = re.sub(r"\W+", "-", request.node.name.removeprefix("test_"))[:60].strip("-")
    made = Desk(jupyter, name, page)
    made.folder.mkdir(parents=True, exist_ok=True)
    yield made
    made.clear()
