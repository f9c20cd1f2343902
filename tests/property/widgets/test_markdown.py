"""Whatever an agent writes is read into Markdown's blocks, and leads nowhere but out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from hypernb.views._clean import clean
from hypernb.widgets._markdown import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNS = st.sampled_from(
    [*"#*_`[]()!>|-+1.) \n\\~a", "](", "https://x.org", "javascript:x", "```\n", "|-|\n"]
)
TEXT = st.lists(SIGNS, max_size=60).map("".join) | st.text(max_size=60)
KNOWN = {"heading", "paragraph", "quote", "code", "list", "table", "rule"}


def hrefs(value: Any) -> Iterator[str]:
    """Find all addresses, however deep they stand."""
    if isinstance(value, dict):
        yield from (each for key, each in value.items() if key == "href")
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from hrefs(each)


@given(TEXT)
def test_any_text_becomes_blocks_that_a_view_knows(text: str) -> None:
    found = blocks(clean(text))
    assert {block["kind"] for block in found} <= KNOWN
    assert orjson.loads(orjson.dumps(found)) == found


@given(TEXT)
def test_every_link_leads_to_the_web_or_to_mail(text: str) -> None:
    assert all(re.match("(?i)https?://|mailto:", href) for href in hrefs(blocks(clean(text))))
