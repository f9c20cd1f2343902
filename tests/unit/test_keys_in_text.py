"""A key is found in every form that is promised, whole or in pieces."""

from __future__ import annotations

import json
import time
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb.redact import KeyForms, scrub, without_keys

KEY = "sk-Tst9/x+Q7=zz-AbCdEf0123"  # pragma: allowlist secret
FORMS = KeyForms([KEY])


def each(write: str, text: str = KEY) -> str:
    return "".join(write % ord(character) for character in text)


WHOLE = {
    "itself": KEY,
    "json": each(r"\u%04x"),
    "json-of-some": KEY.replace("-", r"\u002d").replace("/", r"\/"),
    "json-in-json": json.dumps(json.dumps(each(r"\u%04X"))),
    "javascript": each(r"\u{%x}"),
    "python": each(r"\x%02x"),
    "python-long": each(r"\U%08x"),
    "octal": each(r"\%03o"),
    "address": quote(KEY, safe=""),
    "address-plus": quote_plus(KEY),
    "address-all": each("%%%02x"),
    "address-twice": quote(quote(KEY, safe=""), safe=""),
    "address-all-twice": each("%%25%02X"),
    "html": each("&#%d;"),
    "html-hex": each("&#x%X;"),
    "html-twice": each("&amp;#%d;"),
    "html-names": KEY.replace("/", "&sol;").replace("+", "&plus;").replace("=", "&equals;"),
    "hex": KEY.encode().hex(),
    "hex-in-capitals": KEY.encode().hex().upper(),
    "hex-in-json": each(r"\u%04x", KEY.encode().hex()),
    "mixed": KEY[:5] + each("%%%02x", KEY[5:9]) + each(r"\u%04x", KEY[9:15]) + KEY[15:],
}
INSIDE = {
    "base64": b64encode(KEY.encode()).decode(),
    "base64-of-addresses": urlsafe_b64encode(KEY.encode()).decode(),
    "basic": b64encode(f"u:{KEY}".encode()).decode(),
    "basic-of-another": b64encode(f"user1:{KEY}:x".encode()).decode(),
    "base64-in-an-address": quote(b64encode(f"me:{KEY}".encode()).decode(), safe=""),
}
ALL = [pytest.param(form, id=name) for name, form in (WHOLE | INSIDE).items()]


@pytest.mark.parametrize("code", [0xDCFF, 0xD800])
def test_key_with_half_a_character_is_found_and_told_to_nobody(code: int) -> None:
    odd = chr(code)  # os.environ holds a byte that is not UTF-8 so
    key = f"sk-test-0123456789-{odd}"
    forms = KeyForms([key])
    assert forms.cover(f"it is {key} .", "[secret]") == "it is [secret] ."
    assert forms.cover(r"\u0073\u006b%2Dtest-0123456789-" + odd, "[secret]") == "[secret]"
    assert forms.cover_pieces("it is sk-test-01…", "[secret]") == "it is [secret]…"
    assert forms.lie_in(f"it is {key}".encode("utf-8", "surrogatepass")) is (code == 0xD800)
    assert forms.lie_in(f"it is {key}".encode("utf-16-le", "surrogatepass"))


@pytest.mark.parametrize("form", [pytest.param(form, id=name) for name, form in WHOLE.items()])
def test_nothing_of_a_key_is_left(form: str) -> None:
    left = without_keys(f"it is {form} .", [KEY])
    assert left.replace('"', "").replace("\\", "") == "it is [secret] ."


@pytest.mark.parametrize("form", [pytest.param(form, id=name) for name, form in INSIDE.items()])
def test_of_base64_only_what_its_neighbours_change_is_left(form: str) -> None:
    left = without_keys(form, [KEY])
    assert "[secret]" in left
    assert len(left.replace("[secret]", "")) <= len(form) - 4 * len(KEY) // 3 + 2


@pytest.mark.parametrize("size", [1, 3, 5, 7])
@pytest.mark.parametrize("form", ALL)
def test_what_comes_in_pieces_is_held_back_until_it_is_known(form: str, size: int) -> None:
    said, told, held = f"it is {form} .", "", ""
    for at in range(0, len(said), size):
        text = FORMS.cover(held + said[at : at + size], "[secret]")
        end = len(text) - FORMS.begun(text)
        told, held = told + text[:end], text[end:]
    # The end of an entity may stay: without it, the entity was whole already.
    assert (told + held).replace("[secret];", "[secret]") == without_keys(said, [KEY])


@pytest.mark.parametrize("form", ALL)
def test_beginning_is_held_back_and_never_more_than_that(form: str) -> None:
    beginning = form[: len(form) // 2]
    assert 0 < FORMS.begun(f"prose and {beginning}") <= len(beginning) + 1


@pytest.mark.parametrize("code", ["utf-8", "utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_key_in_bytes_is_found(code: str) -> None:
    assert FORMS.lie_in(b"\x80abc" + KEY.encode(code) + b"\x00")


@pytest.mark.parametrize("form", ALL)
def test_form_in_bytes_is_found(form: str) -> None:
    assert FORMS.lie_in(b"\x80" + form.encode() + b"\x00")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert FORMS.cover(text, "[key]") == text
    assert not FORMS.lie_in(text.encode("utf-8", "replace"))


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=8, max_size=40))
def test_key_of_any_characters_is_covered(key: str) -> None:
    forms = KeyForms([key])
    for form in (key, json.dumps(key)[1:-1], quote(key, safe=""), key.encode().hex()):
        assert forms.cover(f"<{form}>", "*") == "<*>"


def test_keys_that_are_too_short_leave_prose_alone() -> None:
    assert scrub("none of the models of ollama", ["none", "ollama", ""]) == (
        "none of the models of ollama"
    )


HOSTILE = ["\\", "\\u", "\\u007", "%", "%25", "&", "&amp;", "s", "sk-", "\\s", "%73", "7", "c"]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_no_longer_than_other(piece: str) -> None:
    began = time.process_time()
    text = piece * (250_000 // len(piece))
    FORMS.cover(text, "x")
    FORMS.begun(text)
    # A pattern that goes back in the text takes minutes; a slow machine does not.
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(KEY, id="itself"),
        pytest.param(quote(KEY, safe=""), id="address"),
        pytest.param(KEY.encode().hex(), id="hex"),
        # What is next to the key changes the character before the last.
        pytest.param(b64encode(KEY.encode()).decode()[:-2], id="base64"),
    ],
)
@pytest.mark.parametrize(
    "cut",
    [
        pytest.param("{}\n… 9 characters left out …\n{}", id="in-the-middle"),
        pytest.param("{}\n... (9 characters left out) ...\n{}", id="of-an-error"),
        pytest.param("'{}...{}'", id="of-pytest"),
        pytest.param("{}… (9 more characters)\n    9 …{}", id="of-a-line"),
        pytest.param('{{"a": "{}\\n… 9 more…{}"}}', id="in-json"),
    ],
)
def test_no_piece_of_a_key_of_eight_characters_is_left_beside_a_cut(
    form: str, cut: str
) -> None:
    for at in range(8, len(form) - 8):
        covered = without_keys(cut.format(form[:at], form[at:]), [KEY])
        assert covered == cut.format("[secret]", "[secret]")


def test_pieces_of_a_key_stay_where_nothing_was_cut() -> None:
    for text in (f"it is {KEY[:12]} or {KEY[-12:]}.", f"{KEY[:7]}…{KEY[-7:]}", KEY[:-1]):
        assert without_keys(text, [KEY]) == text


def test_parts_of_a_text_may_be_cut_at_their_ends() -> None:
    for at in range(8, len(KEY) - 8):
        assert FORMS.cover_pieces(f"a {KEY[:at]}", "[key]", at_ends=True) == "a [key]"
        assert FORMS.cover_pieces(f"{KEY[at:]} b", "[key]", at_ends=True) == "[key] b"


def test_cut_after_a_full_stop_of_a_key_is_seen() -> None:
    key = "first-part.second-part"
    assert without_keys("first-part...", [key]) == "[secret]..."
    assert without_keys("first-part....", [key]) == "[secret]..."


def test_many_cuts_take_no_longer_than_as_much_text() -> None:
    text = f"{KEY[:12]}… {KEY[-12:]} … " * 30_000
    began = time.process_time()
    assert KEY[:8] not in without_keys(text, [KEY])
    assert time.process_time() - began < 10
