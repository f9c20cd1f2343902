"""What ties one widget to the store: its channel, the tail that feeds it, and the desk."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UsageError
from hypernb.session import Mission, Session
from hypernb.session.front_end import greetings
from hypernb.widgets._asked import require_sane, taken
from hypernb.widgets._channel import WINDOW, Channel
from hypernb.widgets._clicks import click_facts
from hypernb.widgets._desk import DESK, told
from hypernb.widgets._tail import tail_of
from hypernb.widgets._verbs import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.model import MissionId, MissionRecord
    from hypernb.widgets._listing import Listing
    from hypernb.widgets._widget import HyperWidget

_BETWEEN_NOTES_S: Final = 0.1

_log = logging.getLogger(__name__)


class Line:
    """Lives as long as its widget is open; does not keep it alive.

    Args:
        widget: Whose line it is.
        about: The mission that it shows, or the session whose missions it lists.
        listing: The rows of a list.

    Attributes:
        copied: The copy for the notebook that it was sent last.
        follows: Id of the mission that is shown now; of a list, the one that is open in it.
    """

    def __init__(
        self, widget: HyperWidget, about: Mission | Session, listing: Listing | None = None
    ) -> None:
        self._widget = weakref.ref(widget)
        self._about = about
        self.session = about.session if isinstance(about, Mission) else about
        self.store_url = self.session.store.url
        self.follows: MissionId | None = None
        if isinstance(about, Mission):
            self.follows = about.record.id
        self.channel = Channel(self.say, self._clicks)
        self.channel.listing = listing
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._is_open = False
        self._ended = ""
        self._tail = tail_of(self.session)
        self.copied = ""
        self._noted: tuple[str, int] | None = None
        self._pass_on_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the widget is told what happens."""
        return self._is_open

    @property
    def is_kept(self) -> bool:
        """Whether a notebook may want a copy: of a view of one mission, that is shown."""
        return self.channel.listing is None and self.channel.is_heard

    def begin(self) -> None:
        """Open it: from now on the widget is told what happens."""
        self._is_open = True
        DESK.open(self)
        self.session.tell_of_closing(self)
        self._tail.attach(self)

    # -- what the view says -------------------------------------------------------------

    def hear(self, message: object) -> None:
        """Take what the view has said, in whichever thread it arrives; returns at once."""
        if threading.current_thread() is not threading.main_thread():
            self.channel.window = WINDOW  # by a subshell: it arrives whatever the kernel does
        said = taken(message)
        if said is None:
            return
        if said["type"] == "hello":
            self.copied = ""  # the page may be another one
            self._greet(said["front_end"] or "a front end")
        if said["type"] != "ask":
            if not self._ended:
                # Nothing waits for an acknowledgement that the next look would not find.
                self._tail.post(self, said, is_urgent=said["type"] != "ack")
            elif said["type"] == "hello":
                self.say({"type": "closed", "reason": self._ended})
        elif self._ended:
            self._refuse(said, UsageError(self._ended, hint=self._again))
        elif said["verb"] == "open":
            self._open(said)
        else:
            DESK.take(said, self._about, self.say)

    @property
    def _again(self) -> str:
        if not isinstance(self._about, Mission):
            return "Run the cell again."
        return f"%hyper attach {self._about.id} shows the mission anew."

    def _greet(self, front_end: str) -> None:
        widget = self._widget()
        if widget is not None:
            widget.front_end = front_end
            widget.greetings += 1
        clicks = self._clicks()
        greetings.heard(front_end, late_clicks="" if clicks["at_once"] else clicks["why"])

    def _open(self, question: Mapping[str, Any]) -> None:
        DESK.later(lambda: self._turn_to(question), self.store_url)

    def _turn_to(self, question: Mapping[str, Any]) -> None:
        try:
            mission = self._wanted(question)
        except BaseException as error:  # noqa: BLE001 - whoever clicked has to be told
            self._refuse(question, error)
            return
        record = None if mission is None else mission.record
        self._tail.turn(lambda: self._turned(question, record))

    def _wanted(self, question: Mapping[str, Any]) -> Mission | None:
        if self.channel.listing is None:
            raise UsageError("This view shows one mission.", hint="History() shows all.")
        wanted = require_sane(question["args"]).get("mission")
        return None if wanted is None else named(self.session, wanted, "open")

    def _turned(self, question: Mapping[str, Any], record: MissionRecord | None) -> None:
        # Answered only now, so that whoever asked knows that it is open when it is answered.
        self.turn(record)
        self.say({"type": "answer", "id": question["id"], "ok": True, "value": {}})

    def turn(self, record: MissionRecord | None, why: str = "") -> None:
        """Show another mission, or the list again; in the tail's thread."""
        self.follows = None if record is None else record.id
        self.channel.turn("" if record is None else record.short_id, why)

    def drop(self, why: str) -> None:
        """Show a mission no more that cannot be shown; a list goes on without it."""
        if self.channel.listing is None:
            self.end(why)
        else:
            self.turn(None, why)

    def _refuse(self, question: Mapping[str, Any], error: BaseException) -> None:
        reply = {"type": "answer", "id": question["id"], "ok": False}
        self.say({**reply, "error": told(error)})

    # -- what the view is told ----------------------------------------------------------

    def say(self, message: dict[str, Any]) -> None:
        """Put a message on the wire, from any thread."""
        widget = self._widget()
        if widget is None:
            self.end()
            return
        try:
            widget.send(message)
        except Exception:  # noqa: BLE001 - sockets that close raise whatever they do
            # A kernel's sockets close before its threads end; nobody is there to be told.
            _log.debug("A view could not be told anything.", exc_info=True)
            self._ended = self._ended or "The view can no longer be reached."
            self.end()

    def note(self, mission: MissionRecord, seq: int) -> None:
        """Keep what those who observe the widget are to know."""
        with self._lock:
            self._noted = (mission.state.value, seq)

    def pass_on(self, now_s: float) -> None:
        """Let them know, now and then; not in the tail's thread, where they block.

        Another thread for each commit would take turns from those that tell of it.
        """
        if self._noted is not None and now_s >= self._pass_on_at:
            self._pass_on_at = now_s + _BETWEEN_NOTES_S
            DESK.later(self._pass_on, self.store_url)

    def _pass_on(self) -> None:
        with self._lock:
            noted, self._noted = self._noted, None
        widget = self._widget()
        if widget is None or noted is None:
            return
        try:
            widget.state = noted[0]
        finally:
            # An observer of one may raise; those of the other are told all the same.
            widget.seq = noted[1]

    def _clicks(self) -> Mapping[str, Any]:
        widget = self._widget()
        return click_facts(None if widget is None else widget.comm)

    # -- the end ------------------------------------------------------------------------

    def session_closed(self) -> None:
        """End, because there is no store to follow any more."""
        self.end("The session was closed.")

    def end(self, reason: str = "") -> None:
        """End it, telling the view why; nothing happens the second time."""
        if self._pid != os.getpid():
            return
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
            self._ended = self._ended or reason or "The view was closed."
        try:
            self._tail.detach(self)
        finally:
            # An interrupt may come while the thread is waited for.
            DESK.leave(self)
        if reason:
            self.say({"type": "closed", "reason": reason})
