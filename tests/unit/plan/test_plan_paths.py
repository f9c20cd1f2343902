"""Longest paths and waves, compared with networkx."""

from __future__ import annotations

import random
from itertools import pairwise

import networkx as nx
import pytest

from hypernb.model import PlanSpec, PythonWork, TaskSpec
from hypernb.plan import critical_path, keyword_name, remaining_paths, to_networkx, waves

WORK = PythonWork(function="f", arguments="a", label="f")


def random_plan(seed: int, count: int = 60) -> PlanSpec:
    dice = random.Random(seed)  # noqa: S311  a plan, no secret
    tasks = [
        TaskSpec(
            name=f"t{number}",
            needs=tuple({f"t{dice.randrange(number)}" for _ in range(dice.randrange(4))})
            if number
            else (),
            work=WORK,
            estimate_s=dice.choice([None, 0.5, 4.0]),
        )
        for number in range(count)
    ]
    dice.shuffle(tasks)
    return PlanSpec(goal="Random", tasks=tuple(tasks))


def weight(task: TaskSpec) -> float:
    return 1.0 if task.estimate_s is None else task.estimate_s


def weighted(spec: PlanSpec) -> nx.DiGraph:
    """Return a graph whose arrows weigh what the task they come from takes."""
    graph = to_networkx(spec)
    weights = {task.name: weight(task) for task in spec.tasks}
    graph.add_edges_from((name, "the end") for name in weights)
    nx.set_edge_attributes(graph, {arrow: weights[arrow[0]] for arrow in graph.edges}, "weight")
    return graph


@pytest.mark.parametrize("seed", [pytest.param(n, id=f"seed-{n}") for n in range(10)])
def test_critical_path_is_a_longest_one(seed: int) -> None:
    spec = random_plan(seed)
    tasks = {task.name: task for task in spec.tasks}
    path = critical_path(spec)
    assert sum(weight(tasks[name]) for name in path) == nx.dag_longest_path_length(
        weighted(spec)
    )
    assert all(one in tasks[other].needs for one, other in pairwise(path))


@pytest.mark.parametrize("seed", [pytest.param(n, id=f"seed-{n}") for n in range(10)])
def test_waves_are_topological_generations(seed: int) -> None:
    spec = random_plan(seed)
    generations = nx.topological_generations(to_networkx(spec))
    assert [set(wave) for wave in waves(spec)] == [set(one) for one in generations]


@pytest.mark.parametrize("seed", [pytest.param(n, id=f"seed-{n}") for n in range(3)])
def test_remaining_paths_are_longest_to_the_end(seed: int) -> None:
    spec = random_plan(seed, count=25)
    graph = weighted(spec)
    for name, remaining in remaining_paths(spec).items():
        below = graph.subgraph({name, *nx.descendants(graph, name)})
        assert remaining == nx.dag_longest_path_length(below)


def test_durations_win_over_estimates() -> None:
    spec = random_plan(1)
    times = dict.fromkeys((task.name for task in spec.tasks), 0.0) | {"t59": 100.0}
    assert "t59" in critical_path(spec, times)
    assert max(remaining_paths(spec, times).values()) == 100.0


def test_empty_plan_has_no_paths() -> None:
    empty = PlanSpec(goal="Nothing")
    assert (critical_path(empty), remaining_paths(empty), waves(empty)) == ((), {}, ())


def test_long_chain_needs_no_recursion() -> None:
    chain = PlanSpec(
        goal="Chain",
        tasks=tuple(
            TaskSpec(name=f"t{n}", needs=(f"t{n - 1}",) if n else (), work=WORK)
            for n in range(20_000)
        ),
    )
    assert len(critical_path(chain)) == len(waves(chain)) == 20_000


@pytest.mark.parametrize(
    ("name", "keyword"),
    [
        pytest.param("load-rows", "load_rows", id="dash"),
        pytest.param("Zahlen für heute", "Zahlen_für_heute", id="words"),
        pytest.param("rows", "rows", id="plain"),
    ],
)
def test_task_name_becomes_keyword(name: str, keyword: str) -> None:
    assert keyword_name(name) == keyword


def test_graph_knows_the_tasks() -> None:
    task = TaskSpec(name="a", needs=("b",), agent="qa-engineer", goal="Look", work=WORK)
    graph = to_networkx(PlanSpec(goal="g", tasks=(task,)))
    assert graph.nodes["a"] == {"agent": "qa-engineer", "goal": "Look", "estimate_s": None}
    assert list(graph.edges) == [("b", "a")]
