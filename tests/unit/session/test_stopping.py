"""Starting and ending the runners of a store."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypernb.model import RunnerId
from hypernb.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from hypernb.model import LeaseRecord

TTL = timedelta(hours=1)


def test_a_runner_that_takes_the_place_of_one_that_ends_is_asked_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Session(tmp_path / "store.db", root=tmp_path) as session:
        store = session.store
        waiting, asked = ["r-1", "r-2"], []
        held: list[LeaseRecord | None] = []

        def take() -> None:
            if waiting:
                name = RunnerId(waiting.pop(0))
                held.append(store.take_lease("runner:test", name, TTL, {}))

        def obey(_kind: str, _mission: None, payload: dict[str, Any], *, by: str) -> None:
            del by
            asked.append(payload["runner"])
            lease = held.pop()
            assert lease is not None
            store.release_lease(lease)
            take()

        take()

        monkeypatch.setattr(store, "send", obey)
        assert session.stop(timeout=10)
        assert asked == ["r-1", "r-2"]


def test_two_who_need_a_runner_at_once_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Session(tmp_path / "store.db", root=tmp_path, runner="process") as session:
        store, looks, spawned = session.store, [], []
        leases, both_have_looked = store.leases, threading.Event()

        def look(prefix: str = "", **options: bool) -> list[LeaseRecord]:
            looks.append(prefix)
            found = leases(prefix, **options)
            if len(looks) > 2:
                both_have_looked.set()
            return found

        def spawn(url: str, _keys: object) -> None:
            spawned.append(url)
            assert both_have_looked.wait(10)
            store.take_lease("runner:test", RunnerId("r-1"), TTL, {})

        monkeypatch.setattr(store, "leases", look)
        monkeypatch.setattr("hypernb.engine.spawn_runner", spawn)
        both = [threading.Thread(target=session.ensure_runner) for _ in range(2)]
        for each in both:
            each.start()
        for each in both:
            each.join(20)
        assert spawned == [store.url]


def test_there_may_be_no_runner_to_stop(tmp_path: Path) -> None:
    with Session(tmp_path / "store.db", root=tmp_path) as session:
        assert session.stop(timeout=0)
