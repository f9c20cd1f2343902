"""Words on planning: who is asked, for how long, and how much has come."""

from __future__ import annotations

from hypernb.abc import ModelWait
from hypernb.session._planning_progress import Progress


def test_each_second_of_waiting_has_a_word_and_no_second_has_two() -> None:
    told: list[str] = []
    clock = [10.0]
    progress = Progress("gpt-6", told.append, lambda: clock[0])
    for at in (10.5, 11.1, 11.3):
        clock[0] = at
        progress.look()
    progress.hear("x" * 1_204)
    clock[0] = 14.0
    progress.look()
    clock[0] = 15.26
    progress.end()
    assert told == [
        "asks gpt-6 for a plan",
        "asks gpt-6 for a plan: 1 s so far",
        "asks gpt-6 for a plan: 4 s so far, 1,204 characters have come",
        "asked gpt-6 for a plan, for 5.3 s",
    ]


def test_an_answer_that_begins_anew_is_counted_anew() -> None:
    told: list[str] = []
    clock = [0.0]
    progress = Progress("gpt-6", told.append, lambda: clock[0])
    progress.hear("x" * 900)
    progress.hear("")
    progress.hear("yes")
    clock[0] = 1.0
    progress.look()
    assert told[-1] == "asks gpt-6 for a plan: 1 s so far, 3 characters have come"


def test_a_server_that_cannot_be_asked_is_named_until_it_answers() -> None:
    told: list[str] = []
    clock = [0.0]
    progress = Progress("gpt-6", told.append, lambda: clock[0])
    progress.wait(ModelWait("cannot reach localhost:1", 2.0))
    clock[0] = 1.0
    progress.look()
    progress.hear("yes")
    clock[0] = 2.0
    progress.look()
    asks = "asks gpt-6 for a plan"
    assert told[1:] == [
        f"{asks}: 1 s so far; cannot reach localhost:1, and it is tried again",
        f"{asks}: 2 s so far, 3 characters have come",
    ]
