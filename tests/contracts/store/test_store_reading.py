"""What everybody reads: events, snapshots, search, queries, changes of others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import QueryError, UnknownMissionError
from hypernb.model import AgentWork, MissionId, TaskSpec
from tests.by_hand import FINDING

if TYPE_CHECKING:
    from hypernb.abc import Store

Bench = Any
Clock = Any
Place = Any
Underway = Any


# -- events ------------------------------------------------------------------------------


def test_events_are_read_on_from_a_seq(store: Store) -> None:
    for number in range(10):
        store.record("runner.started", {"n": number})
    assert [event.seq for event in store.events(after=7)] == [8, 9, 10]
    assert [event.seq for event in store.events(after=3, limit=2)] == [4, 5]
    assert store.events(after=10) == []


def test_events_are_read_back_from_a_seq(store: Store) -> None:
    for number in range(10):
        store.record("runner.started", {"n": number})
    assert [event.seq for event in store.events(before=4)] == [1, 2, 3]
    assert [event.seq for event in store.events(before=4, limit=2, newest=True)] == [2, 3]


def test_newest_events_come_oldest_first(store: Store) -> None:
    for number in range(10):
        store.record("runner.started", {"n": number})
    assert [event.seq for event in store.events(limit=3, newest=True)] == [8, 9, 10]


def test_events_are_filtered_by_mission_and_kind(bench: Bench, store: Store) -> None:
    one, other = bench.proposed("a"), bench.proposed("b")
    store.record("runner.started", {})
    assert {event.mission_id for event in store.events(one.id)} == {one.id}
    kinds = [event.kind for event in store.events(kinds=["plan.proposed", "runner.started"])]
    assert kinds == ["plan.proposed", "plan.proposed", "runner.started"]
    assert store.events(other.id, kinds=["runner.started"]) == []


def test_events_are_filtered_by_task_and_without_kinds(bench: Bench, store: Store) -> None:
    other = bench.running("a", "b")
    other.run("a")
    mission = bench.running("a", "b")
    mission.run("a")
    mission.run("b")
    mission.commit(mission.change("task.heartbeat", "b", attempt=1))
    found = store.events(mission.mission.id, task="b", without=["task.heartbeat"])
    assert [event.kind for event in found] == ["task.readied", "task.started", "task.finished"]
    assert {event.task for event in found} == {"b"}
    newest = store.events(mission.mission.id, task="b", limit=2, newest=True)
    assert [event.kind for event in newest] == ["task.finished", "task.heartbeat"]
    beats = store.events(kinds=["task.heartbeat"], without=["task.started"])
    assert [event.task for event in beats] == ["b"]
    assert store.events(mission.mission.id, kinds=["task.heartbeat"], task="a") == []


def test_events_of_an_agent_are_those_of_its_tasks(bench: Bench, store: Store) -> None:
    def tasks(*agents: str) -> tuple[TaskSpec, ...]:
        return tuple(
            TaskSpec(name=name, agent=agent, work=AgentWork())
            for name, agent in zip("ab", agents, strict=True)
        )

    one = bench.running(tasks=tasks("qa-engineer", ""))
    other = bench.running(tasks=tasks("", "qa-engineer"))
    for underway in (one, other):
        underway.run("a")
        underway.run("b")

    def of(mission: Underway | None, agent: str) -> list[tuple[str, str | None]]:
        found = store.events(None if mission is None else mission.mission.id, agent=agent)
        return [(str(event.kind), event.task) for event in found]

    kinds = ("task.readied", "task.started", "task.finished")
    assert of(one, "qa-engineer") == [(kind, "a") for kind in kinds]
    assert of(one, "") == [(kind, "b") for kind in kinds]
    assert of(other, "") == [(kind, "a") for kind in kinds]
    assert of(one, "nobody") == []
    assert of(None, "qa-engineer") == [(kind, task) for task in "ab" for kind in kinds]
    assert store.events(one.mission.id, agent="qa-engineer", task="b") == []


def test_events_of_a_task_stay_those_of_its_agent_after_a_revision(
    bench: Bench, store: Store
) -> None:
    mission = bench.proposed("a")
    store.comment(mission.id, "why", task="a", by="ada@here")
    spec = bench.spec("a", "b")
    store.revise_plan(mission.id, spec, by="ada@here")
    found = store.events(mission.id, agent="")
    assert [(str(event.kind), event.task) for event in found] == [("plan.commented", "a")]


def test_a_page_of_many_events_is_the_newest_before_a_seq(bench: Bench, store: Store) -> None:
    mission = bench.running("a", "b")
    mission.commit(mission.ready("a"), mission.start("a"))
    kinds = ("task.progressed", "task.heartbeat")
    notes = [mission.change(kinds[n % 2], "a", attempt=1) for n in range(2_000)]
    mission.commit(*notes)
    pages, before = [], None
    while page := store.events(
        mission.mission.id,
        before=before,
        limit=300,
        without=["task.heartbeat"],
        task="a",
        newest=True,
    ):
        pages.append([event.seq for event in page])
        before = page[0].seq
    read = [seq for page in reversed(pages) for seq in page]
    assert read == sorted(set(read))
    assert len(read) == 1_002
    assert len(pages) == 4


def _took(bench: Bench, clock: Clock, seconds: float, **fields: Any) -> None:
    """Have a mission whose task ``a`` took so long."""
    underway = bench.running("a", "b", **fields)
    underway.commit(underway.ready("a"), underway.start("a"))
    clock.advance(seconds=seconds)
    underway.commit(underway.finish("a"))


def test_durations_are_medians_of_earlier_missions_alike(
    bench: Bench, clock: Clock, store: Store
) -> None:
    for seconds in (1, 10, 3):
        _took(bench, clock, seconds, playbook="nightly", goal=f"took {seconds}")
    _took(bench, clock, 500, playbook="weekly")
    later = bench.proposed("a", "b", playbook="nightly")
    known = store.durations(later.id)
    assert known == {"a": pytest.approx(3, abs=0.1)}
    assert store.durations(bench.proposed("a", goal="something else").id) == {}


def test_durations_without_a_playbook_are_those_of_the_same_goal(
    bench: Bench, clock: Clock, store: Store
) -> None:
    _took(bench, clock, 7, goal="count the stars")
    assert store.durations(bench.proposed("a", goal="count the stars").id) == {
        "a": pytest.approx(7, abs=0.1)
    }


def test_events_about_the_store_have_no_mission(store: Store) -> None:
    seq = store.record("runner.started", {"pid": 7})
    (event,) = store.events()
    assert (event.seq, event.kind, event.mission_id) == (seq, "runner.started", None)
    assert event.payload == {"pid": 7}


def test_empty_store_has_seq_zero(store: Store) -> None:
    assert store.last_seq() == 0
    assert store.events() == []
    assert store.missions() == []


# -- snapshots ---------------------------------------------------------------------------


def test_snapshot_holds_all_that_a_view_needs(bench: Bench, store: Store) -> None:
    underway = bench.running("a", "b")
    underway.run("a", findings=(FINDING,))
    snapshot = store.snapshot(underway.mission.id)
    assert snapshot.mission == store.mission("m-1")
    assert (snapshot.plan, snapshot.seq) == (store.plan(underway.mission.id), store.last_seq())
    assert list(snapshot.tasks) == store.tasks(underway.mission.id)
    assert list(snapshot.attempts) == store.attempts(underway.mission.id)
    assert snapshot.findings == (FINDING,)
    assert snapshot.approvals == (store.approval(underway.mission.id),)


def test_snapshot_has_latest_events_without_heartbeats(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.commit(underway.ready("a"), underway.start("a"))
    underway.commit(*(underway.change("task.heartbeat", "a") for _ in range(5)))
    kinds = [event.kind for event in store.snapshot(underway.mission.id, events=2).events]
    assert kinds == ["task.readied", "task.started"]


def test_snapshot_of_unknown_mission_is_refused(store: Store) -> None:
    with pytest.raises(UnknownMissionError):
        store.snapshot(MissionId("nobody"))


def test_snapshot_of_a_new_revision_has_its_plan(bench: Bench, store: Store) -> None:
    mission = bench.proposed("a")
    store.snapshot(mission.id)
    spec = bench.spec("b")
    store.revise_plan(mission.id, spec, by="ada")
    assert store.snapshot(mission.id).plan == spec


# -- changes of others -------------------------------------------------------------------


def notices(store: Store) -> bool:
    """Ask for news until there is some: a server's is on its way for a moment."""
    waiter = threading.Event()
    deadline = time.monotonic() + 20
    while not (found := store.changed()) and time.monotonic() < deadline:
        waiter.wait(0.001)
    return found


def test_commit_of_another_store_is_noticed_once(store: Store, place: Place) -> None:
    other = place.open()
    store.changed()
    assert not store.changed()
    other.record("runner.started", {})
    assert notices(store)
    assert not store.changed()


def test_each_thread_notices_for_itself(store: Store, place: Place) -> None:
    other, noticed = place.open(), []
    store.changed()

    def watch(looked: threading.Event, written: threading.Event) -> None:
        store.changed()
        looked.set()
        written.wait(20)
        noticed.append(notices(store))

    looked, written = threading.Event(), threading.Event()
    thread = threading.Thread(target=watch, args=(looked, written))
    thread.start()
    assert looked.wait(20)
    other.record("runner.started", {})
    assert notices(store)
    written.set()
    thread.join()
    assert noticed == [True]


def test_closed_store_opens_again(bench: Bench, store: Store) -> None:
    bench.proposed("a")
    store.changed()
    store.close()
    store.close()
    assert store.mission("m-1").short_id == "m-1"
    store.changed()
    assert not store.changed()


# -- search ------------------------------------------------------------------------------


def test_finding_is_found_by_words_of_its_message(bench: Bench, store: Store) -> None:
    bench.running("look").run("look", findings=(FINDING,))
    (hit,) = store.find("hardcoded password")
    assert (hit.kind, hit.mission, hit.task) == ("finding", "m-1", "look")
    assert hit.where == "src/app.py:3"
    assert "[hardcoded] [password]" in hit.snippet


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        pytest.param("stars", "goal", id="goal"),
        pytest.param("PARALLAX", "output", id="output, whatever the case"),
        pytest.param("nebul", "event", id="event, by the beginning of its last word"),
        pytest.param("B105", "finding", id="finding, by its rule"),
        pytest.param("app.py", "finding", id="finding, by its file"),
        pytest.param("ete café", "event", id="whatever the accents"),
    ],
)
def test_goals_outputs_findings_and_events_are_found(
    bench: Bench, store: Store, words: str, kind: str
) -> None:
    underway = bench.running("look")
    underway.run(
        "look",
        findings=(FINDING,),
        text="the parallax was measured",
        note="a nebula was in the way",
        payload={"reason": "été cafe", "state": "succeeded"},
    )
    assert [hit.kind for hit in store.find(words)] == [kind]


def test_newest_hits_come_first(bench: Bench, store: Store) -> None:
    for _ in range(3):
        bench.proposed("a")
    assert [hit.mission for hit in store.find("stars", limit=2)] == ["m-3", "m-2"]


def test_what_reads_the_same_in_a_mission_is_one_hit(bench: Bench, store: Store) -> None:
    for _ in range(2):
        underway = bench.running("look", "again")
        for task in ("look", "again"):
            underway.run(task, text="the parallax was measured", findings=(FINDING,))
    assert [hit.mission for hit in store.find("parallax")] == ["m-2", "m-1"]
    assert len(store.find("hardcoded")) == 2


def test_ids_and_hashes_are_not_found(bench: Bench, store: Store) -> None:
    payload = {"call": "01K3ZQ8VJX6M4T2B9C7D5E1F0G", "plan_hash": "ab" * 32, "reason": "a nova"}
    bench.running("look").run("look", payload=payload)
    assert [hit.snippet for hit in store.find("nova")] == ["a [nova]"]


def test_goal_of_a_task_is_found_with_its_name(bench: Bench, store: Store) -> None:
    from hypernb.model import AgentWork, TaskSpec

    task = TaskSpec(name="b", goal="measure the parallax", work=AgentWork())
    store.create_mission(bench.spec("a", tasks=(task,)), by="ada")
    (hit,) = store.find("parallax")
    assert (hit.kind, hit.task) == ("goal", "b")


def test_routine_events_are_not_found(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.commit(
        underway.ready("a"),
        underway.start("a", payload={"agent": "quasar"}),
        underway.change("task.progressed", "a", note="quasar"),
    )
    assert store.find("quasar") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("   \n\t ", id="blanks"),
        pytest.param('"', id="a quote"),
        pytest.param('stars" OR "x', id="quotes and an operator"),
        pytest.param("NEAR(a b) AND NOT OR ^ * : - + ( )", id="operators"),
        pytest.param("text : stars {goal}", id="a column filter"),
        pytest.param("'; DROP TABLE search; --", id="SQL"),
        pytest.param("🚀", id="an emoji"),
        pytest.param("%", id="a wildcard"),
        pytest.param("\x00", id="NUL"),
        pytest.param("\ud800", id="half a character"),
        pytest.param("word " * 200_000, id="1 MB of words"),
        pytest.param("x" * 1_000_000, id="1 MB in one word"),
    ],
)
def test_any_text_can_be_searched_for(bench: Bench, store: Store, text: str) -> None:
    bench.proposed("a")
    assert store.find(text) == []


@pytest.mark.parametrize(
    ("text", "snippet"),
    [
        pytest.param("🚀", "to the moon [🚀] and back", id="emoji"),
        pytest.param("->", "a [->] b", id="arrow"),
        pytest.param("\x00", "odd [␀] sign", id="NUL"),
    ],
)
def test_signs_that_are_no_words_are_found(
    bench: Bench, store: Store, text: str, snippet: str
) -> None:
    for goal in ("to the moon 🚀 and back", "a -> b", "odd \x00 sign"):
        bench.proposed("a", goal=goal)
    assert [hit.snippet for hit in store.find(text)] == [snippet]


# -- queries -----------------------------------------------------------------------------


def test_query_returns_columns_and_rows(bench: Bench, store: Store) -> None:
    bench.proposed("a", "b")
    columns, rows = store.query("SELECT short_id, goal FROM missions")
    assert columns == ["short_id", "goal"]
    assert rows == [("m-1", "count the stars")]


def test_query_returns_at_most_the_limit(bench: Bench, store: Store) -> None:
    bench.proposed(*"abcdef")
    assert len(store.query("SELECT * FROM tasks", limit=4)[1]) == 4
    assert store.query("SELECT name FROM tasks", limit=0) == (["name"], [])


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("DELETE FROM missions", id="delete"),
        pytest.param("UPDATE missions SET goal = 'x'", id="update"),
        pytest.param("INSERT INTO counters VALUES ('x', 1)", id="insert"),
        pytest.param("DROP TABLE missions", id="drop"),
        pytest.param("CREATE TABLE x (y)", id="create"),
        pytest.param("SELECT 1; DELETE FROM missions", id="two statements"),
        pytest.param("WITH x AS (SELECT 1) DELETE FROM missions", id="delete behind WITH"),
        pytest.param("BEGIN", id="transaction"),
        pytest.param("", id="nothing"),
        pytest.param("-- only a comment", id="comment"),
        pytest.param("fetch me 1", id="typing error"),
    ],
)
def test_query_that_does_not_read_is_refused(bench: Bench, store: Store, sql: str) -> None:
    bench.proposed("a")
    with pytest.raises(QueryError):
        store.query(sql)
    assert store.mission("m-1").goal == "count the stars"


@pytest.mark.parametrize(
    ("sql", "meant"),
    [
        pytest.param("SELECT * FROM mission", "missions", id="table"),
        pytest.param("SELECT gaol FROM missions", "goal", id="column"),
        pytest.param("SELECT m.gaol FROM missions m", "goal", id="column of an alias"),
    ],
)
def test_near_misses_of_names_are_suggested(store: Store, sql: str, meant: str) -> None:
    with pytest.raises(QueryError, match=f"Did you mean .*'{meant}'"):
        store.query(sql)


def test_query_that_takes_too_long_is_stopped(store: Store) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    )
    with pytest.raises(QueryError, match=r"longer than 0\.2 s"):
        store.query(endless, timeout_s=0.2)


def test_views_speak_the_words_of_people(bench: Bench, store: Store) -> None:
    underway = bench.running("a")
    underway.run("a", findings=(FINDING,))
    assert store.query("SELECT mission, task, state FROM task_list")[1] == [
        ("m-1", "t1", "succeeded")
    ]
    assert store.query("SELECT mission, task, file FROM finding_list")[1] == [
        ("m-1", "a", "src/app.py")
    ]
    assert ("m-1", "a", "task.finished") in store.query(
        "SELECT mission, task, kind FROM event_list"
    )[1]


def test_facts_of_an_event_can_have_any_name(store: Store) -> None:
    facts = {"kind": "x", "at": "now", "mission_id": 1, "connection": None, "facts": {}}
    store.record("runner.started", facts)
    assert store.events()[-1].payload == facts
