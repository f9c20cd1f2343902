"""The session that a function takes when nobody names one: the magics' own in a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypernb.here import lent_here

if TYPE_CHECKING:
    from hypernb.session._session import Session

_default: Session | None = None


def session_here() -> Session:
    """Return the session that the magics of this kernel use; one of the default store else."""
    if (lent := lent_here()) is not None:
        session: Session = lent.open_session()
        return session
    global _default  # noqa: PLW0603 - all that name no session share one
    if _default is None:
        from hypernb.session._session import Session as Own

        _default = Own()
    return _default


def settings_here() -> dict[str, Any]:
    """Return the settings of models that were set in this kernel; empty where there is none."""
    lent = lent_here()
    return {} if lent is None else lent.settings()
