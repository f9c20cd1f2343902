"""Starting a mission from a cell or from ``%hyper run``."""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypernb.errors import (
    ApprovalError,
    PathError,
    PlanningInterruptedError,
    UnknownNameError,
    UsageError,
    WaitInterruptedError,
)
from hypernb.magics._interpolate import interpolate
from hypernb.magics._line import CASSETTE_SUFFIX, read_words, split_words
from hypernb.magics._live import LiveView
from hypernb.magics._planning_line import PlanningLine
from hypernb.magics._verbs import CELL_OPTIONS
from hypernb.model import MissionState

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence

    from hypernb.session import Mission, Session
    from hypernb.session.front_end import Rung

ANSWER_WITHIN_S = 5.0
_TWINS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a magic knows about where it runs.

    Attributes:
        namespace: The user's variables, and what IPython keeps beside them.
        hidden: Names in it that are IPython's own.
        headless: Nobody is there to click or type.
        shell: IPython's shell; what it is decides how missions are shown.
        configure: Changes settings of the session; ``session`` is then a new one.
    """

    namespace: MutableMapping[str, Any]
    hidden: Collection[str]
    headless: bool
    shell: Any
    open_session: Callable[[], Session]
    configure: Callable[[Mapping[str, str]], None]

    @property
    def session(self) -> Session:
        """The kernel's session, as it is configured now."""
        return self.open_session()

    @property
    def rung(self) -> Rung:
        """How missions are shown here.

        Raises:
            ConfigError: ``HYPERNB_VIEWS`` has no meaning.
        """
        from hypernb.session.front_end import choose, look_around

        return choose(look_around(self.shell)).rung

    @property
    def variables(self) -> list[str]:
        """Names of the user's own variables."""
        return [
            name
            for name in self.namespace
            if not name.startswith("_") and name not in self.hidden
        ]


def start_cell(around: Surroundings, line: str, cell: str) -> Mission:
    """Start the mission of a ``%%hyper`` cell.

    Raises:
        UsageError: The line or the goal cannot be understood; nothing was started.
        ApprovalError: Nobody is there to approve, and no approval was given.
        MissionError: The cell waited, and the mission did not succeed.
    """
    words = split_words(line)
    arguments, options = read_words(
        words,
        CELL_OPTIONS,
        passes_on="--playbook" in _names(words),
        fill=partial(interpolate, namespace=around.namespace),
    )
    if arguments and not options.get("playbook"):
        hint = "The goal goes into the cell below; a playbook is named with --playbook."
        # A cassette that is named leaves no such word; one of another name does.
        for option in ("record", "replay"):
            if options.get(option) == "":
                hint = (
                    f"The name of a cassette ends in {CASSETTE_SUFFIX}; any other is written "
                    f"--{option}={arguments[0][:80]}."
                )
        raise UsageError(f"%%hyper does not take {arguments[0][:80]!r}.", hint=hint)
    body = cell.strip("\n")
    fill_in = not options.get("no_interpolate")
    goal = interpolate(body, around.namespace) if fill_in else body
    arguments = [interpolate(each, around.namespace) for each in arguments]
    return start(around, goal, options, arguments)


def start(
    around: Surroundings,
    goal: str,
    options: Mapping[str, Any],
    arguments: Sequence[str] = (),
) -> Mission:
    """Propose a mission and, where it was asked for, approve it and wait.

    Args:
        around: Where this runs.
        goal: In words; may be empty for a playbook.
        options: As read from the line.
        arguments: The playbook's own arguments.

    Raises:
        PlanningInterruptedError: A person has stopped the planning; nothing was started.
    """
    wait = _waits(around, options)
    approved_hash = _approved_hash(options.get("approve"))
    try:
        mission = _propose(around, goal, options, arguments)
    except PlanningInterruptedError:
        raise
    except KeyboardInterrupt:
        raise PlanningInterruptedError from None
    if approved_hash is not None or options.get("yes"):
        mission.approve(plan_hash=approved_hash or mission.proposed_hash)
    _name_twins(mission)
    show_started(around, mission, options, wait=wait)
    return mission


def _name_twins(mission: Mission) -> None:
    """Say which missions with the same plan wait for an answer: a cell was run once more."""
    from IPython.display import display

    from hypernb.magics._shown import Shown

    waiting = mission.session.missions(states=[MissionState.AWAITING_APPROVAL])
    plan_hash = mission.record.plan_hash
    twins = [
        each.id
        for each in waiting
        if each.id != mission.id and each.record.plan_hash == plan_hash and each.needs_approval
    ]
    if twins:
        named, waits = ", ".join(twins[:_TWINS_NAMED]), "waits" if len(twins) == 1 else "wait"
        more = len(twins) - _TWINS_NAMED
        rest = f" and {more:,} more" if more > 0 else ""
        answer = "reject it or approve it" if len(twins) == 1 else "reject or approve them"
        said = f"{named}{rest} with the same plan still {waits} for you; {answer} there."
        display(Shown(said))


def rewind(
    around: Surroundings,
    origin: Mission,
    at: str,
    changes: Mapping[str, Mapping[str, Any]],
    options: Mapping[str, Any],
) -> Mission:
    """Fork a mission and, where it was asked for, approve the fork and wait.

    Args:
        around: Where this runs.
        origin: The mission that stays as it is.
        at: The task to begin at; may be empty.
        changes: New values by task and field.
        options: As read from the line.
    """
    wait = _waits(around, options)
    money = {"budget": options["budget"]} if "budget" in options else {}
    mission = origin.fork(at, changes, drop=options.get("drop", ()), **money)
    if options.get("yes"):
        mission.approve(plan_hash=mission.proposed_hash)
    show_started(around, mission, options, wait=wait)
    return mission


def show_started(
    around: Surroundings, mission: Mission, options: Mapping[str, Any], *, wait: bool
) -> None:
    """Show a mission that was just proposed, and wait for its end if so asked.

    Raises:
        ApprovalError: It would wait for a person.
    """
    if name := options.get("out", ""):
        mission.remember_asked(name)
    if wait and mission.needs_approval:
        watch(around, mission, wait=False)
        raise ApprovalError(
            f"Mission {mission.id} waits for approval, and a cell does not wait for that.",
            hint=f"Read the plan; then %hyper approve {mission.id} --wait. "
            "Where nobody is there to read it, add --approve plan.json or --yes.",
        )
    watch(around, mission, wait=wait)
    if wait or options.get("out"):
        bind_result(around, mission, options.get("out", ""), wait=wait)


def watch(
    around: Surroundings,
    mission: Mission,
    *,
    wait: bool,
    timeout: float | None = None,
    lasts: bool = False,
    briefly: bool = False,
) -> None:
    """Show a mission in the cell; wait for its end, or let the view follow it.

    Args:
        around: Where this runs.
        mission: What to show.
        wait: Until it has ended.
        timeout: Of the waiting, in seconds.
        lasts: A mission that has ended is shown live as well, with its buttons.
        briefly: A terminal is told only how it stands.

    Raises:
        ApprovalError: It would wait for a person.
        MissionWaitsError: It stands still until a person gives it money or a key.
        WaitInterruptedError: The waiting was interrupted; the mission goes on.
    """
    if wait:
        from hypernb.session import refuse_unapproved

        refuse_unapproved(mission)
    view = LiveView(mission, rung=around.rung, lasts=lasts, briefly=briefly)
    try:
        view.show()
        mission.mark_shown()
        if wait:
            view.wait(timeout)
    except KeyboardInterrupt:
        if wait:
            raise WaitInterruptedError(mission.id) from None
        raise
    finally:
        # Whatever comes between, the cells that show it already are kept current.
        if wait or not around.headless:
            view.follow()
        else:
            view.end()


def watch_answer(around: Surroundings, mission: Mission) -> None:
    """Show a mission once its runner has answered a command, or is late with it."""
    mission.wait_for_answer(ANSWER_WITHIN_S)
    watch(around, mission, wait=False)


def bind_result(around: Surroundings, mission: Mission, name: str, *, wait: bool) -> None:
    """Bind a variable to the result now, or as soon as the result is there.

    Raises:
        MissionError: It has ended without success; its result is bound if all of it is there.
        NotFinishedError: It has not ended, and is not to be waited for.
    """
    _check_variable(name)
    if wait:
        failure = mission.failure
        if name and mission.has_result:
            value = around.namespace[name] = mission.partial_result()
            mission.remember_bound(name, value)
        if failure is not None:
            raise failure
    elif name:
        from hypernb.magics._binding import bind_later

        bind_later(around.namespace, name, mission)


def _propose(
    around: Surroundings, goal: str, options: Mapping[str, Any], arguments: Sequence[str]
) -> Mission:
    session = around.session
    name = options.get("playbook", "")
    params: Mapping[str, Any] = {}
    if name:
        playbooks = session.playbooks()
        if name not in playbooks:
            raise UnknownNameError("playbook", name, playbooks)
        params = playbooks[name].bind(arguments)
    _check_variable(options.get("out", ""))
    with PlanningLine(around.rung) as line:
        return session.propose(
            goal,
            playbook=name,
            params=params,
            agents=options.get("agents", ()),
            inputs=_inputs(around, options.get("in", ())),
            on_progress=line.tell,
            scope=options.get("scope"),
            budget=options.get("budget"),
            priority=whole(options, "priority"),
            concurrency=whole(options, "concurrency"),
            deadline_s=options.get("deadline"),
            unseen=bool(options.get("yes")),
            **_of_models(around, goal or name, options),
        )


def _of_models(around: Surroundings, about: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of `Session.propose` about models; only those that were given."""
    asking = [name for name in ("model", "record", "replay") if options.get(name) is not None]
    if asking and options.get("offline"):
        raise UsageError(
            f"--{asking[0]} and --offline exclude each other.", hint="Leave one out."
        )
    from hypernb.session import cassette

    if options.get("offline") or (around.session.settings.get("offline") and not asking):
        return {"offline": True}
    record, replay = options.get("record"), options.get("replay")
    kept = ""
    if record is not None or replay is not None:
        # The settings' mode is for missions that ask a model, which planning finds out.
        kept = cassette(around.session.root, about, record=record, replay=replay)
    given = {
        "model": options.get("model", ""),
        "cassette": kept,
        "see": _seen(options),
        "tools": options.get("tools", ()),
    }
    return {name: value for name, value in given.items() if value}


def _seen(options: Mapping[str, Any]) -> dict[str, str]:
    """Read ``df=schema,cfg=all``: how much of each variable that is handed in may be seen."""
    seen = {}
    for word in options.get("see", ()):
        name, equals, much = word.partition("=")
        if not equals:
            raise UsageError(
                f"--see cannot be {word[:80]!r}.",
                hint="Write NAME=schema, NAME=sample, NAME=sample:10 or NAME=all.",
            )
        handed_in = options.get("in", ())
        if not handed_in:
            raise UsageError(
                f"--see {word[:80]} is of no use: nothing is handed in.",
                hint=f"Write --in {name[:80]} as well.",
            )
        if name not in handed_in:
            raise UnknownNameError("variable of --in", name, handed_in)
        seen[name] = much
    return seen


def _inputs(around: Surroundings, names: Sequence[str]) -> dict[str, Any]:
    for name in names:
        if name not in around.namespace:
            raise UnknownNameError("variable", name, around.variables)
    return {name: around.namespace[name] for name in names}


def _check_variable(name: str) -> None:
    if name and (not name.isidentifier() or keyword.iskeyword(name)):
        raise UsageError(f"--out cannot bind {name[:80]!r}: it is not a name of a variable.")


def _waits(around: Surroundings, options: Mapping[str, Any]) -> bool:
    if options.get("wait") and options.get("no_wait"):
        raise UsageError("--wait and --no-wait exclude each other.", hint="Leave one out.")
    return bool(options.get("wait")) or (around.headless and not options.get("no_wait"))


def _approved_hash(path: str | None) -> str | None:
    if path is None:
        return None
    from pydantic import ValidationError

    from hypernb.model import PlanSpec

    try:
        return PlanSpec.model_validate_json(Path(path).expanduser().read_bytes()).hash
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise PathError(path, problem, hint="Name the file of an approved plan.") from error
    except ValidationError as error:
        problem = f"is not a plan: {error.errors()[0]['msg']}"
        hint = "%hyper export m-7 plan.json --form plan writes one."
        raise PathError(path, problem, hint=hint) from None


def whole(options: Mapping[str, Any], name: str) -> int | None:
    """Return an option that counts something; None if it was not given.

    Raises:
        UsageError: It is not a whole number.
    """
    value = options.get(name)
    if value is None:
        return None
    if value != int(value):
        option = name.replace("_", "-")
        raise UsageError(f"--{option} takes a whole number, not {value:g}.")
    return int(value)


def _names(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words}
