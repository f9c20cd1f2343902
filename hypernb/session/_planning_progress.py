"""Words on how planning by a model gets on, so that nobody waits without one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.abc import ModelWait


class Progress:
    """Says who is asked for a plan, for how long, and how much of an answer has come.

    Args:
        model: Who is asked.
        tell: Told a few words, always in the thread that waits for the plan: what a notebook
            shows from another one may land in another cell.
        now: Seconds of a clock that only goes on.
    """

    def __init__(
        self,
        model: str,
        tell: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._tell = tell
        self._now = now
        self._began = now()
        self._said_at = 0
        self._characters = 0
        self.obstacle = ""
        """Why nothing comes, while the server is tried again and again; else empty."""
        tell(f"asks {model} for a plan")

    def hear(self, piece: str) -> None:
        """Take a piece of the answer; an empty one says that it begins anew."""
        self._characters = self._characters + len(piece) if piece else 0
        if piece:
            self.obstacle = ""

    def wait(self, wait: ModelWait) -> None:
        """Take note of why the call waits."""
        self.obstacle = wait.words

    def look(self) -> None:
        """Say how it stands, once a second at most."""
        seconds = int(self._now() - self._began)
        if seconds == self._said_at:
            return
        self._said_at = seconds
        come = f", {self._characters:,} characters have come" if self._characters else ""
        again = f"; {self.obstacle}, and it is tried again" if self.obstacle else ""
        self._tell(f"asks {self._model} for a plan: {seconds} s so far{come}{again}")

    def end(self) -> None:
        """Say how long it took."""
        self._tell(f"asked {self._model} for a plan, for {self._now() - self._began:.1f} s")
