"""Keys as plans and runners tell of them: ``NAME:fingerprint``, and nothing of the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def lacking_keys(needed: Iterable[str], had: Collection[str]) -> list[str]:
    """Return those that are needed and not had; without a fingerprint, any key of the name.

    Example:
        >>> lacking_keys(["A:1f", "B:", "C:2e"], ["B:9d", "C:77"])
        ['A:1f', 'C:2e']
    """
    names = {each.partition(":")[0] for each in had}
    return sorted(
        each
        for each in needed
        if each not in had and not (each.endswith(":") and each[:-1] in names)
    )
