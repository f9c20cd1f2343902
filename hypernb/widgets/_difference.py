"""What changed between two revisions of a plan, as views are told."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from hypernb.views import changed, leaving_changed, unchanged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.model import PlanSpec

CHANGES_AT_MOST: Final = 1000


def difference_facts(
    old: PlanSpec, new: PlanSpec, revisions: tuple[int, int]
) -> dict[str, Any]:
    """Compare two plans.

    Args:
        old: The older plan.
        new: The newer plan, or a draft of it.
        revisions: Their numbers.
    """
    from hypernb.plan import compare

    found = compare(old, new)
    rows = [*leaving_changed(found, new, old), *changed(found)]
    return {
        "from_revision": revisions[0],
        "to_revision": revisions[1],
        "added": list(found.added),
        "removed": list(found.removed),
        "changed": [
            {
                "task": each.task,
                "field": each.field,
                "label": each.label,
                "old": each.old,
                "new": each.new,
                "kept": kept(each.old, each.new),
            }
            for each in rows[:CHANGES_AT_MOST]
        ],
        "same": unchanged(found, new),
    }


def kept(old: str, new: str) -> tuple[str, str]:
    """Return what both texts begin with and what both end with, by whole words.

    Example:
        >>> kept("Read the templates now", "Read all 31 templates now")
        ('Read ', 'templates now')
        >>> kept("", "3 min"), kept("same", "same")
        (('', ''), ('same', ''))
    """
    left, right = (re.split(r"(?<=\s)", text) for text in (old, new))
    begin = _common(left, right)
    end = _common(left[::-1], right[::-1])
    most = min(len(left), len(right)) - len(begin)
    return "".join(begin), "".join(end[:most][::-1])


def _common(one: Sequence[str], other: Sequence[str]) -> list[str]:
    pairs = zip(one, other, strict=False)
    return [first for first, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
