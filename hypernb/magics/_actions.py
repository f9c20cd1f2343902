"""What each verb does: one small function, each a call to the session."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import (
    ApprovalError,
    ConfigError,
    ContractError,
    UnknownNameError,
    UsageError,
)
from hypernb.magics._interpolate import interpolate
from hypernb.magics._shown import Listing, Shown
from hypernb.magics._start import (
    Surroundings,
    bind_result,
    rewind,
    start,
    watch,
    watch_answer,
    whole,
)
from hypernb.magics._verbs import EDITED_FIELDS, SETTINGS, VERBS
from hypernb.model import EventKind, MissionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.errors import MissionError
    from hypernb.magics._line import Request
    from hypernb.model import ResourceUse
    from hypernb.session import (
        Cache,
        Check,
        Leaving,
        Mission,
        Models,
        QuoteTable,
        Status,
        UsageTable,
        Why,
    )

DEFAULT_LIMIT: Final = 50


def act(around: Surroundings, request: Request) -> Any:
    """Do what the request asks, and return a value with a repr.

    ``{name}`` in an argument is filled in from the user's variables, as in a goal; what a
    text verb takes is left alone.
    """
    if not VERBS[request.verb].takes_text:
        filled = tuple(interpolate(each, around.namespace) for each in request.arguments)
        request = replace(request, arguments=filled)
    return ACTIONS[request.verb](around, request)


def _mission(around: Surroundings, request: Request, *, or_task: bool = False) -> Mission:
    """Find the mission of the first argument.

    Args:
        around: Where to look.
        request: What was typed.
        or_task: ``m-7/t3`` is welcome too. Where it is not, it is refused: doing to the whole
            mission what was said of one task would do too much.
    """
    ref = request.arguments[0] if request.arguments else ""
    mission, slash, _ = ref.partition("/")
    if slash and not or_task:
        raise UsageError(
            f"{ref[:80]!r} names a task; {request.verb} is about whole missions.",
            hint=f"Write %hyper {request.verb} {mission[:40]}.",
        )
    return around.session.mission(mission)


def _tasks(request: Request) -> tuple[str, ...]:
    ref = request.arguments[0].partition("/")[2]
    return (*((ref,) if ref else ()), *request.arguments[1:])


def _limit(request: Request, default: int = DEFAULT_LIMIT) -> int:
    limit = int(request.options.get("limit", default))
    if limit < 1:
        raise UsageError(f"--limit is at least 1, not {limit}.", hint="Leave it out.")
    return limit


# -- starting and deciding ---------------------------------------------------------------


def _run(around: Surroundings, request: Request) -> Mission:
    name, *arguments = request.arguments
    return start(around, "", {**request.options, "playbook": name}, arguments)


def _approve(around: Surroundings, request: Request) -> Mission:
    mission = _mission(around, request, or_task=True)
    plan_hash = request.options.get("hash")
    if plan_hash is None and mission.seen_hash is None and not around.headless:
        _require_shown(around, mission)
    mission.approve(_tasks(request), plan_hash=plan_hash)
    return _watched(around, request, mission, briefly=True)


def _require_shown(around: Surroundings, mission: Mission) -> None:
    """Show a plan that waits and that this kernel has not shown.

    Raises:
        ApprovalError: It was not shown before; from now on it can be approved.
    """
    if mission.needs_approval:
        watch(around, mission, wait=False)
        raise ApprovalError(
            f"This kernel had not shown the plan of {mission.id} before: nothing is approved.",
            hint="It is above: the same line once more approves it.",
        )


def _reject(around: Surroundings, request: Request) -> Mission:
    return _mission(around, request).reject(" ".join(request.arguments[1:]))


def _edit(around: Surroundings, request: Request) -> Mission:
    from IPython.display import display

    from hypernb.session import typed_edit

    mission, options = _mission(around, request, or_task=True), request.options
    values = {field: options[field] for field in EDITED_FIELDS if field in options}
    drop, add = options.get("drop", ()), options.get("add", "")
    before = mission.record.revision
    mission.edit(**typed_edit(_tasks(request), values, drop=drop, add=add))
    if (newest := mission.record.revision) > before:
        # First, and apart: the plan itself is long, and what is new would be lost in it.
        display(_difference(mission, newest - 1, newest))
    return mission


def _comment(around: Surroundings, request: Request) -> Mission | Listing[Any]:
    from hypernb.session import typed_comment

    ref, _, said = request.arguments[0].strip().partition(" ")
    name, _, task = ref.partition("/")
    mission = around.session.mission(name)
    if not said.strip():
        return Listing.of_rows(
            mission.comments(),
            ["At", "By", "About", "Comment"],
            lambda each: (f"{each.at:%Y-%m-%d %H:%M}", each.by, each.task, each.text),
        )
    about, text = (task, said) if task else typed_comment(mission, said)
    return mission.comment(text, about)


def _diff(around: Surroundings, request: Request) -> Shown:
    mission = _mission(around, request)
    newest = mission.record.revision
    return _difference(mission, _revision(request) or max(1, newest - 1), newest)


def _difference(mission: Mission, since: int, newest: int) -> Shown:
    from hypernb.views import difference_html, difference_text

    plan, revisions, difference = mission.plan, (since, newest), mission.difference(since)
    return Shown(
        difference_text(difference, plan, revisions),
        difference_html(difference, plan, revisions),
    )


def _revision(request: Request) -> int:
    if not request.arguments[1:]:
        return 0
    word = request.arguments[1]
    if not word.isdecimal() or not int(word):
        raise UsageError(
            f"{word[:80]!r} is no revision.", hint="Write its number: %hyper diff m-7 1."
        )
    return int(word)


def _pause(around: Surroundings, request: Request) -> Mission:
    mission = _mission(around, request).pause()
    watch_answer(around, mission)
    return mission


def _resume(around: Surroundings, request: Request) -> Mission:
    from hypernb.session import paused_one

    options = request.options
    chosen = _mission(around, request) if request.arguments else paused_one(around.session)
    mission = chosen.resume(
        budget=options.get("budget"),
        model=options.get("model", ""),
        finish=bool(options.get("finish")),
        approve_host=bool(options.get("yes")),
    )
    watch_answer(around, mission)
    return mission


def _cancel(around: Surroundings, request: Request) -> Mission:
    mission = _mission(around, request).cancel()
    watch_answer(around, mission)
    return mission


def _retry(around: Surroundings, request: Request) -> Mission:
    mission = _mission(around, request, or_task=True)
    tasks = _tasks(request)
    mission.retry(tasks[0] if tasks else "")
    return _watched(around, request, mission)


def _rewind(around: Surroundings, request: Request) -> Mission:
    from hypernb.session import typed_rewind

    origin = _mission(around, request, or_task=True)
    at, changes = typed_rewind(_tasks(request))
    return rewind(around, origin, at, changes, request.options)


def _watched(
    around: Surroundings, request: Request, mission: Mission, *, briefly: bool = False
) -> Mission:
    wait = bool(request.options.get("wait")) or around.headless
    watch(around, mission, wait=wait, briefly=briefly)
    if wait:
        bind_result(around, mission, "", wait=True)
    return mission


# -- looking -----------------------------------------------------------------------------


def _ls(around: Surroundings, request: Request) -> Listing[Any]:
    from hypernb.views import missions_html, missions_text

    missions = around.session.missions(limit=_limit(request), states=_states(request))
    records = {mission.id: mission.record for mission in missions}
    return Listing(
        missions,
        text=lambda items: missions_text([records[item.id] for item in items]),
        html=lambda items: missions_html([records[item.id] for item in items]),
    )


def _states(request: Request) -> tuple[MissionState, ...]:
    names = request.options.get("state", ())
    known = [state.value for state in MissionState]
    for name in names:
        if name not in known:
            raise UnknownNameError("state of a mission", name, known)
    return tuple(MissionState(name) for name in names)


def _show(around: Surroundings, request: Request) -> Shown:
    from hypernb.views import mission_html, mission_text

    mission = _mission(around, request)
    snapshot, report, outlook = mission.snapshot(), mission.report(), mission.outlook()
    mission.saw(snapshot.mission.plan_hash)
    return Shown(
        mission_text(snapshot, result=report, outlook=outlook),
        mission_html(snapshot, live=False, result=report, outlook=outlook),
    )


def _attach(around: Surroundings, request: Request) -> Mission:
    mission = _mission(around, request)
    _take_over(mission)
    watch(around, mission, wait=around.headless, lasts=not around.headless)
    return mission


def _take_over(mission: Mission) -> None:
    """Have this kernel answer for one that is gone, or say what it lacks for that."""
    from IPython.display import display

    try:
        tools = mission.attach()
    except (UnknownNameError, ContractError) as error:
        display(Shown(str(error)))
        return
    if tools:
        display(Shown(f"This kernel does calls of {', '.join(tools)} for {mission.id} now."))


def _wait(around: Surroundings, request: Request) -> Mission:
    mission = _mission(around, request)
    watch(around, mission, wait=True, timeout=request.options.get("timeout"))
    bind_result(around, mission, "", wait=True)
    return mission


def _events(around: Surroundings, request: Request) -> Listing[Any]:
    from hypernb.views import EARLIER, LATER, events_html, events_text

    after, kinds = int(request.options.get("after", 0)), request.options.get("kind", ())
    known = [kind.value for kind in EventKind]
    for kind in kinds:
        if kind not in known:
            raise UnknownNameError("kind of event", kind, known)
    limit = _limit(request)
    found = _mission(around, request).events(
        after=after, limit=limit + 1, kinds=kinds, newest=not after
    )
    others = (LATER if after else EARLIER) if len(found) > limit else ""
    return Listing(
        found[:limit] if after else found[-limit:],
        text=partial(events_text, others=others),
        html=partial(events_html, others=others),
    )


def _result(around: Surroundings, request: Request) -> Any:
    mission, name = _mission(around, request), request.options.get("out", "")
    if name:
        bind_result(around, mission, name, wait=True)
        return None
    failure = mission.failure
    if failure is not None and failure.there:
        _say_what_there_is(mission, failure)
    return mission.partial_result()


def _say_what_there_is(mission: Mission, failure: MissionError) -> None:
    from IPython.display import display

    what = "Its result is there" if mission.has_result else "A part of its result is there"
    display(Shown(f"{failure.args[0]} {what}: {', '.join(failure.there[:10])}."))


def _find(around: Surroundings, request: Request) -> Listing[Any]:
    from hypernb.views import hits_html, hits_text

    limit = _limit(request)
    found = around.session.find(request.arguments[0], limit=limit + 1)
    is_more = len(found) > limit
    return Listing(
        found[:limit],
        text=partial(hits_text, is_more=is_more),
        html=partial(hits_html, is_more=is_more),
    )


def _sql(around: Surroundings, request: Request) -> Any:
    return around.session.sql(request.arguments[0], limit=_limit(request, 10_000))


def _export(around: Surroundings, request: Request) -> Shown:
    path = _mission(around, request).export(
        request.arguments[1], form=request.options.get("form", "")
    )
    return Shown(f"Written: {path}")


def _logs(around: Surroundings, request: Request) -> Listing[dict[str, Any]]:
    ref = request.arguments[0] if request.arguments else ""
    return Listing.of_rows(
        around.session.logs(ref)[-_limit(request) :],
        ["At", "Level", "About", "Message"],
        lambda line: (
            line.get("at", ""),
            line.get("level", ""),
            _about(line),
            line.get("message", ""),
        ),
    )


def _about(line: dict[str, Any]) -> str:
    words = (line.get("short_id"), line.get("task"))
    return "/".join(str(word) for word in words if word)


# -- the crew and the house --------------------------------------------------------------


def _agents(around: Surroundings, request: Request) -> Listing[Any]:
    from hypernb.views import agents_html, agents_text

    cards = around.session.agents()
    chosen = [_named("agent", cards, request)] if request.arguments else list(cards.values())
    return Listing(chosen, text=agents_text, html=agents_html)


def _named(kind: str, known: dict[str, Any], request: Request) -> Any:
    name = request.arguments[0]
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return known[name]


def _playbooks(around: Surroundings, request: Request) -> Shown | Listing[Any]:
    known = around.session.playbooks()
    if request.arguments:
        return Shown(_named("playbook", known, request).help())
    return Listing.of_rows(
        known.values(),
        ["Playbook", "Does"],
        lambda each: (each.usage, each.problem or each.title),
    )


def _limits(around: Surroundings, request: Request) -> Listing[ResourceUse]:
    from hypernb.session import limits
    from hypernb.views import RESOURCE_HEADS, resource_row

    options = request.options
    uses = limits(
        around.session,
        *request.arguments,
        at_once=whole(options, "at_once"),
        rate=options.get("rate"),
        burst=whole(options, "burst"),
        none=bool(options.get("none")),
    )
    return Listing.of_rows(uses, RESOURCE_HEADS, resource_row)


# -- models and money --------------------------------------------------------------------


def _models(around: Surroundings, request: Request) -> Models:
    return around.session.models(*request.arguments)


def _usage(around: Surroundings, request: Request) -> UsageTable:
    options = request.options
    by = options.get("by")
    usage = around.session.usage(
        **({"by": by} if by else {}),
        mission=options.get("mission", ""),
        days=options.get("days"),
    )
    if options.get("plot"):
        from IPython.display import display

        display(usage.plot())
    return usage


def _cache(around: Surroundings, request: Request) -> Cache | Shown:
    options = request.options
    days, model = options.get("days"), options.get("model", "")
    if not options.get("evict"):
        if days is not None or model:
            raise UsageError(
                "--days and --model say which answers are to be forgotten.",
                hint="Add --evict.",
            )
        return around.session.cache()
    many = around.session.evict_cache(days=days, model=model)
    return Shown(f"{'1 answer was' if many == 1 else f'{many:,} answers were'} forgotten.")


def _quote(around: Surroundings, request: Request) -> QuoteTable:
    return _mission(around, request).quote_to_show()


def _egress(around: Surroundings, request: Request) -> Leaving:
    return _mission(around, request).egress()


def _why(around: Surroundings, request: Request) -> Why:
    return around.session.why(request.arguments[0], around.namespace)


def _status(around: Surroundings, _request: Request) -> Status:
    return around.session.status()


def _doctor(around: Surroundings, request: Request) -> Listing[Check] | Shown:
    if request.options.get("fix"):
        return Shown("\n".join(around.session.fix()))
    from hypernb.magics._planning_line import PlanningLine

    hint = "Interrupting the cell ends it."
    with PlanningLine(around.rung, who="The doctor", hint=hint) as line:
        checks = around.session.doctor(
            model=request.options.get("model", ""),
            offline=bool(request.options.get("offline")),
            on_progress=line.tell,
        )
    return Listing.of_rows(
        checks,
        ["Looked at", "", "Found", "What to do"],
        lambda each: (
            each.what,
            each.word,
            each.found,
            each.next_step,
        ),
    )


def _config(around: Surroundings, request: Request) -> Shown:
    from hypernb.views import table_html, table_text

    if request.arguments:
        around.configure(dict(_setting(word) for word in request.arguments))
    session = around.session
    rows: list[tuple[Any, ...]] = [
        ("db", session.store.url),
        ("runner", session.mode),
        ("root", str(session.root)),
        ("by", session.by),
        ("headless", "yes" if around.headless else "no"),
    ]
    tables: list[tuple[tuple[str, ...], list[tuple[Any, ...]]]] = [(("Setting", "Value"), rows)]
    try:
        found = session.model_settings()
    except ConfigError as error:  # of a file, which can be mended or left by root=FOLDER
        rows.append(("of models", str(error)))
    else:
        tables.append((found.heads, [found.cells(each) for each in found]))
    return Shown(
        "\n\n".join(table_text(heads, cells, width=100) for heads, cells in tables),
        "".join(table_html(heads, cells) for heads, cells in tables),
    )


def _setting(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if name not in SETTINGS:
        raise UnknownNameError("setting", name, SETTINGS)
    if not equals:
        raise UsageError(f"{name} needs a value.", hint=f"Write {name}=value.")
    return name, value


def _backup(around: Surroundings, request: Request) -> Shown:
    path = around.session.backup(request.arguments[0] if request.arguments else "")
    return Shown(f"Written: {path}")


def _restore(around: Surroundings, request: Request) -> Shown:
    path = around.session.restore(
        request.arguments[0], force=bool(request.options.get("force"))
    )
    return Shown(f"Restored: {path}")


def _stop(around: Surroundings, _request: Request) -> Shown:
    if around.session.stop():
        return Shown("No runner is left. Missions are kept; approving or waiting starts one.")
    return Shown("The runner was asked to end and has not yet. %hyper status shows it.")


def _help(_around: Surroundings, request: Request) -> Shown:
    from hypernb.magics._help import help_text

    return Shown(help_text(*request.arguments))


ACTIONS: Final[dict[str, Callable[[Surroundings, Request], Any]]] = {
    "agents": _agents,
    "approve": _approve,
    "attach": _attach,
    "backup": _backup,
    "cache": _cache,
    "cancel": _cancel,
    "comment": _comment,
    "config": _config,
    "diff": _diff,
    "doctor": _doctor,
    "edit": _edit,
    "egress": _egress,
    "events": _events,
    "export": _export,
    "find": _find,
    "help": _help,
    "limits": _limits,
    "logs": _logs,
    "ls": _ls,
    "models": _models,
    "pause": _pause,
    "playbooks": _playbooks,
    "quote": _quote,
    "reject": _reject,
    "restore": _restore,
    "result": _result,
    "resume": _resume,
    "retry": _retry,
    "rewind": _rewind,
    "run": _run,
    "show": _show,
    "sql": _sql,
    "status": _status,
    "stop": _stop,
    "usage": _usage,
    "wait": _wait,
    "why": _why,
}
