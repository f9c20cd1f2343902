"""Names that were probably meant otherwise: a mistake would send a goal to another host."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from hypernb.errors import ConfigError, nearest
from hypernb.llm._prices import is_known_model
from hypernb.llm._profiles import OPENAI

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_NEAR_HEAD: Final = 0.9
"""Of ``HEAD:TAG``, which a server may have as the name of a model."""
_NEAR: Final = 0.75
"""Two letters of four that have changed places."""
_TWICE: Final = re.compile(r"(\D)\1+")
_DIGITS: Final = re.compile(r"\d+")


def refuse_mistyped(text: str, own: Collection[str]) -> None:
    """Refuse a bare name that comes near to a profile's, and is no model that anybody knows.

    Raises:
        ConfigError: It does.
    """
    near = _near(text, own, _NEAR)
    if near and not is_known_model(text):
        raise ConfigError(
            f"{text[:80]!r} is no profile of yours, and no model that is known.",
            hint=f"Did you mean {near!r}? If it is the name of a model, write "
            f"'{OPENAI}:{text[:80]}'.",
        )


def refuse_mistyped_head(
    head: str, tail: str, own: Collection[str], *, is_surely_one: bool
) -> None:
    """Refuse ``HEAD:TAIL`` where the head was to be a profile, and there is none.

    Args:
        own: Names of the profiles that may be meant.
        is_surely_one: The server has no models whose name has a colon.

    Raises:
        ConfigError: So it was.
    """
    near = _near(head, own, _NEAR if is_surely_one else _NEAR_HEAD)
    if not near and not is_surely_one:
        return
    meant = f"Did you mean '{near}:{tail[:80]}'?" if near else nearest(head, own)
    raise ConfigError(
        f"There is no profile {head[:80]!r}.",
        hint=f"{meant} If all of it is the name of a model, write "
        f"'{OPENAI}:{head[:80]}:{tail[:80]}'.".lstrip(),
    )


def several(text: str, profiles: Sequence[str]) -> ConfigError:
    """Return what is raised for a bare name that several profiles have as their model."""
    named = " or ".join(f"'{name}:{text[:80]}'" for name in profiles)
    return ConfigError(
        f"{text[:80]!r} can be the model of {len(profiles)} profiles.", hint=f"Write {named}."
    )


def _near(word: str, own: Collection[str], cutoff: float) -> str:
    """Return the name that a word comes near to; another number is another thing."""
    number = _DIGITS.findall(word)
    known = {_plain(name): name for name in own if _DIGITS.findall(name) == number}
    near = difflib.get_close_matches(_plain(word), known, n=1, cutoff=cutoff)
    return known[near[0]] if near else ""


def _plain(word: str) -> str:
    """Return a word without case, and with no letter twice in a row: keys are held too long."""
    return _TWICE.sub(r"\1", word.casefold())
