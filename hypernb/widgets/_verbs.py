"""What a view may ask for: each verb a function of a mission or a session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UnknownNameError, UnnamedHostError, UsageError
from hypernb.model import EventKind
from hypernb.session import Mission, Session
from hypernb.widgets._actions import host_step
from hypernb.widgets._asked import require_fitting, require_sane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hypernb.model import Event

    Facts = dict[str, Any]
    Verb = Callable[..., Any]

_MOST_EVENTS: Final = 1_000
_READ_AT_ONCE: Final = 1_000
_LOOKED_THROUGH: Final = 10_000
"""Who looks for words is answered after so many events, and may go on from there."""
_LONGEST_REF: Final = 100


def act(verb: str, args: object, about: Mission | Session) -> Any:
    """Do what a verb says and return its answer.

    Args:
        args: Its arguments; ``mission`` says which one is meant, and has to where many are
            listed. A view of one mission does nothing that was meant for another.

    Raises:
        UsageError: There is no such verb, or it does not take these arguments. Then nothing
            has been done.
        HypernbError: It cannot be done.
    """
    function = VERBS.get(verb)
    if function is None:
        raise UnknownNameError("verb", verb, VERBS)
    given = dict(require_sane(args))
    target: Mission | Session
    if verb in OF_SESSIONS:
        target = about.session if isinstance(about, Mission) else about
    elif isinstance(about, Mission):
        _require_meant(about, given.pop("mission", None), verb)
        target = about
    else:
        target = named(about, given.pop("mission", None), verb)
    require_fitting(verb, function, given)
    return function(target, **given)


def _require_meant(mission: Mission, ref: object, verb: str) -> None:
    """Make sure that a question names no mission but the one that the view shows.

    Raises:
        UsageError: It names another.
    """
    shown = (mission.record.id, mission.record.short_id)
    if ref is not None and ref not in shown:
        raise UsageError(
            f"{verb} was meant for another mission, and this view shows {shown[1]}.",
            hint="Reload the page, and try again.",
        )


def named(session: Session, ref: object, verb: str) -> Mission:
    """Return a mission that a question names; never the newest because none is named.

    Raises:
        UsageError: None is named.
        UnknownMissionError: The session's store has none of that name.
    """
    if not isinstance(ref, str) or not ref.strip():
        raise UsageError(f"{verb} needs a mission.", hint="Say which one: mission='m-7'.")
    return session.mission(ref[:_LONGEST_REF])


# -- deciding ----------------------------------------------------------------------------


def approve(mission: Mission, plan_hash: str, tasks: Sequence[str] = ()) -> Facts:
    """Approve the plan that was shown, which is the one with this hash, or a part of it."""
    mission.approve(list(tasks), plan_hash=plan_hash)
    return {}


def reject(mission: Mission, reason: str = "") -> Facts:
    """Reject the plan."""
    mission.reject(reason)
    return {}


def check(mission: Mission, draft: Mapping[str, Any]) -> Any:
    """Say what changes to the plan would come to."""
    from hypernb.widgets import _plans

    return _plans.check(mission, dict(draft))


def edit(mission: Mission, draft: Mapping[str, Any], revision: int | None = None) -> Any:
    """Change the plan."""
    from hypernb.widgets import _plans

    return _plans.edit(mission, dict(draft), revision)


def comment(mission: Mission, text: str, task: str = "") -> Any:
    """Write something beside the plan or a task of it."""
    from hypernb.widgets import _plans

    return _plans.comment(mission, text, task)


def pause(mission: Mission) -> Facts:
    """Stop running work where it is."""
    mission.pause()
    return {}


def resume(mission: Mission, budget: float | None = None) -> Facts:
    """Let it go on, with another budget if one is given."""
    mission.resume(budget=budget)
    return {}


def finish(mission: Mission) -> Facts:
    """Let it go on with what is left of its budget, and nothing new start."""
    mission.resume(finish=True)
    return {}


def take_model(mission: Mission, reason: str = "", approve_host: bool = False) -> Facts:  # noqa: FBT001, FBT002 - arguments come by name
    """Let it go on with another model, whose name was typed where a view asks for a reason.

    Returns:
        Nothing; or, where its host was not approved, the ``step`` that asks for that.
    """
    name = reason.strip()
    if not name:
        raise UsageError(
            "No model was named.", hint="Write its name; %hyper models lists those you have."
        )
    try:
        mission.resume(model=name, approve_host=approve_host)
    except UnnamedHostError as error:
        return {"step": host_step(mission.id, error)}
    return {}


def cancel(mission: Mission) -> Facts:
    """End it."""
    mission.cancel()
    return {}


def retry(mission: Mission, task: str = "") -> Facts:
    """Try a task again, or all that can be."""
    mission.retry(task)
    return {}


def fork(mission: Mission, at: str = "", budget: float | None = None) -> Any:
    """Begin a new mission that shares what this one has done."""
    from hypernb.widgets import _missions

    return _missions.fork(mission, at, budget)


# -- looking -----------------------------------------------------------------------------


def export(mission: Mission, form: str = "html") -> Any:
    """Write it as a file."""
    from hypernb.widgets import _missions

    return _missions.export(mission, form)


def output(mission: Mission, task: str = "") -> Any:
    """Return an output, ready to be shown."""
    from hypernb.widgets import _output

    return _output.output(mission, task)


def events(  # noqa: PLR0913 - the fields of a filter
    mission: Mission,
    *,
    before: int | None = None,
    kinds: Sequence[str] = (),
    agent: str | None = None,
    task: str = "",
    text: str = "",
    limit: int = 200,
) -> Facts:
    """Return the newest events before one, of those that are asked for; oldest first.

    Args:
        before: Number of the event; None for the newest of all.
        kinds: Only these. Heartbeats are left out unless they are named.
        agent: Only of its tasks; of tasks without an agent if empty; None for all.
        task: Only of this one; of all if empty.
        text: Only those that have it in their words or facts.
        limit: At most so many.

    Returns:
        ``events``, whether there may be ``more``, and ``before``, from which to ask for those.
        Where words are looked for, there may be fewer events than asked for, and more of them.
    """
    from hypernb.widgets._facts import event_facts

    most = max(1, min(limit, _MOST_EVENTS))
    store, looked_for = mission.session.store, text.strip().casefold()
    at_once = _READ_AT_ONCE if looked_for else most
    found: list[Event] = []
    for _ in range(_LOOKED_THROUGH // _READ_AT_ONCE):
        read = store.events(
            mission.record.id,
            before=before,
            limit=at_once + 1,
            kinds=kinds,
            without=() if EventKind.TASK_HEARTBEAT in kinds else (EventKind.TASK_HEARTBEAT,),
            task=task or None,
            agent=agent,
            newest=True,
        )
        more = len(read) > at_once
        read = read[-at_once:]
        found[:0] = [each for each in read if looked_for in _said(each)] if looked_for else read
        before = read[0].seq if read else before
        if not more or len(found) >= most:
            break
    if len(found) > most:
        found, more = found[-most:], True
        before = found[0].seq
    return {
        "events": [event_facts(event) for event in found],
        "more": more,
        "before": before if more else None,
    }


def _said(event: Event) -> str:
    from hypernb.views import plain, tell

    facts = json.dumps(event.payload, ensure_ascii=False, default=str)
    return f"{plain(tell(event))}\n{event.kind}\n{event.task or ''}\n{facts}".casefold()


def missions(
    session: Session,
    text: str = "",
    states: Sequence[str] = (),
    limit: int = 50,
    offset: int = 0,
) -> Any:
    """Return rows of missions, newest first."""
    from hypernb.widgets import _missions

    return _missions.rows(session, text, states, limit, offset)


def compare(session: Session, a: str, b: str) -> Any:
    """Return what differs between two missions."""
    from hypernb.widgets import _missions

    return _missions.compare(session, a, b)


VERBS: Final[Mapping[str, Verb]] = {
    "approve": approve,
    "cancel": cancel,
    "check": check,
    "comment": comment,
    "compare": compare,
    "edit": edit,
    "events": events,
    "export": export,
    "finish": finish,
    "fork": fork,
    "missions": missions,
    "output": output,
    "pause": pause,
    "reject": reject,
    "resume": resume,
    "retry": retry,
    "take_model": take_model,
}
"""All but ``open``, which is about the view and not about a mission."""

DECIDING: Final = frozenset(
    {
        *("approve", "cancel", "comment", "edit", "fork", "pause", "reject", "resume"),
        *("finish", "retry", "take_model"),
    }
)
OPENING: Final = frozenset({"export", "output"})
"""What runs code of outputs: they are unpickled and asked what they look like."""
OF_SESSIONS: Final = frozenset({"compare", "missions"})
