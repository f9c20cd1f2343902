"""Reading a mission that a runner takes: its plan, its past, and whether it may run at all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.engine import _changes as changes
from hypernb.engine._recovery import Recovery, asked_again, recover
from hypernb.errors import ApprovalError, HypernbError, StoreCorruptError
from hypernb.model import AttemptState, CallState, EventKind, TaskState
from hypernb.plan import check_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from hypernb.abc import Store
    from hypernb.engine._recovery import Leftover
    from hypernb.model import (
        Amendment,
        AttemptRecord,
        Change,
        Event,
        LeaseRecord,
        MissionRecord,
        PlanSpec,
        TaskRecord,
    )

_PAGE: Final = 10_000
_UNENDED: Final = (AttemptState.RUNNING, AttemptState.ABANDONED, AttemptState.CANCELLED)
_UNANSWERED: Final = "its runner ended before the answer"


@dataclass(frozen=True, slots=True)
class Opening:
    """A mission as a runner finds it.

    Attributes:
        started_at: When it was started last, by an approval or a retry.
        is_finishing: A person wanted only what ran to end, when it was last let go on.
        cut_short: Tasks that ran when an earlier runner ended, and have not ended.
        objection: Why it must not run; empty if it may.
        durations: Seconds that its tasks took in earlier missions, by name.
        spent: Dollars that its tasks have cost so far, by name.
        lost: What is to be written of calls of models that nobody waits for any more.
        amendments: What a person has changed of its contract since.
        warned_of: The budget of which was warned last; None if none was.
        claims: What was told of servers that count too much.
    """

    mission: MissionRecord
    plan: PlanSpec
    tasks: tuple[TaskRecord, ...]
    recovery: Recovery
    started_at: datetime | None
    is_finishing: bool = False
    cut_short: tuple[str, ...] = ()
    objection: str = ""
    durations: Mapping[str, float] = field(default_factory=dict)
    spent: Mapping[str, float] = field(default_factory=dict)
    lost: tuple[Change, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    warned_of: float | None = None
    claims: tuple[Mapping[str, Any], ...] = ()


def read_opening(
    store: Store,
    mission: MissionRecord,
    lease: LeaseRecord,
    *,
    leftover: Leftover,
    at: datetime,
    abandoned_at_most: int,
) -> Opening:
    """Read a mission, and decide what the end of its last runner means. Blocking.

    Args:
        lease: Of the runner that takes it.
        leftover: What this runner could not write of it, because the store was out of reach.

    Raises:
        StoreCorruptError: Its tasks are not those of its plan.
    """
    mission = store.mission(mission.id)
    plan = store.plan(mission.id)
    tasks = store.tasks(mission.id)
    if [task.name for task in tasks] != [task.name for task in plan.tasks]:
        raise StoreCorruptError(
            f"The tasks of {mission.short_id} are not those of its plan.",
            hint="They were changed outside hypernb; start the mission anew.",
        )
    attempts = [] if mission.started_at is None else store.attempts(mission.id)
    retried = _all(store, mission, EventKind.TASK_RETRIED) if attempts else []
    begun = (EventKind.MISSION_STARTED, EventKind.MISSION_RESUMED)
    starts = _all(store, mission, *begun) if mission.started_at else []
    started = [each.at for each in starts if each.kind == EventKind.MISSION_STARTED]
    recovery = recover(
        mission,
        plan,
        tasks,
        attempts,
        asked_again=asked_again(retried),
        # A start that was not committed leaves its number to whoever starts the task next.
        dropped={
            (each.task_id, each.number)
            for each in attempts
            if each.runner_id == lease.holder
            and (each.task_id, each.number) in leftover.attempts
        },
        at=at,
        abandoned_at_most=abandoned_at_most,
    )
    return Opening(
        mission=mission,
        plan=plan,
        tasks=tuple(tasks),
        recovery=recovery,
        started_at=started[-1] if started else mission.started_at,
        is_finishing=bool(starts and starts[-1].payload.get("finish")),
        cut_short=_cut_short(tasks, attempts, recovery),
        objection=objection(store, mission, plan),
        durations=store.durations(mission.id),
        spent=_spent(store, mission, tasks) if mission.cost else {},
        **(_of_models(store, mission, leftover, at) if plan.models else {}),
    )


def _cut_short(
    tasks: Sequence[TaskRecord], attempts: Sequence[AttemptRecord], recovery: Recovery
) -> tuple[str, ...]:
    last = {each.task_id: each.state for each in attempts}
    return tuple(
        task.name
        for task in tasks
        if last.get(task.id) in _UNENDED and recovery.states[task.name] is TaskState.READY
    )


def _of_models(
    store: Store, mission: MissionRecord, leftover: Leftover, at: datetime
) -> dict[str, Any]:
    """Read what a mission with models has besides: calls, amendments, warnings."""
    told = {change.call.id for change in leftover.payments if change.call is not None}
    lost: list[Change] = []
    for call in store.calls(mission.id):
        if call.state is CallState.RESERVED and call.id not in told:
            over = replace(
                call, state=CallState.LOST, ended_at=at, cost=call.reserved, error=_UNANSWERED
            )
            lost += changes.lost(at, over)
    told_of = [event.payload for event in _all(store, mission, EventKind.BUDGET_WARNED)]
    warned = [each["budget"] for each in told_of if "budget" in each]
    return {
        "lost": tuple(lost),
        "amendments": tuple(store.amendments(mission.id)),
        "warned_of": warned[-1] if warned else None,
        "claims": tuple(each for each in told_of if "times" in each),
    }


def _spent(
    store: Store, mission: MissionRecord, tasks: Sequence[TaskRecord]
) -> dict[str, float]:
    names = {task.id: task.name for task in tasks}
    spent: dict[str, float] = {}
    for record in store.usage(mission.id):
        if record.task_id is None:
            continue  # the planning: paid, and no task's
        if (name := names.get(record.task_id)) is not None:
            spent[name] = spent.get(name, 0.0) + record.usage.cost
    return spent


def _all(store: Store, mission: MissionRecord, *kinds: EventKind) -> list[Event]:
    found: list[Event] = []
    while page := store.events(
        mission.id, after=found[-1].seq if found else 0, limit=_PAGE, kinds=kinds
    ):
        found += page
        if len(page) < _PAGE:
            break
    return found


def objection(store: Store, mission: MissionRecord, plan: PlanSpec) -> str:
    """Return why the mission must not run; empty if it may.

    A person has approved exactly this plan, with this user's key, and it can be carried out.
    """
    try:
        approval = store.approval(mission.id)
        if approval is None:
            return "nobody has approved its plan"
        # The store gives no plan but the one that the mission's hash was made of.
        if (approval.revision, approval.plan_hash) != (mission.revision, mission.plan_hash):
            return (
                f"the approval is for revision {approval.revision} "
                f"({approval.plan_hash[:12]}), but the plan is revision {mission.revision} "
                f"({mission.plan_hash[:12]})"
            )
        check_plan(plan, is_approved=True)
    except ApprovalError as error:
        return str(error)
    except HypernbError as error:
        return f"its plan cannot be carried out: {error}"
    return ""
