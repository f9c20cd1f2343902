"""A notebook in the browser, used as a person would use it."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import nbformat
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.e2e.jupyter import Jupyter

READY_WITHIN_MS: Final = 40_000
SOON_MS: Final = 15_000

_KERNEL = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
_IS_IDLE = f"() => {_KERNEL}?.status === 'idle'"
_RUN = """([index, wait]) => {
  const { shell, commands } = window.jupyterapp;
  shell.currentWidget.content.activeCellIndex = index;
  const done = commands.execute("notebook:run-cell");
  return wait ? done : undefined;
}"""


@dataclass
class Notebook:
    """One open notebook.

    Attributes:
        path: The file, relative to what the server serves.
    """

    page: Page
    jupyter: Jupyter
    path: str

    def open(self, *, workspace: str = "one", kernel: bool = True) -> Notebook:
        """Open it; with ``kernel``, wait until its kernel answers."""
        self.page.goto(self.jupyter.page_of(self.path, workspace))
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=READY_WITHIN_MS)
        if kernel:
            self.page.wait_for_function(_IS_IDLE, timeout=READY_WITHIN_MS)
        return self

    def run(self, index: int, *, wait: bool = True) -> Locator:
        """Run a cell, and return its output."""
        self.page.evaluate(_RUN, [index, wait])
        if not wait:
            expect(self._prompt(index)).to_have_text("[*]:", timeout=SOON_MS)
        return self.output(index)

    def is_running(self, index: int) -> bool:
        """Whether a cell still runs; the kernel's state says nothing of it while one clicks."""
        return self._prompt(index).inner_text().startswith("[*]")

    def _prompt(self, index: int) -> Locator:
        return self.cell(index).locator(".jp-InputPrompt")

    def cell(self, index: int) -> Locator:
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        return self.cell(index).locator(".jp-Cell-outputWrapper")

    def view(self, index: int) -> Locator:
        """The live view in the output of a cell."""
        return self.output(index).locator(".hypernb .mission")

    def press(self, index: int, name: str) -> None:
        """Press the button of a cell's view whose label begins like this."""
        self.button(index, name).click(timeout=SOON_MS)

    def button(self, index: int, name: str) -> Locator:
        label = re.compile(f"^{re.escape(name)}")
        return self.output(index).get_by_role("button", name=label).first

    def reads(self, index: int, text: str | re.Pattern[str], timeout: float = SOON_MS) -> None:
        """Wait until the output of a cell says this."""
        expect(self.output(index)).to_contain_text(text, timeout=timeout)

    def save(self) -> nbformat.NotebookNode:
        """Save it, and return what is in the file."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        saved: nbformat.NotebookNode = nbformat.read(self.file, as_version=4)
        return saved

    def save_with_copy(self, text: str) -> nbformat.NotebookNode:
        """Save it until it has a copy of a view that says this: a copy comes after its view."""
        deadline = time.monotonic() + SOON_MS / 1_000
        saved = self.save()
        while text not in json.dumps(saved.metadata.get("widgets", {})):
            assert time.monotonic() < deadline, f"no copy says {text!r}"
            self.page.wait_for_timeout(50)
            saved = self.save()
        return saved

    @property
    def file(self) -> Path:
        return self.jupyter.root / self.path

    def restart_kernel(self) -> None:
        self.page.evaluate(f"() => {_KERNEL}.restart()")
        self.page.wait_for_function(_IS_IDLE, timeout=READY_WITHIN_MS)

    def says_nothing_of_models(self) -> None:
        """Hold that no output tells of a widget that cannot be shown."""
        text = self.page.locator(".jp-Notebook").inner_text()
        for words in ("model not found", "Error displaying widget", "Loading widget"):
            assert words.lower() not in text.lower(), text


def write_notebook(file: Path, *cells: str) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, file)


def outputs_of(notebook: Any, index: int) -> list[dict[str, Any]]:
    """What is saved below a cell, by media type."""
    return [output["data"] for output in notebook.cells[index].outputs if "data" in output]
