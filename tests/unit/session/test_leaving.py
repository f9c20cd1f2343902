"""What leaves, as a session tells it: in the plan's notes, as a table, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from hypernb.errors import CannotShipError, ConfigError
from hypernb.model import AgentWork, Grant, ModelSpec, PlanSpec, TaskSpec
from hypernb.plan import Plan
from hypernb.session._leaving import Leaving, leaving, told_in_notes
from hypernb.views import allowed, leaves_later, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.abc import Payload
    from hypernb.model import Digest
    from hypernb.session import Session


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


@pytest.mark.parametrize("see", ["schema", "sample", "all"])
def test_plan_says_how_much_a_task_is_handed_in(session: Session, see: Any) -> None:
    spec, payloads = planned(session, Grant(see=see))
    [each] = leaving(session, spec, payloads)
    spec = told_in_notes(session, spec, payloads)
    assert spec.handed_in == {"look": each.size_bytes}
    own = spec.tasks[0].work.model_copy(update={"function": "f" * 64})
    task = spec.tasks[0].model_copy(update={"work": own})
    spec = told_in_notes(session, spec.model_copy(update={"tasks": (task,)}), payloads)
    assert spec.handed_in == {}


def test_plan_says_what_each_task_is_handed_in_of_one_variable(session: Session) -> None:
    plan = Plan("look", inputs={"big": "word " * 1_000})
    plan.add("look", agent="qa-engineer", tools=("ruff",))
    spec, payloads = session.build(plan)
    tasks = [
        spec.tasks[0].model_copy(
            update={
                "name": name,
                "work": AgentWork(model="m", variables={"big": Grant(see=see)}),
            }
        )
        for name, see in (("part", "schema"), ("whole", "all"))
    ]
    model = ModelSpec(name="x", base_url="http://127.0.0.1:8/v1")
    spec = spec.model_copy(update={"tasks": tuple(tasks), "models": {"m": model}})
    spec = told_in_notes(session, spec, payloads)
    sizes = {each.task: each.size_bytes for each in leaving(session, spec, payloads)}
    assert spec.handed_in == sizes
    assert sizes["part"] < 1_000 < sizes["whole"]
    [part, whole, _] = session.quote(spec)
    assert (part.by_size, whole.by_size) == (False, False)  # nothing is known to raise


def test_replay_is_said_to_send_nothing_in_the_head_too(session: Session) -> None:
    spec, payloads = planned(session)
    spec = spec.model_copy(update={"cassette": "replay:/tmp/crew.jsonl"})
    lens = leaving(session, spec, payloads)
    for said in (repr(lens), lens._repr_html_()):
        assert "Would leave for" in said
        assert "Leaves for" not in said
    [note] = told_in_notes(session, spec, payloads).notes
    assert " would leave for api.example: " in note
    assert "nothing is sent" in note


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
        (Grant(), "df to api.example: types, statistics, at most 5 rows, lines or items"),
        (Grant(rows=1), "df to api.example: types, statistics, at most 1 row, line or item"),
        (Grant(see="schema"), "df to api.example: types and statistics"),
        (Grant(see="all"), "df to api.example: up to 200,000 characters of it"),
    ],
    ids=["sample", "one-row", "schema", "all"],
)
def test_contract_says_what_a_yes_tells_to_whom(
    session: Session, grant: Grant, said: str
) -> None:
    spec, _ = planned(session, grant)
    assert plain(dict(allowed(spec))["Tells"]) == said


def test_contract_says_which_task_sees_more(session: Session) -> None:
    spec, _ = planned(session)
    more = spec.tasks[0].work.model_copy(update={"variables": {"df": Grant(see="schema")}})
    less = spec.tasks[0].model_copy(update={"name": "review", "work": more})
    spec = spec.model_copy(update={"tasks": (*spec.tasks, less)})
    assert plain(dict(allowed(spec))["Tells"]) == (
        "df to api.example in look: types, statistics, at most 5 rows, lines or items; "
        "df to api.example in review: types and statistics"
    )


@pytest.mark.parametrize(
    ("value", "grant", "said"),
    [
        ({"host": "db", "port": 1}, Grant(), "types, 2 sampled keys"),
        ([1, 2, 3], Grant(), "types, statistics, 3 sampled items"),
        (pd.Series([1, 2]), Grant(), "types, statistics, 2 sampled values"),
        (pd.DataFrame({"a": [1]}), Grant(), "types, statistics, 1 sampled row"),
        (pd.DataFrame({"a": []}), Grant(), "types and statistics"),
        (7, Grant(), "its type and its value"),
        (None, Grant(), "its type"),
        (b"abc", Grant(see="all"), "its type and its size"),
        ("word " * 100, Grant(see="schema"), "its length"),
        ("short", Grant(), "all of it"),
        ({"a": [1]}, Grant(see="all"), "all of it"),
        ({"a": ["x" * 3_000]}, Grant(see="all"), "its values, some of them cut short"),
        (list(range(10_001)), Grant(see="all"), "its values, some of them cut short"),
        ({n: n for n in range(10_001)}, Grant(see="all"), "its values, some of them cut short"),
        (set(range(10_001)), Grant(see="all"), "its values, some of them cut short"),
    ],
)
def test_lens_says_no_more_than_there_is(
    session: Session, value: object, grant: Grant, said: str
) -> None:
    plan = Plan("look", inputs={"it": value})
    plan.add("look", agent="qa-engineer", tools=("ruff",))
    spec, payloads = session.build(plan)
    work = AgentWork(model="m", variables={"it": grant})
    task = spec.tasks[0].model_copy(update={"work": work})
    model = ModelSpec(name="x", base_url="https://api.example/v1")
    spec = spec.model_copy(update={"tasks": (task,), "models": {"m": model}})
    [note] = told_in_notes(session, spec, payloads).notes
    assert note.endswith(f" leave for api.example: {said}.")


def test_all_of_it_is_said_only_of_all_of_it(session: Session) -> None:
    big = "word " * 3_000_000
    plan = Plan("look", inputs={"big": big})
    plan.add("look", agent="qa-engineer", tools=("ruff",))
    spec, payloads = session.build(plan)
    work = AgentWork(model="m", variables={"big": Grant(see="all")})
    task = spec.tasks[0].model_copy(update={"work": work})
    model = ModelSpec(name="x", base_url="https://api.example/v1")
    spec = spec.model_copy(update={"tasks": (task,), "models": {"m": model}})
    spec = told_in_notes(session, spec, payloads)
    lens = leaving(session, spec, payloads)
    shown = [*spec.notes, plain(dict(allowed(spec))["Tells"]), repr(lens), lens._repr_html_()]
    assert "all of it" not in " ".join(shown)
    [each] = lens
    told = each.text.partition("all:\n")[2].rpartition("\n… ")[0]
    assert each.untold == len(big) - len(told)
    assert each.text.endswith(f"\n… {each.untold:,} more characters are not told.")
    assert f"a part of it, {each.untold:,} more characters are not told." in spec.notes[0]
    assert each.text in repr(lens)


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


def _later(*tasks: TaskSpec, **terms: Any) -> list[str]:
    model = ModelSpec(name="gpt", base_url="https://api.example/v1")
    return leaves_later(PlanSpec(goal="look", tasks=tasks, models={"m": model}, **terms))


def test_what_is_not_known_yet_is_named_by_task() -> None:
    first = TaskSpec(name="first", agent="a", work=AgentWork(model="m"))
    lanes = {"total": "kernel:1"}
    work = AgentWork(model="m", tools=("total",), lanes=lanes)
    second = TaskSpec(name="second", agent="a", needs=("first",), work=work)
    [said] = _later(first, second)
    assert said == (
        "second, later also for api.example: what total() answers, output of first "
        "(not known yet; covered up like the rest)."
    )
    assert _later(first, second, cassette="replay:tape.jsonl") == []


def test_code_of_ones_own_decides_what_it_sends_of_what_is_not_known_yet() -> None:
    first = TaskSpec(name="first", agent="a", work=AgentWork())
    own = AgentWork(model="m", function="f" * 64)
    asks, asks_not = (
        TaskSpec(name=name, agent="own", needs=("first",), work=work)
        for name, work in {"asks": own, "not": own.model_copy(update={"model": ""})}.items()
    )
    [said] = _later(first, asks, asks_not)
    assert said.startswith("asks, later also for api.example: output of first (not known yet; ")
    assert "what the agent's own code sends of it" in said


def test_lens_without_variables_names_what_leaves_later() -> None:
    shown = Leaving([], ["b, later also for api.example: output of a (not known yet)."])
    assert "later also for api.example" in repr(shown)
    assert "later also for api.example" in shown._repr_html_()
