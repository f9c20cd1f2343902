"""The kernel that this process is: its shell, and what its magics lend to those below them.

A module of its own, and a light one: magics are registered before a session is imported.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_lent: dict[Any, Lent] = {}


@dataclass(frozen=True, slots=True)
class Lent:
    """What the magics of a kernel lend.

    Attributes:
        open_session: Returns the `hypernb.Session` that they use.
        settings: Returns the settings of models that were set in this kernel.
    """

    open_session: Callable[[], Any]
    settings: Callable[[], dict[str, Any]]


def lend(shell: Any, lent: Lent) -> None:
    """Let all that runs in this shell use what its magics use."""
    _lent[shell] = lent


def lent_here() -> Lent | None:
    """Return what the magics of this kernel lend; None where there are none."""
    return _lent.get(current_shell())


def current_shell() -> Any:
    """Return IPython's shell if this process has one; None otherwise, without importing it."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
