"""A JupyterLab on a free port and a Chromium, for what is measured in a page."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tests.e2e.browser import ARGUMENTS, find_chromium
from tests.e2e.jupyter import Jupyter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

_CLOCK = "() => performance.timeOrigin + performance.now()"


@contextmanager
def in_jupyter() -> Iterator[tuple[Browser, Jupyter]]:
    """Start both in a folder of their own, which is `HYPERNB_HOME` as well."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = find_chromium(playwright)
        if not chromium:
            sys.exit("No Chromium was found and none could be installed.")
        os.environ["HYPERNB_HOME"] = str(Path(folder) / "home")
        jupyter = Jupyter(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
        try:
            jupyter.start()
            yield browser, jupyter
        finally:
            browser.close()
            jupyter.stop()


def ahead_ms(page: Page) -> float:
    """Return how many ms the page's clock is ahead of ours, from the quickest of some looks."""
    looks = []
    for _ in range(20):
        before = time.time()
        there = float(page.evaluate(_CLOCK))
        after = time.time()
        looks.append((after - before, there - (before + after) * 500))
    return min(looks)[1]
