"""What events tell of, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import dollars, told_apart
from hypernb.model import MissionState
from hypernb.views._clean import line
from hypernb.views._model_events import TELLERS, paused_for_money
from hypernb.views._phrase import Code, Phrase, Strong, command, enumerate_names, named
from hypernb.views.words import (
    MISSION_STATES,
    TASK_STATES,
    as_sentence,
    count,
    duration,
    money_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hypernb.model import Event


def tell(event: Event) -> Phrase:
    """Say what an event tells of, in a sentence.

    Kinds that this version does not know are told by their own name and facts, and so are
    events whose facts are of other types than it knows.
    """
    try:
        return _teller(event.kind)(event)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return _as_it_is(event)


def _teller(kind: str) -> Callable[[Event], Phrase]:
    return _TELLERS.get(kind) or TELLERS.get(kind, _as_it_is)


def _as_it_is(event: Event) -> Phrase:
    facts = _facts(event.payload)
    return (Code(line(event.kind, cut_at=80)), f": {facts}." if facts else ".")


def _first(event: Event, *keys: str) -> str:
    for key in keys:
        value = event.payload.get(key)
        if value not in (None, "", [], {}):
            return line(value)
    return ""


def _facts(payload: Mapping[str, Any]) -> str:
    shown = [
        f"{line(key, cut_at=40)} {line(value, cut_at=80)}" for key, value in payload.items()
    ]
    return ", ".join(shown[:6])


def _because(event: Event) -> str:
    reason = _first(event, "error", "reason", "detail", "message")
    # The state's word stands before it already.
    reason = reason.removeprefix("skipped: ")
    return f": {as_sentence(reason)}" if reason else "."


def _by(event: Event) -> str:
    by = _first(event, "by")
    return f", by {by}" if by else ""


def _created(event: Event) -> Phrase:
    origin, at = _first(event, "forked_from"), _first(event, "forked_at")
    if not origin:
        return (f"The mission was created{_by(event)}.",)
    where: Phrase = (" at ", Code(at)) if at else ()
    return ("The mission was forked from ", Code(origin), *where, f"{_by(event)}.")


def _shared(event: Event) -> Phrase:
    origin = "/".join(filter(None, (_first(event, "from"), _first(event, "task"))))
    return ("It is done already and does not run: shared from ", Code(origin), ".")


def _settled(event: Event) -> Phrase:
    facts = event.payload
    cost, model = facts.get("cost"), facts.get("model")
    if cost is None:
        return ("It used ", named(str(model or "a model")), "; cost not known.")
    paid = f"It paid {'at most ' if facts.get('at_most') else ''}{dollars(_number(cost))}"
    return (f"{paid} to ", named(str(model)), ".") if model else (f"{paid}.",)


def _exhausted(event: Event) -> Phrase:
    spent, budget = (_number(event.payload.get(name)) for name in ("spent", "budget"))
    needed = event.payload.get("needed")
    if needed is None:
        return (f"The budget is spent: {money_of(spent, budget)}.",)
    paid, lacks, most = told_apart(spent, _number(needed), limit=budget)
    short = f"{paid} is spent, and {lacks} is needed"
    return (f"The budget of {most} does not cover what is left: {short}.",)


_NAMED: Final = 20


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _deferred(event: Event) -> Phrase:
    facts = event.payload
    names = [named(str(name)) for name in (facts.get("resources") or ())[:_NAMED]]
    what: Phrase = (" for ", *_listed(names)) if names else ()
    after_s = facts.get("after_s")
    again = ""
    if isinstance(after_s, int | float) and after_s > 0:
        again = f" It is tried again after {duration(after_s)}."
    match facts.get("hurdle"):
        case "full":
            held, limit = (line(facts.get(name), cut_at=20) for name in ("held", "limit"))
            return ("It waits", *what, f": {held} of {limit} in use.")
        case "rate":
            return ("It waits", *what, ": no more may begin at once.")
        case "refused":
            where: Phrase = (" to ", *_listed(names)) if names else ()
            return (
                "Too many requests",
                *where,
                f"; it waits, and that counts as no attempt.{again}",
            )
        case _:
            return ("It waits", *what, f": too many requests.{again}")


def _listed(names: Sequence[Code]) -> Phrase:
    return tuple(part for name in names for part in (", ", name))[1:]


def _proposed(event: Event) -> Phrase:
    tasks = event.payload.get("tasks")
    size = f": {count(tasks, 'task')}" if isinstance(tasks, int) else ""
    return (f"A plan was proposed{size}. Nothing runs until it is approved.",)


def _edited(event: Event) -> Phrase:
    revision = _first(event, "revision")
    return (f"The plan was edited{_by(event)}{f'; now revision {revision}' * bool(revision)}.",)


def _commented(event: Event) -> Phrase:
    said = _first(event, "text")
    return (f"A comment{_by(event)}: ", Strong(said)) if said else (f"A comment{_by(event)}.",)


def _approved(event: Event) -> Phrase:
    revision = _first(event, "revision")
    return (f"The plan was approved{_by(event)}{f', revision {revision}' * bool(revision)}.",)


def _rejected(event: Event) -> Phrase:
    return (f"The plan was rejected{_by(event)}{_because(event)}",)


def _mission_finished(event: Event) -> Phrase:
    known = MISSION_STATES.get(_first(event, "state"))
    took = event.payload.get("duration_s")
    said = (
        f"The mission {known.word}"
        if known and known.role != "neutral"
        else "The mission ended"
    )
    if known and known.role == "neutral":
        said = f"The mission was {known.word}{_by(event)}"
    length = f" after {duration(took)}" if isinstance(took, int | float) else ""
    by = _first(event, "error")
    if event.payload.get("state") == MissionState.CANCELLED and by.startswith("by "):
        return (f"{said} {by}{length}.",)
    return (f"{said}{length}{_because(event)}",)


def _readied(event: Event) -> Phrase:
    names = event.payload.get("tasks")
    if event.task is None and isinstance(names, list):
        return (*enumerate_names([str(each) for each in names]), " can start.")
    return ("It has what it needs and can start.",)


def _started(event: Event) -> Phrase:
    attempt = f"Attempt {event.attempt}" if event.attempt else "An attempt"
    pid = _first(event, "pid")
    return (f"{attempt} started{f', process {pid}' * bool(pid)}.",)


def _progressed(event: Event) -> Phrase:
    words = _first(event, "words", "note", "text", "message")
    share = event.payload.get("share")
    part = f"{share:.0%}" if isinstance(share, int | float) and 0 <= share <= 1 else ""
    return (as_sentence(", ".join(filter(None, [words, part])) or "It made progress"),)


def _output(event: Event) -> Phrase:
    words = _first(event, "text", "words", "note", "line")
    return ("It wrote: ", words) if words else ("It left an output.",)


def _tool_called(event: Event) -> Phrase:
    tool = _first(event, "tool", "name")
    what = _first(event, "command", "what", "describe", "title", "arguments")
    return ("Calls ", named(tool or "a tool"), f": {what}" if what else ".")


def _tool_returned(event: Event) -> Phrase:
    tool = named(_first(event, "tool", "name") or "A tool")
    status = _first(event, "status").replace("_", " ")
    found = event.payload.get("findings")
    took = event.payload.get("duration_s")
    said = [status or "returned"]
    if isinstance(found, int) and status in ("", "ran"):
        said.append(count(found, "finding"))
    if isinstance(took, int | float):
        said.append(f"in {duration(took)}")
    reason = _first(event, "reason", "error")
    return (tool, f": {', '.join(said)}{f': {as_sentence(reason)}' if reason else '.'}")


def _task_finished(event: Event) -> Phrase:
    known = TASK_STATES.get(_first(event, "state"))
    said = known.word.capitalize() if known else "Finished"
    outcome = _first(event, "outcome")
    found = event.payload.get("findings")
    parts = [said]
    if isinstance(found, int) and found:
        parts.append(count(found, "finding"))
    elif outcome and outcome != "findings":
        parts.append(outcome)
    return (f"{', '.join(parts)}{_because(event)}",)


def _retried(event: Event) -> Phrase:
    reason = _first(event, "error", "reason")
    why = f" {as_sentence(reason[:1].upper() + reason[1:])}" if reason else ""
    by = _first(event, "by")
    if by:
        return (f"It is tried again, asked for by {by}.{why}",)
    delay = event.payload.get("delay_s")
    following = event.payload.get("next_attempt")
    if following is None:
        return (f"It waits for another attempt.{why}",)
    when = f" in {duration(delay)}" if isinstance(delay, int | float) else ""
    return (f"Attempt {line(following, cut_at=20)} starts by itself{when}.{why}",)


def _stalled(event: Event) -> Phrase:
    silent = event.payload.get("silent_s")
    length = f" for {duration(silent)}" if isinstance(silent, int | float) else ""
    then = _first(event, "next")
    return (f"No sign of life{length}. You need not act{f': {then}' if then else '.'}",)


def _revived(_event: Event) -> Phrase:
    return ("It gives signs of life again.",)


def _abandoned(event: Event) -> Phrase:
    attempt = f"Attempt {event.attempt}" if event.attempt else "An attempt"
    return (f"{attempt} was lost{_because(event)}",)


def _forgotten(event: Event) -> Phrase:
    missions = event.payload.get("missions")
    names = list(missions) if isinstance(missions, dict) else []
    if not names:
        return ("Missions that ended long ago were forgotten.",)
    why = "they ended long ago"
    if event.payload.get("is_unused"):
        why = "nothing was used to plan it"
    return (f"Forgotten, because {why}: ", *enumerate_names(names, most=8), ".")


def _runner_started(event: Event) -> Phrase:
    pid = _first(event, "pid")
    return (f"A runner started{f', process {pid}' * bool(pid)}.",)


def _runner_stopped(event: Event) -> Phrase:
    return (f"A runner stopped{_because(event)}",)


def _lease_taken(event: Event) -> Phrase:
    if _first(event, "before"):
        return ("Another runner took it up; the one before had gone silent.",)
    return ("A runner took it up.",)


def _lease_lost(event: Event) -> Phrase:
    return (f"A runner lost the mission to another{_because(event)}",)


def _refused(event: Event) -> Phrase:
    what = _first(event, "command", "kind")
    asked = command(what) if what else "A command"
    return (asked, f" was refused{_because(event)}")


def _paused(event: Event) -> Phrase:
    if event.payload.get("because") == "budget":
        return paused_for_money(event)
    return (f"The mission was paused{_by(event)}.",)


def _simply(sentence: str) -> Callable[[Event], Phrase]:
    return lambda event: (f"{sentence}{_by(event)}.",)


_TELLERS: Final[Mapping[str, Callable[[Event], Phrase]]] = {
    "mission.created": _created,
    "plan.proposed": _proposed,
    "plan.edited": _edited,
    "plan.commented": _commented,
    "plan.approved": _approved,
    "plan.rejected": _rejected,
    "mission.started": _simply("The mission started"),
    "mission.paused": _paused,
    "mission.resumed": _simply("The mission goes on"),
    "mission.finished": _mission_finished,
    "task.shared": _shared,
    "task.readied": _readied,
    "task.deferred": _deferred,
    "task.started": _started,
    "budget.settled": _settled,
    "budget.exhausted": _exhausted,
    "task.progressed": _progressed,
    "task.heartbeat": _simply("A sign of life"),
    "task.output": _output,
    "tool.called": _tool_called,
    "tool.returned": _tool_returned,
    "task.finished": _task_finished,
    "task.retried": _retried,
    "task.stalled": _stalled,
    "task.revived": _revived,
    "attempt.abandoned": _abandoned,
    "missions.forgotten": _forgotten,
    "runner.started": _runner_started,
    "runner.stopped": _runner_stopped,
    "lease.taken": _lease_taken,
    "lease.lost": _lease_lost,
    "command.refused": _refused,
}
