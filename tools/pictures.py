"""Make the pictures of README and guide: a mission in a notebook, from its plan to its end.

Run by ``make pictures``. Notebook 7, kernel, runner and browser are real, and so is the mission
(`tools.pictured_report`). No two runs give the same times and process numbers, so make new ones
when views have changed, and look at them. The font is Inter where it is installed.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.e2e.browser import ARGUMENTS, NONE, find_chromium
from tests.e2e.jupyter import Jupyter
from tests.e2e.notebook import Notebook, write_notebook
from tools.pictured_report import TURNS

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Page, ViewportSize

ROOT: Final = Path(__file__).resolve().parent.parent
OUT: Final = ROOT / "docs" / "images"
LOAD: Final = "%load_ext hypernb\nimport sales"
GOAL: Final = (
    "%%hyper --playbook quarterly-report\n"
    "Report on the third quarter, and say what the fourth may bring"
)
CELL: Final = 1
SIZE: Final[ViewportSize] = {"width": 980, "height": 1500}
STILL_HEIGHT: Final = 684
FILM_HEIGHT: Final = 884
COLOURS: Final = 256
NEAR: Final = 8
STYLE: Final = """
:root {
  --jp-ui-font-family: Inter, system-ui, sans-serif !important;
  --jp-content-font-family: Inter, system-ui, sans-serif !important;
}
"""
THEME: Final = """async theme => {
  await window.jupyterapp.commands.execute("apputils:change-theme", { theme });
  document.activeElement?.blur();
}"""
# A cell that is not active has neither a bar beside it nor buttons in it.
LEAVE: Final = "() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 0 }"
# The machine that makes the pictures has its own folders; a reader's are called otherwise.
RENAME: Final = """pairs => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const [from, to] of pairs) {
      if (node.data.includes(from)) node.data = node.data.replaceAll(from, to);
    }
  }
}"""


@dataclass
class Film:
    """Pictures that are shown one after the other."""

    frames: list[Image.Image] = field(default_factory=list)
    lasting_ms: list[int] = field(default_factory=list)

    def add(self, picture: bytes, lasting_ms: int) -> None:
        """Add a picture at the end."""
        self.frames.append(Image.open(io.BytesIO(picture)).convert("RGB"))
        self.lasting_ms.append(lasting_ms)

    def save(self, path: Path) -> None:
        """Write it with the same colours in all frames, so that nothing flickers."""
        first, *others = fewer_colours(self.frames)
        first.save(path, save_all=True, append_images=others, duration=self.lasting_ms, loop=0)


def fewer_colours(pictures: list[Image.Image]) -> list[Image.Image]:
    """Return the pictures in the colours that they use most, so that white stays white.

    Of colours so near to each other that Pillow mixes them up, only the first is taken.
    """
    counted: Counter[tuple[int, ...]] = Counter()
    for picture in pictures:
        for count, colour in picture.getcolors(picture.width * picture.height) or ():
            counted[cast("tuple[int, ...]", colour)] += count
    apart: dict[tuple[int, ...], tuple[int, ...]] = {}
    for colour, _ in counted.most_common():
        apart.setdefault(tuple(part // NEAR for part in colour), colour)
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in [*apart.values()][:COLOURS] for part in colour])
    return [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures]


@dataclass
class Stage:
    """The notebook that is pictured.

    Attributes:
        turns: A folder; a task ends when a file of its name is there.
    """

    notebook: Notebook
    turns: Path
    film: Film = field(default_factory=Film)

    @property
    def page(self) -> Page:
        """Where the notebook is open."""
        return self.notebook.page

    def take_turns(self, *tasks: str) -> None:
        """Let these tasks end."""
        for task in tasks:
            (self.turns / task).touch()

    def pause(self, seconds: float) -> None:
        """Let the mission go on, and the page be drawn."""
        self.page.wait_for_timeout(seconds * 1000)

    def press(self, tab: str) -> None:
        """Go to another tab."""
        self.notebook.view(CELL).get_by_role("tab", name=tab).click()
        self.page.evaluate("() => document.activeElement?.blur()")

    def shoot(self, *, lasting_s: float, after_s: float = 0.4) -> None:
        """Add a picture to the film."""
        self.pause(after_s)
        self._tidy()
        picture = self.page.screenshot(clip=self._part(FILM_HEIGHT), scale="css")
        self.film.add(picture, round(lasting_s * 1000))

    def keep(self, name: str, theme: str) -> None:
        """Write a picture in this theme."""
        self.page.evaluate(THEME, theme)
        self.pause(1)
        self._tidy()
        picture = self.page.screenshot(clip=self._part(STILL_HEIGHT))
        [small] = fewer_colours([Image.open(io.BytesIO(picture)).convert("RGB")])
        small.save(OUT / name, optimize=True)

    def _part(self, height: float) -> FloatRect:
        box = self.notebook.cell(CELL).bounding_box()
        if box is None:
            raise RuntimeError("The notebook has no cell to take a picture of.")
        return {"x": 0, "y": box["y"] - 2, "width": SIZE["width"], "height": height}

    def _tidy(self) -> None:
        work = str(self.notebook.jupyter.root)
        self.page.evaluate(LEAVE)
        self.page.evaluate(RENAME, [[work, "~/sales"], [str(ROOT), "~/hypernb"]])


def act(stage: Stage) -> None:
    """Go through the mission, and take the pictures on the way."""
    notebook = stage.notebook
    notebook.run(CELL)
    notebook.reads(CELL, "Nothing runs until you approve it")
    stage.shoot(lasting_s=3, after_s=1.5)
    notebook.button(CELL, "Approve all").hover()
    stage.shoot(lasting_s=2)
    notebook.press(CELL, "Approve all")
    notebook.reads(CELL, "3 running")
    stage.page.mouse.move(0, 0)
    stage.shoot(lasting_s=1.5, after_s=2)
    stage.take_turns("load-customers", "load-rates once")
    stage.shoot(lasting_s=1.5, after_s=1.5)
    stage.take_turns("load-orders")
    stage.shoot(lasting_s=1.5, after_s=3)
    stage.keep("live-view.png", "JupyterLab Light")
    stage.keep("live-view-dark.png", "JupyterLab Dark")
    stage.page.evaluate(THEME, "JupyterLab Light")
    stage.press("Board")
    stage.shoot(lasting_s=2.5, after_s=1)
    stage.take_turns("load-rates", "check-orders")
    stage.press("Feed")
    stage.shoot(lasting_s=2, after_s=1.5)
    stage.take_turns("match-customers")
    stage.press("Graph")
    stage.shoot(lasting_s=1.5, after_s=1)
    stage.take_turns("convert")
    stage.shoot(lasting_s=1.5, after_s=1.5)
    stage.take_turns("sum-regions")
    stage.press("Timeline")
    stage.shoot(lasting_s=1.5, after_s=1.5)
    stage.take_turns("forecast")
    stage.shoot(lasting_s=1.5, after_s=1.5)
    stage.take_turns("find-outliers")
    stage.shoot(lasting_s=1.5, after_s=1.5)
    stage.take_turns("write-report")
    notebook.reads(CELL, "Succeeded")
    stage.shoot(lasting_s=5, after_s=1.5)


def main() -> None:
    """Start what is needed, make the pictures, and end it."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = find_chromium(playwright)
        if not chromium:
            sys.exit(NONE)
        turns = Path(folder) / "turns"
        turns.mkdir()
        os.environ[TURNS] = str(turns)
        jupyter = Jupyter(Path(folder), app="notebook")
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
        try:
            jupyter.start()
            shutil.copy(ROOT / "tools" / "pictured_report.py", jupyter.root / "sales.py")
            write_notebook(jupyter.root / "report.ipynb", LOAD, GOAL)
            page = browser.new_page(viewport=SIZE, device_scale_factor=2)
            notebook = Notebook(page, jupyter, "report.ipynb").open()
            page.add_style_tag(content=STYLE)
            notebook.run(0)
            stage = Stage(notebook, turns)
            act(stage)
            stage.film.save(OUT / "first-mission.gif")
        finally:
            browser.close()
            jupyter.stop()
    for path in sorted(OUT.iterdir()):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
