"""Buttons of a mission that was paused because no money was left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import UsageError
from hypernb.session import Mission
from hypernb.views import NO_OUTLOOK, Choice, Outlook
from hypernb.widgets._head import head_facts
from hypernb.widgets._verbs import act
from tests.unit.views.conftest import at, event, mission, plan, snapshot
from tests.unit.widgets.recorded import Recorded
from tests.unit.widgets.test_facts import fields_of

if TYPE_CHECKING:
    from hypernb.session import Session


SMALL = {"model": "small", "approve_host": False}


def head(outlook: Outlook = NO_OUTLOOK) -> dict[str, Any]:
    facts = {"because": "budget", "spent": 0.48, "budget": 0.5, "needed": 0.04}
    record = mission("paused", started_at=at(0), cost=0.48)
    return head_facts(
        snapshot(
            "paused",
            plan=plan(budget=0.5),
            mission=record,
            events=(event("mission.paused", None, 190, **facts),),
        ),
        outlook=outlook,
    )


def test_each_way_on_is_a_button_with_its_magic() -> None:
    [need] = [each for each in head()["needs"] if not each["task"]]
    assert [(each["verb"], each["twin"]) for each in need["actions"]] == [
        ("resume", "%hyper resume m-7 --budget 1"),
        ("take_model", "%hyper resume m-7 --model NAME"),
        ("finish", "%hyper resume m-7 --finish"),
        ("cancel", "%hyper cancel m-7"),
    ]
    assert need["actions"][0]["args"] == {"budget": 1.0}


def test_another_model_is_chosen_from_what_there_is() -> None:
    offered = Choice("small", "small, cheaper, at api.example: $0.1 read, $0.4 written")
    [need] = [each for each in head(Outlook(choices=(offered,)))["needs"] if not each["task"]]
    asks = need["actions"][1]["confirm"]
    assert asks["choices"] == [[offered.name, offered.said]]
    assert set(asks) <= set().union(*fields_of("Confirm"))


@pytest.mark.parametrize(
    ("cost", "unknown", "budget", "says"),
    [
        pytest.param(0.12, 0, 0.5, "$0.12 of $0.50 spent", id="known"),
        pytest.param(
            0.12, 3, 0.5, "$0.12 of $0.50 spent, and 3 calls of unknown cost", id="some"
        ),
        pytest.param(0.0, 3, None, "3 calls of unknown cost", id="none"),
        pytest.param(
            0.0, 1, 0.5, "1 call of unknown cost; the budget is $0.50", id="none-of-a-budget"
        ),
        pytest.param(0.0, 0, None, "$0.00 spent", id="nothing"),
    ],
)
def test_meter_says_what_is_unknown_and_never_nothing_for_it(
    cost: float, unknown: int, budget: float | None, says: str
) -> None:
    shown = snapshot(
        "running",
        plan=plan(budget=budget),
        mission=mission("running", started_at=at(0), cost=cost),
    )
    facts = head_facts(shown, outlook=Outlook(unknown=unknown))
    assert (facts["spent"], facts["unknown"]) == (says, unknown)
    assert cost or not unknown or "$0.00" not in facts["cost_says"]


def test_resuming_without_money_is_not_offered() -> None:
    first, *_ = head()["actions"]
    assert (first["verb"], first["label"]) == ("resume", "Raise the budget to $1.00")


@pytest.mark.parametrize(
    ("verb", "args", "meant"),
    [
        pytest.param("resume", {"budget": 1}, {"budget": 1}, id="budget"),
        pytest.param("finish", {}, {"finish": True}, id="finish"),
        pytest.param("take_model", {"reason": " small "}, SMALL, id="model"),
    ],
)
def test_click_does_what_its_magic_does(
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    args: dict[str, Any],
    meant: dict[str, Any],
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(Mission, "resume", lambda _self, **given: asked.append(given))
    act(verb, args, Recorded(session).mission)
    assert asked == [meant]


def test_model_without_a_name_is_asked_for(session: Session) -> None:
    with pytest.raises(UsageError, match="No model was named"):
        act("take_model", {"reason": " "}, Recorded(session).mission)
