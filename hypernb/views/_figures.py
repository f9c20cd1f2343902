"""What can be counted and timed in a snapshot, once, for every view of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from hypernb.errors import BudgetExhaustedError, dollars, told_apart
from hypernb.model import (
    OVERSPENT,
    THE_KERNEL,
    UNCOVERED,
    EventKind,
    MissionState,
    OnFailure,
    Past,
    Spread,
    TaskState,
)
from hypernb.views._left import Left, left
from hypernb.views._model_events import waits_until
from hypernb.views._models import NO_OUTLOOK, Outlook, model_name
from hypernb.views.words import APPROVED, cost_and_unknown, count, state_word

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hypernb.model import (
        AttemptRecord,
        Event,
        MissionSnapshot,
        PlanSpec,
        Quote,
        Range,
        TaskRecord,
        TaskSpec,
    )
    from hypernb.views.words import StateWord

RUNNER_WITHIN_S: Final = 10.0
"""Who approves has a runner started; until then there is no reason to alarm anybody."""

GRAPH_AT_MOST: Final = 150
"""Above so many tasks a drawing helps nobody: waves are told instead."""

TASK_ORDER: Final = (
    TaskState.SUCCEEDED,
    TaskState.FAILED,
    TaskState.RUNNING,
    TaskState.VERIFYING,
    TaskState.AWAITING_APPROVAL,
    TaskState.STALLED,
    TaskState.WAITING,
    TaskState.READY,
    TaskState.PENDING,
    TaskState.CANCELLED,
    TaskState.SKIPPED,
)


_SOONEST: Final = (
    TaskState.RUNNING,
    TaskState.VERIFYING,
    TaskState.STALLED,
    TaskState.AWAITING_APPROVAL,
    TaskState.WAITING,
    TaskState.READY,
    TaskState.PENDING,
)
_DIME: Final = 0.1
_WAITING_NOTES: Final = ("waits for ", THE_KERNEL)
"""How the notes of tasks at work begin that a server or a kernel keeps waiting."""
_NOTHING_PAST: Final = Past()
BECAUSE_OF_MONEY: Final = "budget"
"""What ``mission.paused`` gives as its reason when no money is left for a call."""


@dataclass(frozen=True)
class Figures:
    """Counts, times and the critical path of a snapshot.

    Attributes:
        snapshot: What is counted.
        cli: The reader types commands into a terminal, not magics into a cell.
        past: What earlier missions say of it.
        outlook: What it will probably cost, where that was looked up.
    """

    snapshot: MissionSnapshot
    cli: bool = False
    past: Past = _NOTHING_PAST
    outlook: Outlook = NO_OUTLOOK

    def typed(self, words: str) -> str:
        """Write a command as this reader types it, such as ``%hyper show m-7``."""
        return f"{'hypernb' if self.cli else '%hyper'} {words}"

    @property
    def plan(self) -> PlanSpec | None:
        """The current revision."""
        return self.snapshot.plan

    @property
    def quote(self) -> Quote | None:
        """What all of it will probably use; None where nothing is to run, or nobody looked."""
        return None if self.has_nothing_to_run else self.outlook.quote()

    @cached_property
    def specs(self) -> Mapping[str, TaskSpec]:
        """The plan's tasks by name."""
        return {task.name: task for task in self.plan.tasks} if self.plan else {}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Places of the plan's tasks, from 1, by name: ``t3``."""
        return {name: place for place, name in enumerate(self.specs, 1)}

    @cached_property
    def tasks(self) -> Mapping[str, TaskRecord]:
        """The tasks as they stand, by name."""
        return {task.name: task for task in self.snapshot.tasks}

    @cached_property
    def total(self) -> int:
        """How many tasks there are."""
        return max(len(self.snapshot.tasks), len(self.specs))

    @cached_property
    def counts(self) -> Mapping[TaskState, int]:
        """How many tasks are in each state that occurs, what is done first."""
        groups = self._by_state
        return {state: len(groups[state]) for state in TASK_ORDER if state in groups}

    def among(self, *states: TaskState) -> list[TaskRecord]:
        """Return the tasks in these states, in plan order."""
        found = [task for state in states for task in self._by_state.get(state, ())]
        return found if len(states) == 1 else sorted(found, key=_place)

    @cached_property
    def _by_state(self) -> Mapping[TaskState, list[TaskRecord]]:
        groups: dict[TaskState, list[TaskRecord]] = {}
        for task in self.snapshot.tasks:
            groups.setdefault(task.state, []).append(task)
        return groups

    @cached_property
    def unfinished(self) -> list[TaskRecord]:
        """The tasks that have not ended; what is at work first, what waits for others last."""
        return [task for state in _SOONEST for task in self._by_state.get(state, ())]

    @cached_property
    def shared(self) -> list[TaskRecord]:
        """The tasks of a fork that its origin has done; they do not run again."""
        if not self.snapshot.mission.forked_from:
            return []
        return [task for task in self.among(TaskState.SUCCEEDED) if task.attempt == 0]

    @cached_property
    def to_run(self) -> int:
        """How many tasks a yes lets run."""
        return self.total - len(self.shared)

    @property
    def has_nothing_to_run(self) -> bool:
        """It is a fork in which all is done already: a yes would let nothing run."""
        return bool(self.shared) and not self.to_run

    @property
    def size(self) -> str:
        """What a yes approves: ``all 5 tasks``."""
        if self.shared:
            return f"the {count(self.to_run, 'task')} to be run"
        few = {1: "its task", 2: "both tasks"}
        return few.get(self.total, f"all {count(self.total, 'task')}")

    @cached_property
    def active(self) -> list[TaskRecord]:
        """Tasks with an attempt under way that gives signs of life."""
        return self.among(TaskState.RUNNING, TaskState.VERIFYING)

    @cached_property
    def agents(self) -> list[str]:
        """Who takes part, in the order of the plan; empty stands for Python functions."""
        source = self.specs.values() if self.specs else self.snapshot.tasks
        return list(dict.fromkeys(task.agent for task in source))

    @cached_property
    def approved(self) -> bool:
        """The current revision has a person's yes, even if no runner has taken it up."""
        mission = self.snapshot.mission
        return any(yes.plan_hash == mission.plan_hash for yes in self.snapshot.approvals)

    @property
    def was_never_to_run(self) -> bool:
        """It has ended, and nobody ever said yes to its plan."""
        mission = self.snapshot.mission
        return mission.state.is_final and mission.started_at is None and not self.approved

    @cached_property
    def decides(self) -> bool:
        """A person has to say yes or no to the plan."""
        waits = self.snapshot.mission.state is MissionState.AWAITING_APPROVAL
        return waits and not self.approved

    @property
    def word(self) -> StateWord:
        """How the mission's state is shown."""
        state = self.snapshot.mission.state
        if state is MissionState.AWAITING_APPROVAL and self.approved:
            return APPROVED
        return state_word(state)

    @cached_property
    def results_there(self) -> list[str]:
        """The tasks, of those whose outputs are the result, that have succeeded."""
        done = {task.name for task in self.among(TaskState.SUCCEEDED)}
        return [name for name in self.plan.result_tasks if name in done] if self.plan else []

    @property
    def has_result(self) -> bool:
        """All of the result is there, also if the mission has failed."""
        there = self.results_there
        return bool(there and self.plan and len(there) == len(self.plan.result_tasks))

    @cached_property
    def is_ending(self) -> bool:
        """Whether a failure lets nothing more start, so that it ends with what runs."""
        if self.snapshot.mission.state.is_final:
            return False
        return any(self.ends_all(task) for task in self.among(TaskState.FAILED))

    def ends_all(self, task: TaskRecord) -> bool:
        """Whether the mission ends with this task, should it have failed."""
        spec = self.specs.get(task.name)
        return spec is None or spec.on_failure is OnFailure.STOP

    @property
    def lacks_runner(self) -> bool:
        """Whether nobody can have taken it up, although there was time to."""
        snapshot = self.snapshot
        if snapshot.runners:
            return False
        since = snapshot.approvals[-1].at if snapshot.approvals else None
        return since is None or (snapshot.now - since).total_seconds() > RUNNER_WITHIN_S

    @property
    def budget(self) -> float | None:
        """The most that it may spend, in dollars, as it is now; None for no limit."""
        if self.outlook.budget is not None:
            return self.outlook.budget
        return self.plan.budget if self.plan else None

    @property
    def cost_so_far(self) -> str:
        """What it has cost so far; what nobody knows is not nothing."""
        known = self.outlook
        return cost_and_unknown(self.snapshot.mission.cost, known.unknown, known.at_most)

    @property
    def _at_most(self) -> str:
        return "at most " if self.outlook.at_most and self.snapshot.mission.cost else ""

    @property
    def cost_of_tasks(self) -> str:
        """What its tasks have cost so far, without its planning."""
        tasks = max(0.0, self.snapshot.mission.cost - self.outlook.planning)
        return cost_and_unknown(tasks, self.outlook.unknown)

    @property
    def spent_words(self) -> str:
        """What of its budget is spent; what nobody knows is not nothing.

        Example: ``$0.12 of $0.50 spent, and 3 calls of unknown cost``.
        """
        cost, unknown = self.snapshot.mission.cost, self.outlook.unknown
        paid, of = dollars(cost), ""
        if self.budget is not None:
            paid, most = told_apart(cost, limit=self.budget)
            of = f" of {most}"
        calls = cost_and_unknown(0.0, unknown)
        if unknown and not cost:
            return f"{calls}{of and f'; the budget is{of[3:]}'}"
        return f"{self._at_most}{paid}{of} spent{f', and {calls}' if unknown else ''}"

    @cached_property
    def paused_for_money(self) -> Event | None:
        """What tells that it was paused because no money was left for a call; else None."""
        is_paused = self.snapshot.mission.state is MissionState.PAUSED
        return self._lack_of_money if is_paused else None

    @cached_property
    def _lack_of_money(self) -> Event | None:
        """What tells that no money was left for a call, if nobody has resumed it since."""
        for event in reversed(self.snapshot.events):
            if event.kind in (EventKind.MISSION_PAUSED, EventKind.MISSION_RESUMED):
                is_it = event.payload.get("because") == BECAUSE_OF_MONEY
                return event if is_it and event.kind == EventKind.MISSION_PAUSED else None
        return None

    @cached_property
    def model_waits(self) -> list[tuple[TaskRecord, Event]]:
        """Tasks at work whose call of a model waits for its server, with what tells of it."""
        last: dict[str, Event] = {}
        for event in self.snapshot.events:
            if event.task and str(event.kind).startswith("llm."):
                last[event.task] = event
        found = [(task, last[task.name]) for task in self.active if task.name in last]
        return [each for each in found if self._still_waits(each[1])]

    def _still_waits(self, event: Event) -> bool:
        until = waits_until(event) if event.kind == EventKind.LLM_WAITED else None
        return until is not None and until > self.snapshot.now

    def model_host(self, task: str) -> str:
        """Return where the model of a task is; empty if it has none."""
        spec = self.specs.get(task)
        model = self.plan.models.get(model_name(spec)) if self.plan and spec else None
        return model.host if model is not None else ""

    @property
    def enough_money(self) -> float:
        """A budget with which a mission that was paused for money goes on, in dollars."""
        event, spent = self.paused_for_money, self.snapshot.mission.cost
        budget = self.budget or 0.0
        needed = event.payload.get("needed") if event is not None else None
        more = float(needed) if isinstance(needed, int | float) else 0.0
        # In whole cents: what a button says is what it does.
        return _in_cents(max(2 * budget, spent + 2 * more, 0.01))

    @cached_property
    def is_out_of_money(self) -> bool:
        """It ended because its budget was spent, or covered none of what was left."""
        state = self.snapshot.mission.state
        if state is MissionState.CANCELLED:
            return self._lack_of_money is not None
        return state is MissionState.FAILED and any(
            task.note in (OVERSPENT, UNCOVERED) for task in self.among(TaskState.CANCELLED)
        )

    @cached_property
    def is_capped(self) -> bool:
        """A task has failed because it has spent all that its cap allows."""
        failed = self.among(TaskState.FAILED)
        return any(BudgetExhaustedError.__name__ in task.error for task in failed)

    @property
    def larger_budget(self) -> str:
        """The command that begins a mission with enough money, as far as that is known."""
        mission, budget = self.snapshot.mission, self.budget
        done = {task.name for task in self.among(TaskState.SUCCEEDED)}
        left = [spec.cap_cost for name, spec in self.specs.items() if name not in done]
        known = sum(cap for cap in left if cap is not None)
        amount = known if None not in left else max(known, 2 * max(budget or 0.0, 0.01))
        said = f"{_in_cents(amount):.2f}" if amount >= _DIME else f"{amount:.2g}"
        return self.typed(f"rewind {mission.short_id} --budget {said}")

    @property
    def rewinds_what_failed(self) -> str:
        """The command that does anew what a mission has succeeded without; empty if nothing."""
        mission, failed = self.snapshot.mission, self.among(TaskState.FAILED)
        if mission.state is not MissionState.SUCCEEDED or not failed:
            return ""
        at = f" t{failed[0].number}" if len(failed) == 1 else ""
        return self.typed(f"rewind {mission.short_id}{at}")

    def lacks_money(self, task: TaskRecord) -> str:
        """Say why a ready task waits for money; empty if it does not."""
        spec, budget = self.specs.get(task.name), self.budget
        if spec is None or budget is None or spec.cap_cost is None:
            return ""
        kept = sum(self.specs[each.name].cap_cost or 0.0 for each in self.active)
        left = max(0.0, budget - self.snapshot.mission.cost - kept)
        if not kept or spec.cap_cost <= left:
            return ""
        free, most = told_apart(left, limit=spec.cap_cost)
        return f"it may cost up to {most}, and {free} is free"

    # -- times ----------------------------------------------------------------------------

    @cached_property
    def elapsed_s(self) -> float:
        """Seconds from the start to the end, or to now."""
        mission = self.snapshot.mission
        if mission.started_at is None:
            return 0.0
        return max(0.0, (self.end - mission.started_at).total_seconds())

    @property
    def rested_s(self) -> float:
        """Seconds in which it had ended, before it was tried again."""
        return min(self.snapshot.mission.rested_s, self.elapsed_s)

    @property
    def took_s(self) -> float:
        """Seconds from the start to the end, or to now, in which it had not ended."""
        return self.snapshot.mission.took_s(self.end) or 0.0

    @cached_property
    def end(self) -> datetime:
        """When it ended, or now."""
        return self.snapshot.mission.finished_at or self.snapshot.now

    def running_s(self, task: TaskRecord) -> float:
        """Seconds that the running attempt has taken so far; 0 if none runs."""
        if not task.state.is_active or task.started_at is None:
            return 0.0
        return max(0.0, (self.end - task.started_at).total_seconds())

    def silent_s(self, task: TaskRecord) -> float:
        """Seconds since the last sign of life."""
        last = task.heartbeat_at or task.started_at
        return max(0.0, (self.end - last).total_seconds()) if last else 0.0

    def worked_s(self, task: TaskRecord) -> float:
        """Seconds of all its attempts together, the running one included."""
        return task.worked_s + self.running_s(task)

    @cached_property
    def all_worked_s(self) -> float:
        """Seconds of all attempts of all tasks together."""
        return sum(self.worked_s(task) for task in self.snapshot.tasks)

    @cached_property
    def most_at_once(self) -> int:
        """How many attempts were under way at the same time, at most."""
        starts = sorted(attempt.started_at for attempt in self.snapshot.attempts)
        ends = sorted(map(self.attempt_end, self.snapshot.attempts))
        ended = most = 0
        for begun, start in enumerate(starts, 1):
            # At the same instant an end comes before a start: the worker was free again.
            while ends[ended] <= start and ended < begun - 1:
                ended += 1
            most = max(most, begun - ended)
        return most

    def attempt_end(self, attempt: AttemptRecord) -> datetime:
        """When an attempt ended, or now."""
        if attempt.finished_at is not None:
            return attempt.finished_at
        return max(self.end, attempt.started_at)

    # -- the plan's shape -----------------------------------------------------------------

    @property
    def draws(self) -> bool:
        """The plan is small enough to be drawn."""
        return self.plan is not None and 0 < len(self.plan.tasks) <= GRAPH_AT_MOST

    @cached_property
    def critical(self) -> tuple[str, ...]:
        """Task names along the critical path; empty where it would not be shown."""
        if self.plan is None or not self.draws:
            return ()
        return self.longest_path

    @cached_property
    def longest_path(self) -> tuple[str, ...]:
        """Task names along the critical path, however large the plan is."""
        if self.plan is None or not self.plan.tasks:
            return ()
        from hypernb.plan import outline

        path = outline(self.plan).path(self._weights(self.plan))
        left_out = {task.name for task in self.shared}
        if self.snapshot.mission.state.is_final:
            # What never ran has decided nothing.
            left_out |= {task.name for task in self.snapshot.tasks if not task.attempt}
        return tuple(name for name in path if name not in left_out)

    @property
    def path_says(self) -> str:
        """What the critical path means, as far as that is known."""
        if self.snapshot.mission.state.is_final:
            return "It decided how long the mission took."
        known = self.past.tasks
        if any(name in known or spec.estimate_s for name, spec in self.specs.items()):
            return "It decides how long the mission takes."
        return "It is the longest way by number of tasks; there are no estimates."

    def _weights(self, plan: PlanSpec) -> list[float]:
        # While it runs, what was known before holds: the path must not jump with every task
        # that ends. Afterwards it is known what really took long.
        if self.snapshot.mission.state.is_final:
            took = {task.name: self.worked_s(task) for task in self.snapshot.tasks}
        else:
            took = {name: spread.typical for name, spread in self.past.tasks.items()}
            took |= {task.name: 0.0 for task in self.shared}
        return [
            took.get(task.name, 1.0 if task.estimate_s is None else task.estimate_s)
            for task in plan.tasks
        ]

    def unmet(self, name: str) -> list[str]:
        """Return the needs of a task that have not ended, in plan order."""
        spec = self.specs.get(name)
        if spec is None:
            return []
        return [
            need
            for need in spec.needs
            if (task := self.tasks.get(need)) is None or not task.state.is_final
        ]

    @cached_property
    def following(self) -> tuple[str, list[str]] | None:
        """The pending task that is nearest to its start, and what it still waits for."""
        critical = frozenset(self.critical)
        best: tuple[tuple[int, int, int], str, list[str]] | None = None
        for place, task in enumerate(self.among(TaskState.PENDING)):
            unmet = self.unmet(task.name)
            rank = (self._distance(unmet), task.name not in critical, place)
            if best is None or rank < best[0]:
                best = (rank, task.name, unmet)
        return (best[1], best[2]) if best else None

    def _distance(self, unmet: list[str]) -> int:
        # What waits for waiting tasks comes later than what waits for running ones.
        waiting = sum(
            1
            for need in unmet
            if (task := self.tasks.get(need)) is not None and task.state is TaskState.PENDING
        )
        return waiting * 1000 + len(unmet)

    @cached_property
    def first_wave(self) -> list[str]:
        """Tasks that need nothing, or only what is done already: a fork shares some."""
        done = {task.name for task in self.snapshot.tasks if task.state is TaskState.SUCCEEDED}
        return [
            name
            for name, spec in self.specs.items()
            if name not in done and done.issuperset(spec.needs)
        ]

    def tries(self, task: TaskRecord) -> str:
        """Say which attempt it is, where that says anything: ``attempt 2 of 3``."""
        spec = self.specs.get(task.name)
        allowed = max(spec.attempts if spec else 1, task.attempt)
        if task.attempt < 1 or (task.attempt == 1 and task.state.is_final):
            return ""
        return f"attempt {task.attempt} of {allowed}" if allowed > 1 else ""

    @cached_property
    def left(self) -> Left | None:
        """What is probably left of its time; None where that is not known, or it has ended."""
        if self.plan is None or self.snapshot.mission.state.is_final:
            return None
        gone = {}
        for task in self.snapshot.tasks:
            if task.state.is_final:
                gone[task.name] = math.inf
            elif task.started_at is not None and task.state.is_active:
                gone[task.name] = self.running_s(task)
        return left(self.plan, gone, self.past, self._quoted_s)

    @property
    def left_now(self) -> Left | None:
        """The same; None also while nothing moves, for then it does not become less."""
        return None if self._stands_still else self.left

    @property
    def _stands_still(self) -> bool:
        """Whether all that is under way waits for a person, a server or a kernel."""
        state = self.snapshot.mission.state
        if state is not MissionState.RUNNING or self.snapshot.lacks:
            return state in (MissionState.PAUSED, MissionState.RUNNING)
        if self.active:
            return all(task.note.startswith(_WAITING_NOTES) for task in self.active)
        asks = self.counts.get(TaskState.AWAITING_APPROVAL, 0)
        soon = self.among(TaskState.READY, TaskState.STALLED, TaskState.WAITING)
        return bool(asks) and not soon

    @cached_property
    def _quoted_s(self) -> Mapping[str, Spread]:
        """How many seconds tasks were quoted at: a page tells of one time, not of two."""
        return {
            each.task: Spread(max(1, each.runs), *(60 * end for end in _ends(each.minutes)))
            for each in self.outlook.quotes
            if each.task and each.minutes is not None
        }


def _ends(spread: Range) -> tuple[float, float, float]:
    return spread.p50, spread.p50, max(spread.p50, spread.p90)


def _place(task: TaskRecord) -> int:
    return task.number


def _in_cents(amount: float) -> float:
    """Return an amount of dollars in whole cents, not less than it was."""
    return math.ceil(round(amount * 100, 6)) / 100
