"""One table says what can become what; nothing leads out of an end but a retry."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import TransitionError
from hypernb.model import (
    TRANSITIONS,
    AttemptState,
    MissionState,
    TaskState,
    can_become,
    transition,
)

if TYPE_CHECKING:
    from enum import StrEnum

KINDS: tuple[type[StrEnum], ...] = (MissionState, TaskState, AttemptState)
FIRST: dict[type[StrEnum], StrEnum] = {
    MissionState: MissionState.PLANNING,
    TaskState: TaskState.PENDING,
    AttemptState: AttemptState.RUNNING,
}

each_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=kind.__name__) for kind in KINDS]
)


def ends(kind: type[StrEnum]) -> set[StrEnum]:
    if kind is AttemptState:
        return {state for state in kind if state != AttemptState.RUNNING}
    return {state for state in kind if getattr(state, "is_final")}  # noqa: B009  both have it


def reachable(kind: type[StrEnum], start: StrEnum) -> set[str]:
    seen = {str(start)}
    to_do = [str(start)]
    while to_do:
        new = TRANSITIONS[kind][to_do.pop()] - seen
        seen |= new
        to_do += new
    return seen


@each_kind
def test_table_covers_every_state(kind: type[StrEnum]) -> None:
    assert set(TRANSITIONS[kind]) == set(kind)
    assert all(type(state) is kind for after in TRANSITIONS[kind].values() for state in after)


@each_kind
def test_no_state_becomes_itself(kind: type[StrEnum]) -> None:
    assert not [state for state, after in TRANSITIONS[kind].items() if state in after]


@each_kind
def test_every_state_can_be_reached(kind: type[StrEnum]) -> None:
    assert reachable(kind, FIRST[kind]) == set(kind)


@each_kind
def test_every_state_can_reach_an_end(kind: type[StrEnum]) -> None:
    assert all(reachable(kind, state) & ends(kind) for state in kind)


@each_kind
def test_only_retry_leads_out_of_an_end(kind: type[StrEnum]) -> None:
    retry: dict[type[StrEnum], set[StrEnum]] = {
        MissionState: {MissionState.RUNNING},
        TaskState: {TaskState.READY, TaskState.PENDING},
        AttemptState: set(),
    }
    assert all(TRANSITIONS[kind][state] <= retry[kind] for state in ends(kind))


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(MissionState.SUCCEEDED, id="mission-succeeded"),
        pytest.param(MissionState.REJECTED, id="mission-rejected"),
        pytest.param(TaskState.SUCCEEDED, id="task-succeeded"),
        pytest.param(AttemptState.ABANDONED, id="attempt-abandoned"),
    ],
)
def test_nothing_leads_out_of_the_last_states(state: StrEnum) -> None:
    assert TRANSITIONS[type(state)][state] == frozenset()


@each_kind
def test_all_active_states_can_be_cancelled(kind: type[StrEnum]) -> None:
    under_way = set(kind) - ends(kind)
    assert all("cancelled" in TRANSITIONS[kind][state] for state in under_way)


def test_active_and_final_exclude_each_other() -> None:
    assert not [state for state in TaskState if state.is_final and state.is_active]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(one, other, id=f"{one}-{other}")
        for one, other in itertools.product(TaskState, TaskState)
    ],
)
def test_transition_follows_the_table(before: TaskState, after: TaskState) -> None:
    if can_become(before, after):
        assert transition(before, after, name="clean") is after
        return
    with pytest.raises(TransitionError) as caught:
        transition(before, after, name="clean")
    assert (caught.value.kind, caught.value.name) == ("task", "clean")
    assert (caught.value.before, caught.value.after) == (before.value, after.value)


def test_equal_words_of_two_kinds_stay_apart() -> None:
    assert can_become(MissionState.RUNNING, MissionState.PAUSED)
    assert not can_become(AttemptState.RUNNING, AttemptState.RUNNING)
    with pytest.raises(TransitionError, match="Attempt 2 is failed; it cannot become running"):
        transition(AttemptState.FAILED, AttemptState.RUNNING, name="2")


def test_states_are_their_words_in_the_database() -> None:
    assert MissionState("awaiting_approval") is MissionState.AWAITING_APPROVAL
    assert [state.value for state in AttemptState] == [
        "running",
        "succeeded",
        "failed",
        "abandoned",
        "cancelled",
        "refused",
    ]
