"""``%hyper`` and ``%%hyper``: parse, call the session, return a value with a repr."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["register"]


def register(shell: InteractiveShell) -> None:
    """Register the magics and their completion; loading the extension twice is harmless."""
    from hypernb.magics._shell import install

    install(shell)
