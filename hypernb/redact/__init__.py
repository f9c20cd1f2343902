"""Covers up what should not leave: secrets, e-mail addresses and long numbers in text.

Patterns find what has a known shape, no more. Every one reads the text once, whatever is in
it: possessive quantifiers, and looks behind that let a match begin only where a word does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hypernb.redact._keys import SHORTEST_KEY, KeyForms, key_forms
from hypernb.redact._personal import PERSONAL
from hypernb.redact._rules import COVERED, SECRET
from hypernb.redact._secrets import SECRET_NAME, SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hypernb.redact._rules import Rule

__all__ = [
    "COVERED",
    "SECRET",
    "SHORTEST_KEY",
    "KeyForms",
    "Redacted",
    "covered_values",
    "key_forms",
    "keys_in",
    "names_secret",
    "redact",
    "scrub",
    "without_keys",
]

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
    return Redacted(_covered(text, (*SECRETS, *PERSONAL), counts), dict(counts))


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Cover up secrets only: these very ones first, in all forms, then what looks like one.

    Example:
        >>> scrub("password=hunter2 for ada@example.org")
        'password=[secret] for ada@example.org'
    """
    return _covered(without_keys(text, secrets), SECRETS, Counter())


def without_keys(text: str, keys: Iterable[str]) -> str:
    """Cover up these very keys, in all forms that `KeyForms` knows, and nothing else.

    What a cut has left of one is covered too; see `KeyForms.cover_pieces`.

    Example:
        >>> without_keys("sk-secret-1, sk%2dsecret%2d1, token=x1y2z3", ["sk-secret-1"])
        '[secret], [secret], token=x1y2z3'
    """
    for key in sorted(set(keys), key=len, reverse=True):
        forms = key_forms((key,))
        text = forms.cover_pieces(forms.cover(text, COVERED), COVERED)
    return text


def covered_values(value: Any, cover: Callable[[str], str]) -> Any:
    """Return JSON values with all texts in them covered, names in dictionaries too.

    Each text by itself, so that JSON stays JSON.

    Example:
        >>> covered_values({"a": ["b c", 3]}, str.upper)
        {'A': ['B C', 3]}
    """
    if isinstance(value, str):
        return cover(value)
    if isinstance(value, dict):
        return {cover(str(name)): covered_values(each, cover) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [covered_values(each, cover) for each in value]
    return value


def keys_in(pieces: Iterable[bytes], keys: Mapping[str, str]) -> list[str]:
    """Return the variables whose keys lie in bytes, in all forms that are known of a key."""
    forms = {variable: key_forms((key,)) for variable, key in keys.items()}
    return sorted(
        {
            variable
            for piece in pieces
            for variable, known in forms.items()
            if known.lie_in(piece)
        }
    )


def names_secret(name: str) -> bool:
    """Tell whether what stands under a name is a secret by that name.

    Example:
        >>> names_secret("db_password"), names_secret("max_tokens")
        (True, False)
    """
    return SECRET_NAME.search(name[-40:]) is not None


def _covered(text: str, rules: Iterable[Rule], counts: Counter[str]) -> str:
    # What stood beside something that is covered up now may have become the beginning of a
    # word, so it is looked at again.
    for _ in range(_ROUNDS):
        before = text
        for rule in rules:
            text = rule.apply(text, counts)
        if text == before:
            break
    return text
