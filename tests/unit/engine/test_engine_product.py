"""What is said of an output, so that nobody has to fetch it to know what it is."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from hypernb import codec
from hypernb.abc import Payload
from hypernb.engine._product import _footer_note, note_of
from hypernb.views._clean import line

FRAME = pd.DataFrame({"a": range(12), "b": 0.5, "c": "x", "d": True})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(FRAME, "a table of 12 rows, 4 columns", id="table"),
        pytest.param(FRAME[["a"]][:1], "a table of 1 row, 1 column", id="small-table"),
        pytest.param({"a": 1, "b": [], "c": {}}, "an object with 3 keys: a, b, c", id="object"),
        pytest.param({}, "an object with 0 keys", id="empty-object"),
        pytest.param([1] * 7, "a list of 7", id="list"),
        pytest.param(42, "42", id="number"),
        pytest.param("It is\n42.", "It is 42.", id="text"),
        pytest.param((1, 2), "(1, 2)", id="pickle"),
        pytest.param(b"ab", "a value of 2 bytes", id="bytes"),
        pytest.param([0] * 200_000, "a value of 400,001 bytes", id="too-large-to-look-into"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_output_says_what_it_is(value: Any, said: str | None) -> None:
    assert note_of(codec.encode(value)) == said


def test_long_names_are_cut() -> None:
    note = note_of(codec.encode({f"name {number}": 0 for number in range(100)}))
    assert note is not None
    assert note.startswith("an object with 100 keys: name 0, name 1")
    assert len(note) < 250


def test_note_of_a_long_text_says_how_long_all_of_it_is() -> None:
    """A view that cuts the note further counts the text, not the note."""
    note = note_of(codec.encode("word " * 200))
    assert note is not None
    assert note.endswith("word… (cut here; 1,000 characters in all)")
    assert line(note, cut_at=20) == "word word word word… (cut here; 1,000 characters in all)"
    kept = note_of(codec.encode("word " * 40_000))
    assert kept is not None
    assert kept.endswith("word…")


def test_stored_table_says_its_size_from_its_footer() -> None:
    assert _footer_note(codec.encode(FRAME).data) == "a table of 12 rows, 4 columns"
    indexed = FRAME.set_index(pd.Index(range(3, 15), dtype="int16"))
    assert _footer_note(codec.encode(indexed).data) == "a table of 12 rows, 4 columns"
    assert _footer_note(b"PAR1 and nothing else") == "a table"


def test_json_that_cannot_be_read_says_nothing() -> None:
    assert note_of(Payload(codec.JSON, b"{")) is None
