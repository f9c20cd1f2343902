"""The view in a cell: updated in place while the mission runs, frozen when it has ended."""

from __future__ import annotations

import contextvars
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Final

from hypernb.errors import HypernbError
from hypernb.model import MissionState

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from hypernb.session import Mission

# Twice a second is often enough to see what happens, and far below the 1,000 messages a second
# above which jupyter_server drops them.
LEAST_BETWEEN_S: Final = 0.5
# A view of many thousand tasks takes longer to draw; it may take a tenth of the time at most.
TIMES_OWN_COST: Final = 10
REFRESH_S: Final = 5.0
END_FOLLOWING_S: Final = 5.0

# Ids of displays live in the front end and survive the kernel, so they name the process too.
_PROCESS: Final = f"{os.getpid():x}-{time.time_ns():x}"

_log = logging.getLogger(__name__)
_following: dict[str, LiveView] = {}


class LiveView:
    """A mission in the cells of this kernel.

    All cells that show a mission share one display, so that one update reaches all of them and
    none stays behind.

    Args:
        mission: What to show.
        rich: Whether the front end shows HTML that can be replaced; otherwise the text is
            shown once, at the start and at the end.
    """

    def __init__(self, mission: Mission, *, rich: bool) -> None:
        self._mission = mission
        self._rich = rich
        self._key = mission.record.id
        self._display = {"display_id": f"hypernb-{_PROCESS}-{self._key}"}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._drawn: dict[str, str] = {}
        self._drawn_at = 0.0
        self._drawn_in_s = 0.0
        self._seq = 0
        self._ages = False
        self._is_final = False

    def show(self) -> None:
        """Show the mission as it is now."""
        from IPython.display import publish_display_data

        publish_display_data(self._draw(), transient=self._display if self._rich else None)

    def follow(self) -> None:
        """Keep the view current from a background thread, until the mission has ended."""
        self._take_over()
        if self._is_final:
            return
        _following[self._key] = self
        # Output of a thread lands in the cell whose context it carries.
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run,
            args=(self._run,),
            name=f"hypernb view of {self._mission.id}",
            daemon=True,
        )
        self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Keep the view current from the calling thread, until the mission has ended.

        Raises:
            WaitTimeoutError: The mission goes on, and the view follows it.
        """
        try:
            self._take_over()
            self._mission.wait(timeout, on_change=self._look)
        finally:
            self._update()
            if self._rich:
                self.follow()

    def end(self) -> None:
        """End the following; the view stays as it is."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(END_FOLLOWING_S)

    def _take_over(self) -> None:
        previous = _following.pop(self._key, None)
        if previous is not None:
            previous.end()

    def _run(self) -> None:
        try:
            self._mission.wait(on_change=self._look, stop=self._stop)
            if not self._stop.is_set():
                self._update()
        except HypernbError:
            # The store went away under a view that nobody waits for: the view stays as it
            # was, and the next magic raises the same error where a person sees it.
            _log.warning("The view of %s is no longer live.", self._mission.id, exc_info=True)
        finally:
            if _following.get(self._key) is self:
                del _following[self._key]

    def _look(self) -> None:
        if not self._rich:
            return
        since = time.monotonic() - self._drawn_at
        is_old = self._mission.session.store.last_seq() != self._seq
        pause = max(LEAST_BETWEEN_S, TIMES_OWN_COST * self._drawn_in_s)
        if (is_old and since >= pause) or (self._ages and since >= max(REFRESH_S, pause)):
            self._update()

    def _update(self) -> None:
        from IPython.display import publish_display_data

        before = self._drawn
        drawn = self._draw()
        if not self._rich:
            publish_display_data(drawn)
        elif drawn != before:
            publish_display_data(drawn, transient=self._display, update=True)

    def _draw(self) -> dict[str, str]:
        from hypernb.views import mission_html, mission_text

        began = time.monotonic()
        snapshot = self._mission.snapshot()
        state = snapshot.mission.state
        report = self._mission.report() if state.is_final else None
        bundle = {"text/plain": mission_text(snapshot, result=report)}
        if self._rich:
            live = not state.is_final
            bundle["text/html"] = mission_html(snapshot, live=live, result=report)
        self._seq = snapshot.seq
        self._ages = state is MissionState.RUNNING
        self._is_final = state.is_final
        self._drawn = bundle
        self._drawn_at = time.monotonic()
        self._drawn_in_s = self._drawn_at - began
        return bundle


def is_rich(shell: InteractiveShell) -> bool:
    """Tell whether the front end is more than a terminal."""
    return getattr(shell, "kernel", None) is not None


def is_headless(shell: InteractiveShell) -> bool:
    """Tell whether nobody is there to click or type.

    nbclient, and so papermill, nbval and nbconvert, execute with ``allow_stdin`` false; every
    interactive front end sets it.
    """
    said = os.environ.get("HYPERNB_HEADLESS")
    if said is not None:
        return said not in ("", "0")
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return False
    content = kernel.get_parent("shell").get("content", {})
    return not content.get("allow_stdin", True)
