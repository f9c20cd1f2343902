"""One view's line: what it has been sent, what it has seen, and what it is sent next."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.widgets._listing import Listing
    from hypernb.widgets._mirror import Mirror, Step

WINDOW: Final = 32
"""So many messages may be on their way; a tab that does not acknowledge them gets no more.
A view acknowledges half as many at once."""
WIDE_WINDOW: Final = 2_000
"""As long as what a view says waits for the cell that runs, its silence tells nothing."""
_FIRST_PROBE_S: Final = 5.0
_LAST_PROBE_S: Final = 60.0
_TOO_FAR: Final = 50_000
"""Who is so many events behind begins again with a picture."""
_STEPS_A_ROUND: Final = 4


class Channel:
    """Decides what a view is sent; used by the tail's thread only.

    A view has seen everything up to `cursor`, or is about to. Who falls behind, because it does
    not acknowledge, goes on from the store by ``seq``: nothing is kept for it meanwhile.

    Args:
        send: Puts a message on the wire.
        clicks: Says whether clicks reach the kernel at once.

    Attributes:
        opened: Short id of the mission that is open in a list; empty if none is.
        is_heard: Whether the view has said anything yet.
        window: How many messages may be on their way.
    """

    def __init__(
        self, send: Callable[[dict[str, Any]], None], clicks: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._send = send
        self._clicks = clicks
        self.mirror: Mirror | None = None
        self.listing: Listing | None = None
        self.opened = ""
        self.is_heard = False
        self.window = WIDE_WINDOW
        self.cursor = 0
        self._n = 0
        self._acked = 0
        self._sent: deque[tuple[int, int]] = deque()
        self._wants_picture = True
        self._wants_rows = self._wants_opened = True
        self._why = ""
        self._behind = False
        self._head_version = -1
        self._rows_version = -1
        self._probe_s = _FIRST_PROBE_S
        self._heard_at = self._had_all_at = 0.0

    @property
    def has_room(self) -> bool:
        """Whether another message may be on its way."""
        return len(self._sent) < self.window

    # -- what the view says -------------------------------------------------------------

    def hear(self, message: Mapping[str, Any], now_s: float) -> None:
        """Take a message of the view's."""
        self._heard_at, self._probe_s = now_s, _FIRST_PROBE_S
        match message.get("type"):
            case "hello":
                self.is_heard = self._wants_opened = self._wants_rows = True
                self.begin()
            case "sync":
                self.is_heard = True
                self._go_back(message.get("after"), message.get("mission", ""))
            case "ack":
                self._acknowledge(message.get("n"))

    def begin(self) -> None:
        """Begin again with a picture."""
        self._wants_picture = True
        self._sent.clear()

    def turn(self, opened: str, why: str = "") -> None:
        """Have a list show a mission, or only itself; tells all its views which it is now."""
        self.mirror, self.opened, self._why = None, opened, why
        self.begin()
        self._tell_opened()

    def _tell_opened(self) -> None:
        self._wants_opened = False
        if self.listing is not None and self.is_heard:
            mission, why = self.opened or None, self._why
            self._send({"type": "opened", "mission": mission, "why": why})

    def _go_back(self, after: object, mission: object) -> None:
        seq = self.mirror.seq if self.mirror is not None else -1
        if mission and self.mirror is not None and mission != self.mirror.id:
            seq = -1
        # A number that is none of ours comes from a view of another kernel or store.
        if type(after) is not int or not max(0, seq - _TOO_FAR) <= after <= seq:
            self._wants_rows = True
            self.begin()
            return
        self._sent.clear()
        self.cursor = self._acked = after
        self._behind, self._head_version = True, -1

    def _acknowledge(self, n: object) -> None:
        if not isinstance(n, int):
            return
        while self._sent and self._sent[0][0] <= n:
            self._acked = self._sent.popleft()[1]

    # -- what it is sent ----------------------------------------------------------------

    def offer(self, step: Step) -> None:
        """Send what has just changed, if the view is ready for it."""
        if not self.is_heard or self._wants_picture:
            return
        if self._behind or not self.has_room or step.from_seq > self.cursor:
            self._behind = True
            return
        self._send_step(step)

    def settle(self, now_s: float) -> None:
        """Send what is still owed: a picture, what was missed, a head, the rows of a list."""
        if not self.is_heard:
            return
        self._probe(now_s)
        if self._wants_opened:
            self._tell_opened()
        # One view of a list may have opened a mission while another shows the list.
        self._settle_rows()
        if self.mirror is None:
            return
        if self._wants_picture:
            self._send_picture(self.mirror)
        elif self._behind:
            self._catch_up(self.mirror)
        if self._head_is_owed(self.mirror):
            self._head_version = self.mirror.head_version
            self._number(self.mirror.head_batch(), self.cursor)

    def say(self, message: dict[str, Any]) -> None:
        """Send what needs no acknowledgement."""
        self._send(message)

    def _head_is_owed(self, mirror: Mirror) -> bool:
        return not self._behind and self.has_room and self._head_version != mirror.head_version

    def _send_picture(self, mirror: Mirror) -> None:
        self._wants_picture = self._behind = False
        self._sent.clear()
        self.cursor = self._acked = mirror.seq
        self._head_version = mirror.head_version
        self._number({**mirror.picture(), "clicks": dict(self._clicks())}, self.cursor)

    def _catch_up(self, mirror: Mirror) -> None:
        if mirror.seq - self.cursor > _TOO_FAR:
            self._send_picture(mirror)
            return
        # A few at a time: other views wait too.
        for _ in range(_STEPS_A_ROUND):
            if not (self._behind and self.has_room):
                return
            step = mirror.page(self.cursor)
            self._behind = step.more
            self._send_step(step)

    def _send_step(self, step: Step) -> None:
        self.cursor = max(self.cursor, step.seq)
        if "head" in step.body and self.mirror is not None:
            self._head_version = self.mirror.head_version
        self._number(step.body, self.cursor)

    def _settle_rows(self) -> None:
        listing = self.listing
        if listing is None or not listing.message or not self.has_room:
            return
        if self._wants_rows or self._rows_version != listing.version:
            self._wants_rows, self._rows_version = False, listing.version
            self._number(listing.message, self.cursor)

    def _number(self, message: dict[str, Any], seq: int) -> None:
        self._n += 1
        self._sent.append((self._n, seq))
        self._send({**message, "n": self._n})

    def _probe(self, now_s: float) -> None:
        """Go back to what was acknowledged, after a silence that gets longer each time.

        The last messages may have been lost on their way, and then nothing would show a gap.
        Taking them twice does no harm.
        """
        if not self._sent:
            self._had_all_at = now_s
        # Before there was anything to acknowledge, its silence said nothing.
        if now_s - max(self._heard_at, self._had_all_at) < self._probe_s:
            return
        self._heard_at, self._probe_s = now_s, min(2 * self._probe_s, _LAST_PROBE_S)
        self._sent.clear()
        self._wants_rows = True
        if self.mirror is not None:
            self._behind, self._head_version = True, -1
            self.cursor = self._acked
