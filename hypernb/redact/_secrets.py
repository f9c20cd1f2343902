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
_STRONG: Final = (
    r"(?:(?ai:pass(?:word|wd|phrase|wort|code)|kennwort|pwd|secret(?:[_-]?key)?|token"
    r"|(?:api|access|private|encryption|signing|account|master|shared|auth|storage)[_-]?key)"
    r"|_PASS|_PW)"
)
# Words that name much else besides: their values are judged.
_WEAK: Final = r"(?<![A-Za-z])(?:(?ai:pass|pw|psw|auth|credentials?|sig(?:nature)?)|PIN)"
_VALUE: Final = r"[^\s\"',;)}\]\\(\[=:<][^\s\"',;)}\]\\]{3,}+"
# What is called or subscripted is code, and no secret.
_CODE: Final = r"(?![A-Za-z_][\w.]{0,200}+[(\[])"
_GAP: Final = r"[ \t\u00a0]{0,4}"
SECRET_NAME: Final = re.compile(rf"{_STRONG}\Z")
_NAMED: Final = re.compile(
    rf"(?P<kept>(?:(?P<name>{_STRONG})|(?P<weak>{_WEAK}))\\?[\"']?{_GAP}"
    r"(?:=>|:=|(?P<twice>==)|[:=]|(?<=[\"'])(?P<pair>,)|(?<=[ \t])(?ai:value)[ \t]{0,2}=)"
    rf"{_GAP}"
    r"(?:\[(?=[\"'])|\[(?=\\[\"']))?+"
    r"(?:(?P<escaped>\\[\"'])|(?P<double>\")|(?P<single>'))?+)(?P<value>(?!\[secret\])"
    r"(?(escaped)[^\"'\n\\]{1,2000}+|(?(double)(?:[^\"\n\\]|\\[^\n]){1,2000}+"
    rf"|(?(single)(?:[^'\n\\]|\\[^\n]|''){{1,2000}}+|{_CODE}{_VALUE}))))"
)
_OPTION: Final = re.compile(
    rf"(?P<kept>(?<![\w-])--(?!-)[\w-]{{0,40}}?{_STRONG}[ \t]{{1,4}}[\"']?)"
    rf"(?P<value>(?!\[secret\])(?!-){_VALUE})"
)
_LOGIN: Final = re.compile(
    r"(?P<kept>(?ai:curl)\b(?:[^\n-]|-(?!u\b|-user\b)){0,120}+-(?:u|-user)[ =]{1,2}[\"']?"
    r"[^\s:\"']{1,100}+:)(?!\[secret\])[^\s\"']{1,200}+"
)
_NETRC: Final = re.compile(
    r"(?P<kept>\bmachine\s{1,4}\S{1,200}+\s{1,20}login\s{1,4}\S{1,200}+\s{1,20}password\s{1,4})"
    r"(?!\[secret\])\S{1,200}+"
)
_COOKIE: Final = re.compile(
    r"(?P<kept>(?<![A-Za-z])(?ai:cookie)\\?[\"']?[ \t]{0,4}:[ \t]{0,4}\\?[\"']?)"
    r"(?=[\w.-]{1,64}+=)"
    r"[^\s\"'\\][^\n\"'\\]{0,4000}+"
)
_ELEMENT: Final = re.compile(
    rf"(?P<kept><[\w:.-]{{0,40}}?{_STRONG}(?:[ \t][^<>\n]{{0,200}}+)?>[ \t]{{0,4}})"
    r"(?!\[secret\])[^\s<][^<\n]{0,500}+(?=</)"
)
_BLOCK: Final = re.compile(
    rf"(?P<kept>{_STRONG}[\"']?[ \t]{{0,4}}:[ \t]{{0,4}}[|>][+-]?\n[ \t]{{1,40}}+)"
    r"(?!\[secret\])[^\s][^\n]{0,2000}+"
)
# One word on a line of its own, below a name that is alone on its line.
_BELOW: Final = re.compile(
    rf"(?P<kept>(?m:^)[ \t]{{0,40}}+(?:-[ \t]{{1,4}}+)?[\w.-]{{0,40}}?{_STRONG}"
    r"[ \t]{0,4}:[ \t]{0,4}\n[ \t]{1,40}+)(?!\[secret\])"
    r"[^\s:<>{}()\[\]#-][^\s:]{3,200}+(?=[ \t]{0,4}(?:\n|\Z))"
)
_PAIR: Final = re.compile(
    r"(?P<kept>\\?[\"'](?ai:name|key|variable|setting|option|param(?:eter)?|field|env)\\?[\"']"
    rf"[ \t]{{0,4}}:[ \t]{{0,4}}\\?[\"'][\w.-]{{0,40}}?{_STRONG}\\?[\"'][ \t]{{0,4}},\s{{0,20}}"
    r"\\?[\"'](?ai:values|value|val|content)\\?[\"'][ \t]{0,4}:[ \t]{0,4}\\?[\"'])"
    r"(?!\[secret\])[^\"'\n\\]{1,2000}+"
)
_NO_VALUES: Final = frozenset(
    [
        *("none", "null", "true", "false", "str", "bytes", "text", "string", "optional"),
        *("self", "bool", "int", "float", "any", "undefined", "secretstr", "required"),
    ]
)
_WEAK_AT_LEAST: Final = 8
_PIN_AT_LEAST: Final = 4
_PART_OF_CODE: Final = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)++|[A-Za-z]++_\w++")
_JWT: Final = re.compile(
    r"eyJ(?<![A-Za-z0-9_-]eyJ)[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{4,}+(?:\.[A-Za-z0-9_-]*+){0,3}"
)
_KNOWN: Final = re.compile(
    r"(?:sk-(?<![A-Za-z0-9]sk-)(?:proj|ant|or|admin|svcacct)-[A-Za-z0-9_-]{16,}+"
    r"|sk-(?<![A-Za-z0-9]sk-)(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9_-]{16,}+"
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
    value = found["value"]
    is_quoted = bool(found["double"] or found["single"] or found["escaped"])
    if found["twice"]:
        return _has_digit(value) and not found["weak"]
    if found["pair"]:
        return is_quoted and not found["weak"] and _has_digit(value)
    if found["weak"] == "PIN" and value.isdigit():
        return len(value) >= _PIN_AT_LEAST
    if found["weak"]:
        return _looks_made_up(value)
    return is_quoted or not _is_code(found["name"], value.lower().rstrip("."))


def _is_code(name: str, value: str) -> bool:
    """Tell whether a value without quotes is a type, or hands on what is called the same."""
    whole, _, last = value.rpartition(".")
    is_handed_on = last.lstrip("_") == name.lower() and (bool(whole) or last != "password")
    return is_handed_on or value in _NO_VALUES


def _looks_made_up(value: str) -> bool:
    """Tell whether a value is long, of letters and digits, and no name of ordinary code."""
    return (
        len(value) >= _WEAK_AT_LEAST
        and _has_digit(value)
        and not re.search(r"\s", value)
        and any(each.islower() for each in value)
        and not value.startswith("0x")
        and not _PART_OF_CODE.fullmatch(value)
    )


def _has_digit(value: str) -> bool:
    return any(each.isdigit() for each in value)


def _is_given(found: re.Match[str]) -> bool:
    return _has_digit(found["value"])


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
    Rule(_PRIVATE_KEY, needs=("PRIVATE KEY",)),
    Rule(_IN_URL, needs=("://",)),
    Rule(_AUTHORIZATION),
    Rule(_BEARER),
    Rule(_COOKIE, needs=("ookie", "OOKIE")),
    Rule(_NAMED, judge=_is_value),
    Rule(_OPTION, judge=_is_given, needs=("--",)),
    Rule(_LOGIN, needs=(" -u", "-user")),
    Rule(_NETRC, needs=("machine",)),
    Rule(_ELEMENT, needs=("</",)),
    Rule(_BLOCK, needs=("|\n", ">\n", "-\n", "+\n")),
    Rule(_BELOW, needs=(":\n", ": \n")),
    Rule(_PAIR, needs=("al",)),
    Rule(_JWT, needs=("eyJ",)),
    Rule(_KNOWN),
    Rule(_TOKEN, judge=_is_random),
)
