"""When the main thread of a kernel is free: between cells, as IPython tells it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from hypernb.session import FREE_TIME

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class CellWatch:
    """Lets calls of this kernel's tools have the main thread whenever no cell runs in it.

    In a kernel its loop does them between cells. In a terminal there is no loop that others
    may use while it waits at the prompt, so they are done after the next command.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        kernel = getattr(shell, "kernel", None)
        self._loop: Any = getattr(kernel, "io_loop", None)
        # Whoever begins to watch in the main thread does so from a cell.
        self._is_busy = _is_main()
        shell.events.register("pre_execute", self._begins)
        shell.events.register("post_execute", self._ends)
        FREE_TIME.wake = self.wake

    def wake(self) -> None:
        """Look soon whether the main thread is free; from any thread."""
        if self._loop is not None:
            self._loop.add_callback(self._use)

    def _begins(self) -> None:
        if _is_main():
            self._is_busy = True

    def _ends(self) -> None:
        # Cells of subshells run in threads of their own.
        if not _is_main():
            return
        self._is_busy = False
        if not FREE_TIME.is_wanted:
            return
        if self._loop is None:
            FREE_TIME.use()
        else:
            self.wake()

    def _use(self) -> None:
        if not self._is_busy or FREE_TIME.is_cell_waiting:
            FREE_TIME.use()


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def watch_cells(shell: InteractiveShell) -> None:
    """Watch the cells of a shell; doing so twice is harmless."""
    if not hasattr(shell, "_hypernb_cells"):
        shell._hypernb_cells = CellWatch(shell)  # type: ignore[attr-defined]  # noqa: SLF001 - lives as long as the shell
