"""Runs coroutines in a thread of their own: a notebook has a loop in this one."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, wait
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

T = TypeVar("T")
_LOOK_S: Final = 0.2
_END_S: Final = 5.0


def apart(
    work: Callable[[], Coroutine[Any, Any, T]], look: Callable[[], None] = lambda: None
) -> T:
    """Run a coroutine to its end. An interrupt cancels it, and is raised when it has ended.

    Args:
        work: Makes the coroutine.
        look: Called in this thread now and then, until it has ended.
    """
    with _running(work) as done:
        # Not by joining the thread: one that is interrupted takes it for ended in Python 3.11.
        while not wait([done], _LOOK_S).done:
            look()
    return done.result()


def telling(
    work: Callable[[Callable[[str], None]], Coroutine[Any, Any, T]], tell: Callable[[str], None]
) -> T:
    """Run a coroutine as `apart` does, and tell in this thread what it says, at once."""
    said: SimpleQueue[str | None] = SimpleQueue()
    with _running(lambda: work(said.put)) as done:
        done.add_done_callback(lambda _: said.put(None))
        while (words := said.get()) is not None:
            tell(words)
    return done.result()


@contextmanager
def _running(work: Callable[[], Coroutine[Any, Any, T]]) -> Iterator[Future[T]]:
    done: Future[T] = Future()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a running coroutine has one
        started.set_result((asyncio.get_running_loop(), task))
        return await work()

    def run() -> None:
        try:
            done.set_result(asyncio.run(main()))
        except BaseException as error:  # noqa: BLE001 - handed on to the thread that waits
            done.set_exception(error)

    thread = threading.Thread(target=run, name="hypernb model", daemon=True)
    thread.start()
    try:
        yield done
    except BaseException:
        loop, task = started.result(_END_S)
        if not done.done():
            loop.call_soon_threadsafe(task.cancel)
        thread.join(_END_S)
        raise
