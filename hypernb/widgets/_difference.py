"""What changed between two revisions of a plan, as views are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.views import changed, unchanged

if TYPE_CHECKING:
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
    return {
        "from_revision": revisions[0],
        "to_revision": revisions[1],
        "added": list(found.added),
        "removed": list(found.removed),
        "changed": [
            {"task": each.task, "field": each.field, "old": each.old, "new": each.new}
            for each in changed(found)[:CHANGES_AT_MOST]
        ],
        "same": unchanged(found, new),
    }
