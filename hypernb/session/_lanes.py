"""Lanes in plans: which tools run in which kernel, and another kernel in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypernb.errors import ContractError, UnknownNameError
from hypernb.model import KERNEL_LANE, AgentWork
from hypernb.tools import kernel_lane, kernel_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.model import PlanSpec, TaskSpec, ToolSchema
    from hypernb.session._mission import Mission


def with_lanes(spec: PlanSpec) -> PlanSpec:
    """Return a plan in which tools of this kernel have its lane, and the schemas they have now.

    Lanes of other kernels stay, and those of tools that a task does not name go.
    """
    tasks = tuple(_with_lanes(task) for task in spec.tasks)
    return spec if tasks == spec.tasks else spec.model_copy(update={"tasks": tasks})


def _with_lanes(task: TaskSpec) -> TaskSpec:
    work = task.work
    # Who does it must be able to call: the tools of the other agents are analysers.
    if not (isinstance(work, AgentWork) and (work.model or work.function)):
        return task
    known, own = kernel_tools(), kernel_lane()
    here = [name for name in work.tools if name in known and work.lanes.get(name, own) == own]
    kept = [name for name in work.lanes if name in work.tools and name not in here]
    lanes = {name: work.lanes[name] for name in kept} | dict.fromkeys(here, own)
    schemas = {name: work.schemas[name] for name in kept if name in work.schemas}
    schemas |= {name: known[name].tool.schema for name in here}
    if (lanes, schemas) == (work.lanes, work.schemas):
        return task
    changed = work.model_copy(update={"lanes": lanes, "schemas": schemas})
    return task.model_copy(update={"work": changed})


def lanes_of(spec: PlanSpec) -> dict[str, dict[str, ToolSchema]]:
    """Return the tools that a plan has run in kernels, with their schemas, by lane."""
    found: dict[str, dict[str, ToolSchema]] = {}
    for lane, name, schema in _in_lanes(spec):
        found.setdefault(lane, {})[name] = schema
    return found


def _in_lanes(spec: PlanSpec) -> Iterator[tuple[str, str, ToolSchema]]:
    for task in spec.tasks:
        if isinstance(task.work, AgentWork):
            for name, lane in task.work.lanes.items():
                if lane.startswith(KERNEL_LANE) and name in task.work.schemas:
                    yield lane, name, task.work.schemas[name]


def serve_own_lane(url: str, spec: PlanSpec) -> None:
    """Answer for this kernel's lane in a store, if a plan has tools run in it."""
    if kernel_lane() in lanes_of(spec):
        from hypernb.session._kernel_lane import serve_lane

        serve_lane(url)


def take_over_lanes(mission: Mission) -> list[str]:
    """Have this kernel answer for kernels of a mission that are gone; return their tools.

    Nothing is moved unless all tools of those kernels are defined here, with the arguments
    and descriptions that were approved.

    Raises:
        UnknownNameError: A tool is not defined here.
        ContractError: A tool takes other arguments than in the plan.
    """
    store, known, own = mission.session.store, kernel_tools(), kernel_lane()
    gone: dict[str, dict[str, ToolSchema]] = {}
    for planned, tools in lanes_of(mission.plan).items():
        lane = store.lane_of(mission.record.id, planned)
        if lane != own and not store.leases(f"lane:{lane}"):
            gone.setdefault(lane, {}).update(tools)
    for tools in gone.values():
        for name, schema in tools.items():
            _refuse_other(mission, name, schema)
    for lane in gone:
        store.move_lane(mission.record.id, lane, own)
    if gone or own in _answering(mission):
        from hypernb.session._kernel_lane import serve_lane

        serve_lane(store.url)
    return sorted({name for tools in gone.values() for name in tools if name in known})


def _answering(mission: Mission) -> set[str]:
    store, plan = mission.session.store, mission.plan
    return {store.lane_of(mission.record.id, lane) for lane in lanes_of(plan)}


def _refuse_other(mission: Mission, name: str, approved: ToolSchema) -> None:
    known = kernel_tools()
    if name not in known:
        raise UnknownNameError(
            "tool of this kernel",
            name,
            known,
            hint=f"{mission.id} waits for it: define it with @hypernb.tool as it was, then "
            f"%hyper attach {mission.id}.",
        )
    found = known[name].tool.schema
    if found != approved:
        changed = ", ".join(
            field
            for field in ("description", "parameters")
            if getattr(found, field) != getattr(approved, field)
        )
        raise ContractError(
            f"{name!r} is not what was approved for {mission.id}: its {changed} differ.",
            hint="Define it as it was, or cancel the mission and plan it anew.",
        )
