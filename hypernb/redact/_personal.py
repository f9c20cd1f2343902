"""What tells who somebody is: addresses, numbers of accounts, cards and phones."""

from __future__ import annotations

import re
from typing import Final

from hypernb.redact._rules import Rule

E_MAIL: Final = "e-mail"
NUMBER: Final = "number"
CARD: Final = "card number"
PHONE: Final = "phone number"
IBAN: Final = "IBAN"

_HOST: Final = r"(?:(?:[\w-]++\.(?=[\w-]))++[^\W\d_]{2,}+|\[[0-9a-fA-F:.]{3,45}\])"
_ADDRESS: Final = re.compile(
    rf"(?:[\w.+%-](?<![\w.+%-]{{2}})[\w.+%-]*+|\"[^\"\n@]{{1,64}}+\")[@\uff20\ufe6b]{_HOST}"
)
_IN_ADDRESS: Final = re.compile(  # of a page: with its sign encoded
    rf"[\w.+-](?<![\w.+%-]{{2}})(?:[\w.+-]|%(?!40))*+%40{_HOST}"
)
_IBAN: Final = re.compile(
    r"[A-Za-z](?<![A-Za-z0-9][A-Za-z])[A-Za-z]\d{2}"
    r"(?:(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?|(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,4})?)"
    r"(?![A-Za-z0-9])"
)
_IBAN_LENGTHS: Final = (
    "ad24ae23al28at20az28ba20be16bg22br29by28ch21cr22cy28cz24de22dk18do28ee20eg29es24fi18fo18"
    "fr27gb22ge22gi23gl18gr27gt28hr21hu28ie22il23iq23is26it27jo30kw30kz20lb28lc32li21lt20lu20"
    "lv21mc27md24me22mk19mr27mt31mu30nl18no15pk24pl28ps29pt25qa29ro24rs22sa24sc31se24si19sk24"
    "sm27st25sv28tl23tn24tr26ua29va22vg24xk20"
)
_CARD: Final = re.compile(
    r"\d(?<!\d\d)(?<!\d[._]\d)(?:\d{3}([ ._-])\d{4}\1\d{4}\1\d{1,7}"
    r"|\d{3}([ ._-])\d{6}\2\d{4,5})(?![._]?\d)"
)
_PHONE: Final = re.compile(
    r"\+\d[\d ()/-]{6,22}\d(?!\d)"
    r"|[(\d](?<![\d.][(\d])(?:(?<=\()\d{3}\)|\d{2})[ .-]{1,2}\d{3}[ .-]\d{4}(?![\d.])"
    r"|[(0](?<![\d.(][(0])(?:(?<=\()0)?\d{2,5}\)?[ /-]\d{3,9}+(?:[ -]\d{2,9}+){0,4}+(?![\d.-])"
    r"|\d(?<!\d\d)\d{2}-\d{2}-\d{4}(?!\d)"
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d/\d\d/\d{4}")
_LONG: Final = re.compile(
    r"(?P<digest>[0-9a-fA-F](?<![0-9a-zA-Z]{2})[0-9a-fA-F]{31,}+)|\d(?<!\d\d)\d{8,}+(?:\.\d++)?"
)
_FRACTION: Final = re.compile(r"\d\.\Z")
_IN_UUID: Final = re.compile(r"[0-9a-fA-F]{4}-\Z")
_UUID_END: Final = 12
_WORD_END: Final = re.compile(r"[A-Za-z0-9_]+\Z")
_WORD_BEGIN: Final = re.compile(r"[A-Za-z0-9_]+")
_ID_LENGTH: Final = 20
_LEAST_DIGITS: Final = 9
_MOST_DIGITS: Final = 15


def _is_card(found: re.Match[str]) -> bool:
    """Tell whether the check digit is right (ISO/IEC 7812-1, Luhn's)."""
    digits = [int(each) for each in found[0] if each.isdigit()]
    doubled = [sum(divmod(2 * each, 10)) for each in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(found: re.Match[str]) -> bool:
    """Tell whether the check digits are right (ISO 13616)."""
    code = found[0].replace(" ", "")
    if not (code.isascii() and 15 <= len(code) <= 34):  # noqa: PLR2004 - Norway's, and the longest
        return False
    # In small letters, a hash looks like one: so its country is to have such a length.
    if not code[:2].isupper() and f"{code[:2].lower()}{len(code)}" not in _IBAN_LENGTHS:
        return False
    moved = code[4:] + code[:4]
    return int("".join(str(int(each, 36)) for each in moved)) % 97 == 1


def _is_phone(found: re.Match[str]) -> bool:
    digits = sum(each.isdigit() for each in found[0])
    return _LEAST_DIGITS <= digits <= _MOST_DIGITS and not _DATE.search(found[0])


def _is_number(found: re.Match[str]) -> bool:
    if found["digest"]:
        return found[0].isdigit()
    text, start, end = found.string, found.start(), found.end()
    if _FRACTION.search(text[max(0, start - 2) : start]):
        return False
    if end - start == _UUID_END and _IN_UUID.search(text[max(0, start - 5) : start]):
        return False
    # Letters and digits in one long word are somebody's id for a thing: a ULID, a hash.
    before = _WORD_END.search(text[max(0, start - _ID_LENGTH) : start])
    after = _WORD_BEGIN.match(text[end : end + _ID_LENGTH])
    around = (before[0] if before else "") + (after[0] if after else "")
    return not around or len(around) + end - start < _ID_LENGTH


PERSONAL: Final = (
    Rule(_ADDRESS, E_MAIL, needs=("@", "\uff20", "\ufe6b")),
    Rule(_IN_ADDRESS, E_MAIL, needs=("%40",)),
    Rule(_IBAN, IBAN, _is_iban),
    Rule(_CARD, CARD, _is_card),
    Rule(_PHONE, PHONE, _is_phone),
    Rule(_LONG, NUMBER, _is_number),
)
