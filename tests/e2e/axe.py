"""axe-core, run in a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

AXE: Final = (
    Path(__file__).resolve().parents[2] / "widgets" / "node_modules" / "axe-core" / "axe.min.js"
)
# What is about whole pages, and a view is a part of somebody else's.
NOT_OURS: Final = (
    "bypass",
    "landmark-one-main",
    "page-has-heading-one",
    "region",
)
# The rules that a theme can change: another one has other colours, and nothing else.
OF_COLOURS: Final = ("color-contrast", "link-in-text-block")
_START: Final = """([within, off, only]) => {
  const options = only.length > 0
    ? { runOnly: only }
    : { rules: Object.fromEntries(off.map((id) => [id, { enabled: false }])) };
  window.axeRuns = window.axe.run(within, { ...options, resultTypes: ["violations"] });
}"""
_FINISH: Final = """async () => {
  const result = await window.axeRuns;
  return result.violations.map(({ id, help, nodes }) => ({
    id,
    help,
    nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html}: ${failureSummary}`),
  }));
}"""


def violations(page: Page, within: str = ".hypernb") -> list[dict[str, Any]]:
    """Return what axe finds, one entry a rule; adds axe to the page if it is not there."""
    start(page, within)
    return finish(page)


def start(page: Page, within: str = ".hypernb", *, only: Sequence[str] = ()) -> None:
    """Let axe begin, all rules or ``only`` some, so that another page can be used meanwhile."""
    if not page.evaluate("() => !!window.axe"):
        page.add_script_tag(path=AXE)
    page.evaluate(_START, [within, list(NOT_OURS), list(only)])


def finish(page: Page) -> list[dict[str, Any]]:
    """Wait for what was started, and return what axe found."""
    found: list[dict[str, Any]] = page.evaluate(_FINISH)
    return found
