"""What is scrubbed once looks the same when it is scrubbed again."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.llm._scrubbing import Scrubbing

PIECES = st.sampled_from(
    [
        *(
            "/srv/one",
            "/home/ada",
            "/data/ada/",
            "~",
            "/",
            "\\",
            "C:\\Users\\",
            "password=",
            '"',
        ),
        *("the-very-key", "ghp_" + "a1" * 18, "token: ", " ", "\n", "x", "ada", "[secret]"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=12).map("".join)
VALUES = st.recursive(
    TEXTS | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["path", "token", "n"]), inner, max_size=3)
    ),
    max_leaves=8,
)
SAID = TEXTS | VALUES.map(lambda value: json.dumps(value, indent=1))


@settings(max_examples=300, deadline=None)
@given(SAID)
def test_scrubbing_again_changes_nothing(said: str) -> None:
    scrubbing = Scrubbing(["the-very-key"], root="/srv/one", home="/data/ada", user="ada")
    once = scrubbing.text(said)
    assert scrubbing.text(once) == once
