"""Leases: taken once, lost loudly, free when their holder is dead."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import LeaseLostError
from hypernb.model import RunnerId
from hypernb.store import process_facts

if TYPE_CHECKING:
    from hypernb.abc import Store

Bench = Any
Clock = Any
Place = Any

ONE, TWO = RunnerId("r-1"), RunnerId("r-2")
HALF_A_MINUTE = timedelta(seconds=30)


def _take(store: Store, holder: RunnerId, **facts: Any) -> Any:
    return store.take_lease("runner:here", holder, HALF_A_MINUTE, facts)


def _outwait(store: Store, clock: Clock, resource: str = "runner:here") -> None:
    """See a lease, and see it unchanged after longer than its length."""
    assert store.take_lease(resource, TWO, HALF_A_MINUTE, {}) is None
    clock.advance(minutes=1)


def _dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_free_lease_is_taken(store: Store, clock: Clock) -> None:
    lease = _take(store, ONE, load=0.5)
    assert (lease.resource, lease.holder, lease.token) == ("runner:here", "r-1", 1)
    assert lease.facts == {"load": 0.5, "ttl_s": 30.0, "renewals": 0}
    assert lease.expires_at > clock.time


def test_held_lease_is_not_taken(store: Store) -> None:
    assert _take(store, ONE)
    assert _take(store, TWO) is None
    assert _take(store, ONE) is None


def test_lease_seen_unchanged_for_its_length_is_taken_with_higher_token(
    store: Store, clock: Clock
) -> None:
    assert _take(store, ONE)
    _outwait(store, clock)
    lease = _take(store, TWO)
    assert (lease.holder, lease.token) == ("r-2", 2)


def test_released_lease_is_taken_with_higher_token(store: Store) -> None:
    store.release_lease(_take(store, ONE))
    lease = _take(store, TWO)
    assert lease.token == 2


def test_release_of_a_lost_lease_does_nothing(store: Store, clock: Clock) -> None:
    old = _take(store, ONE)
    _outwait(store, clock)
    new = _take(store, TWO)
    store.release_lease(old)
    assert store.leases() == [new]


def test_lease_of_a_dead_process_is_free_at_once(store: Store) -> None:
    facts = process_facts() | {"pid": _dead_process()}
    assert _take(store, ONE, **facts)
    assert _take(store, TWO).token == 2


def test_lease_of_a_reused_process_id_is_free(store: Store) -> None:
    facts = process_facts()
    assert _take(store, ONE, **(facts | {"pid_started": facts["pid_started"] - 3600}))
    assert _take(store, TWO).token == 2


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"pid": -1}, id="facts that name no process"),
        pytest.param({"host": "elsewhere", "pid": 999_999_999}, id="another machine"),
        pytest.param({"host": None, "pid": "1"}, id="odd facts"),
        pytest.param({"machine": "another", "pid": 999_999_999}, id="another container"),
    ],
)
def test_lease_is_kept_where_nobody_can_tell(store: Store, facts: dict[str, Any]) -> None:
    assert _take(store, ONE, **(process_facts() | facts))
    assert _take(store, TWO) is None


def test_lease_of_a_living_process_is_kept(store: Store) -> None:
    assert _take(store, ONE, **process_facts())
    assert process_facts()["pid"] == os.getpid()
    assert _take(store, TWO) is None


def test_renewal_extends_and_updates(store: Store, clock: Clock) -> None:
    lease = _take(store, ONE, load=0)
    clock.advance(seconds=20)
    longer = store.renew_lease(lease, HALF_A_MINUTE, {"load": 3})
    assert longer.expires_at > lease.expires_at
    assert store.leases() == [longer]


def test_late_renewal_works_if_nobody_took_it(store: Store, clock: Clock) -> None:
    lease = _take(store, ONE)
    clock.advance(hours=1)
    assert store.leases() == []
    longer = store.renew_lease(lease, HALF_A_MINUTE, {})
    assert store.leases() == [longer]


def test_renewal_of_a_lost_lease_is_refused(store: Store, clock: Clock) -> None:
    lease = _take(store, ONE)
    _outwait(store, clock)
    _take(store, TWO)
    with pytest.raises(LeaseLostError, match="r-2"):
        store.renew_lease(lease, HALF_A_MINUTE, {})


JUMPS = [
    pytest.param({"hours": 1}, id="an hour ahead"),
    pytest.param({"hours": -1}, id="an hour back"),
    pytest.param({"days": -20_000}, id="back to the seventies"),
]


@pytest.mark.parametrize("jump", JUMPS)
def test_clock_jump_takes_no_lease_from_a_holder_that_renews(
    place: Place, clock: Clock, jump: dict[str, float]
) -> None:
    holder, other = place.open(), place.open()
    lease = _take(holder, ONE)
    assert _take(other, TWO) is None
    clock.jump(**jump)
    for _ in range(10):
        clock.advance(seconds=20)
        assert _take(other, TWO) is None
        lease = holder.renew_lease(lease, HALF_A_MINUTE, {})
    assert _take(other, TWO) is None


@pytest.mark.parametrize("jump", JUMPS)
def test_clock_jump_keeps_no_lease_for_a_holder_that_is_gone(
    place: Place, clock: Clock, jump: dict[str, float]
) -> None:
    holder, other = place.open(), place.open()
    _take(holder, ONE, host="elsewhere")
    assert _take(other, TWO) is None
    clock.jump(**jump)
    clock.advance(seconds=29)
    assert _take(other, TWO) is None
    clock.advance(seconds=2)
    assert _take(other, TWO).token == 2


@pytest.mark.parametrize("jump", JUMPS)
def test_lease_that_stays_as_it_is_is_listed_as_held_for_its_length_at_most(
    store: Store, clock: Clock, jump: dict[str, float]
) -> None:
    _take(store, ONE)
    clock.jump(**jump)
    store.leases()
    clock.advance(seconds=31)
    assert store.leases() == []


def test_renewal_is_seen_even_if_the_clock_stands_still(place: Place, clock: Clock) -> None:
    holder, other = place.open(), place.open()
    lease = _take(holder, ONE)
    assert _take(other, TWO) is None
    clock.seconds += 29
    clock.time = lease.expires_at - HALF_A_MINUTE - timedelta(milliseconds=1)
    holder.renew_lease(lease, HALF_A_MINUTE, {})
    clock.seconds += 29
    assert _take(other, TWO) is None


def test_leases_are_listed_by_prefix(store: Store) -> None:
    for resource in ("runner:a", "mission:x", "runner:b", "run%er:c"):
        store.take_lease(resource, ONE, HALF_A_MINUTE, {})
    assert [lease.resource for lease in store.leases("runner:")] == ["runner:a", "runner:b"]
    assert [lease.resource for lease in store.leases("run%er:")] == ["run%er:c"]
    assert len(store.leases()) == 4


def test_dead_leases_are_listed_only_when_asked(store: Store) -> None:
    _take(store, ONE, **(process_facts() | {"pid": _dead_process()}))
    assert store.leases("runner:") == []
    assert [lease.holder for lease in store.leases("runner:", live=False)] == ["r-1"]


def test_only_one_of_many_takes_the_lease(place: Place) -> None:
    stores = [place.open() for _ in range(6)]
    start, taken = threading.Barrier(6), []

    def race(store: Store, holder: str) -> None:
        start.wait()
        if lease := _take(store, RunnerId(holder)):
            taken.append(lease)

    threads = [
        threading.Thread(target=race, args=(store, f"r-{number}"))
        for number, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [lease.token for lease in taken] == [1]


def test_taking_over_is_told(bench: Bench, store: Store, clock: Clock) -> None:
    underway = bench.running("a")
    _outwait(store, clock, underway.lease.resource)
    assert store.take_lease(underway.lease.resource, TWO, HALF_A_MINUTE, {})
    told = store.events()[-1]
    assert (told.kind, told.mission_id) == ("lease.taken", underway.mission.id)
    assert (told.payload["before"], told.payload["holder"]) == ("r-1", "r-2")


def test_snapshot_names_live_runners(bench: Bench, store: Store) -> None:
    lease = _take(store, ONE, **process_facts())
    mission = bench.proposed("a")
    assert store.snapshot(mission.id).runners == (lease,)
