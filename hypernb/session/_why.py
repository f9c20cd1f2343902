"""Why a variable is what it is: mission, task, prompt, model, cost and check behind it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import CannotShipError, HypernbError, UsageError
from hypernb.here import current_shell
from hypernb.model import AgentWork, EventKind, PythonWork, TaskState
from hypernb.session._here import session_here
from hypernb.session._origins import Origin, origin_of, origin_of_name, wanted_of
from hypernb.session._usage import UsageTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from hypernb.model import MissionRecord, PlanSpec, TaskRecord, TaskSpec
    from hypernb.session._mission import Mission
    from hypernb.session._session import Session

_GOAL_CHARS: Final = 80
_CALLS_READ: Final = 2_000
_EQUALS_NAMED: Final = 10
_TASK: Final = re.compile(r"(m-\d+)(?:/(\S+))?")


@dataclass(frozen=True, slots=True)
class Why:
    """Where something came from.

    Attributes:
        name: The variable that was asked about; empty if a value was.
        mission: Short id of the mission.
        goal: What the mission was for.
        task: The task that returned it; empty if it holds the outputs of several.
        prompt: What that task was to do.
        by: Which agent or function did it.
        models: Which models were asked, each with its host.
        calls: How often they were asked.
        spared: How many answers came from a cache or a cassette besides.
        cost: What the calls cost, in dollars, as `Session.usage` counts it.
        unknown: How many calls have no known cost.
        at_most: How many count with what was kept for them: nobody knows what they cost, but
            not more.
        check: What its agent was told must hold; nothing has checked it.
        outcome: What came of the task.
        needs: The tasks whose outputs it was made from.
        without: Tasks that it needs and that gave nothing, with how they ended.
        variables: The variables handed in that its task could see.
        functions: The functions of a notebook that were called for it.
        approved: Who approved the plan.
        at: When the task was done.
        equals: Other tasks that returned the same value; a value alone does not tell which of
            them is meant.
    """

    name: str
    mission: str
    goal: str
    task: str = ""
    prompt: str = ""
    by: str = ""
    models: tuple[str, ...] = ()
    calls: int = 0
    spared: int = 0
    cost: float = 0.0
    unknown: int = 0
    at_most: int = 0
    check: str = ""
    outcome: str = ""
    needs: tuple[str, ...] = ()
    without: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    approved: str = ""
    at: datetime | None = None
    equals: tuple[str, ...] = ()

    def __repr__(self) -> str:
        from hypernb.views import why_text

        return why_text(self)

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        from hypernb.views import why_html, why_text

        return {"text/plain": why_text(self), "text/html": why_html(self)}


def why(what: Any) -> Why:
    """Return where a variable or a value came from: mission, task, prompt, model, cost, check.

    Args:
        what: The name of a variable of the notebook, the value itself, or a task: ``m-7/t3``.

    Raises:
        UsageError: It is not known to have come out of a mission.
    """
    return explained(session_here(), what)


def explained(session: Session, what: Any, namespace: Mapping[str, Any] | None = None) -> Why:
    """See `hypernb.session.Session.why`."""
    name, origin = _found(session, what, _variables(namespace))
    if origin is None:
        said = f"{name!r} is" if name else f"This {type(what).__name__} is"
        raise UsageError(
            f"{said} not known to have come out of a mission.",
            hint="What --out, mission.result() and a task's output gave is known, and what is "
            "equal to an output in the store; not what was made from it. m-7/t3 names a task.",
        )
    with _session_of(session, origin) as own:
        return _told(own, name, origin)


def _variables(namespace: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if namespace is not None:
        return namespace
    return getattr(current_shell(), "user_ns", {})


def _found(
    session: Session, what: Any, namespace: Mapping[str, Any]
) -> tuple[str, Origin | None]:
    if not isinstance(what, str):
        return "", _of_mission(what) or origin_of(what) or _by_content(session, what)
    if what in namespace:
        value = namespace[what]
        if bound := _of_mission(value, what):
            return what, bound
        known = origin_of_name(what, value) or origin_of(value)
        return what, known or _by_content(session, value)
    if match := _TASK.fullmatch(what):
        mission = session.mission(match[1])
        task = mission.tasks[match[2]].name if match[2] else ""
        return "", Origin(session.store.url, str(mission.record.id), task)
    if what.isidentifier():
        return what, _of_wanted(session, what)
    return "", _by_content(session, what)


def _of_wanted(session: Session, name: str) -> Origin | None:
    """Return where a result is from that a name was to have; None if none was to be bound."""
    wanted = wanted_of(name)
    if wanted is None:
        return None
    # Its cell has waited in vain, or still does: there is no variable, and this says why.
    with _session_of(session, wanted) as own:
        return _of_mission(own.mission(wanted.mission), name)


def _of_mission(value: Any, name: str = "") -> Origin | None:
    """Return where the result of a mission is from that ``--out`` has bound a name to.

    Raises:
        UsageError: The mission has not ended with a result, so nothing has come out of it.
    """
    from hypernb.session._mission import Mission as Kind

    if not isinstance(value, Kind):
        return None
    record = value.record
    if not value.has_result:
        goal = " ".join(record.goal.split())
        goal = goal if len(goal) <= _GOAL_CHARS else f"{goal[:_GOAL_CHARS].rstrip()} …"
        about = f"{value.id} ({record.state.value.replace('_', ' ')})"
        said = repr(name) if name else "This mission"
        if record.state.is_final:
            failure = value.failure
            result, hint = "a result", f"%hyper show {value.id} says why"
            if failure is not None and failure.there:
                result, hint = "its whole result", f"%hyper result {value.id} gives its part"
            raise UsageError(
                f"{said} has no value: {about}, which was to {goal!r}, ended without {result}.",
                hint=f"{hint}; {value.id}/t1 asks about a task.",
            )
        raise UsageError(
            f"{said} is not finished: {about}, which is to {goal!r}.",
            hint=f"Ask again when it has ended; %hyper wait {value.id} waits for that.",
        )
    return Origin(value.session.store.url, str(record.id), "")


def _by_content(session: Session, value: Any) -> Origin | None:
    """Find the task whose output is the very same, wherever it was loaded."""
    from hypernb.codec import digest, encode

    if value is None or isinstance(value, bool | int | float) or callable(value):
        return None  # of which there are too many to say anything
    try:
        known = digest(encode(value).data)
    except (CannotShipError, RecursionError, MemoryError):
        return None
    store = session.store
    same = store.tasks_with_output(known, limit=1 + _EQUALS_NAMED)
    if not same:
        return None
    newest, *others = same
    equals = tuple(f"{store.mission(each.mission_id).short_id}/{each.name}" for each in others)
    return Origin(store.url, str(newest.mission_id), newest.name, equals)


@contextmanager
def _session_of(session: Session, origin: Origin) -> Iterator[Session]:
    """Lend a session of the origin's store: this one, or one that is closed afterwards."""
    if session.store.url == origin.store:
        yield session
        return
    from hypernb.session._session import Session as Other

    with Other(origin.store, root=session.root, by=session.by) as other:
        yield other


def _told(session: Session, name: str, origin: Origin) -> Why:
    mission = session.mission(origin.mission)
    record, plan = mission.record, mission.plan
    task = origin.task or _only_result(plan)
    told = Why(name, record.short_id, record.goal, task=task, approved=_approved(mission))
    told = replace(told, equals=origin.equals, models=_models_of(session, record, task))
    told = _paid(session, record, told)
    spec = next((each for each in plan.tasks if each.name == task), None)
    if spec is None:
        return told
    told = replace(told, variables=_variables_of(spec, plan), functions=_called(mission, spec))
    tasks = {name: each.record for name, each in mission.tasks.items()}
    return _of_task(told, spec, tasks)


def _variables_of(spec: TaskSpec, plan: PlanSpec) -> tuple[str, ...]:
    """Return the plan's inputs that a task was given, or that its model was told of."""
    work = spec.work
    if isinstance(work, PythonWork):
        return tuple(name for name in plan.inputs if work.takes is None or name in work.takes)
    # Without a model it reads the project, and an agent of one's own is handed them as well.
    return tuple(name for name in plan.inputs if name in work.variables)


def _called(mission: Mission, spec: TaskSpec) -> tuple[str, ...]:
    """Return the functions of a kernel that were called for a task."""
    lanes = spec.work.lanes if isinstance(spec.work, AgentWork) else {}
    if not lanes:
        return ()
    said = mission.events(kinds=(EventKind.TOOL_CALLED,), limit=_CALLS_READ, newest=True)
    called = {each.payload.get("tool") for each in said if each.task == spec.name}
    return tuple(name for name in lanes if name in called)


def _only_result(plan: PlanSpec) -> str:
    """Return the task whose output is the mission's result; empty if several are."""
    return plan.result_tasks[0] if len(plan.result_tasks) == 1 else ""


def _approved(mission: Mission) -> str:
    try:
        approval = mission.session.store.approval(mission.record.id)
    except HypernbError:  # somebody else's
        return ""
    return approval.by if approval else ""


def _models_of(session: Session, record: MissionRecord, task: str) -> tuple[str, ...]:
    calls = [call for call in session.store.calls(record.id) if not task or call.task == task]
    asked = [call for call in calls if call.task_id]
    end = "" if asked else ", for the plan"
    return tuple(dict.fromkeys(f"{call.model} at {call.host}{end}" for call in asked or calls))


def _paid(session: Session, record: MissionRecord, told: Why) -> Why:
    """Add what usage says of the task, or of the whole mission where it is of no one task."""
    sums = session.store.usage_sums(("task",), mission_id=record.id)
    chosen = tuple(each for each in sums if not told.task or each.keys == (told.task,))
    total = UsageTable(("task",), chosen).total
    return replace(
        told,
        calls=total.calls,
        spared=total.spared,
        cost=total.cost,
        unknown=total.unknown,
        at_most=total.at_most,
    )


def _of_task(told: Why, spec: TaskSpec, tasks: Mapping[str, TaskRecord]) -> Why:
    work, record = spec.work, tasks[spec.name]
    ended = {name: tasks[name].state for name in spec.needs if tasks[name].state.is_final}
    without = {name: each for name, each in ended.items() if each is not TaskState.SUCCEEDED}
    by = spec.agent
    if isinstance(work, PythonWork):
        by = work.label
    elif work.label:
        by = f"{spec.agent}, {work.label}"
    return replace(
        told,
        prompt=spec.goal,
        by=by,
        check=spec.check,
        outcome=record.outcome or record.state.value,
        needs=tuple(name for name in spec.needs if name not in without),
        without=tuple((name, state.value) for name, state in without.items()),
        at=record.finished_at,
    )
