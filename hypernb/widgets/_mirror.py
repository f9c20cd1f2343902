"""A mission as it stands in the store, kept in memory, and what changes in it."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ApprovalError, HypernbError
from hypernb.model import (
    AgentWork,
    CallState,
    Comment,
    EventKind,
    MissionSnapshot,
    MissionState,
)
from hypernb.session import Mission, with_end
from hypernb.views import NO_OUTLOOK
from hypernb.widgets._facts import (
    agent_facts,
    attempt_facts,
    event_facts,
    meanings,
    mission_facts,
    plan_facts,
    task_facts,
)
from hypernb.widgets._head import head_facts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypernb.abc import Clock, Store
    from hypernb.model import (
        AttemptRecord,
        Event,
        MissionId,
        PlanSpec,
        Report,
        Since,
        TaskId,
        TaskRecord,
    )
    from hypernb.session import Session
    from hypernb.views import Outlook

EVENTS_AT_ONCE: Final = 1_000
"""At most so many in a message."""
_KEPT_EVENTS: Final = 500
CHEAP_S: Final = 0.004
"""A head that takes no longer than this goes out with every batch."""
_TIMES_OWN_COST: Final = 10
_BETWEEN_HEADS_S: Final = 0.1
"""What only tells of progress brings no other head: its message is a fifth as long, and of one
longer than two kilobytes the signature alone gives the interpreter away."""
_HEAD_AGES_S: Final = 5.0
_BETWEEN_OUTLOOKS_S: Final = 1.0
"""Each statement that a store is asked gives the interpreter away, and looking up what calls
without a price there are takes several: not with every call, each of which tells much else."""
_PAID: Final = (CallState.SETTLED, CallState.LOST)
_NOTHING_SPENT: Final = (0.0, 0)


@dataclass(frozen=True, slots=True)
class Step:
    """What changed from one event to another, ready to be sent but for its number."""

    from_seq: int
    seq: int
    body: dict[str, Any]
    more: bool = False


class Mirror:
    """Follows one mission. Used by one thread, which reads the store with it.

    Args:
        session: Knows the agents, and what tasks like these took before.
        store: The session's, which stays the same when the session is closed.
        mission_id: Of the mission.
        clock: Where the time comes from.

    Raises:
        UnknownMissionError: There is no such mission.
    """

    def __init__(
        self, session: Session, store: Store, mission_id: MissionId, clock: Clock
    ) -> None:
        self._session = session
        self._store = store
        self._clock = clock
        self.id = mission_id
        snapshot = store.snapshot(mission_id, events=_KEPT_EVENTS)
        self.seq = snapshot.seq
        self.mission = snapshot.mission
        self._plan = snapshot.plan
        self._plan_before = self._earlier(snapshot.mission.revision)
        self._tasks = {task.id: task for task in snapshot.tasks}
        self._attempts = {(each.task_id, each.number): each for each in snapshot.attempts}
        self._events: deque[Event] = deque(snapshot.events, maxlen=_KEPT_EVENTS)
        self._findings = snapshot.findings
        self._findings_are_old = False
        self._approvals = snapshot.approvals
        self._runners = snapshot.runners
        self._lacks = snapshot.lacks
        self._total_events = store.count_events(mission_id, until=snapshot.seq)
        self._paid = 0
        self._spent: dict[TaskId, tuple[float, int]] = {}
        self._past = store.past(mission_id)
        self._comments = [
            Comment.of(event)
            for event in store.events(mission_id, kinds=[EventKind.PLAN_COMMENTED])
        ]
        self._outlook: Outlook = NO_OUTLOOK
        self._looked_up: object = None
        self._looked_up_at = 0.0
        self._raised = 0
        self._has_new_unpriced = False
        self._report: Report | None = None
        self._reported_seq = -1
        self._end: MissionSnapshot | None = None
        self._take(store.since(mission_id, self.seq, limit=EVENTS_AT_ONCE))
        self.head: dict[str, Any] = {}
        self.head_version = 0
        self._head_seq = -1
        self._head_at = 0.0
        self._head_cost_s = 0.0
        self._states_changed = False
        self.make_head()

    @property
    def is_under_way(self) -> bool:
        """Whether a runner has, or should have, something to do for it."""
        state = self.mission.state
        return state is MissionState.RUNNING or (
            state is MissionState.AWAITING_APPROVAL
            and any(each.revision == self.mission.revision for each in self._approvals)
        )

    # -- what changes -------------------------------------------------------------------

    def advance(self) -> Step | None:
        """Read what has happened since; None if nothing has.

        Raises:
            UnknownMissionError: The mission was forgotten.
        """
        since = self._store.since(self.id, self.seq, limit=EVENTS_AT_ONCE, paid=self._paid)
        step = self._take(since)
        if step is None or step.more or self._head_cost_s > CHEAP_S:
            return step
        if self._states_changed or time.monotonic() - self._head_at >= _BETWEEN_HEADS_S:
            self.make_head()
            step.body["head"] = self.head
        return step

    def page(self, after: int) -> Step:
        """Read what a view needs that has seen less than the mirror has.

        It ends where the mirror does, although the store may know more by now: the mirror will
        tell that to everybody, and whoever had it already would be told it twice.
        """
        since = self._store.since(self.id, after, limit=EVENTS_AT_ONCE)
        until = min(since.seq, self.seq)
        events = [event for event in since.events if event.seq <= until]
        body = self._body(after, until, since.tasks, since.attempts, events)
        body["mission"] = mission_facts(since.mission)
        if since.plan_changed and self._plan is not None:
            body["plan"] = plan_facts(self._plan)
        return Step(after, until, body, more=since.more and until < self.seq)

    def _take(self, since: Since) -> Step | None:
        from_seq, self.seq = self.seq, since.seq
        self._total_events += since.counted
        self._lacks = since.lacks
        paid_for = self._pay(since)
        if since.plan_changed:
            self._revise()
        tasks = [
            task
            for task in since.tasks
            if task.id in paid_for or self._tasks.get(task.id) != task
        ]
        told = {task.id for task in tasks}
        tasks += [task for key in paid_for - told if (task := self._tasks.get(key)) is not None]
        attempts = [
            each
            for each in since.attempts
            if self._attempts.get((each.task_id, each.number)) != each
        ]
        mission_changed = since.mission != self.mission
        if not (since.events or tasks or attempts or mission_changed):
            return None
        self._keep(since, tasks, attempts)
        body = self._body(from_seq, self.seq, tasks, attempts, since.events)
        if mission_changed:
            body["mission"] = mission_facts(self.mission)
        if since.plan_changed and self._plan is not None:
            body["plan"] = plan_facts(self._plan)
        return Step(from_seq, self.seq, body, more=since.more)

    def _keep(
        self, since: Since, tasks: list[TaskRecord], attempts: list[AttemptRecord]
    ) -> None:
        self._states_changed = since.mission != self.mission
        self.mission = since.mission
        self._events.extend(since.events)
        for task in tasks:
            before = self._tasks.get(task.id)
            if before is None or before.findings != task.findings:
                self._findings_are_old = True
            if before is None or before.state is not task.state:
                self._states_changed = True
            self._tasks[task.id] = task
        for each in attempts:
            self._attempts[each.task_id, each.number] = each
        kinds = {str(event.kind) for event in since.events}
        self._raised += EventKind.BUDGET_RAISED in kinds
        if EventKind.LLM_RESPONDED in kinds:
            self._has_new_unpriced |= any(map(_is_unpriced, since.events))
        if EventKind.PLAN_APPROVED in kinds:
            self._approvals = self._approved()
        if EventKind.PLAN_COMMENTED in kinds:
            self._comments += [
                Comment.of(event)
                for event in since.events
                if event.kind == EventKind.PLAN_COMMENTED
            ]

    def _earlier(self, revision: int) -> PlanSpec | None:
        return self._store.plan(self.id, revision - 1) if revision > 1 else None

    def _approved(self) -> tuple[Any, ...]:
        try:
            given = self._store.approval(self.id)
        except ApprovalError:  # somebody else's, with which no runner of this user works
            return ()
        return () if given is None else (given,)

    def _pay(self, since: Since) -> set[TaskId]:
        self._paid = since.paid
        for task, (cost, tokens) in since.spent.items():
            before = self._spent.get(task, _NOTHING_SPENT)
            self._spent[task] = (before[0] + cost, before[1] + tokens)
        return set(since.spent)

    def _revise(self) -> None:
        self._plan_before, self._plan = self._plan, self._store.plan(self.id)
        self._approvals = ()
        self._tasks.clear()
        self._attempts.clear()
        self._past = self._store.past(self.id)

    # -- the head -----------------------------------------------------------------------

    def head_is_due(self, now_s: float) -> bool:
        """Tell whether there should be another head: it costs a tenth of the time at most."""
        since_s = now_s - self._head_at
        # The next step may soon bring one along.
        if since_s < max(2 * _BETWEEN_HEADS_S, _TIMES_OWN_COST * self._head_cost_s):
            return False
        return self._head_seq != self.seq or (self.is_under_way and since_s >= _HEAD_AGES_S)

    def make_head(self) -> None:
        """Make the head of what is known now."""
        began = time.monotonic()
        if self._findings_are_old:
            self._findings = tuple(self._store.findings(self.id))
            self._findings_are_old = False
        head = head_facts(
            self.snapshot(),
            durations=self._past,
            usage=self._spent,
            comments=self._comments,
            previous_plan=self._plan_before,
            report=self.report(),
            outlook=self.outlook(),
        )
        if head != self.head:
            self.head = head
            self.head_version += 1
        self._head_seq = self.seq
        self._head_at = time.monotonic()
        self._head_cost_s = self._head_at - began

    def report(self) -> Report | None:
        """Return what the mission reports, once it has ended."""
        if not self.mission.state.is_final:
            return None
        if self._reported_seq != self.seq:
            self._reported_seq = self.seq
            try:
                self._report = Mission(self._session, self.mission).report()
            except HypernbError:  # an output that cannot be read is told where it is shown
                self._report = None
        return self._report

    def outlook(self) -> Outlook:
        """Return what it will cost, looked up anew when that may have changed."""
        known = (self.mission.plan_hash, self.mission.state, self._raised)
        now_s = time.monotonic()
        is_old = self._has_new_unpriced and now_s - self._looked_up_at >= _BETWEEN_OUTLOOKS_S
        if self._looked_up != known or is_old:
            self._looked_up, self._looked_up_at = known, now_s
            self._has_new_unpriced = False
            self._outlook = Mission(self._session, self.mission).outlook(self._plan)
        return self._outlook

    def look_for_runners(self) -> None:
        """Read which runners there are; it changes without an event of the mission's."""
        self._runners = tuple(self._store.leases("runner:"))

    def snapshot(self) -> MissionSnapshot:
        """Return the mission as it is known now."""
        known = MissionSnapshot(
            seq=self.seq,
            now=self._clock.now(),
            mission=self.mission,
            plan=self._plan,
            tasks=tuple(self._tasks.values()),
            attempts=tuple(self._attempts.values()),
            events=tuple(self._events),
            findings=self._findings,
            approvals=self._approvals,
            runners=self._runners,
            lacks=self._lacks,
        )
        if not self.mission.state.is_final:
            return known
        if self._end is None or self._end.seq != self.seq:
            self._end = with_end(self._store, known)
        return replace(known, answers=self._end.answers, tracebacks=self._end.tracebacks)

    # -- on the wire --------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        """Return all that a view begins with."""
        return {
            "type": "picture",
            "seq": self.seq,
            "now": self._now(),
            "mission": mission_facts(self.mission),
            "plan": None if self._plan is None else plan_facts(self._plan),
            "tasks": self._task_facts(self._tasks.values()),
            "attempts": [attempt_facts(each) for each in self._attempts.values()],
            "events": [event_facts(event) for event in self._events],
            "total_events": self._total_events,
            "head": self.head,
            "agents": self._agents(),
            "tools": self._tools(),
            "meanings": meanings(),
        }

    def _tools(self) -> list[str]:
        """Return the tools that agents have; of a plan with models, also those for a model."""
        if self._plan is None or not self._plan.models:
            return list(self._session.tool_names())
        works = (task.work for task in self._plan.tasks)
        own = (name for work in works if isinstance(work, AgentWork) for name in work.lanes)
        return list(dict.fromkeys([*self._session.tool_names(for_models=True), *own]))

    def _agents(self) -> list[dict[str, Any]]:
        try:
            cards = self._session.agents(self.mission.root)
        except HypernbError:  # a card that cannot be read is told of where a plan is made
            return []
        return [agent_facts(card) for card in cards.values()]

    def head_batch(self) -> dict[str, Any]:
        """Return a batch that brings the head and nothing else."""
        return {**self._body(self.seq, self.seq, (), (), ()), "head": self.head}

    def _body(
        self,
        from_seq: int,
        seq: int,
        tasks: Iterable[TaskRecord],
        attempts: Iterable[AttemptRecord],
        events: Iterable[Event],
    ) -> dict[str, Any]:
        return {
            "type": "batch",
            "mission_id": self.id,
            "from_seq": from_seq,
            "seq": seq,
            "now": self._now(),
            "tasks": self._task_facts(tasks),
            "attempts": [attempt_facts(each) for each in attempts],
            "events": [event_facts(event) for event in events],
            "total_events": self._total_events,
        }

    def _task_facts(self, tasks: Iterable[TaskRecord]) -> list[dict[str, Any]]:
        spent = self._spent
        return [task_facts(task, *spent.get(task.id, _NOTHING_SPENT)) for task in tasks]

    def _now(self) -> str:
        return self._clock.now().isoformat()


def _is_unpriced(event: Event) -> bool:
    """Tell whether an event tells of a call that was made and whose cost nobody knows.

    Of one that was lost at most a bound is known.
    """
    state, cost = event.payload.get("state"), event.payload.get("cost")
    is_known = cost is not None and state != CallState.LOST
    return event.kind == EventKind.LLM_RESPONDED and state in _PAID and not is_known
