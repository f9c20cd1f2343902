from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import AttemptState, EventKind, MissionState, TaskState
from hypernb.views import tell, words
from hypernb.views._icons import icon
from hypernb.views._phrase import plain

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def enter(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield enter
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("state", [*MissionState, *TaskState, *AttemptState], ids=repr)
def test_every_state_has_word_and_shape(state: Any) -> None:
    word = words.state_word(state)
    assert word.word == state.value.replace("_", " ")
    assert "<svg" in icon(word.shape, word.role)


@pytest.mark.parametrize("kind", list(EventKind), ids=str)
def test_every_event_is_a_sentence(kind: EventKind, make: Any) -> None:
    said = plain(tell(make.event(kind, "lint")))
    assert said[0].isupper()
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        pytest.param("task.started", {"pid": 7}, "Attempt 1 started, process 7.", id="start"),
        pytest.param(
            "task.retried",
            {"error": "no answer", "delay_s": 5, "next_attempt": 2},
            "Attempt 2 starts by itself in 5 s. No answer.",
            id="retry",
        ),
        pytest.param(
            "task.retried",
            {"by": "ada", "after_attempt": 1},
            "It is tried again, asked for by ada.",
            id="retry-by-a-person",
        ),
        pytest.param(
            "task.finished",
            {"state": "succeeded", "outcome": "findings", "findings": 2},
            "Succeeded, 2 findings.",
            id="end",
        ),
        pytest.param(
            "task.finished",
            {"state": "skipped", "reason": "it needs lint, which failed"},
            "Skipped: it needs lint, which failed.",
            id="skip",
        ),
        pytest.param(
            "task.stalled",
            {"silent_s": 300.0, "next": "It is ended soon."},
            "No sign of life for 5 min. You need not act: It is ended soon.",
            id="stall",
        ),
        pytest.param(
            "mission.finished",
            {"state": "failed", "error": "lint failed", "duration_s": 61},
            "The mission failed after 1 min 1 s: lint failed.",
            id="mission-end",
        ),
        pytest.param(
            "mission.finished",
            {"state": "cancelled", "error": "by ada@here", "duration_s": 61},
            "The mission was cancelled by ada@here after 1 min 1 s.",
            id="mission-cancelled",
        ),
        pytest.param(
            "missions.forgotten",
            {"missions": {"m-1": "old"}},
            "Forgotten, because they ended long ago: m-1.",
            id="forgotten",
        ),
        pytest.param(
            "missions.forgotten",
            {"missions": {"m-1": ""}, "is_unused": True},
            "Forgotten, because nothing was used to plan it: m-1.",
            id="forgotten-unused",
        ),
        pytest.param("moon.risen", {"phase": "full"}, "moon.risen: phase full.", id="unknown"),
        pytest.param("moon.risen", {}, "moon.risen.", id="unknown-and-empty"),
    ],
)
def test_event_is_told_with_facts(
    kind: str, payload: dict[str, Any], said: str, make: Any
) -> None:
    assert plain(tell(make.event(kind, "lint", **payload))) == said


ODD: list[Any] = [None, 5, float("inf"), True, "\x1b[31mW" * 50_000, [None], {"a": 1}]
FACTS = "after_s cost delay_s duration_s error findings held limit missions model next_attempt"


@pytest.mark.parametrize("kind", [each.value for each in EventKind])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:8])
def test_event_is_told_whatever_its_facts_are(kind: str, odd: Any, make: Any) -> None:
    payload = dict.fromkeys([*FACTS.split(), "hurdle", "resources", "reason", "tasks"], odd)
    said = plain(tell(make.event(kind, "lint", **payload)))
    assert "\x1b" not in said
    assert 0 < len(said) < 5_000


def test_what_a_task_waits_for_is_cut(make: Any) -> None:
    event = make.event("task.deferred", "lint", hurdle="full", resources=["W" * 1_000])
    assert len(plain(tell(event))) < 200


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (0.0124, "12 ms"),
        (0.9996, "1 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (192, "3 min 12 s"),
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
    ],
    ids=str,
)
def test_duration_has_two_units_at_most(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_times_are_of_the_readers_zone(zone: Any) -> None:
    noon = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)
    zone("Asia/Kolkata")
    assert words.moment(noon) == "17:30:05 on 20 November 2026"
    assert words.offset(noon) == "UTC+05:30"
    zone("UTC")
    assert words.offset(noon) == "UTC"


def test_date_is_left_out_today() -> None:
    noon = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)
    assert "November" not in words.moment(noon, now=noon)
