"""axe-core, run in a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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
_RUN: Final = """async ([within, off]) => {
  const rules = Object.fromEntries(off.map((id) => [id, { enabled: false }]));
  const result = await window.axe.run(within, { rules, resultTypes: ["violations"] });
  return result.violations.map(({ id, help, nodes }) => ({
    id,
    help,
    nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html}: ${failureSummary}`),
  }));
}"""


def violations(page: Page, within: str = ".hypernb") -> list[dict[str, Any]]:
    """Return what axe finds, one entry a rule; adds axe to the page if it is not there."""
    if not page.evaluate("() => !!window.axe"):
        page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = page.evaluate(_RUN, [within, list(NOT_OURS)])
    return found
