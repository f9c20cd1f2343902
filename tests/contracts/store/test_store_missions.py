"""What sessions write: missions, revisions, decisions, commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import Payload
from hypernb.codec import digest
from hypernb.errors import (
    ApprovalError,
    LeaseLostError,
    PlanError,
    StoreError,
    TransitionError,
    UnknownMissionError,
)
from hypernb.model import (
    AgentWork,
    Digest,
    MissionId,
    MissionState,
    Quote,
    QuoteSource,
    Range,
    TaskSpec,
    TaskState,
    Usage,
)
from tests.by_hand import FINDING

if TYPE_CHECKING:
    from hypernb.abc import Store

Bench = Any
Clock = Any


def _kinds(store: Store) -> list[str]:
    return [event.kind for event in store.events()]


def test_new_mission_awaits_approval(bench: Bench) -> None:
    mission = bench.proposed("a", "b", root="/data", priority=70)
    assert (mission.short_id, mission.state) == ("m-1", MissionState.AWAITING_APPROVAL)
    assert (mission.revision, mission.priority, mission.root) == (1, 70, "/data")
    assert mission.by == "ada@here"


def test_new_mission_tells_of_itself(bench: Bench, store: Store) -> None:
    bench.proposed("a", "b")
    created, proposed = store.events()
    assert (created.kind, proposed.kind) == ("mission.created", "plan.proposed")
    assert created.payload["goal"] == "count the stars"
    assert proposed.payload["tasks"] == 2


def test_tasks_stand_in_plan_order(bench: Bench, store: Store) -> None:
    mission = bench.proposed("zebra", "ant", "bee")
    tasks = store.tasks(mission.id)
    assert [(task.number, task.name) for task in tasks] == [
        (1, "zebra"),
        (2, "ant"),
        (3, "bee"),
    ]
    assert {task.state for task in tasks} == {TaskState.PENDING}


def test_totals_are_of_all_missions(bench: Bench, store: Store) -> None:
    assert store.totals() == (0, 0.0)
    held = bench.running("a")
    held.commit(held.change("budget.settled", usage=Usage(0.25)))
    bench.proposed("b")
    assert store.totals() == (2, 0.25)


def test_plan_reads_back_as_it_was(bench: Bench, store: Store) -> None:
    spec = bench.spec("a", "b", goal="ünïcode 🚀 {x} \\frac{1}{2}", params={"n": [1, None]})
    mission = store.create_mission(spec, by="ada")
    assert store.plan(mission.id) == spec
    assert mission.plan_hash == spec.hash


def test_plan_with_what_json_cannot_hold_is_refused(bench: Bench, store: Store) -> None:
    with pytest.raises(PlanError, match="cannot be written"):
        store.create_mission(bench.spec("a", params={"x": "\ud800"}), by="ada")
    assert store.missions() == []


@pytest.mark.parametrize(
    "goal",
    [
        pytest.param("x" * 1_000_000, id="1 MB"),
        pytest.param("{{}} {a} $b \\end{document} '; DROP TABLE missions; --", id="code"),
        pytest.param("null \x00 bell \x07 newline \n", id="control characters"),
        pytest.param("👩‍👩‍👧‍👦 \u202e עברית", id="emoji and direction"),
        pytest.param("--out x %hyper stop", id="options"),
    ],
)
def test_goal_is_kept_literally(bench: Bench, store: Store, goal: str) -> None:
    mission = bench.proposed("a", goal=goal)
    assert store.plan(mission.id).goal == goal
    assert store.mission("m-1").goal == goal.replace("\x00", "␀")


def test_payloads_of_plan_are_stored(bench: Bench, store: Store) -> None:
    payload = Payload("text/plain", b"hello")
    store.create_mission(bench.spec("a"), by="ada", payloads={digest(b"hello"): payload})
    assert store.artifact(digest(b"hello"))[1] == b"hello"


def test_payload_under_wrong_digest_is_refused(bench: Bench, store: Store) -> None:
    wrong = {Digest("0" * 64): Payload("text/plain", b"hello")}
    with pytest.raises(StoreError, match="digest"):
        store.create_mission(bench.spec("a"), by="ada", payloads=wrong)
    assert store.missions() == []


def test_payload_that_is_another_kind_of_value_is_refused(bench: Bench, store: Store) -> None:
    known = store.put_artifact(Payload("application/json", b"1"))
    with pytest.raises(StoreError, match="another kind"):
        store.create_mission(
            bench.spec("a"), by="ada", payloads={known: Payload("text/plain", b"1")}
        )


# -- revisions ---------------------------------------------------------------------------


def test_revision_replaces_plan_and_tasks(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a", "b")
    revised = store.revise_plan(mission.id, bench.spec("a", "c", "d"), by="bob")
    assert revised.revision == 2
    assert [task.name for task in store.tasks(mission.id)] == ["a", "c", "d"]
    assert store.events()[-1].kind == "plan.edited"


def test_earlier_revision_can_still_be_read(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a", "b")
    store.revise_plan(mission.id, bench.spec("c"), by="bob")
    assert [task.name for task in store.plan(mission.id, 1).tasks] == ["a", "b"]
    with pytest.raises(StoreError, match="no plan revision 3"):
        store.plan(mission.id, 3)


def test_revised_goal_is_found_instead_of_old_one(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a", goal="walk the dog")
    store.revise_plan(mission.id, bench.spec("a", goal="feed the cat"), by="bob")
    assert store.find("dog") == []
    assert [hit.mission for hit in store.find("cat")] == ["m-1"]


def test_running_mission_cannot_be_revised(bench: Bench, store: Store) -> None:
    mission = bench.running("a").mission
    with pytest.raises(TransitionError, match="is running"):
        store.revise_plan(mission.id, bench.spec("b"), by="bob")


def test_revision_needs_an_approval_of_its_own(bench: Bench, store: Store) -> None:
    mission = bench.approved("a")
    store.revise_plan(mission.id, bench.spec("b"), by="bob")
    assert store.runnable_missions() == []


# -- decisions ---------------------------------------------------------------------------


def test_approval_appends_command_and_event(bench: Bench, store: Store) -> None:
    mission = bench.approved("a")
    (command,) = store.commands()
    assert (command.kind, command.mission_id) == ("start", mission.id)
    assert store.events()[-1].kind == "plan.approved"
    assert store.mission("m-1").state is MissionState.AWAITING_APPROVAL


def test_approval_reads_back_signed(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    assert store.approval(mission.id) is None
    given = store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada")
    assert store.approval(mission.id) == given
    assert len(given.signature) == 64


def test_second_approval_changes_nothing(bench: Bench, store: Store) -> None:
    mission = bench.approved("a")
    first, events = store.approval(mission.id), store.last_seq()
    again = store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="bob")
    assert again == first
    assert (store.last_seq(), len(store.commands())) == (events, 1)


@pytest.mark.parametrize(
    ("revision", "plan_hash", "said"),
    [
        pytest.param(1, "0" * 64, "another plan", id="other hash"),
        pytest.param(2, None, "not the newest", id="revision to come"),
        pytest.param(0, None, "not the newest", id="older revision"),
    ],
)
def test_approval_of_another_plan_is_refused(
    bench: Bench, store: Store, revision: int, plan_hash: str | None, said: str
) -> None:
    mission = bench.proposed("a")
    with pytest.raises(ApprovalError, match=said):
        store.approve(
            mission.id, revision=revision, plan_hash=plan_hash or mission.plan_hash, by="ada"
        )
    assert store.commands() == []


def test_running_mission_cannot_be_approved(bench: Bench, store: Store) -> None:
    mission = bench.running("a").mission
    with pytest.raises(TransitionError):
        store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada")


def test_rejection_ends_mission_and_tasks(bench: Bench, store: Store) -> None:
    mission = bench.approved("a", "b")
    store.reject(mission.id, reason="too costly", by="ada")
    ended = store.mission("m-1")
    assert (ended.state, ended.error) == (MissionState.REJECTED, "too costly")
    assert {task.state for task in store.tasks(mission.id)} == {TaskState.CANCELLED}
    assert store.commands() == []


def test_rejected_mission_never_runs(bench: Bench, store: Store) -> None:
    mission = bench.approved("a")
    store.reject(mission.id, reason="", by="ada")
    assert store.runnable_missions() == []
    with pytest.raises(TransitionError):
        store.reject(mission.id, reason="again", by="ada")


def test_unstarted_mission_is_cancelled_at_once(bench: Bench, store: Store) -> None:
    mission = bench.approved("a")
    assert store.cancel_unstarted(mission.id, by="ada")
    assert store.mission("m-1").state is MissionState.CANCELLED
    assert store.events()[-1].kind == "mission.finished"


def test_started_mission_is_left_to_its_runner(bench: Bench, store: Store) -> None:
    mission = bench.running("a").mission
    before = store.last_seq()
    assert not store.cancel_unstarted(mission.id, by="ada")
    assert store.last_seq() == before


@pytest.mark.parametrize("change", ["cancel", "reject", "revise"])
def test_runner_that_comes_too_late_is_refused(bench: Bench, store: Store, change: str) -> None:
    underway = bench.held("a")
    if change == "cancel":
        store.cancel_unstarted(underway.mission.id, by="ada")
    elif change == "reject":
        store.reject(underway.mission.id, reason="", by="ada")
    else:
        store.revise_plan(underway.mission.id, bench.spec("b"), by="ada")
    state = store.mission("m-1").state
    with pytest.raises(LeaseLostError):
        underway.commit(underway.change("mission.started", mission_state=MissionState.RUNNING))
    assert store.mission("m-1").state is state


# -- commands ----------------------------------------------------------------------------


def test_commands_come_in_order_until_answered(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    pause = store.send("pause", mission.id, by="ada")
    stop = store.send("stop", None, {"why": "tidy up"}, by="ada")
    assert [command.seq for command in store.commands()] == [pause, stop]
    store.answer_command(pause, "paused")
    assert [command.payload for command in store.commands()] == [{"why": "tidy up"}]
    assert store.commands(after=stop) == []


def test_command_is_answered_once(store: Store) -> None:
    seq = store.send("stop", None, by="ada")
    store.answer_command(seq, "done")
    store.answer_command(seq, "done by somebody else")
    assert store.query("SELECT outcome FROM commands")[1] == [("done",)]


def test_command_to_unknown_mission_is_refused(store: Store) -> None:
    with pytest.raises(UnknownMissionError):
        store.send("pause", MissionId("nobody"), by="ada")
    assert store.commands() == []


# -- finding missions --------------------------------------------------------------------


def test_missions_come_newest_first(bench: Bench, store: Store) -> None:
    for _ in range(3):
        bench.proposed("a")
    assert [mission.short_id for mission in store.missions()] == ["m-3", "m-2", "m-1"]
    assert [mission.short_id for mission in store.missions(limit=1)] == ["m-3"]


def test_missions_are_filtered_by_state(bench: Bench, store: Store) -> None:
    bench.proposed("a")
    bench.running("a")
    found = store.missions(states=[MissionState.RUNNING])
    assert [mission.short_id for mission in found] == ["m-2"]


def test_mission_is_found_by_short_id_or_id(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    assert store.mission("m-1") == store.mission(mission.id) == mission


@pytest.mark.parametrize("ref", ["m-2", "", "m-1/a", "nobody", "'; --", "m-0", "\ud800"])
def test_unknown_mission_names_near_misses(bench: Bench, store: Store, ref: str) -> None:
    bench.proposed("a")
    with pytest.raises(UnknownMissionError, match="m-1"):
        store.mission(ref)


def test_runnable_missions_come_best_first(bench: Bench, store: Store) -> None:
    bench.proposed("a")
    bench.approved("a", priority=10)
    bench.approved("a", priority=90)
    paused = bench.running("a")
    paused.commit(paused.change("mission.paused", mission_state=MissionState.PAUSED))
    done = bench.running("a")
    done.commit(done.change("mission.finished", mission_state=MissionState.SUCCEEDED))
    found = [mission.short_id for mission in store.runnable_missions()]
    assert found == ["m-3", "m-4", "m-2"]


def test_numbers_of_missions_have_no_gaps(bench: Bench, store: Store) -> None:
    bench.proposed("a")
    with pytest.raises(StoreError):
        store.create_mission(
            bench.spec("a"), by="x", payloads={Digest("0"): Payload("text/plain", b"")}
        )
    assert bench.proposed("b").short_id == "m-2"


def test_time_between_an_end_and_its_retry_is_a_rest(
    bench: Bench, clock: Clock, store: Store
) -> None:
    underway = bench.held("a")
    for state in (MissionState.RUNNING, MissionState.FAILED) * 2 + (MissionState.RUNNING,):
        kind = "mission.started" if state is MissionState.RUNNING else "mission.finished"
        underway.commit(underway.change(kind, mission_state=state))
        clock.advance(hours=1)
    (record,), _ = store.summaries()
    mission = record.mission
    assert mission.rested_s == pytest.approx(7200, abs=1)
    assert mission == store.mission("m-1") == store.since(mission.id, 0).mission
    assert mission.took_s() is None
    assert mission.took_s(clock()) == pytest.approx(3 * 3600, abs=1)


# -- many missions at once ---------------------------------------------------------------


def test_summaries_tell_what_the_tasks_of_a_mission_come_to(bench: Bench, store: Store) -> None:
    underway = bench.running("a", "b", "c", budget=0.5)
    underway.run("a", findings=(FINDING,))
    underway.commit(underway.ready("b"), underway.start("b"))
    (row,), total = store.summaries()
    assert total == 1
    assert row.mission == store.mission("m-1")
    assert row.counts == {
        TaskState.SUCCEEDED: 1,
        TaskState.RUNNING: 1,
        TaskState.PENDING: 1,
    }
    assert row.total == 3
    assert row.findings == 1
    assert row.budget == pytest.approx(0.5)
    assert row.at_hand == (("b", TaskState.RUNNING),)


def test_summaries_know_what_waits_for_an_approval(bench: Bench, store: Store) -> None:
    bench.proposed("a")
    bench.approved("a")
    rows, _ = store.summaries()
    assert [(row.mission.short_id, row.is_approved) for row in rows] == [
        ("m-2", True),
        ("m-1", False),
    ]


def test_summaries_give_the_budget_of_the_newest_revision(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a", budget=1)
    store.revise_plan(mission.id, bench.spec("a"), by="ada@here")
    (row,), _ = store.summaries()
    assert row.budget is None


def test_summaries_come_in_pages_newest_first(bench: Bench, store: Store) -> None:
    for _ in range(5):
        bench.proposed("a")
    rows, total = store.summaries(limit=2, offset=1)
    assert [row.mission.short_id for row in rows] == ["m-4", "m-3"]
    assert total == 5
    assert store.summaries(limit=2, offset=9) == ([], 5)
    assert store.summaries(limit=0) == ([], 5)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("stars", ["m-1"]),
        ("STARS count", ["m-1"]),
        ("über", ["m-2"]),
        ("100%", ["m-2"]),
        ("%", ["m-2"]),
        ("m-3", ["m-3"]),
        ("M-3", ["m-3"]),
        ("sta rs", ["m-1"]),
        ("planets", []),
        ("a_b", ["m-3"]),
        ("'; drop table missions", []),
        ("\0\ud800", []),
        ("", ["m-3", "m-2", "m-1"]),
    ],
)
def test_summaries_are_found_by_the_words_of_their_goal(
    bench: Bench, store: Store, text: str, found: list[str]
) -> None:
    bench.proposed("a", goal="Count the stars")
    bench.proposed("a", goal="Über 100% of it")
    bench.proposed("a", goal="a_b, not aXb")
    rows, total = store.summaries(text=text)
    assert [row.mission.short_id for row in rows] == found
    assert total == len(found)


@pytest.mark.parametrize(
    ("text", "kind", "task", "snippet"),
    [
        pytest.param("kernel", "goal", "", "", id="part-of-the-goal"),
        pytest.param("M-2", "id", "", "", id="short-id"),
        pytest.param("audit", "playbook", "", "", id="playbook"),
        pytest.param("ASS", "task", "assemble", "", id="part-of-a-task's-name"),
        pytest.param("flour", "goal", "assemble", "Weigh the [flour]", id="goal-of-a-task"),
        pytest.param("lark", "output", "assemble", "a [larks] nest", id="output"),
        pytest.param("hardcoded", "finding", "assemble", "[hardcoded] password", id="finding"),
        pytest.param("disk", "event", "assemble", "The [disk] was full", id="event"),
    ],
)
def test_summaries_are_found_by_what_is_in_them(
    bench: Bench, store: Store, text: str, kind: str, task: str, snippet: str
) -> None:
    bench.proposed("b", goal="another")
    work = TaskSpec(name="assemble", goal="Weigh the flour", work=AgentWork())
    underway = bench.running(goal="Colonel and kernel", playbook="repo-audit", tasks=(work,))
    underway.run(
        "assemble", findings=(FINDING,), text="a larks nest", error="The disk was full"
    )
    bench.proposed("b", goal="a third")
    (row,), total = store.summaries(text=text)
    assert (row.mission.short_id, total) == ("m-2", 1)
    (hit,) = row.found
    assert (hit.kind, hit.mission, hit.task) == (kind, "m-2", task)
    assert snippet in hit.snippet


def test_words_of_a_search_may_be_in_different_places(bench: Bench, store: Store) -> None:
    underway = bench.running("assemble", goal="Count the stars")
    underway.run("assemble", text="nothing but dust")
    bench.proposed("assemble", goal="Count the stars")
    (row,), _ = store.summaries(text="stars dust")
    assert row.mission.short_id == "m-1"
    assert [hit.kind for hit in row.found] == ["goal", "output"]
    assert store.summaries(text="stars sand") == ([], 0)


def test_one_text_with_all_words_stands_for_their_places(bench: Bench, store: Store) -> None:
    underway = bench.running("a", "b")
    underway.run("a", text="dust and sand")
    underway.run("b", text="sand")
    (row,), _ = store.summaries(text="dust sand")
    assert [hit.snippet for hit in row.found] == ["[dust] and [sand]"]


def test_brackets_of_a_text_are_no_marks(bench: Bench, store: Store) -> None:
    bench.running("a").run("a", text="[dust] [sand]")
    (row,), _ = store.summaries(text="sand")
    assert [(hit.snippet, hit.hits) for hit in row.found] == [("[dust] [[sand]]", ((8, 14),))]


def test_short_id_finds_no_mission_that_mentions_it(bench: Bench, store: Store) -> None:
    bench.proposed("a")
    bench.running("a").run("a", text="as in m-1 and in m-10")
    rows, total = store.summaries(text="m-1")
    assert [row.mission.short_id for row in rows] == ["m-1"]
    assert total == 1


def test_only_the_last_word_of_a_search_may_be_a_beginning(bench: Bench, store: Store) -> None:
    bench.running("a").run("a", text="larks nest")
    assert store.summaries(text="larks nes")[1] == 1
    assert store.summaries(text="lar nest") == ([], 0)


def test_searched_summaries_come_in_pages_and_by_state(bench: Bench, store: Store) -> None:
    for _ in range(4):
        bench.running("a").run("a", text="larks nest")
    bench.proposed("a")
    running = [MissionState.RUNNING]
    rows, total = store.summaries(text="larks", states=running, limit=2, offset=1)
    assert [row.mission.short_id for row in rows] == ["m-3", "m-2"]
    assert [[hit.snippet for hit in row.found] for row in rows] == [["[larks] nest"]] * 2
    assert total == 4
    assert store.summaries(text="larks", states=[MissionState.FAILED]) == ([], 0)
    assert store.summaries(text="larks", limit=0) == ([], 4)


def test_summaries_that_were_not_searched_name_no_places(bench: Bench, store: Store) -> None:
    bench.proposed("a")
    (row,), _ = store.summaries()
    assert row.found == ()


def test_summaries_are_filtered_by_state(bench: Bench, store: Store) -> None:
    bench.proposed("a")
    bench.running("a")
    rows, total = store.summaries(states=[MissionState.RUNNING])
    assert [row.mission.short_id for row in rows] == ["m-2"]
    assert total == 1


def test_summaries_name_only_the_first_tasks_at_hand(bench: Bench, store: Store) -> None:
    names = [f"t-{number}" for number in range(12)]
    underway = bench.running(*names)
    underway.commit(*(underway.ready(name) for name in names))
    underway.commit(*(underway.start(name) for name in names))
    (row,), _ = store.summaries()
    assert [name for name, _ in row.at_hand] == names[:8]
    assert row.counts == {TaskState.RUNNING: 12}


def test_the_event_of_an_approval_keeps_its_quotes(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    quotes = [
        Quote(QuoteSource.HISTORY, "a", 3, Range(10.0, 20.5), None, Range(0.5, 1.0)),
        Quote(QuoteSource.UNKNOWN),
    ]
    terms = {"revision": 1, "plan_hash": mission.plan_hash, "by": "ada@here"}
    store.approve(mission.id, **terms, quotes=quotes)
    (told,) = store.events(mission.id, kinds=("plan.approved",))
    assert [Quote.of(each) for each in told.payload["quotes"]] == quotes
    other = bench.approved("a")
    (told,) = store.events(other.id, kinds=("plan.approved",))
    assert "quotes" not in told.payload
