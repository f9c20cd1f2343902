"""The view in a cell: updated in place while the mission runs, frozen when it has ended."""

from __future__ import annotations

import contextvars
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Final

from hypernb.errors import HypernbError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from hypernb.session import Mission

# Twice a second is often enough to see what happens, and far below the 1,000 messages a second
# above which jupyter_server drops them.
LEAST_BETWEEN_S: Final = 0.5
REFRESH_S: Final = 5.0

_log = logging.getLogger(__name__)
_live: dict[str, LiveView] = {}


class LiveView:
    """One cell's view of one mission.

    Args:
        mission: What to show.
        rich: Whether the front end shows HTML that can be replaced; otherwise the text is
            shown once, at the start and at the end.
    """

    def __init__(self, mission: Mission, *, rich: bool) -> None:
        self._mission = mission
        self._rich = rich
        self._stop = threading.Event()
        self._drawn_at = 0.0
        self._display_id = f"hypernb-{mission.id}-{time.monotonic_ns()}"
        self._thread: threading.Thread | None = None

    def show(self) -> None:
        """Show the mission as it is now."""
        from IPython.display import publish_display_data

        publish_display_data(
            self._bundle(), transient={"display_id": self._display_id} if self._rich else None
        )

    def follow(self) -> None:
        """Keep the view current from a background thread, until the mission has ended."""
        previous = _live.pop(self._mission.id, None)
        if previous is not None:
            previous.close()
        _live[self._mission.id] = self
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
        """Keep the view current from the calling thread, until the mission has ended."""
        try:
            self._mission.wait(timeout, on_change=self._redraw)
        finally:
            self.freeze()

    def freeze(self) -> None:
        """Replace the view by a static copy that needs neither kernel nor store."""
        self._update()

    def close(self) -> None:
        """End the following; the view stays as it is."""
        self._stop.set()

    def _run(self) -> None:
        try:
            self._mission.wait(on_change=self._redraw, stop=self._stop)
            self.freeze()
        except HypernbError:
            # The store went away under a view that nobody waits for: the view stays as it
            # was, and the next magic raises the same error where a person sees it.
            _log.warning("The view of %s is no longer live.", self._mission.id, exc_info=True)
        finally:
            if _live.get(self._mission.id) is self:
                del _live[self._mission.id]

    def _redraw(self) -> None:
        now = time.monotonic()
        if self._rich and now - self._drawn_at >= LEAST_BETWEEN_S:
            self._drawn_at = now
            self._update()

    def _update(self) -> None:
        from IPython.display import publish_display_data

        if self._rich:
            publish_display_data(
                self._bundle(), transient={"display_id": self._display_id}, update=True
            )
        else:
            publish_display_data(self._bundle())

    def _bundle(self) -> dict[str, str]:
        from hypernb.views import mission_html, mission_text

        snapshot = self._mission.snapshot()
        text = mission_text(snapshot)
        if not self._rich:
            return {"text/plain": text}
        live = not snapshot.mission.state.is_final
        return {"text/plain": text, "text/html": mission_html(snapshot, live=live)}


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
