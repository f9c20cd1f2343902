"""Options about models: what a line comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import PlanningInterruptedError, UnknownNameError, UsageError
from hypernb.magics._actions import ACTIONS
from hypernb.magics._complete import complete_line
from hypernb.magics._line import read_line, read_words, split_words
from hypernb.magics._start import Surroundings, start_cell
from hypernb.magics._verbs import CELL_OPTIONS, VERBS
from hypernb.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Planned(Exception):  # noqa: N818 - it is no error: it ends the proposal
    """Carries what a proposal was asked for."""


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYPERNB_MODE", raising=False)

    def propose(_self: Session, goal: str = "", **terms: Any) -> None:
        raise Planned({"goal": goal, **terms})

    monkeypatch.setattr(Session, "propose", propose)
    monkeypatch.setattr(Session, "model_names", lambda _self: ["big", "small"])
    monkeypatch.setattr(Session, "profile_names", lambda _self: ["openai", "work"])
    with Session(tmp_path / "store.db", root=tmp_path) as made:
        yield made


@pytest.fixture
def around(session: Session) -> Surroundings:
    return Surroundings(
        namespace={"df": 1, "cfg": 2},
        hidden=(),
        headless=False,
        shell=None,
        open_session=lambda: session,
        configure=lambda _settings: None,
    )


def proposed(around: Surroundings, line: str) -> dict[str, Any]:
    with pytest.raises(Planned) as caught:
        start_cell(around, line, "Which tests are missing?")
    terms = caught.value.args[0]
    assert callable(terms.pop("on_progress"))
    return {name: value for name, value in terms.items() if value}


def test_interrupted_planning_is_one_line_and_starts_nothing(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_words: Any, **_terms: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "propose", interrupted)
    with pytest.raises(PlanningInterruptedError, match="there is no mission"):
        start_cell(around, "", "Which tests are missing?")


def test_interrupted_planning_names_the_mission_that_keeps_what_it_cost(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_words: Any, **_terms: Any) -> None:
        raise PlanningInterruptedError("m-3")

    monkeypatch.setattr(Session, "propose", interrupted)
    with pytest.raises(PlanningInterruptedError, match=r"are kept in m-3\."):
        start_cell(around, "", "Which tests are missing?")


def test_yes_says_that_nobody_reads_the_plan(around: Surroundings) -> None:
    assert proposed(around, "--yes")["unseen"] is True
    assert "unseen" not in proposed(around, "")


def test_see_without_in_says_what_to_write(around: Surroundings) -> None:
    with pytest.raises(UsageError, match="Write --in df as well"):
        start_cell(around, "--see df=all", "Which tests are missing?")


def options(line: str) -> tuple[list[str], dict[str, Any]]:
    return read_words(split_words(line), CELL_OPTIONS, passes_on=True)


@pytest.mark.parametrize(
    ("line", "arguments", "path"),
    [
        pytest.param("--record", [], "", id="usual"),
        pytest.param("--record tape.jsonl", [], "tape.jsonl", id="named"),
        pytest.param("--record=tape", [], "tape", id="equals"),
        pytest.param("--record ..", [".."], "", id="argument-of-a-playbook"),
        pytest.param("--record --yes", [], "", id="next-option"),
    ],
)
def test_cassette_may_be_named(line: str, arguments: list[str], path: str) -> None:
    words, given = options(line)
    assert (words, given["record"]) == (arguments, path)


def test_model_variables_and_tools_are_handed_on(around: Surroundings) -> None:
    line = "--model big --in df,cfg --see df=schema,cfg=all --tools read,grep"
    asked = proposed(around, line)
    assert asked["model"] == "big"
    assert asked["see"] == {"df": "schema", "cfg": "all"}
    assert asked["tools"] == ("read", "grep")


def test_without_an_option_nothing_of_models_is_asked(around: Surroundings) -> None:
    assert {"model", "offline", "cassette", "see", "tools"}.isdisjoint(proposed(around, ""))


def test_recording_names_the_cassette_after_the_goal(
    around: Surroundings, tmp_path: Path
) -> None:
    usual = tmp_path / ".hypernb" / "cassettes" / "which-tests-are-missing.jsonl"
    assert proposed(around, "--record")["cassette"] == f"record:{usual}"


def test_mode_of_the_environment_is_left_to_planning(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A playbook asks no model, and has no cassette that could be missing.
    monkeypatch.setenv("HYPERNB_MODE", "replay")
    assert "cassette" not in proposed(around, "")


def test_offline_asks_for_no_model(around: Surroundings) -> None:
    assert proposed(around, "--offline")["offline"] is True


def test_model_goes_before_the_setting_offline(around: Surroundings, session: Session) -> None:
    session.settings["offline"] = True
    assert proposed(around, "")["offline"] is True
    assert proposed(around, "--model big")["model"] == "big"


@pytest.mark.parametrize(
    ("line", "error", "said"),
    [
        pytest.param("--model big --offline", UsageError, "exclude", id="both"),
        pytest.param("--record --replay", UsageError, "exclude", id="record-and-replay"),
        pytest.param("--replay --offline", UsageError, "--replay and --off", id="replay-off"),
        pytest.param(
            "--record tape.txt", UsageError, "ends in .jsonl.*--record=tape.txt", id="tape"
        ),
        pytest.param("--budget -1", UsageError, "dollars, 0 or more, not '-1'", id="budget"),
        pytest.param("--in df --see df", UsageError, "NAME=schema", id="how-much"),
        pytest.param("--in cfg --see df=all", UnknownNameError, "'df'", id="not-handed-in"),
    ],
)
def test_misuse_starts_nothing(
    around: Surroundings, line: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        start_cell(around, line, "Which tests are missing?")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        pytest.param("%%hyper --model ", ["big", "small"], id="model"),
        pytest.param("%hyper models w", ["work"], id="profile"),
        pytest.param("%hyper usage --by model,a", ["agent"], id="group"),
        pytest.param("%hyper resume m-1 --b", ["--budget"], id="option"),
        pytest.param("%hyper config mo", ["model="], id="setting"),
        pytest.param("%hyper eg", ["egress"], id="verb"),
        pytest.param("%%hyper --see d", ["df"], id="variable"),
    ],
)
def test_tab_offers_what_may_stand_there(
    around: Surroundings, line: str, offered: list[str]
) -> None:
    assert list(complete_line(around, line).names) == offered


def test_ways_on_from_a_pause_are_options_of_resume() -> None:
    request = read_line("resume m-1 --budget 2 --model small --finish", VERBS)
    assert request.options == {"budget": 2.0, "model": "small", "finish": True}


def test_cache_forgets_nothing_by_mistake(around: Surroundings) -> None:
    request = read_line("cache --days 3", VERBS)
    with pytest.raises(UsageError, match="Add --evict"):
        ACTIONS["cache"](around, request)


def test_cache_says_how_old_answers_can_be(around: Surroundings) -> None:
    request = read_line("cache --evict --days 40000", VERBS)
    with pytest.raises(UsageError, match=r"than 40000 days\. Write .* from 0 to 36,500"):
        ACTIONS["cache"](around, request)


def test_empty_cache_says_so(around: Surroundings) -> None:
    assert "empty" in repr(ACTIONS["cache"](around, read_line("cache", VERBS)))
    evicted = ACTIONS["cache"](around, read_line("cache --evict", VERBS))
    assert str(evicted) == "0 answers were forgotten."


def test_every_verb_has_an_action() -> None:
    assert set(ACTIONS) == set(VERBS)
