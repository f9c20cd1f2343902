"""What of an answer is told while it is being written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.engine import _streaming
from hypernb.engine._streaming import Prose, Stream


def told_of(*pieces: str) -> list[tuple[str, bool]]:
    told: list[tuple[str, bool]] = []
    stream = Stream([], lambda text, anew: told.append((text, anew)))
    for piece in pieces:
        stream.take(piece)
    stream.end()
    return told


def told_with_its_end(
    monkeypatch: pytest.MonkeyPatch, *pieces: str, key: str = ""
) -> list[str]:
    """Return what is told of pieces that come far apart, and of the end."""
    monkeypatch.setattr(_streaming, "_EVERY_S", 0.0)
    told: list[str] = []
    stream = Stream([key], lambda text, _anew: told.append(text))
    for piece in pieces:
        stream.take(piece)
    stream.end()
    return told


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        pytest.param(
            ("Let me look at ap", "p.py for it"),
            ["Let me look at ", "app.py for ", "it"],
            id="between-words",
        ),
        pytest.param(("Le", "t", " me look."), ["Le", "t me ", "look."], id="first-at-once"),
        pytest.param(("A" * 90, "B" * 90), ["A" * 90, "B" * 90], id="no-white-space"),
        pytest.param(("One. ", "Two."), ["One. ", "Two."], id="ends-with-white-space"),
        pytest.param(("\n\nFirst",), ["\n\nFirst"], id="empty-lines"),
    ],
)
def test_pieces_end_between_words_and_the_last_is_told(
    monkeypatch: pytest.MonkeyPatch, pieces: tuple[str, ...], told: list[str]
) -> None:
    assert told_with_its_end(monkeypatch, *pieces) == told


def test_end_of_an_answer_that_came_too_fast_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_streaming, "_EVERY_S", 1e9)
    told: list[str] = []
    stream = Stream([], lambda text, _anew: told.append(text))
    for piece in ("It is ", "forty", "-two."):
        stream.take(piece)
    stream.end()
    assert told == ["It is ", "forty-two."]


def test_key_that_is_cut_off_at_the_end_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-0123456789abcdef"  # pragma: allowlist secret
    said = f"It is {key[:12]}"
    assert "".join(told_with_its_end(monkeypatch, said, key=key)) == "It is [secret]"
    assert "".join(told_with_its_end(monkeypatch, "Ask", "s", key=key)) == "Asks"


@pytest.mark.parametrize("write", ["%%%02x", "\\u%04x", "\\x%02x", "&#%d;"])
def test_key_with_escapes_is_covered_though_it_comes_in_pieces(
    monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    key = "sk-0123456789abcdef"  # pragma: allowlist secret
    said = "It is " + "".join(write % ord(character) for character in key)
    pieces = [said[at : at + 5] for at in range(0, len(said), 5)]
    whole = "".join(told_with_its_end(monkeypatch, *pieces, key=key))
    assert whole.rstrip(";") == "It is [secret]"


@given(
    st.text(st.sampled_from("ab \n"), max_size=300),
    st.lists(st.integers(1, 60), max_size=40),
)
def test_nothing_is_missing_of_what_is_told(words: str, sizes: list[int]) -> None:
    said, at = f"x{words}x", 0
    pieces = []
    for size in [*sizes, len(said)]:
        if at < len(said):
            pieces.append(said[at : at + size])
        at += size
    with pytest.MonkeyPatch.context() as patch:
        assert "".join(told_with_its_end(patch, *pieces)) == said


def test_of_a_json_answer_only_the_words_are_told() -> None:
    assert told_of('{"summary": "I read app.py.", "claims": []}') == [
        ("I read ", False),
        ("app.py.", False),
    ]


def test_text_is_told_as_it_is() -> None:
    assert told_of("I read {app.py}.") == [("I read ", False), ("{app.py}.", False)]


def test_empty_lines_before_the_first_word_do_not_hold_it_up() -> None:
    assert told_of("\n\n", "First.") == [("\n\nFirst.", False)]
    assert told_of("\n", '{"summary": "First."}') == [("\nFirst.", False)]


def test_call_that_begins_anew_tells_its_words_anew() -> None:
    told = told_of('{"summary": "I rea', "", '{"summary": "I read."}')
    assert told == [("I ", False), ("I ", True), ("read.", False)]


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
