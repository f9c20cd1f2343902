"""The thread that follows a store for all views of it: looks, reads once, tells everybody."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from hypernb.clock import SystemClock
from hypernb.errors import (
    HypernbError,
    StoreCorruptError,
    StoreError,
    UnknownMissionError,
    UntrustedArtifactError,
)
from hypernb.store import database_file
from hypernb.widgets._copies import Copies
from hypernb.widgets._desk import DESK, sentence
from hypernb.widgets._mirror import Mirror
from hypernb.widgets._turns import QUICK_TURNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hypernb.abc import Clock, Store
    from hypernb.model import MissionId
    from hypernb.session import Session
    from hypernb.widgets._line import Line

_EAGER_LOOK_S: Final = 0.005
_LOOK_S: Final = 0.01
_LAZY_LOOK_S: Final = 0.1
_EAGER_FOR_S: Final = 1.0
"""Where something has just happened, something else often follows."""
_BETWEEN_S: Final = 0.02
_AHEAD_S: Final = 0.1
"""jupyter_server drops what comes faster than a thousand messages a second, of all views. So a
mission may have one every 20 ms in the long run; a few at once need not wait for each other."""
_BEAT_S: Final = 5.0
_RUNNER_LOOK_S: Final = 1.0
_RUNNER_STARTS_S: Final = 3.0
"""Whoever has just approved has started a runner too, and it takes a moment to appear."""
_AFTER_FAILURE_S: Final = 1.0
_STEPS_A_ROUND: Final = 8
END_WITHIN_S: Final = 3.0
_FORGOTTEN: Final = "This mission was forgotten: it ended long ago, or somebody has removed it."

_log = logging.getLogger(__name__)


class Tail:
    """Follows one store while any view of it is open.

    Everything that reads the store or decides what views are sent happens in its one thread, so
    none of it needs a lock. Others only put things in: views, and what views say.

    Args:
        session: Whose store; starts runners.
        clock: Where the time comes from.
    """

    def __init__(self, session: Session, clock: Clock | None = None) -> None:
        self._session = session
        self._store: Store = session.store
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._lines: list[Line] = []
        self._said: deque[Callable[[float], object]] = deque()
        self._thread: threading.Thread | None = None
        self._mirrors: dict[MissionId, Mirror] = {}
        self._copies: dict[MissionId, Copies] = {}
        self._stale: set[MissionId] = set()
        self._paid_until: dict[MissionId, float] = {}
        self._changed_at = float("-inf")
        self._beat_at = self._runner_at = self._rest_until = 0.0
        self._is_quick = self._is_looking_for_runner = False
        self._why_not = ""
        self._file = _identity(self._store.url)
        self._pid = os.getpid()

    # -- from any thread ----------------------------------------------------------------

    def attach(self, line: Line) -> None:
        """Tell a view from now on; starts the thread with the first."""
        with self._lock:
            self._lines.append(line)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="hypernb views", daemon=True
                )
                self._thread.start()
        self._wake.set()

    def detach(self, line: Line) -> None:
        """Tell a view no more; waits for the thread's end with the last."""
        if self._pid != os.getpid():
            return  # a fork has neither the thread nor, perhaps, the lock
        with self._lock:
            if line in self._lines:
                self._lines.remove(line)
            thread = None if self._lines else self._thread
        self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(END_WITHIN_S)

    def post(self, line: Line, message: Mapping[str, Any], *, is_urgent: bool = True) -> None:
        """Hand over what a view has said; what is not urgent is read at the next look."""
        self._said.append(lambda now_s: line.channel.hear(message, now_s))
        if is_urgent:
            self._wake.set()

    def turn(self, job: Callable[[], object]) -> None:
        """Have a list show a mission, or itself again: in the thread that sends pictures."""
        self._said.append(lambda _now_s: job())
        self._wake.set()

    def is_of(self, store: Store) -> bool:
        """Tell whether it follows this store, in this process."""
        return self._store is store and self._pid == os.getpid()

    def end(self) -> None:
        """End, with all views; for the end of the process."""
        for line in list(self._lines):
            line.end("The kernel has ended.")

    # -- in the thread ------------------------------------------------------------------

    def _run(self) -> None:
        while lines := self._present():
            self._round(lines)
            self._wake.wait(self._pause_s(lines))
            self._wake.clear()

    def _pause_s(self, lines: tuple[Line, ...]) -> float:
        if not any(line.channel.is_heard for line in lines):
            return _LAZY_LOOK_S
        is_lively = time.monotonic() - self._changed_at < _EAGER_FOR_S
        return _EAGER_LOOK_S if is_lively else _LOOK_S

    def _present(self) -> tuple[Line, ...]:
        with self._lock:
            if not self._lines:
                # Whoever attaches next starts another thread, which begins with nothing.
                self._thread = None
                self._turn_quickly(wanted=False)
                self._mirrors, self._copies, self._stale = {}, {}, set()
                self._is_looking_for_runner = False  # a desk that nobody is at does nothing
                self._paid_until.clear()
                self._said.clear()
            return tuple(self._lines)

    def _round(self, lines: tuple[Line, ...]) -> None:
        now_s = time.monotonic()
        self._hear(now_s)
        if now_s >= self._rest_until:
            self._follow_store(lines, now_s)
        self._beat(lines, now_s)

    def _follow_store(self, lines: tuple[Line, ...], now_s: float) -> None:
        why = ""
        try:
            self._look(lines, now_s)
            self._tell(lines, now_s)
            watched = self._watched(lines)
            # Also before it runs: an approval should not wait for the cell either.
            self._turn_quickly(wanted=any(not each.mission.state.is_final for each in watched))
            self._keep_going(now_s, is_under_way=any(each.is_under_way for each in watched))
        except BaseException as error:  # noqa: BLE001 - what comes later is followed all the same
            # Mostly the store went away, under views that nobody waits for: they say why, and
            # a magic raises the same where a person sees it.
            why = sentence(error)
            self._rest_until = now_s + _AFTER_FAILURE_S
            if not self._why_not:
                # Of what has a sentence, that is enough: a kernel shows its log in a cell.
                whole = not isinstance(error, HypernbError)
                url = self._store.url
                _log.warning("Views of %s are not current: %s", url, why, exc_info=whole)
        if why != self._why_not:
            self._why_not, self._beat_at = why, float("-inf")

    def _beat(self, lines: tuple[Line, ...], now_s: float) -> None:
        """Say that the kernel is there, every few seconds, and whether the store is."""
        if now_s - self._beat_at < _BEAT_S:
            return
        self._beat_at = now_s
        beat = {"type": "beat", "now": self._clock.now().isoformat(), "why": self._why_not}
        for line in lines:
            if line.channel.is_heard:
                line.say(dict(beat))

    def _hear(self, now_s: float) -> None:
        while self._said:
            try:
                self._said.popleft()(now_s)
            except BaseException:  # noqa: BLE001 - what one view says must not stop the others
                _log.exception("What a view has said could not be taken.")

    def _look(self, lines: tuple[Line, ...], now_s: float) -> None:
        followed = _by_mission(lines)
        for gone in self._mirrors.keys() - followed.keys():
            del self._mirrors[gone], self._copies[gone]
        if self._store.changed():
            self._changed_at = now_s
            self._notice_another_file()
            self._stale |= self._mirrors.keys()
            for line in lines:
                if line.channel.listing is not None:
                    line.channel.listing.is_old = True
        for mission, theirs in followed.items():
            with self._only_for(mission, theirs):
                self._follow(mission, theirs, now_s)

    def _notice_another_file(self) -> None:
        """Begin anew if a backup was put in the store's place: its numbers are other ones."""
        file, before = _identity(self._store.url), self._file
        if before is not None and file != before:
            self._mirrors, self._copies, self._stale = {}, {}, set()
        self._file = file

    def _follow(self, mission: MissionId, lines: list[Line], now_s: float) -> None:
        mirror = self._mirrors.get(mission)
        if mirror is None:
            with QUICK_TURNS:
                mirror = Mirror(self._session, self._store, mission, self._clock)
            self._mirrors[mission], self._copies[mission] = mirror, Copies()
        for line in lines:
            if line.channel.mirror is not mirror:
                line.channel.mirror = mirror
                line.channel.begin()
                line.note(mirror.mission, mirror.seq)
        if mission not in self._stale:
            return
        paid_until = self._paid_until.get(mission, 0.0)
        if paid_until - now_s > _AHEAD_S:
            return
        self._paid_until[mission] = max(paid_until, now_s) + _BETWEEN_S
        self._stale.discard(mission)
        self._advance(mirror, lines)

    def _advance(self, mirror: Mirror, lines: list[Line]) -> None:
        for _ in range(_STEPS_A_ROUND):
            step = mirror.advance()
            if step is None:
                return
            for line in lines:
                line.channel.offer(step)
                line.note(mirror.mission, mirror.seq)
            if not step.more:
                return
        self._stale.add(mirror.id)

    @contextmanager
    def _only_for(self, mission: MissionId, lines: Iterable[Line]) -> Iterator[None]:
        """Have what is wrong with one mission end the views of that one only.

        Raises:
            StoreError: Something is wrong with the store, and so with all of them.
        """
        try:
            yield
        except UnknownMissionError:
            self._drop(mission, lines, _FORGOTTEN)
        except (StoreCorruptError, UntrustedArtifactError) as error:
            self._drop(mission, lines, sentence(error))
        except StoreError:
            raise
        except BaseException as error:  # noqa: BLE001 - an agent's output may raise anything
            _log.exception("Mission %s cannot be followed.", mission)
            self._drop(mission, lines, f"This view cannot go on. {sentence(error)}")

    def _drop(self, mission: MissionId, lines: Iterable[Line], why: str) -> None:
        self._mirrors.pop(mission, None)
        self._copies.pop(mission, None)
        for line in lines:
            line.drop(why)

    def _tell(self, lines: tuple[Line, ...], now_s: float) -> None:
        followed = _by_mission(lines)
        for mirror in list(self._mirrors.values()):
            theirs = followed.get(mirror.id, [])
            with self._only_for(mirror.id, theirs):
                if mirror.head_is_due(now_s):
                    mirror.make_head()
                self._copy(mirror, theirs, now_s)
        for line in lines:
            self._read_rows(line, now_s)
            line.pass_on(now_s)
            if line.follows is None:
                line.channel.settle(now_s)
                continue
            with self._only_for(line.follows, [line]):
                line.channel.settle(now_s)

    def _copy(self, mirror: Mirror, lines: Iterable[Line], now_s: float) -> None:
        theirs = [line for line in lines if line.is_kept]
        if not theirs:
            return
        copies = self._copies[mirror.id]
        make = copies.job(mirror, now_s)
        if make is not None:
            DESK.later(make, self._store.url)
        html = copies.html
        for line in theirs:
            if html and line.copied is not html:
                line.copied = html
                line.say({"type": "copy", "html": html})

    def _read_rows(self, line: Line, now_s: float) -> None:
        listing = line.channel.listing
        if listing is not None and listing.is_due(now_s):
            listing.is_old, listing.is_being_read = False, True
            DESK.later(listing.read, self._store.url)

    def _watched(self, lines: Iterable[Line]) -> list[Mirror]:
        heard = {line.follows for line in lines if line.channel.is_heard}
        return [mirror for mission, mirror in self._mirrors.items() if mission in heard]

    def _turn_quickly(self, *, wanted: bool) -> None:
        if wanted and not self._is_quick:
            QUICK_TURNS.begin()
        elif self._is_quick and not wanted:
            QUICK_TURNS.end()
        self._is_quick = wanted

    def _keep_going(self, now_s: float, *, is_under_way: bool) -> None:
        """Have a runner there: who watches a mission under way has asked for it to run."""
        if not is_under_way:
            self._runner_at = now_s + _RUNNER_STARTS_S
        elif now_s >= self._runner_at and not self._is_looking_for_runner:
            self._runner_at = now_s + _RUNNER_LOOK_S
            self._is_looking_for_runner = True
            DESK.later(self._have_runner, self._store.url)

    def _have_runner(self) -> None:
        try:
            with self._lock:
                if not self._lines:
                    return
            self._session.keep_runner()
        except HypernbError as error:
            _log.warning("No runner could be started for %s: %s", self._store.url, error)
        finally:
            self._is_looking_for_runner = False


def _by_mission(lines: Iterable[Line]) -> dict[MissionId, list[Line]]:
    found: dict[MissionId, list[Line]] = {}
    for line in lines:
        if line.follows is not None:
            found.setdefault(line.follows, []).append(line)
    return found


def _identity(store_url: str) -> tuple[int, int] | None:
    path = database_file(store_url)
    try:
        found = None if path is None else path.stat()
    except OSError:  # the store itself says what is wrong with it
        return None
    return None if found is None else (found.st_dev, found.st_ino)


_tails: weakref.WeakValueDictionary[int, Tail] = weakref.WeakValueDictionary()
_tails_lock = threading.RLock()


def tail_of(session: Session) -> Tail:
    """Return the tail of a session's store; one for all its views."""
    store = session.store
    with _tails_lock:
        tail = _tails.get(id(store))
        if tail is None or not tail.is_of(store):
            tail = _tails[id(store)] = Tail(session)
        return tail


def _end_all() -> None:
    for tail in list(_tails.values()):
        tail.end()


# Threads that read a database while the interpreter is taken apart under them would crash it.
atexit.register(_end_all)


def _in_child() -> None:
    global _tails_lock  # noqa: PLW0603 - the one that was inherited may be held for ever
    _tails_lock = threading.RLock()
    _tails.clear()
    DESK.in_child()
    QUICK_TURNS.in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
