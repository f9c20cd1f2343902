"""Another model for a mission under way: which is meant, and what is refused at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import hypernb
from hypernb.codec import encode
from hypernb.errors import (
    ConfigError,
    HypernbError,
    KeyMissingError,
    MissionWaitsError,
    TransitionError,
    UnknownNameError,
    UnnamedHostError,
    UsageError,
)
from hypernb.model import (
    AgentWork,
    Grant,
    MissionState,
    ModelSpec,
    PlanSpec,
    Price,
    TaskSpec,
)
from hypernb.widgets._verbs import act
from tests.kept import kept_in
from tests.model_server import ModelServer
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hypernb.session import Mission, Session

PRICE = Price(input=1, output=2, source="x")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def other() -> Iterator[ModelServer]:
    with ModelServer(models=("cheap", "dear")) as server:
        yield server


@pytest.fixture
def session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ModelServer, other: ModelServer
) -> Iterator[Session]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(
        f'[profiles.mine]\nbase_url = "{server.url}"\nmodel = "scripted"\n'
        '[profiles.mine.prices."scripted-mini"]\ninput = 0.1\noutput = 0.4\n'
        f'[profiles.there]\nbase_url = "{other.url}"\nmodel = "cheap"\n'
        '[profiles.there.prices."cheap"]\ninput = 0.1\noutput = 0.4\n'
        f'[profiles.keyed]\nbase_url = "{server.url}"\nmodel = "scripted"\nkey = "NOT_SET"\n'
        f'[profiles.unpriced]\nbase_url = "{server.url}"\nmodel = "scripted-mini"\n'
        'key = "OPENAI_API_KEY"\n'
    )
    monkeypatch.setenv("HYPERNB_HOME", str(home))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-secret")  # pragma: allowlist secret
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    for name in ("HYPERNB_MODEL", "HYPERNB_MODE", "NOT_SET"):
        monkeypatch.delenv(name, raising=False)
    with hypernb.Session(tmp_path / "h.db", runner="inprocess", root=tmp_path) as made:
        yield made


@pytest.fixture
def mission(session: Session, server: ModelServer) -> Mission:
    return paused(session, plan_with(session, server))


def plan_with(session: Session, server: ModelServer, **fields: Any) -> PlanSpec:
    spec = ModelSpec(name="scripted", base_url=server.url, price=PRICE)
    rows = session.store.put_artifact(encode(["CONFIDENTIAL"]))
    work = AgentWork(model="mine:scripted", variables={"rows": Grant(see="all")})
    task = TaskSpec(name="a", agent="qa-engineer", work=work)
    known = {"models": {"mine:scripted": spec}, "inputs": {"rows": rows}, "budget": 1.0}
    return PlanSpec(**{"goal": "look", "tasks": (task,), **known, **fields})


def test_model_made_by_hand_says_which_key_it_needs(
    session: Session, server: ModelServer
) -> None:
    keyed = ModelSpec(name="scripted", base_url=server.url, key="OPENAI_API_KEY")
    spec = session.equipped(plan_with(session, server, models={"mine:scripted": keyed}))
    mine = session.store.fingerprint("sk-a-secret")
    assert spec.models["mine:scripted"].key_id == mine
    other = keyed.model_copy(update={"key": "NOT_SET"})
    spec = session.equipped(plan_with(session, server, models={"mine:scripted": other}))
    assert spec.models["mine:scripted"].key_id == ""


def started(session: Session, plan: PlanSpec) -> Recorded:
    made = Recorded(session)
    made.record = session.store.create_mission(plan, by="ada@here")
    return made.start()


def paused(session: Session, plan: PlanSpec) -> Mission:
    made = started(session, plan).pause()
    return session.mission(made.record.short_id)


def taken(mission: Mission) -> list[tuple[str, str]]:
    amendments = mission.session.store.amendments(mission.record.id)
    return [(model.name, model.host) for each in amendments for model in each.models.values()]


def test_bare_name_is_another_model_of_the_server_that_the_mission_asks(
    mission: Mission, server: ModelServer
) -> None:
    mission.take_model("scripted-mini")
    assert taken(mission) == [("scripted-mini", server.host)]


@pytest.mark.parametrize("mode", ["offline", "replay"])
def test_where_nothing_may_leave_no_server_is_asked_for_its_list(
    mission: Mission, server: ModelServer, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("HYPERNB_MODE", mode)
    mission.take_model("scripted-mini")
    assert taken(mission) == [("scripted-mini", server.host)]
    assert server.requests == []


def test_key_in_the_address_of_another_model_is_refused(
    mission: Mission, server: ModelServer, tmp_path: Path
) -> None:
    settings = tmp_path / "home" / "config.toml"
    settings.write_text(
        f'{settings.read_text()}[profiles.odd]\nbase_url = "{server.url}/sk-a-secret"\n'
        'model = "scripted"\nkey = ""\nprices.scripted = {input = 0.1, output = 0.4}\n'
    )
    with pytest.raises(UsageError, match="OPENAI_API_KEY stands in the name or the address"):
        mission.take_model("odd")
    assert taken(mission) == []
    assert kept_in(tmp_path / "h.db", "sk-a-secret") == []


def test_host_that_was_not_approved_is_asked_only_by_leave_and_the_lens_names_it(
    mission: Mission, server: ModelServer, other: ModelServer
) -> None:
    for refused in ("there", "there:cheap"):
        with pytest.raises(UnnamedHostError) as asked:
            mission.resume(model=refused)
        assert f"does not name {other.host}" in str(asked.value)
        assert f"leave for {other.host}: all of it." in str(asked.value)
        assert f"--model {refused} --yes" in asked.value.hint
    assert taken(mission) == []
    assert other.asked == []
    assert {each.host for each in mission.egress()} == {server.host}
    mission.take_model("there", approve_host=True)
    assert taken(mission) == [("cheap", other.host)]
    assert {each.host for each in mission.egress()} == {other.host}
    assert other.host in repr(mission.egress())


def test_view_asks_for_that_leave_in_a_step_of_its_own_with_the_same_words(
    mission: Mission, other: ModelServer
) -> None:
    with pytest.raises(UnnamedHostError) as refused:
        mission.take_model("there")
    step = act("take_model", {"reason": "there"}, mission)["step"]
    assert step["confirm"]["question"] == refused.value.args[0]
    assert taken(mission) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(mission), "_send", lambda *_: None)
        assert act(step["verb"], step["args"], mission) == {}
    assert taken(mission) == [("cheap", other.host)]


@pytest.mark.parametrize(
    "budget", [pytest.param(None, id="alone"), pytest.param(5.0, id="with-a-budget")]
)
@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("nope", UnknownNameError, "nope"),
        ("scripted-mimi", UnknownNameError, "scripted-mini"),
        ("keyed", KeyMissingError, "NOT_SET"),
        ("unpriced", ConfigError, "nobody knows what it costs"),
        ("unpriced:scripted-mimi", UnknownNameError, "Did you mean 'scripted-mini'"),
    ],
)
def test_model_that_could_not_be_asked_is_refused_at_once_and_nothing_changes(
    mission: Mission, name: str, error: type[HypernbError], says: str, budget: float | None
) -> None:
    with pytest.raises(error) as refused:
        mission.resume(model=name, budget=budget)
    assert says in f"{refused.value} {refused.value.hint}"
    assert mission.session.store.amendments(mission.record.id) == []
    assert mission.state is MissionState.PAUSED


def test_budget_that_is_refused_leaves_the_model_as_it_was(mission: Mission) -> None:
    with pytest.raises(UsageError, match="cannot be"):
        mission.resume(model="scripted-mini", budget=-1.0)
    assert taken(mission) == []


def test_model_of_unknown_price_is_refused_beside_a_first_budget(
    session: Session, server: ModelServer
) -> None:
    mission = paused(session, plan_with(session, server, budget=None))
    with pytest.raises(ConfigError, match="nobody knows what it costs"):
        mission.resume(model="unpriced", budget=5.0)
    assert session.store.amendments(mission.record.id) == []


def test_name_that_the_server_does_not_list_is_refused_with_near_misses(
    session: Session, server: ModelServer
) -> None:
    mission = paused(session, plan_with(session, server, budget=None))
    with pytest.raises(UnknownNameError, match="scripted-mimi") as refused:
        mission.resume(model="scripted-mimi")
    assert "scripted-mini" in refused.value.hint
    assert taken(mission) == []


def test_mission_that_waits_for_a_key_needs_you_and_can_be_given_another_model(
    session: Session, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ModelSpec(name="scripted", base_url=server.url, key="NOT_SET", price=PRICE)
    made = started(session, plan_with(session, server, models={"mine:scripted": spec}))
    session.store.release_lease(made.lease)
    mission = session.mission(made.record.short_id)
    assert mission.waits_for_a_key
    assert mission.id in [each.short_id for each in session.status().needs_you]
    assert f"{mission.id} needs NOT_SET: " in repr(session.status())
    began: list[Any] = []
    monkeypatch.setattr(type(session), "ensure_runner", lambda _self, keys: began.append(keys))
    mission.resume(model="mine")
    assert taken(mission) == [("scripted", server.host)]
    assert not session.mission(mission.id).waits_for_a_key
    assert [list(each) for each in began] == [[]]


@pytest.mark.timeout(120)
def test_approved_mission_that_waits_for_a_key_begins_with_another_model(
    session: Session, server: ModelServer, other: ModelServer
) -> None:
    spec = ModelSpec(name="scripted", base_url=server.url, key="NOT_SET", price=PRICE)
    work = AgentWork(model="mine:scripted", returns="text")
    task = TaskSpec(name="a", agent="qa-engineer", work=work)
    plan = plan_with(session, server, models={"mine:scripted": spec}, tasks=(task,))
    record = session.store.create_mission(plan, by=session.by)
    mission = session.mission(record.short_id).approve()
    with pytest.raises(MissionWaitsError, match="it needs NOT_SET"):
        mission.wait(60, until_asked=True)
    assert mission.waits_for_a_key
    with pytest.raises(UnnamedHostError):
        mission.resume(model="there")
    mission.resume(model="there", approve_host=True).wait(60)
    assert mission.state is MissionState.SUCCEEDED, mission.record.error
    assert (len(server.asked), len(other.asked)) == (0, 1)


@pytest.mark.timeout(120)
def test_model_that_was_edited_away_is_not_waited_for(
    session: Session, server: ModelServer, other: ModelServer
) -> None:
    tasks = tuple(TaskSpec(name=n, agent="qa-engineer", work=AgentWork()) for n in "ab")
    spec = session.equipped(PlanSpec(goal="look", tasks=tasks, root=str(session.root)))
    mission = session.mission(session.store.create_mission(spec, by=session.by).short_id)
    mission.edit({"b": {"model": "keyed"}})
    assert mission.plan.hosts == (server.host,)
    mission.edit({"b": {"model": "there", "returns": "text"}}, drop=["a"])
    plan = mission.plan
    assert (list(plan.models), plan.hosts) == (["there"], (other.host,))
    assert plan.tasks[0].hosts == (other.host,)
    assert "NOT_SET" not in str(plan)
    mission.approve().wait(60)
    assert mission.state is MissionState.SUCCEEDED, mission.record.error


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([{"timeout_s": 60}, {"model": "mine"}], id="before"),
        pytest.param([{"timeout_s": 900}, {"model": "mine"}], id="longer"),
        pytest.param([{"model": "mine", "timeout_s": 600}], id="with-it"),
        pytest.param([{"model": "mine"}, {"timeout_s": 600}, {"model": "there"}], id="between"),
    ],
)
def test_time_that_a_person_has_said_stays_with_another_model(
    session: Session, edits: list[dict[str, Any]]
) -> None:
    task = TaskSpec(name="a", agent="qa-engineer", work=AgentWork())
    spec = session.equipped(PlanSpec(goal="look", tasks=(task,), root=str(session.root)))
    mission = session.mission(session.store.create_mission(spec, by=session.by).short_id)
    for changes in edits:
        mission.edit({"a": changes})
    said = [changes["timeout_s"] for changes in edits if "timeout_s" in changes]
    assert mission.plan.tasks[0].timeout_s == said[0]


def test_mission_that_asks_no_model_is_given_none(session: Session) -> None:
    mission = session.mission(Recorded(session, "a").start().pause().record.short_id)
    with pytest.raises(UsageError, match="its plan asks none"):
        mission.resume(model="mine")
    assert mission.state is MissionState.PAUSED


def test_mission_that_has_not_begun_is_given_no_other_model_and_no_server_is_asked(
    session: Session, server: ModelServer
) -> None:
    record = session.store.create_mission(plan_with(session, server), by="ada@here")
    with pytest.raises(TransitionError, match="awaiting approval"):
        session.mission(record.short_id).take_model("scripted-mimi")
    assert server.asked == []


def test_mission_that_has_ended_is_not_resumed_and_the_next_step_is_told(
    session: Session, server: ModelServer
) -> None:
    made = started(session, plan_with(session, server))
    made.end(MissionState.CANCELLED)
    mission = session.mission(made.record.short_id)
    with pytest.raises(TransitionError) as refused:
        mission.resume(budget=2.5)
    assert f"%hyper rewind {mission.id} --budget 2.5" in refused.value.hint
    with pytest.raises(TransitionError, match="rewind"):
        mission.resume()
