"""What people say of a plan, and who was faster in changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import EditConflictError, UnknownMissionError, UnknownTaskError
from hypernb.model import Comment, MissionId, MissionState, replay

if TYPE_CHECKING:
    from hypernb.abc import Store

Bench = Any


def test_comment_is_an_event_of_the_mission(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a", "b")
    seq = store.comment(mission.id, "Why so long?", task="b", by="ada@here")
    event = store.events(mission.id)[-1]
    assert (event.seq, event.kind, event.task) == (seq, "plan.commented", "b")
    assert event.task_id == store.tasks(mission.id)[1].id
    assert Comment.of(event) == Comment("Why so long?", event.at, "b", "ada@here")


def test_comment_on_the_plan_names_no_task(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    store.comment(mission.id, "Fine.", by="ada@here")
    assert store.events(mission.id)[-1].task is None


def test_comment_changes_no_state(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    store.comment(mission.id, "Fine.", task="a", by="ada@here")
    assert store.mission(mission.id) == mission
    replayed = replay(store.events(mission.id))
    assert replayed.mission is MissionState.AWAITING_APPROVAL
    assert replayed.unknown == ()
    assert replayed.tasks == {}


def test_comments_are_found(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    store.comment(mission.id, "The zebra is missing", task="a", by="ada@here")
    (hit,) = store.find("zebra")
    assert (hit.mission, hit.task, hit.kind) == (mission.short_id, "a", "event")


def test_comment_on_nothing_is_refused(bench: Bench, store: Store) -> None:
    mission = bench.proposed("alpha")
    seq = store.last_seq()
    with pytest.raises(UnknownTaskError, match="Did you mean 'alpha'"):
        store.comment(mission.id, "x", task="alpa", by="ada@here")
    with pytest.raises(UnknownMissionError):
        store.comment(MissionId("nobody"), "x", by="ada@here")
    assert store.last_seq() == seq


def test_comment_with_odd_characters_is_kept_sound(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    store.comment(mission.id, "nul \x00 and \ud800 lone", by="ada@here")
    assert "nul" in store.events(mission.id)[-1].payload["text"]


def test_slower_change_of_a_plan_is_refused(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    store.revise_plan(mission.id, bench.spec("a", "b"), by="ada@here", revision=1)
    seq = store.last_seq()
    with pytest.raises(EditConflictError) as caught:
        store.revise_plan(mission.id, bench.spec("a", "c"), by="bob@there", revision=1)
    assert (caught.value.based_on, caught.value.newest) == (1, 2)
    assert store.last_seq() == seq
    assert [task.name for task in store.tasks(mission.id)] == ["a", "b"]
    assert store.revise_plan(mission.id, bench.spec("c"), by="b", revision=2).revision == 3
