"""hypernb gives a notebook a crew: goal, plan, approval, swarm, result, history.

Importing it is cheap: every public name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from hypernb.agents import BaseAgent as BaseAgent
    from hypernb.agents import playbook as playbook
    from hypernb.engine import budget_left as budget_left
    from hypernb.engine import spend as spend
    from hypernb.errors import BudgetExhaustedError as BudgetExhaustedError
    from hypernb.errors import HypernbError as HypernbError
    from hypernb.errors import MissionError as MissionError
    from hypernb.errors import TooManyRequestsError as TooManyRequestsError
    from hypernb.model import Finding as Finding
    from hypernb.model import Report as Report
    from hypernb.plan import Plan as Plan
    from hypernb.session import Mission as Mission
    from hypernb.session import Session as Session
    from hypernb.session import tool as tool
    from hypernb.session import why as why

_HOMES = {
    "BaseAgent": "hypernb.agents",
    "BudgetExhaustedError": "hypernb.errors",
    "Finding": "hypernb.model",
    "HypernbError": "hypernb.errors",
    "Mission": "hypernb.session",
    "MissionError": "hypernb.errors",
    "Plan": "hypernb.plan",
    "Report": "hypernb.model",
    "Session": "hypernb.session",
    "TooManyRequestsError": "hypernb.errors",
    "budget_left": "hypernb.engine",
    "playbook": "hypernb.agents",
    "spend": "hypernb.engine",
    "tool": "hypernb.session",
    "why": "hypernb.session",
}

__all__ = [
    "BaseAgent",
    "BudgetExhaustedError",
    "Finding",
    "HypernbError",
    "Mission",
    "MissionError",
    "Plan",
    "Report",
    "Session",
    "TooManyRequestsError",
    "budget_left",
    "playbook",
    "spend",
    "tool",
    "why",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("hypernb")
    if name not in _HOMES:
        raise AttributeError(f"module 'hypernb' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    if _HOMES[name] == "hypernb.session":
        _give_missions_a_face()
    globals()[name] = value
    return value


def _give_missions_a_face() -> None:
    from hypernb.here import current_shell

    shell = current_shell()
    if shell is not None:
        from hypernb.magics import give_missions_a_face, watch_cells

        give_missions_a_face(shell)
        watch_cells(shell)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%hyper`` and ``%%hyper``; called by ``%load_ext hypernb``."""
    from hypernb.magics import register

    register(shell)
