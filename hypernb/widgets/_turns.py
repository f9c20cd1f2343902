"""How soon Python's threads take turns while somebody watches or clicks."""

from __future__ import annotations

import sys
import threading
from typing import Final

_QUICK_S: Final = 0.0005


class QuickTurns:
    """Lets a waiting thread have the interpreter after half a millisecond; may be nested.

    Python's own five are what a computing cell keeps it for each time that another thread asks.
    From a commit to the message that tells of it a thread asks a dozen times, so with five a
    view would be 60 ms late beside a busy cell, and with half of one it is 10. The cell is a
    percent or two slower meanwhile. So it is only done while it is of use, and undone after.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before_s = 0.0
        self._set_s = 0.0

    def begin(self) -> None:
        """Let turns be quick, until `end` is called as often as this."""
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._before_s = sys.getswitchinterval()
                sys.setswitchinterval(min(_QUICK_S, self._before_s))
                self._set_s = sys.getswitchinterval()

    def end(self) -> None:
        """Need quick turns no longer."""
        with self._lock:
            self._inside -= 1
            # Whoever has set it meanwhile had a reason.
            if self._inside == 0 and sys.getswitchinterval() == self._set_s:
                sys.setswitchinterval(self._before_s)

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_raised: object) -> None:
        self.end()

    def in_child(self) -> None:
        """Begin anew after a fork: nobody is watching there."""
        self._lock = threading.Lock()
        if self._inside:
            self._inside = 0
            sys.setswitchinterval(self._before_s)


QUICK_TURNS: Final = QuickTurns()
