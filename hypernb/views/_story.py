"""Now, Waiting for, Next: the three sentences of every view, and who needs whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hypernb.errors import dollars, told_apart
from hypernb.model import THE_KERNEL, EventKind, MissionState, RunStatus, TaskState
from hypernb.views import words
from hypernb.views._clean import line
from hypernb.views._model_events import given_up_at, tried_since, waits_for, waits_until
from hypernb.views._phrase import Code, Phrase, Strong, command, enumerate_names, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from hypernb.model import Event, Report, TaskRecord
    from hypernb.views._figures import Figures

_BUSY: Final = f"waits for {THE_KERNEL}"


@dataclass(frozen=True, slots=True)
class Story:
    """The three sentences; never fewer, also when the answer is "Nothing."."""

    now: Phrase
    waiting: Phrase
    next: Phrase

    def lines(self) -> tuple[tuple[str, Phrase], ...]:
        """Return label and sentence, in their fixed order."""
        return (("Now", self.now), ("Waiting for", self.waiting), ("Next", self.next))


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a person has to decide, or that only looks as if.

    Attributes:
        task: Name of the task; empty if it is about the mission.
        commands: What can be typed.
        does: What each of them does.
        ends: It is a failure with which the whole mission ends.
        about: What is lacking: ``money`` or ``key``; empty for a decision on a task.
    """

    task: str
    what: Phrase
    commands: tuple[str, ...] = ()
    ends: bool = False
    does: tuple[str, ...] = ()
    about: str = ""

    @property
    def label(self) -> str:
        """What is to be known first of something that only looks as if."""
        return "Nothing more starts:" if self.ends else "You need not act:"


def story(figures: Figures) -> Story:
    """Tell a snapshot in three sentences."""
    return _STORIES[figures.snapshot.mission.state](figures)


def _id(figures: Figures) -> str:
    return figures.snapshot.mission.short_id


def _planning(_figures: Figures) -> Story:
    return Story(
        ("The plan is being made. Nothing runs.",),
        ("The plan.",),
        ("You see the plan and decide. Nothing runs before that.",),
    )


def _awaiting(figures: Figures) -> Story:
    if figures.approved:
        wanted = _on_key(figures)
        if not (wanted or figures.lacks_runner):
            does = "starts it" if figures.snapshot.runners else "is starting"
            now: Phrase = (f"Approved. A runner {does}.",)
            return Story(now, ("Nothing. You need not act.",), first_step(figures, "Then"))
        return Story(
            ("The plan is approved. Nothing runs yet.",),
            wanted or _runner_wanted(figures, "A runner to start it."),
            first_step(figures, "Then"),
        )
    if figures.has_nothing_to_run:
        return _nothing_to_run(figures)
    size = words.count(figures.total, "task")
    if figures.shared:
        size = f"{figures.to_run:,} of {size} to be run"
    agents = [agent for agent in figures.agents if agent]
    crew = f" for {words.count(len(agents), 'agent')}" if agents else ""
    return Story(
        (f"The plan is ready: {size}{crew}. ", Strong("Nothing runs until you approve it.")),
        _decides(figures),
        first_step(figures, "Once approved,"),
    )


def _nothing_to_run(figures: Figures) -> Story:
    origin = figures.snapshot.mission.forked_from
    edit = "" if figures.cli else ", or edit the plan"
    again = command(figures.typed(f"rewind {_id(figures)} TASK"))
    return Story(
        (all_done(figures.total, origin), " ", Strong("Nothing would run.")),
        (Strong("You"), f": name a task to begin from{edit}. There is no time limit."),
        (again, " does that task and all that comes after it anew, as a new mission."),
    )


def all_done(total: int, origin: str) -> str:
    """Say of a fork that its origin has done all of it."""
    those = {1: "Its task is", 2: "Both tasks are"}.get(total, f"All {total:,} tasks are")
    return f"{those} done already, and shared with {origin}."


def _decides(figures: Figures) -> Phrase:
    if figures.cli:
        return (Strong("You"), ": approve or reject. There is no time limit.")
    said = ": approve, edit or reject. There is no time limit; you can close this notebook."
    return (Strong("You"), said)


def first_step(figures: Figures, when: str) -> Phrase:
    """Say what starts first, as a sentence that begins with ``when``."""
    first = figures.first_wave
    if figures.has_nothing_to_run:
        return (f"{when} it ends at once: all of its tasks are done.",)
    if not first:
        return (f"{when} its tasks start.",)
    limit = figures.plan.concurrency if figures.plan else len(first)
    now = min(len(first), max(1, limit))
    starts = f"{words.count(now, 'task')} {'starts' if now == 1 else 'start'}"
    if now < len(first):
        return (f"{when} {starts} at once, out of {len(first):,} that wait for nothing.",)
    return (f"{when} {starts} at once: ", *enumerate_names(first), ".")


def _runner_wanted(figures: Figures, sentence: str) -> Phrase:
    if figures.snapshot.runners:
        return (sentence,)
    return (f"{sentence} ", command(figures.typed(f"wait {_id(figures)}")), " starts one.")


def _running(figures: Figures) -> Story:
    return Story(_now(figures), _waiting(figures), _then(figures))


def _now(figures: Figures) -> Phrase:
    active = figures.active
    if not active:
        stalled = figures.among(TaskState.STALLED)
        if stalled:
            return ("No sign of life: ", *_names(stalled), f" {_is(stalled)} stalled.")
        return ("Nothing runs at this moment.",)
    agents = {task.agent for task in active}
    if "" not in agents and len(agents) == len(active):
        verb = "agent is" if len(active) == 1 else "agents are"
        return (f"{len(active):,} {verb} at work, on ", *_names(active), ".")
    verb = "task is" if len(active) == 1 else "tasks are"
    return (f"{len(active):,} {verb} running: ", *_names(active), ".")


def _names(tasks: list[TaskRecord]) -> Phrase:
    return enumerate_names([task.name for task in tasks])


def _waiting(figures: Figures) -> Phrase:
    known = _on_key(figures) or _on_you(figures) or _on_runner(figures)
    if known := known or _on_kernel(figures):
        return known
    if figures.is_ending:
        return ("Nothing. It ends by itself.",)
    if waits := figures.model_waits:
        return _on_models(figures, waits)
    stalled = figures.among(TaskState.STALLED)
    if stalled:
        return ("A sign of life from ", *_names(stalled), ". You need not act.")
    waiting = figures.among(TaskState.WAITING)
    if waiting:
        return (*_lack(figures, waiting[0]), ", for ", *_names(waiting), ". You need not act.")
    ready = figures.among(TaskState.READY)
    return _place(figures, ready) if ready else ("Nothing. It goes on by itself.",)


def _on_key(figures: Figures) -> Phrase:
    if not figures.snapshot.lacks:
        return ()
    return (Strong("You"), ": it ", *_key_wanted(figures), ".")


def _key_wanted(figures: Figures) -> Phrase:
    """Say which key is needed, and how to give it, as the end of a sentence."""
    attach = command(figures.typed(f"{'wait' if figures.cli else 'attach'} {_id(figures)}"))
    wanted = ("needs ", *enumerate_names(figures.snapshot.lacks))
    if figures.cli:
        return (*wanted, ": set it here, then ", attach)
    return (*wanted, ": open a kernel that has it, or ", attach, " in one")


def _on_kernel(figures: Figures) -> Phrase:
    """Say that a task waits for a kernel that is busy, or gone, to call a function of it."""
    if figures.is_ending:
        return ()
    if gone := [task for task in figures.active if line(task.note).startswith(THE_KERNEL)]:
        return (Strong("You"), f": {line(gone[0].note)}.")
    held = [task for task in figures.active if line(task.note).startswith(_BUSY)]
    if not held:
        return ()
    tool = named(line(held[0].note).removeprefix(_BUSY))
    said = ". It goes on when the cell that runs there has ended."
    return ("The kernel that has ", tool, ", which is busy: for ", *_names(held), said)


def _on_models(figures: Figures, waits: list[tuple[TaskRecord, Event]]) -> Phrase:
    """Say what calls of models wait for: of those that go on last, the last."""
    task, event = max(waits, key=lambda each: waits_until(each[1]) or each[1].at)
    more = len(waits) - 1
    rest = f" and {words.count(more, 'more task')}" if more else ""
    told = waits_for(event, figures.model_host(task.name))
    first = told[0] if isinstance(told[0], str) else ""
    said = (f"{first[:1].upper()}{first[1:]}", *told[1:], "; for ", named(task.name))
    return (*said, f"{rest}. ", *_given_up(figures, task, event))


def _given_up(figures: Figures, task: TaskRecord, event: Event) -> Phrase:
    """Say until when a model is waited for, and what can be done before that."""
    ends, began = given_up_at(event), tried_since(event)
    if ends is None or began is None:
        return ("You need not act.",)
    tried = words.duration((figures.snapshot.now - began).total_seconds())
    resume = command(figures.typed(f"resume {_id(figures)} --model NAME"))
    cancel = command(figures.typed(f"cancel {_id(figures)}"))
    spec = figures.specs.get(task.name)
    allowed = spec.attempts if spec is not None else task.attempt
    is_last = task.attempt >= allowed
    then = "" if is_last else f", when attempt {task.attempt + 1} of {allowed} starts"
    until = f"It has been tried for {tried}, and is given up at {words.clock(ends)}{then}."
    return (f"{until} Before that, ", resume, " asks another model, and ", cancel, " ends it.")


def _on_you(figures: Figures) -> Phrase:
    asks = figures.among(TaskState.AWAITING_APPROVAL)
    if not asks:
        return ()
    count = words.count(len(asks), "decision")
    goes_on = figures.active or figures.among(TaskState.READY)
    rest = ". The rest goes on." if goes_on and not figures.is_ending else "."
    return (Strong(f"You, for {count}"), ": ", *_names(asks), rest)


def _on_runner(figures: Figures) -> Phrase:
    if figures.snapshot.runners or figures.active:
        return ()
    if not figures.lacks_runner:
        return ("A runner, which is starting. You need not act.",)
    return _runner_wanted(figures, "A runner to take it up.")


def _place(figures: Figures, ready: list[TaskRecord]) -> Phrase:
    if why := figures.lacks_money(ready[0]):
        return ("Money that is kept for what runs: ", named(ready[0].name), f", for {why}.")
    return ("A free place, for ", *_names(ready), ".")


def _lack(figures: Figures, task: TaskRecord) -> Phrase:
    """Say what a waiting task lacks: its note is ``waits for pytest: 1 of 1 in use``."""
    name, colon, why = line(task.note).removeprefix("waits for ").partition(": ")
    until = _asked_again_at(figures, task)
    if until is not None and until > figures.snapshot.now:
        why += f"; asked again at {words.clock(until)}"
    return (Code(name), f" ({why})") if colon else ("A resource",)


def _asked_again_at(figures: Figures, task: TaskRecord) -> datetime | None:
    for event in reversed(figures.snapshot.events):
        if event.kind == EventKind.TASK_DEFERRED and event.task_id == task.id:
            after_s = event.payload.get("after_s")
            if isinstance(after_s, int | float):
                return event.at + timedelta(seconds=after_s)
            return None
    return None


def _then(figures: Figures) -> Phrase:
    return _last(figures) if figures.is_ending else _next(figures)


def _next(figures: Figures) -> Phrase:
    waiting = figures.among(TaskState.WAITING)
    if waiting and not figures.active:
        verb = "starts" if len(waiting) == 1 else "start"
        return (
            *_names(waiting),
            f" {verb} by itself." if len(waiting) == 1 else f" {verb} by themselves.",
        )
    ready = figures.among(TaskState.READY)
    if ready:
        verb = "starts" if len(ready) == 1 else "start"
        return (*_names(ready), f" {verb} as soon as there is room.")
    following = figures.following
    if following is not None:
        name, unmet = following
        if not unmet:
            return (named(name), " can start.")
        verb = "is" if len(unmet) == 1 else "are"
        return (named(name), ", when ", *enumerate_names(unmet), f" {verb} done.")
    if figures.active:
        return ("The result, when ", *_names(figures.active), f" {_is(figures.active)} done.")
    return ("The end of the mission.",)


def _last(figures: Figures) -> Phrase:
    rest = [*figures.active, *figures.among(TaskState.STALLED)]
    if not rest:
        return ("The end of the mission.",)
    return ("The end, when ", *_names(rest), f" {_is(rest)} done.")


def _is(tasks: list[TaskRecord]) -> str:
    return "is" if len(tasks) == 1 else "are"


def _paused(figures: Figures) -> Story:
    if figures.paused_for_money is not None:
        return _out_of_money(figures)
    return Story(
        _at_rest(figures),
        (Strong("You"), ": resume or cancel. There is no time limit."),
        (
            command(figures.typed(f"resume {_id(figures)}")),
            " goes on where it stopped. ",
            *_then(figures),
        ),
    )


def _out_of_money(figures: Figures) -> Story:
    raised = command(figures.typed(f"resume {_id(figures)} --budget {figures.enough_money:g}"))
    said = ": raise its budget, take another model, finish with what is left, or end it. "
    return Story(
        (*_at_rest(figures), " ", *_spent(figures)),
        (Strong("You"), said, "There is no time limit."),
        (raised, " goes on where it stopped. ", *_then(figures)),
    )


def _spent(figures: Figures) -> Phrase:
    event, budget = figures.paused_for_money, figures.budget
    if budget is None:
        return ("No money is left for its next call.",)
    needed = event.payload.get("needed") if event is not None else None
    up_to = float(needed) if isinstance(needed, int | float) else 0.0
    spent, cost, most = told_apart(figures.snapshot.mission.cost, up_to, limit=budget)
    more = f"may cost up to {cost}" if up_to else "may cost more than is left"
    return (f"{spent} of {most} is spent, and the next call {more}.",)


def _at_rest(figures: Figures) -> Phrase:
    begun = figures.among(TaskState.RUNNING, TaskState.VERIFYING, TaskState.STALLED)
    if not begun:
        return ("Paused. Nothing runs.",)
    # Processes are stopped; threads and coroutines cannot be, and which it is nobody records.
    rest = "stand still; those that cannot be stopped go on to their end."
    if len(begun) == 1:
        rest = "stands still; if it cannot be stopped, it goes on to its end."
    return ("Paused: nothing new starts. ", *_names(begun), f" {rest}")


def _succeeded(figures: Figures) -> Story:
    lacking = [task for task in figures.snapshot.tasks if lacks(task)]
    look: Phrase = ()
    if lacking:
        look = (" Look yourself at what did not run: ", *_names(lacking), ".")
    return Story(
        ("Finished. Nothing is running, nothing more is spent.",),
        ("Nothing.",),
        (
            "Your turn. ",
            command(figures.typed(f"result {_id(figures)}")),
            " gives the result.",
            *look,
            *_done_anew(figures),
        ),
    )


def _done_anew(figures: Figures) -> Phrase:
    typed = figures.rewinds_what_failed
    if not typed:
        return ()
    failed = figures.among(TaskState.FAILED)
    return (" ", command(typed), " does ", *_names(failed), " anew, in a new mission.")


def _failed(figures: Figures) -> Story:
    if not figures.total:
        return _never_planned(figures)
    again = _retry(figures, "starts what failed once more; what succeeded is not run again.")
    if figures.is_out_of_money:
        again = _with_more_money(figures)
    elif figures.is_capped:
        rewind = command(figures.typed(f"rewind {_id(figures)}"))
        does = " begins a mission that has what is done; its tasks can get higher caps."
        again = ("Your turn. ", rewind, does)
    rest = " Nothing is running, nothing more is spent."
    if not figures.results_there:
        now: Phrase = (f"It ended without its result.{rest}",)
    else:
        which = "Its result" if figures.has_result else "A part of its result"
        now = (f"It failed. {which} is there: ", *_names_there(figures), f".{rest}")
        gives = command(figures.typed(f"result {_id(figures)}"))
        again = ("Your turn. ", gives, " gives what is there. ", *again[1:])
    return Story(now, ("Nothing. It stays as it is.",), again)


def _names_there(figures: Figures) -> Phrase:
    return enumerate_names(figures.results_there)


def _cancelled(figures: Figures) -> Story:
    if not figures.total:
        return _never_planned(figures)
    if figures.was_never_to_run:
        again = command(figures.typed(f"rewind {_id(figures)}"))
        return Story(
            ("Cancelled before its plan was approved. Nothing ran, and nothing will.",),
            ("Nothing. It stays as it is.",),
            ("Your turn. ", again, " proposes this plan again, as a new mission."),
        )
    return Story(
        ("Cancelled. Nothing is running, nothing more is spent.",),
        ("Nothing. It stays as it is.",),
        _with_more_money(figures)
        if figures.is_out_of_money
        else _retry(figures, "goes on with what is left; what succeeded is not run again."),
    )


def _with_more_money(figures: Figures) -> Phrase:
    does = " begins a mission that has what is done, with a larger budget."
    return ("Your turn. ", command(figures.larger_budget), does)


def _retry(figures: Figures, does: str) -> Phrase:
    return ("Your turn. ", command(figures.typed(f"retry {_id(figures)}")), f" {does}")


def _never_planned(figures: Figures) -> Story:
    return Story(
        ("There is no plan. Nothing ran, and nothing will; what planning has used is kept.",),
        ("Nothing.",),
        ("Your turn. ", *_new(figures), " plans anew."),
    )


def _new(figures: Figures) -> Phrase:
    if figures.cli:
        return (Code('hypernb run --goal "…"'),)
    return ("A cell with ", Code("%%hyper"), " and a goal")


def _rejected(figures: Figures) -> Story:
    return Story(
        ("The plan was rejected. Nothing ran, and nothing will.",),
        ("Nothing.",),
        ("Your turn. ", *_new(figures), " starts a new mission."),
    )


_STORIES: Mapping[MissionState, Callable[[Figures], Story]] = {
    MissionState.PLANNING: _planning,
    MissionState.AWAITING_APPROVAL: _awaiting,
    MissionState.RUNNING: _running,
    MissionState.PAUSED: _paused,
    MissionState.SUCCEEDED: _succeeded,
    MissionState.FAILED: _failed,
    MissionState.CANCELLED: _cancelled,
    MissionState.REJECTED: _rejected,
}


# -- who needs whom ----------------------------------------------------------------------


def needs(figures: Figures) -> list[Need]:
    """Return what a person has to decide for the mission to go on."""
    mission = _id(figures)
    tries = ("tries it once more", "ends the mission; nothing more starts")
    return [
        *_needs_of_all(figures),
        *(
            Need(
                task.name,
                (named(task.name), " waits for you: ", reason(task)),
                (
                    figures.typed(f"retry {mission} t{task.number}"),
                    figures.typed(f"cancel {mission}"),
                ),
                does=tries,
            )
            for task in figures.among(TaskState.AWAITING_APPROVAL)
        ),
    ]


def _needs_of_all(figures: Figures) -> Iterator[Need]:
    """Yield what the mission as a whole needs of a person: a key, or money."""
    mission = _id(figures)
    end = figures.typed(f"cancel {mission}")
    if figures.snapshot.lacks:
        attach = figures.typed(f"{'wait' if figures.cli else 'attach'} {mission}")
        where = "where the key is set" if figures.cli else "in a kernel that has the key"
        yield Need(
            "",
            ("It ", *_key_wanted(figures), "."),
            (attach, end),
            does=(f"{where} lets it go on", "ends the mission"),
            about="key",
        )
    if figures.paused_for_money is not None:
        ways = money_ways(figures)
        yield Need(
            "",
            _spent(figures),
            tuple(typed for typed, _ in ways),
            does=tuple(does for _, does in ways),
            about="money",
        )


def money_ways(figures: Figures) -> list[tuple[str, str]]:
    """Return the four ways on for a mission that was paused for money, and what each does."""
    resume, enough = f"resume {_id(figures)}", figures.enough_money
    return [
        (
            figures.typed(f"{resume} --budget {enough:g}"),
            f"lets it spend {dollars(enough)}",
        ),
        (figures.typed(f"{resume} --model NAME"), "asks another model from now on"),
        (
            figures.typed(f"{resume} --finish"),
            "finishes with what is left of it: what needs more ends, and nothing new starts",
        ),
        (figures.typed(f"cancel {_id(figures)}"), "ends the mission"),
    ]


def alarms(figures: Figures) -> list[Need]:
    """Return what looks as if a person had to act, and does not need it."""
    stalled = [
        Need(task.name, _stall(figures, task)) for task in figures.among(TaskState.STALLED)
    ]
    failed = [
        Need(task.name, _failure(figures, task), ends=figures.ends_all(task))
        for task in figures.among(TaskState.FAILED)
    ]
    return [*_unpriced(figures), *stalled, *failed]


def _unpriced(figures: Figures) -> Iterator[Need]:
    if figures.outlook.unknown:
        calls = words.count(figures.outlook.unknown, "call")
        said = f"of {calls} nobody knows what they really cost."
        yield Need("", (said,))


def _failure(figures: Figures, task: TaskRecord) -> Phrase:
    rest = "The rest goes on."
    if figures.ends_all(task):
        rest = "The mission ends when what runs is done; then you can retry it."
    return (named(task.name), " failed: ", reason(task), f" {rest}")


def _stall(figures: Figures, task: TaskRecord) -> Phrase:
    silent = words.duration(figures.silent_s(task))
    spec = figures.specs.get(task.name)
    if spec is None or task.started_at is None:
        return (named(task.name), f" is stalled, silent for {silent}.")
    until = words.clock(task.started_at + timedelta(seconds=spec.timeout_s))
    if task.attempt < spec.attempts:
        then = f"attempt {task.attempt + 1} of {spec.attempts} starts by itself"
    else:
        then = "it counts as failed; no attempt is left"
    return (
        named(task.name),
        f" is stalled, silent for {silent}. If it is not done by {until}, {then}.",
    )


# -- what was not done, and why ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gap:
    """Something of the plan that was not done, with its reason."""

    task: str
    what: str
    why: str
    detail: str = ""


def lacks(task: TaskRecord) -> bool:
    """Tell whether a task that succeeded could not do all that it was there for."""
    return task.state is TaskState.SUCCEEDED and task.outcome in ("did not run", "partly ran")


def reason(task: TaskRecord) -> str:
    """Say in one line why a task failed, was skipped, or could not do all."""
    # The last line of a traceback is its sentence.
    error = task.error.strip().removeprefix(f"Task {task.name!r} raised ")
    lines = [each for each in error.splitlines() if each.strip()]
    traced = len(lines) > 1 and lines[0].startswith("Traceback")
    said = line((lines[-1] if traced else lines[0]) if lines else task.note)
    if not said:
        return "no reason was recorded."
    return said if said.endswith((".", "!", "?", ")")) else f"{said}."


def gaps(figures: Figures, report: Report | None = None) -> list[Gap]:
    """Return all that was planned and did not happen: tasks first, then single tools."""
    found = [_gap(figures, task) for task in figures.snapshot.tasks if _is_gap(figures, task)]
    runs = report.runs if report else ()
    for run in runs:
        told = any(line(run.reason) in gap.why for gap in found if gap.task)
        if run.status is RunStatus.DID_NOT_RUN and not told:
            found.append(Gap("", line(run.tool), line(run.reason) or "no reason was given."))
    return found


def _is_gap(figures: Figures, task: TaskRecord) -> bool:
    if figures.was_never_to_run:
        return False  # its outcome says it once for all tasks
    if lacks(task) or task.state in (TaskState.FAILED, TaskState.SKIPPED, TaskState.CANCELLED):
        return True
    return figures.snapshot.mission.state.is_final and not task.state.is_final


def _gap(figures: Figures, task: TaskRecord) -> Gap:
    if lacks(task):
        return Gap(task.name, line(task.outcome), reason(task))
    word = words.state_word(task.state).word
    if task.state is TaskState.FAILED:
        whole = task.error if "\n" in task.error.strip() else ""
        traceback = figures.snapshot.tracebacks.get(task.name, "")
        return Gap(task.name, word, reason(task), traceback or whole)
    if task.attempt and task.state is TaskState.CANCELLED:
        word = f"{word} after {words.duration(figures.worked_s(task))}"
    if task.error or task.note:
        return Gap(task.name, word, reason(task))
    return Gap(task.name, word, _unstarted(figures, task))


def _unstarted(figures: Figures, task: TaskRecord) -> str:
    spec = figures.specs.get(task.name)
    needed = (
        [figures.tasks[name] for name in spec.needs if name in figures.tasks] if spec else []
    )
    bad = [each for each in needed if each.state is not TaskState.SUCCEEDED]
    if bad:
        first = bad[0]
        return f"it needs {line(first.name)}, which is {words.state_word(first.state).word}."
    return "the mission ended before it started."
