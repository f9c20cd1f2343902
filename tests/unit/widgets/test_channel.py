"""What a view is sent: all of it, in order, and no more than it takes."""

from __future__ import annotations

from typing import Any

import pytest

from hypernb.widgets._channel import WINDOW, Channel
from hypernb.widgets._mirror import Step


class Mission:
    """A mission that only has numbered events, in the place of a mirror."""

    def __init__(self) -> None:
        self.seq = 10
        self.head_version = 1
        self.at_once = 1000
        self.read: list[int] = []

    def picture(self) -> dict[str, Any]:
        return {"type": "picture", "seq": self.seq}

    def head_batch(self) -> dict[str, Any]:
        return {"type": "batch", "from_seq": self.seq, "seq": self.seq, "head": {}}

    def happens(self, events: int = 1, **more: Any) -> Step:
        before, self.seq = self.seq, self.seq + events
        return self._step(before, self.seq, **more)

    def page(self, after: int) -> Step:
        self.read.append(after)
        upto = min(self.seq, after + self.at_once)
        return self._step(after, upto, is_more=upto < self.seq)

    def _step(self, before: int, upto: int, *, is_more: bool = False, **more: Any) -> Step:
        events = list(range(before + 1, upto + 1))
        body = {"type": "batch", "from_seq": before, "seq": upto, "events": events, **more}
        return Step(before, upto, body, more=is_more)


class View:
    """A view that checks that it misses nothing, as the real one does."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.seq = -1
        self.events: list[int] = []

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["type"] == "picture":
            self.seq = message["seq"]
        elif message["type"] == "batch":
            assert message["from_seq"] <= self.seq, "a gap"
            self.seq = max(self.seq, message["seq"])
            last = self.events[-1] if self.events else 0
            self.events += [seq for seq in message.get("events", []) if seq > last]


@pytest.fixture
def mission() -> Mission:
    return Mission()


@pytest.fixture
def view() -> View:
    return View()


@pytest.fixture
def channel(mission: Mission, view: View) -> Channel:
    made = Channel(view.take, lambda: {"at_once": True, "why": ""})
    made.mirror = mission  # type: ignore[assignment]
    made.window = WINDOW
    return made


def _begin(channel: Channel, view: View) -> None:
    channel.hear({"type": "hello"}, 0.0)
    channel.settle(0.0)
    _acknowledge(channel, view)


def _acknowledge(channel: Channel, view: View, now_s: float = 0.0) -> None:
    channel.hear({"type": "ack", "n": view.messages[-1]["n"]}, now_s)


def test_nothing_is_sent_before_a_view_says_hello(channel: Channel, mission: Mission) -> None:
    channel.offer(mission.happens())
    channel.settle(0.0)
    assert not channel.is_heard


def test_hello_is_answered_by_a_picture(channel: Channel, view: View) -> None:
    _begin(channel, view)
    [picture] = view.messages
    assert (picture["type"], picture["n"], picture["seq"]) == ("picture", 1, 10)
    assert picture["clicks"]["at_once"]


def test_messages_are_numbered(channel: Channel, mission: Mission, view: View) -> None:
    _begin(channel, view)
    for _ in range(3):
        channel.offer(mission.happens())
    assert [message["n"] for message in view.messages] == [1, 2, 3, 4]
    assert view.events == [11, 12, 13]


def test_a_view_that_does_not_acknowledge_gets_no_more_than_a_window(
    channel: Channel, mission: Mission, view: View
) -> None:
    _begin(channel, view)
    for _ in range(10 * WINDOW):
        channel.offer(mission.happens())
        channel.settle(0.0)
    assert len(view.messages) == 1 + WINDOW
    assert mission.read == []


def test_a_view_goes_on_from_the_store_when_it_acknowledges_again(
    channel: Channel, mission: Mission, view: View
) -> None:
    _begin(channel, view)
    for _ in range(10 * WINDOW):
        channel.offer(mission.happens())
        channel.settle(0.0)
    _acknowledge(channel, view)
    channel.settle(0.0)
    assert view.events == list(range(11, mission.seq + 1))
    channel.offer(mission.happens())
    assert view.seq == mission.seq


def test_what_was_missed_is_read_in_portions(
    channel: Channel, mission: Mission, view: View
) -> None:
    _begin(channel, view)
    mission.at_once = 10
    for _ in range(20 * WINDOW):
        channel.offer(mission.happens())
    while view.seq < mission.seq:
        _acknowledge(channel, view)
        channel.settle(0.0)
    assert view.events == list(range(11, mission.seq + 1))


def test_sync_goes_back_to_the_last_event_of_the_view(
    channel: Channel, mission: Mission, view: View
) -> None:
    _begin(channel, view)
    channel.offer(mission.happens(5))
    channel.hear({"type": "sync", "after": 12}, 0.0)
    channel.settle(0.0)
    assert mission.read == [12]
    assert channel.cursor == 15


@pytest.mark.parametrize("after", [None, 99, -1, "12", 1.5, True])
def test_sync_without_a_number_of_ours_begins_again(
    channel: Channel, view: View, after: object
) -> None:
    _begin(channel, view)
    channel.hear({"type": "sync", "after": after}, 0.0)
    channel.settle(0.0)
    assert view.messages[-1]["type"] == "picture"


def test_who_is_far_behind_begins_again(channel: Channel, mission: Mission, view: View) -> None:
    _begin(channel, view)
    for _ in range(WINDOW + 11):
        channel.offer(mission.happens(5_000))
    _acknowledge(channel, view)
    channel.settle(0.0)
    assert view.messages[-1]["type"] == "picture"


def test_what_is_lost_on_its_way_is_sent_again(
    channel: Channel, mission: Mission, view: View
) -> None:
    _begin(channel, view)
    channel.offer(mission.happens(3))
    lost = view.messages.pop()
    channel.settle(1.0)
    assert lost["n"] == 2
    assert len(view.messages) == 1
    channel.settle(6.0)
    assert mission.read == [10]
    channel.settle(10.0)
    assert mission.read == [10]  # the next time after twice as long
    channel.settle(17.0)
    assert mission.read == [10, 10]


def test_what_comes_after_a_long_rest_is_sent_once(
    channel: Channel, mission: Mission, view: View
) -> None:
    _begin(channel, view)
    channel.settle(100.0)
    channel.offer(mission.happens())
    channel.settle(100.1)
    assert [message["type"] for message in view.messages] == ["picture", "batch"]


def test_a_head_goes_out_once(channel: Channel, mission: Mission, view: View) -> None:
    _begin(channel, view)
    mission.head_version += 1
    for _ in range(3):
        channel.settle(0.0)
    assert [("head" in message) for message in view.messages] == [False, True]


def test_a_head_that_came_with_a_batch_is_not_sent_again(
    channel: Channel, mission: Mission, view: View
) -> None:
    _begin(channel, view)
    mission.head_version += 1
    channel.offer(mission.happens(head={}))
    channel.settle(0.0)
    assert len(view.messages) == 2


@pytest.mark.parametrize("message", [{}, {"type": "ack"}, {"type": "ack", "n": "x"}, {"n": 1}])
def test_what_makes_no_sense_is_let_pass(channel: Channel, message: dict[str, Any]) -> None:
    channel.hear(message, 0.0)
    channel.settle(0.0)
    assert not channel.is_heard
