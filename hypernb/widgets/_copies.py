"""Copies of a view as static HTML: what a notebook shows when nothing of this runs any more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.widgets._mirror import Mirror

_REST_S: Final = 1.0
_UNDER_WAY_S: Final = 30.0
_TIMES_OWN_COST: Final = 20
_LARGEST: Final = 4_000_000


class Copies:
    """Says when a mission should be copied, and does it.

    A mission is copied as soon as it has ended; one at rest soon after its last change; one
    under way twice a minute, so that a notebook that is saved in the middle has something to
    show.

    Attributes:
        html: The last copy, for views that have not had it; empty before the first.
    """

    def __init__(self) -> None:
        self._seq = -1
        self._at = self._changed_at = float("-inf")
        self._cost_s = 0.0
        self._seen = -1
        self._is_at_it = self._has_end = False
        self.html = ""

    def job(self, mirror: Mirror, now_s: float) -> Callable[[], None] | None:
        """Return what makes a copy, for another thread, if it is time for one."""
        if self._seen != mirror.seq:
            self._seen, self._changed_at = mirror.seq, now_s
        if self._is_at_it or self._seq == mirror.seq:
            return None
        under_way, ends = mirror.is_under_way, mirror.mission.state.is_final
        pause_s = max(_UNDER_WAY_S if under_way else 0.0, _TIMES_OWN_COST * self._cost_s)
        rests = under_way or now_s - self._changed_at >= _REST_S
        has_just_ended = ends and not self._has_end
        if not has_just_ended and (not rests or now_s - self._at < pause_s):
            return None
        self._is_at_it, self._seq, self._has_end = True, mirror.seq, ends
        snapshot, report = mirror.snapshot(), mirror.report()

        def make() -> None:
            from hypernb.views import mission_html

            began = time.monotonic()
            try:
                html = mission_html(snapshot, live=False, result=report)
                self.html = html if len(html) <= _LARGEST else ""
            finally:
                self._at = time.monotonic()
                self._cost_s = self._at - began
                self._is_at_it = False

        return make
