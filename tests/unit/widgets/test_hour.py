"""An hour of fifty events a second: nothing that follows it grows with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from hypernb.clock import SystemClock
from hypernb.model import Change
from hypernb.widgets._channel import WINDOW, Channel
from hypernb.widgets._mirror import EVENTS_AT_ONCE, Mirror
from tests.unit.widgets.recorded import START, Recorded

if TYPE_CHECKING:
    from hypernb.session import Session

SECONDS: Final = 3_600
EACH_SECOND: Final = 50
HEARTBEATS: Final = 5
KEPT: Final = 500


class Tab:
    """A view that takes what it is sent, and acknowledges it while it is looked at."""

    def __init__(self) -> None:
        self.channel = Channel(self._take, lambda: {"at_once": True, "why": ""})
        self.channel.window = WINDOW
        self.is_seen = True
        self.seq = 0
        self.sent = 0
        self.largest = 0
        self.gaps = 0
        self.pictures = 0
        self._unseen = 0

    def _take(self, message: dict[str, Any]) -> None:
        self.sent += 1
        self._unseen = message["n"]
        self.largest = max(self.largest, len(message["events"]))
        self.pictures += message["type"] == "picture"
        self.gaps += message["type"] == "batch" and message["from_seq"] > self.seq
        self.seq = max(self.seq, message["seq"])

    def acknowledge(self, now_s: float) -> None:
        if self.is_seen and self._unseen:
            self.channel.hear({"type": "ack", "n": self._unseen}, now_s)
            self._unseen = 0


def _sizes(of: object) -> dict[str, int]:
    return {
        name: len(value)
        for name, value in vars(of).items()
        if hasattr(value, "__len__") and not isinstance(value, str)
    }


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_follows_a_mission_for_an_hour_stops_growing(session: Session) -> None:
    recorded = Recorded(session, *(f"t{n}" for n in range(8))).start()
    for task in recorded.ids:
        recorded.begin(task)
    lease, ids = recorded.lease, list(recorded.ids.values())
    assert lease is not None
    mirror = Mirror(session, session.store, recorded.record.id, SystemClock())
    looked_at, hidden = Tab(), Tab()
    for tab in (looked_at, hidden):
        tab.channel.mirror = mirror
        tab.channel.hear({"type": "hello"}, 0.0)
        tab.channel.settle(0.0)
        tab.acknowledge(0.0)
    early: list[dict[str, int]] = []
    in_hiding = 0
    for second in range(1, SECONDS + 1):
        task = ids[second % len(ids)]
        notes = [
            Change("task.progressed", START, task, 1, {"note": f"{second} {n}"})
            for n in range(EACH_SECOND - HEARTBEATS)
        ]
        beats = [Change("task.heartbeat", START, task, 1)] * HEARTBEATS
        session.store.commit(recorded.record.id, lease, [*notes, *beats])
        step = mirror.advance()
        assert step is not None
        hidden.is_seen = not 600 < second <= 2_400
        before = hidden.sent
        for tab in (looked_at, hidden):
            tab.channel.offer(step)
            tab.channel.settle(float(second))
            tab.acknowledge(float(second))
            assert len(tab.channel._sent) <= WINDOW
        if not hidden.is_seen:
            in_hiding += hidden.sent - before
        if second in (600, 2_400, SECONDS):
            early.append(
                _sizes(mirror)
                | {f"channel{k}": v for k, v in _sizes(looked_at.channel).items()}
            )
    assert early[0] == early[1] == early[2]
    assert early[0]["_events"] == KEPT
    assert mirror._total_events == session.store.count_events(
        recorded.record.id, until=mirror.seq
    )
    for tab in (looked_at, hidden):
        assert tab.seq == mirror.seq == session.store.last_seq()
        assert tab.largest <= EVENTS_AT_ONCE
        assert tab.gaps == 0
    assert looked_at.pictures == 1
    # Sixteen messages, and again after each silence: 5 s, 10 s, 20 s, 40 s, then each minute.
    assert in_hiding <= WINDOW * (5 + 1_800 // 60)
    assert hidden.pictures == 2
