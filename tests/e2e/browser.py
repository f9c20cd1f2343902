"""A Chromium to test with: the system's, Playwright's own, or one that is installed for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

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
