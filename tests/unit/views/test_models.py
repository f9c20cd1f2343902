"""Models in views: what a yes allows, what it will cost, what a mission waits for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import BudgetExhaustedError, dollars
from hypernb.model import (
    AgentWork,
    Grant,
    MissionSnapshot,
    ModelSpec,
    PlanSpec,
    Price,
    Quote,
    QuoteSource,
    Range,
    TaskSpec,
    UsageSum,
)
from hypernb.views import (
    Figures,
    Outlook,
    allowed,
    expected,
    mission_html,
    mission_text,
    money_ways,
    needs,
    plain,
    quote_words,
    quotes_text,
    story,
    tell,
    usage_html,
    usage_text,
    words,
)
from hypernb.views._contract import contract
from hypernb.views._models import model_terms

if TYPE_CHECKING:
    from tests.unit.views.conftest import Examples

PRICE = Price(input=1.0, output=4.0)
MODEL = ModelSpec(
    name="gpt-6",
    base_url="https://api.example/v1",
    key="EXAMPLE_API_KEY",  # pragma: allowlist secret
    key_id="1f",
    price=PRICE,
)
WHOLE = Quote(
    QuoteSource.HISTORY, runs=12, dollars=Range(0.12, 0.3), tokens=Range(9000, 21_000)
)
OF_LINT = Quote(QuoteSource.ESTIMATE, task="lint", dollars=Range(0.0214, 0.0214))
OUTLOOK = Outlook((WHOLE, OF_LINT))


def with_a_model(make: type[Examples], **terms: Any) -> PlanSpec:
    """Return the plan whose task ``lint`` is done with a model."""
    fields = {"variables": {"df": Grant(see="sample", rows=3)}} | terms.pop("work", {})
    work = AgentWork(model="big", tools=("ruff",), **fields)
    spec = make.plan(**{"models": {"big": MODEL}} | terms)
    tasks = [
        each.model_copy(update={"work": work}) if each.name == "lint" else each
        for each in spec.tasks
    ]
    return spec.model_copy(update={"tasks": tuple(tasks)})


def told(spec: PlanSpec) -> dict[str, str]:
    return {term: plain(said) for term, said in allowed(spec)}


def waiting(make: type[Examples], *events: Any, **terms: Any) -> MissionSnapshot:
    shown = make.snapshot("running", plan=with_a_model(make), events=events, **terms)
    tasks = [t for t in shown.tasks if t.name not in ("pipeline", "pages")]
    return replace(shown, tasks=tuple(tasks))


def out_of_money(make: type[Examples]) -> MissionSnapshot:
    facts = {"because": "budget", "spent": 0.48, "budget": 0.5, "needed": 0.04}
    paused = make.event("mission.paused", None, 190, **facts)
    record = make.mission("paused", started_at=make.at(0), cost=0.48)
    return make.snapshot(
        "paused", plan=with_a_model(make, budget=0.5), mission=record, events=(paused,)
    )


# -- before: what a yes allows -----------------------------------------------------------


def test_hosts_of_models_are_told_before_approval(make: type[Examples]) -> None:
    terms = told(with_a_model(make))
    assert "api.example" in terms["Reaches"]
    assert terms["Asks"] == "gpt-6 at api.example, with the key in EXAMPLE_API_KEY"
    assert "df to api.example" in terms["Tells"]


def test_key_that_was_not_set_is_told_before_approval(make: type[Examples]) -> None:
    models = {"big": MODEL.model_copy(update={"key_id": ""})}
    said = told(with_a_model(make, models=models))["Asks"]
    assert said.endswith("with the key in EXAMPLE_API_KEY, not set where it was planned")
    replayed = with_a_model(make, models=models, cassette="replay:/tmp/a.jsonl")
    assert "not set" not in told(replayed)["Would ask"]


def test_task_that_may_read_all_is_not_hidden_by_one_that_may_not() -> None:
    work = AgentWork(model="big", tools=("read-file",))
    one = TaskSpec(name="one", agent="qa-engineer", work=work, scope=("src",))
    other = TaskSpec(name="other", agent="qa-engineer", work=work)
    for tasks, said in (((one,), "src below /shop"), ((one, other), "the files below /shop")):
        spec = PlanSpec(goal="Look", root="/shop", tasks=tasks, models={"big": MODEL})
        assert told(spec)["Reads"] == said


def test_task_of_a_replayed_plan_reaches_no_host_of_its_models(make: type[Examples]) -> None:
    plan = with_a_model(make, cassette="replay:/tmp/a.jsonl")
    hosts = (next(iter(plan.models.values())).host, "data.example")
    task = plan.tasks[0].model_copy(update={"hosts": hosts})
    assert plain(dict(contract(task, plan))["Reaches"]) == "data.example"
    live = plan.model_copy(update={"cassette": ""})
    assert plain(dict(contract(task, live))["Reaches"]).count("example") == 2


def test_plan_without_a_model_says_nothing_of_models(make: type[Examples]) -> None:
    assert {"Asks", "Keeps", "Cassette", "Cache"}.isdisjoint(told(make.plan()))


def test_replayed_cassette_asks_nobody(make: type[Examples]) -> None:
    terms = told(with_a_model(make, cassette="replay:/tmp/a.jsonl", hosts=("api.example",)))
    assert "api.example" not in terms["Reaches"]
    assert {"Asks", "Tells"}.isdisjoint(terms)
    assert "nobody is asked" in terms["Would ask"]
    assert "EXAMPLE_API_KEY" not in str(terms)
    assert terms["Would tell"].startswith("df to api.example")
    assert terms["Cassette"] == "answers come from /tmp/a.jsonl"
    # It has a function beside its agents.
    assert terms["Spends"].startswith("what your functions pay")
    spec = with_a_model(make, cassette="replay:/tmp/a.jsonl")
    agents = spec.model_copy(update={"tasks": tuple(t for t in spec.tasks if t.agent)})
    assert told(agents)["Spends"].startswith("no money: a cassette answers")


def test_unknown_price_is_not_told_as_nothing(make: type[Examples]) -> None:
    unknown = MODEL.model_copy(update={"price": None})
    terms = told(with_a_model(make, models={"big": unknown}))
    assert terms["Asks"].endswith("cost not known")
    assert "$0.00" not in str(terms)
    assert "no budget is set" in terms["Spends"]


def test_free_model_lets_nothing_be_spent(make: type[Examples]) -> None:
    free = MODEL.model_copy(update={"price": Price(input=0, output=0)})
    spec = with_a_model(make, models={"big": free})
    agents = spec.model_copy(update={"tasks": tuple(t for t in spec.tasks if t.agent)})
    quote = Quote(QuoteSource.HISTORY, runs=3, dollars=Range(0.0, 0.0014))
    spends = plain(dict(allowed(agents, quote))["Spends"])
    assert spends.startswith("no money; each attempt takes")


@pytest.mark.parametrize("form", ["html", "text"])
def test_quotes_stand_beside_the_plan(make: type[Examples], read: Any, form: str) -> None:
    shown = make.snapshot("awaiting_approval", plan=with_a_model(make))
    said = (
        read(mission_html(shown, live=False, outlook=OUTLOOK)).text
        if form == "html"
        else mission_text(shown, 200, outlook=OUTLOOK)
    )
    said = re.sub(r"<[^>]+>", "", said)
    assert "$0.12 to $0.30, 9,000 to 21,000 tokens (P50 to P90), from 12 past tasks" in said
    assert "$0.021, as the model guessed it" in said
    assert "20 answers, 60 calls of tools and 400,000 tokens" in said


@pytest.mark.parametrize("form", ["html", "text"])
def test_quote_says_once_how_it_is_known(make: type[Examples], read: Any, form: str) -> None:
    shown = make.snapshot("awaiting_approval", plan=with_a_model(make))
    whole = Quote(
        QuoteSource.ESTIMATE,
        dollars=Range(0.0642, 0.12),
        tokens=Range(14_238, 30_412),
        minutes=Range(1.0, 1.75),
    )
    outlook = Outlook((whole, OF_LINT))
    said = (
        read(mission_html(shown, live=False, outlook=outlook)).text
        if form == "html"
        else mission_text(shown, 200, outlook=outlook)
    )
    told = "$0.064 to $0.12, 14,000 to 30,000 tokens, 1 to 2 min (P50 to P90)"
    said = re.sub(r"<[^>]+>", "", said)
    assert f"{told}, as the model guessed it" in said
    expect = said[said.index("What to expect") :]
    expect = expect[: expect.index("At once")]
    assert "lint" in expect
    assert expect.count("as the model guessed it") == expect.count("P50 to P90") == 1


def test_table_of_quotes_writes_numbers_as_the_plan_does() -> None:
    quote = Quote(QuoteSource.ESTIMATE, tokens=Range(14_238, 30_412), minutes=Range(1.0, 1.75))
    said = quotes_text([quote])
    for each in ("14,000 to 30,000", "1 to 2 min"):
        assert each in said
        assert each in quote_words(quote)


def test_time_to_expect_is_that_of_the_quote(make: type[Examples]) -> None:
    shown = make.snapshot("awaiting_approval", plan=with_a_model(make))
    whole = replace(WHOLE, minutes=Range(0.5, 2.0))
    figures = Figures(shown, outlook=Outlook((whole, OF_LINT)))
    assert plain(dict(expected(figures))["Time"]) == "about 30 s (30 s to 2 min)"
    assert "30 s to 2 min (P50 to P90)" in plain(dict(expected(figures))["Quote"])


def test_time_left_is_that_of_the_quotes(make: type[Examples]) -> None:
    plan = with_a_model(make)
    quotes = tuple(
        Quote(QuoteSource.HISTORY, task.name, 3, minutes=Range(4.0, 8.0)) for task in plan.tasks
    )
    left = Figures(make.snapshot("awaiting_approval", plan=plan), outlook=Outlook(quotes)).left
    assert left is not None
    assert (left.basis, left.seconds % 240) == ("as it was quoted", 0)
    assert left.high > left.seconds


@pytest.mark.parametrize("form", ["html", "text"])
def test_page_under_way_says_what_was_quoted(make: type[Examples], form: str) -> None:
    record = make.mission("running", started_at=make.at(0))
    shown = make.snapshot("running", plan=with_a_model(make), mission=record)
    said = (
        mission_html(shown, live=True, outlook=OUTLOOK)
        if form == "html"
        else mission_text(shown, 200, outlook=OUTLOOK)
    )
    quoted = "Quoted: $0.12 to $0.30, 9,000 to 21,000 tokens (P50 to P90), from 12 past tasks."
    assert quoted in said


def test_free_quote_without_history_is_no_unknown_cost(make: type[Examples]) -> None:
    free = Quote(QuoteSource.UNKNOWN, dollars=Range(0.0, 0.0))
    said = "$0.00, tokens not known: no past task and no guess to go by"
    assert quote_words(free) == said
    assert "$0.00" in quotes_text([free])
    record = make.mission("succeeded", started_at=make.at(0), finished_at=make.at(100))
    shown = make.snapshot("succeeded", plan=with_a_model(make), mission=record)
    page = mission_text(shown, 300, outlook=Outlook((free,)))
    assert "It cost $0.00; quoted: $0.00." in page


def test_cost_that_holds_a_reserve_is_told_as_a_bound(make: type[Examples]) -> None:
    record = make.mission("cancelled", finished_at=make.at(100), cost=0.05)
    shown = make.snapshot("cancelled", plan=with_a_model(make), mission=record)
    figures = Figures(shown, outlook=Outlook(at_most=1))
    assert figures.cost_so_far == "at most $0.05"
    assert figures.spent_words == "at most $0.05 spent"
    settled = make.event("budget.settled", "lint", cost=0.05, model="gpt-6", at_most=True)
    assert plain(tell(settled)) == "It paid at most $0.05 to gpt-6."


@pytest.mark.parametrize(
    ("quote", "said"),
    [
        pytest.param(
            Quote(QuoteSource.HISTORY, tokens=Range(9.0, 30.0)),
            "The first number is as likely too low as too high; one in ten exceeds the second.",
            id="two",
        ),
        pytest.param(
            Quote(QuoteSource.HISTORY, tokens=Range(9.0, 9.0)),
            "Each number is as likely too low as too high.",
            id="one",
        ),
    ],
)
def test_foot_of_quotes_explains_only_the_numbers_there(quote: Quote, said: str) -> None:
    assert quotes_text([quote]).endswith(said)
    assert "number" not in quotes_text([Quote(QuoteSource.UNKNOWN)])
    nothing = Quote(QuoteSource.UNKNOWN, minutes=Range(0.0, 0.0), dollars=Range(0.0, 0.0))
    assert "number" not in quotes_text([nothing])


def test_whole_of_unlike_parts_says_so() -> None:
    whole = Quote(QuoteSource.ESTIMATE, runs=3, tokens=Range(9.0, 30.0))
    assert quote_words(whole).endswith(
        "in part from 3 past tasks, in part as the model guessed it"
    )
    assert "in part from 3 past tasks, in part estimated" in quotes_text([whole])


def test_calls_of_no_task_are_those_of_planning(read: Any) -> None:
    rows = [UsageSum(("",), 1), UsageSum(("read",), 1)]
    assert "planning" in usage_text(["task"], rows, rows[0])
    assert "planning" in read(usage_html(["task"], rows, rows[0])).text
    assert "planning" not in usage_text(["agent"], rows, rows[0])


def test_whole_never_looks_like_less_than_its_part() -> None:
    part = Quote(QuoteSource.ESTIMATE, task="read", dollars=Range(0.004, 0.0128))
    whole = replace(part, task="", dollars=Range(0.004, 0.0131))
    assert quote_words(part).startswith("$0.004 to $0.013 ")
    assert quote_words(whole).startswith("$0.004 to $0.013 ")
    assert quotes_text([part, whole]).count("$0.004 to $0.013 ") == 2


@pytest.mark.parametrize("cost", [0.00231, 0.0157, 0.0463, 0.5])
def test_amount_is_written_the_same_in_feed_page_and_table(
    make: type[Examples], cost: float
) -> None:
    paid = dollars(cost)
    facts: dict[str, Any] = {"model": "gpt-6", "cost": cost, "duration_s": 1.0}
    answered = make.event("llm.responded", "lint", **facts)
    settled = make.event("budget.settled", "lint", cost=cost)
    assert plain(tell(answered)).endswith(f" {paid}.")
    assert plain(tell(settled)) == f"It paid {paid}."
    assert words.money_of(cost, 1.0) == f"{paid} of $1.00"
    assert f"{paid} is spent" in str(BudgetExhaustedError(cost, 1.0, next_call=0.9))
    assert paid in quotes_text([Quote(QuoteSource.ESTIMATE, dollars=Range(cost, cost))])


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        pytest.param(0.06, "at most $0.06; probably not enough: $0.064 to $0.12 is", id="less"),
        pytest.param(0.1, "at most $0.10; perhaps not enough: $0.064 to $0.12", id="between"),
        pytest.param(0.12, "at most $0.12; each attempt takes", id="enough"),
        pytest.param(0.0, "no money; probably not enough: $0.064 to $0.12 is", id="none"),
    ],
)
def test_budget_below_the_quote_is_told_before_approval(
    make: type[Examples], budget: float, said: str
) -> None:
    plan = with_a_model(make, budget=budget)
    shown = make.snapshot("awaiting_approval", plan=plan)
    whole = Quote(QuoteSource.ESTIMATE, dollars=Range(0.0642, 0.12))
    outlook = Outlook((whole,))
    assert said in plain(dict(allowed(plan, whole))["Spends"])
    text = " ".join(mission_text(shown, 200, outlook=outlook).split())
    page = " ".join(
        re.sub(r"<[^>]+>", "", mission_html(shown, live=False, outlook=outlook)).split()
    )
    assert said in text
    assert said in page


def test_deadline_stands_behind_what_is_said_of_the_budget(make: type[Examples]) -> None:
    plan = with_a_model(make, budget=0.06, deadline_s=3600.0)
    spends = plain(dict(allowed(plan, WHOLE))["Spends"])
    assert spends.endswith("$0.12 to $0.30 is expected; at most 1 h in all")


# -- while it runs -----------------------------------------------------------------------


def test_waiting_for_a_server_says_for_what_and_until_when(make: type[Examples]) -> None:
    until = make.at(250).isoformat()
    waits = make.event(
        "llm.waited", "lint", 190, reason="too many requests", wait_s=60.0, until=until
    )
    shown = waiting(make, waits)
    said = plain(story(Figures(shown)).waiting)
    again = words.clock(make.at(250))
    assert said.startswith(f"Too many requests at api.example, again at {again}; for lint.")
    assert said.endswith("You need not act.")


def test_waiting_for_a_server_that_is_not_there_says_until_when_and_what_to_do(
    make: type[Examples],
) -> None:
    facts = {"reason": "cannot reach api.example (Name or service not known)", "wait_s": 20.0}
    times = {"until": make.at(210), "since": make.at(72), "given_up": make.at(672)}
    facts |= {name: each.isoformat() for name, each in times.items()}
    waits = make.event("llm.waited", "lint", 190, **facts)
    said = plain(story(Figures(waiting(make, waits))).waiting)
    until = words.clock(make.at(672))
    assert f"It has been tried for 2 min, and is given up at {until}." in said
    assert "Before that, %hyper resume m-7 --model NAME asks another model" in said
    assert "%hyper cancel m-7 ends it." in said
    assert "You need not act" not in said
    assert f"it is given up at {until}." in plain(tell(waits))


def test_attempt_that_follows_a_call_that_is_given_up_is_said_to(
    make: type[Examples],
) -> None:
    times = {"until": make.at(210), "since": make.at(72), "given_up": make.at(672)}
    facts = {name: each.isoformat() for name, each in times.items()}
    waits = make.event("llm.waited", "lint", 190, reason="busy", wait_s=20.0, **facts)
    shown = waiting(make, waits)
    assert shown.plan is not None
    tasks = [
        each.model_copy(update={"attempts": 3}) if each.name == "lint" else each
        for each in shown.plan.tasks
    ]
    shown = replace(shown, plan=shown.plan.model_copy(update={"tasks": tuple(tasks)}))
    until = words.clock(make.at(672))
    said = plain(story(Figures(shown)).waiting)
    assert f"is given up at {until}, when attempt 2 of 3 starts." in said


def test_call_that_goes_on_is_not_waited_for(make: type[Examples]) -> None:
    waits = make.event("llm.waited", "lint", 180, reason="busy", wait_s=60.0)
    goes_on = make.event("llm.waited", "lint", 190, reason="busy", until=None)
    assert "Busy" not in plain(story(Figures(waiting(make, waits, goes_on))).waiting)


def test_missing_key_is_named_with_what_gives_it(make: type[Examples]) -> None:
    shown = waiting(make, lacks=("EXAMPLE_API_KEY",))
    wanted = "it needs EXAMPLE_API_KEY: open a kernel that has it, or %hyper attach m-7"
    assert wanted in plain(story(Figures(shown)).waiting)
    [need] = [each for each in needs(Figures(shown)) if each.about == "key"]
    assert need.commands[0] == "%hyper attach m-7"
    assert "EXAMPLE_API_KEY" in mission_html(shown, live=True)


def test_approved_plan_whose_key_is_missing_waits_for_a_person(make: type[Examples]) -> None:
    running = make.snapshot("running")
    shown = make.snapshot(
        "awaiting_approval",
        plan=with_a_model(make),
        approvals=running.approvals,
        runners=running.runners,
        lacks=("EXAMPLE_API_KEY",),
    )
    told = story(Figures(shown))
    assert plain(told.now) == "The plan is approved. Nothing runs yet."
    assert plain(told.waiting).startswith("You: it needs EXAMPLE_API_KEY")


# -- when its money is spent -------------------------------------------------------------


def test_mission_paused_for_money_tells_the_four_ways_on(make: type[Examples]) -> None:
    figures = Figures(out_of_money(make))
    ways = [typed for typed, _ in money_ways(figures)]
    assert ways == [
        "%hyper resume m-7 --budget 1",
        "%hyper resume m-7 --model NAME",
        "%hyper resume m-7 --finish",
        "%hyper cancel m-7",
    ]
    shown = mission_html(out_of_money(make), live=True)
    assert all(typed in shown for typed in ways)
    assert "$0.48 of $0.50 is spent" in plain(story(figures).now)


def test_mission_paused_by_a_person_is_not_short_of_money(make: type[Examples]) -> None:
    paused = make.event("mission.paused", None, 190, by="ada")
    shown = make.snapshot("paused", plan=with_a_model(make, budget=0.5), events=(paused,))
    assert "budget" not in plain(story(Figures(shown)).waiting)


def test_raised_budget_is_the_one_that_is_shown(make: type[Examples]) -> None:
    record = make.mission("running", started_at=make.at(0), cost=0.48)
    shown = make.snapshot("running", plan=with_a_model(make, budget=0.5), mission=record)
    assert "$0.48 of $2.00 spent" in mission_html(shown, live=True, outlook=Outlook(budget=2.0))


# -- afterwards --------------------------------------------------------------------------


def test_actual_cost_stands_beside_the_quote(make: type[Examples]) -> None:
    record = make.mission(
        "succeeded", started_at=make.at(0), finished_at=make.at(100), cost=0.21
    )
    shown = make.snapshot("succeeded", plan=with_a_model(make), mission=record)
    said = mission_text(shown, 300, outlook=OUTLOOK)
    assert "It cost $0.21; quoted: $0.12 to $0.30" in said
    unknown = Outlook((Quote(QuoteSource.UNKNOWN),))
    assert "It cost $0.21; before, there was nothing to quote it by." in mission_text(
        shown, 300, outlook=unknown
    )


def test_quote_is_compared_with_the_tasks_and_planning_stands_beside_it(
    make: type[Examples],
) -> None:
    record = make.mission(
        "succeeded", started_at=make.at(0), finished_at=make.at(100), cost=0.21
    )
    shown = make.snapshot("succeeded", plan=with_a_model(make), mission=record)
    said = mission_text(shown, 300, outlook=replace(OUTLOOK, planning=0.05))
    assert "Planning cost $0.05, the tasks $0.16; quoted: $0.12 to $0.30" in said


def test_limits_are_written_with_all_their_digits(make: type[Examples]) -> None:
    shown = make.snapshot("awaiting_approval", plan=with_a_model(make, budget=0.055))
    assert "at most $0.055" in mission_text(shown, 200)
    record = make.mission("running", started_at=make.at(0), cost=0.0004)
    shown = make.snapshot("running", plan=with_a_model(make, budget=0.055), mission=record)
    assert "$0.0004 of $0.055 spent" in mission_html(shown, live=True)


def test_mission_that_was_cancelled_for_want_of_money_is_begun_anew_with_more(
    make: type[Examples],
) -> None:
    facts = {"because": "budget", "spent": 0.48, "budget": 0.5, "needed": 0.04}
    ended = make.snapshot(
        "cancelled",
        plan=with_a_model(make, budget=0.5),
        events=(make.event("mission.paused", None, 190, **facts),),
    )
    said = " ".join(mission_text(ended, 200).split())
    assert "%hyper rewind m-7 --budget " in said
    assert "%hyper retry" not in said


# -- the feed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        pytest.param(
            "llm.requested",
            {"model": "gpt-6", "host": "api.example", "purpose": "repair"},
            "Asks gpt-6 at api.example once more, because its answer could not be used.",
            id="repair",
        ),
        pytest.param(
            "llm.responded",
            {
                "model": "gpt-6",
                "duration_s": 3.2,
                "cost": 0.0214,
                "input_tokens": 1200,
                "output_tokens": 300,
                "source": "live",
            },
            "gpt-6 answered in 3.2 s: 1,200 tokens read, 300 written, $0.021.",
            id="answer",
        ),
        pytest.param(
            "llm.responded",
            {"model": "llama", "cost": None, "input_tokens": 2, "output_tokens": 1},
            "llama answered: 2 tokens read, 1 written, cost not known.",
            id="cost-not-known",
        ),
        pytest.param(
            "llm.responded",
            {"model": "gpt-6", "cost": 0.0, "source": "cache"},
            "The answer of gpt-6 is from the cache: nobody was asked, and nothing is paid.",
            id="cache",
        ),
        pytest.param(
            "llm.responded",
            {"model": "gpt-6", "source": "cassette"},
            "The answer of gpt-6 is from the cassette: nobody was asked, and nothing is paid.",
            id="cassette",
        ),
        pytest.param(
            "llm.responded",
            {"model": "gpt-6", "error": "the answer is not JSON"},
            "gpt-6 gave no answer that can be used: the answer is not JSON.",
            id="no-answer",
        ),
        pytest.param(
            "llm.streamed",
            {"text": "", "anew": True},
            "What was written so far does not count; the answer begins anew.",
            id="begins-anew",
        ),
        pytest.param(
            "budget.reserved",
            {"cost": None},
            "A call begins whose cost is not known, so nothing can be kept for it.",
            id="nothing-kept",
        ),
        pytest.param(
            "budget.reserved",
            {"cost": 0.02},
            "Up to $0.02 is kept for a call.",
            id="kept-without-a-budget",
        ),
        pytest.param(
            "budget.warned",
            {"spent": 0.4, "budget": 0.5},
            "80% of the budget is spent: $0.40 of $0.50.",
            id="warning",
        ),
        pytest.param(
            "budget.warned",
            {
                "model": "small",
                "input_tokens": [1, 90],
                "output_tokens": [80, 50],
                "times": [1.0, 1.6],
            },
            "small counts more than it was allowed: 80 tokens written of at most 50; counted "
            "as 50. Compare with your provider's bill.",
            id="claims",
        ),
        pytest.param(
            "budget.raised",
            {"budget": 1.0, "models": {"big": "small-1"}, "by": "ada"},
            "The budget is $1.00 from now on; other models are asked: small-1 for big, by ada.",
            id="raised",
        ),
        pytest.param(
            "budget.raised",
            {"models": {"work:m": "m"}, "hosts": {"work:m": "there.example"}, "by": "ada"},
            "Other models are asked: m at there.example for work:m, by ada.",
            id="other-host",
        ),
        pytest.param(
            "budget.settled",
            {"cost": None, "model": "llama"},
            "It used llama; cost not known.",
            id="settled-not-known",
        ),
        pytest.param(
            "key.missing",
            {"key": "EXAMPLE_API_KEY", "model": "gpt-6"},
            "It needs EXAMPLE_API_KEY, which its runner does not have. It goes on when a "
            "kernel that has it is open.",
            id="key",
        ),
        pytest.param(
            "message.sent",
            {"recipient": "qa-engineer", "type": "question", "characters": 40},
            "Sends a message to qa-engineer: question, 40 characters.",
            id="message",
        ),
        pytest.param(
            "mission.paused",
            {"because": "budget", "spent": 0.48, "budget": 0.5, "needed": 0.04},
            "The mission was paused: $0.48 of $0.50 is spent, and its next call may cost "
            "up to $0.04.",
            id="paused-for-money",
        ),
    ],
)
def test_events_of_models_are_calm_sentences(
    kind: str, payload: dict[str, Any], said: str, make: type[Examples]
) -> None:
    assert plain(tell(make.event(kind, "lint", **payload))) == said


def test_task_with_a_model_names_it_in_its_contract(make: type[Examples]) -> None:
    task = TaskSpec(name="review", agent="qa-engineer", work=AgentWork(model="big"))
    shown = make.snapshot(
        "awaiting_approval", plan=PlanSpec(goal="g", tasks=(task,), models={"big": MODEL})
    )
    said = mission_text(replace(shown, tasks=()), 200)
    assert "gpt-6 at api.example" in said
    assert "no variable" in said


@pytest.mark.parametrize(("content", "is_told"), [("full", True), ("hashes", False)])
def test_cache_is_told_only_where_it_is_used(content: Any, is_told: Any) -> None:
    task = TaskSpec(name="a", agent="a", work=AgentWork(model="m"))
    spec = PlanSpec(goal="g", tasks=(task,), models={"m": MODEL}, content=content, cache_s=60.0)
    assert ("Cache" in dict(model_terms(spec))) == is_told
