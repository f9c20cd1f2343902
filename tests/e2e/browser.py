"""A Chromium to test with: the system's, Playwright's own, or one that is installed for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES: Final = ("chromium", "fonts-dejavu-core")
INSTALL_WITHIN_S: Final = 300
# Root has no sandbox of Chromium's, and a container often no GPU.
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
NONE: Final = (
    "There is no browser to test with: no Chromium on the PATH, none of Playwright's own, and "
    "none could be installed. Install chromium, or run `playwright install chromium`."
)


def find_chromium(playwright: Playwright) -> str:
    """Return the path of a Chromium, installed if need be; empty if there is none."""
    return (
        _on_path()
        or _own(playwright)
        or (_installed_by_apt() and _on_path())
        or (_installed_by_playwright() and _own(playwright))
        or ""
    )


def demand_chromium(playwright: Playwright) -> str:
    """Return the path of a Chromium; without any, skip the test, or fail it where CI runs."""
    found = find_chromium(playwright)
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail(NONE)
        pytest.skip(NONE)
    return found


def _on_path() -> str:
    return next((found for name in NAMES if (found := shutil.which(name))), "")


def _own(playwright: Playwright) -> str:
    path = playwright.chromium.executable_path
    return path if Path(path).is_file() else ""


def _installed_by_apt() -> bool:
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    update = ["apt-get", "update", "-qq"]
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    return _succeeds(update) and _succeeds(install)


def _installed_by_playwright() -> bool:
    return _succeeds([sys.executable, "-m", "playwright", "install", "chromium"])


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, timeout=INSTALL_WITHIN_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@dataclass
class Chrome:
    """A browser that many tests share, each with contexts of its own.

    A script that never ends in a page would keep Playwright waiting for ever; a browser that is
    gone does not. So one that a test does not let go of in time is killed, and the next test
    gets another.
    """

    playwright: Playwright
    path: str
    browsers: list[Browser] = field(default_factory=list)
    processes: list[psutil.Process] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def context(self, **options: Any) -> BrowserContext:
        """Return a new context; it ends with the test."""
        self.contexts.append(self._browser().new_context(**options))
        return self.contexts[-1]

    @contextmanager
    def for_a_test(self, within_s: float) -> Iterator[Chrome]:
        """End what a test opens.

        Raises:
            Error: The browser had to be killed.
        """
        watchdog = threading.Timer(within_s, self._kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield self
            for context in self.contexts:
                context.close()
        finally:
            watchdog.cancel()
            watchdog.join()
            self.contexts.clear()

    def close(self) -> None:
        """End the browser."""
        for browser in self.browsers:
            browser.close()
        self._kill()

    def _browser(self) -> Browser:
        if self.browsers and self.browsers[-1].is_connected():
            return self.browsers[-1]
        before = psutil.Process().children(recursive=True)
        launched = self.playwright.chromium.launch(executable_path=self.path, args=[*ARGUMENTS])
        self.processes = [
            each
            for each in psutil.Process().children(recursive=True)
            if each not in before and _is_browser(each)
        ]
        self.browsers = [launched]
        return launched

    def _kill(self) -> None:
        for each in self.processes:
            if each.is_running():
                each.kill()


def _is_browser(process: psutil.Process) -> bool:
    # A kernel or a runner may have been started in the meantime.
    try:
        return "chrom" in process.name()
    except psutil.NoSuchProcess:
        return False
