"""Any plan, any past, any beginning: a fork shares a finished prefix, and all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.model import PlanSpec, PythonWork, TaskSpec
from hypernb.plan import shared_tasks

pytestmark = pytest.mark.timeout(120)

WORK = PythonWork(function="f", arguments="a", label="f")


@st.composite
def pasts(draw: st.DrawFn) -> tuple[PlanSpec, set[str], str]:
    """A plan, which of its tasks succeeded, and a task to begin at or none."""
    names = [f"t{number}" for number in range(draw(st.integers(1, 10)))]
    tasks = [
        TaskSpec(
            name=name,
            work=WORK,
            needs=tuple(draw(st.sets(st.sampled_from(names[:number])))) if number else (),
        )
        for number, name in enumerate(names)
    ]
    succeeded = draw(st.sets(st.sampled_from(names)))
    at = draw(st.sampled_from(["", *names]))
    return PlanSpec(goal="g", tasks=tuple(draw(st.permutations(tasks)))), succeeded, at


@given(pasts())
def test_a_fork_shares_the_finished_prefix_and_opens_the_rest(
    past: tuple[PlanSpec, set[str], str],
) -> None:
    spec, succeeded, at = past
    shared = shared_tasks(spec, succeeded, spec, at=at)
    needs = {task.name: set(task.needs) for task in spec.tasks}
    assert set(shared) <= succeeded - {at}
    assert all(needs[name] <= set(shared) for name in shared)
    left_out = succeeded - {at} - set(shared)
    assert all(needs[name] - set(shared) for name in left_out)
    assert shared == [task.name for task in spec.tasks if task.name in shared]
