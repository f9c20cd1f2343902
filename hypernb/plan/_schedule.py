"""What may start now: the decision that the engine carries out."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb.errors import TransitionError, UnknownTaskError
from hypernb.model import AgentWork, OnFailure, TaskState
from hypernb.plan._graph import graph_of
from hypernb.plan._paths import lengths, weights

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hypernb.model import PlanSpec, TaskSpec

_NOT_STARTED: Final = frozenset({TaskState.PENDING, TaskState.READY, TaskState.WAITING})
_MAY_START: Final = frozenset({TaskState.READY, TaskState.WAITING})
_Group = tuple[str, tuple[str, ...], float | None]
"""Agent, resources and cap on cost; None if it draws on what the budget leaves."""
_REOPENABLE: Final = frozenset({TaskState.FAILED, TaskState.CANCELLED, TaskState.SKIPPED})


def _may_start(
    group: _Group,
    busy: Collection[str],
    lacking: Collection[str],
    affordable: float,
    *,
    is_open: bool,
) -> bool:
    agent, resources, cap = group
    return (
        (is_open if cap is None else cap <= affordable)
        and agent not in busy
        and not any(name in lacking for name in resources)
    )


def _cap_of(task: TaskSpec) -> float | None:
    # What agents do costs nothing, unless they have a cap.
    return 0.0 if task.cap_cost is None and isinstance(task.work, AgentWork) else task.cap_cost


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from one step; names in the order they became so.

    Attributes:
        readied: Tasks that may start now.
        skipped: Tasks that never will, because of a failure before them.
        pending: Tasks that wait again, after a retry.
        stop: Nothing more becomes ready; what runs may finish.
    """

    readied: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    stop: bool = False


class Schedule:
    """Which tasks of a plan may start, and what follows when one ends.

    Pure: it starts nothing, waits for nothing and knows no time. Every step returns what
    changed by it. A whole run costs time in proportion to tasks and needs, and the same steps
    always give the same answers.

    Args:
        spec: A plan that `check_plan` accepts.
        durations: Seconds that tasks took before, by name; see `remaining_paths`.

    Example:
        >>> from hypernb.plan import Plan
        >>> plan = Plan("demo").add("fetch", dict).add("clean", dict, needs=["fetch"])
        >>> schedule = Schedule(plan.build()[0])
        >>> schedule.ready()
        ['fetch']
        >>> schedule.start("fetch")
        >>> schedule.succeed("fetch").readied
        ('clean',)
    """

    def __init__(self, spec: PlanSpec, durations: Mapping[str, float] | None = None) -> None:
        self._graph = graph_of(spec)
        self._groups: list[_Group] = [
            (task.agent, task.resources, _cap_of(task)) for task in spec.tasks
        ]
        self._on_failure = [task.on_failure for task in spec.tasks]
        self._asks = [isinstance(t.work, AgentWork) and bool(t.work.model) for t in spec.tasks]
        self._starved: set[int] = set()
        length = lengths(self._graph, weights(spec, durations))
        self._rank = [(-length[number], number) for number in range(len(length))]
        self._state = [TaskState.PENDING] * len(self._rank)
        self._open = len(self._rank)
        self._counts: Counter[TaskState] = Counter({TaskState.PENDING: len(self._rank)})
        self._missing = [len(needs) for needs in self._graph.needs]
        # One heap for each group, so that the best task of an agent with a free hand, of
        # resources that can be had and of a cap that the budget covers is found without
        # looking at the others.
        # Entries of tasks that are no longer ready stay until they come to the top; those of
        # another group now are in both.
        self._heaps: dict[_Group, list[tuple[float, int]]] = {}
        self._stopped = False
        self._settle(range(len(self._rank)))

    # -- what may happen now ------------------------------------------------------------

    def ready(self) -> list[str]:
        """Return the tasks that may start, best first; none after a stop.

        Best is the one with the longest remaining path, then the one first in the plan.
        """
        if self._stopped:
            return []
        numbers = [n for n, state in enumerate(self._state) if state is TaskState.READY]
        return [self._graph.names[n] for n in sorted(numbers, key=self._rank.__getitem__)]

    def best(
        self,
        *,
        busy: Collection[str] = (),
        lacking: Collection[str] = (),
        affordable: float | None = None,
        is_open: bool = True,
    ) -> str | None:
        """Return the first task of `ready` that may start, without sorting them all.

        Args:
            busy: Agents that may not take another task; ``""`` stands for plain functions.
            lacking: Resources that cannot be had now.
            affordable: The highest cap on cost, in dollars; None for any.
            is_open: Functions without a cap may start.
        """
        if self._stopped:
            return None
        groups: Iterable[_Group] = self._heaps
        if busy or lacking or affordable is not None or not is_open:
            most = math.inf if affordable is None else affordable
            groups = [
                each
                for each in groups
                if _may_start(each, busy, lacking, most, is_open=is_open)
            ]
        tops = [self._top(group) for group in groups]
        first = min((top for top in tops if top is not None), default=None)
        return None if first is None else self._graph.names[first[1]]

    def remaining_s(self, name: str) -> float:
        """Return the length of the longest path that begins with a task."""
        return -self._rank[self._number(name)][0]

    def state(self, name: str) -> TaskState:
        """Return the state of a task, as far as this schedule was told."""
        return self._state[self._number(name)]

    def counts(self) -> dict[TaskState, int]:
        """Return how many tasks are in each state that any task is in."""
        return {state: count for state, count in self._counts.items() if count}

    def blocked_by(self, name: str) -> tuple[str, ...]:
        """Return the needs that keep a task from starting: not ended, or ended badly."""
        return tuple(
            self._graph.names[need]
            for need in self._graph.needs[self._number(name)]
            if not self._lets_go(need)
        )

    @property
    def is_done(self) -> bool:
        """Every task has ended, one way or another."""
        return not self._open

    @property
    def is_stopped(self) -> bool:
        """A failure has ended the starting of tasks; `cancel_rest` ends those that wait."""
        return self._stopped

    def reserve(self, name: str, cost: float) -> None:
        """Have a task count as that dear from now on, instead of with its cap on cost.

        Args:
            cost: The most that it may still cost, in dollars.
        """
        number = self._number(name)
        agent, resources, _ = self._groups[number]
        self._groups[number] = (agent, resources, cost)
        if self._state[number] is TaskState.READY:
            self._push(number)

    # -- what has happened --------------------------------------------------------------

    def start(self, name: str) -> None:
        """Note that a ready task was started.

        Raises:
            TransitionError: It is not ready, or the schedule has stopped.
        """
        number = self._number(name)
        if self._stopped or self._state[number] is not TaskState.READY:
            raise self._refusal(number, TaskState.RUNNING)
        self._set(number, TaskState.RUNNING)

    def succeed(self, name: str) -> Consequence:
        """Note that a task has done its work.

        Raises:
            TransitionError: It was not running.
        """
        readied, _ = self._let_go(self._end(name, TaskState.SUCCEEDED))
        return Consequence(readied, stop=self._stopped)

    def fail(self, name: str) -> Consequence:
        """Note that a task has failed for good, and decide by its ``on_failure`` what follows.

        Raises:
            TransitionError: It was not running.
        """
        number = self._end(name, TaskState.FAILED)
        match self._on_failure[number]:
            case OnFailure.CONTINUE:
                return Consequence(*self._let_go(number), stop=self._stopped)
            case OnFailure.SKIP:
                return Consequence(skipped=self._skip_after(number), stop=self._stopped)
            case OnFailure.STOP:
                self._stopped = True
                return Consequence(stop=True)

    def release(self, name: str) -> None:
        """Put a running task back among the ready, for its next attempt.

        Raises:
            TransitionError: It was not running.
        """
        number = self._number(name)
        if not self._is_under_way(number):
            raise self._refusal(number, TaskState.READY)
        self._make_ready(number)

    def cancel(self, name: str) -> Consequence:
        """Note that a task was cancelled; whatever needs it is skipped.

        Raises:
            TransitionError: It has ended already.
        """
        number = self._number(name)
        if self._state[number].is_final:
            raise self._refusal(number, TaskState.CANCELLED)
        self._set(number, TaskState.CANCELLED)
        return Consequence(skipped=self._skip_after(number), stop=self._stopped)

    def cancel_rest(self) -> tuple[str, ...]:
        """Cancel all tasks that have not started, in plan order; what runs may finish."""
        self._stopped = True
        rest = [number for number, state in enumerate(self._state) if state in _NOT_STARTED]
        for number in rest:
            self._set(number, TaskState.CANCELLED)
        return tuple(self._graph.names[number] for number in rest)

    def retry(self, names: Iterable[str] | None = None) -> Consequence:
        """Open ended tasks again, and with them what was skipped or cancelled for their sake.

        Tasks that have succeeded stay so. A stop is lifted.

        Args:
            names: Failed, cancelled or skipped tasks; all of these by default.

        Raises:
            TransitionError: A task has not ended, has succeeded, or needs a task that failed
                and is not among the names. Nothing has changed then.
        """
        named = self._retried(names)
        opened = self._openable(named)
        for number in sorted(named - opened):
            needs = self._graph.needs[number]
            blocking = next((n for n in needs if not self._lets_go(n)), needs[0])
            raise self._refusal(
                number,
                TaskState.PENDING,
                hint=f"Retry {self._graph.names[blocking]!r}, which it needs, with it.",
            )
        self._stopped = False
        for number in opened:
            self._set(number, TaskState.PENDING)
        self._count_missing()
        for number, state in enumerate(self._state):
            if state is TaskState.READY and self._missing[number]:
                self._set(number, TaskState.PENDING)
                opened.add(number)
        readied, _ = self._settle(range(len(self._state)))
        waiting = [n for n in sorted(opened) if self._state[n] is TaskState.PENDING]
        return Consequence(readied, pending=tuple(self._graph.names[n] for n in waiting))

    def restore(self, states: Mapping[str, TaskState]) -> Consequence:
        """Take over the states of an earlier run, and return what did not follow in time.

        Ended tasks stay ended, tasks under way stay so (`release` or `fail` them), and
        readiness is decided afresh. A runner that died between a failure and its consequences
        is caught up with: ``skipped`` names what should have been skipped, ``readied`` what
        may start and was not ready.

        Args:
            states: By task name; tasks that are not there are pending.

        Raises:
            UnknownTaskError: The plan has no such task.
        """
        taken = {self._number(name): state for name, state in states.items()}
        self._heaps.clear()
        for number in range(len(self._state)):
            state = taken.get(number, TaskState.PENDING)
            self._set(number, TaskState.PENDING if state in _NOT_STARTED else state)
        late = self._starve_late()
        self._stopped = any(
            state is TaskState.FAILED and self._on_failure[number] is OnFailure.STOP
            for number, state in taken.items()
        )
        skipped = self._skip_late()
        self._count_missing()
        ready, starved = self._settle(range(len(self._state)))
        return Consequence(
            readied=tuple(name for name in ready if states.get(name) not in _MAY_START),
            skipped=(*late, *skipped, *starved),
            stop=self._stopped,
        )

    # -- the inside ---------------------------------------------------------------------

    def _number(self, name: str) -> int:
        try:
            return self._graph.index[name]
        except KeyError:
            raise UnknownTaskError(name, self._graph.names) from None

    def _set(self, number: int, state: TaskState) -> None:
        before = self._state[number]
        self._counts[before] -= 1
        self._counts[state] += 1
        self._open += before.is_final - state.is_final
        self._state[number] = state
        self._starved.discard(number)

    def _refusal(self, number: int, after: TaskState, *, hint: str = "") -> TransitionError:
        before = self._state[number]
        name = self._graph.names[number]
        return TransitionError("task", name, before.value, after.value, hint=hint)

    def _is_under_way(self, number: int) -> bool:
        state = self._state[number]
        return state.is_active or state is TaskState.AWAITING_APPROVAL

    def _end(self, name: str, state: TaskState) -> int:
        number = self._number(name)
        if not self._is_under_way(number):
            raise self._refusal(number, state)
        self._set(number, state)
        return number

    def _lets_go(self, number: int) -> bool:
        """Tell whether a task has ended in a way that lets its children start."""
        state = self._state[number]
        if state is TaskState.SKIPPED:
            return number in self._starved
        return state is TaskState.SUCCEEDED or (
            state is TaskState.FAILED and self._on_failure[number] is OnFailure.CONTINUE
        )

    def _would_starve(self, number: int, opened: Collection[int] = ()) -> bool:
        """Tell whether a task would ask a model, and all that it needs gave nothing."""
        needs = self._graph.needs[number]
        return (
            self._asks[number]
            and bool(needs)
            and all(
                need not in opened
                and self._state[need] is not TaskState.SUCCEEDED
                and self._lets_go(need)
                for need in needs
            )
        )

    def _let_go(self, number: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Count an ended need of its children, and settle those that lack no other."""
        children = self._graph.children[number]
        for child in children:
            self._missing[child] -= 1
        return self._settle(children)

    def _count_missing(self) -> None:
        lets_go = [self._lets_go(number) for number in range(len(self._state))]
        for number, needs in enumerate(self._graph.needs):
            self._missing[number] = sum(not lets_go[need] for need in needs)

    def _settle(self, numbers: Iterable[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return which tasks became ready, and which are skipped because they would starve."""
        names = self._graph.names
        readied, starved = [], []
        to_do = list(numbers)
        for number in to_do:  # grows while it is walked
            if self._missing[number] or self._state[number] is not TaskState.PENDING:
                continue
            if self._would_starve(number):
                self._set(number, TaskState.SKIPPED)
                self._starved.add(number)
                starved.append(names[number])
                for child in self._graph.children[number]:
                    self._missing[child] -= 1
                to_do += self._graph.children[number]
            elif not self._stopped:
                self._make_ready(number)
                readied.append(names[number])
        return tuple(readied), tuple(starved)

    def _make_ready(self, number: int) -> None:
        self._set(number, TaskState.READY)
        self._push(number)

    def _push(self, number: int) -> None:
        heap = self._heaps.setdefault(self._groups[number], [])
        heapq.heappush(heap, self._rank[number])

    def _top(self, group: _Group) -> tuple[float, int] | None:
        heap = self._heaps[group]
        while heap and self._state[heap[0][1]] is not TaskState.READY:
            heapq.heappop(heap)
        return heap[0] if heap else None

    def _skip_after(self, number: int) -> tuple[str, ...]:
        """Skip whatever needs a task, directly or not, and has not ended or started."""
        skipped = []
        to_do = list(self._graph.children[number])
        for child in to_do:  # grows while it is walked
            if self._state[child] in _NOT_STARTED:
                self._set(child, TaskState.SKIPPED)
                skipped.append(self._graph.names[child])
                to_do += self._graph.children[child]
        return tuple(skipped)

    def _starve_late(self) -> tuple[str, ...]:
        """Know the starved of a restored run again; return those it had no time to skip.

        Each before what needs it: whether that has starved, too, depends on it.
        """
        late = []
        for number in self._graph.order:
            state = self._state[number]
            if not self._would_starve(number):
                continue
            if state is TaskState.PENDING:
                self._set(number, TaskState.SKIPPED)
                late.append(self._graph.names[number])
            if state in (TaskState.PENDING, TaskState.SKIPPED):
                self._starved.add(number)
        return tuple(late)

    def _skip_late(self) -> tuple[str, ...]:
        """Skip what a restored run had no time to skip."""
        skipped: list[str] = []
        for number in self._graph.order:
            state = self._state[number]
            if (
                (state is TaskState.SKIPPED and number not in self._starved)
                or (state is TaskState.FAILED and self._on_failure[number] is OnFailure.SKIP)
                or (state is TaskState.CANCELLED and not self._stopped)
            ):
                skipped += self._skip_after(number)
        return tuple(skipped)

    def _retried(self, names: Iterable[str] | None) -> set[int]:
        if names is None:
            return {number for number, state in enumerate(self._state) if state in _REOPENABLE}
        named = {self._number(name) for name in names}
        for number in sorted(named):
            if self._state[number] not in _REOPENABLE:
                raise self._refusal(number, TaskState.READY)
        return named

    def _openable(self, named: set[int]) -> set[int]:
        """Return the named tasks, and the skipped and cancelled ones, that nothing blocks."""
        opened: set[int] = set()
        for number in self._graph.order:
            state = self._state[number]
            wanted = number in named or state in (TaskState.SKIPPED, TaskState.CANCELLED)
            if self._would_starve(number, opened):
                continue
            if wanted and all(
                need in opened or self._lets_go(need) or not self._state[need].is_final
                for need in self._graph.needs[number]
            ):
                opened.add(number)
        return opened
