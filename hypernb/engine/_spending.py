"""What a task says of its costs, in the process that it runs in."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from hypernb.errors import BudgetExhaustedError, UsageError
from hypernb.model import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDING: Final = 1e-9
"""Sums of cents are not exact."""


class Purse:
    """What one attempt may spend, and has spent.

    Args:
        tell: Hands a usage to the engine; may be called in any thread.
        allowance: Dollars; None if nobody has set a limit.
    """

    def __init__(self, tell: Callable[[Usage], None], allowance: float | None) -> None:
        self._tell = tell
        self._allowance = allowance
        self._spent = 0.0
        self._lock = threading.Lock()

    @property
    def left(self) -> float | None:
        """Dollars that may still be spent."""
        return None if self._allowance is None else max(0.0, self._allowance - self._spent)

    def take(self, usage: Usage) -> None:
        """Note what was paid.

        Raises:
            BudgetExhaustedError: It was more than what was left; it is noted all the same.
        """
        with self._lock:
            self._spent += usage.cost
            spent = self._spent
        self._tell(usage)
        if self._allowance is not None and spent > self._allowance + ROUNDING:
            raise BudgetExhaustedError("The task", spent, self._allowance)


_current: ContextVar[Purse | None] = ContextVar("hypernb_purse", default=None)
_carried: list[Purse] = []
_sole: list[Purse] = []


class Carrying:
    """A context in which what is spent is taken from a purse.

    Args:
        alone: Its task has this process to itself, so threads that it starts draw on it too.
    """

    def __init__(self, purse: Purse, *, alone: bool = False) -> None:
        self._purse = purse
        self._alone = alone

    def __enter__(self) -> None:
        self._token = _current.set(self._purse)
        _carried.append(self._purse)
        if self._alone:
            _sole.append(self._purse)

    def __exit__(self, *_raised: object) -> None:
        _current.reset(self._token)
        _carried.remove(self._purse)
        if self._alone:
            _sole.remove(self._purse)


def _purse() -> Purse | None:
    if (purse := _current.get()) is not None:
        return purse
    if _sole:
        return _sole[-1]
    if _carried:
        raise UsageError(
            "A thread that a task has started does not know whose money it spends.",
            hint="Start it with contextvars.copy_context().run, or spend in the task itself.",
        )
    return None


def spend(
    cost: float, *, model: str = "", input_tokens: int = 0, output_tokens: int = 0
) -> None:
    """Note, in a task, what a call that it has made has cost.

    It counts against the task's ``cap_cost`` and the mission's budget, and is kept in the
    store. Outside a mission nothing happens, so a function can be tried by hand.

    Args:
        cost: Dollars, 0 or more.
        model: What was called.
        input_tokens: How many it read.
        output_tokens: How many it wrote.

    Raises:
        BudgetExhaustedError: The task has now spent more than it may. It is noted all the same;
            a task that goes on regardless is ended.
        UsageError: A number is negative, infinite or none, or the thread belongs to no task.

    Example:
        >>> spend(0.002, model="gpt-6", input_tokens=812, output_tokens=90)
    """
    try:
        usage = Usage(cost, model, input_tokens, output_tokens)
    except ValueError as error:
        raise UsageError(f"This cannot have been spent: {error}.") from None
    if (purse := _purse()) is not None:
        purse.take(usage)


def budget_left() -> float | None:
    """Return, in a task, how many dollars it may still spend; None if nobody set a limit.

    Without a cap of its own that is what the mission had left when the task began; other tasks
    draw on it too.

    Raises:
        UsageError: The thread belongs to no task.

    Example:
        >>> budget_left() is None  # outside a mission
        True
    """
    purse = _purse()
    return None if purse is None else purse.left
