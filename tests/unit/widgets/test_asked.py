"""What comes from a view is checked before anything is done with it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import ApprovalError, UsageError
from hypernb.widgets._asked import TYPES, is_message, require_sane, taken
from hypernb.widgets._verbs import OF_SESSIONS, VERBS, act

if TYPE_CHECKING:
    from hypernb.session import Mission, Session


def _nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "ask",
        {},
        {"type": ["ask"]},
        {"type": "forget"},
        {"type": "ack"},
        {"type": "ack", "n": True},
        {"type": "ack", "n": 2**60},
        {"type": "ask", "verb": "cancel"},
        {"type": "ask", "id": "", "verb": "cancel"},
        {"type": "ask", "id": "a\n1", "verb": "cancel"},
        {"type": "ask", "id": "1" * 1_000, "verb": "cancel"},
        {"type": "ask", "id": 1.5, "verb": "cancel"},
    ],
)
def test_what_is_no_message_is_ignored_and_logged(
    message: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert taken(message) is None
    assert "ignored" in caplog.text


def test_of_a_message_only_what_is_known_is_taken() -> None:
    assert taken({"type": "sync", "after": "7", "more": 1}) == {
        "type": "sync",
        "after": None,
        "mission": "",
    }
    hello = taken({"type": "hello", "front_end": "\ud800" + "x" * 10_000_000})
    assert hello is not None
    assert hello["front_end"] == "?" + "x" * 199
    question = {"type": "ask", "id": 1, "verb": {"a": 1}, "args": [1], "about": "m-2"}
    assert taken(question) == {"type": "ask", "id": 1, "verb": "", "args": [1]}


@pytest.mark.parametrize(
    "args",
    [
        [],
        "task",
        [["task", "a"]],
        {"task": "x" * 100_001},
        {"task": "\ud800"},
        {"task": "a\x00b"},
        {"draft": _nested(100)},
        {"draft": _nested(100_000)},
        {"draft": [0] * 600_000},
        {"draft": ["x" * 99_000] * 60},
        {"budget": float("nan")},
        {"budget": float("-inf")},
        {"limit": 10**400},
        {1: object()},
    ],
    ids=range(14),
)
def test_arguments_without_bounds_are_refused(args: object) -> None:
    with pytest.raises(UsageError):
        require_sane(args)


def test_arguments_within_bounds_are_taken_as_they_are() -> None:
    args = {"draft": {"changes": {"a": {"timeout_s": 60.5, "needs": ["b"], "x": None}}}}
    assert require_sane(args) is args
    assert require_sane(None) == {}
    assert require_sane({"draft": [0] * 100_000})


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_takes(verb: str) -> None:
    first, *others = inspect.signature(VERBS[verb]).parameters.values()
    assert first.annotation == ("Session" if verb in OF_SESSIONS else "Mission")
    for parameter in others:
        assert set(str(parameter.annotation).split(" | ")) <= TYPES.keys()


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("reject", {"reason": 7}),
        ("reject", {"reason": None}),
        ("approve", {}),
        ("approve", {"plan_hash": None}),
        ("approve", {"plan_hash": "0", "tasks": "a"}),
        ("approve", {"plan_hash": "0", "tasks": [1]}),
        ("edit", {"draft": []}),
        ("edit", {"draft": {}, "revision": True}),
        ("fork", {"budget": "1"}),
        ("events", {"limit": 1.5}),
        ("events", {"kinds": "task.heartbeat"}),
        ("cancel", {"self": 1}),
        ("cancel", {"": 1}),
        ("__class__", {}),
    ],
)
def test_arguments_of_another_type_are_refused(
    verb: str, args: dict[str, Any], mission: Mission
) -> None:
    before = mission.session.store.last_seq()
    with pytest.raises(UsageError):
        act(verb, args, mission)
    assert mission.session.store.last_seq() == before


@pytest.mark.parametrize("tasks", [[], ["a"]])
def test_a_plan_without_a_hash_is_not_approved(mission: Mission, tasks: list[str]) -> None:
    with pytest.raises(ApprovalError):
        act("approve", {"plan_hash": "", "tasks": tasks}, mission)
    assert mission.needs_approval


@pytest.mark.parametrize("ref", [None, "", "  ", 1, True, ["m-1"], {"id": "m-1"}])
def test_no_mission_is_meant_because_none_is_named(
    session: Session, mission: Mission, ref: object
) -> None:
    with pytest.raises(UsageError, match="needs a mission"):
        act("cancel", {"mission": ref}, session)
    assert mission.needs_approval


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        {"content": [], "buffers": []},
        {"content": {"data": {}}, "buffers": []},
        {"content": {"data": {"method": "custom"}}},
        {"content": {"data": {"method": ["custom"]}}, "buffers": []},
        {"content": {"data": {"method": "update", "state": [1]}}, "buffers": []},
        {
            "content": {"data": {"method": "update", "state": {}, "buffer_paths": [["a"]]}},
            "buffers": [],
        },
    ],
)
def test_messages_of_another_shape_are_none(message: object) -> None:
    assert not is_message(message)
