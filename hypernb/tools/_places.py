"""Which places of a value are looked at: always the same ones, however large it is."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_BLOCKS: Final = 100
_SECRET_NAME: Final = re.compile(
    r"pass(?:word|wd|phrase|code|wort)|kennwort|secret|"
    r"(?:^|[_\W])(?:token|pwd|pin|pw)(?:$|[_\W])|(?:token|pwd)$|"
    r"(?:^|[_\W])(?:db|my|user|admin|root|login|smtp|mail|ftp|ssh|sql)[_-]?pass(?:$|[_\W])|"
    r"(?:api|access|private|encryption|signing|master|auth)[_ -]?key|credential|"
    r"auth[_ -]?token|^auth$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Portrait:
    """What may be seen of a value, before anything is covered up.

    Attributes:
        words: What it is, in a line.
        shape: How large it is.
        parts: Text of its schema, statistics and sample.
        covered: What was covered up already, because of its name.
        columns: Names of columns with which lines of schema and statistics begin.
        untold: How many characters of a text no part has.
    """

    kind: str
    words: str
    shape: tuple[int, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    covered: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    untold: int = 0


def is_secret_name(name: str) -> bool:
    """Tell whether what is called so is a secret.

    Example:
        >>> [is_secret_name(name) for name in ("user_password", "api_key", "token", "tokens")]
        [True, True, True, False]
    """
    return bool(_SECRET_NAME.search(name[:200]))


def rest_untold(length: int, told: int, what: str) -> str:
    r"""Say in a line of its own how many are not told; nothing if all are.

    Example:
        >>> rest_untold(12_000, 10_000, "items"), rest_untold(3, 10_000, "items")
        ('\n… 2,000 more items are not told.', '')
    """
    return f"\n… {length - told:,} more {what} are not told." if length > told else ""


def evenly(length: int, most: int) -> range:
    """Return at most so many places of ``length``, evenly spread.

    Example:
        >>> list(evenly(10, 4)), list(evenly(3, 4))
        ([0, 3, 6, 9], [0, 1, 2])
    """
    return range(0, length, max(1, -(-length // most)))


def in_blocks(length: int, most: int) -> Sequence[int]:
    """Return at most so many places of ``length``: blocks that are evenly spread.

    Every so-and-so-manieth place alone would see one value of what repeats itself as often.

    Example:
        >>> places = in_blocks(1_000_000, 10_000)
        >>> len(places), places[0], places[-1]
        (10000, 0, 990099)
        >>> list(in_blocks(3, 10_000))
        [0, 1, 2]
    """
    if length <= most:
        return range(length)
    size = max(1, most // _BLOCKS)
    starts = range(0, length, max(1, length // min(_BLOCKS, most)))[: min(_BLOCKS, most)]
    return [place for start in starts for place in range(start, min(start + size, length))][
        :most
    ]


def seed_of(pieces: Iterable[str]) -> bytes:
    """Return a seed that depends on what is in a value, and on nothing else."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece.encode("utf-8", "backslashreplace"))
        digest.update(b"\0")
    return digest.digest()


def seeded(length: int, most: int, seed: bytes) -> list[int]:
    """Return so many places of ``length`` at random, in order; the same for the same seed.

    Example:
        >>> seeded(1_000, 3, b"a") == seeded(1_000, 3, b"a"), seeded(2, 3, b"a")
        (True, [0, 1])
    """
    if length <= most:
        return list(range(length))
    places: set[int] = set()
    number = 0
    while len(places) < most:
        # By hand, because what `random` makes of a seed may change with Python.
        drawn = hashlib.sha256(seed + number.to_bytes(8, "big")).digest()
        places.add(int.from_bytes(drawn[:16], "big") % length)
        number += 1
    return sorted(places)
