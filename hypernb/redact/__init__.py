"""Covers up what should not leave: secrets, e-mail addresses and long numbers in text.

Patterns find what has a known shape, no more. Every one reads the text once, whatever is in
it: possessive quantifiers, and looks behind that let a match begin only where a word does.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hypernb.redact._keys import SHORTEST_KEY, KeyForms, key_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "COVERED",
    "SECRET",
    "SHORTEST_KEY",
    "KeyForms",
    "Redacted",
    "key_forms",
    "names_secret",
    "redact",
    "scrub",
    "without_keys",
]

SECRET: Final = "secret"  # noqa: S105 - what stands for one
COVERED: Final = f"[{SECRET}]"
E_MAIL: Final = "e-mail"
NUMBER: Final = "number"
CARD: Final = "card number"
PHONE: Final = "phone number"
IBAN: Final = "IBAN"

_ROUNDS: Final = 6


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text in which something was covered up.

    Attributes:
        counts: How often, by the word that now stands there.
    """

    text: str
    counts: dict[str, int] = field(default_factory=dict)


def redact(text: str) -> Redacted:
    """Cover up secrets, e-mail addresses and long numbers, each with a fixed word.

    Fractions, dates and digests are no long numbers. Doing it again changes nothing.

    Example:
        >>> redact("ada@example.org, 0.123456789012, no. 1234567890").text
        '[e-mail], 0.123456789012, no. [number]'
    """
    counts: Counter[str] = Counter()
    return Redacted(_covered(text, (*_SECRETS, *_PERSONAL), counts), dict(counts))


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Cover up secrets only: these very ones first, in all forms, then what looks like one.

    Example:
        >>> scrub("password=hunter2 for ada@example.org")
        'password=[secret] for ada@example.org'
    """
    return _covered(without_keys(text, secrets), _SECRETS, Counter())


def without_keys(text: str, keys: Iterable[str]) -> str:
    """Cover up these very keys, in all forms that `KeyForms` knows, and nothing else.

    Example:
        >>> without_keys("sk-secret-1, sk%2dsecret%2d1, token=x1y2z3", ["sk-secret-1"])
        '[secret], [secret], token=x1y2z3'
    """
    return key_forms(tuple(sorted(set(keys)))).cover(text, COVERED)


def names_secret(name: str) -> bool:
    """Tell whether what stands under a name is a secret by that name.

    Example:
        >>> names_secret("db_password"), names_secret("max_tokens")
        (True, False)
    """
    return _SECRET_NAME.search(name[-40:]) is not None


def _covered(text: str, rules: Iterable[_Rule], counts: Counter[str]) -> str:
    # What stood beside something that is covered up now may have become the beginning of a
    # word, so it is looked at again.
    for _ in range(_ROUNDS):
        before = text
        for rule in rules:
            text = rule.apply(text, counts)
        if text == before:
            break
    return text


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern and what is done with what it finds.

    Attributes:
        pattern: What its group ``kept`` finds stays, in front of what is covered up.
        judge: Says whether it is what it looks like; what is not stays.
    """

    pattern: re.Pattern[str]
    word: str = SECRET
    judge: Callable[[re.Match[str]], bool] | None = None

    def apply(self, text: str, counts: Counter[str]) -> str:
        def cover(found: re.Match[str]) -> str:
            if self.judge is not None and not self.judge(found):
                return found[0]
            counts[self.word] += 1
            kept = found.groupdict().get("kept") or ""
            return f"{kept}[{self.word}]"

        return self.pattern.sub(cover, text)


# --- secrets ------------------------------------------------------------------------------

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----"
    r"(?:(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,60}-----|[A-Za-z0-9+/=\s\\]*+)"
)
_IN_URL: Final = re.compile(
    r"(?P<kept>://)(?:[^\s/@:\"'\[]{0,200}+:[^\s/\"']{1,200}(?=@)|[^\s/@:\"'\[]{20,200}+(?=@))"
)
_AUTHORIZATION: Final = re.compile(
    r"(?P<kept>(?ai:authorization)\\?[\"']?[ \t]{0,4}[:=][ \t]{0,4}\\?[\"']?"
    r"(?:(?ai:basic|bearer|token|digest)[ \t]{1,4})?+)"
    r"(?!\[secret\])[^\s\"',;\\()]{6,}+"
)
_BEARER: Final = re.compile(
    r"(?P<kept>(?ai:bearer)[ \t]{1,8})"
    r"(?=[A-Za-z._~+/=-]{0,60}[0-9])[A-Za-z0-9._~+/=-]{16,}+"
)
_NAME: Final = (
    r"(?ai:pass(?:word|wd|phrase)|pwd|secret(?:[_-]?key)?|token|(?:api|access|private)[_-]?key)"
)
_SECRET_NAME: Final = re.compile(rf"{_NAME}\Z")
# A value without quotes that is called or subscripted is code, and no secret.
_NAMED: Final = re.compile(
    rf"(?P<kept>{_NAME}\\?[\"']?[ \t]{{0,4}}(?:=>|:=|[:=])[ \t]{{0,4}}"
    r"(?:(?P<double>\\?\")|(?P<single>\\?'))?+)(?P<value>(?!\[secret\])"
    r"(?(double)[^\"\n\\]{1,2000}+|(?(single)[^'\n\\]{1,2000}+"
    r"|[^\s\"',;)}\]\\(\[=:][^\s\"',;)}\]\\(\[]{3,}+(?![(\[]))))"
)
_NO_VALUES: Final = frozenset(
    [
        *("none", "null", "true", "false", "str", "bytes", "text", "string", "optional"),
        *("self", "bool", "int", "float", "any", "undefined", "secretstr", "required"),
    ]
)
_JWT: Final = re.compile(
    r"eyJ(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{4,}+(?:\.[A-Za-z0-9_-]*+){0,3}"
)
_KNOWN: Final = re.compile(
    r"(?:sk-(?<![A-Za-z0-9]sk-)(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{16,}+"
    r"|[srp]k_(?:live|test)_[A-Za-z0-9]{10,}+"
    r"|gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_[A-Za-z0-9_]{20,}+|glpat-[A-Za-z0-9_-]{16,}+"
    r"|A(?:KIA|SIA)(?<![A-Za-z0-9]AKIA)(?<![A-Za-z0-9]ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|AIza[A-Za-z0-9_-]{30,}+|ya29\.[A-Za-z0-9_-]{20,}+"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}+|xai-[A-Za-z0-9]{30,}+"
    r"|hf_[A-Za-z0-9]{30,}+|gsk_[A-Za-z0-9]{30,}+|npm_[A-Za-z0-9]{30,}+"
    r"|nvapi-[A-Za-z0-9_-]{30,}+|pplx-[A-Za-z0-9]{30,}+|r8_[A-Za-z0-9]{30,}+"
    r"|pypi-[A-Za-z0-9_-]{50,}+|dop_v1_[a-f0-9]{60,}+"
    r"|SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+)"
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_+/-](?<![A-Za-z0-9_+/-]{2})[A-Za-z0-9_+/-]{31,}+={0,2}")
_TOKEN_AT_MOST: Final = 512  # what is longer is data: a picture, an archive
_KINDS: Final = 3  # small letters, capitals, digits
_CHANGES: Final = 0.42  # by chance 0.63; of words joined to a name 0.3
_DISTINCT: Final = 12
_PARTS: Final = re.compile(r"[A-Za-z0-9]{20,}+")
_RUNS: Final = re.compile(r"[a-z]++|[A-Z]++|[0-9]++")


def _is_value(found: re.Match[str]) -> bool:
    is_quoted = found["double"] or found["single"]
    return bool(is_quoted) or found["value"].lower().rstrip(".") not in _NO_VALUES


def _is_random(found: re.Match[str]) -> bool:
    """Tell whether a long token changes between kinds of characters as only chance does.

    Words joined to a name change at their beginnings, once in five or so; digests have no
    capitals, and tell nobody anything.
    """
    if len(found[0]) > _TOKEN_AT_MOST:
        return False
    parts = (re.sub(r"[^A-Za-z0-9]", "", found[0]), *_PARTS.findall(found[0]))
    return any(_looks_random(part) for part in parts)


def _looks_random(part: str) -> bool:
    runs = _RUNS.findall(part)
    kinds = {(run[0].islower(), run[0].isdigit()) for run in runs}
    return (
        len(kinds) == _KINDS
        and len(runs) > len(part) * _CHANGES
        and len(set(part)) >= _DISTINCT
    )


_SECRETS: Final = (
    _Rule(_PRIVATE_KEY),
    _Rule(_IN_URL),
    _Rule(_AUTHORIZATION),
    _Rule(_BEARER),
    _Rule(_NAMED, judge=_is_value),
    _Rule(_JWT),
    _Rule(_KNOWN),
    _Rule(_TOKEN, judge=_is_random),
)

# --- what tells who somebody is -------------------------------------------------------------

_ADDRESS: Final = re.compile(
    r"[\w.+%-](?<![\w.+%-]{2})[\w.+%-]*+@(?:[\w-]++\.(?=[\w-]))++[^\W\d_]{2,}+"
)
_IBAN: Final = re.compile(
    r"[A-Z](?<![A-Za-z0-9][A-Z])[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?"
    r"(?![A-Za-z0-9])"
)
_CARD: Final = re.compile(
    r"\d(?<!\d\d)(?:\d{3}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{3}([ -])\d{6}\2\d{4,5})(?!\d)"
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


_PERSONAL: Final = (
    _Rule(_ADDRESS, E_MAIL),
    _Rule(_IBAN, IBAN, _is_iban),
    _Rule(_CARD, CARD, _is_card),
    _Rule(_PHONE, PHONE, _is_phone),
    _Rule(_LONG, NUMBER, _is_number),
)
