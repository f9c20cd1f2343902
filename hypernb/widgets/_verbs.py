"""What a view may ask for: each verb a function of a mission or a session."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UnknownNameError, UsageError
from hypernb.session import Mission, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hypernb.model import Event

    Facts = dict[str, Any]
    Verb = Callable[..., Any]

_MOST_EVENTS: Final = 1_000
_READ_AT_ONCE: Final = 5_000


def act(verb: str, args: Mapping[str, Any], about: Mission | Session) -> Any:
    """Do what a verb says and return its answer.

    Args:
        args: Its arguments; where missions are listed, ``mission`` says which one is meant.

    Raises:
        UsageError: There is no such verb, or it does not take these arguments.
        HypernbError: It cannot be done.
    """
    function = VERBS.get(verb)
    if function is None:
        raise UnknownNameError("verb", verb, VERBS)
    given = dict(args)
    target: Mission | Session
    if verb in OF_SESSIONS:
        target = about.session if isinstance(about, Mission) else about
    elif isinstance(about, Mission):
        target = about
    elif "mission" in given:
        target = about.mission(str(given.pop("mission")))
    else:
        raise UsageError(f"{verb} needs a mission.", hint="Say which one: mission='m-7'.")
    try:
        inspect.signature(function).bind(target, **given)
    except TypeError as error:
        raise UsageError(f"{verb} cannot be asked for like that: {error}.") from None
    return function(target, **given)


# -- deciding ----------------------------------------------------------------------------


def approve(mission: Mission, tasks: Sequence[str] = (), plan_hash: str | None = None) -> Facts:
    """Approve the plan that was shown, or a part of it."""
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


def resume(mission: Mission) -> Facts:
    """Let it go on."""
    mission.resume()
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
    agent: str = "",
    task: str = "",
    text: str = "",
    limit: int = 200,
) -> Facts:
    """Return the newest events before one, of those that are asked for; oldest first."""
    from hypernb.widgets._facts import event_facts

    wanted = _Wanted(mission, agent=agent, task=task, text=text)
    most = max(1, min(limit, _MOST_EVENTS))
    found: list[Event] = []
    while len(found) <= most:
        read = mission.session.store.events(
            mission.record.id, before=before, limit=_READ_AT_ONCE, kinds=kinds, newest=True
        )
        found[:0] = wanted.among(read)
        if len(read) < _READ_AT_ONCE:
            break
        before = read[0].seq
    return {
        "events": [event_facts(event) for event in found[-most:]],
        "more": len(found) > most,
    }


class _Wanted:
    """Which events somebody looks for, beyond what the store can tell apart."""

    def __init__(self, mission: Mission, *, agent: str, task: str, text: str) -> None:
        tasks = mission.tasks if agent else {}
        self._of_agent = {name for name in tasks if tasks[name].record.agent == agent}
        self._agent = agent
        self._task = task
        self._text = text.casefold()

    def among(self, events: Iterable[Event]) -> list[Event]:
        from hypernb.model import EventKind

        return [
            event
            for event in events
            if event.kind != EventKind.TASK_HEARTBEAT
            and (not self._task or event.task == self._task)
            and (not self._agent or event.task in self._of_agent)
            and (not self._text or self._text in self._said(event))
        ]

    def _said(self, event: Event) -> str:
        from hypernb.views import plain, words

        facts = json.dumps(event.payload, ensure_ascii=False, default=str)
        told = plain(words.tell(event))
        return f"{told}\n{event.kind}\n{event.task or ''}\n{facts}".casefold()


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
    "fork": fork,
    "missions": missions,
    "output": output,
    "pause": pause,
    "reject": reject,
    "resume": resume,
    "retry": retry,
}
"""All but ``open``, which is about the view and not about a mission."""

DECIDING: Final = frozenset(
    {"approve", "cancel", "comment", "edit", "fork", "pause", "reject", "resume", "retry"}
)
OF_SESSIONS: Final = frozenset({"compare", "missions"})
