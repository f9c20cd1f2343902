"""On which rung of the ladder missions are shown, and what the doctor says of it."""

from __future__ import annotations

import pytest

from hypernb.errors import ConfigError
from hypernb.session.front_end import Evidence, Footing, Greetings, Rung, choose

NOTEBOOK = Evidence(has_kernel=True, is_headless=False)


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        pytest.param(
            Evidence(has_kernel=False, is_headless=False), "text: a terminal", id="terminal"
        ),
        pytest.param(
            Evidence(has_kernel=False, is_headless=False, wanted="widget"),
            "text: a terminal",
            id="terminal-cannot-do-more",
        ),
        pytest.param(
            Evidence(has_kernel=True, is_headless=False, wanted="html"),
            "static HTML, updated in place: HYPERNB_VIEWS=html",
            id="html-asked-for",
        ),
        pytest.param(
            Evidence(has_kernel=True, is_headless=False, wanted="text"),
            "text: HYPERNB_VIEWS=text",
            id="text-asked-for",
        ),
        pytest.param(
            Evidence(has_kernel=True, is_headless=True),
            "static HTML, updated in place: nobody is there to click",
            id="headless",
        ),
        pytest.param(
            Evidence(has_kernel=True, is_headless=True, wanted="widget"),
            "live view: HYPERNB_VIEWS=widget",
            id="widget-asked-for",
        ),
        pytest.param(
            Evidence(
                has_kernel=True,
                is_headless=False,
                wanted="widget",
                missing="they are not built",
            ),
            "static HTML, updated in place: they are not built",
            id="asked-for-in-vain",
        ),
        pytest.param(NOTEBOOK, "live view: a notebook with somebody at it", id="notebook"),
    ],
)
def test_rung_follows_from_evidence(evidence: Evidence, told: str) -> None:
    assert choose(evidence).told == told


def test_unknown_rung_is_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'widget'"):
        choose(Evidence(has_kernel=True, is_headless=False, wanted="widgets"))


def test_what_is_missing_comes_with_what_to_do() -> None:
    found = choose(
        Evidence(has_kernel=True, is_headless=False, missing="not built", mend="make widgets")
    )
    assert found.next_step == "make widgets"


def test_doctor_names_the_front_end_that_answered() -> None:
    now = 100.0
    greetings = Greetings(clock=lambda: now)
    live = Footing(Rung.WIDGET, "")
    assert greetings.footing(live).told == (
        "live view: no mission was shown yet, so none was answered"
    )
    greetings.heard("JupyterLab")
    now = 102.0
    assert greetings.footing(live).told == (
        "live view: JupyterLab answered 2 s ago, clicks work while a cell runs"
    )
    greetings.heard("JupyterLab", late_clicks="clicks wait for the cell that runs")
    assert greetings.footing(live).told.endswith("clicks wait for the cell that runs")


def test_live_view_that_nobody_answers_is_none() -> None:
    greetings = Greetings()
    greetings.unanswered()
    found = greetings.footing(Footing(Rung.WIDGET, ""))
    assert found.rung is Rung.HTML
    assert "no front end answered" in found.why
    assert found.next_step


def test_other_rungs_stay_as_they_were_chosen() -> None:
    greetings = Greetings()
    greetings.heard("JupyterLab")
    assert greetings.footing(Footing(Rung.TEXT, "a terminal")).told == "text: a terminal"
