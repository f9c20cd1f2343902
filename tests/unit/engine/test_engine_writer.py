"""The writer groups commits, keeps order, and stops after a failure."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from hypernb.abc import Payload
from hypernb.engine._writer import BACKLOG, Writer
from hypernb.errors import LeaseLostError, StoreError, StoreUnavailableError
from hypernb.model import Change, Digest, LeaseRecord, MissionId, RunnerId, TaskId
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path

AT = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = LeaseRecord("mission:M", RunnerId("R"), 1, AT)
MISSION = MissionId("M")
Got = TypeVar("Got")


class Ledger:
    """As much of a store as a writer uses, with a gate before each commit."""

    def __init__(self) -> None:
        self.commits: list[list[str]] = []
        self.beats: list[dict[TaskId, datetime]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.is_taken = False
        self.threads: list[str] = []
        self.stored: list[bytes] = []

    def commit(
        self,
        _mission: MissionId,
        _lease: LeaseRecord,
        changes: Sequence[Change],
        *,
        patient: bool = True,
    ) -> int:
        self.threads.append(threading.current_thread().name)
        if self.is_taken and not patient:
            raise StoreUnavailableError("Somebody else writes.")
        self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
        self.commits.append([str(change.kind) for change in changes])
        self.outputs = [change.output for change in changes]
        return len(self.commits)

    def put_artifacts(self, payloads: Sequence[Payload]) -> list[Digest]:
        self.stored += [payload.data for payload in payloads]
        return [Digest(f"settled-{payload.data.decode()}") for payload in payloads]

    def heartbeat(self, beats: dict[TaskId, datetime]) -> None:
        if self.failure is not None:
            raise self.failure
        self.beats.append(beats)


def change(kind: str, **facts: Any) -> Change:
    return Change(kind, AT, **facts)


def run(work: Coroutine[Any, Any, Got]) -> Got:
    return asyncio.run(asyncio.wait_for(work, 20))


def writer(ledger: Ledger, rooms: list[int] | None = None, *, is_idle: bool = False) -> Writer:
    log = logging.Logger("test")
    log.addHandler(logging.NullHandler())
    told = rooms if rooms is not None else []
    return Writer(
        ledger,  # type: ignore[arg-type]  # as much as it uses
        log=log,
        on_room=lambda: told.append(1),
        is_idle=lambda: is_idle,
    )


def test_what_gathers_is_one_commit() -> None:
    ledger = Ledger()

    async def work() -> None:
        w = writer(ledger)
        ledger.gate.clear()
        first = w.submit(MISSION, LEASE, [change("first")])
        while w.commits == 0 and not first.done() and w._queue.qsize():
            await asyncio.to_thread(lambda: None)
        rest = [w.submit(MISSION, LEASE, [change(f"n{n}")]) for n in range(5)]
        ledger.gate.set()
        await asyncio.gather(first, *rest)
        await w.close()

    run(work())
    flat = [kind for batch in ledger.commits for kind in batch]
    assert flat == ["first", "n0", "n1", "n2", "n3", "n4"]
    assert len(ledger.commits) <= 2


def test_nothing_is_written_after_a_lost_lease() -> None:
    ledger = Ledger()

    async def work() -> None:
        w = writer(ledger)
        ledger.failure = LeaseLostError("mission:M", "another")
        with pytest.raises(LeaseLostError):
            await w.submit(MISSION, LEASE, [change("first")])
        ledger.failure = None
        with pytest.raises(LeaseLostError):
            await w.submit(MISSION, LEASE, [change("second")])
        fresh = LeaseRecord("mission:M", RunnerId("R"), 2, AT)
        await w.submit(MISSION, fresh, [change("third")])
        await w.close()

    run(work())
    assert ledger.commits == [["third"]]


def test_fault_of_the_store_is_told_as_one() -> None:
    ledger = Ledger()

    async def work() -> None:
        w = writer(ledger)
        ledger.failure = ZeroDivisionError("surprise")
        with pytest.raises(StoreError, match="ZeroDivisionError: surprise"):
            await w.submit(MISSION, LEASE, [change("first")])
        w.beat({TaskId("T"): AT})  # is logged, and ends nothing
        await w.close()

    run(work())
    assert ledger.beats == []


def test_idle_loop_commits_by_itself_unless_it_would_have_to_wait() -> None:
    ledger = Ledger()

    async def work() -> None:
        w = writer(ledger, is_idle=True)
        await w.submit(MISSION, LEASE, [change("first")])
        ledger.is_taken = True
        await w.submit(MISSION, LEASE, [change("second")])
        ledger.is_taken = False
        await w.submit(MISSION, LEASE, [change("third")])
        await w.close()

    run(work())
    assert ledger.commits == [["first"], ["second"], ["third"]]
    here, there = "MainThread", "hypernb writer"
    assert ledger.threads == [here, here, there, here]


def test_idle_loop_leaves_to_the_thread_what_comes_while_it_commits() -> None:
    ledger = Ledger()

    async def work() -> None:
        w = writer(ledger, is_idle=True)
        ledger.is_taken = True
        ledger.gate.clear()
        first = w.submit(MISSION, LEASE, [change("first")])
        w.flush()
        ledger.is_taken = False
        second = w.submit(MISSION, LEASE, [change("second")])
        w.flush()
        ledger.gate.set()
        await asyncio.gather(first, second)
        await w.close()

    run(work())
    assert [kind for batch in ledger.commits for kind in batch] == ["first", "second"]
    assert set(ledger.threads[1:]) == {"hypernb writer"}


def test_idle_loop_leaves_outputs_that_are_not_stored_to_the_thread() -> None:
    ledger = Ledger()
    payload = Payload("application/json", b"1")
    digest = Digest(hashlib.sha256(b"1").hexdigest())

    async def work() -> None:
        w = writer(ledger, is_idle=True)
        for _ in range(2):
            await w.submit(MISSION, LEASE, [change("end", output=digest)], {digest: payload})
        await w.close()

    run(work())
    assert ledger.stored == [b"1"]
    assert ledger.threads == ["hypernb writer", "MainThread"]


def test_idle_loop_tells_of_a_failure_as_the_thread_does() -> None:
    ledger = Ledger()

    async def work() -> None:
        w = writer(ledger, is_idle=True)
        ledger.failure = LeaseLostError("mission:M", "another")
        with pytest.raises(LeaseLostError):
            await w.submit(MISSION, LEASE, [change("first")])
        ledger.failure = None
        with pytest.raises(LeaseLostError):
            await w.submit(MISSION, LEASE, [change("second")])
        await w.close()

    run(work())
    assert ledger.commits == []


def test_signs_of_life_are_noted() -> None:
    ledger = Ledger()

    async def work() -> None:
        w = writer(ledger)
        w.beat({TaskId("T"): AT})
        await w.close()

    run(work())
    assert ledger.beats == [{"T": AT}]


def test_outputs_are_stored_once_and_settled() -> None:
    ledger = Ledger()
    outputs = {Digest("d"): Payload("application/json", b"1")}

    async def work() -> None:
        w = writer(ledger)
        for _ in range(3):
            settled = await w.submit(
                MISSION, LEASE, [change("done", output=Digest("d"))], outputs
            )
            assert settled == {"d": "settled-1"}
        await w.close()

    run(work())
    assert ledger.stored == [b"1"]
    assert ledger.outputs == ["settled-1"]


def test_same_bytes_of_two_kinds_in_one_commit_stay_apart(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "store.db")
    kinds = {name: Payload(f"application/{name}", b"1") for name in ("json", "octet-stream")}
    digest = Digest(hashlib.sha256(b"1").hexdigest())
    ledger = Ledger()
    ledger.put_artifacts = store.put_artifacts  # type: ignore[method-assign]

    async def work() -> list[Digest]:
        w = writer(ledger)
        done = [
            w.submit(MISSION, LEASE, [change(name, output=digest)], {digest: payload})
            for name, payload in kinds.items()
        ]
        filed = [(await each).get(digest, digest) for each in done]
        await w.close()
        return filed

    filed = run(work())
    assert len(ledger.commits) == 1
    assert ledger.outputs == filed
    found = [store.artifact(each)[0].media_type for each in filed]
    assert found == [payload.media_type for payload in kinds.values()]
    store.close()


def test_full_backlog_tells_when_there_is_room() -> None:
    ledger, rooms = Ledger(), list[int]()

    async def work() -> None:
        w = writer(ledger, rooms)
        ledger.gate.clear()
        many = w.submit(MISSION, LEASE, [change("x")] * (BACKLOG + 1))
        fullness = [w.is_full]
        ledger.gate.set()
        await many
        fullness.append(w.is_full)
        await w.close()
        assert fullness == [True, False]

    run(work())
    assert rooms == [1]
