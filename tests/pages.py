"""Code that stands in README and guide, and who runs it.

Python blocks are run by ``tools.docs``. What else can be run without a model is run by tests;
the rest says why it is not, and is read by the parsers that would read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tools.docs import FENCE, ROOT

PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs/guide").glob("*.md")))
IN_A_KERNEL: Final = (
    "README.md: %load_ext hypernb",
    "magics.md: %load_ext hypernb",
    "magics.md: %%hyper --playbook repo-audit .. --no-tests",
    "magics.md: mission = _",
    "magics.md: %%hyper --playbook repo-adit",
    (
        "live-views.md: from hypernb.widgets import FeedView, GraphView, History, HyperBoard, "
        "MissionView"
    ),
    "playbooks.md: %hyper limits the-service --at-once 4 --rate 2 --burst 10",
    "tools.md: %hyper attach m-7",
)
IN_A_TERMINAL: Final = "README.md: hypernb run repo-audit . --yes --json audit.json"
NOT_RUN: Final = {
    "README.md: make demo": "the Makefile; CI runs the demo",
    'README.md: %config HyperMagics.model = "gpt-5-mini"': "needs a model",
    'models.md: %config HyperMagics.model = "gpt-5-mini"': "needs a model",
    "models.md: %%hyper --budget 0.50": "needs a model",
    'models.md: %config HyperMagics.base_url = "http://localhost:11434/v1"': "needs a model",
    "models.md: %%hyper --in df,cfg --see df=schema,cfg=all --out features": "needs a model",
    "playbooks.md: %hyper run repo-audit [PATH] [--no-tests] [--agents A,B]": "a usage line",
    "playbooks.md: %%hyper --playbook data-profile --in df --out report": "needs your data",
}
_CODE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_TYPED: Final = re.compile(r"(?:\w+ = )?(%%?hyper(?: .*)?|%config .*|hypernb [a-z].*)")
_COMMENT: Final = re.compile(r"(?:^|\s\s+)#.*")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    body: str

    @property
    def name(self) -> str:
        """The page and the first line, without its comment."""
        return f"{self.page}: {_COMMENT.sub('', self.body.splitlines()[0]).strip()}"


def _blocks() -> list[Block]:
    return [
        Block(page.name, found["language"], found["body"])
        for page in PAGES
        for found in FENCE.finditer(page.read_text("utf-8"))
    ]


BLOCKS: Final = _blocks()


def block(name: str) -> Block:
    """Return the block of this name; see `Block.name`."""
    [found] = [each for each in BLOCKS if each.name == name]
    return found


def typed_lines() -> list[tuple[str, str]]:
    """Return each line that a reader could type, magics and commands, with its page."""
    found: dict[tuple[str, str], None] = {}
    for page in PAGES:
        text = page.read_text("utf-8")
        lines = [
            _COMMENT.sub("", line)
            for fence in FENCE.finditer(text)
            if fence["language"] not in ("python", "toml")
            for line in fence["body"].splitlines()
        ]
        for line in [*lines, *_CODE.findall(FENCE.sub("", text))]:
            if match := _TYPED.fullmatch(line.strip()):
                found[page.name, match[1]] = None
    return list(found)
