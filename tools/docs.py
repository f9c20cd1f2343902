"""Write the reference pages, and check that the documentation is true where a program can tell.

Usage: ``python -m tools.docs [--check]``. With ``--check`` nothing is written, and a page that
would change is a complaint. Checked are links between files, their anchors, and the Python in
the pages: every block must run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tools.reference import PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
SOURCES = ("*.md", "docs/**/*.md", "changes/README.md")
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
SNIPPET_SECONDS = 120


def pages() -> list[Path]:
    """List the Markdown files that people read."""
    return sorted(path for pattern in SOURCES for path in ROOT.glob(pattern))


def anchors(text: str) -> set[str]:
    """Name the headings of a page the way GitHub does."""
    titles = (match["title"].lower() for match in HEADING.finditer(FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in titles}


def broken_links(page: Path) -> Iterator[str]:
    """Say which links of a page lead nowhere in this repository."""
    for match in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target, _, anchor = match["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        goal = (page.parent / target).resolve() if target else page
        if not goal.exists():
            yield f"links to {match['target']!r}, which is not there"
        elif anchor and goal.suffix == ".md" and anchor not in anchors(goal.read_text("utf-8")):
            yield f"links to {match['target']!r}, but that page has no such heading"


def broken_snippets(page: Path) -> Iterator[str]:
    """Run the Python blocks of a page, each in a process and a store of its own."""
    fences = FENCE.finditer(page.read_text(encoding="utf-8"))
    blocks = [fence["body"] for fence in fences if fence["language"] == "python"]
    for number, source in enumerate(blocks, start=1):
        with tempfile.TemporaryDirectory() as folder:
            env = os.environ | {
                "HYPERNB_DB": str(Path(folder) / "hypernb.db"),
                "HYPERNB_RUNNER": "inprocess",
            }
            script = Path(folder) / "snippet.py"
            script.write_text(source, encoding="utf-8")
            done = subprocess.run(
                [sys.executable, str(script)],
                check=False,
                cwd=folder,
                env=env,
                capture_output=True,
                text=True,
                timeout=SNIPPET_SECONDS,
            )
        if done.returncode:
            yield f"its Python block {number} does not run:\n{done.stderr}"


def stale_pages(*, write: bool) -> Iterator[str]:
    """Make the reference pages; say which are not as they should be, or write them."""
    for name, make in PAGES.items():
        path, content = REFERENCE / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == content:
            continue
        if write:
            path.write_text(content, encoding="utf-8")
            print(f"Wrote {path.relative_to(ROOT)}.")
        else:
            yield f"{path.relative_to(ROOT)} is not up to date. `make docs` writes it."


def main() -> int:
    """Print what is wrong; the exit code says whether anything is."""
    complaints = list(stale_pages(write="--check" not in sys.argv[1:]))
    for page in pages():
        wrong = [*broken_links(page), *broken_snippets(page)]
        complaints += [f"{page.relative_to(ROOT)} {complaint}" for complaint in wrong]
    for complaint in complaints:
        print(complaint)
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
