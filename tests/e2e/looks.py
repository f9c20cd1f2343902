"""Every view in every state, without Jupyter: shown, photographed and checked."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.e2e import axe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Page

ROOT: Final = Path(__file__).resolve().parents[2]
DEV: Final = ROOT / "widgets" / "dev" / "dev.html"
PICTURES: Final = ROOT / "build" / "screenshots"
THEMES: Final = ("light", "dark")
WIDTHS: Final = {"wide": 900, "narrow": 450}
HEIGHT: Final = 1700


@dataclass(frozen=True)
class Look:
    """What is looked at.

    Attributes:
        query: What the page without Jupyter is asked to show.
        steps: What is done there then: ``press Edit``, ``tick Compare m-6``, or
            ``fill Goal: Say it louder``.
        name: What pictures are called.
    """

    query: str
    steps: tuple[str, ...] = ()
    name: str = ""

    @property
    def title(self) -> str:
        values = [part.partition("=")[2] for part in self.query.split("&")]
        return re.sub(r"[^\w-]+", "-", "-".join([*values, self.name]).strip("-"))


def problems_of(pages: Sequence[Page], looks: Sequence[Look]) -> list[dict[str, Any]]:
    """Return what axe finds, in turn on all pages: while one is checked, another is drawn."""
    found: list[dict[str, Any]] = []
    waiting = deque(looks)
    running: deque[Iterator[None]] = deque()
    for page in pages:
        _open(page)
        running.append(_every_look(page, waiting, found))
    while running:
        turn = running.popleft()
        if next(turn, turn) is not turn:
            running.append(turn)
    return found


def _open(page: Page) -> None:
    page.goto(DEV.as_uri())
    page.wait_for_function("() => !!window.showView")
    page.add_script_tag(path=axe.AXE)


def _every_look(
    page: Page, waiting: deque[Look], found: list[dict[str, Any]]
) -> Iterator[None]:
    while waiting:
        look = waiting.popleft()
        for width, pixels in WIDTHS.items():
            page.set_viewport_size({"width": pixels, "height": HEIGHT})
            if width == "wide":
                show(page, look)
            for theme in _themes_of(look):
                page.evaluate(
                    "name => { document.documentElement.dataset.theme = name }", theme
                )
                name = f"{look.title}-{theme}-{width}"
                page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
                # A theme is colours only.
                axe.start(page, only=axe.OF_COLOURS if theme == "dark" else ())
                yield
                found += [{"look": name, **each} for each in axe.finish(page)]


def _themes_of(look: Look) -> tuple[str, ...]:
    return ("contrast",) if "theme=contrast" in look.query else THEMES


def show(page: Page, look: Look) -> None:
    """Show it, and do its steps."""
    page.evaluate("query => window.showView(query)", look.query)
    page.wait_for_selector(".hypernb > *")
    for step in look.steps:
        verb, _, what = step.partition(" ")
        if verb == "fill":
            _fill(page, *what.split(": ", 1))
        else:
            role: Any = "button" if verb == "press" else "checkbox"
            begins = re.compile(f"^{re.escape(what)}")
            page.get_by_role(role, name=begins).first.click()


def _fill(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).first.fill(text)
    page.keyboard.press("Tab")
