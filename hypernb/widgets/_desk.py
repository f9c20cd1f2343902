"""Where clicks are taken: handed over at once, done in turn by threads of their own."""

from __future__ import annotations

import logging
import queue
import threading
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import HypernbError
from hypernb.session import Mission
from hypernb.widgets._shown import said_by
from hypernb.widgets._turns import QUICK_TURNS
from hypernb.widgets._verbs import DECIDING, OPENING, act

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.session import Session

    Job = Callable[[], object]

END_WITHIN_S: Final = 2.0
LANES_AT_MOST: Final = 16
PATIENCE_S: Final = 1.5
"""So long a click may take before its view is told that it is still being tried."""
_BETWEEN_WORDS_S: Final = 5.0
STILL_TRYING: Final = (
    "Not done yet: the store, or its runner, is busy. It is still being tried; you need not "
    "press again."
)
_DECISIONS: Final = "hypernb decisions"
_ANSWERS: Final = "hypernb answers"
_OUTPUTS: Final = "hypernb outputs"
_SAID: Final = 2_000
_log = logging.getLogger(__name__)


class Lane:
    """Does one thing after the other in a thread that exists while somebody needs it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def put(self, job: Job) -> None:
        """Have something done; returns at once."""
        with self._lock:
            self._jobs.put(job)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, args=(self._jobs,), name=self._name, daemon=True
                )
                self._thread.start()

    def end(self) -> None:
        """Let the thread end when what was put is done; the next `put` starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
            jobs, self._jobs = self._jobs, queue.SimpleQueue()
        jobs.put(None)
        if thread is not None and thread is not threading.current_thread():
            thread.join(END_WITHIN_S)

    def _run(self, jobs: queue.SimpleQueue[Job | None]) -> None:
        while (job := jobs.get()) is not None:
            try:
                job()
            except BaseException:  # noqa: BLE001 - one job must not end the thread of the next
                _log.exception("%s could not do what it was given.", self._name)


class StillTrying:
    """Tells a view now and then that what it asked for is still being tried.

    A store that another program has locked is waited for, for half a minute. Meanwhile nothing
    else may be heard of the kernel, and a view that hears nothing takes it for gone.

    Args:
        question: What was asked.
        say: Takes what the view is told, from another thread.
    """

    def __init__(
        self, question: Mapping[str, Any], say: Callable[[dict[str, Any]], None]
    ) -> None:
        self._pending = {"type": "pending", "id": question["id"], "why": STILL_TRYING}
        self._say = say
        self._done = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="hypernb still trying", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        """Say no more: the answer is there."""
        self._done.set()
        self._thread.join(END_WITHIN_S)

    def _run(self) -> None:
        pause_s = PATIENCE_S
        while not self._done.wait(pause_s):
            self._say(self._pending)
            pause_s = _BETWEEN_WORDS_S


class Desk:
    """Takes clicks from any thread; one for all views of a process.

    Deciding has a lane of its own: pausing does not wait for what is read. So has opening
    outputs, whose own code may take any time, or for ever; and each store, up to a number of
    them: a locked one holds up nobody but who waits for it.
    """

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._users: set[int] = set()
        self._lock = threading.RLock()

    def open(self, user: object) -> None:
        """Note that somebody may put something here."""
        with self._lock:
            self._users.add(id(user))

    def leave(self, user: object) -> None:
        """Note that they are gone, if they were here; the threads end with the last."""
        with self._lock:
            self._users.discard(id(user))
            is_last = not self._users
            lanes = list(self._lanes.values()) if is_last else ()
            if is_last:
                self._lanes = {}
        for lane in lanes:
            lane.end()

    def take(
        self,
        question: Mapping[str, Any],
        about: Mission | Session,
        answer: Callable[[dict[str, Any]], None],
    ) -> None:
        """Have a question answered; returns at once.

        Args:
            question: ``id``, ``verb`` and ``args``, as `hypernb.widgets._asked` gives them.
            about: Which mission, or whose missions.
            answer: Takes the answer, from another thread; before it, where something is
                decided and that takes long, that it is ``pending``.
        """
        verb = str(question["verb"])
        name = _DECISIONS if verb in DECIDING else _OUTPUTS if verb in OPENING else _ANSWERS
        session = about.session if isinstance(about, Mission) else about

        def job() -> None:
            try:
                reply = answered(question, about)
                if trying is not None:
                    trying.end()
                answer(reply)
            finally:
                QUICK_TURNS.end()

        # From here on, for a mission that waits to be approved is not watched for events.
        QUICK_TURNS.begin()
        trying = StillTrying(question, answer) if verb in DECIDING else None
        if not self._put(name, session.store.url, job):
            QUICK_TURNS.end()
            if trying is not None:
                trying.end()

    def later(self, job: Job, store_url: str = "") -> None:
        """Have something done that need not be quick; nothing happens if nobody is in."""
        self._put(_ANSWERS, store_url, job)

    def _put(self, name: str, store_url: str, job: Job) -> bool:
        with self._lock:
            if self._users:
                self._lane(name, store_url).put(job)
            return bool(self._users)

    def _lane(self, name: str, store_url: str) -> Lane:
        mine = (name, store_url)
        if mine not in self._lanes and len(self._lanes) >= LANES_AT_MOST:
            mine = (name, "")  # shared by all the stores that come late
        return self._lanes.setdefault(mine, Lane(name))

    def in_child(self) -> None:
        """Begin anew after a fork, which has none of the threads."""
        self.__init__()  # type: ignore[misc]


def answered(question: Mapping[str, Any], about: Mission | Session) -> dict[str, Any]:
    """Do what a view asks for; what goes wrong is part of the answer."""
    verb, args = str(question["verb"]), question.get("args")
    reply = {"type": "answer", "id": question["id"]}
    try:
        value = act(verb, args, about)
    except BaseException as error:  # noqa: BLE001 - whoever clicked has to be told
        # An output's own code may raise SystemExit, and one in Rust what is no Exception.
        if not isinstance(error, HypernbError):
            _log.exception("A view asked for %r, which went wrong.", verb)
        return {**reply, "ok": False, "error": told(error)}
    return {**reply, "ok": True, "value": value}


def told(error: BaseException) -> dict[str, str]:
    """Write an error as a view shows it: what cannot be, and what to do."""
    if isinstance(error, HypernbError):
        message = str(error.args[0]) if error.args else str(error)
        return {"code": error.code, "message": message[:_SAID], "hint": error.hint[:_SAID]}
    return {
        "code": "unexpected",
        "message": f"That did not work: {said_by(error)}"[:_SAID],
        "hint": "The kernel's log has the whole of it.",
    }


def sentence(error: BaseException) -> str:
    """Write an error in one line: what cannot be, and what to do."""
    facts = told(error)
    return f"{facts['message']} {facts['hint']}".strip()


DESK: Final = Desk()
