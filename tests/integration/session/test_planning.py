"""Goals planned in a session: by a model behind a real server, or by rules, saying why."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import hypernb
from hypernb import views
from hypernb.errors import (
    ConfigError,
    KeyMissingError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
    NoPlanError,
    PlanningInterruptedError,
    PlanProblemsError,
    ReplayMissError,
    TransitionError,
    UsageError,
    dollars,
)
from hypernb.model import AgentWork, CallState, EventKind, MissionState, PlanSpec
from hypernb.session import _planning
from hypernb.views import (
    events_text,
    mission_html,
    mission_text,
    missions_text,
    plan_text,
)
from hypernb.views._figures import Figures
from hypernb.widgets._actions import mission_actions
from tests.kept import kept_in
from tests.model_server import ModelServer, Reply, fails, page, says
from tests.planned import plan, task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.model_server import Asked

DEADLINE_S = 30.0
MODEL = "scripted"
PRICED = '[profiles.openai.prices."scripted"]\ninput = 100\noutput = 1000\n'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HYPERNB_HOME", str(folder))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HYPERNB_MODEL", "HYPERNB_MODE"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def session(tmp_path: Path) -> Iterator[hypernb.Session]:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "app.py").write_text("import os\n")
    made = hypernb.Session(tmp_path / "store.db", runner="inprocess", root=root)
    yield made
    made.close()


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that configures a server's model."""

    def configure(server: ModelServer, model: str = MODEL) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        monkeypatch.setenv("HYPERNB_MODEL", model)

    return configure


def plan_of(*tasks: dict[str, Any]) -> Reply:
    return Reply(text=json.dumps(plan(*tasks, notes=["Tests are left out."])))


def test_model_plans_the_goal(session: hypernb.Session, use: Any) -> None:
    with ModelServer(plan_of(task(variables=["rows"]))) as server:
        use(server)
        mission = session.propose("Is it safe?", inputs={"rows": [1, 2]})
        (planned,) = mission.plan.tasks
        assert mission.plan.planned_by == "project-strategist with scripted"
        assert isinstance(planned.work, AgentWork)
        assert planned.work.model == MODEL
        assert planned.work.prompt.startswith("You think as the attacker")
        assert planned.work.variables["rows"].see == "sample"
        assert planned.hosts == (server.host,)
        assert "The strategist says: Tests are left out." in mission.plan.notes


def test_plan_says_which_files_are_too_new_to_be_read(
    session: hypernb.Session, use: Any
) -> None:
    for line in ("init -q .", "add src/app.py"):
        subprocess.run(["git", *line.split()], cwd=session.root, check=True)
    (session.root / "src" / "new.py").touch()
    with ModelServer(plan_of()) as server:
        use(server)
        notes = session.plan("Is it safe?").notes
    assert notes[2] == "1 new file cannot be read until `git add`: src/new.py."


def test_plan_of_a_fork_does_not_say_what_planning_has_used_for_its_origin(
    session: hypernb.Session, home: Path, use: Any
) -> None:
    (home / "config.toml").write_text(PRICED)
    with ModelServer(plan_of()) as server:
        use(server)
        origin = session.propose("Is it safe?")
        said = ("Planning has sent ", "Planning has cost ")
        assert [sum(n.startswith(each) for n in origin.plan.notes) for each in said] == [1, 1]
        kept = [note for note in origin.plan.notes if not note.startswith(said)]
        for forked in (origin.fork(), origin.fork("look", {"look": {"steps": 3}})):
            assert list(forked.plan.notes) == kept
            assert "Planning has" not in repr(forked.egress())


def test_task_is_told_of_the_variables_that_the_plan_names_for_it_and_a_person_can_name_more(
    session: hypernb.Session, use: Any
) -> None:
    tasks = task(variables=["rows"]), task(name="sum-up", variables=[])
    with ModelServer(plan_of(*tasks)) as server:
        use(server)
        mission = session.propose("Is it safe?", inputs={"rows": [1, 2], "cfg": {"a": 1}})
        assert [(each.task, each.variable) for each in mission.egress()] == [("look", "rows")]
        assert "No task is to see what you hand in as cfg." in mission.plan.notes
        mission.edit({"sum-up": {"variables": {"cfg": {"see": "all"}}}})
        leaving = [(each.task, each.variable) for each in mission.egress()]
        assert leaving == [("look", "rows"), ("sum-up", "cfg")]


def test_lens_says_what_planning_has_sent_before_anybody_approved(
    session: hypernb.Session, use: Any
) -> None:
    frame = pd.DataFrame({"ada@example.org": [1], "kind": ["Ann Smith"]})
    inputs = {"pay": {"Ann Smith": 90_000}, "df": frame}
    with ModelServer([plan_of(task(agent="chef")), plan_of()]) as server:
        use(server)
        mission = session.propose("Is it safe?", inputs=inputs, see={"df": "schema"})
        told = [each["content"] for asked in server.asked for each in asked.body["messages"]]
        assert "Ann Smith" not in str(told)
        size = sum(len(each.encode()) for each in told)
        sent, *words = mission.egress().before
        assert sent.startswith(f"Planning has sent {size:,} bytes to {server.host} before")
        assert sent.endswith("name, type and shape, of frames and series the columns too.")
        assert sent in mission.plan.notes
        assert words == [
            "df: DataFrame of 1 rows and 2 columns\n[e-mail] (int64)\nkind (text)",
            "pay: dict of 1 key",
        ]
        assert all(each in told[1] for each in words)
        for shown in (repr(mission.egress()), mission.egress()._repr_html_()):
            assert "pay: dict of 1 key" in shown
            assert f"{size:,} bytes to {server.host}" in shown


def test_key_with_white_space_around_it_is_a_key(
    session: hypernb.Session, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(plan_of(), key="sk-test-0123456789") as server:
        use(server)
        monkeypatch.setenv("OPENAI_API_KEY", " sk-test-0123456789\n")
        assert session.propose("Is it safe?").plan.planned_by != "nobody"
        assert server.asked


def test_calls_of_the_planning_are_kept_with_the_mission(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer([plan_of(task(agent="chef")), plan_of()]) as server:
        use(server)
        mission = session.propose("Is it safe?")
        calls = session.store.calls(mission.record.id)
        assert [each.purpose for each in calls] == ["plan", "repair"]
        assert {each.state for each in calls} == {CallState.SETTLED}
        assert {each.agent for each in calls} == {"project-strategist"}
        assert "sk-test" not in str(calls)


def test_without_a_model_rules_plan_and_say_how_to_name_one(
    session: hypernb.Session,
) -> None:
    plan = session.plan("Is it safe?")
    assert plan.planned_by == "rules"
    assert "because no model is configured" in plan.notes[0]
    assert "No model is configured: --model NAME" in plan.notes[-1]
    assert plan.models == {}


def test_offline_asks_no_model(session: hypernb.Session, use: Any) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        plan = session.plan("Is it safe?", offline=True)
        assert plan.planned_by == "rules"
        assert "because you asked for a plan without a model" in plan.notes[0]
        assert server.requests == []


def test_plans_that_never_fit_are_replaced_by_one_of_rules(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer(plan_of(task(agent="chef"))) as server:
        use(server)
        plan = session.plan("Is it safe?")
        assert plan.planned_by == "rules"
        assert "'chef', which is not an agent here" in plan.notes[0]
        assert any("because scripted has given no plan" in note for note in plan.notes)
        assert len(plan.planning) == len(server.asked) == 3


def test_named_model_whose_plans_never_fit_is_an_error_with_the_reason(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer(plan_of(task(agent="chef"))) as server:
        use(server)
        with pytest.raises(NoPlanError, match="'chef', which is not an agent here") as caught:
            session.plan("Is it safe?", model=MODEL)
        assert caught.value.hint.startswith("Say more exactly what is wanted, or take another")
        assert "\n" not in str(caught.value)


def test_plan_that_nobody_reads_is_not_replaced_by_one_of_rules(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer([plan_of(task(agent="chef"))] * 3 + [plan_of()]) as server:
        use(server)
        with pytest.raises(NoPlanError, match="'chef', which is not an agent here") as caught:
            session.propose("Is it safe?", unseen=True)
        assert "so nothing was started" in str(caught.value)
        assert "Leave out --yes to read the plan that rules make" in caught.value.hint
        planned = session.plan("Is it safe?", unseen=True)
        assert planned.planned_by.startswith("project-strategist")


def test_plan_that_nobody_reads_and_that_comes_too_late_is_an_error(
    session: hypernb.Session, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_planning, "DEADLINE_S", 0.2)
    with ModelServer(Reply(text="late", hold="start")) as server:
        use(server)
        with pytest.raises(NoPlanError, match=r"It took longer than 0\.2 s\."):
            session.plan("Is it safe?", unseen=True)


def test_rules_plan_what_nobody_reads_where_no_model_is_configured(
    session: hypernb.Session,
) -> None:
    assert session.plan("Is it safe?", unseen=True).planned_by == "rules"


def test_configured_model_that_refuses_is_replaced_by_rules(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer(plan_of(), key="another") as server:
        use(server)
        mission = session.propose("Is it safe?")
        assert mission.plan.planned_by == "rules"
        assert server.host in mission.plan.notes[0]
        (call,) = session.store.calls(mission.record.id)
        assert call.state is CallState.FAILED


def test_named_model_that_refuses_is_an_error(session: hypernb.Session, use: Any) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        with pytest.raises(ModelRefusedError, match="gone"):
            session.plan("Is it safe?", model="gone")


def test_missing_key_is_said_before_anything_is_sent(
    session: hypernb.Session, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1")
        monkeypatch.delenv("OPENAI_API_KEY")
        with pytest.raises(KeyMissingError, match="OPENAI_API_KEY"):
            session.plan("Is it safe?")


def test_missing_key_names_the_profiles_of_ones_own(
    session: hypernb.Session, home: Path
) -> None:
    own = '[profiles.work]\nbase_url = "http://127.0.0.1:1/v1"\nkey = ""\n'
    (home / "config.toml").write_text(own)
    with pytest.raises(KeyMissingError, match="Profiles of your own: 'work'"):
        session.plan("Is it safe?", model="usual")


def test_budget_without_a_known_price_is_refused(session: hypernb.Session, use: Any) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        with pytest.raises(PlanProblemsError, match="nobody knows what scripted at"):
            session.plan("Is it safe?", budget=1.0)
        assert server.asked == []
        assert session.plan("Is it safe?").planned_by.startswith("project-strategist")


def test_budget_that_planning_would_exceed_is_not_touched(
    session: hypernb.Session, use: Any, home: Path
) -> None:
    prices = '[profiles.openai.prices."scripted"]\ninput = 1000\noutput = 1000\n'
    (home / "config.toml").write_text(prices)
    with ModelServer(plan_of()) as server:
        use(server)
        plan = session.plan("Is it safe?", budget=0.01)
        assert plan.planned_by == "rules"
        assert "Of the $0.01 that may be spent, $0.00 is spent, and the next" in plan.notes[0]
        assert "A larger budget, or a cheaper model" in plan.notes[0]
        assert server.asked == []


def test_only_agents_that_were_named_take_part(session: hypernb.Session, use: Any) -> None:
    with ModelServer([plan_of(), plan_of(task(agent="qa-engineer"))]) as server:
        use(server)
        plan = session.plan("Is it safe?", agents=["qa-engineer"])
        assert [each.agent for each in plan.tasks] == ["qa-engineer"]


def test_server_that_cannot_be_reached_is_named_soon(
    session: hypernb.Session, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_planning, "REFUSED_S", 0.2)
    with ModelServer(plan_of()) as server:
        use(server)
    plan = session.plan("Is it safe?")
    assert plan.planned_by == "rules"
    assert f"could not be asked for a plan: cannot reach {server.host}" in plan.notes[0]
    with pytest.raises(ModelUnavailableError, match="Start the server, check the address"):
        session.plan("Is it safe?", model=MODEL)


def test_planning_ends_after_its_time(
    session: hypernb.Session, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_planning, "DEADLINE_S", 2.0)
    with ModelServer(Reply(text="late", hold="start")) as server:
        use(server)
        plan = session.plan("Is it safe?")
        assert plan.planned_by == "rules"
        assert "It took longer than 2 s." in plan.notes[0]
        assert [each.state for each in plan.planning] == [CallState.LOST]


def test_interrupt_ends_planning_and_what_it_cost_is_kept(
    session: hypernb.Session, home: Path, use: Any
) -> None:
    import signal

    (home / "config.toml").write_text(PRICED)

    with ModelServer(Reply(text="late", hold="start")) as server:
        use(server)
        main = threading.main_thread().ident
        assert main is not None

        def interrupt() -> None:
            server.wait_for(lambda: bool(server.asked), 50)
            signal.pthread_kill(main, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(PlanningInterruptedError, match=r"are kept in m-1\."):
            session.plan("Is it safe?", budget=50.0)
        thread.join()
        names = [each.name for each in threading.enumerate()]
        assert "hypernb planning" not in names
    kept = session.mission("m-1")
    (call,) = session.store.calls(kept.record.id)
    assert (kept.state, call.state) == (MissionState.CANCELLED, CallState.LOST)
    assert (kept.record.goal, kept.record.error) == ("Is it safe?", "planning was interrupted")
    assert kept.record.cost == pytest.approx(call.reserved)
    assert session.usage().total.cost == pytest.approx(call.reserved)
    # Nobody has counted it: it is what was kept for the call.
    most = f"at most {dollars(call.reserved or 0.0)}"
    assert most in repr(session.usage())
    shown = kept._repr_mimebundle_()["text/plain"]
    assert f"Cancelled, for {most}" in shown
    assert f"nobody knows what it answered: {most} is paid." in views.plain(
        views.tell(kept.events(kinds=(EventKind.LLM_RESPONDED,))[0])
    )
    assert f"{most} in 1 mission" in repr(session.status())
    [summary] = session.store.summaries()[0]
    assert summary.at_most == 1


def test_recorded_plan_is_replayed_without_a_key(
    session: hypernb.Session, use: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cassette = tmp_path / "plan.jsonl"
    with ModelServer(plan_of()) as server:
        use(server)
        session.plan("Is it safe?", cassette=f"record:{cassette}")
        asked = len(server.asked)
        monkeypatch.delenv("OPENAI_API_KEY")
        plan = session.plan("Is it safe?", cassette=f"replay:{cassette}")
        assert plan.planned_by == "project-strategist with scripted"
        assert plan.cassette == f"replay:{cassette}"
        assert len(server.asked) == asked
        with pytest.raises(ReplayMissError):
            session.plan("Is it slow?", cassette=f"replay:{cassette}")


def test_planning_that_cannot_be_recorded_asks_nobody_and_costs_nothing(
    session: hypernb.Session, home: Path, use: Any, tmp_path: Path
) -> None:
    (home / "config.toml").write_text(PRICED)
    notes = tmp_path / "notes.txt"
    notes.write_text("export A=1\n")
    with ModelServer(plan_of()) as server:
        use(server)
        with pytest.raises(ConfigError, match="is no cassette"):
            session.plan("Is it safe?", cassette=f"record:{notes}")
        assert server.asked == []
    assert session.missions() == []
    assert session.usage().total.calls == 0


@pytest.mark.parametrize("budget", [None, 50.0, 200.0], ids=str)
def test_recorded_plan_is_replayed_with_any_budget(
    session: hypernb.Session, use: Any, home: Path, tmp_path: Path, budget: float | None
) -> None:
    (home / "config.toml").write_text(PRICED)
    cassette = tmp_path / "plan.jsonl"
    with ModelServer(plan_of()) as server:
        use(server)
        session.plan("Is it safe?", cassette=f"record:{cassette}", budget=100.0)
        plan = session.plan("Is it safe?", cassette=f"replay:{cassette}", budget=budget)
    assert (plan.budget, len(plan.tasks)) == (budget, 1)


@pytest.mark.parametrize("model", ["scripted", "qwen3:8b"])
def test_cassette_says_which_model_it_is_of_where_none_is_configured(
    session: hypernb.Session,
    use: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    cassette = tmp_path / "plan.jsonl"
    with ModelServer(plan_of(), models=(model,)) as server:
        use(server, model)
        session.plan("Is it safe?", cassette=f"record:{cassette}")
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "HYPERNB_MODEL"):
        monkeypatch.delenv(name)
    plan = session.plan("Is it safe?", cassette=f"replay:{cassette}")
    assert plan.planned_by == f"project-strategist with {model}"
    with pytest.raises(ReplayMissError):
        session.plan("Is it slow?", cassette=f"replay:{cassette}")
    with pytest.raises(ConfigError, match=r"recorded\. No model is configured: --model"):
        session.plan("Is it safe?", cassette=f"record:{cassette}")
    monkeypatch.setenv("HYPERNB_MODE", "replay")
    again = session.plan("Is it safe?", cassette=f"record:{cassette}")
    assert again.planned_by == plan.planned_by
    monkeypatch.setenv("HYPERNB_MODE", "offline")
    with pytest.raises(ConfigError, match="Nothing can be replayed: HYPERNB_MODE says offl"):
        session.plan("Is it safe?", cassette=f"replay:{cassette}")


def test_cassette_of_several_models_asks_which_has_planned(
    session: hypernb.Session, use: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cassette = tmp_path / "plan.jsonl"
    with ModelServer(plan_of(), models=("large", "small")) as server:
        for model in ("large", "small"):
            use(server, model)
            session.plan("Is it safe?", cassette=f"record:{cassette}")
    monkeypatch.delenv("HYPERNB_MODEL")
    with pytest.raises(ConfigError, match="from large, small, and no model is configured"):
        session.plan("Is it safe?", cassette=f"replay:{cassette}")


def test_model_without_a_price_that_is_nearly_one_with_a_price_names_that(
    session: hypernb.Session, home: Path
) -> None:
    own = '[profiles.work]\nbase_url = "https://models.example/v1"\nmodel = "scripted"\n'
    (home / "config.toml").write_text(own)
    with pytest.raises(PlanProblemsError, match="Did you mean 'work:scripted'"):
        session.plan("Is it safe?", model="work:scriptd", budget=1.0)


@pytest.mark.parametrize("plan", [hypernb.Plan("look"), PlanSpec(goal="look")])
def test_plan_in_the_place_of_a_goal_is_told_what_takes_it(
    session: hypernb.Session, plan: Any
) -> None:
    with pytest.raises(UsageError, match=r"session\.start\(plan\) stores it"):
        session.plan(plan)


def test_progress_is_told(session: hypernb.Session, use: Any) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        told: list[str] = []
        session.plan("Is it safe?", on_progress=told.append)
        assert told[0] == "asks scripted for a plan"
        assert told[-1].startswith("asked scripted for a plan, for ")


def test_task_that_names_a_model_gets_it(session: hypernb.Session, use: Any) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        plan = hypernb.Plan("Look", root=session.root)
        plan.add("look", agent="qa-engineer", goal="Look.", model=MODEL, returns="text")
        plan.add("lint", agent="backend-specialist", tools=["ruff"])
        spec, _ = session.build(plan)
        session.check(spec)
        look, lint = (each.work for each in spec.tasks)
        assert isinstance(look, AgentWork)
        assert isinstance(lint, AgentWork)
        assert list(spec.models) == [MODEL]
        assert (look.returns, lint.model) == ("text", "")
        assert "read-file" in look.tools


def test_edit_gives_a_task_another_model(session: hypernb.Session, use: Any) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        mission = session.propose("Is it safe?")
        mission.edit({"look": {"model": "scripted-mini", "steps": 5, "tools": []}})
        (work,) = (each.work for each in mission.plan.tasks)
        assert isinstance(work, AgentWork)
        assert (work.model, work.steps, work.tools) == ("scripted-mini", 5, ())
        assert "scripted-mini" in mission.plan.models


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": -1, "completion_tokens": 10**15}])
def test_planning_that_nobody_counts_is_paid_as_it_was_reserved(
    session: hypernb.Session, home: Path, use: Any, usage: Any
) -> None:
    (home / "config.toml").write_text(PRICED)
    with ModelServer(replace(plan_of(), usage=usage)) as server:
        use(server)
        mission = session.propose("Is it safe?", budget=50.0)
        (call,) = session.store.calls(mission.record.id)
        assert call.cost is None
        assert session.store.mission(mission.record.id).cost == pytest.approx(call.reserved)


def test_planning_that_was_broken_off_is_paid(
    session: hypernb.Session, home: Path, use: Any
) -> None:
    (home / "config.toml").write_text(PRICED)
    with ModelServer(Reply("word " * 1_000, finish=None, ends=False)) as server:
        use(server)
        mission = session.propose("Is it safe?", budget=50.0)
        calls = session.store.calls(mission.record.id)
        assert {(each.state, each.output_tokens) for each in calls} == {
            (CallState.FAILED, 1_250)
        }
        cost = session.store.mission(mission.record.id).cost
        assert cost == pytest.approx(sum(each.cost or 0.0 for each in calls))
        assert cost > 3


@pytest.mark.parametrize(
    "reply",
    [
        Reply("not a plan", usage={"prompt_tokens": 40_000, "completion_tokens": 60_000}),
        Reply("not a plan", usage={"prompt_tokens": 0, "completion_tokens": 0}),
        Reply("word " * 1_000, cut="middle"),
    ],
    ids=["counts too much", "counts nothing", "breaks off"],
)
def test_planning_costs_no_more_than_the_budget_whatever_a_server_counts(
    session: hypernb.Session, home: Path, use: Any, reply: Reply
) -> None:
    (home / "config.toml").write_text(PRICED)
    with ModelServer(reply) as server:
        use(server)
        plan = session.plan("Is it safe?", budget=9.0)
        assert server.asked
    assert 0 < sum(each.paid for each in plan.planning) <= 9.0


def test_key_in_a_name_of_a_file_is_neither_told_to_who_plans_nor_kept(
    session: hypernb.Session, use: Any
) -> None:
    (session.root / "src" / "sk-test-0123456789.py").write_text("")
    with ModelServer(plan_of()) as server:
        use(server)
        mission = session.propose("Is it safe?")
        assert "sk-test-0123456789" not in str(server.asked[0].body)
        assert "src/[secret].py" in str(server.asked[0].body)
        (call,) = session.store.calls(mission.record.id)
        assert call.request is not None
        assert b"sk-test-0123456789" not in session.store.artifact(call.request)[1]


def test_plan_that_is_not_started_leaves_what_it_cost_in_the_totals(
    session: hypernb.Session, home: Path, use: Any
) -> None:
    (home / "config.toml").write_text(PRICED)
    with ModelServer(plan_of()) as server:
        use(server)
        plan = session.plan("Is it safe?")
        (kept,) = session.missions()
        assert (kept.state, len(kept.tasks)) == (MissionState.CANCELLED, 0)
        assert kept.record.cost == pytest.approx(sum(each.paid for each in plan.planning))
        assert session.usage().total.cost == pytest.approx(kept.record.cost)
        assert any(f"is kept in {kept.id}." in note for note in plan.notes)
        started = session.start(plan)
    assert started.record.cost == 0
    assert session.store.calls(started.record.id) == []
    assert session.usage().total.cost == pytest.approx(kept.record.cost)


def test_plan_that_cannot_be_started_leaves_what_it_cost_in_the_totals(
    session: hypernb.Session, home: Path, use: Any
) -> None:
    (home / "config.toml").write_text(PRICED)
    with ModelServer(plan_of()) as server:
        use(server)
        with pytest.raises(PlanProblemsError, match=r"is kept in m-1\."):
            session.propose("Is it safe?", concurrency=0)
    (kept,) = session.missions()
    assert kept.state is MissionState.FAILED
    assert session.usage().total.cost == pytest.approx(kept.record.cost)
    assert kept.record.cost > 0


@pytest.mark.parametrize(
    ("goal", "value", "where"),
    [
        ("Is sk-test-0123456789 safe?", 1, "the plan"),
        ("Is it safe?", {"key": "sk-test-0123456789"}, "the input 'cfg'"),
    ],
)
def test_key_in_what_is_handed_in_is_refused_before_anybody_is_asked_and_not_stored(
    session: hypernb.Session, use: Any, tmp_path: Path, goal: str, value: Any, where: str
) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        with pytest.raises(UsageError, match=f"OPENAI_API_KEY stands in {where}"):
            session.propose(goal, inputs={"cfg": value})
        assert server.asked == []
    assert session.store.missions() == []
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"sk-test-0123456789" not in file.read_bytes()


def test_plan_says_that_the_projects_file_has_the_profile_whose_name_was_typed(
    session: hypernb.Session, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(plan_of(), models=("qwen3",)) as server:
        use(server)
        monkeypatch.delenv("OPENAI_BASE_URL")
        (session.root / ".hypernb").mkdir()
        (session.root / ".hypernb" / "config.toml").write_text(
            f'[profiles.gpt-5]\nbase_url = "{server.url}"\nmodel = "qwen3"\n'
        )
        mission = session.propose("Is it safe?", model="gpt-5:qwen3")
        said = (
            "The project's .hypernb/config.toml says where 'gpt-5:qwen3' is: qwen3 at "
            f"{server.host}, by its profile 'gpt-5'."
        )
        assert mission.plan.notes[0] == said
        mission.edit({"look": {"timeout_s": 60}})
        assert mission.plan.notes.count(said) == 1
        assert said in " ".join(plan_text(mission.snapshot()).split())

        built = hypernb.Plan("Look", root=session.root)
        built.add("look", agent="qa-engineer", goal="Look.", model="gpt-5:qwen3")
        assert "says where 'gpt-5:qwen3' is: qwen3" in session.start(built).plan.notes[0]


def test_plan_of_ones_own_models_says_nothing_of_the_projects_file(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        notes = session.propose("Is it safe?").plan.notes
    assert not any("config.toml" in each for each in notes)


def test_models_say_which_is_asked_also_by_its_profile(
    session: hypernb.Session, home: Path
) -> None:
    own = 'model = "work"\n[profiles.work]\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "big"\n'
    (home / "config.toml").write_text(own)
    (row,) = session.models().rows
    assert (row.name, row.note) == ("work:big", "is asked if nobody says otherwise")


def test_models_of_a_server_whose_key_is_not_here_say_so(
    session: hypernb.Session, home: Path
) -> None:
    own = '[profiles.work]\nbase_url = "http://127.0.0.1:1/v1"\nkey = "WORK_KEY"\n'
    (home / "config.toml").write_text(own)
    with pytest.raises(KeyMissingError, match="needs WORK_KEY, which is not set here"):
        session.models("work")


@pytest.mark.parametrize("mode", ["offline", "replay"])
def test_where_nothing_may_leave_no_server_is_asked_what_it_offers(
    session: hypernb.Session, home: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("HYPERNB_MODE", mode)
    monkeypatch.setenv("WORK_KEY", "sk-a-secret")  # pragma: allowlist secret
    with ModelServer(says("x"), models=("small",)) as server:
        own = f'[profiles.work]\nbase_url = "{server.url}"\nkey = "WORK_KEY"\n'
        (home / "config.toml").write_text(own)
        told = session.models("work")
    assert repr(told) == f"Nobody was asked: HYPERNB_MODE says {mode}."
    assert server.requests == []


def test_planning_that_failed_keeps_its_goal_and_what_it_cost_as_a_mission(
    session: hypernb.Session, home: Path, use: Any
) -> None:
    (home / "config.toml").write_text(PRICED)
    with ModelServer(plan_of(task(agent="chef"))) as server:
        use(server)
        with pytest.raises(NoPlanError, match=r"is kept in m-1\."):
            session.propose("Is it safe?", model=MODEL)
    (kept,) = session.missions()
    calls = session.store.calls(kept.record.id)
    assert (kept.state, kept.record.goal) == (MissionState.FAILED, "Is it safe?")
    assert kept.record.error.startswith("planning failed: scripted has made no plan")
    assert [each.purpose for each in calls] == ["plan", "repair", "repair"]
    assert kept.record.cost == pytest.approx(sum(each.cost or 0.0 for each in calls))
    assert kept.record.cost > 0
    assert session.usage().total.cost == pytest.approx(kept.record.cost)
    assert [each.kind for each in session.events()] == [
        EventKind.MISSION_CREATED,
        *[EventKind.LLM_REQUESTED, EventKind.LLM_RESPONDED] * 3,
        EventKind.MISSION_FINISHED,
    ]
    assert calls[0].request is not None
    assert b"Is it safe?" in session.store.artifact(calls[0].request)[1]


def test_mission_of_a_planning_that_failed_can_be_looked_at_and_not_run(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer(plan_of(task(agent="chef"))) as server:
        use(server)
        with pytest.raises(NoPlanError):
            session.propose("Is it safe?", model=MODEL)
    kept = session.mission("m-1")
    said = mission_text(kept.snapshot(), 96)
    assert "planning failed: scripted has made no plan" in " ".join(said.split())
    assert "There is no plan. Nothing ran" in said
    assert "retry" not in said
    assert "There is no plan. Nothing ran" in plan_text(kept.snapshot(), 96)
    assert mission_actions(Figures(kept.snapshot())) == []
    assert "planning failed" in events_text(kept.events())
    assert "Is it safe?" in missions_text([kept.record], width=160)
    assert "planning failed" in mission_html(kept.snapshot(), live=False)
    assert len(kept.tasks) == len(kept.findings) == 0
    assert kept.plan.tasks == ()
    with pytest.raises(TransitionError):
        kept.approve()
    with pytest.raises(TransitionError):
        kept.retry()
    with pytest.raises(PlanProblemsError, match="no tasks"):
        kept.fork()
    assert session.store.check() == []


def test_planning_that_has_used_nothing_leaves_no_mission(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        with pytest.raises(ModelRefusedError):
            session.plan("Is it safe?", model="gone")
    assert session.missions() == []


def test_budget_is_held_with_a_model_of_this_machine_which_costs_nothing(
    session: hypernb.Session, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        monkeypatch.delenv("OPENAI_API_KEY")
        mission = session.propose("Is it safe?", budget=0.5)
        (spec,) = mission.plan.models.values()
        assert spec.price is not None
        assert (spec.price.output, spec.price.source) == (0, "runs on your machine")
        assert mission.plan.planned_by == "project-strategist with scripted"
        (call,) = session.store.calls(mission.record.id)
        assert (call.cost, call.reserved) == (0, 0)
        total = session.usage().total
        assert (total.cost, total.unknown) == (0, 0)
        assert total.input_tokens > 0
        assert "not known" not in repr(mission)
        (whole,) = [each for each in session.quote(mission.plan).quotes if not each.task]
        assert whole.dollars is not None
        assert (whole.dollars.p50, whole.dollars.p90) == (0, 0)


def test_tool_that_an_agent_may_not_use_costs_no_second_call(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer(plan_of(task(tools=["read-file", "rm"]))) as server:
        use(server)
        mission = session.propose("Is it safe?", model=MODEL)
        assert len(server.asked) == 1
        assert mission.plan.planned_by.startswith("project-strategist")
        (work,) = (each.work for each in mission.plan.tasks)
        assert isinstance(work, AgentWork)
        assert "rm" not in work.tools
        said = "Task 'look' was to use 'rm', which security-engineer may not; it is left out."
        assert said in mission.plan.notes


def test_planning_that_reached_no_server_is_not_paid(
    session: hypernb.Session, home: Path, use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hypernb.llm import _call

    monkeypatch.setattr(_planning, "REFUSED_S", 0.2)
    monkeypatch.setattr(_call, "backoff_s", lambda *_: 60.0)
    (home / "config.toml").write_text(PRICED)
    with ModelServer(plan_of()) as server:
        use(server)
    with pytest.raises(ModelUnavailableError, match="Start the server"):
        session.plan("Is it safe?", model=MODEL, budget=50.0)
    assert session.missions() == []
    plan = session.plan("Is it safe?", budget=50.0)
    (call,) = plan.planning
    assert (call.state, call.paid) == (CallState.FAILED, 0.0)
    assert call.error.startswith("cannot reach ")


def test_planning_that_was_only_refused_when_it_is_interrupted_is_not_paid(
    session: hypernb.Session, home: Path, use: Any
) -> None:
    import signal

    (home / "config.toml").write_text(PRICED)
    refused = threading.Event()

    def look(said: str) -> None:
        if "too many requests" in said:
            refused.set()

    with ModelServer(fails(429, "slow down", retry_after="60")) as server:
        use(server)
        main = threading.main_thread().ident
        assert main is not None

        def interrupt() -> None:
            refused.wait(50)
            signal.pthread_kill(main, signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(PlanningInterruptedError):
            session.plan("Is it safe?", budget=50.0, on_progress=look)
        thread.join()
        assert len(server.asked) == 1
    assert refused.is_set()
    assert session.usage().total.cost == 0
    assert session.missions() == []


MARK = "quagga by the river"
FAILING = {
    "an answer that is no plan": says(MARK),
    "a plan that cannot be": plan_of(task(agent=MARK)),
    "a web page": page(f"<html>{MARK}</html>"),
    "an error of the server": fails(400, MARK),
}


@pytest.mark.parametrize("content", ["hashes", "none"])
@pytest.mark.parametrize("case", FAILING)
@pytest.mark.parametrize("named", ["", MODEL])
def test_planning_that_fails_keeps_no_word_of_it(
    session: hypernb.Session, home: Path, use: Any, case: str, content: str, named: str
) -> None:
    (home / "config.toml").write_text(f'content = "{content}"\n{PRICED}')
    with ModelServer(FAILING[case]) as server:
        use(server)
        with suppress(NoPlanError, ModelError):
            session.propose("Is it safe?", model=named)
    assert kept_in(home.parent / "store.db", MARK) == []


def test_person_is_told_what_planning_does_not_keep(
    session: hypernb.Session, home: Path, use: Any
) -> None:
    (home / "config.toml").write_text('content = "none"\n')
    with ModelServer(FAILING["a plan that cannot be"]) as server:
        use(server)
        with pytest.raises(NoPlanError, match=MARK):
            session.propose("Is it safe?", model=MODEL)


@pytest.mark.parametrize("content", ["full", "hashes", "none"])
def test_planning_keeps_hashes_as_the_setting_says(
    session: hypernb.Session, home: Path, use: Any, tmp_path: Path, content: str
) -> None:
    (home / "config.toml").write_text(f'content = "{content}"\n')
    with ModelServer([says(MARK), plan_of()]) as server:
        use(server)
        mission = session.propose("Is it safe?")
    calls = session.store.calls(mission.record.id)
    assert [bool(each.request_hash) for each in calls] == [content != "none"] * 2
    assert [bool(each.request) for each in calls] == [content == "full"] * 2
    assert bool(kept_in(tmp_path / "store.db", MARK)) == (content == "full")


# -- what became of it ------------------------------------------------------------------------


def carried_out(session: hypernb.Session, *tasks: dict[str, Any], result: str = "") -> Any:
    """Approve the plan of a model that answers no task, and wait for the end."""

    def script(asked: Asked) -> Reply:
        said = json.dumps(asked.body["messages"])
        if "The person's goal" in said:
            return Reply(text=json.dumps(plan(*tasks, result=result)))
        return Reply(text="Fine.") if "Look well." in said else Reply(text="")

    with ModelServer(script) as server:
        os.environ["OPENAI_BASE_URL"] = server.url
        mission = session.propose("Is it safe?")
        mission.approve().wait(DEADLINE_S)
        session.stop()
    return mission


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_MODEL", MODEL)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    monkeypatch.setenv("OPENAI_BASE_URL", "")


@pytest.mark.usefixtures("configured")
def test_mission_without_its_result_has_failed(session: hypernb.Session) -> None:
    mission = carried_out(session, task(returns="text"))
    assert mission.state is MissionState.FAILED
    assert "Task 'look' failed" in mission.record.error


@pytest.mark.usefixtures("configured")
def test_task_whose_needs_have_all_failed_is_not_asked_and_the_mission_has_failed(
    session: hypernb.Session,
) -> None:
    last = task(name="sum-up", needs=["look"], goal="Look well.", returns="text")
    mission = carried_out(session, task(returns="text"), last, result="sum-up")
    assert (mission.state, mission.tasks["sum-up"].state) == ("failed", "skipped")
    assert mission.tasks["sum-up"].record.note == "skipped: 'look' did not succeed"
    assert "sum-up" not in {each.task for each in session.store.calls(mission.record.id)}


@pytest.mark.usefixtures("configured")
def test_mission_whose_result_is_there_has_succeeded_whatever_else_failed(
    session: hypernb.Session,
) -> None:
    first, other = task(returns="text"), task(name="other", goal="Look well.", returns="text")
    last = task(name="sum-up", needs=["look", "other"], goal="Look well.", returns="text")
    mission = carried_out(session, first, other, last, result="sum-up")
    assert (mission.state, mission.tasks["look"].state) == ("succeeded", "failed")
    assert mission.result() == "Fine."


def test_status_does_not_take_what_nobody_knows_for_nothing(
    session: hypernb.Session, use: Any
) -> None:
    with ModelServer(plan_of()) as server:
        use(server)
        session.propose("Is it safe?")
    assert "1 call of unknown cost in 1 mission" in repr(session.status())
    assert "$0.00" not in repr(session.status())


# -- words that are true ------------------------------------------------------------------


def test_plan_of_rules_in_place_of_one_that_the_budget_forbids_says_what_is_true(
    session: hypernb.Session, use: Any, home: Path
) -> None:
    (home / "config.toml").write_text(PRICED)
    with ModelServer(plan_of()) as server:
        use(server)
        mission = session.propose("Is it safe?", budget=0.0001)
        with pytest.raises(NoPlanError, match=r"Give a larger --budget\. Leave out --yes"):
            session.propose("Is it safe?", budget=0.0001, unseen=True)
        assert server.asked == []
    shown = plan_text(mission.snapshot())
    assert f"scripted at {server.host} was not asked. Of the $0.0001" in shown
    assert "was asked for a plan" not in shown
    assert "The tasks use no network, no key and no model." in mission.plan.notes[-1]
    assert "nothing of its budget of $0.0001" in " ".join(shown.split())
    assert "at most $0.0001" not in shown


def test_offline_of_the_environment_is_named_as_the_reason(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_MODEL", MODEL)
    monkeypatch.setenv("HYPERNB_MODE", "offline")
    notes = session.plan("Is it safe?").notes
    assert "because HYPERNB_MODE says offline" in notes[0]
    assert "no model is configured" not in str(notes)


def test_model_that_is_named_where_none_is_asked_is_an_error(
    session: hypernb.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_MODE", "offline")
    with pytest.raises(ConfigError, match="'mine' cannot be asked: HYPERNB_MODE says offline"):
        session.plan("Is it safe?", model="mine")


def test_plan_says_which_file_of_the_project_names_a_server(
    session: hypernb.Session, home: Path
) -> None:
    file = session.root / ".hypernb" / "config.toml"
    file.parent.mkdir()
    with (
        ModelServer(plan_of(), models=None) as theirs,
        ModelServer(plan_of(), models=None) as mine,
    ):
        (home / "config.toml").write_text(f'[profiles.openai]\nbase_url = "{mine.url}"\n')
        file.write_text(f'[profiles.mine]\nbase_url = "{theirs.url}"\nmodel = "m"\n')
        session.propose("Is it safe?", model="mine")
        assert (len(mine.asked), theirs.asked) == (1, [])
        (home / "config.toml").unlink()
        notes = session.propose("Is it safe?", model="mine:m").plan.notes
    where = "The project's .hypernb/config.toml says where 'mine:m' is: m at "
    assert notes[0] == f"{where}{theirs.host}, by its profile 'mine'."
