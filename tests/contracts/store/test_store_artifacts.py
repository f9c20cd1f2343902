"""Artifacts: the same bytes come back, or a clear no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import Payload
from hypernb.codec import PICKLE, decode, digest, encode
from hypernb.errors import StoreError
from hypernb.model import Digest

if TYPE_CHECKING:
    from hypernb.abc import Store

Clock = Any
Place = Any


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="small"),
        pytest.param(bytes(range(256)) * 8000, id="2 MB"),
    ],
)
def test_bytes_come_back_as_they_were(place: Place, data: bytes) -> None:
    known = place.open().put_artifact(Payload("application/octet-stream", data))
    record, found = place.open().artifact(known)
    assert place.open().artifact_record(known) == record
    assert place.open().artifact_record(digest(data + b"?")) is None
    assert (known, found) == (digest(data), data)
    assert (record.digest, record.size_bytes) == (known, len(data))
    assert record.media_type == "application/octet-stream"


def test_storing_twice_is_storing_once(store: Store, clock: Clock) -> None:
    payload = Payload("application/octet-stream", b"hello")
    first = store.put_artifact(payload)
    before = store.artifact(first)
    clock.advance(minutes=1)
    assert store.put_artifact(payload) == first
    assert store.artifact(first) == before


def test_storing_again_after_a_while_counts_as_new(store: Store, clock: Clock) -> None:
    payload = Payload("application/octet-stream", b"hello")
    first = store.put_artifact(payload)
    before, data = store.artifact(first)
    clock.advance(hours=1)
    assert store.put_artifact(payload) == first
    after, same = store.artifact(first)
    assert (after.created_at > before.created_at, same) == (True, data)


def test_many_are_stored_in_the_order_given(store: Store) -> None:
    payloads = [Payload("text/plain", text) for text in (b"b", b"a", b"b", b"")]
    assert store.put_artifacts(payloads) == [digest(each.data) for each in payloads]
    assert store.put_artifacts([]) == []


def test_same_bytes_can_be_two_values(store: Store) -> None:
    number, text = store.put_artifacts([encode(1), encode(b"1")])
    again = store.put_artifact(encode(b"1"))
    assert number != text == again
    assert decode_of(store, number) == 1
    assert decode_of(store, text) == b"1"


def decode_of(store: Store, known: Digest) -> Any:
    record, data = store.artifact(known)
    return decode(record.media_type, data)


def test_pickles_are_signed_and_others_are_not(store: Store) -> None:
    pickle, plain = store.put_artifacts([Payload(PICKLE, b"N."), Payload("text/plain", b"n")])
    assert len(store.artifact(pickle)[0].signature) == 64
    assert store.artifact(plain)[0].signature == ""


@pytest.mark.parametrize("known", ["0" * 64, "", "../../etc/passwd", "\ud800"])
def test_unknown_artifact_is_refused(store: Store, known: str) -> None:
    with pytest.raises(StoreError, match=r"no artifact|not sound"):
        store.artifact(Digest(known))


def test_outputs_of_tasks_can_be_loaded(store: Store) -> None:
    value = {"rows": [1, 2.5, None, "ü"], "deep": {"x": []}}
    assert decode_of(store, store.put_artifact(encode(value))) == value
