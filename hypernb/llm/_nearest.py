"""Which recorded request comes nearest to one that is asked, and where they differ first."""

from __future__ import annotations

import difflib
import itertools
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LOOKED_AT: Final = 2_000
"""Requests; a cassette can have more, and a miss is not to take minutes."""
_COMPARED: Final = 2_000
_MARK: Final = re.compile(r"(?<=<data )[0-9a-f]{16}(?=: )|(?<=</data )[0-9a-f]{16}(?=>)")
"""A hash of the text that is fenced; see `hypernb.agents`."""
_BEFORE: Final = 20
_AFTER: Final = 60


def nearest_difference(asked: dict[str, Any], recorded: Iterable[dict[str, Any]]) -> str:
    """Say where a request differs first from the nearest of others; empty if there are none."""
    asked = _unmarked(asked)
    some = map(_unmarked, itertools.islice(recorded, _LOOKED_AT))
    nearest = max(some, key=lambda each: _likeness(asked, each), default=None)
    return "" if nearest is None else difference(asked, nearest)


def _unmarked(value: Any) -> Any:
    """Return a request without the marks of its fences: they differ because of what follows."""
    if isinstance(value, str):
        return _MARK.sub("M", value)
    if isinstance(value, dict):
        return {key: _unmarked(each) for key, each in value.items()}
    return [_unmarked(each) for each in value] if isinstance(value, list) else value


def difference(asked: dict[str, Any], recorded: dict[str, Any]) -> str:
    """Say where two requests differ first.

    Example:
        >>> ours = {"model": "m", "messages": [{"role": "user", "content": "Count rows"}]}
        >>> theirs = {"model": "m", "messages": [{"role": "user", "content": "Count runs"}]}
        >>> difference(ours, theirs)
        "messages[0].content is 'Count rows', and was 'Count runs' when it was recorded."
    """
    for where, ours, theirs in _pairs("", asked, recorded):
        if isinstance(ours, str) and isinstance(theirs, str):
            said, was, at = _excerpts(ours, theirs)
            place = f" (from character {at:,})" if at else ""
            return f"{where}{place} is {said!r}, and was {was!r} when it was recorded."
        return f"{where} is {_short(ours)}, and was {_short(theirs)} when it was recorded."
    return "nothing in the text; it was recorded under another hash."


def _pairs(where: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the parts that differ, in reading order; iterative, for they can be deep."""
    stack = [(where, ours, theirs)]
    while stack:
        where, ours, theirs = stack.pop()
        if ours == theirs:
            continue
        if isinstance(ours, dict) and isinstance(theirs, dict):
            names = sorted({*ours, *theirs}, key=lambda name: (_ORDER.get(name, 9), name))
            stack += [
                (f"{where}.{name}" if where else name, ours.get(name), theirs.get(name))
                for name in reversed(names)
            ]
        elif isinstance(ours, list) and isinstance(theirs, list):
            both = list(itertools.zip_longest(ours, theirs))
            stack += [(f"{where}[{at}]", *both[at]) for at in reversed(range(len(both)))]
        else:
            yield where, ours, theirs


_ORDER: Final = {"model": 0, "messages": 1, "tools": 2, "answer": 3, "role": 0, "content": 1}


def _excerpts(ours: str, theirs: str) -> tuple[str, str, int]:
    same = 0
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            break
        same += 1
    begin = max(0, same - _BEFORE)
    cut = "…" if begin else ""
    return (
        cut + ours[begin : same + _AFTER],
        cut + theirs[begin : same + _AFTER],
        same if begin else 0,
    )


def _short(value: Any) -> str:
    if value is None:
        return "not there"
    if isinstance(value, dict | list):
        text = value.get("role") or value.get("name") if isinstance(value, dict) else None
        return f"{'an object' if isinstance(value, dict) else 'a list'}" + (
            f" ({text!r:.60})" if text else ""
        )
    return repr(value)[:_AFTER]


def _likeness(asked: dict[str, Any], recorded: dict[str, Any]) -> float:
    ours, theirs = asked.get("messages"), recorded.get("messages")
    if not isinstance(ours, list) or not isinstance(theirs, list):
        return 0.0
    same = sum(1 for _ in itertools.takewhile(lambda two: two[0] == two[1], zip(ours, theirs)))  # noqa: B905 - the shorter one ends it
    next_one = _content(ours, same), _content(theirs, same)
    matcher = difflib.SequenceMatcher(None, *next_one, autojunk=False)
    longest = max(len(ours), len(theirs), 1)
    others = sum(bool(asked.get(key) == recorded.get(key)) for key in ("model", "tools"))
    return (same + matcher.quick_ratio()) / longest + others


def _content(messages: list[Any], at: int) -> str:
    message = messages[at] if at < len(messages) else {}
    return str(message.get("content", ""))[:_COMPARED] if isinstance(message, dict) else ""
