"""Which bytes of which variable leave for which host: told before approval, sent after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypernb.errors import UnknownNameError
from hypernb.model import AgentWork, Digest
from hypernb.tools._variables import describe_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hypernb.model import Grant, PlanSpec, TaskSpec
    from hypernb.tools._variables import Described

OWN_CODE = "the agent's own code decides what it sends of it"
"""What stands with a variable of a task that an agent of the user's own does."""

REPLAYED = "a cassette answers, so nothing is sent"
"""What stands with each variable of a plan that is replayed."""


@dataclass(frozen=True, slots=True)
class Egress:
    """What leaves of one variable, in one task.

    Attributes:
        task: Name of the task.
        variable: Name of the variable.
        model: Name of the plan's model that is told.
        host: Where that is.
        text: What is told, to the last character.
        size_bytes: Of the text, as UTF-8.
        redactions: How often what was covered up in it.
        see: How much was granted: ``schema``, ``sample`` or ``all``.
        rows: How many rows of a sample were granted.
        kind: What the variable is.
        shape: How large it is; empty if it has no size.
        parts: What is told of it: ``schema``, ``statistics``, ``sample``, ``all``.
        is_whole: Nothing of it is left out, nor cut short.
        untold: How many characters are left out at the end.
        left: ``yes`` if the task has asked the host already, ``perhaps`` if that has answered
            nothing; else empty.
        note: What a person should know besides; empty if there is nothing.
    """

    task: str
    variable: str
    model: str
    host: str
    text: str
    size_bytes: int
    redactions: Mapping[str, int] = field(default_factory=dict)
    see: str = "sample"
    rows: int = 0
    kind: str = ""
    shape: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    is_whole: bool = False
    untold: int = 0
    left: str = ""
    note: str = ""


def egress(spec: PlanSpec, load: Callable[[Digest], Any]) -> list[Egress]:
    """Return what leaves of a plan's variables when its tasks begin, in plan order.

    By the same function that makes the text when the task runs, so it is the same to the last
    byte. Each variable is loaded once, and let go before the next one is.

    Args:
        spec: The plan.
        load: Returns the value of a digest of `PlanSpec.inputs`.

    Raises:
        UnknownNameError: A task may see a variable that the plan does not hand in.
    """
    wanted: dict[str, set[Grant]] = {}
    for task, work in _with_models(spec):
        for name, grant in work.variables.items():
            if name not in spec.inputs:
                raise UnknownNameError(
                    f"input of the plan that {task.name!r} may see", name, spec.inputs
                )
            wanted.setdefault(name, set()).add(grant)
    told: dict[tuple[str, Grant], Described] = {}
    for name, grants in wanted.items():
        value = load(Digest(spec.inputs[name]))
        told |= {(name, grant): describe_variable(name, value, grant) for grant in grants}
        del value
    return [
        _egress(spec, task, work, told[name, grant], grant)
        for task, work in _with_models(spec)
        for name, grant in sorted(work.variables.items())
    ]


def _with_models(spec: PlanSpec) -> Iterator[tuple[TaskSpec, AgentWork]]:
    for task in spec.tasks:
        if isinstance(task.work, AgentWork) and task.work.model:
            yield task, task.work


def _egress(
    spec: PlanSpec, task: TaskSpec, work: AgentWork, told: Described, grant: Grant
) -> Egress:
    model = spec.models.get(work.model)
    return Egress(
        task=task.name,
        variable=told.name,
        model=work.model,
        host=model.host if model is not None else "",
        text=told.text,
        size_bytes=len(told.text.encode()),
        redactions=told.redactions,
        see=grant.see,
        rows=grant.rows,
        kind=told.kind,
        shape=told.shape,
        parts=tuple(told.parts),
        is_whole=told.is_whole,
        untold=told.untold,
        note="; ".join(_notes(spec, work)),
    )


def _notes(spec: PlanSpec, work: AgentWork) -> Iterator[str]:
    if work.function:
        yield OWN_CODE
    if spec.is_replayed:
        yield REPLAYED
