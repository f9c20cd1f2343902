"""Markdown of agents becomes values; what is not closed, hostile or endless stays text."""

from __future__ import annotations

import time
from typing import Any

import pytest

from hypernb.widgets._markdown import BLOCKS_AT_MOST, Piece, blocks, is_safe, pieces

TEXT = """\
# Audit of ledgerline #

Two findings, *both* in
one file.

## What to do first

1. Check the owner in `invoices.py`
2. Take the password out
   of the history
   - and change it
- Then rest

| What | Effort |
|---|---|
| Owner check | an hour | too much |
| Password |

```python
    raise NotFound
```
---
> Nothing else
> holds it up.
"""


def said(piece: Piece) -> str:
    return piece if isinstance(piece, str) else next(iter(piece.values()))


def test_each_kind_of_block_is_read() -> None:
    first, second = "Check the owner in ", "Take the password out of the history"
    inner = {"kind": "list", "ordered": False, "start": 1, "items": [item("and change it")]}
    assert blocks(TEXT) == [
        {"kind": "heading", "top": True, "line": ["Audit of ledgerline"]},
        {
            "kind": "paragraph",
            "line": ["Two findings, ", {"em": "both"}, " in\none file."],
        },
        {"kind": "heading", "top": False, "line": ["What to do first"]},
        {
            "kind": "list",
            "ordered": True,
            "start": 1,
            "items": [item(first, {"code": "invoices.py"}), item(second, inner=inner)],
        },
        {"kind": "list", "ordered": False, "start": 1, "items": [item("Then rest")]},
        {
            "kind": "table",
            "heads": [["What"], ["Effort"]],
            "rows": [[["Owner check"], ["an hour"]], [["Password"], []]],
        },
        {"kind": "code", "text": "    raise NotFound"},
        {"kind": "rule"},
        {"kind": "quote", "line": ["Nothing else\nholds it up."]},
    ]


def item(*line: Piece, inner: Any = None) -> dict[str, Any]:
    return {"line": list(line), "inner": inner}


def test_the_uppermost_heading_counts_and_not_its_marks() -> None:
    assert [block["top"] for block in blocks("### a\n#### b\n### c")] == [True, False, True]


def test_emphasis_code_and_addresses_are_read() -> None:
    text = "a **b** _c_ `d*` snake_case_name 2*3*4 see https://x.org/y."
    assert pieces(text) == [
        "a ",
        {"strong": "b"},
        " ",
        {"em": "c"},
        " ",
        {"code": "d*"},
        " snake_case_name 2",
        {"em": "3"},
        "4 see ",
        {"link": "https://x.org/y", "href": "https://x.org/y"},
        ".",
    ]


@pytest.mark.parametrize("text", ["**a", "[a](b", "`a", "![x", "*", "a_", "[", "http://"])
def test_what_is_not_closed_stays_as_it_is(text: str) -> None:
    assert pieces(text) == [text]


def test_an_escaped_sign_is_a_letter() -> None:
    assert pieces(r"\*a\* \n") == [r"*a* \n"]


def test_a_picture_is_told_and_not_fetched() -> None:
    assert pieces("![plot](https://x.org/p.png)") == ["(picture: plot)"]


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "https://a\x01b",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/files/x.html",
        "http://",
        "http://[",
        "mailto:",
        "#",
        "",
    ],
)
def test_no_other_link_is_followed(target: str) -> None:
    assert not is_safe(target)
    assert all(isinstance(piece, str) for piece in pieces(f"[words]({target})"))


@pytest.mark.parametrize(
    "target", ["https://example.org/a?b=c", "http://localhost:8888/", "mailto:ada@example.org"]
)
def test_links_lead_to_the_web_and_to_mail(target: str) -> None:
    assert pieces(f"[words]({target})") == [{"link": "words", "href": target}]


@pytest.mark.parametrize(
    "text",
    [
        "*" * 50_000,
        "[" * 50_000,
        "`" * 50_000,
        "- a\n1. b\n" * 12_000,
        "- a\n   - x\n   1. y\n" * 5_000,
        "> " * 50_000,
        "    - x\n  1. y\n" * 6_000,
        "| a\n|-|\n" * 12_000,
        "#" * 90_000,
        "- " * 50_000,
        "_a " * 30_000,
        "[a](" * 25_000,
        "https://" * 12_000,
        "![" * 50_000,
        "a\n" * 50_000,
        "- a\n" * 25_000,
    ],
)
def test_text_made_to_be_slow_is_not(text: str) -> None:
    began_s = time.process_time()
    found = blocks(text)
    assert time.process_time() - began_s < 2
    assert len(found) <= BLOCKS_AT_MOST + 1


def test_every_word_of_a_text_is_kept() -> None:
    words = "[a **b] (c `d e* _f g"
    assert "".join(said(piece) for piece in pieces(words)) == words
