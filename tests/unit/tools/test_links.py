from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

CLEAN = {
    "README.md": (
        "# Read me\n\n[guide](docs/guide.md) [part](docs/guide.md#the-first-part) "
        "[here](#read-me) ![picture](docs/a%20b.png)\n\n[by name][ref] <https://x.example>\n"
        "[mail](mailto:a@b.example) [root](/docs/guide.md) [issues](../../issues)\n\n"
        "[ref]: docs/page.html#top-part\n\n```\n[code](nowhere.md)\n```\n\n"
        "`[code](nowhere.md)`\n\n"
        "    [indented](nowhere.md)\n"
    ),
    "docs/guide.md": "# Guide\n\n## The *first* part!\n\n[a](../README.md) [b](../a.py#L3)\n",
    "docs/page.html": '<p id="top-part"><a href="guide.md">g</a><a href="#top-part">t</a></p>',
    "docs/a b.png": b"\x89PNG",
    "style.css": "p { background: url('docs/a b.png') } /* url(nowhere.png) */",
    "a.py": "x = 1\n",
}


def found(run: ToolRun) -> list[tuple[str, str]]:
    return [(finding.where, finding.rule) for finding in run.findings]


def notebook(source: str) -> str:
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": source}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_clean_tree_has_no_findings(ran: Ran) -> None:
    run = ran("links", CLEAN)

    assert run.findings == ()
    assert run.facts["external_links"] == 2
    assert run.status is RunStatus.RAN


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"a.md": "one\n\n[x](b.md)\n"}, ("a.md:3", "broken-link"), id="markdown"),
        pytest.param({"a.md": "one\ntwo ![x](b.png)"}, ("a.md:2", "broken-link"), id="picture"),
        pytest.param({"a.md": "[x][r]\n\n[r]: b.md"}, ("a.md:1", "broken-link"), id="by-name"),
        pytest.param({"a.md": "x\n<img src='b.png'>"}, ("a.md:2", "broken-link"), id="tag"),
        pytest.param({"a.html": "\n<a href=b.html>"}, ("a.html:2", "broken-link"), id="html"),
        pytest.param({"a.css": "\np{a:url(b.png)}"}, ("a.css:2", "broken-link"), id="style"),
        pytest.param(
            {"a.ipynb": notebook("one\n\n[x](b.md)")},
            ("a.ipynb#cell-1:3", "broken-link"),
            id="notebook",
        ),
        pytest.param({"a.md": "# One\n\n[x](#two)"}, ("a.md:3", "broken-anchor"), id="anchor"),
        pytest.param(
            {"a.md": "[x](b.md#two)", "b.md": "# One\n"},
            ("a.md:1", "broken-anchor"),
            id="anchor-elsewhere",
        ),
    ],
)
def test_broken_link_is_found(
    ran: Ran, files: dict[str, str], expected: tuple[str, str]
) -> None:
    assert found(ran("links", files)) == [expected]


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("{{ url }}", id="template"),
        pytest.param("$DOCS_URL", id="placeholder"),
        pytest.param("guide", id="without-suffix"),
        pytest.param("guide.html", id="page-made-of-source"),
        pytest.param("docs/", id="folder"),
        pytest.param("guide.md?raw=1", id="query"),
        pytest.param("#hello-world-1", id="second-heading-of-that-name"),
        pytest.param("#%E4%BD%A0%E5%A5%BD", id="other-script"),
        pytest.param("#anchored", id="own-id"),
    ],
)
def test_link_in_doubt_is_left_alone(ran: Ran, target: str) -> None:
    text = '# Hello, World\n\n# Hello World\n\n# 你好\n\n<a id="anchored"></a>\n\n'
    text += f"[x]({target})\n"

    assert ran("links", {"a.md": text, "guide.md": "", "docs/b.md": ""}).findings == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.md", bytes(range(256)), id="binary"),
        pytest.param("a.md", b"[" * 20_000, id="open-brackets"),
        pytest.param("a.md", b"> " * 20_000 + b"x", id="deep-nesting"),
        pytest.param("a.md", b"x" * 5_000_000, id="five-megabyte-line"),
        pytest.param("a.html", b"<!--" * 450_000, id="comments-that-never-end"),
        pytest.param("a.css", b"/*" * 500_000, id="style-comments-that-never-end"),
        pytest.param("a.css", b"url(a.png)\n" * 2_000, id="many-links"),
        pytest.param("a.ipynb", b"[" * 100_000, id="nested-json"),
        pytest.param("a.md", b"[x](%00%01) [y](" + b"a" * 9_000 + b")", id="odd-names"),
    ],
)
def test_hostile_document_never_ends_it(ran: Ran, name: str, content: bytes) -> None:
    assert ran("links", {name: content, "b.md": "# Fine\n"}).status is RunStatus.RAN
