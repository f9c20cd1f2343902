"""What happens in a mission arrives in the notebook: all of it, in order, and soon."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.widgets._channel import WINDOW
from tests.integration.widgets.conftest import Page, Runner

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.store import SqlStore

    Pages = Callable[..., Page]

pytestmark = pytest.mark.timeout(120)
BURST = 10_000


@pytest.fixture
def runner(store: SqlStore) -> Runner:
    made = Runner(store)
    made.approve()
    made.begin()
    return made


@pytest.fixture
def page(pages: Pages) -> Page:
    made = pages()
    made.use_a_subshell()
    return made


def _events(page: Page) -> list[int]:
    """Return the numbers of all events that came in batches, in the order they came."""
    return [event["seq"] for said in page.said for event in said.get("events", [])]


def _gaps(page: Page, seq: int) -> list[dict[str, Any]]:
    gaps = []
    for said in page.said:
        if said["type"] == "batch":
            if said["from_seq"] > seq:
                gaps.append(said)
            seq = max(seq, said["seq"])
    return gaps


@pytest.mark.slow
def test_a_burst_arrives_whole_and_in_order_while_a_cell_computes(
    store: SqlStore, runner: Runner, page: Page
) -> None:
    begun = page.show(store.url)["seq"]
    cell = page.compute(10)
    sent_at = time.monotonic()
    last = begun
    for start in range(0, BURST, 500):
        last = runner.progress(*(f"step {start + n}" for n in range(500)))
    page.until(lambda: any(said.get("seq") == last for said in page.said), "the last event")
    took_s = time.monotonic() - sent_at
    assert cell not in page.idle
    assert _events(page) == list(range(begun + 1, last + 1))
    assert not _gaps(page, begun)
    assert max(len(said.get("events", [])) for said in page.said) <= 1_000
    assert took_s < 8


@pytest.mark.slow
def test_a_tab_that_does_not_listen_is_sent_a_window_and_then_the_rest(
    store: SqlStore, runner: Runner, page: Page
) -> None:
    begun = page.show(store.url)["seq"]
    page.acknowledges = False
    last = begun
    for number in range(2 * WINDOW):
        last = runner.progress(f"step {number}")
        page.take(0.03)
    page.of("beat")
    numbered = [said for said in page.said if "n" in said]
    assert len(numbered) <= WINDOW + 4  # what is lost may be sent again, once
    assert numbered[-1]["seq"] < last
    page.acknowledges = True
    page.tell({"type": "ack", "n": numbered[-1]["n"]})
    page.until(lambda: last in _events(page), "the rest")
    assert sorted(set(_events(page))) == list(range(begun + 1, last + 1))
    assert not _gaps(page, begun)


def test_a_view_that_has_missed_something_goes_on_from_there(
    store: SqlStore, runner: Runner, page: Page
) -> None:
    begun = page.show(store.url)["seq"]
    last = runner.progress("one", "two", "three")
    page.until(lambda: last in _events(page), "the events")
    page.said.clear()
    page.tell({"type": "sync", "after": begun + 1})
    page.until(lambda: last in _events(page), "the events again")
    assert _events(page) == [begun + 2, begun + 3]
    page.tell({"type": "sync", "after": None})
    assert page.of("picture")["seq"] == last


def test_two_kernels_agree_and_a_click_in_one_shows_in_both(
    store: SqlStore, pages: Pages
) -> None:
    Runner(store)
    both = [pages(), pages()]
    for each in both:
        each.show(store.url)
    both[0].ask(1, "reject", reason="not now")
    assert both[0].of("answer", id=1)["ok"]
    for each in both:
        batch = each.of("batch", seq=store.last_seq())
        assert batch["mission"]["state"] == "rejected"


def test_a_refusal_is_an_answer(store: SqlStore, runner: Runner, page: Page) -> None:
    del runner
    page.show(store.url)
    page.ask(1, "resume")
    answer = page.of("answer", id=1)
    assert not answer["ok"]
    assert answer["error"]["code"] == "transition"


def test_a_kernel_with_open_views_ends_at_once(
    store: SqlStore, runner: Runner, page: Page
) -> None:
    page.show(store.url)
    runner.progress("on")
    began = time.monotonic()
    page.client.shutdown()
    assert "ended" in page.of("closed")["reason"]
    page.until(lambda: not page.manager.is_alive(), "the end of the kernel")
    assert time.monotonic() - began < 5


def test_a_view_says_what_state_it_saw_to_those_who_observe_it(
    store: SqlStore, runner: Runner, page: Page
) -> None:
    page.show(store.url)
    page.run("seen = []; view.observe(lambda change: seen.append(change['new']), 'seq')")
    last = runner.progress("on")
    page.of("batch", seq=last)
    page.run(f"import threading\nwhile {last} not in seen: threading.Event().wait(0.01)")
    page.run("print(view.state, view.mission_id)")
    assert "running m-1" in "".join(page.texts)
