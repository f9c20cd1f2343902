"""What a running job has asked of the runner, and is not answered yet."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import orjson

from hypernb.engine._requests import (
    OPEN_AT_MOST,
    OVER,
    REQUEST_BYTES,
    Reply,
    Request,
    RequestKind,
    asked_too_much,
    body_of,
    raised_from,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from hypernb.engine._requests import OnRequest


def written(reply: Reply) -> bytes:
    """Return an answer as JSON; an error if it holds what JSON cannot."""
    try:
        if reply.error is None:
            return orjson.dumps({"payload": reply.payload})
        return orjson.dumps({"error": reply.error})
    except TypeError as error:
        refusal = asked_too_much(f"its answer cannot be written as JSON ({error})")
        return orjson.dumps({"error": refusal.error})


class Asked:
    """The open requests of one job that runs in another process.

    Args:
        on_request: Answers; None if nobody does.
        tell: Sends an answer, by the number of what was asked.
    """

    def __init__(
        self, on_request: OnRequest | None, tell: Callable[[Any, Reply], None]
    ) -> None:
        self._on_request = on_request
        self._tell = tell
        self._open: set[asyncio.Task[None]] = set()

    def take(self, number: Any, what: Any, body: bytes) -> None:
        """Have a request answered; whatever is wrong with it is the answer."""
        if (refusal := self._refusal(body)) is not None:
            self._tell(number, refusal)
            return
        try:
            payload = orjson.loads(body)
            request = Request(RequestKind(what), {**payload})
        except (ValueError, TypeError) as error:
            self._tell(
                number, asked_too_much(f"it does not understand what was asked ({error})")
            )
            return
        # Tasks of the loop's own: a group would wait for them when the job has ended.
        task = asyncio.get_running_loop().create_task(
            self._answer(number, request), name=f"answer {what}"
        )
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    def _refusal(self, body: bytes) -> Reply | None:
        if self._on_request is None:
            return asked_too_much("nobody answers here")
        if len(body) > REQUEST_BYTES:
            return asked_too_much(f"{len(body):,} bytes are more than {REQUEST_BYTES:,}")
        if len(self._open) >= OPEN_AT_MOST:
            return asked_too_much(f"{OPEN_AT_MOST} requests of the task wait already")
        return None

    async def _answer(self, number: Any, request: Request) -> None:
        assert self._on_request is not None  # noqa: S101 - narrows the type
        self._tell(number, await self._on_request(request))

    def close(self) -> None:
        """Answer nothing more."""
        for task in self._open:
            task.cancel()


class Asking:
    """The same for a job in a thread of this process: its own end of it, too.

    Args:
        on_request: Answers in the loop; None if nobody does.
    """

    def __init__(self, on_request: OnRequest | None, loop: asyncio.AbstractEventLoop) -> None:
        self._on_request = on_request
        self._loop = loop
        self._open: set[Future[Reply]] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def ask(self, request: Request) -> Reply:
        """Ask and wait for the answer; in any thread but the loop's.

        Raises:
            HypernbError: The job is over, or what is asked is no JSON.
        """
        if self._on_request is None:
            return asked_too_much("nobody answers here")
        if len(body_of(request)) > REQUEST_BYTES:
            return asked_too_much(f"more than {REQUEST_BYTES:,} bytes were asked")
        with self._lock:
            if self._is_closed:
                raise raised_from(OVER)
            if len(self._open) >= OPEN_AT_MOST:
                return asked_too_much(f"{OPEN_AT_MOST} requests of the task wait already")
            future = asyncio.run_coroutine_threadsafe(self._answer(request), self._loop)
            self._open.add(future)
        try:
            return future.result()
        except CancelledError:
            raise raised_from(OVER) from None
        finally:
            with self._lock:
                self._open.discard(future)

    async def _answer(self, request: Request) -> Reply:
        assert self._on_request is not None  # noqa: S101 - narrows the type
        return await self._on_request(request)

    def close(self) -> None:
        """Have all that is asked raise, now and later."""
        with self._lock:
            self._is_closed = True
            still_open = list(self._open)
        for future in still_open:
            future.cancel()
