"""What of an answer is told while it is being written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.engine._streaming import Prose, Stream


def told_of(*pieces: str) -> list[tuple[str, bool]]:
    told: list[tuple[str, bool]] = []
    stream = Stream([], lambda text, anew: told.append((text, anew)))
    for piece in pieces:
        stream.take(piece)
    return told


def test_of_a_json_answer_only_the_words_are_told() -> None:
    assert told_of('{"summary": "I read app.py.", "claims": []}') == [("I read app.py.", False)]


def test_text_is_told_as_it_is() -> None:
    assert told_of("I read {app.py}.") == [("I read {app.py}.", False)]


def test_empty_lines_before_the_first_word_do_not_hold_it_up() -> None:
    assert told_of("\n\n", "First.") == [("\n\nFirst.", False)]
    assert told_of("\n", '{"summary": "First."}') == [("\nFirst.", False)]


def test_call_that_begins_anew_tells_its_words_anew() -> None:
    told = told_of('{"summary": "I rea', "", '{"summary": "I read."}')
    assert told == [("I rea", False), ("I read.", True)]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param('[{"a": "b"}]', id="list"),
        pytest.param('{"rows": 3, "words": "no"}', id="number-first"),
        pytest.param("no JSON at all", id="no-json"),
        pytest.param("", id="nothing"),
    ],
)
def test_answer_without_words_at_its_beginning_tells_nothing(answer: str) -> None:
    assert Prose().take(answer) == ""


@given(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=80),
    st.lists(st.integers(1, 9), max_size=60),
    st.sampled_from(["ascii", "utf-8"]),
)
def test_words_are_the_same_in_whatever_pieces_they_come(
    words: str, sizes: list[int], codec: str
) -> None:
    said = {"summary": words, "claims": ["x"]}
    answer = json.dumps(said, ensure_ascii=codec == "ascii")
    pieces, at = [], 0
    for size in [*sizes, len(answer)]:
        pieces.append(answer[at : at + size])
        at += size
    whole, parted = Prose().take(answer), Prose()
    assert "".join(map(parted.take, pieces)) == whole
    if codec == "utf-8":
        assert whole == words
