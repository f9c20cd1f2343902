"""Answers that are kept for the very same request."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from hypernb.model import CacheStats, Retention
from hypernb.store import _cache
from hypernb.store import _tables as t

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from conftest import Place  # type: ignore[import-not-found]  # importlib mode

    from hypernb.abc import Store
    from hypernb.store import SqlStore

Clock = Any
REPLY = bytes(range(256))


def keep(store: Store, *hashes: str, model: str = "small-1", cost: float | None = 0.25) -> None:
    for each in hashes:
        store.cache_reply(each, REPLY, model=model, cost=cost)


def test_an_answer_is_given_again_while_it_is_young_enough(store: Store, clock: Clock) -> None:
    keep(store, "h")
    kept_at = clock.time
    assert store.cached_reply("h", since=kept_at) == REPLY
    assert store.cached_reply("h", since=kept_at + timedelta(milliseconds=1)) is None
    assert store.cached_reply("other", since=kept_at) is None


def test_an_answer_that_this_user_did_not_keep_is_none(
    store: Store, place: Place, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = clock.time
    keep(store, "h")
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "somebody else"))
    theirs = place.open()
    assert theirs.cached_reply("h", since=since) is None
    keep(theirs, "h")
    assert theirs.cached_reply("h", since=since) == REPLY
    assert store.cached_reply("h", since=since) is None


def test_an_answer_that_was_put_there_or_changed_is_none(store: SqlStore, clock: Clock) -> None:
    since = clock.time
    keep(store, "h", "other", "changed", "bare")
    with store._database.writing() as connection:
        column = t.cache_entries.c
        read = select(column.reply).where(column.request_hash == "h")
        kept: bytes = connection.execute(read).scalar_one()
        for name, reply in {"other": kept, "changed": kept + b"!", "bare": REPLY}.items():
            put = update(t.cache_entries).where(column.request_hash == name)
            connection.execute(put.values(reply=reply))
    names = ("h", "other", "changed", "bare")
    found = [store.cached_reply(each, since=since) for each in names]
    assert found == [REPLY, None, None, None]


def test_hits_and_what_they_spared_are_counted(store: Store) -> None:
    keep(store, "h")
    keep(store, "unknown", cost=None)
    for each in ("h", "h", "unknown", "nowhere"):
        store.count_cache_hit(each)
    keep(store, "h", cost=9.0)
    assert store.cache_stats() == CacheStats(2, 2 * len(REPLY), hits=3, spared=0.5)


def test_answers_are_forgotten_by_age_by_model_or_all(store: Store, clock: Clock) -> None:
    keep(store, "old")
    clock.advance(hours=1)
    before = clock.time
    keep(store, "new")
    keep(store, "large", model="large-1")
    assert store.evict_cache(before=before) == 1
    assert store.evict_cache(model="large-1") == 1
    assert store.evict_cache() == 1
    assert store.cache_stats() == CacheStats()


def test_a_sweep_keeps_the_cache_within_bounds(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cache, "MOST_BYTES", 2 * len(REPLY))
    keep(store, "ancient")
    clock.advance(days=91)
    since = clock.time
    keep(store, "first", "second", "third")
    store.count_cache_hit("first")
    assert store.cache_stats().entries == 4
    store.sweep(Retention(), only_look=True)
    assert store.cache_stats().entries == 4
    store.sweep(Retention())
    found = [store.cached_reply(each, since=since) for each in ("first", "second", "third")]
    assert found == [REPLY, None, REPLY]
    assert store.cached_reply("ancient", since=since - timedelta(days=100)) is None
