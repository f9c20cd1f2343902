"""axe finds nothing in any view in any state, light and dark, narrow and wide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.e2e.axe import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT: Final = Path(__file__).resolve().parents[2]
DEV: Final = ROOT / "widgets" / "dev" / "dev.html"
PICTURES: Final = ROOT / "build" / "screenshots"

STATES: Final = (
    "planning",
    "awaiting_approval",
    "running",
    "paused",
    "succeeded",
    "failed",
    "cancelled",
    "rejected",
)
VIEWS: Final = (
    "mission",
    "plan",
    "graph",
    "board",
    "feed",
    "timeline",
    "result",
    "history",
    "hyper_board",
)
TABS: Final = ("plan", "graph", "board", "feed", "timeline", "result")
THEMES: Final = ("light", "dark")
WIDTHS: Final = {"narrow": 450, "wide": 1280}
HEIGHT: Final = 1700


@pytest.mark.parametrize("view", VIEWS)
def test_view_has_no_violation_in_any_state(page: Page, view: str) -> None:
    found = [each for state in STATES for each in _looks(page, f"view={view}&state={state}")]
    assert found == []


@pytest.mark.parametrize("state", ["running", "succeeded"])
def test_tab_of_the_mission_has_no_violation(page: Page, state: str) -> None:
    found = [
        each for tab in TABS for each in _looks(page, f"view=mission&tab={tab}&state={state}")
    ]
    assert found == []


def test_compact_and_high_contrast_have_no_violation(page: Page) -> None:
    found = [
        each
        for state in STATES
        for each in _looks(page, f"view=mission&state={state}&density=compact", ("contrast",))
    ]
    assert found == []


def _looks(page: Page, query: str, themes: tuple[str, ...] = THEMES) -> list[dict[str, Any]]:
    page.goto(f"{DEV.as_uri()}?{query}")
    page.wait_for_selector(".hypernb > *")
    name = "-".join(part.partition("=")[2] for part in query.split("&"))
    found = []
    for theme in themes:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        for width, pixels in WIDTHS.items():
            page.set_viewport_size({"width": pixels, "height": HEIGHT})
            look = f"{name}-{theme}-{width}"
            page.screenshot(path=PICTURES / f"{look}.png")
            found += [{"look": look, **each} for each in violations(page)]
    return found
