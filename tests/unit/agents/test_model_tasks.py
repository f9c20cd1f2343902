from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hypernb.agents import BaseAgent, equip, load_cards, true_notes
from hypernb.agents._model_tasks import READERS
from hypernb.errors import RoleCardError
from hypernb.model import NO_MODEL, AgentWork, ModelSpec, PlanSpec, TaskSpec
from hypernb.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Plant = Callable[[Mapping[str, str]], Path]

SPEC = ModelSpec(name="gpt-6", base_url="https://models.example/v1")
MINI = ModelSpec(name="mini", base_url="http://localhost:1/v1", tools=False)


def equipped(plan: Plan, root: Path | None = None) -> PlanSpec:
    spec, _ = plan.build()
    return equip(spec, load_cards(root))


def work_of(task: TaskSpec) -> AgentWork:
    assert isinstance(task.work, AgentWork)
    return task.work


class TestTasksOfModels:
    def test_task_without_tools_gets_model_role_tools_and_host(self) -> None:
        plan = Plan("Look", models={"default": SPEC}, inputs={"rows": [1]})
        plan.add("look", agent="qa-engineer", goal="Look.")
        (task,) = equipped(plan).tasks
        work = work_of(task)
        assert (work.model, task.hosts) == ("default", ("models.example",))
        assert {*READERS, "tests", "inspect-variable"} <= set(work.tools)
        assert work.variables["rows"].see == "sample"
        assert task.timeout_s == 1_800

    def test_what_has_an_effect_stands_in_the_plan(self, plant: Plant) -> None:
        root = plant({"tests/test_a.py": "def test(): pass\n"})
        plan = Plan("Look", root=root, models={"default": SPEC})
        plan.add("look", agent="qa-engineer")
        assert work_of(equipped(plan, root).tasks[0]).params["tests"]["command"]

    def test_what_the_task_says_stays(self) -> None:
        plan = Plan("Look", models={"default": SPEC}, inputs={"rows": [1]})
        plan.add(
            "look",
            agent="qa-engineer",
            model="default",
            tools=["read-file"],
            steps=3,
            variables={},
            returns="text",
        )
        work = work_of(equipped(plan).tasks[0])
        assert (work.tools, work.steps, work.returns) == (("read-file",), 3, "text")
        assert work.variables == {}

    def test_tasks_with_tools_of_their_own_ask_no_model(self) -> None:
        plan = Plan("Look", models={"default": SPEC})
        plan.add("lint", agent="backend-specialist", tools=["ruff"])
        assert work_of(equipped(plan).tasks[0]).model == ""

    def test_plan_without_models_is_as_ever(self) -> None:
        plan = Plan("Look")
        plan.add("look", agent="security-engineer")
        spec = equipped(plan)
        assert work_of(spec.tasks[0]).tools == ("bandit", "detect-secrets")
        assert any(note.startswith(NO_MODEL) for note in spec.notes)
        assert spec.hosts == ()

    @pytest.mark.parametrize(
        ("bare", "other"),
        [
            pytest.param("scan-tree", "scan", id="part-of-its-name"),
            pytest.param("look", "a", id="letter-of-the-sentence"),
            pytest.param("look, and see", "look", id="before-its-comma"),
            pytest.param("scan-tree", "scan.tree", id="name-with-a-dot"),
        ],
    )
    def test_note_names_no_task_that_it_did_not_name(self, bare: str, other: str) -> None:
        plan = Plan("Look").add(bare, agent="qa-engineer")
        plan.add(other, agent="backend-specialist", tools=["ruff"])
        spec = equipped(plan)
        assert true_notes(spec) == spec.notes
        assert f"the goal of {bare} says" in spec.notes[-1]

    def test_model_that_calls_no_tools_gets_none(self) -> None:
        plan = Plan("Look", models={"mini": MINI}).add("look", agent="qa-engineer")
        assert work_of(equipped(plan).tasks[0]).tools == ()

    def test_equipping_twice_changes_nothing(self) -> None:
        plan = Plan("Look", models={"default": SPEC}, inputs={"rows": [1]})
        plan.add("look", agent="qa-engineer").add("own", agent=Own(), needs="look")
        spec = equipped(plan)
        stored = PlanSpec.model_validate_json(spec.canonical())
        assert equip(stored, load_cards()).hash == spec.hash

    def test_tools_that_a_person_took_away_stay_away(self) -> None:
        plan = Plan("Look", models={"default": SPEC}).add("look", agent="qa-engineer")
        spec = equipped(plan)
        (task,) = spec.tasks
        bare = task.model_copy(
            update={"work": work_of(task).model_copy(update={"tools": (), "params": {}})}
        )
        again = equip(spec.model_copy(update={"tasks": (bare,)}), load_cards())
        assert work_of(again.tasks[0]).tools == ()


class Own(BaseAgent):
    tools = ("read-file",)

    def process_task(self, task: Any) -> Any:
        return task.goal


class TestOwnAgents:
    def test_class_and_object_are_sent_by_their_bytes(self) -> None:
        plan = Plan("Look").add("a", agent=Own).add("b", agent=Own())
        spec, payloads = plan.build()
        first, second = (work_of(each) for each in spec.tasks)
        assert first.function == second.function
        assert first.function in payloads
        assert (spec.tasks[0].agent, first.label) == ("own", f"{__name__}.Own")
        assert "return task.goal" in first.source

    def test_tools_of_the_class_are_those_of_its_tasks(self) -> None:
        plan = Plan("Look").add("a", agent=Own).add("b", agent=Own, tools=["list-files"])
        assert [work_of(each).tools for each in plan.tasks] == [
            ("read-file",),
            ("list-files",),
        ]

    def test_it_sees_all_inputs_unless_told_otherwise(self) -> None:
        plan = Plan("Look", inputs={"rows": [1], "more": [2]})
        plan.add("a", agent=Own).add("b", agent=Own, variables={"rows": "all"})
        first, second = (work_of(each) for each in equipped(plan).tasks)
        assert sorted(first.variables) == ["more", "rows"]
        assert second.variables["rows"].see == "all"
        assert sorted(second.variables) == ["rows"]


class TestCards:
    def card(self, root: Path, text: str) -> None:
        folder = root / ".hypernb" / "agents"
        folder.mkdir(parents=True)
        (folder / "copy-editor.toml").write_text(
            f'role = "Reads."\ncapabilities = ["prose"]\n{text}'
        )

    def test_card_names_function_tools_and_bounds(self, tmp_path: Path) -> None:
        self.card(
            tmp_path,
            'tools = ["read-file", "send-message"]\nsteps = 5\ncalls = 7\ntokens = 9000\n'
            'returns = "text"\nmodel = "mini"\n',
        )
        plan = Plan("Look", models={"default": SPEC, "mini": MINI})
        plan.add("look", agent="copy-editor")
        work = work_of(equipped(plan, tmp_path).tasks[0])
        assert (work.steps, work.calls, work.tokens) == (5, 7, 9_000)
        assert (work.returns, work.model) == ("text", "mini")

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            pytest.param("steps = 0", "key 'steps' is 0", id="none"),
            pytest.param("steps = true", "it has to be a number", id="flag"),
            pytest.param('returns = "money"', "key 'returns' is 'money'", id="returns"),
            pytest.param('tools = ["read-fil"]', "Did you mean 'read-file'", id="tool"),
        ],
    )
    def test_what_cannot_be_is_said(self, tmp_path: Path, line: str, problem: str) -> None:
        tools = "" if line.startswith("tools") else 'tools = ["links"]\n'
        self.card(tmp_path, f"{tools}{line}\n")
        with pytest.raises(RoleCardError) as caught:
            load_cards(tmp_path)
        assert problem in str(caught.value)
