"""Code of the person's own in a plan: functions, and agents in Python; nothing fences it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypernb.model import AgentWork, PythonWork
from hypernb.views._clean import clean, line
from hypernb.views._phrase import Code, enumerate_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.model import PlanSpec, TaskSpec
    from hypernb.views._phrase import Phrase

SOURCE_CUT_AT: Final = 20_000
NO_SOURCE: Final = "its source text is not known"
_FREE: Final = "this code can do anything that you can"


def own_work(task: TaskSpec) -> AgentWork | PythonWork | None:
    """Return the work of a task that code of the person's own does; None for any other."""
    work = task.work
    return work if isinstance(work, PythonWork) or work.function else None


def own_tasks(plan: PlanSpec) -> list[TaskSpec]:
    """Return the tasks of a plan that code of the person's own does."""
    return [task for task in plan.tasks if own_work(task)]


def functions(plan: PlanSpec) -> list[TaskSpec]:
    """Return the tasks that call a Python function."""
    return [task for task in plan.tasks if isinstance(task.work, PythonWork)]


def own_agents(plan: PlanSpec) -> list[TaskSpec]:
    """Return the tasks that an agent of a class of the person's own does."""
    return [task for task in own_tasks(plan) if isinstance(task.work, AgentWork)]


def kinds(plan: PlanSpec) -> str:
    """Name what code of the person's own there is: ``functions and agents in Python``."""
    found = [("functions", functions(plan)), ("agents in Python", own_agents(plan))]
    return " and ".join(said for said, tasks in found if tasks)


def own_terms(plan: PlanSpec) -> list[tuple[str, Phrase]]:
    """Return what a yes allows such code, term by term."""
    # A fence that is not there must not be promised.
    said = {
        "Functions": (functions(plan), "They run with your rights, in processes of their own"),
        "In Python": (own_agents(plan), f"Agents of your own: {_FREE}"),
    }
    return [
        (
            term,
            (*enumerate_names(_labels(tasks), most=6), f". {told}; nothing fences them in."),
        )
        for term, (tasks, told) in said.items()
        if tasks
    ]


def _labels(tasks: Sequence[TaskSpec]) -> dict[str, None]:
    return dict.fromkeys(work.label for task in tasks if (work := own_work(task)))


def runs(work: AgentWork | PythonWork) -> Phrase:
    """Say what of the person's own does a task, and that it can do anything."""
    return (Code(line(work.label, cut_at=200)), f": {_FREE}")


def source(task: TaskSpec) -> str:
    """Return the source text of such code, fit to be shown; empty if it is not known."""
    work = own_work(task)
    return clean(work.source, cut_at=SOURCE_CUT_AT).rstrip() if work else ""
