"""What a task says of its costs, in the process that it runs in."""

from __future__ import annotations

import numbers
import os
import threading
from contextvars import ContextVar
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import BudgetExhaustedError, UsageError
from hypernb.model import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

WORKER: Final = "HYPERNB_WORKER"
"""In the environment of workers, and so of the processes that their tasks start."""
_ROUNDING: Final = 1e-9


def rounding(limit: float) -> float:
    """Return by how much sums of dollars may differ from a limit that they add up to."""
    return _ROUNDING * max(1.0, limit)


def exceeds(amount: float, limit: float) -> bool:
    """Tell whether an amount is more than a limit, and not only by how it was added up.

    Example:
        >>> exceeds(0.1 + 0.2, 0.3), exceeds(0.31, 0.3)
        (False, True)
    """
    return amount > limit + rounding(limit)


class Purse:
    """What one attempt may spend, and has spent.

    Args:
        tell: Hands a usage to the engine; may be called in any thread.
        allowance: Dollars; None if nobody has set a limit.

    Attributes:
        is_closed: Its attempt is over.
    """

    def __init__(self, tell: Callable[[Usage], None], allowance: float | None) -> None:
        self._tell = tell
        self._allowance = allowance
        self._spent = 0.0
        self._pid = os.getpid()
        self.is_closed = False
        self._lock = threading.Lock()

    @property
    def left(self) -> float | None:
        """Dollars that may still be spent."""
        return None if self._allowance is None else max(0.0, self._allowance - self._spent)

    def take(self, usage: Usage) -> None:
        """Note what was paid.

        Raises:
            BudgetExhaustedError: It was more than what was left; it is noted all the same.
            UsageError: The attempt is over, or this is a process that the task has started.
        """
        if os.getpid() != self._pid:
            raise _in_another_process()
        if self.is_closed:
            raise UsageError(
                "A task that has ended cannot spend any more.",
                hint="Wait in the task for the threads that spend its money.",
            )
        with self._lock:
            self._spent += usage.cost
            spent = self._spent
        self._tell(usage)
        if self._allowance is not None and exceeds(spent, self._allowance):
            raise BudgetExhaustedError(spent, self._allowance)


_current: ContextVar[Purse | None] = ContextVar("hypernb_purse", default=None)
_carried: list[Purse] = []
_sole: list[Purse] = []


class Carrying:
    """A context in which what is spent is taken from a purse.

    Args:
        alone: Its task has this process to itself, so threads that it starts draw on it too.
        is_last: The attempt is over with it.
    """

    def __init__(self, purse: Purse, *, alone: bool = False, is_last: bool = True) -> None:
        self._purse = purse
        self._alone = alone
        self._is_last = is_last

    def __enter__(self) -> None:
        self._token = _current.set(self._purse)
        _carried.append(self._purse)
        if self._alone:
            _sole.append(self._purse)

    def __exit__(self, *_raised: object) -> None:
        self._purse.is_closed = self._is_last
        _current.reset(self._token)
        _carried.remove(self._purse)
        if self._alone:
            _sole.remove(self._purse)


def _purse() -> Purse | None:
    if (purse := _current.get()) is not None:
        return purse
    if _sole:
        return _sole[-1]
    if WORKER in os.environ:
        raise _in_another_process()
    # In a kernel that hosts a runner, a person tries things out in the main thread.
    if _carried and threading.current_thread() is not threading.main_thread():
        raise UsageError(
            "A thread that a task has started does not know whose money it spends.",
            hint="Start it with contextvars.copy_context().run, or spend in the task itself.",
        )
    return None


def _in_another_process() -> UsageError:
    return UsageError(
        "A process that a task has started cannot spend the task's money.",
        hint="Return the costs to the task, and have it spend them.",
    )


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
        UsageError: A number is negative, infinite or none; or the thread or the process is one
            that the task has started, and cannot spend its money.

    Example:
        >>> spend(0.002, model="gpt-6", input_tokens=812, output_tokens=90)
    """
    try:
        usage = Usage(_number(cost), model, _whole(input_tokens), _whole(output_tokens))
    except ValueError as error:
        raise UsageError(f"This cannot have been spent: {error}.") from None
    if (purse := _purse()) is not None:
        purse.take(usage)


def _number(cost: Any) -> Any:
    # Of Decimal, numpy and their like; what is no number is for `Usage` to refuse.
    is_number = isinstance(cost, numbers.Real | Decimal) and not isinstance(cost, bool)
    return float(cost) if is_number else cost


def _whole(tokens: Any) -> Any:
    is_whole = isinstance(tokens, numbers.Integral) and not isinstance(tokens, bool)
    return int(tokens) if is_whole else tokens


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
