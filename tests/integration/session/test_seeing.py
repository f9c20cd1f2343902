"""What a person lets models see of a variable: it holds for the whole mission."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import hypernb
from hypernb.agents._plan_notes import NO_SUITE, OFFLINE, SUITE_RUNS, TREE_STAYS
from hypernb.model import NO_MODEL, AgentWork, Grant, PlanSpec
from hypernb.views import difference_text
from hypernb.widgets._difference import difference_facts
from tests.model_server import ModelServer, Reply, fails
from tests.planned import plan, task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE_S = 30.0
SCHEMA = Grant(see="schema", rows=0)
PATIENTS = pd.DataFrame({"name": [f"patient {n}" for n in range(20)], "age": range(20)})
REVIEW = {"name": "review", "agent": "qa-engineer", "goal": "Review it."}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    planned = plan(task(variables=["patients"], tools=["inspect-variable"]))
    with ModelServer(Reply(text=json.dumps(planned))) as made:
        yield made


@pytest.fixture
def session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ModelServer
) -> Iterator[hypernb.Session]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(
        f'[profiles.local]\nbase_url = "{server.url}"\nmodel = "scripted"\nkey = ""\n'
    )
    monkeypatch.setenv("HYPERNB_HOME", str(home))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HYPERNB_MODEL", "HYPERNB_MODE"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "src" / "app.py").write_text("import os\n")
    with hypernb.Session(tmp_path / "store.db", runner="inprocess", root=root) as made:
        yield made


def proposed(session: hypernb.Session, **asked: Any) -> hypernb.Mission:
    asked = {"see": {"patients": "schema"}, "inputs": {"patients": PATIENTS}, **asked}
    return session.propose("Is it safe?", **asked)


def grant(spec: PlanSpec, name: str) -> Grant | None:
    """Return what a task may see of the patients."""
    (work,) = (each.work for each in spec.tasks if each.name == name)
    assert isinstance(work, AgentWork)
    return work.variables.get("patients")


class TestWordOfThePersonHolds:
    def test_for_an_added_task(self, session: hypernb.Session) -> None:
        mission = proposed(session, model="local").edit(add=[REVIEW])
        assert grant(mission.plan, "review") == SCHEMA
        assert "patient 1" not in repr(mission.egress())

    @pytest.mark.parametrize("asked", [{"offline": True}, {"model": ""}], ids=["off", "none"])
    def test_for_a_task_of_rules_that_gets_a_model(
        self, session: hypernb.Session, asked: dict[str, Any]
    ) -> None:
        mission = proposed(session, **asked)
        name = mission.plan.tasks[1].name
        mission.edit({"t2": {"model": "local"}})
        assert grant(mission.plan, name) == SCHEMA

    def test_where_planning_failed_and_rules_plan(
        self, session: hypernb.Session, server: ModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.script = Reply(text="no plan")
        monkeypatch.setenv("HYPERNB_MODEL", "local")
        mission = proposed(session)
        assert mission.plan.planned_by == "rules"
        name = mission.plan.tasks[1].name
        mission.edit({"t2": {"model": "local"}})
        assert grant(mission.plan, name) == SCHEMA

    def test_in_a_fork(self, session: hypernb.Session) -> None:
        mission = proposed(session, offline=True)
        name = mission.plan.tasks[1].name
        forked = mission.fork(changes={"t2": {"model": "local"}})
        assert grant(forked.plan, name) == SCHEMA
        assert any(" leave for " in note for note in forked.plan.notes)

    def test_but_what_an_edit_names_itself_goes_before_it(
        self, session: hypernb.Session
    ) -> None:
        seen = {"patients": {"see": "sample", "rows": 2}}
        mission = proposed(session, model="local").edit(add=[{**REVIEW, "variables": seen}])
        assert grant(mission.plan, "review") == Grant(rows=2)
        assert grant(mission.plan, "look") == SCHEMA


def test_added_task_sees_no_more_of_a_variable_than_another_of_the_plan(
    session: hypernb.Session,
) -> None:
    mission = proposed(session, model="local", see=None)
    mission.edit({"look": {"variables": {"patients": {"see": "sample", "rows": 1}}}})
    mission.edit(add=[REVIEW])
    assert grant(mission.plan, "review") == Grant(rows=1)


class TestDifferenceSaysWhatNewlyLeaves:
    def test_of_a_variable_for_which_host(
        self, session: hypernb.Session, server: ModelServer
    ) -> None:
        mission = proposed(session, offline=True).edit({"t2": {"model": "local"}})
        told = difference_text(mission.difference(), mission.plan, (1, 2), 400)
        assert "nothing of it" in told
        assert re.search(rf"Of patients, \d+ bytes leave for {server.host}: types and", told)

    def test_of_what_an_added_task_is_handed(self, session: hypernb.Session) -> None:
        mission = proposed(session, model="local").edit(add=[{**REVIEW, "needs": ["look"]}])
        told = difference_text(mission.difference(), mission.plan, (1, 2), 400)
        assert "review, later also for" in told
        assert "output of look" in told
        mission.edit({"review": {"timeout_s": 5_000.0}})
        told = difference_text(mission.difference(), mission.plan, (2, 3), 400)
        assert "later also" not in told

    def test_before_it_is_kept(self, session: hypernb.Session, server: ModelServer) -> None:
        mission = proposed(session, offline=True)
        draft, _ = mission.draft({"t2": {"model": "local"}})
        rows = difference_facts(mission.plan, draft, (1, 2))["changed"]
        told, later = (each["new"] for each in rows if each["label"] == "leaves")
        assert told == f"patients to {server.host}: types and statistics"
        assert f"later also for {server.host}: output of scan-tree" in later


def test_plan_without_such_a_word_keeps_its_hash(session: hypernb.Session) -> None:
    spec = proposed(session, model="local", see=None).plan
    assert b'"see":{}' not in spec.canonical()
    word = spec.model_copy(update={"see": {"patients": SCHEMA}})
    assert word.hash != spec.hash
    assert PlanSpec.model_validate_json(word.canonical()) == word


class TestNotesAreTrueAfterAnEdit:
    """Notes that an edit makes untrue go, or are made anew."""

    def test_that_no_model_is_used(self, session: hypernb.Session, server: ModelServer) -> None:
        mission = proposed(session, offline=True)
        before = mission.plan.notes
        assert any(note.endswith(OFFLINE) for note in before)
        mission.edit({"t2": {"model": "local"}})
        told = f"What the agents read is told to scripted at {server.host}."
        assert f"{TREE_STAYS} {told}" in mission.plan.notes
        assert OFFLINE not in str(mission.plan.notes)
        mission.edit({"t2": {"model": ""}})
        # What was untrue in between is not told again.
        assert mission.plan.notes == tuple(n for n in before if "by no task" not in n)

    def test_which_tasks_have_no_model(self, session: hypernb.Session) -> None:
        others = [{**REVIEW, "name": name} for name in ("again", "review")]
        mission = proposed(session, offline=True).edit(add=others)
        assert "the goal of again and review says" in mission.plan.notes[-1]
        mission.edit({"review": {"model": "local"}})
        (note,) = (each for each in mission.plan.notes if each.startswith(NO_MODEL))
        assert note.endswith("whatever the goal of again says.")
        mission.edit(drop=["again"])
        assert NO_MODEL not in str(mission.plan.notes)

    def test_what_no_task_is_to_see(self, session: hypernb.Session) -> None:
        inputs = {"patients": PATIENTS, "cfg": {"a": 1}}
        mission = proposed(session, model="local", inputs=inputs)
        note = "No task is to see what you hand in as cfg."
        assert note in mission.plan.notes
        mission.edit(add=[REVIEW])
        assert note not in mission.plan.notes

    def test_whether_the_suite_runs(self, session: hypernb.Session) -> None:
        (session.root / "test_app.py").write_text("def test(): pass\n")
        mission = session.propose(playbook="repo-audit")
        assert SUITE_RUNS in mission.plan.notes
        mission.edit(drop=["run-tests"])
        assert SUITE_RUNS not in mission.plan.notes
        quiet = session.propose(playbook="repo-audit", params={"tests": False})
        assert NO_SUITE in str(quiet.plan.notes)
        quiet.edit(add=[{**REVIEW, "tools": ["tests"]}])
        assert NO_SUITE not in str(quiet.plan.notes)

    def test_where_the_agents_look(self, session: hypernb.Session) -> None:
        mission = session.propose("Look at src/app.py", offline=True)
        assert "The agents look only at what the goal names: src/app.py." in mission.plan.notes
        mission.edit(scope=["src"])
        assert "The agents look only" not in str(mission.plan.notes)

    def test_and_a_part_of_the_plan_is_approved_with_its_own(
        self, session: hypernb.Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hypernb.Session, "ensure_runner", lambda _self, *_: None)
        (session.root / "test_app.py").write_text("def test(): pass\n")
        mission = session.propose(playbook="repo-audit")
        mission.approve(["scan-tree"], plan_hash=mission.plan.hash)
        assert not mission.needs_approval
        assert SUITE_RUNS not in mission.plan.notes


class TestLensOfAMissionThatHasEnded:
    def test_says_what_has_left_and_of_what_has_asked_nobody_nothing(
        self, session: hypernb.Session, server: ModelServer
    ) -> None:
        tasks = (
            task(variables=["patients"], tools=[]),
            task(name="sum-up", needs=["look"], variables=[]),
        )
        seen = Reply(text="Seen.")
        server.script = [Reply(text=json.dumps(plan(*tasks))), seen, seen]
        mission = proposed(session, model="local")
        assert f"sum-up, later also for {server.host}: " in repr(mission.egress())
        for name in ("look", "sum-up"):
            mission.edit({name: {"returns": "text"}})
        mission.approve().wait(DEADLINE_S)
        shown = repr(mission.egress())
        assert "later" not in shown
        assert f" bytes have left for {server.host}: types and statistics." in shown
        assert (
            f"sum-up has told {server.host}: output of look, as far as there was any "
            "(covered up like the rest)."
        ) in shown
        assert "What has left" in mission.egress()._repr_html_()

    def test_that_never_ran(self, session: hypernb.Session) -> None:
        mission = proposed(session, model="local").reject()
        shown = repr(mission.egress())
        assert shown.startswith("No variable has left this machine.\n\nPlanning has sent ")
        assert "later" not in shown

    def test_whose_host_has_answered_nothing(
        self, session: hypernb.Session, server: ModelServer
    ) -> None:
        mission = proposed(session, model="local")
        server.script = fails(400)
        mission.approve().wait(DEADLINE_S)
        assert f" bytes may have left for {server.host}: " in repr(mission.egress())
