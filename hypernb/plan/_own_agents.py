"""Agents of the user's own, as a plan names and sends them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypernb.errors import PlanProblemsError
from hypernb.plan._functions import ship, source_of_class

if TYPE_CHECKING:
    from hypernb.plan._functions import ShippedFunction


def own_agent(agent: object, *, task: str) -> tuple[str, Any, ShippedFunction]:
    """Return the name of an agent of the user's own, its object, and both ready to be sent.

    Args:
        agent: An object of a subclass of `hypernb.BaseAgent`, or the class itself, which is
            then made without arguments.
        task: For errors.

    Raises:
        PlanProblemsError: It is no agent, or it cannot be made.
        CannotShipError: It holds something that lives only in this process.
    """
    made = _made(agent, task) if isinstance(agent, type) else agent
    # Not by its class: agents are a layer above plans.
    if not callable(getattr(made, "process_task", None)):
        problem = (
            f"Task {task!r} is to be done by {agent!r:.100}, which is no agent. "
            "Name one, or hand over an object of a class made from hypernb.BaseAgent."
        )
        raise PlanProblemsError([problem])
    cls = type(made)
    name = getattr(made, "name", "") or agent_name(cls.__name__)
    shipped = ship(made, task=task, what=f"the agent of task {task!r}")
    label = f"{cls.__module__}.{cls.__qualname__}"
    return str(name), made, replace(shipped, label=label, source=source_of_class(cls))


def agent_name(cls: str) -> str:
    """Return what an agent of a class is called in plans.

    Example:
        >>> agent_name("WordCounter"), agent_name("SQLReviewer2")
        ('word-counter', 'sql-reviewer2')
    """
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])", r"\1\3-\2\4", cls)
    return spaced.replace("_", "-").strip("-").lower()


def _made(cls: type, task: str) -> object:
    try:
        return cls()
    except TypeError as error:
        problem = (
            f"Task {task!r} is to be done by {cls.__name__}, which cannot be made without "
            f"arguments: {error}. Hand over an object of it."
        )
        raise PlanProblemsError([problem]) from None
