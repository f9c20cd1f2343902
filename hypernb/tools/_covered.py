"""Covers up what should not leave: secrets, addresses of people, long numbers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRETS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,10000}?-----END [A-Z ]*PRIVATE KEY-----|"
    r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[A-Z0-9]{16}\b|"
    r"\bxox[abprs]-[A-Za-z0-9-]{10,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}"
)
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_NUMBER: Final = re.compile(r"(?<![\w.])\+?\d(?:[ -]?\d){8,}(?![\w.])")


@dataclass(frozen=True, slots=True)
class Redacted:
    """Text in which something may be covered up, and how often what was."""

    text: str
    counts: Mapping[str, int] = field(default_factory=dict)


def scrub(text: str) -> str:
    """Return text without what looks like a secret."""
    return _SECRETS.sub("[secret]", text)


def redact(text: str) -> Redacted:
    """Return text without secrets, e-mail addresses and long numbers."""
    counts: Counter[str] = Counter()
    for kind, pattern in (("secret", _SECRETS), ("email", _EMAIL), ("number", _NUMBER)):
        text, times = pattern.subn(f"[{kind}]", text)
        counts[kind] += times
    return Redacted(text, {kind: times for kind, times in counts.items() if times})
