"""``%hyper`` and ``%%hyper``: parse, call the session, return a value with a repr."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["give_missions_a_face", "register", "watch_cells"]


def register(shell: InteractiveShell) -> None:
    """Register the magics and their completion; loading the extension twice is harmless."""
    from hypernb.magics._shell import install

    install(shell)


def give_missions_a_face(shell: InteractiveShell) -> None:
    """Show a mission at the end of a cell as its live view, also without any magic."""
    from hypernb.magics._shell import give_missions_a_face as give

    give(shell)


def watch_cells(shell: InteractiveShell) -> None:
    """Let calls of this kernel's tools have its main thread between cells."""
    from hypernb.magics._kernel_tools import watch_cells as watch

    watch(shell)
