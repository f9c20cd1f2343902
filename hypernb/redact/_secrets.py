"""What looks like a secret: by its own shape, or by the name that it stands under."""

from __future__ import annotations

import re
from typing import Final

from hypernb.redact._rules import Rule

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
SECRET_NAME: Final = re.compile(rf"{_NAME}\Z")
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


SECRETS: Final = (
    Rule(_PRIVATE_KEY),
    Rule(_IN_URL),
    Rule(_AUTHORIZATION),
    Rule(_BEARER),
    Rule(_NAMED, judge=_is_value),
    Rule(_JWT),
    Rule(_KNOWN),
    Rule(_TOKEN, judge=_is_random),
)
