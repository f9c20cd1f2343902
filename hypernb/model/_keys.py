"""Keys as plans and runners tell of them, and nothing of the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def needed_key(name: str, fingerprint: str, host: str) -> str:
    """Return which key a model needs; without a fingerprint, one that is meant for its host.

    A variable of the same name may hold another host's key in another kernel.

    Example:
        >>> needed_key("A", "1f", "api.example"), needed_key("A", "", "api.example")
        ('A:1f', 'A:@api.example')
    """
    return f"{name}:{fingerprint}" if fingerprint else f"{name}:@{host}"


def lacking_keys(needed: Iterable[str], had: Collection[str]) -> list[str]:
    """Return those that are needed and not had.

    Example:
        >>> lacking_keys(["A:1f", "B:@api.example"], ["A:1f", "B:9d", "B:@localhost:8000"])
        ['B:@api.example']
    """
    return sorted(set(needed).difference(had))
