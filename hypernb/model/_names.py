"""Names of tasks: what cannot be seen in them, and which task one stands for."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from hypernb.errors import AmbiguousTaskError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

HIDDEN: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Marks that reorder or hide text, or are not seen, as a part of a pattern's ``[...]``.

Joiners and variation selectors are not among them: Persian, Indic scripts and emoji need them.
"""

_UNSEEN: Final = re.compile(
    rf"[\x00-\x08\x0e-\x1f\x7f-\x9f\u180b-\u180f\u200c\u200d\ufe00-\ufe0f"
    rf"\U000e0100-\U000e01ef{HIDDEN}]"
)
_NUMBERED: Final = re.compile(r"t[0-9]+")
_LONGEST_NUMBER: Final = 9


def look_of(name: str) -> str:
    r"""Return a name as it looks: names with the same look cannot be told apart, or hardly.

    Example:
        >>> look_of("Look\u200b  at"), look_of("\uff4cook at")
        ('look at', 'look at')
    """
    seen = name if name.isascii() else unicodedata.normalize("NFKC", _UNSEEN.sub("", name))
    return " ".join(seen.casefold().split())


def is_like_a_number(name: str) -> bool:
    """Tell whether a name looks like the number that a plan gives to a task.

    Example:
        >>> is_like_a_number("t3"), is_like_a_number("task-3")
        (True, False)
    """
    return _NUMBERED.fullmatch(look_of(name)) is not None


def number_of(ref: str) -> int | None:
    """Read ``t3``; None if it is anything else.

    Example:
        >>> number_of("t3"), number_of("clean")
        (3, None)
    """
    is_number = _NUMBERED.fullmatch(ref) is not None and len(ref) <= _LONGEST_NUMBER + 1
    return int(ref[1:]) if is_number else None


def task_meant(ref: str, names: Container[str], numbered: Mapping[int, str]) -> str:
    """Return the name of the task that a reference stands for; empty if it stands for none.

    Args:
        ref: A task's name, or ``t3`` for the one with that number.
        names: The tasks there are.
        numbered: Their names by number, of at least the one that is referred to.

    Raises:
        AmbiguousTaskError: One task is called so, and another one has that number.

    Example:
        >>> task_meant("t2", ["fetch", "clean"], {1: "fetch", 2: "clean"})
        'clean'
    """
    number = number_of(ref)
    other = numbered.get(number, "") if number is not None else ""
    if ref not in names:
        return other
    if other not in ("", ref):
        raise AmbiguousTaskError(ref, other)
    return ref
