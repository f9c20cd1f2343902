"""Process trees: stop, continue and end them with everything that they have started."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import psutil

    from hypernb.abc import Clock

_LOOK_S: Final = 0.02
_LAST_S: Final = 1.0


def tree(pid: int) -> list[psutil.Process]:
    """Return the process and all that descend from it, whatever group they are in."""
    import psutil

    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.Error:
        return []


def send(pid: int, number: signal.Signals) -> list[psutil.Process]:
    """Send a signal to a process, its group and its descendants; return them."""
    family = tree(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
    for process in family:
        _send(process, number)
    return family


def _send(process: psutil.Process, number: signal.Signals) -> None:
    import psutil

    # psutil compares start times, so a process that took over the number is left alone.
    with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
        process.send_signal(number)


async def end(pid: int, *, grace_s: float, clock: Clock) -> None:
    """End a process with all that descend from it: SIGTERM, and SIGKILL after the grace."""
    family = send(pid, signal.SIGTERM)
    # A stopped process takes a SIGTERM only when it is continued.
    send(pid, signal.SIGCONT)
    await _gone(family, within_s=grace_s, clock=clock)
    late = send(pid, signal.SIGKILL)
    for process in family:
        _send(process, signal.SIGKILL)
    await _gone([*family, *late], within_s=_LAST_S, clock=clock)


async def _gone(family: list[psutil.Process], *, within_s: float, clock: Clock) -> None:
    deadline = clock.monotonic() + within_s
    left = [process for process in family if _is_alive(process)]
    while left and clock.monotonic() < deadline:
        await clock.sleep(_LOOK_S)
        left = [process for process in left if _is_alive(process)]


def _is_alive(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
