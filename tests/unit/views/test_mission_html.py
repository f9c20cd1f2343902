from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from hypernb.model import AgentWork, MissionState, PlanSpec, PythonWork, TaskSpec, TaskState
from hypernb.views import mission_html

STATES = [state.value for state in MissionState]


@pytest.mark.parametrize("live", [True, False], ids=["live", "frozen"])
@pytest.mark.parametrize("state", STATES)
def test_three_sentences_are_always_there(
    state: str, *, live: bool, make: Any, read: Any
) -> None:
    page = read(mission_html(make.snapshot(state), live=live))
    told = page.select_one("dl.now")
    assert [term.text for term in told.select("dt")] == ["Now", "Waiting for", "Next"]
    assert all(len(said.text) > 5 for said in told.select("dd"))


@pytest.mark.parametrize("state", STATES)
def test_state_is_said_in_words(state: str, make: Any, read: Any) -> None:
    page = read(mission_html(make.snapshot(state), live=True))
    line = page.select_one(".stateline")
    assert state.replace("_", " ").capitalize() in line.text
    assert line.svg["aria-hidden"] == "true"


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_fetched_or_run(state: str, make: Any, read: Any) -> None:
    markup = mission_html(make.snapshot(state), live=True, result=make.report())
    page = read(markup)
    assert not page.select("script, link, img, iframe, a, object, form, [src], [href]")
    assert not re.search(r"https?:|url\(|@import", markup)
    assert not [key for tag in page.select("*") for key in tag.attrs if key[:2] == "on"]


def test_decision_comes_before_tasks(make: Any, read: Any) -> None:
    text = read(mission_html(make.snapshot("awaiting_approval"), live=True)).body.text
    order = [
        text.index(each) for each in ("Now", "Your decision", "Plan, from", "in plan order")
    ]
    assert order == sorted(order)


def test_decision_names_commands_that_run(make: Any, read: Any) -> None:
    page = read(mission_html(make.snapshot("awaiting_approval"), live=True))
    said = page.select_one("[aria-label='Your decision']").text
    assert "pytest -q 'a b'" in said
    assert "%hyper approve m-7" in said
    assert "runs with your rights" in said


def test_functions_are_shown_with_source(make: Any, read: Any) -> None:
    page = read(mission_html(make.snapshot("awaiting_approval"), live=True))
    assert page.select_one("details pre").text == "def f(): 1"
    assert "shop.clean" in page.select_one("[aria-label='Your decision']").text


def test_approved_plan_asks_nothing_more(make: Any, read: Any) -> None:
    yes = make.snapshot("running").approvals
    page = read(mission_html(make.snapshot("awaiting_approval", approvals=yes), live=True))
    assert page.select_one("[aria-label='Your decision']") is None
    assert "%hyper wait m-7" in page.select_one("dl.now").text


def test_every_task_has_a_contract(make: Any, read: Any) -> None:
    page = read(mission_html(make.snapshot("awaiting_approval"), live=True))
    opened = page.select("table.plan details")
    assert len(opened) == 10
    assert all("Done when" in each.text and "Caps" in each.text for each in opened)


def test_graph_tells_readers_of_screens(make: Any, read: Any) -> None:
    drawing = read(mission_html(make.snapshot(), live=True)).select_one("svg[role=img]")
    assert drawing.title.text.startswith("Graph")
    assert "2 pending" in drawing.desc.text
    assert len(drawing.select("rect.n:not(.inner)")) == 10


def drawn(make: Any, read: Any, needs: dict[str, list[str]]) -> Any:
    """Draw a plan of these tasks and what each needs."""
    tasks = tuple(
        TaskSpec(name=name, agent="backend-specialist", work=AgentWork(), needs=tuple(of))
        for name, of in needs.items()
    )
    made = make.snapshot("awaiting_approval")
    pending = tuple(
        replace(made.tasks[0], number=number, name=task.name, state=TaskState.PENDING)
        for number, task in enumerate(tasks, 1)
    )
    made = replace(made, plan=PlanSpec(goal="count", tasks=tasks), tasks=pending)
    return read(mission_html(made, live=False)).select_one("svg[role=img]")


def chain(length: int) -> dict[str, list[str]]:
    return {f"step-{n}": [f"step-{n - 1}"] if n else [] for n in range(length)}


def least_letters_px(drawing: Any) -> float:
    """Return how high letters of 12 px are where the drawing is as narrow as it gets."""
    least = float(re.search(r"min-width:(\d+)px", drawing["style"])[1])  # type: ignore[index]
    return 12 * least / float(drawing["width"])


@pytest.mark.parametrize(
    ("needs", "first"),
    [
        pytest.param(chain(3), "left", id="short"),
        pytest.param(chain(4), "left", id="a-little-wide"),
        pytest.param(chain(10), "top", id="long"),
        pytest.param(
            {"end": [f"t{n}" for n in range(12)]} | {f"t{n}": [] for n in range(12)},
            "left",
            id="broad",
        ),
    ],
)
def test_graph_is_read_without_scrolling(
    make: Any, read: Any, needs: dict[str, list[str]], first: str
) -> None:
    drawing = drawn(make, read, needs)
    assert drawing.title.text.endswith(first)
    assert float(drawing["width"]) * 11 / 12 <= 806
    assert least_letters_px(drawing) == pytest.approx(11, abs=0.05)


def test_graph_from_top_to_bottom_has_its_arrows_between_its_boxes(
    make: Any, read: Any
) -> None:
    drawing = drawn(make, read, chain(10))
    corners = [
        tuple(map(float, re.findall(r"[\d.]+", box["transform"])))
        for box in drawing.select("g[transform]")
        if box.select_one("rect.n")
    ]
    assert [y for _, y in corners] == sorted({y for _, y in corners})
    assert len({x for x, _ in corners}) == 1
    for (_, above), (_, below), arrow in zip(
        corners, corners[1:], drawing.select("path.e"), strict=False
    ):
        heights = [float(number) for number in re.findall(r"\d+", arrow["d"])[1::2]]
        assert above < min(heights) <= max(heights) <= below


def test_board_has_one_card_per_agent(make: Any, read: Any) -> None:
    cards = read(mission_html(make.snapshot(), live=True)).select("article.card")
    assert len(cards) == 9
    stalled = next(card for card in cards if "frontend-specialist" in card.text)
    assert "stalled" in stalled.text
    assert "silent for 1 min 42 s" in stalled.text


def test_needs_come_with_their_commands(make: Any, read: Any) -> None:
    needs = read(mission_html(make.snapshot(), live=True)).select_one("section.ask")
    assert "Needs you: 1 decision" in needs.text
    assert [each.text for each in needs.select("dt")] == [
        "%hyper retry m-7 t7",
        "%hyper cancel m-7",
    ]


def test_alarms_say_nobody_must_act(make: Any, read: Any) -> None:
    alarms = read(mission_html(make.snapshot(), live=True)).select_one(
        "[aria-label='You need not act']"
    )
    assert "pages is stalled, silent for 1 min 42 s" in alarms.text
    assert "attempt 2 of 3 starts by itself" in alarms.text
    assert "tests failed: No module named 'redis'." in alarms.text


def test_heartbeats_are_not_told(make: Any, read: Any) -> None:
    told = read(mission_html(make.snapshot(), live=True)).select_one("table.feed")
    assert "task.heartbeat" not in told.text
    assert len(told.select("tbody tr")) == 3


def test_tables_have_captions_and_scopes(make: Any, read: Any) -> None:
    for state in STATES:
        for table in read(mission_html(make.snapshot(state), live=True)).select("table"):
            assert table.caption.text
            assert all(head["scope"] for head in table.select("th"))


def test_frozen_copy_says_so(make: Any) -> None:
    copy = "Nothing here runs."
    assert copy in mission_html(make.snapshot(), live=False)
    assert copy not in mission_html(make.snapshot(), live=True)


def test_outcome_comes_first_at_end(make: Any, read: Any) -> None:
    text = read(mission_html(make.snapshot("succeeded"), live=False)).body.text
    order = [text.index(each) for each in ("Succeeded", "Findings", "Timeline", "Go on")]
    assert order == sorted(order)


def test_worst_findings_stand_first(make: Any, read: Any) -> None:
    page = read(mission_html(make.snapshot("succeeded"), live=False))
    rules = [row.code.text for row in page.select("table.find tbody tr")]
    assert rules == ["CRIT1", "LOW1"]


def test_hidden_findings_are_counted(make: Any, read: Any) -> None:
    many = make.snapshot("succeeded", findings=tuple(make.finding() for _ in range(1234)))
    page = read(mission_html(many, live=False))
    assert len(page.select("table.find tbody tr")) == 200
    assert "The 200 most severe of 1,234 findings are listed" in page.text


def test_failure_says_what_and_why(make: Any, read: Any) -> None:
    page = read(mission_html(make.snapshot("failed"), live=False))
    assert "tests failed: No module named 'redis'." in page.select_one(".outcome").text
    gaps = page.select_one("[aria-label='What was not done']").text
    assert "It needs tests, which is failed." in gaps
    assert "%hyper retry m-7" in page.text


def test_partial_success_is_not_called_whole(make: Any, read: Any) -> None:
    whole = make.snapshot("succeeded")
    tasks = tuple(
        replace(each, outcome="did not run", note="the suite cannot be collected")
        if each.name == "tests"
        else each
        for each in whole.tasks
    )
    page = read(mission_html(replace(whole, tasks=tasks, findings=()), live=False))
    assert "No findings from what could run." in page.select_one(".outcome").text
    assert "The suite cannot be collected." in page.text


def test_report_adds_sprint_and_gaps(make: Any, read: Any) -> None:
    page = read(mission_html(make.snapshot("succeeded"), live=False, result=make.report()))
    assert "Start no shell" in page.select_one("ol.steps").text
    assert "sqlglot" in page.select_one("[aria-label='What was not done']").text


def test_timeline_lists_every_attempt(make: Any, read: Any) -> None:
    ended = make.snapshot("failed")
    rows = read(mission_html(ended, live=False)).select("table.time tbody tr")
    assert len(rows) == len(ended.attempts)
    assert all(row.select(".at") for row in rows)


def test_view_of_ten_tasks_is_small(make: Any) -> None:
    sizes = [len(mission_html(make.snapshot(state), live=True)) for state in STATES]
    assert max(sizes) < 60_000


@pytest.mark.parametrize("state", ["awaiting_approval", "running", "failed"])
def test_ten_thousand_tasks_are_summarised(state: str, make: Any, read: Any) -> None:
    work = PythonWork(function="f", arguments="a", label="m.f")
    specs = tuple(TaskSpec(name=f"n{number}", work=work) for number in range(10_000))
    first = make.task("scan", "pending")
    tasks = tuple(replace(first, name=spec.name, number=at) for at, spec in enumerate(specs, 1))
    many = make.snapshot(
        state, plan=PlanSpec(goal="many", tasks=specs), tasks=tasks, attempts=()
    )
    markup = mission_html(many, live=True)
    assert "10,000 tasks by wave" in markup
    assert len(markup) < 250_000
    assert not read(markup).select("svg[role=img]")


def test_no_runner_is_said_with_remedy(make: Any, read: Any) -> None:
    pending = tuple(make.task(name, "pending") for name in ("scan", "imports"))
    page = read(mission_html(make.snapshot(tasks=pending, runners=()), live=True))
    assert "%hyper wait m-7 starts one." in page.select_one("dl.now").text


def test_time_left_needs_estimates(make: Any, read: Any) -> None:
    spec = make.plan()
    rated = spec.model_copy(
        update={"tasks": tuple(t.model_copy(update={"estimate_s": 300.0}) for t in spec.tasks)}
    )
    assert "min left" in read(mission_html(make.snapshot(plan=rated), live=True)).text
    assert "min left" not in read(mission_html(make.snapshot(), live=True)).text
