"""Messages between agents, and what agents remember."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import (
    AmbiguousTaskError,
    StateConflictError,
    UnknownNameError,
    UnknownTaskError,
    UsageError,
)
from hypernb.model import AgentMessage, AgentWork, TaskId, TaskSpec

if TYPE_CHECKING:
    from hypernb.abc import Store
    from tests.by_hand import Underway

Bench = Any
Place = Any


@pytest.fixture
def crew(bench: Bench) -> Underway:
    """Two tasks of one agent and one of another."""
    agents = {"a": "qa-engineer", "b": "qa-engineer", "c": "scribe"}
    tasks = tuple(
        TaskSpec(name=name, agent=agent, work=AgentWork()) for name, agent in agents.items()
    )
    held: Underway = bench.running(tasks=tasks)
    return held


def send(held: Underway, task: str, recipient: str = "", content: Any = "hi") -> AgentMessage:
    message = AgentMessage(recipient=recipient, content=content, sender="somebody else")
    return held.store.send_message(held.mission.id, held.ids[task], message)


def received(held: Underway, task: str) -> list[Any]:
    return [each.content for each in held.store.messages(held.mission.id, held.ids[task])]


def test_a_message_gets_an_id_its_sender_and_a_time(crew: Underway) -> None:
    sent = send(crew, "a", "c")
    assert (len(sent.id), sent.sender, sent.at is not None) == (26, "a", True)
    assert crew.store.messages(crew.mission.id) == [sent]
    (told,) = crew.store.events(crew.mission.id, kinds=("message.sent",))
    assert (told.task, told.payload["id"], told.payload["recipient"]) == ("a", sent.id, "c")


@pytest.mark.parametrize(
    ("recipient", "reached"),
    [
        pytest.param("b", ["b"], id="task"),
        pytest.param("t3", ["c"], id="number of a task"),
        pytest.param("scribe", ["c"], id="agent"),
        pytest.param("qa-engineer", ["b"], id="agent, not the sender itself"),
        pytest.param("", ["b", "c"], id="everybody"),
    ],
)
def test_messages_reach_tasks_agents_and_everybody(
    crew: Underway, recipient: str, reached: list[str]
) -> None:
    send(crew, "a", recipient)
    assert [task for task in "abc" if received(crew, task)] == reached


def test_messages_come_oldest_first_until_they_are_acknowledged(crew: Underway) -> None:
    ids = [send(crew, "a", content=number).id for number in range(3)]
    store, task = crew.store, crew.ids["c"]
    assert received(crew, "c") == [0, 1, 2]
    store.acknowledge(task, [ids[1], "nobody's", ids[1]])
    store.acknowledge(task, ids[:2])
    store.acknowledge(task, ids[:2])
    assert (received(crew, "c"), received(crew, "b")) == ([2], [0, 1, 2])
    told = store.events(crew.mission.id, kinds=("message.received",))
    assert [each.payload["ids"] for each in told] == [[ids[1]], [ids[0]]]


def test_a_message_to_nobody_is_refused_and_near_misses_are_named(crew: Underway) -> None:
    before = crew.store.last_seq()
    with pytest.raises(UnknownNameError, match="'scribe'"):
        send(crew, "a", "scrib")
    for recipient in ("t9", "t" + "9" * 40, "\x00"):
        with pytest.raises(UnknownNameError):
            send(crew, "a", recipient)
    assert (crew.store.last_seq(), crew.store.messages(crew.mission.id)) == (before, [])


def test_a_name_that_is_the_number_of_another_task_reaches_nobody(bench: Bench) -> None:
    held = bench.running("harmless", "t1")
    with pytest.raises(AmbiguousTaskError, match="'harmless'"):
        send(held, "harmless", "t1")
    assert send(held, "harmless", "t2").recipient == "t1"


def test_messages_stay_within_their_mission(bench: Bench, crew: Underway) -> None:
    other = bench.running("a")
    sent = send(crew, "a")
    other.store.acknowledge(other.ids["a"], [sent.id])
    assert received(crew, "b") == ["hi"]
    assert other.store.messages(other.mission.id, other.ids["a"]) == []
    with pytest.raises(UnknownTaskError):
        other.store.messages(other.mission.id, crew.ids["a"])
    with pytest.raises(UnknownTaskError):
        other.store.acknowledge(TaskId("none"), [sent.id])


def test_hostile_content_is_kept_readable(crew: Underway) -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    message = AgentMessage.model_construct(
        recipient="c", type="\x00", content={"\udcff": 10**30, "deep": deep}, metadata={}
    )
    sent = crew.store.send_message(crew.mission.id, crew.ids["a"], message)
    assert crew.store.messages(crew.mission.id, crew.ids["c"]) == [sent]
    assert isinstance(sent.content, dict)
    assert sent.content["\\udcff"] == "1" + "0" * 30


def test_too_long_and_too_many_messages_are_refused(crew: Underway) -> None:
    with pytest.raises(UsageError, match="100,000"):
        send(crew, "a", content="x" * 100_000)
    for _ in range(1_000):
        send(crew, "a")
    with pytest.raises(UsageError, match="1,000"):
        send(crew, "a")
    assert send(crew, "b").sender == "b"


# -- states ------------------------------------------------------------------------------


def test_a_state_is_saved_and_read_by_whoever_opens_the_store(
    crew: Underway, place: Place
) -> None:
    task = crew.ids["a"]
    state = {"seen": [1, -(2**63), 0.5, None, True], "text": "a \N{BLACK STAR}"}
    assert crew.store.load_state(task) == ({}, 0)
    assert crew.store.save_state(task, {}, version=0) == 1
    assert crew.store.save_state(task, state, version=1) == 2
    assert place.open().load_state(task) == (state, 2)


def test_a_state_made_from_an_older_version_is_refused(crew: Underway) -> None:
    task = crew.ids["a"]
    crew.store.save_state(task, {"by": "one"}, version=0)
    for version in (0, 2):
        with pytest.raises(StateConflictError) as caught:
            crew.store.save_state(task, {"by": "other"}, version=version)
        assert (caught.value.based_on, caught.value.newest) == (version, 1)
    assert crew.store.load_state(task) == ({"by": "one"}, 1)


def test_no_save_is_lost_among_many_that_save_at_once(crew: Underway, place: Place) -> None:
    task = crew.ids["a"]

    def count(_: int) -> int:
        store, refused = place.open(), 0
        for _ in range(5):
            while True:
                state, version = store.load_state(task)
                try:
                    store.save_state(task, {"n": state.get("n", 0) + 1}, version=version)
                    break
                except StateConflictError:
                    refused += 1
        return refused

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert crew.store.load_state(task) == ({"n": 20}, 20)


def test_a_state_that_json_would_change_is_refused(store: Store, crew: Underway) -> None:
    deep: Any = {}
    for _ in range(100):
        deep = {"x": deep}
    hostile = [10**30, float("nan"), {1: 2}, object(), b"x", deep, "x" * 1_000_000]
    for value in hostile:
        with pytest.raises(UsageError, match="state of an agent"):
            store.save_state(crew.ids["a"], {"value": value}, version=0)
    with pytest.raises(UnknownTaskError):
        store.save_state(TaskId("none"), {}, version=0)
    assert store.save_state(crew.ids["a"], {"\x00": "\udcff"}, version=0) == 1
