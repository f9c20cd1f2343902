"""The session that a function takes when nobody names one: the magics' own in a kernel."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypernb.session._session import Session

_default: Session | None = None


def session_here() -> Session:
    """Return the session that the magics of this kernel use; one of the default store else."""
    known = _magics_here()
    if known is not None:
        session: Session = known.open_session()
        return session
    global _default  # noqa: PLW0603 - all that name no session share one
    if _default is None:
        from hypernb.session._session import Session as Own

        _default = Own()
    return _default


def settings_here() -> dict[str, Any]:
    """Return the settings of models that were set in this kernel; empty where there is none."""
    known = _magics_here()
    return {} if known is None else dict(known.of_models())


def _magics_here() -> Any:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    magics = getattr(shell, "magics_manager", None)
    return magics.registry.get("HyperMagics") if magics is not None else None
