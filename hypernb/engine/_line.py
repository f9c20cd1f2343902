"""The socket of a worker: jobs come in by it, and answers to what a job has asked."""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from hypernb.engine._frames import Unpacker
from hypernb.engine._requests import (
    OVER,
    REQUEST_BYTES,
    Reply,
    asked_too_much,
    body_of,
    raised_from,
)
from hypernb.errors import HypernbError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from hypernb.engine._frames import Frame
    from hypernb.engine._requests import Request

Got = TypeVar("Got")
_CHUNK: Final = 262_144


class Line:
    """Reads the socket for whoever waits: for the next job, or for an answer.

    One of those who wait reads, and hands the others what is theirs; so a job that asks
    nothing costs no thread, and one that asks from twenty threads needs no other.

    Args:
        send: Sends a frame; may be called in any thread.
    """

    def __init__(
        self, connection: socket.socket, send: Callable[[dict[str, Any], bytes], None]
    ) -> None:
        self._socket = connection
        self._send = send
        self._pid = os.getpid()
        self._unpacker = Unpacker()
        self._frames: deque[Frame] = deque()
        self._answers: dict[int, Reply] = {}
        self._asked: set[int] = set()
        self._numbers = itertools.count(1)
        self._turn = threading.Condition()
        self._is_reading = False
        self._is_closed = False
        self._job = ""

    def next(self) -> Frame | None:
        """Return the next frame that is no answer; None when the runner has gone."""
        return self._until(self._a_frame)

    def _a_frame(self) -> Frame | None:
        return self._frames.popleft() if self._frames else None

    def ask(self, key: str, request: Request) -> Reply:
        """Ask the runner on behalf of a job, and wait for its answer.

        Raises:
            HypernbError: The job is over, the runner has gone, or what is asked is no JSON.
        """
        if os.getpid() != self._pid:
            raise HypernbError(
                "A process that a task has started cannot ask the runner.",
                hint="Ask in the task itself.",
            )
        body = body_of(request)
        if len(body) > REQUEST_BYTES:
            return asked_too_much(f"{len(body):,} bytes are more than {REQUEST_BYTES:,}")
        number = next(self._numbers)
        with self._turn:
            if key != self._job:
                raise raised_from(OVER)
            self._asked.add(number)
        head = {"kind": "ask", "key": key, "id": number, "what": request.kind.value}
        self._send(head, body)
        try:
            reply = self._until(lambda: self._answers.get(number))
        finally:
            with self._turn:
                self._asked.discard(number)
                self._answers.pop(number, None)
        if reply is None:
            raise HypernbError("The runner has ended before it answered.")
        return reply

    def begin(self, key: str) -> None:
        """Let a job ask."""
        self._job = key

    def end(self) -> None:
        """Let it ask no more, and tell those who still wait that it is over."""
        with self._turn:
            self._job = ""
            self._answers |= dict.fromkeys(self._asked, Reply(error=OVER))
            self._turn.notify_all()

    def _until(self, found: Callable[[], Got | None]) -> Got | None:
        with self._turn:
            while (it := found()) is None and not self._is_closed:
                if self._is_reading:
                    self._turn.wait()
                else:
                    self._read()
            return it

    def _read(self) -> None:
        """Read once, with everybody else free to look at what is there."""
        self._is_reading = True
        self._turn.release()
        data = b""
        try:
            data = self._socket.recv(_CHUNK)
        except ConnectionError:
            pass
        finally:
            self._turn.acquire()
            self._is_reading = False
            self._turn.notify_all()
        self._is_closed = not data
        for head, body in self._unpacker.feed(data):
            if head["kind"] == "answer":
                self._answered(head["id"], body)
            else:
                self._frames.append((head, body))

    def _answered(self, number: int, body: bytes) -> None:
        if number in self._asked:  # or it gave up waiting
            told = orjson.loads(body)
            self._answers.setdefault(number, Reply(told.get("payload"), told.get("error")))
