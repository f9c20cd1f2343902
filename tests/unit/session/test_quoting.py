from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import (
    AgentWork,
    CallRecord,
    CallState,
    MissionId,
    MissionState,
    ModelSpec,
    PlanSpec,
    Price,
    Quote,
    QuoteSource,
    Range,
    TaskSpec,
    Usage,
    new_id,
)
from hypernb.plan import Plan
from hypernb.session import Mission, QuoteTable, Session
from hypernb.views import allowed, plain
from tests.by_hand import Ticking, Underway, take_up

if TYPE_CHECKING:
    from pathlib import Path

MODEL = ModelSpec(name="small-1", base_url="http://localhost:1/v1")

FREE = Range(0.0, 0.0)


def spec(*names: str, **fields: Any) -> PlanSpec:
    tasks = tuple(
        TaskSpec(name=name, agent="qa-engineer", work=AgentWork(model="main")) for name in names
    )
    return PlanSpec(**({"goal": "look", "models": {"main": MODEL}, "tasks": tasks} | fields))


def under_way(session: Session, plan: PlanSpec, clock: Ticking) -> Underway:
    """Approve a mission and take it up by hand."""
    record = session.store.create_mission(plan, by="ada")
    Mission(session, record).approve()
    held = take_up(session.store, record, clock)
    held.commit(held.change("mission.started", mission_state=MissionState.RUNNING))
    return held


def work(held: Underway, task: str, *, tokens: int, cost: float | None) -> None:
    """Do a task with one call of its model, in a minute."""
    held.commit(held.ready(task), held.start(task))
    call = held.call(task)
    held.commit(held.change("llm.requested", task, attempt=1, call=call))
    after = replace(call, state=CallState.SETTLED, cost=cost, input_tokens=tokens)
    usage = Usage(cost or 0.0, "small-1", tokens)
    held.commit(held.change("llm.responded", task, attempt=1, call=after, usage=usage))
    at = held.clock() + timedelta(minutes=1)
    held.commit(held.finish(task, at=at))


def test_quote_is_from_what_the_store_has_seen(session: Session) -> None:
    first = session.quote(spec("a"))
    assert [(each.task, each.source) for each in first] == [
        ("a", QuoteSource.UNKNOWN),
        ("", QuoteSource.UNKNOWN),
    ]
    held = under_way(session, spec("a", "b", "c"), Ticking())
    for name, tokens in zip("abc", (100, 200, 300), strict=True):
        work(held, name, tokens=tokens, cost=0.5)
    task, whole = session.quote(spec("another", goal="something else"))
    assert (task.source, task.runs) == (QuoteSource.HISTORY, 3)
    assert (task.tokens, task.dollars) == (Range(200.0, 280.0), None)
    assert task.minutes is not None
    assert round(task.minutes.p50, 2) == 1.0
    assert whole.tokens == task.tokens


def test_history_of_a_free_server_is_priced_as_the_plan_says(session: Session) -> None:
    held = under_way(session, spec("a", "b", "c"), Ticking())
    for name in "abc":
        work(held, name, tokens=2_000_000, cost=0.0)
    paid = MODEL.model_copy(update={"price": Price(input=2, output=8)})
    assert session.quote(spec("d", models={"main": paid}))[0].dollars == Range(4.0, 4.0)
    assert session.quote(spec("d"))[0].dollars is None


def test_history_of_a_paid_server_costs_nothing_at_a_free_one(session: Session) -> None:
    held = under_way(session, spec("a", "b", "c"), Ticking())
    for name in "abc":
        work(held, name, tokens=2_000_000, cost=4.0)
    free = MODEL.model_copy(update={"price": Price(input=0, output=0)})
    plan = spec("d", models={"main": free})
    assert [each.dollars for each in session.quote(plan)] == [FREE, FREE]
    spends = dict(allowed(plan, session.quote(plan).whole))["Spends"]
    assert plain(spends).startswith("no money; each attempt takes")


def test_functions_are_quoted_too(session: Session) -> None:
    plan = Plan("count", root=".").add("f", dict, estimate=60)
    task, whole = session.quote(plan)
    assert task == Quote(QuoteSource.ESTIMATE, "f", 0, None, None, Range(1.0, 2.0))
    assert whole.minutes == Range(1.0, 2.0)
    mission = session.start(plan)
    assert mission.quote().quotes == (task, whole)


def test_quotes_as_of_the_approval_stand_beside_what_was_used(session: Session) -> None:
    clock = Ticking()
    warm = under_way(session, spec("a", "b", "c"), clock)
    for name in "abc":
        work(warm, name, tokens=100, cost=0.5)
    held = under_way(session, spec("a", "b"), clock)
    mission = session.mission(held.mission.id)
    before = mission.quote()
    work(held, "a", tokens=10_000, cost=2.0)
    work(held, "b", tokens=7, cost=None)
    held.commit(held.change("mission.finished", mission_state=MissionState.SUCCEEDED))
    quoted = mission.quoted()
    assert "What was quoted, and what was used" in quoted._repr_html_()
    assert "What it will probably use" in mission.quote()._repr_html_()
    assert quoted.quotes == before.quotes != mission.quote().quotes
    used = quoted.used
    assert [(used[name].tokens, used[name].dollars) for name in ("a", "b", "")] == [
        (10_000, 2.0),
        (7, 0.0),
        (10_007, 2.0),
    ]
    assert [used[name].unknown for name in ("a", "b", "")] == [0, 1, 1]
    rows = repr(quoted).splitlines()
    assert "$2.00 and 1 unknown" in rows[4]
    assert "from 3 past tasks" in rows[2]


def test_page_of_a_mission_under_way_shows_what_was_quoted(session: Session) -> None:
    clock = Ticking()
    warm = under_way(session, spec("a", "b", "c"), clock)
    for name in "abc":
        work(warm, name, tokens=100, cost=0.5)
    record = session.store.create_mission(spec("a", "b"), by="ada")
    mission = Mission(session, record)
    before = mission.outlook().quotes
    assert before
    mission.approve()
    other = under_way(session, spec("a", "b"), clock)
    for name in "ab":
        work(other, name, tokens=10_000, cost=2.0)
    assert mission.quote().quotes != before
    assert mission.outlook().quotes == before
    held = take_up(session.store, record, clock)
    held.commit(held.change("mission.started", mission_state=MissionState.RUNNING))
    assert mission.outlook().quotes == before
    assert "Quoted: cost not known, 200 tokens" in mission._repr_mimebundle_()["text/plain"]


def test_page_says_that_nothing_was_kept_of_quotes(session: Session) -> None:
    record = session.store.create_mission(spec("a"), by="ada")
    session.store.approve(
        record.id, revision=1, plan_hash=record.plan_hash, by="ada", quotes=()
    )
    held = take_up(session.store, record, Ticking())
    held.commit(held.change("mission.started", mission_state=MissionState.RUNNING))
    page = Mission(session, record)._repr_mimebundle_()
    for form in ("text/plain", "text/html"):
        assert "What was quoted was not kept with its approval." in page[form]


def test_table_shows_planning_beside_all_tasks(session: Session) -> None:
    planning = CallRecord(
        id=new_id(),
        mission_id=MissionId(""),
        state=CallState.LOST,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        cost=0.5,
    )
    record = session.store.create_mission(spec("a"), by="ada", planning=[planning])
    mission = Mission(session, record).approve()
    rows = [row.split() for row in repr(mission.quoted()).splitlines()[2:5]]
    assert rows[1][:2] == ["all", "tasks"]
    assert " ".join(rows[2]) == "planning – – – 0 at most $0.50 – is not quoted"
    assert "planning" not in repr(session.quote(spec("a")))


def test_planning_is_left_out_as_no_quote_is_for_it(session: Session) -> None:
    planning = CallRecord(
        id=new_id(),
        mission_id=MissionId(""),
        state=CallState.SETTLED,
        at=datetime(2026, 11, 20, tzinfo=UTC),
        cost=0.5,
        input_tokens=3,
    )
    record = session.store.create_mission(spec("a"), by="ada", planning=[planning])
    used = Mission(session, record).quoted().used
    assert (used[""].tokens, used[""].dollars, used["a"].tokens) == (0, 0.0, 0)


def test_mission_without_approval_has_no_quotes_kept(session: Session) -> None:
    record = session.store.create_mission(spec("a"), by="ada")
    quoted = Mission(session, record).quoted()
    assert (quoted.quotes, quoted.whole, len(quoted)) == ((), None, 0)
    assert repr(quoted) == "There are no quotes."


def test_quotes_of_a_large_plan_are_kept_as_one(session: Session) -> None:
    record = session.store.create_mission(spec(*(f"t-{n}" for n in range(600))), by="ada")
    mission = Mission(session, record).approve()
    assert [each.task for each in mission.quoted()] == [""]


def test_plan_that_cannot_be_quoted_can_be_approved(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hypernb.errors import StoreError

    def fail(_self: Mission) -> None:
        raise StoreError("no")

    monkeypatch.setattr(Mission, "quote", fail)
    record = session.store.create_mission(spec("a"), by="ada")
    assert Mission(session, record).approve().quoted().quotes == ()


def test_shared_tasks_of_a_fork_use_nothing(session: Session) -> None:
    held = under_way(session, spec("a", "b"), Ticking())
    work(held, "a", tokens=1, cost=0.1)
    fork = session.store.create_mission(spec("a", "b"), by="ada", forked_from=held.mission.id)
    first, second, _ = Mission(session, fork).quote()
    assert (first.source, second.source) == (QuoteSource.NOTHING, QuoteSource.UNKNOWN)


def test_quote_says_unknown_and_how_it_is_known() -> None:
    table = QuoteTable(
        (
            Quote(QuoteSource.UNKNOWN, "<b>"),
            Quote(QuoteSource.NOTHING, "done", 0, FREE, FREE, FREE),
            Quote(QuoteSource.ESTIMATE, "", 0, Range(1000.0, 3000.0), Range(0.1, 0.3)),
        )
    )
    rows = [row.split("  ") for row in repr(table).splitlines()[2:5]]
    told = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert told == [
        ["<b>", "unknown", "unknown", "unknown", "unknown"],
        ["done", "0", "$0.00", "none", "will not run"],
        ["all", "1,000 to 3,000", "$0.10 to $0.30", "unknown", "estimated"],
    ]
    assert "&lt;b&gt;" in table._repr_html_()
    frame = table.to_frame()
    assert list(frame["task"]) == ["<b>", "done", "all"]
    assert math.isnan(frame["dollars_p50"][0])


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"task": "a", "source": "guess", "runs": 1},
        {"task": "a", "source": "history", "runs": 1, "tokens": [1]},
        {"task": "a", "source": "history", "runs": 1, "tokens": [1, float("inf")]},
        {"task": "a", "source": "history", "runs": "x"},
        {"task": "a", "source": "history", "runs": float("inf")},
        7,
    ],
)
def test_what_is_no_quote_is_not_read_as_one(told: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        Quote.of(told)


def test_json_export_lists_calls_without_what_was_said(
    session: Session, tmp_path: Path
) -> None:
    held = under_way(session, spec("a"), Ticking())
    work(held, "a", tokens=7, cost=0.5)
    mission = session.mission(held.mission.id)
    told = json.loads(mission.export(tmp_path / "m.json").read_bytes())
    (call,) = told["calls"]
    assert (call["model"], call["cost"], call["request"]) == ("small-1", 0.5, None)
