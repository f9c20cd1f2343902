"""Records of the store as the dictionaries of ``widgets/src/protocol.ts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.views import Code, Strong, tell, words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hypernb.model import (
        AttemptRecord,
        Event,
        MissionRecord,
        PlanSpec,
        RoleCard,
        TaskRecord,
        TaskSpec,
    )
    from hypernb.views import Part

Facts = dict[str, Any]

ERROR_CUT_AT: Final = 20_000
"""A traceback is told in full; what is longer than any is in the store."""

# Digests say nothing to a person; directories and models are told with the decision.
_NOT_OF_THE_PLAN: Final = (
    *("paths", "params", "models", "content", "cassette", "cache_s", "see", "handed_in"),
)
_NOT_OF_THE_WORK: Final = (
    *("function", "arguments", "prompt", "returns", "answer", "steps", "calls"),
    *("tokens", "variables", "lanes", "schemas"),
)


def when(at: datetime | None) -> str | None:
    """Write a time in ISO 8601, or None for one that has not come."""
    return None if at is None else at.isoformat()


def phrase(parts: Sequence[Part]) -> list[Any]:
    """Write a sentence with its names and what must not be missed."""
    return [_part(part) for part in parts if part]


def _part(part: Part) -> str | dict[str, str]:
    match part:
        case Code():
            return {"code": part.text}
        case Strong():
            return {"strong": part.text}
        case _:
            return part if isinstance(part, str) else part.text


def meanings() -> dict[str, Facts]:
    """Write what each state of a mission, a task and an attempt means, in a sentence."""
    kinds = {
        "mission": words.MISSION_STATES,
        "task": words.TASK_STATES,
        "attempt": words.ATTEMPT_STATES,
    }
    return {
        kind: {str(state): word.means for state, word in states.items()}
        for kind, states in kinds.items()
    }


def mission_facts(record: MissionRecord) -> Facts:
    """Write a mission's row."""
    return {
        "id": record.id,
        "number": record.number,
        "short_id": record.short_id,
        "goal": record.goal,
        "state": record.state.value,
        "created_at": record.created_at.isoformat(),
        "started_at": when(record.started_at),
        "finished_at": when(record.finished_at),
        "playbook": record.playbook,
        "planned_by": record.planned_by,
        "root": record.root,
        "priority": record.priority,
        "revision": record.revision,
        "plan_hash": record.plan_hash,
        "error": record.error[:ERROR_CUT_AT],
        "cost": record.cost,
        "by": record.by,
        "forked_from": record.forked_from,
        "forked_at": record.forked_at,
        "rested_s": record.rested_s,
    }


def task_facts(record: TaskRecord, cost: float = 0.0, tokens: int = 0) -> Facts:
    """Write a task's row.

    Args:
        record: The task.
        cost: What its attempts have told that they paid, in dollars.
        tokens: How many tokens they have told of.
    """
    return {
        "id": record.id,
        "number": record.number,
        "name": record.name,
        "state": record.state.value,
        "agent": record.agent,
        "attempt": record.attempt,
        "ready_at": when(record.ready_at),
        "started_at": when(record.started_at),
        "finished_at": when(record.finished_at),
        "heartbeat_at": when(record.heartbeat_at),
        "pid": record.pid,
        "note": record.note,
        "error": record.error[:ERROR_CUT_AT],
        "outcome": record.outcome,
        "findings": record.findings,
        "worked_s": record.worked_s,
        "cost": cost,
        "tokens": tokens,
        "has_output": record.output is not None,
    }


def attempt_facts(record: AttemptRecord) -> Facts:
    """Write one try at a task."""
    return {
        "task_id": record.task_id,
        "number": record.number,
        "state": record.state.value,
        "started_at": record.started_at.isoformat(),
        "finished_at": when(record.finished_at),
        "pid": record.pid,
        "error": record.error[:ERROR_CUT_AT],
    }


def event_facts(event: Event) -> Facts:
    """Write an event, with what it tells of in words."""
    return {
        "seq": event.seq,
        "at": event.at.isoformat(),
        "kind": str(event.kind),
        "task": event.task,
        "attempt": event.attempt,
        "payload": dict(event.payload),
        "told": phrase(tell(event)),
    }


def plan_facts(spec: PlanSpec) -> Facts:
    """Write a revision of the plan; fields that have their default value are left out."""
    facts = spec.model_dump(mode="json", exclude_defaults=True, exclude={"tasks"})
    for name in _NOT_OF_THE_PLAN:
        facts.pop(name, None)
    facts["tasks"] = [task_spec_facts(task) for task in spec.tasks]
    return facts


def task_spec_facts(task: TaskSpec) -> Facts:
    """Write a task of the plan, always with its name and what kind of work it is."""
    facts = task.model_dump(mode="json", exclude_defaults=True)
    work: Facts = facts.get("work", {})
    for name in _NOT_OF_THE_WORK:
        work.pop(name, None)
    facts["name"] = task.name
    facts["work"] = {"kind": task.work.kind, **work}
    return facts


def agent_facts(card: RoleCard) -> Facts:
    """Write what a view says of an agent."""
    return {"name": card.name, "role": card.role}
