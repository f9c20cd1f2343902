"""Logs that earlier versions wrote lead to the state that they told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from hypernb.model import Event, Replayed, replay

LOGS = sorted((Path(__file__).parents[2] / "fixtures" / "logs").rglob("*.jsonl"))


def read(log: Path) -> tuple[list[Event], dict[str, Any]]:
    *lines, last = map(orjson.loads, log.read_bytes().splitlines())
    events = [Event(**{**line, "at": datetime.fromisoformat(line["at"])}) for line in lines]
    return events, last["end"]


def told(replayed: Replayed, end: dict[str, Any]) -> dict[str, Any]:
    return {
        "mission": replayed.mission,
        "tasks": {name: replayed.task(name) for name in end["tasks"]},
        "attempts": [[*key, state] for key, state in replayed.attempts.items()],
    }


def test_there_are_logs_of_every_course() -> None:
    assert len(LOGS) >= 10


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
def test_logs_of_earlier_versions_lead_to_the_same_state(log: Path) -> None:
    events, end = read(log)
    assert told(replay(events), end) == end


def test_unknown_event_kinds_are_kept_not_dropped() -> None:
    events, end = read(LOGS[0])
    strange = Event(99, events[0].at, "task.dreamt", task="a", payload={"of": "sheep"})
    replayed = replay([*events[:2], strange, *events[2:]])
    assert replayed.unknown == (strange,)
    assert told(replayed, end) == end
