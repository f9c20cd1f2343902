"""The guard: ends the process groups of workers when their runner is gone, and tidies up.

A worker that was stopped for a pause, or that is deep in C, cannot look after itself, and
what a task has started is not told of its worker's end. So a process that does nothing else
waits for the end of the runner, which closes the pipe, and kills what is left. It is started
as a file with ``python -I -S``, imports nothing of hypernb, and costs 8 MB.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys


def watch(lines: object) -> None:
    """Keep the groups that the runner names; kill those still kept when it is gone.

    Args:
        lines: Iterable of bytes: ``+<group>`` to keep one, ``-<group>`` to forget it.
    """
    groups: set[int] = set()
    for line in lines:  # type: ignore[attr-defined]  # typing would cost an import
        sign, group = line[:1], int(line[1:])
        (groups.add if sign == b"+" else groups.discard)(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    watch(sys.stdin.buffer)
    for scratch in sys.argv[1:]:
        shutil.rmtree(scratch, ignore_errors=True)
