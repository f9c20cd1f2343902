"""The whole exception tree: what cannot happen, to what, and what to do next."""

from __future__ import annotations

import copy
import difflib
import json
import math
import re
import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

LIST_AT_MOST = 10
ROUTE_AT_MOST = 30
_DIME = 0.1
_PLACES = 6
_PLACES_AT_MOST = 12
_ROUNDING = 1e-9


def _rebuild(
    cls: type[HypernbError], args: tuple[Any, ...], state: dict[str, Any]
) -> HypernbError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


_ALSO_CALLED: Final = {"fork": "rewind"}
"""Words that stand beside a name, which is not spelled like them."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or which names there are.

    Returns:
        A sentence for an error's hint: ``Did you mean 'run'?``, or the list of known names
        when there are at most ten, or an empty string.

    Example:
        >>> nearest("rum", ["run", "stop"])
        "Did you mean 'run'?"
        >>> nearest("zzz", ["run", "stop"])
        "Known: 'run', 'stop'."
    """
    names = sorted(set(known))
    if (other := _ALSO_CALLED.get(word)) in names:
        return f"Did you mean {other!r}?"
    close = difflib.get_close_matches(word, names, n=2, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(repr(name) for name in close)}?"
    if 0 < len(names) <= LIST_AT_MOST:
        return f"Known: {', '.join(repr(name) for name in names)}."
    return ""


def not_quoted(characters: int) -> str:
    """Say how long a text is that stands nowhere, and what would have it stand here.

    Example:
        >>> not_quoted(312)
        "312 characters, which content = 'full' would quote"
    """
    return f"{characters:,} characters, which content = 'full' would quote"


# What a terminal obeys, and marks that reorder what is read: messages quote strangers.
_OBEYED: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def between_words(text: str, stream: IO[str] | None) -> list[str]:
    r"""Break text between words if it is for a terminal, which breaks within them.

    Whatever else reads the stream gets a line as it is. Nothing in it is obeyed by a terminal.

    Example:
        >>> between_words("bad \x1b[2J", None)
        ['bad \ufffd[2J']
    """
    text = _OBEYED.sub("\ufffd", text)
    if stream is None or not stream.isatty():
        return [text]
    columns = shutil.get_terminal_size().columns
    return [
        part
        for each in text.splitlines()
        for part in textwrap.wrap(each, columns, break_long_words=False, break_on_hyphens=False)
        or [""]
    ]


class HypernbError(Exception):
    """Base of all hypernb errors.

    Attributes:
        code: Stable identifier for programs; never reworded once released.
        hint: What the reader can do next, or an empty string.
    """

    code: ClassVar[str] = "hypernb"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.hint}" if self.hint else message

    def unquoted(self) -> HypernbError:
        """Return the error without words of models, requests and tools; itself if it has none.

        It says how long they are, where that is known.
        """
        return self

    def _reworded(self, message: str, **facts: object) -> HypernbError:
        bare = copy.copy(self)
        bare.args = (message,)
        bare.__dict__.update({name: facts[name] for name in facts if name in vars(self)})
        return bare

    def _render_traceback_(self) -> list[str]:
        # IPython prints these lines instead of a traceback; the exception itself still
        # propagates, so nbclient and try/except see it unchanged.
        return between_words(f"{type(self).__name__}: {self}", sys.stdout)

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take facts, not a message, so the default reduction would feed the
        # finished sentence back into __init__ when a worker process returns the error.
        return _rebuild, (type(self), self.args, self.__dict__.copy())


# --- what a person asked for cannot be understood ---------------------------------------


class UsageError(HypernbError):
    """A magic line, a command line or an argument cannot be understood."""

    code = "usage"


_WHERE = {
    "agent": "%hyper agents lists them.",
    "command": "hypernb --help lists them.",
    "kind of event": "%hyper sql select distinct kind from events lists those there were.",
    "model": "%hyper models lists them.",
    "playbook": "%hyper playbooks lists them.",
    "task": "%hyper show M lists those of a mission.",
    "tool": "%hyper agents lists the tools of each agent.",
    "tool of these agents": "%hyper agents lists the tools of each agent.",
    "variable": "%who lists yours.",
}
"""Where to look for a name, where none of many comes near."""


class UnknownNameError(UsageError):
    """A name was given that nothing has.

    Attributes:
        kind: What was looked for: ``"agent"``, ``"playbook"``, ``"verb"``, ``"flag"`` ...
        name: The name that was given.
    """

    code = "usage.unknown_name"

    def __init__(
        self, kind: str, name: str, known: Iterable[str] = (), *, hint: str = ""
    ) -> None:
        self.kind = kind
        self.name = name
        said = " ".join(filter(None, [nearest(name, known), hint])) or _WHERE.get(kind, "")
        super().__init__(f"No {kind} is called {name[:120]!r}.", hint=said)


class UnknownMissionError(UnknownNameError):
    """No mission of the store has that id."""

    code = "mission.unknown"

    def __init__(self, ref: str, known: Iterable[str] = ()) -> None:
        super().__init__(
            "mission", ref, known, hint="%hyper ls lists the missions of this store."
        )


class UnknownTaskError(UnknownNameError):
    """A mission has no task of that name or id."""

    code = "task.unknown"

    def __init__(self, ref: str, known: Iterable[str] = ()) -> None:
        super().__init__("task", ref, known)


class AmbiguousTaskError(UsageError):
    """One task is called as another one is numbered.

    Attributes:
        ref: What was given: ``t1``.
        other: Name of the task that has that number.
    """

    code = "task.ambiguous"

    def __init__(self, ref: str, other: str) -> None:
        self.ref = ref
        self.other = other
        super().__init__(
            f"{ref[:120]!r} could be the task that is called so, or the one with that number: "
            f"{other[:120]!r}.",
            hint=f"Write {other[:120]!r} if that is meant, and else the other one's number.",
        )


class GoalError(UsageError):
    """A goal is empty or too long to be a goal."""

    code = "goal"


class PathError(UsageError):
    """A path is missing, unreadable, or not the kind of thing it has to be."""

    code = "path"

    def __init__(self, path: str, problem: str, *, hint: str = "") -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path!r} {problem}.", hint=hint)


# --- plans ------------------------------------------------------------------------------


class PlanError(HypernbError):
    """A plan cannot be carried out as it is written."""

    code = "plan"


class CyclicPlanError(PlanError):
    """Tasks of a plan wait for each other in a circle.

    Attributes:
        cycle: Task names along the circle; each needs the one before it.
    """

    code = "plan.cyclic"

    def __init__(self, cycle: Sequence[str]) -> None:
        self.cycle = tuple(cycle)
        shown: Sequence[str] = self.cycle
        if len(shown) > ROUTE_AT_MOST:
            half = ROUTE_AT_MOST // 2
            left_out = f"({len(shown) - 2 * half:,} more)"
            shown = (*shown[:half], left_out, *shown[-half:])
        route = " -> ".join((*shown, self.cycle[0]))
        super().__init__(
            f"The plan can never finish: {route}.",
            hint=(
                f"Remove {self.cycle[-1]!r} from the needs of {self.cycle[0]!r}, "
                "or split one of them."
            ),
        )


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """Something that keeps a plan from being carried out, and where it is.

    Attributes:
        text: What is wrong and what to do, in sentences.
        task: Name of the task; empty for the plan itself.
        field: Name of the field; empty where it is about the whole, ``tools`` and ``params``
            for those of an agent's work.
        instead: A value for the field that would be right; None if there is none to propose.
        route: Names of tasks that wait for each other in a circle.
    """

    text: str
    task: str = ""
    field: str = ""
    instead: Any = None
    route: tuple[str, ...] = ()


class PlanProblemsError(PlanError):
    """A plan has one or more problems, each with the task it is at.

    Attributes:
        problems: The problems, in plan order.
        placed: The same with the task and the field that each is about.
    """

    code = "plan.problems"

    def __init__(self, problems: Sequence[str | PlanProblem]) -> None:
        self.placed = tuple(
            PlanProblem(each) if isinstance(each, str) else each for each in problems
        )
        self.problems = tuple(each.text for each in self.placed)
        more = len(self.problems) - 1
        tail = f" And {more} more problem{'s' if more > 1 else ''}." if more else ""
        super().__init__(f"{self.problems[0]}{tail}")


class NoPlanError(PlanError):
    """A model was asked for a plan, and there is none that could be carried out.

    Attributes:
        model: Who was asked.
        problems: What was wrong with the last one.
    """

    code = "plan.none"

    def __init__(
        self, model: str, problems: Sequence[str], *, why: str = "", hint: str = ""
    ) -> None:
        self.model = model
        self.problems = tuple(problems)
        first = self.problems[0] if self.problems else "It gave no reason."
        super().__init__(
            why or f"{model} has made no plan that could be carried out. The last one: {first}",
            hint=hint or "Say more exactly what is wanted, or take another model.",
        )

    def unquoted(self) -> HypernbError:
        """Return it without the problems, which quote the model's plan."""
        said = f"{self.model} has made no plan that could be carried out."
        return self._reworded(said, problems=())


class EditConflictError(PlanError):
    """A plan was changed by somebody else while it was being edited.

    Attributes:
        mission: Short id of the mission.
        based_on: The revision that the changes were made to.
        newest: The revision that there is now.
    """

    code = "plan.conflict"

    def __init__(self, mission: str, based_on: int, newest: int) -> None:
        self.mission = mission
        self.based_on = based_on
        self.newest = newest
        super().__init__(
            f"Somebody saved revision {newest} while you edited revision {based_on}.",
            hint="Your changes are still here, and nothing of them was saved. "
            f"%hyper diff {mission} shows what is new; then save yours on top of it.",
        )


class ApprovalError(HypernbError):
    """An approval does not fit the plan it is meant for, or there is none."""

    code = "approval"


class UnnamedHostError(ApprovalError):
    """A model is at a host that the approved plan does not name.

    Attributes:
        model: What was asked for.
        host: Where it is.
        leaves: What would leave for it, a sentence each.
    """

    code = "approval.host"

    def __init__(self, mission: str, model: str, host: str, leaves: Sequence[str]) -> None:
        self.model = model
        self.host = host
        self.leaves = tuple(leaves)
        what = "What its tasks read and are told would leave for it from then on."
        super().__init__(
            f"{mission} does not ask {model} yet: its approved plan does not name {host}. "
            + " ".join([what, *leaves]),
            hint=f"%hyper resume {mission} --model {model} --yes allows it.",
        )


# --- missions and tasks -----------------------------------------------------------------


class MissionError(HypernbError):
    """A mission did not succeed.

    Attributes:
        mission: Short id of the mission.
        state: The state it ended in.
        there: The tasks whose outputs are its result, as far as they have succeeded.
    """

    code = "mission"

    def __init__(
        self, mission: str, state: str, reason: str = "", *, there: Sequence[str] = ()
    ) -> None:
        self.mission = mission
        self.state = state
        self.there = tuple(there)
        because = f": {reason}" if reason else ""
        if state == "cancelled" and reason.startswith("by "):
            because = f" {reason}"
        super().__init__(
            f"Mission {mission} {'was ' if state in ('cancelled', 'rejected') else ''}"
            f"{state}{because}.",
            hint=f"{self._what_there_is()}%hyper show {mission} shows what happened.",
        )

    def _what_there_is(self) -> str:
        if not self.there:
            return ""
        named = [f"mission.tasks[{json.dumps(name)}].output" for name in self.there[:3]]
        more = len(self.there) - len(named)
        outputs = " and ".join([*named, *([f"{more} more"] if more else [])])
        are = "is" if len(self.there) == 1 else "are"
        return f"%hyper result {self.mission} gives what there is: {outputs} {are} there. "


class MissionWaitsError(MissionError):
    """A mission stands still until a person acts, and waiting for it would not end.

    Attributes:
        reason: What it lacks.
    """

    code = "mission.waits"

    def __init__(self, mission: str, reason: str, todo: str) -> None:
        self.mission = mission
        self.state = "waiting"
        self.there = ()
        self.reason = reason
        HypernbError.__init__(self, f"Mission {mission} waits for you: {reason}.", hint=todo)


class TransitionError(HypernbError):
    """A thing cannot go from the state it is in to the one that was asked for.

    Attributes:
        kind: ``"mission"``, ``"task"`` or ``"attempt"``.
        name: Which one.
    """

    code = "transition"

    def __init__(
        self, kind: str, name: str, before: str, after: str, *, hint: str = ""
    ) -> None:
        self.kind = kind
        self.name = name
        self.before = before
        self.after = after
        state, wanted = before.replace("_", " "), after.replace("_", " ")
        # Two people, or two clicks, wanted the same.
        rest = " already" if state == wanted else f"; it cannot become {wanted}"
        super().__init__(f"{kind.capitalize()} {name} is {state}{rest}.", hint=hint)


class NotFinishedError(HypernbError):
    """A result was asked for before there is one."""

    code = "mission.not_finished"

    def __init__(self, mission: str, state: str) -> None:
        self.mission = mission
        self.state = state
        kind, whole = ("Task" if "/" in mission else "Mission"), mission.partition("/")[0]
        said, yet, hint = state.replace("_", " "), " yet", f"%hyper wait {whole} waits for it."
        if state == "awaiting_approval":
            hint = f"%hyper approve {whole} starts it."
        elif state in ("failed", "cancelled", "rejected", "skipped"):
            yet, hint = "", f"%hyper show {whole} says why."
        super().__init__(f"{kind} {mission} has no result{yet}: it is {said}.", hint=hint)


class TaskError(HypernbError):
    """A task's own code failed.

    Attributes:
        task: Name of the task.
        kind: Name of the exception class that its code raised.
        detail: Its message.
        traceback: The formatted traceback, as text.
    """

    code = "task"

    def __init__(self, task: str, kind: str, detail: str, traceback: str = "") -> None:
        self.task = task
        self.kind = kind
        self.detail = detail
        self.traceback = traceback
        super().__init__(f"Task {task!r} raised {kind}: {detail}")


def _seconds(told: object) -> float | None:
    """Read what a service said; None if it has no meaning."""
    try:
        seconds = float(told)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < float("inf") else None


class TooManyRequestsError(HypernbError):
    """A resource was asked too much; a task that raises it waits and is tried again.

    That is no failure, and counts as no attempt.

    Attributes:
        resource: Which, if it is one of the task's resources; all of them if empty.
        retry_after_s: How long it wants to be left alone, in seconds; None if it did not say.

    Example:
        >>> raise TooManyRequestsError("the-api", retry_after_s=20)
        Traceback (most recent call last):
        hypernb.errors.TooManyRequestsError: Too many requests to 'the-api'. ...
    """

    code = "task.too_many_requests"

    def __init__(self, resource: str = "", *, retry_after_s: float | None = None) -> None:
        self.resource = resource
        self.retry_after_s = _seconds(retry_after_s)
        what = f" to {resource!r}" if resource else ""
        after_s = self.retry_after_s
        when = "later" if after_s is None else f"in {after_s:g} s"
        super().__init__(f"Too many requests{what}.", hint=f"It can be asked again {when}.")


class BudgetExhaustedError(HypernbError):
    """More was spent than may be.

    Attributes:
        spent: Dollars.
        budget: Dollars.
        next_call: What a call that is not made may cost, in dollars; 0 if that is not why.

    Example:
        >>> raise BudgetExhaustedError(0.31, 0.3)
        Traceback (most recent call last):
        hypernb.errors.BudgetExhaustedError: This attempt has spent $0.31 of the $0.30 ...
    """

    code = "budget.exhausted"

    def __init__(
        self, spent: float, budget: float, *, next_call: float = 0.0, hint: str = ""
    ) -> None:
        self.spent = spent
        self.budget = budget
        self.next_call = next_call
        paid, most = told_apart(spent, limit=budget)
        said = f"This attempt has spent {paid} of the {most} that it may."
        if next_call:
            paid, cost, most = told_apart(spent, next_call, limit=budget)
            said = (
                f"Of the {most} that may be spent, {paid} is spent, and "
                f"the next call may cost up to {cost}."
            )
        super().__init__(
            said,
            hint=hint
            or "Rewind its mission: a new one has what is done, and can have a higher cap.",
        )


def dollars(amount: float) -> str:
    """Write an amount to the cent, and below ten cents with two digits that count.

    The same amount is written the same everywhere, and a part never looks like more than the
    whole.

    Example:
        >>> dollars(0.3), dollars(12.5), dollars(0.0157), dollars(0.02), dollars(0.00042)
        ('$0.30', '$12.50', '$0.016', '$0.02', '$0.00042')
    """
    if not 0 < amount < _DIME:
        return f"${amount:,.2f}"
    return _to(min(1 - math.floor(math.log10(amount)), _PLACES_AT_MOST), amount)


def _to(places: int, amount: float) -> str:
    """Write an amount to so many places, without noughts behind the cents."""
    whole, _, cents = f"{amount:,.{places}f}".partition(".")
    return f"${whole}.{cents.rstrip('0'):0<2}"


def limit_words(amount: float) -> str:
    """Write the most that may be spent, with all its digits: never more than it is.

    Example:
        >>> limit_words(0.5), limit_words(0.055), limit_words(1200), limit_words(2 / 3)
        ('$0.50', '$0.055', '$1,200.00', '$0.666666')
    """
    return told_apart(limit=amount)[0]


def told_apart(*amounts: float, limit: float) -> tuple[str, ...]:
    """Write amounts and the most that they may be, with as many digits as tell them apart.

    Returns:
        The amounts, and at last the limit, which is never rounded up.

    Example:
        >>> told_apart(0.0041, 0.0512, limit=0.055)
        ('$0.0041', '$0.051', '$0.055')
        >>> told_apart(0.3, limit=0.5), told_apart(0.0549, limit=0.055)
        (('$0.30', '$0.50'), ('$0.0549', '$0.055'))
    """
    exact = round(limit, _PLACES)
    most = exact if exact <= limit + _ROUNDING else math.floor(limit * 1e6) / 1e6
    values = [*(round(each, _PLACES) for each in amounts), most]
    said = [*map(dollars, amounts), _to(_PLACES, most)]
    for places in range(3, _PLACES + 1):
        blurred = [place for place in range(len(amounts)) if _is_blurred(place, values, said)]
        for place in blurred:
            said[place] = _to(max(places, len(said[place].partition(".")[2])), amounts[place])
    return tuple(said)


def _is_blurred(place: int, values: Sequence[float], said: Sequence[str]) -> bool:
    """Tell whether an amount, as it is said, is not on the right side of all others."""
    written = [float(each[1:].replace(",", "")) for each in said]
    own, told = values[place], written[place]
    return any(
        (own < other, own == other) != (told < shown, told == shown)
        for other, shown in zip(values, written, strict=True)
    )


class TaskTimeoutError(TaskError):
    """A task ran longer than its cap on time; its processes were ended."""

    code = "task.timeout"

    def __init__(self, task: str, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        super().__init__(task, "TimeoutError", f"not done after {timeout_s:g} s")


class WorkerLostError(TaskError):
    """The process that ran a task ended before the task did."""

    code = "task.worker_lost"

    def __init__(self, task: str, exit_code: int | None) -> None:
        self.exit_code = exit_code
        how = "ended" if exit_code is None else f"ended with exit code {exit_code}"
        super().__init__(task, "WorkerLost", f"its process {how} before the task was done")


class CannotShipError(HypernbError):
    """A function, an argument or an output cannot be sent to another process."""

    code = "task.cannot_ship"


class WaitTimeoutError(HypernbError, TimeoutError):
    """A mission was still going when the time to wait for it was over; it goes on."""

    code = "mission.wait_timeout"

    def __init__(self, mission: str, timeout_s: float) -> None:
        self.mission = mission
        self.timeout_s = timeout_s
        super().__init__(
            f"Mission {mission} is not done after {timeout_s:g} s. It goes on.",
            hint=f"%hyper wait {mission} waits again, %hyper cancel {mission} ends it.",
        )


class WaitInterruptedError(HypernbError, KeyboardInterrupt):
    """A person interrupted the waiting for a mission; the mission goes on."""

    code = "mission.wait_interrupted"

    def __init__(self, mission: str) -> None:
        self.mission = mission
        super().__init__(
            f"You stopped waiting; mission {mission} goes on.",
            hint=f"%hyper attach {mission} watches it again, %hyper cancel {mission} ends it.",
        )


class PlanningInterruptedError(HypernbError, KeyboardInterrupt):
    """A person interrupted the planning by a model; nothing runs.

    Attributes:
        kept: Short id of the mission that keeps what it has used; empty if there is none.
    """

    code = "plan.interrupted"

    def __init__(self, kept: str = "") -> None:
        self.kept = kept
        said = "You stopped the planning; there is no mission, and nothing runs."
        hint = "--offline asks no model."
        if kept:
            said = "You stopped the planning; there is no plan, and nothing runs."
            hint = f"Its goal, and what the planning has used, are kept in {kept}. {hint}"
        super().__init__(said, hint=hint)


# --- tools and agents -------------------------------------------------------------------


class ToolError(HypernbError):
    """A tool started and failed.

    Attributes:
        tool: Name of the tool.
    """

    code = "tool"

    def __init__(self, tool: str, reason: str, *, hint: str = "") -> None:
        self.tool = tool
        # Where a failure is handed on, its reason may be this sentence already.
        self.reason = reason.removeprefix(f"{tool} did not run: ")
        super().__init__(f"{tool} did not run: {self.reason}", hint=hint)

    def unquoted(self) -> HypernbError:
        """Return it without the reason, which may quote what the tool was given or has read."""
        said = f"{self.tool} did not run, for a reason of {not_quoted(len(self.reason))}."
        return self._reworded(said, reason="", problems=())


class ToolAbsentError(ToolError):
    """A tool is not installed."""

    code = "tool.absent"

    def __init__(self, tool: str, *, hint: str = "") -> None:
        super().__init__(
            tool,
            "it is not installed.",
            hint=hint or 'pip install "hypernb[audit]" installs the tools of the specialists.',
        )

    def unquoted(self) -> HypernbError:
        """Return it as it is."""
        return self


class ToolArgumentsError(ToolError):
    """A tool was called with arguments that it does not take.

    Attributes:
        problems: What is wrong, one sentence each.
    """

    code = "tool.arguments"

    def __init__(self, tool: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            tool,
            f"its arguments do not fit. {' '.join(self.problems)}",
            hint="Correct them, and call it again.",
        )


class NothingRanError(HypernbError):
    """None of an agent's tools ran, so its task has nothing to report.

    Attributes:
        task: Name of the task.
        reasons: Why each tool did not run, by tool name.
    """

    code = "agent.nothing_ran"

    def __init__(self, task: str, reasons: Mapping[str, str]) -> None:
        self.task = task
        self.reasons = dict(reasons)
        said = "; ".join(f"{tool}: {why}" for tool, why in self.reasons.items())
        super().__init__(f"{task} did not run: {said or 'it has no tools.'}")


class AgentAnswerError(HypernbError):
    """A model that works on a task has given no answer that can be its output.

    Attributes:
        task: Name of the task.
        problem: What is wrong, in words.
        evidence: The beginning of what it said last.
        quiet: The problem without words of the model.
        characters: How long all of what it said last is.
    """

    code = "agent.answer"

    def __init__(
        self,
        task: str,
        problem: str,
        *,
        evidence: str = "",
        quiet: str = "",
        characters: int = 0,
        hint: str = "",
    ) -> None:
        self.task = task
        self.problem = problem
        self.evidence = evidence
        self.quiet = quiet
        self.characters = characters or len(evidence)
        shown = f" It said last: {evidence!r}." if evidence else ""
        super().__init__(f"The model gave no output for {task}: {problem}.{shown}", hint=hint)

    def unquoted(self) -> HypernbError:
        """Return it without what the model has said."""
        problem = self.quiet or "its answers cannot be used"
        shown = f" It said last {not_quoted(self.characters)}." if self.characters else ""
        said = f"The model gave no output for {self.task}: {problem}.{shown}"
        return self._reworded(said, problem=problem, evidence="")


class RoleCardError(HypernbError):
    """A role card cannot be read or is incomplete.

    Attributes:
        path: File of the card.
        key: The key that is wrong; empty if it is the file as a whole.
        problem: What is wrong, in words.
    """

    code = "agent.role_card"

    def __init__(self, path: str, key: str, problem: str, *, hint: str = "") -> None:
        self.path = path
        self.key = key
        self.problem = problem
        where = f"key {key!r} {problem}" if key else problem
        super().__init__(f"Role card {path}: {where}.", hint=hint)


class ConfigError(HypernbError):
    """A setting cannot be read or has no meaning."""

    code = "config"


# --- models -------------------------------------------------------------------------------


class ModelError(HypernbError):
    """A model gave no answer that can be used.

    Attributes:
        model: Its name.
        host: Where it was asked.
        used: Tokens read and written for answers that began and could not be used, about.
        quiet: The problem without words of the server; empty if it has none.
    """

    code = "model"
    used: tuple[int, int] = (0, 0)

    def __init__(
        self, model: str, host: str, problem: str, *, quiet: str = "", hint: str = ""
    ) -> None:
        self.model = model
        self.host = host
        self.problem = problem
        self.quiet = quiet
        # What a server says often ends with a full stop of its own.
        super().__init__(f"{model} at {host} {problem.rstrip('.')}.", hint=hint)

    def unquoted(self) -> HypernbError:
        """Return it without what the server has said."""
        if not self.quiet:
            return self
        said = f"{self.model} at {self.host} {self.quiet}."
        return self._reworded(said, problem=self.quiet, evidence="")


class ModelUnavailableError(ModelError):
    """A model could not be asked until the call's deadline: unreachable, busy, too slow."""

    code = "model.unavailable"


class ModelRefusedError(ModelError):
    """A server refuses the call, and would refuse it again: wrong key, unknown model.

    Attributes:
        status: The HTTP status.
    """

    code = "model.refused"

    def __init__(
        self,
        model: str,
        host: str,
        problem: str,
        *,
        status: int,
        quiet: str = "",
        hint: str = "",
    ) -> None:
        self.status = status
        super().__init__(model, host, problem, quiet=quiet, hint=hint)


class ModelAnswerError(ModelError):
    """A model has answered, and the answer cannot be used.

    Attributes:
        evidence: The beginning of what came.
        may_be_put: The question may be put so often in all, if somebody pays for each answer; 0
            if it was put as often as makes sense.
    """

    code = "model.answer"
    may_be_put: int = 0

    def __init__(
        self,
        model: str,
        host: str,
        problem: str,
        *,
        evidence: str = "",
        quiet: str = "",
        hint: str = "",
    ) -> None:
        self.evidence = evidence
        super().__init__(model, host, problem, quiet=quiet, hint=hint)


_PARTS_AT_MOST = 6
_TRIMS = {
    "variable ": "`--see {0}=sample:1` shows fewer rows of {0}, `--see {0}=schema` none",
    "output of ": "Have {0} give less (its goal can ask for a summary), or need it no longer",
    "answer of ": "Let the task look at less with {0}: scope= names files and folders",
    "the goal": "Shorten the goal, or hand texts in with --in, which shows a part of them",
    "the tools": "Name the few tools that the task needs, with tools=",
    "the form of the answer": "Ask for a smaller form with answer=",
    "the instructions": "Shorten the prompt of the agent's role card",
    "the project's files": "Plan for a part of the project, with --scope",
}


def _trimmed(part: str) -> str:
    """Say how the largest part of a request gets smaller."""
    for beginning, said in _TRIMS.items():
        if part.startswith(beginning):
            return said.format(part.removeprefix(beginning))
    return f"Show less of {part}"


class ContextTooLargeError(ModelError):
    """A request has more tokens than the model can read.

    Attributes:
        tokens: How many there are, about or as the server counts them; 0 if not known.
        limit: How many there may be; 0 if not known.
        parts: About how many tokens each part of the request has, by its name, largest first:
            ``variable df``, ``output of t1``, ``answer of read-file``, ``the goal``.
    """

    code = "model.context"

    def __init__(
        self, model: str, host: str, *, tokens: int, limit: int, parts: Mapping[str, int]
    ) -> None:
        self.tokens = tokens
        self.limit = limit
        self.parts = dict(sorted(parts.items(), key=lambda part: -part[1]))
        size = f"about {tokens:,} tokens" if tokens else "more tokens"
        most = f"{limit:,}" if limit else "it takes"
        shown = list(self.parts.items())[:_PARTS_AT_MOST]
        named = ", ".join(f"{name} ({size:,})" for name, size in shown)
        super().__init__(
            model,
            host,
            f"cannot read all of the request: it has {size}, and {most} are the most",
            hint=f"Its largest parts, in tokens, are {named}. {_trimmed(shown[0][0])}, or take "
            "a model that reads more."
            if shown
            else "Show it less, or take a model that reads more.",
        )


class KeyMissingError(ModelError):
    """The key that a model needs is not in the environment.

    Attributes:
        key: Name of the variable.
    """

    code = "model.key"

    def __init__(
        self, model: str, host: str, key: str, *, profiles: Collection[str] = ()
    ) -> None:
        self.key = key
        hint = f"Set {key} in the environment before the kernel starts, or work offline: "
        hint += "--offline."
        if 0 < len(profiles) <= LIST_AT_MOST:
            # A name that is mistyped is taken for a model of the usual server.
            hint += f" Profiles of your own: {', '.join(map(repr, profiles))}."
        super().__init__(model, host, f"needs {key}, which is not set here", hint=hint)


class ReplayMissError(ModelError):
    """A cassette has no answer to a request, and nothing is asked while one is replayed.

    Attributes:
        cassette: Its path.
        nearest: What it tells of that: how the nearest request differs, which line of it is
            ignored; empty if nothing.
    """

    code = "model.replay"

    def __init__(self, model: str, host: str, cassette: str, nearest: str = "") -> None:
        self.cassette = cassette
        self.nearest = nearest
        near = f" {nearest}" if nearest else ""
        super().__init__(
            model,
            host,
            f"is not asked, because {cassette!r} is replayed and has no such request",
            hint=f"Record it anew with --record.{near}",
        )

    def unquoted(self) -> HypernbError:
        """Return it without what the cassette tells."""
        return ReplayMissError(self.model, self.host, self.cassette)


class ContractError(HypernbError):
    """Something was asked for that the approved plan does not allow."""

    code = "contract"


class StateConflictError(HypernbError):
    """The state of an agent was saved by somebody else meanwhile.

    Attributes:
        based_on: The version that the state was made from.
        newest: The version that there is.
    """

    code = "agent.state_conflict"

    def __init__(self, agent: str, based_on: int, newest: int) -> None:
        self.agent = agent
        self.based_on = based_on
        self.newest = newest
        super().__init__(
            f"The state of {agent} was not saved: it was made from version {based_on}, and "
            f"version {newest} is there.",
            hint="Load it again, and make the change there.",
        )


# --- the store --------------------------------------------------------------------------


class StoreError(HypernbError):
    """The store cannot do what was asked."""

    code = "store"


class StoreUnavailableError(StoreError):
    """The database cannot be opened, read or written: missing, locked, read-only, full."""

    code = "store.unavailable"


class StoreCorruptError(StoreError):
    """The file is not a database, or parts of it are damaged."""

    code = "store.corrupt"


class SchemaError(StoreError):
    """The database has another schema than this program.

    Attributes:
        found: Revision in the database.
        expected: Revision of the program.
    """

    code = "store.schema"

    def __init__(self, found: str, expected: str) -> None:
        self.found = found
        self.expected = expected
        super().__init__(
            f"The database has schema {found!r}; this hypernb knows up to {expected!r}.",
            hint="pip install --upgrade hypernb, or choose another database with HYPERNB_DB.",
        )


class LeaseLostError(StoreError):
    """Another runner holds the lease; what was to be written was not written."""

    code = "store.lease_lost"

    def __init__(self, resource: str, holder: str) -> None:
        self.resource = resource
        self.holder = holder
        super().__init__(
            f"The lease on {resource} is held by {holder or 'nobody'}; nothing was written."
        )


class QueryError(StoreError):
    """A query is not one that reads, or cannot be run."""

    code = "store.query"


class UntrustedArtifactError(StoreError):
    """Bytes that would run code when loaded do not come from this user's own store."""

    code = "store.untrusted"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(
            f"{what} is not loaded: it is a pickle that you did not write on this machine.",
            hint="Run the task again here, or let it return JSON or a DataFrame.",
        )


class RunnerError(HypernbError):
    """No runner could be started, or it ended at once."""

    code = "runner"
