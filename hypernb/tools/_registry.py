"""Functions of this process that the crew may call: its registry, and its lane."""

from __future__ import annotations

import functools
import inspect
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from hypernb.errors import UsageError
from hypernb.model import KERNEL_LANE
from hypernb.tools._functions import FunctionTool

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")
When = Literal["free", "thread"]

TIMEOUT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class KernelTool:
    """A function of this process that the crew may call.

    Attributes:
        tool: What it takes, and what a model is told of it.
        when: When it runs: in the main thread while no cell does, or at once in another.
    """

    tool: FunctionTool
    when: When


_registered: dict[str, KernelTool] = {}


@overload
def kernel_tool(
    function: Function, *, name: str = ..., when: When = ..., timeout_s: float = ...
) -> Function: ...
@overload
def kernel_tool(
    function: None = ..., *, name: str = ..., when: When = ..., timeout_s: float = ...
) -> Callable[[Function], Function]: ...
def kernel_tool(
    function: Any = None,
    *,
    name: str = "",
    when: When = "free",
    timeout_s: float = TIMEOUT_S,
) -> Any:
    """Let the crew call a function of this kernel.

    The function runs here, with your variables and your rights, only for missions that you
    have approved and whose plan names it. What it returns is kept, and told to the model:
    text, numbers, lists and dictionaries as they are, up to 20,000 characters; of anything
    else type, statistics and five rows. Secrets, e-mail addresses and long
    numbers are covered up.

    With ``when="free"`` a call waits until no cell runs, and then keeps cells waiting until it
    is done, like a cell of yours; a cell that waits for a mission lets calls through. In a
    terminal that is after your next command. With ``when="thread"`` it runs at once in a
    thread beside your cells: for functions that touch nothing that cells change.

    Defining a function of the same name again replaces it; its arguments have to stay what
    they were where a plan that names it was approved.

    Args:
        function: With a type for each parameter. Its docstring says what it is for.
        name: What the crew calls it; its own name if empty.
        when: ``free`` or ``thread``.
        timeout_s: How long one call may take.

    Raises:
        UsageError: It cannot be a tool: a parameter has no type, or the name is taken.

    Example:
        >>> @kernel_tool(when="thread")
        ... def double(number: int) -> int:
        ...     '''Return twice the number.'''
        ...     return 2 * number
        >>> kernel_tools()["double"].tool.schema.parameters["required"]
        ['number']
    """
    if function is None:
        return functools.partial(kernel_tool, name=name, when=when, timeout_s=timeout_s)
    made = FunctionTool(function, name=name, lane=kernel_lane(), timeout_s=timeout_s)
    _refuse_odd(made, when)
    _registered[made.name] = KernelTool(made, when)
    return function


def kernel_tools() -> dict[str, KernelTool]:
    """Return the functions of this process that the crew may call, by name."""
    return dict(sorted(_registered.items()))


def forget_tool(name: str) -> None:
    """Let the crew no longer call a function; nothing happens if it cannot."""
    _registered.pop(name, None)


def kernel_lane() -> str:
    """Return the lane of this process, as plans name it: the same until it ends."""
    return f"{KERNEL_LANE}{_id_of(os.getpid())}"


@functools.cache
def _id_of(_pid: int) -> str:
    # By process, because a fork is another one.
    return secrets.token_hex(4)


def _refuse_odd(made: FunctionTool, when: str) -> None:
    from hypernb.tools import all_tool_names

    if when not in ("free", "thread"):
        raise UsageError(
            f"A tool cannot run when={when!r}.", hint="Write when='free' or when='thread'."
        )
    if not made.timeout_s > 0:
        raise UsageError(
            f"A call of {made.name!r} cannot end within {made.timeout_s:g} s.",
            hint="Give it timeout_s above 0.",
        )
    if made.name in all_tool_names():
        raise UsageError(
            f"{made.name!r} is a tool that the crew has already.",
            hint="Give yours another name: @hypernb.tool(name=...).",
        )
    if made.takes_context:
        raise UsageError(
            f"{made.name!r} cannot be a tool: it takes a ToolContext, which a kernel has not.",
            hint="Leave that parameter out; it can use the variables of the notebook.",
        )
    if when == "free" and inspect.iscoroutinefunction(made.function):
        raise UsageError(
            f"{made.name!r} is async, and the main thread cannot wait for it between cells.",
            hint="Write @hypernb.tool(when='thread'): it then has a loop of its own.",
        )
