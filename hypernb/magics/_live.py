"""The view in a cell: live while the mission runs, frozen when it has ended.

A live view is a widget where somebody's front end shows it; HTML that is updated in place where
none does, and text in a terminal. Its output always ends as HTML that needs nothing else.
"""

from __future__ import annotations

import contextvars
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import (
    HypernbError,
    StoreCorruptError,
    UnknownMissionError,
    UntrustedArtifactError,
)
from hypernb.model import MissionState
from hypernb.session.front_end import ANSWER_WITHIN_S, Rung, greetings, retries

if TYPE_CHECKING:
    from datetime import datetime

    from hypernb.model import MissionRecord
    from hypernb.session import Mission

    Key = tuple[str, str]

# Twice a second is often enough to see what happens, and far below the 1,000 messages a second
# above which jupyter_server drops them.
LEAST_BETWEEN_S: Final = 0.5
# A view of many thousand tasks takes longer to draw; it may take a tenth of the time at most.
TIMES_OWN_COST: Final = 10
REFRESH_S: Final = 5.0
END_FOLLOWING_S: Final = 5.0
AFTER_FAILURE_S: Final = 1.0

# Ids of displays live in the front end and survive the kernel, so they name the process too.
_PROCESS: Final = f"{os.getpid():x}-{time.time_ns():x}"

_log = logging.getLogger(__name__)
# By store and mission: a copy of a store has missions of the same ids.
_following: dict[Key, LiveView] = {}
_widgets: dict[Key, _Widget] = {}
# What the cells show of a mission: a widget's model, or HTML.
_showing: dict[Key, str] = {}
_rungs: dict[Key, Rung] = {}
_displays: dict[Key, str] = {}
_HTML: Final = "html"
# Held while it is decided who follows a mission: a retry may come while a view lets go of it.
_lock = threading.RLock()


def _key(mission: Mission) -> Key:
    return mission.session.store.url, mission.record.id


class _Widget:
    """A mission's widget, and how long somebody may take to answer it."""

    def __init__(self, mission: Mission) -> None:
        from hypernb.widgets import MissionView

        self._view: Any = MissionView(mission)
        self._answer_by = time.monotonic() + ANSWER_WITHIN_S

    @property
    def model_id(self) -> str:
        return str(self._view.own_id)

    @property
    def bundle(self) -> dict[str, Any]:
        """What shows it in a cell, without the text."""
        from hypernb.widgets import HyperWidget

        # Not the view's own, which has a page beside it as the one that is drawn here.
        shown: Any = HyperWidget._repr_mimebundle_(self._view)
        data = shown[0] if isinstance(shown, tuple) else shown
        return {kind: value for kind, value in data.items() if kind != "text/plain"}

    @property
    def is_open(self) -> bool:
        """Whether it is still live; a session that is closed ends it, and so may anybody."""
        return bool(self._view.is_open)

    @property
    def is_ignored(self) -> bool:
        """Whether nobody has answered in time."""
        return self._view.front_end is None and time.monotonic() > self._answer_by

    def close(self) -> None:
        self._view.close()

    def retire(self) -> None:
        """Close it where its output was replaced; a page that was opened anew kept the widget.

        Ids of displays are not saved with a notebook, so such a page cannot be told what to
        show instead, and a closed widget would leave nothing there.
        """
        if self._view.greetings <= 1:
            self.close()


class LiveView:
    """A mission in the cells of this kernel.

    All cells that show a mission share one display, so that one update reaches all of them and
    none stays behind.

    Args:
        mission: What to show.
        rung: How: as a widget, until nobody has answered it in time; as HTML that can be
            replaced; or as text, which is shown once, at the start and at the end.
        lasts: A mission that has ended is shown live as well, until it has gone on and ended
            once more.
        briefly: As text, its state and what comes next are enough at the start: the reader has
            just seen all of it.
    """

    def __init__(
        self, mission: Mission, *, rung: Rung, lasts: bool = False, briefly: bool = False
    ) -> None:
        self._mission = mission
        self._rung = rung
        self._lasts = lasts
        self._briefly = briefly
        self._ended_at: datetime | None = None
        self._key = _key(mission)
        with _lock:
            own = f"hypernb-{_PROCESS}-{len(_displays)}-{mission.record.id}"
            self._display = {"display_id": _displays.setdefault(self._key, own)}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_told = False
        self._drawn: dict[str, Any] = {}
        self._drawn_at = 0.0
        self._drawn_in_s = 0.0
        self._seq = 0
        self._plan_hash = ""
        self._ages = False
        self._is_frozen = False

    def show(self) -> None:
        """Show the mission as it is now; from then on, it is this view that may follow it."""
        from IPython.display import publish_display_data

        if not self._is_rich:
            drawn = self._draw()
            publish_display_data(self._brief() if self._briefly else drawn)
            if not self._briefly:
                self._mission.saw(self._plan_hash)
            return
        self._take_over()
        drawn = self._draw()
        # Later pictures replace this one, and nobody may look at them.
        self._mission.saw(self._plan_hash)
        publish_display_data(drawn, transient=self._display)
        if _showing.setdefault(self._key, self._shows) != self._shows:
            # Other cells show another model, or how the mission had ended before its retry.
            publish_display_data(drawn, transient=self._display, update=True)
        _showing[self._key], _rungs[self._key] = self._shows, self._rung
        if self._rung is Rung.HTML:
            self._retire_widget()

    def follow(self) -> None:
        """Keep the view current from a background thread, until the mission has ended.

        Nothing happens if no cell shows it, or if another view has taken it over.
        """
        if self._key not in _showing:
            self.end()
            return
        if self._let_go_if_over():
            return
        with _lock:
            if not self._is_in_charge or self._thread is not None:
                return
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
            MissionWaitsError: The mission stands still until a person gives it money or a key.
        """
        try:
            self._mission.wait(timeout, on_change=self._look, until_asked=True)
        finally:
            try:
                self._update()
            finally:
                self.follow()

    def end(self) -> None:
        """End the following; the view stays as it is."""
        self._stop.set()
        with _lock:
            if self._is_in_charge:
                del _following[self._key]
        if self._thread is not None:
            self._thread.join(END_FOLLOWING_S)

    def revive(self) -> None:
        """Show in all cells, which say how it had ended, that it goes on; and follow it."""
        try:
            self._update()
        finally:
            self.follow()

    @property
    def lasts(self) -> bool:
        """Whether it shows live how a mission has ended."""
        return self._lasts

    @property
    def shown_end(self) -> datetime | None:
        """When the mission had ended that it shows live; None if it has not looked yet."""
        return self._ended_at

    @property
    def _is_rich(self) -> bool:
        return self._rung is not Rung.TEXT

    @property
    def _shows(self) -> str:
        if self._rung is Rung.WIDGET and not self._is_frozen:
            return _widgets[self._key].model_id
        return _HTML

    @property
    def _is_in_charge(self) -> bool:
        return _following.get(self._key) is self

    def _take_over(self) -> None:
        with _lock:
            previous, _following[self._key] = _following.get(self._key), self
            if previous is not None and previous.lasts:
                self._lasts, self._ended_at = True, previous.shown_end
        if previous is not None:
            previous.end()

    def _run(self) -> None:
        try:
            while self._follows():
                pass
        except Exception:  # noqa: BLE001 - nobody waits for this thread: the view stays as it was
            _log.warning("The view of %s is no longer live.", self._mission.id, exc_info=True)
        finally:
            with _lock:
                if self._is_in_charge:
                    del _following[self._key]

    def _follows(self) -> bool:
        """Follow the mission; tell whether there is more to follow, now or after a rest."""
        try:
            return self._goes_on()
        except (UnknownMissionError, StoreCorruptError, UntrustedArtifactError):
            raise
        except HypernbError as error:
            # Mostly the store is away, for a while. A line is enough: a kernel shows its log in
            # the cell.
            if not self._is_told:
                _log.warning("The view of %s is late: %s", self._mission.id, error)
            self._is_told = True
            return not self._stop.wait(AFTER_FAILURE_S)

    def _goes_on(self) -> bool:
        """Follow the mission to its end; tell whether there is more to follow."""
        mission, stop = self._mission, self._stop
        if self._is_frozen:
            # A retry came while the cells were told how it had ended.
            self._update()
        if self._lasts and not mission.wait_for_retry(
            ended_at=self._ended_at, on_change=self._look, stop=stop
        ):
            return False
        mission.watch(on_change=self._look, stop=stop)
        if stop.is_set():
            return False
        self._update()
        return not self._let_go_if_over()

    def _let_go_if_over(self) -> bool:
        """Follow no longer what has ended and is shown as HTML; tell whether that is so."""
        with _lock:
            if not self._is_in_charge:
                return True
            if not (self._is_frozen and self._mission.is_over):
                return False
            # Under the lock, so that a retry from now on finds nobody who follows.
            del _following[self._key]
            widget = _widgets.pop(self._key, None)
        if widget is not None:
            widget.retire()
        return True

    def _look(self) -> None:
        if not self._is_in_charge:
            return
        if self._lasts:
            self._last_until_it_goes_on(self._mission.record)
        elif self._is_frozen and not self._mission.record.state.is_final:
            # That retry waited for a runner when it was looked for.
            self._update()
        if self._rung is Rung.WIDGET:
            self._listen()
        elif self._rung is Rung.HTML:
            self._refresh()

    def _last_until_it_goes_on(self, record: MissionRecord) -> None:
        self._ended_at = self._ended_at or record.finished_at
        # It may go on and end once more between two looks.
        if not record.state.is_final or record.finished_at != self._ended_at:
            self._lasts = False

    def _listen(self) -> None:
        """Show HTML in the widget's place if nobody shows the widget."""
        widget = _widgets.get(self._key)
        if widget is not None and widget.is_ignored:
            greetings.unanswered()
            self._rung = Rung.HTML
            self._update()
            self._retire_widget()

    def _retire_widget(self) -> None:
        with _lock:
            widget = _widgets.pop(self._key, None) if self._is_in_charge else None
        if widget is not None:
            widget.retire()

    def _refresh(self) -> None:
        since = time.monotonic() - self._drawn_at
        is_old = self._mission.session.store.last_seq() != self._seq
        pause = max(LEAST_BETWEEN_S, TIMES_OWN_COST * self._drawn_in_s)
        if (is_old and since >= pause) or (self._ages and since >= max(REFRESH_S, pause)):
            self._update()

    def _update(self) -> None:
        from IPython.display import publish_display_data

        if self._is_rich and not self._is_in_charge:
            return
        before, was_over = self._drawn, self._is_frozen
        drawn = self._draw()
        if not self._is_rich:
            if not was_over:  # text stays where it is, and says how it has ended
                publish_display_data(drawn)
            return
        # A widget keeps itself current; showing it anew would put its tabs back.
        is_new = self._shows != _showing.get(self._key)
        if is_new or (self._shows == _HTML and drawn != before):
            publish_display_data(drawn, transient=self._display, update=True)
        _showing[self._key], _rungs[self._key] = self._shows, self._rung

    def _own_widget(self) -> _Widget:
        """Return the widget that the cells show, or another one if that is no longer live."""
        with _lock:
            widget = _widgets.get(self._key)
        if widget is not None and widget.is_open:
            return widget
        made = _widgets[self._key] = _Widget(self._mission)
        if widget is not None:
            widget.close()
        return made

    def _brief(self) -> dict[str, Any]:
        from hypernb.views import brief_text

        return {"text/plain": brief_text(self._mission.snapshot())}

    def _draw(self) -> dict[str, Any]:
        from hypernb.views import mission_html, mission_text

        began = time.monotonic()
        snapshot = self._mission.snapshot()
        state = snapshot.mission.state
        report = self._mission.report() if state.is_final else None
        outlook = self._mission.outlook(snapshot.plan)
        bundle: dict[str, Any] = {
            "text/plain": mission_text(snapshot, result=report, outlook=outlook)
        }
        if self._lasts:
            self._last_until_it_goes_on(snapshot.mission)
        # What is to be tried again has not ended, although its runner may not know it yet.
        self._is_frozen = state.is_final and not self._lasts and self._mission.is_over
        is_widget = self._rung is Rung.WIDGET and not self._is_frozen
        if self._is_rich:
            # Beside a widget it is what those see who cannot run it, and so it has no promise
            # of being live.
            live = not state.is_final and not is_widget
            bundle["text/html"] = mission_html(
                snapshot, live=live, result=report, outlook=outlook
            )
        if is_widget:
            bundle |= self._own_widget().bundle
        self._seq, self._plan_hash = snapshot.seq, snapshot.mission.plan_hash
        # What was approved waits for a runner, which may be late.
        self._ages = state is MissionState.RUNNING or (
            state is MissionState.AWAITING_APPROVAL and bool(snapshot.approvals)
        )
        self._drawn = bundle
        self._drawn_at = time.monotonic()
        self._drawn_in_s = self._drawn_at - began
        return bundle


def show_live(mission: Mission) -> None:
    """Show a mission that stands at the end of a cell, live where that is possible.

    Raises:
        NotImplementedError: A line or a text is enough; IPython then asks for that.
    """
    from hypernb.here import current_shell
    from hypernb.session.front_end import choose, is_headless, look_around

    shell = current_shell()
    footing = choose(look_around(shell))
    if mission.is_shown or footing.rung is Rung.TEXT or is_headless(shell):
        raise NotImplementedError
    view = LiveView(mission, rung=footing.rung)
    try:
        view.show()
    finally:
        view.follow()


def _revive(mission: Mission) -> None:
    """Let the cells go on that show how a mission had ended before its retry."""
    key = _key(mission)
    with _lock:
        rung = _rungs.get(key)
        if rung is None or key in _following:
            return
        view = _following[key] = LiveView(mission, rung=rung)
    view.revive()


retries.tell_to(_revive)


def _in_child() -> None:
    global _lock  # noqa: PLW0603 - the one that was inherited may be held for ever
    _lock = threading.RLock()
    # What cells show is its parent's, and so are the threads.
    _following.clear()
    _widgets.clear()
    _showing.clear()
    _rungs.clear()
    _displays.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
