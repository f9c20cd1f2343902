"""What leaves, as a session tells it: in the plan's notes, as a table, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from hypernb.errors import CannotShipError, ConfigError
from hypernb.model import AgentWork, Grant, ModelSpec, PlanSpec
from hypernb.plan import Plan
from hypernb.session import Session
from hypernb.session._leaving import leaving, told_in_notes
from hypernb.views import allowed, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hypernb.abc import Payload
    from hypernb.model import Digest


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(tmp_path / "missions.db") as made:
        yield made


def planned(
    session: Session, grant: Grant | None = None
) -> tuple[PlanSpec, Mapping[Digest, Payload]]:
    """A plan in which a model may see a frame."""
    frame = pd.DataFrame({"mail": ["a@example.org", "b@example.org"] * 10, "n": range(20)})
    plan = Plan("look", inputs={"df": frame})
    plan.add("look", agent="qa-engineer", tools=("ruff",))
    spec, payloads = session.build(plan)
    work = AgentWork(model="m", tools=("ruff",), variables={"df": grant or Grant()})
    task = spec.tasks[0].model_copy(update={"work": work})
    model = ModelSpec(name="x", base_url="https://api.example/v1")
    return spec.model_copy(update={"tasks": (task,), "models": {"m": model}}), payloads


def test_note_says_how_many_bytes_of_what_leave_for_which_host(session: Session) -> None:
    spec, payloads = planned(session)
    [each] = leaving(session, spec, payloads)
    [note] = told_in_notes(session, spec, payloads).notes
    assert note.startswith(f"Of df, {each.size_bytes} bytes leave for api.example: ")
    assert "types, statistics, 5 sampled rows; 7 e-mail addresses covered up." in note


def test_key_is_covered_in_the_lens(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, payloads = planned(session, Grant(see="all", redact=False))
    monkeypatch.setenv("OPENAI_API_KEY", "a@example.org")
    [each] = leaving(session, spec, payloads)
    assert "a@example.org" not in each.text
    assert each.redactions["secret"] >= 10
    assert each.size_bytes == len(each.text.encode())


def test_notes_follow_the_plan_and_others_stay(session: Session) -> None:
    spec, payloads = planned(session)
    spec = spec.model_copy(update={"notes": ("Mind the step.",)})
    once = told_in_notes(session, spec, payloads)
    assert told_in_notes(session, once, payloads) == once
    work = AgentWork(model="m", tools=("ruff",))
    task = once.tasks[0].model_copy(update={"work": work})
    without = told_in_notes(session, once.model_copy(update={"tasks": (task,)}))
    assert without.notes == ("Mind the step.",)


def test_plan_without_variables_keeps_its_hash(session: Session) -> None:
    plan = Plan("look")
    plan.add("look", agent="qa-engineer", tools=("ruff",))
    spec, _ = session.build(plan)
    assert told_in_notes(session, spec) is spec


def test_stored_plan_says_the_same(session: Session) -> None:
    spec, payloads = planned(session)
    before = leaving(session, spec, payloads)
    session.store.create_mission(spec, by="me", payloads=payloads)
    assert [each.text for each in session.mission().egress()] == [e.text for e in before]


def test_lens_shows_itself_to_the_last_character(session: Session) -> None:
    lens = leaving(session, *planned(session))
    assert lens[0].text in repr(lens)
    assert f"{lens[0].task}: Of {lens[0].variable}, " in repr(lens)
    assert lens[0].text in lens._repr_html_().replace("&#x27;", "'")
    assert "<script" not in lens._repr_html_()
    assert list(lens.to_frame()["variable"]) == ["df"]
    assert (len(lens[:0]), repr(lens[:0])) == (0, "No variable leaves this machine.")


def test_markup_in_values_is_text(session: Session) -> None:
    plan = Plan("look", inputs={"df": pd.DataFrame({"<img src=x>": ["<b>bold</b>"]})})
    plan.add("look", agent="qa-engineer", tools=("ruff",))
    spec, payloads = session.build(plan)
    work = AgentWork(model="m", variables={"df": Grant()})
    task = spec.tasks[0].model_copy(update={"work": work})
    model = ModelSpec(name="x", base_url="https://api.example/v1")
    spec = spec.model_copy(update={"tasks": (task,), "models": {"m": model}})
    shown = leaving(session, spec, payloads)._repr_html_()
    assert "<img" not in shown
    assert "&lt;b&gt;bold" in shown


@pytest.mark.parametrize(
    ("grant", "said"),
    [
        (Grant(), "df to api.example: types, statistics, 5 sampled rows"),
        (Grant(rows=1), "df to api.example: types, statistics, 1 sampled row"),
        (Grant(see="schema"), "df to api.example: types and statistics"),
        (Grant(see="all"), "df to api.example: all of it"),
    ],
    ids=["sample", "one-row", "schema", "all"],
)
def test_contract_says_what_a_yes_tells_to_whom(
    session: Session, grant: Grant, said: str
) -> None:
    spec, _ = planned(session, grant)
    assert plain(dict(allowed(spec))["Tells"]) == said


def test_contract_without_models_tells_nothing(session: Session) -> None:
    plan = Plan("look")
    plan.add("look", agent="qa-engineer", tools=("ruff",))
    spec, _ = session.build(plan)
    assert "Tells" not in dict(allowed(spec))


class TestInputsThatAreTooLarge:
    def test_are_refused_before_they_are_copied(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HYPERNB_INPUT_MB", "1")
        frame = pd.DataFrame({"a": range(1_000_000)})
        with pytest.raises(CannotShipError) as caught:
            Plan("look", inputs={"df": frame})
        said = "The input 'df' has about 8 MB, and 1 MB are the most that is handed in."
        assert str(caught.value).startswith(said)
        assert "HYPERNB_INPUT_MB=9" in caught.value.hint

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param({"a": ["x" * 400_000] * 5}, id="texts-in-a-list"),
            pytest.param([("k", {"v": b"x" * 2_000_000})], id="bytes-deep-inside"),
            pytest.param({"x" * 2_000_000: 1}, id="name"),
        ],
    )
    def test_are_refused_where_containers_hold_them(
        self, monkeypatch: pytest.MonkeyPatch, value: object
    ) -> None:
        monkeypatch.setenv("HYPERNB_INPUT_MB", "1")
        encoded: list[object] = []
        monkeypatch.setattr("hypernb.plan._builder.codec.encode", encoded.append)
        with pytest.raises(CannotShipError, match="has about 2 MB"):
            Plan("look", inputs={"rows": value})
        assert not encoded

    def test_are_refused_when_only_their_bytes_tell(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HYPERNB_INPUT_MB", "1")
        with pytest.raises(CannotShipError, match="has about 3 MB"):
            Plan("look", inputs={"rows": list(range(400_000))})

    def test_are_taken_where_the_limit_is_higher(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HYPERNB_INPUT_MB", "10")
        assert Plan("look", inputs={"df": pd.DataFrame({"a": range(1_000_000)})}).inputs

    def test_limit_that_is_no_number_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HYPERNB_INPUT_MB", "much")
        with pytest.raises(ConfigError, match="HYPERNB_INPUT_MB is 'much'"):
            Plan("look", inputs={"a": 1})
