from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from hypernb.agents import SPECIALISTS, load_playbooks, plan_goal, true_notes
from hypernb.errors import GoalError, PathError, UnknownNameError, UsageError
from hypernb.model import AgentWork, OnFailure
from hypernb.plan import check_plan
from hypernb.tools import tool_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hypernb.model import PlanSpec
    from hypernb.plan import Plan

    Plant = Callable[[Mapping[str, str]], Path]

FILES = {
    "src/app.py": "import os\n",
    "src/db/models.py": "x = 1\n",
    "tests/test_app.py": "def test(): pass\n",
    "README.md": "# Hello\n",
}
TASKS = [
    "scan-tree",
    "map-imports",
    "lint-code",
    "check-frontend",
    "check-database",
    "run-tests",
    "check-delivery",
    "check-security",
    "propose-sprint",
]


def audit(root: Path, **params: Any) -> Plan:
    return load_playbooks()["repo-audit"].build(root=root, **params)


def built(plan: Plan) -> PlanSpec:
    spec, _ = plan.build()
    check_plan(spec, agents=SPECIALISTS, tools=tool_names())
    return spec


def profile(**inputs: Any) -> Plan:
    return load_playbooks()["data-profile"].build(inputs=inputs)


class TestRepoAudit:
    def test_all_eight_specialists_take_part(self, plant: Plant) -> None:
        spec = built(audit(plant(FILES)))
        assert [task.name for task in spec.tasks] == TASKS
        assert {task.agent for task in spec.tasks} == set(SPECIALISTS)
        assert spec.result == "propose-sprint"

    def test_specialists_work_side_by_side(self, plant: Plant) -> None:
        spec = built(audit(plant(FILES)))
        assert {task.needs for task in spec.tasks[1:-1]} == {("scan-tree",)}
        assert spec.tasks[-1].needs == tuple(TASKS[:-1])

    def test_failed_audit_does_not_end_the_rest(self, plant: Plant) -> None:
        spec = built(audit(plant(FILES)))
        assert {task.on_failure for task in spec.tasks[:-1]} == {OnFailure.CONTINUE}
        assert spec.tasks[-1].on_failure is OnFailure.STOP

    def test_test_command_stands_in_plan(self, plant: Plant) -> None:
        task = next(t for t in built(audit(plant(FILES))).tasks if t.name == "run-tests")
        assert isinstance(task.work, AgentWork)
        assert task.work.params["tests"]["command"][-3:] == ["-m", "pytest", "-q"]
        assert "-m pytest -q" in task.goal
        assert task.timeout_s > task.work.params["tests"]["timeout_s"]

    def test_execution_is_announced(self, plant: Plant) -> None:
        notes = " ".join(audit(plant(FILES)).notes)
        assert "executed on this machine with your rights" in notes
        assert "no network, no key" in notes
        assert "No git repository" in notes

    def test_no_tests_leaves_the_suite_out(self, plant: Plant) -> None:
        spec = built(audit(plant(FILES), tests=False))
        task = next(t for t in spec.tasks if t.agent == "qa-engineer")
        assert isinstance(task.work, AgentWork)
        assert (task.name, task.work.tools) == ("find-untested", ("untested",))
        assert not any("with your rights" in note for note in spec.notes)

    def test_only_named_agents_take_part(self, plant: Plant) -> None:
        spec = built(audit(plant(FILES), agents="security-engineer,backend-specialist"))
        assert [task.name for task in spec.tasks] == [
            "scan-tree",
            "lint-code",
            "check-security",
            "propose-sprint",
        ]
        assert any(note.startswith("Left out, as you asked: ") for note in spec.notes)

    def test_unknown_agent_is_refused(self, plant: Plant) -> None:
        with pytest.raises(UnknownNameError, match="Did you mean 'qa-engineer'"):
            audit(plant(FILES), agents="qa-enginer")

    def test_own_agent_joins_by_name(self, plant: Plant) -> None:
        card = 'role = "Reads."\ncapabilities = ["prose"]\ntools = ["links"]\n'
        root = plant({**FILES, ".hypernb/agents/editor.toml": card})
        plan = audit(root, agents="editor")
        assert [task.name for task in plan.tasks] == ["scan-tree", "editor", "propose-sprint"]
        assert any("editor (" in note for note in plan.notes)

    @pytest.mark.parametrize("path", ["src", "src/", "./src"])
    def test_path_is_the_root(self, plant: Plant, path: str) -> None:
        root = plant(FILES)
        assert built(audit(root, path=path)).root == str(root / "src")

    @pytest.mark.parametrize(
        ("path", "said"),
        [
            pytest.param("nowhere", "does not exist", id="missing"),
            pytest.param("README.md", "is not a directory", id="file"),
            pytest.param("empty", "has no files to look at", id="empty"),
        ],
    )
    def test_path_that_is_no_tree_is_refused(self, plant: Plant, path: str, said: str) -> None:
        root = plant(FILES)
        (root / "empty").mkdir()
        with pytest.raises(PathError, match=said):
            audit(root, path=path)

    def test_git_repository_needs_no_note(self, plant: Plant) -> None:
        root = plant(FILES)
        for command in (["git", "init", "-q"], ["git", "add", "."]):
            subprocess.run(command, cwd=root, check=True)
        assert not any("git repository" in note for note in audit(root).notes)
        assert not any("part of the repository" in note for note in audit(root).notes)

    def test_part_of_a_repository_is_called_one(self, plant: Plant) -> None:
        root = plant(FILES)
        for command in (["git", "init", "-q"], ["git", "add", "."]):
            subprocess.run(command, cwd=root, check=True)
        notes = " ".join(audit(root, path="src").notes)
        assert f"That is a part of the repository in {root}" in notes
        assert f"%hyper run repo-audit {root}" in notes

    def test_same_tree_gives_same_plan(self, plant: Plant) -> None:
        root = plant(FILES)
        assert built(audit(root)).hash == built(audit(root)).hash


class TestGoals:
    @pytest.mark.parametrize(
        ("goal", "agents"),
        [
            pytest.param("Are there secrets in here?", ["security-engineer"], id="one"),
            pytest.param(
                "Clean up unused imports", ["backend-specialist"], id="longest-phrase"
            ),
            pytest.param("circular imports?", ["system-architect"], id="shorter-phrase"),
            pytest.param(
                "check SQL queries and the Dockerfile",
                ["database-architect", "devops-engineer"],
                id="two",
            ),
            pytest.param("TESTING!", ["qa-engineer"], id="stems-and-case"),
            pytest.param("list the open TODOs", [], id="strategist-alone"),
            pytest.param("ask the frontend-specialist", ["frontend-specialist"], id="by-name"),
            pytest.param(
                "secrets, but don't look at tests", ["security-engineer"], id="negation"
            ),
            pytest.param("audit everything", [*SPECIALISTS[1:]], id="everything"),
            pytest.param("propose a sprint", [*SPECIALISTS[1:]], id="summing-up"),
            pytest.param("write a poem", [*SPECIALISTS[1:]], id="no-match"),
            pytest.param("everything except security", [*SPECIALISTS[1:-1]], id="all-but-one"),
        ],
    )
    def test_goal_picks_agents(self, plant: Plant, goal: str, agents: list[str]) -> None:
        plan = plan_goal(goal, root=plant(FILES))
        assert [task.agent for task in plan.tasks[1:-1]] == agents

    def test_plan_says_that_rules_made_it(self, plant: Plant) -> None:
        plan = plan_goal("Look for passwords", root=plant(FILES))
        assert plan.planned_by == "rules"
        assert plan.notes[0] == (
            "Planned by rules over the agents' capabilities, because no model is configured: "
            "it matched security-engineer by 'password'."
        )

    def test_no_match_is_said(self, plant: Plant) -> None:
        plan = plan_goal("write a poem", root=plant(FILES))
        assert "it matched no capability, so all specialists look" in plan.notes[0]

    def test_named_agents_win(self, plant: Plant) -> None:
        plan = plan_goal("secrets", root=plant(FILES), agents=["qa-engineer"])
        assert [task.agent for task in plan.tasks[1:-1]] == ["qa-engineer"]
        assert "you named qa-engineer" in plan.notes[0]

    def test_named_paths_narrow_the_scope(self, plant: Plant) -> None:
        plan = plan_goal("lint src/db and ./README.md, not src", root=plant(FILES))
        assert plan.scope == ("README.md", "src/db/")
        assert all(task.scope == plan.scope for task in plan.tasks[:-1])

    @pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "src/../../x", "~/x"])
    def test_paths_outside_are_only_words(self, plant: Plant, path: str) -> None:
        assert plan_goal(f"lint {path}", root=plant(FILES)).scope == ()

    @pytest.mark.parametrize(
        "goal",
        [
            "tests, --no-tests",
            "untested modules; do not run the tests",
            "coverage without tests",
        ],
    )
    def test_goal_can_leave_the_suite_out(self, plant: Plant, goal: str) -> None:
        plan = plan_goal(goal, root=plant(FILES), agents=["qa-engineer"])
        assert plan.tasks[1].name == "find-untested"

    @pytest.mark.parametrize(
        "goal",
        [
            '{"a": {x}, "b": {}}',
            r"$\frac{1}{2}$ \n %hyper --yes",
            "{__import__('os').system('x')}",
            "🦉 審査 مراجعة",
            "--playbook repo-audit; rm -rf /",
            "tab\tbell\x07 line\nnext",
        ],
    )
    def test_goal_is_literal(self, plant: Plant, goal: str) -> None:
        assert built(plan_goal(goal, root=plant(FILES))).goal == goal

    @pytest.mark.parametrize(
        ("goal", "said"),
        [
            pytest.param("", "is empty", id="empty"),
            pytest.param(" \n\t\u200b\x00", "is empty", id="invisible"),
            pytest.param("x" * 100_001, "has 100,001 characters; 100,000 are", id="long"),
            pytest.param("a\0b", r"contains '\\x00', which is not text", id="null"),
            pytest.param("a\ud800b", r"contains '\\ud800', which is not text", id="surrogate"),
        ],
    )
    def test_what_is_no_goal_is_refused(self, plant: Plant, goal: str, said: str) -> None:
        with pytest.raises(GoalError, match=said) as caught:
            plan_goal(goal, root=plant(FILES))
        assert "\n" not in str(caught.value)

    def test_longest_goal_is_planned(self, plant: Plant) -> None:
        goal = ("not " * 25_000)[:100_000]
        assert plan_goal(goal, root=plant(FILES)).goal == goal

    def test_same_goal_gives_same_plan(self, plant: Plant) -> None:
        root = plant(FILES)
        assert len({built(plan_goal("find secrets", root=root)).hash for _ in range(3)}) == 1


class TestNewFiles:
    def test_plan_says_what_git_does_not_track(self, plant: Plant) -> None:
        root = plant(FILES)
        for line in ("init -q .", "add README.md"):
            subprocess.run(["git", *line.split()], cwd=root, check=True)
        said = "3 new files cannot be read until `git add`: src/app.py, src/db/models.py and "
        assert f"{said}tests/test_app.py." in plan_goal("lint", root=root).notes
        subprocess.run(["git", "add", "."], cwd=root, check=True)
        assert "git add" not in str(plan_goal("lint", root=root).notes)


class TestHandedIn:
    def frame(self) -> pd.DataFrame:
        return pd.DataFrame({"age": [1.0, 2, 3], "churned": [0, 1, 0]})

    @pytest.mark.parametrize(
        "goal",
        [
            pytest.param("Which columns leak the target?", id="readme"),
            pytest.param("Does anything leak?", id="leak-alone"),
            pytest.param("Are there duplicates or missing values?", id="no-match"),
            pytest.param("What is odd about df?", id="by-name"),
            pytest.param("Test the data for outliers", id="a-word-of-code-as-well"),
        ],
    )
    def test_goal_about_data_profiles_the_frame(self, plant: Plant, goal: str) -> None:
        plan = plan_goal(goal, root=plant(FILES), inputs={"df": self.frame()})
        assert [task.name for task in plan.tasks] == [
            task.name for task in profile(df=self.frame()).tasks
        ]
        assert (plan.goal, plan.planned_by) == (goal, "rules")
        assert "the playbook data-profile looks at df. No file" in plan.notes[0]

    @pytest.mark.parametrize(
        "goal",
        [
            pytest.param("Which tests are missing?", id="two-meanings"),
            pytest.param("Look for passwords", id="security"),
            pytest.param("Is the data model sound? Mind the migrations", id="data-model"),
            pytest.param("Lint the code, but do not look at the columns", id="negation"),
        ],
    )
    def test_goal_about_files_says_what_is_not_looked_at(self, plant: Plant, goal: str) -> None:
        plan = plan_goal(goal, root=plant(FILES), inputs={"df": self.frame(), "n": 3})
        assert plan.tasks[0].name == "scan-tree"
        assert set(built(plan).inputs) == {"df", "n"}
        assert (
            "df is looked at by no task; --playbook data-profile --in df looks at it."
            in plan.notes
        )
        assert any(note.startswith("n is looked at by no task: without") for note in plan.notes)

    def test_named_agents_are_not_passed_over(self, plant: Plant) -> None:
        plan = plan_goal(
            "Which columns leak?",
            root=plant(FILES),
            agents=["qa-engineer"],
            inputs={"df": self.frame()},
        )
        assert "you named qa-engineer" in plan.notes[0]
        assert any("df is looked at by no task" in note for note in plan.notes)

    @pytest.mark.parametrize(
        ("goal", "target"),
        [
            pytest.param("Which columns leak the target churned?", "churned", id="named"),
            pytest.param("Leaks? The target is `churned`.", "churned", id="is"),
            pytest.param("Which columns leak the target?", "", id="not-named"),
        ],
    )
    def test_target_is_read_from_the_goal(self, plant: Plant, goal: str, target: str) -> None:
        plan = plan_goal(goal, root=plant(FILES), inputs={"df": self.frame()})
        work = next(task.work for task in plan.tasks if task.name == "check-leakage")
        assert isinstance(work, AgentWork)
        assert work.params == ({"profile-leakage": {"target": target}} if target else {})
        asks = any("--in df --target COLUMN" in note for note in plan.notes)
        assert asks is not bool(target)

    def test_columns_that_leak_are_no_secrets(self, plant: Plant) -> None:
        plan = plan_goal("Which columns leak the target?", root=plant(FILES))
        assert "it matched no capability" in plan.notes[0]

    def test_note_goes_with_the_edit_that_looks(self, plant: Plant) -> None:
        plan = plan_goal("Look for passwords", root=plant(FILES), inputs={"df": self.frame()})
        looks = profile(df=self.frame()).tasks[0]
        spec = built(plan)
        edited = spec.model_copy(update={"tasks": (*spec.tasks, looks)})
        assert any("looked at by no task" in note for note in true_notes(spec))
        assert not any("looked at by no task" in note for note in true_notes(edited))


class TestDataProfile:
    def frame(self) -> pd.DataFrame:
        return pd.DataFrame({"a": np.arange(5.0), "price": [1.0, 2, 3, 4, 5]})

    def test_looks_run_side_by_side(self) -> None:
        spec = built(profile(df=self.frame()))
        assert {task.needs for task in spec.tasks[:-1]} == {()}
        assert spec.tasks[-1].needs == tuple(task.name for task in spec.tasks[:-1])
        assert (spec.result, [*spec.inputs]) == ("report", ["df"])

    def test_target_reaches_the_tool(self) -> None:
        plan = load_playbooks()["data-profile"].build(
            inputs={"df": self.frame()}, target="price"
        )
        task = next(task for task in plan.tasks if task.name == "check-leakage")
        assert isinstance(task.work, AgentWork)
        assert task.work.params == {"profile-leakage": {"target": "price"}}
        assert "target: 'price'" in task.goal

    def test_unknown_target_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match="Did you mean 'price'"):
            load_playbooks()["data-profile"].build(inputs={"df": self.frame()}, target="prize")

    @pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
    def test_file_becomes_a_frame(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"sales 2026.{ending}"
        if ending == "parquet":
            self.frame().to_parquet(path)
        else:
            self.frame().to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
        plan = load_playbooks()["data-profile"].build(root=tmp_path, path=path.name)
        assert [*built(plan).inputs] == ["sales_2026"]
        assert any("5 rows and 2 columns" in note for note in plan.notes)

    @pytest.mark.parametrize(
        ("inputs", "said"),
        [
            pytest.param({}, "has no DataFrame to look at", id="none"),
            pytest.param({"x": 3}, "x is of type int", id="no-frame"),
            pytest.param({"x": pd.DataFrame()}, "x has no columns", id="no-columns"),
        ],
    )
    def test_what_is_no_frame_is_refused(self, inputs: dict[str, Any], said: str) -> None:
        with pytest.raises(UsageError, match=said):
            profile(**inputs)

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            pytest.param("no.csv", "does not exist", id="missing"),
            pytest.param("d.csv", "is a directory", id="directory"),
            pytest.param("empty.csv", "cannot be read as a table", id="empty"),
            pytest.param("odd.parquet", "cannot be read as a table", id="not-parquet"),
            pytest.param("odd.xlsx", "neither CSV nor Parquet", id="other"),
        ],
    )
    def test_file_without_a_table_is_refused(
        self, tmp_path: Path, name: str, said: str
    ) -> None:
        (tmp_path / "d.csv").mkdir()
        for other in ("empty.csv", "odd.parquet", "odd.xlsx"):
            (tmp_path / other).write_bytes(b"")
        with pytest.raises(PathError, match=said):
            load_playbooks()["data-profile"].build(root=tmp_path, path=name)

    def test_series_is_a_frame_of_one_column(self) -> None:
        assert [*built(profile(s=pd.Series([1, 2], name="x"))).inputs] == ["s"]
