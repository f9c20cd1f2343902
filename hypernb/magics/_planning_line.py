"""The line below a cell while a model plans or is tried, so that the wait has a word."""

from __future__ import annotations

import html
import shutil
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

from hypernb.session.front_end import Rung
from hypernb.views import line

if TYPE_CHECKING:
    from types import TracebackType

_HINT = "Nothing runs yet; interrupting the cell ends it."


class PlanningLine:
    """Shows what planning is doing, in one place; nothing if it never says a word.

    Args:
        rung: How missions are shown here: text is written over in a terminal, and once where
            it cannot be replaced.
        who: Who does it.
        hint: What a person may do meanwhile.
    """

    def __init__(self, rung: Rung, *, who: str = "The strategist", hint: str = _HINT) -> None:
        self._rung = rung
        self._who = who
        self._hint = hint
        self._display = {"display_id": f"hypernb-planning-{uuid4().hex}"}
        self._words = ""

    def __enter__(self) -> PlanningLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._words:
            return
        if self._rung is not Rung.TEXT:
            self._show(f"{self._who} {self._words}.", is_new=False)
        elif sys.stderr.isatty():
            self._replace(f"{self._who} {self._words}.")
            sys.stderr.write("\n")

    def tell(self, words: str) -> None:
        """Show a few words on what planning is doing."""
        is_new = not self._words
        self._words = words = line(words)
        if self._rung is not Rung.TEXT:
            self._show(f"{self._who} {words}. {self._hint}", is_new=is_new)
        elif sys.stderr.isatty():
            self._replace(f"{self._who} {words}. Ctrl-C ends it.")
        elif is_new:
            sys.stderr.write(f"{self._who} {words}. Ctrl-C ends it.\n")
            sys.stderr.flush()

    def _replace(self, said: str) -> None:
        """Write over the line that stands there; a longer one could not be written over."""
        room = shutil.get_terminal_size().columns - 1
        said = said if len(said) <= room else f"{said[: room - 1]}…"
        sys.stderr.write(f"\r\x1b[K{said}")
        sys.stderr.flush()

    def _show(self, said: str, *, is_new: bool) -> None:
        from IPython.display import publish_display_data

        shown = {"text/plain": said, "text/html": f"<p>{html.escape(said)}</p>"}
        publish_display_data(shown, transient=self._display, update=not is_new)
