"""Work with a model that is told of while it goes on, and can be interrupted."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from hypernb.session._models import telling

if TYPE_CHECKING:
    from collections.abc import Callable


def test_words_are_told_in_this_thread_and_in_order() -> None:
    told: list[tuple[str, threading.Thread]] = []

    async def work(say: Callable[[str], None]) -> int:
        say("one")
        say("two")
        return 42

    found = telling(work, lambda words: told.append((words, threading.current_thread())))
    assert found == 42
    here = threading.current_thread()
    assert told == [("one", here), ("two", here)]


def test_interrupting_ends_the_work() -> None:
    ended: list[str] = []

    async def work(say: Callable[[str], None]) -> None:
        try:
            say("asks")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    def interrupt(_words: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        telling(work, interrupt)
    assert ended == ["cancelled"]


def test_error_of_the_work_comes_through() -> None:
    async def work(_say: Callable[[str], None]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        telling(work, print)
