from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from hypernb.model import LeaseRecord, RoleCard, RunnerId, SearchHit
from hypernb.views import (
    EARLIER,
    agents_html,
    agents_text,
    events_html,
    events_text,
    findings_html,
    findings_text,
    hits_html,
    hits_text,
    missions_html,
    missions_text,
    page,
    report_html,
    report_markdown,
    report_text,
    status_text,
    table_html,
    table_text,
)


@dataclass(frozen=True)
class Status:
    store: str = "sqlite:///x.db"
    runners: tuple[Any, ...] = ()
    running: tuple[Any, ...] = ()
    needs_you: tuple[Any, ...] = ()
    cost: float = 0.0
    missions: int = 0
    unknown: int = 0
    at_most: int = 0
    waits: dict[str, str] = field(default_factory=dict)
    planning: tuple[Any, ...] = ()


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        pytest.param(missions_text([]), "No mission to show.", id="missions"),
        pytest.param(missions_html([]), "No mission to show.", id="missions-html"),
        pytest.param(findings_text([]), "No findings.", id="findings"),
        pytest.param(findings_html([]), "No findings.", id="findings-html"),
        pytest.param(events_text([]), "No events.", id="events"),
        pytest.param(events_html([]), "No events.", id="events-html"),
        pytest.param(agents_text([]), "No agent is known.", id="agents"),
        pytest.param(agents_html([]), "No agent is known.", id="agents-html"),
        pytest.param(hits_text([]), "Nothing was found.", id="hits"),
        pytest.param(hits_html([]), "Nothing was found.", id="hits-html"),
        pytest.param(table_text(["n"], []), "No rows.", id="rows"),
        pytest.param(table_html(["n"], []), "0 rows", id="rows-html"),
    ],
)
def test_nothing_is_said_in_words(shown: str, said: str) -> None:
    assert said in shown


def test_missions_are_one_row_each(make: Any, read: Any) -> None:
    records = [make.mission("running"), make.mission("failed", number=8)]
    rows = read(missions_html(records)).select("tbody tr")
    assert [row.th.text for row in rows] == ["m-7", "m-8"]
    assert "m-8" in missions_text(records)


def test_findings_text_counts_by_severity(make: Any) -> None:
    found = [make.finding("low"), make.finding("critical"), make.finding("low")]
    said = findings_text(found)
    assert said.startswith("3 findings: 1 critical, 2 low")
    assert said.index("critical", 20) < said.index("low", 30)


def test_findings_text_says_what_is_left_out(make: Any) -> None:
    said = findings_text([make.finding()] * 300)
    assert "The 200 most severe of 300 findings are listed" in said


def test_report_shows_what_did_not_run(make: Any, read: Any) -> None:
    shown = read(report_html(make.report())).text
    assert "did not run" in shown
    assert "it is not installed" in shown
    assert "Outcome: partly ran." in shown


def test_report_facts_become_tables(make: Any, read: Any) -> None:
    facts = {
        "columns": {"age": {"missing": 3}, "id": {"missing": 0}},
        "odd": [1, [2]],
        "n": 1.5,
    }
    shown = read(report_html(make.report(facts=facts)))
    table = next(each for each in shown.select("table") if "Columns" in each.caption.text)
    assert [row.td.text for row in table.select("tbody tr")] == ["age", "id"]
    assert "odd" in shown.select_one("details summary").text


@pytest.mark.parametrize("write", [report_text, report_markdown], ids=["text", "markdown"])
def test_report_reads_as_text(write: Any, make: Any) -> None:
    said = write(make.report())
    assert "Start no shell" in said
    assert "did not run" in said


def test_agents_show_what_they_can(read: Any) -> None:
    card = RoleCard(
        name="qa-engineer", role="Tests.", capabilities=("tests",), tools=("pytest",)
    )
    assert "qa-engineer" in read(agents_html([card])).tbody.th.text
    assert "pytest" in agents_text([card])


def test_events_say_which_others_there_are(make: Any, read: Any) -> None:
    events = [make.event("task.started", "read")]
    assert f"\n{EARLIER} Times are" in events_text(events, others=EARLIER)
    assert EARLIER in read(events_html(events, others=EARLIER)).text
    assert "earlier" not in events_text(events)


def test_hits_say_that_there_are_more(read: Any) -> None:
    hits = [SearchHit("goal", "m-7", "", "", f"a [word] {n}") for n in range(3)]
    assert hits_text(hits).endswith("3 hits.")
    assert hits_text(hits, is_more=True).endswith(
        "The first 3 hits. There are more: --limit N shows N."
    )
    assert "The first 3 hits" in read(hits_html(hits, is_more=True)).text


def test_hits_show_where_and_what(read: Any) -> None:
    hit = SearchHit("finding", "m-7", "secrets", "src/app.py:3", "a [password] here")
    assert "a [password] here" in read(hits_html([hit])).text
    assert "m-7  finding  secrets  src/app.py:3" in hits_text([hit])


def test_rows_past_the_limit_are_counted(read: Any) -> None:
    shown = read(table_html(["n"], [[number] for number in range(500)]))
    assert len(shown.select("tbody tr")) == 200
    assert "200 of 500 rows are shown." in shown.text


def test_cells_of_any_kind_are_shown() -> None:
    said = table_text(["a", "b", "c"], [[None, b"abc", 1.5]])
    assert said.splitlines()[-1].split("  ") == ["–", "3 bytes", "1.5"]


def test_wide_characters_keep_columns_straight() -> None:
    lines = table_text(["name", "n"], [["日本", 1], ["abcd", 2]]).splitlines()
    assert lines[2] == "日本  1"
    assert lines[3] == "abcd  2"


def test_status_names_what_needs_you(make: Any) -> None:
    runner = LeaseRecord("runner:here", RunnerId("r"), 1, make.at(0), {"pid": 4711})
    said = status_text(
        Status(runners=(runner,), needs_you=(make.mission("awaiting_approval"),), missions=3)
    )
    assert "m-7 awaiting approval: Audit this" in said
    assert "pid 4711" in said
    assert "$0.00 in 3 missions" in said


def test_status_names_the_key_that_a_mission_needs(make: Any) -> None:
    waiting = (make.mission("awaiting_approval"),)
    said = status_text(Status(needs_you=waiting, waits={"m-7": "needs OPENAI_API_KEY"}))
    assert "m-7 needs OPENAI_API_KEY: Audit this" in said
    assert "awaiting" not in said


def test_status_names_what_is_being_planned(make: Any) -> None:
    said = status_text(Status(planning=(make.mission("planning"),)))
    assert "Being planned" in said
    assert "m-7 planning: Audit this" in said
    assert "Being planned" not in status_text(Status())


def test_status_without_runner_says_remedy() -> None:
    assert "Approving or waiting starts one." in status_text(Status())


def test_page_is_a_whole_document(make: Any, read: Any) -> None:
    document = page("m-7 & more", findings_html([make.finding()]))
    shown = read(document)
    assert document.startswith("<!doctype html>")
    assert shown.title.text == "m-7 & more"
    assert "--jp-layout-color0" in shown.head.style.string
    assert "prefers-color-scheme:dark" in shown.head.style.string


def test_page_leaves_no_gap_in_headings(make: Any, read: Any) -> None:
    shown = read(page("report", report_html(make.report())))
    levels = [int(each.name[1]) for each in shown.select("h1, h2, h3, h4, h5")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
