"""What changed between two revisions of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from hypernb.model import PlanSpec, TaskSpec


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """What a person has to look at again.

    Attributes:
        added: Tasks that only the new plan has, in its order.
        removed: Tasks that only the old plan has, in its order.
        changed: Old and new value of each changed field, by task and field; fields of the
            work are named ``work.tools``, ``work.source`` ...
        plan_fields: The same for the fields of the plan itself.
        reordered: The tasks that both have stand in another order.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, Mapping[str, tuple[Any, Any]]] = field(default_factory=dict)
    plan_fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    reordered: bool = False

    def __bool__(self) -> bool:
        return bool(
            self.added or self.removed or self.changed or self.plan_fields or self.reordered
        )


def compare(old: PlanSpec, new: PlanSpec) -> PlanDifference:
    """Return what changed from one plan to another; falsy if they have the same hash.

    Tasks are the same if they have the same name, so a renamed task is removed and added.

    Example:
        >>> from hypernb.plan import Plan
        >>> old, _ = Plan("demo").add("fetch", dict).build()
        >>> new, _ = Plan("demo").add("fetch", dict, timeout=5).build()
        >>> compare(old, new).changed
        {'fetch': {'timeout_s': (600.0, 5.0)}}
    """
    before = {task.name: task for task in old.tasks}
    after = {task.name: task for task in new.tasks}
    kept = [name for name in after if name in before]
    changes = {name: _task_changes(before[name], after[name]) for name in kept}
    return PlanDifference(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed={name: fields for name, fields in changes.items() if fields},
        plan_fields=_changes(old, new, leave_out="tasks"),
        reordered=[name for name in before if name in after] != kept,
    )


def _task_changes(old: TaskSpec, new: TaskSpec) -> dict[str, tuple[Any, Any]]:
    if old == new:
        return {}
    fields = _changes(old, new, leave_out="work")
    if type(old.work) is not type(new.work):
        return {**fields, "work": (old.work, new.work)}
    work = _changes(old.work, new.work)
    return {**fields, **{f"work.{name}": values for name, values in work.items()}}


def _changes(
    old: BaseModel, new: BaseModel, *, leave_out: str = ""
) -> dict[str, tuple[Any, Any]]:
    return {
        name: (getattr(old, name), getattr(new, name))
        for name in type(old).model_fields
        if name != leave_out and getattr(old, name) != getattr(new, name)
    }
