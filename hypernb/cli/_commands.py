"""The commands: each parses, calls the session and shows what came back."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from hypernb.errors import (
    ApprovalError,
    MissionError,
    UnknownNameError,
    UsageError,
    WaitInterruptedError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypernb.model import MissionState
    from hypernb.session import Mission, Session

MIN_WIDTH, MAX_WIDTH, UNBROKEN_WIDTH = 60, 120, 2000
AT_LEAST_ONE = click.IntRange(min=1)
PLAYBOOK_ARGUMENTS = {"ignore_unknown_options": True, "allow_interspersed_args": True}


class Verbs(click.Group):
    """A group that suggests the nearest command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one raises with near misses."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            raise UnknownNameError("command", name, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--db", metavar="PATH", help="The store; by default as HYPERNB_DB says.")
@click.option("--runner", "mode", metavar="MODE", help="process (default) or inprocess.")
@click.version_option(package_name="hypernb")
@click.pass_context
def hypernb(ctx: click.Context, db: str | None, mode: str | None) -> None:
    """Give a notebook a crew: missions, from the terminal."""
    from hypernb.session import Session

    ctx.obj = ctx.with_resource(Session(db, runner=mode))


def _session() -> Session:
    session: Session = click.get_current_context().obj
    return session


def _mission(ref: str) -> Mission:
    mission, slash, _ = ref.partition("/")
    if slash:
        # Doing to the whole mission what was said of one task would do too much.
        raise UsageError(
            f"{ref[:80]!r} names a task, and this is done to whole missions.",
            hint=f"Name the mission: {mission[:40]!r}.",
        )
    return _session().mission(ref)


def _width() -> int:
    return max(MIN_WIDTH, min(MAX_WIDTH, shutil.get_terminal_size().columns))


def _table_width() -> int:
    # A program that reads a table line by line must not find one row on two lines.
    return _width() if sys.stdout.isatty() else UNBROKEN_WIDTH


def _echo(text: str) -> None:
    click.echo(text.rstrip("\n"))


# -- starting and deciding ---------------------------------------------------------------


@hypernb.command(context_settings=PLAYBOOK_ARGUMENTS)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[PLAYBOOK [ARGS]...]")
@click.option("--goal", help="What is wanted, instead of a playbook.")
@click.option("--agents", metavar="A,B", help="Only these agents.")
@click.option("--tools", default="", metavar="A,B", help="Only these tools, with a model.")
@click.option("--yes", is_flag=True, help="Approve at once, whatever the plan says.")
@click.option(
    "--json", "json_path", metavar="OUT", help="Write the outcome there; - is stdout."
)
@click.option("--no-wait", is_flag=True, help="Start it and return.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Stop waiting after so long.")
@click.option("--budget", type=float, metavar="DOLLARS", help="Cap on cost.")
@click.option("--model", default="", metavar="M", help="Have this model plan and work.")
@click.option("--offline", is_flag=True, help="Use no model, and reach no host.")
@click.option("--record", metavar="PATH", help="Keep answers in a cassette; - is the usual.")
@click.option("--replay", metavar="PATH", help="Answer from a cassette; - is the usual.")
def run(  # noqa: PLR0913 (click hands over one parameter an option)
    *,
    words: tuple[str, ...],
    goal: str | None,
    agents: str | None,
    tools: str,
    yes: bool,
    json_path: str | None,
    no_wait: bool,
    timeout: float | None,
    budget: float | None,
    **models: Any,
) -> int:
    """Start a mission from a playbook or a goal, and show it until it has ended."""
    target = _writable(json_path)
    wanted = tuple(filter(None, (agents or "").split(",")))
    about = goal or (words[0] if words else "")
    terms = {"budget": budget, "agents": wanted, "unseen": yes, **_of_models(about, **models)}
    if tools:
        terms["tools"] = tuple(filter(None, tools.split(",")))
    mission = _proposed(words, goal, terms)
    quiet = json_path == "-"
    _decide(mission, yes=yes, quiet=quiet)
    if no_wait:
        _echo(f"{mission.id} is started. hypernb wait {mission.id} waits for it.")
        return 0
    _watch(mission, timeout=timeout, quiet=quiet)
    if target is not None or quiet:
        from hypernb.session import as_json

        text = orjson.dumps(as_json(mission), option=orjson.OPT_INDENT_2).decode()
        if target is None:
            click.echo(text)
        else:
            target.write_text(text + "\n", encoding="utf-8")
    return _ended(mission)


def _of_models(
    about: str, *, model: str, offline: bool, record: str | None, replay: str | None
) -> dict[str, Any]:
    """Return arguments of `Session.propose` about models; only those that were given."""
    given = {"model": model or None, "record": record, "replay": replay}
    asking = [name for name, each in given.items() if each is not None]
    if asking and offline:
        raise UsageError(
            f"--{asking[0]} and --offline exclude each other.", hint="Leave one out."
        )
    if offline:
        return {"offline": True}
    from hypernb.session import cassette

    asked = ["" if path == "-" else path for path in (record, replay)]
    kept = ""
    if asked != [None, None]:
        kept = cassette(_session().root, about, record=asked[0], replay=asked[1])
    return {name: each for name, each in (("model", model), ("cassette", kept)) if each}


def _proposed(words: Sequence[str], goal: str | None, terms: dict[str, Any]) -> Mission:
    from hypernb.cli._progress import planning

    session = _session()
    if goal is not None:
        if words:
            _refuse_variables(words)
            raise UsageError(
                f"--goal and {words[0]!r} exclude each other.", hint="Leave one out."
            )
        with planning() as tell:
            return session.propose(goal, on_progress=tell, **terms)
    if not words:
        raise UsageError(
            "hypernb run needs a playbook or --goal.",
            hint=f"Playbooks: {', '.join(session.playbooks())}.",
        )
    name, *arguments = words
    playbooks = session.playbooks()
    if " " in name.strip():
        raise UsageError(
            f"hypernb run does not take {name[:80]!r}: that is no name of a playbook.",
            hint="Write a goal in words after --goal.",
        )
    if name not in playbooks:
        raise UnknownNameError("playbook", name, playbooks)
    params = playbooks[name].bind(arguments)
    return session.propose(playbook=name, params=params, **terms)


def _refuse_variables(words: Sequence[str]) -> None:
    for word in words:
        if (name := word.partition("=")[0]) in ("--in", "--out", "--see"):
            raise UsageError(
                f"hypernb run does not take {name}: variables are in kernels.",
                hint=f"Write %%hyper {name} in a cell of a notebook.",
            )


def _writable(json_path: str | None) -> Path | None:
    # Looked at before anything runs, so that an hour of work is not lost to a typing error.
    if json_path is None or json_path == "-":
        return None
    from hypernb.errors import PathError

    target = Path(json_path).expanduser()
    if target.is_dir():
        raise PathError(json_path, "is a folder", hint="Name a file.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab"):
            pass
    except OSError as error:
        raise PathError(
            json_path, f"cannot be written: {error.strerror}", hint="Name another file."
        ) from error
    return target


def _decide(mission: Mission, *, yes: bool, quiet: bool) -> None:
    from hypernb.views import plan_text

    # Looked up before the approval, after which it may run before its plan is shown.
    outlook = mission.outlook()
    if not yes and not sys.stdin.isatty():
        # Planning it may have cost something, so it is not to be planned again to be seen.
        if not quiet:
            _echo(plan_text(mission.snapshot(), _width(), cli=True, outlook=outlook))
        look = f"hypernb show {mission.id} shows its plan" if quiet else "Its plan is above"
        raise ApprovalError(
            f"Mission {mission.id} waits for approval, and nobody is here to give it.",
            hint=f"{look}; hypernb approve {mission.id} starts it. With --yes none is asked.",
        )
    if yes:
        mission.approve(
            plan_hash=mission.proposed_hash
        )  # first, so that what is shown does not ask for it
    if not quiet:
        _echo(plan_text(mission.snapshot(), _width(), cli=True, outlook=outlook))
    if yes:
        return
    _confirm(mission, "this plan")
    mission.approve(plan_hash=mission.proposed_hash)


def _ask(mission: Mission, what: str) -> None:
    """Show a plan that waits, and ask whether to approve it: nothing else is approved then.

    Raises:
        ApprovalError: It is not to be.
    """
    from hypernb.views import plan_text

    snapshot = mission.snapshot()
    _echo(plan_text(snapshot, _width(), cli=True, outlook=mission.outlook()))
    mission.saw(snapshot.mission.plan_hash)
    _confirm(mission, what)


def _confirm(mission: Mission, what: str) -> None:
    if not click.confirm(f"Approve {what} and start it?"):
        raise ApprovalError(
            f"Mission {mission.id} was not approved; nothing runs.",
            hint=f"hypernb approve {mission.id} starts it later.",
        )


def _watch(mission: Mission, *, timeout: float | None = None, quiet: bool = False) -> None:
    from hypernb.cli._progress import watch
    from hypernb.session import refuse_unapproved

    refuse_unapproved(mission)
    try:
        if quiet:
            mission.wait(timeout, until_asked=True)
        else:
            watch(mission, timeout=timeout)
    except KeyboardInterrupt:
        raise WaitInterruptedError(mission.id) from None


def _ended(mission: Mission) -> int:
    if (failure := mission.failure) is not None:
        raise failure
    return 0


@hypernb.command()
@click.argument("mission")
@click.argument("tasks", nargs=-1)
@click.option("--hash", "plan_hash", help="Only if the plan has this hash.")
@click.option("--yes", is_flag=True, help="Approve the newest plan without being asked.")
@click.option("--wait", is_flag=True, help="Wait until it has ended.")
def approve(
    *, mission: str, tasks: tuple[str, ...], plan_hash: str | None, yes: bool, wait: bool
) -> int:
    """Approve a plan, or a part of it, and start it."""
    ref, _, task = mission.partition("/")
    wanted = (task, *tasks) if task else tasks
    chosen = _mission(ref)
    if plan_hash is None and not yes and sys.stdin.isatty() and chosen.needs_approval:
        _ask(chosen, "this part of the plan" if wanted else "this plan")
    chosen.approve(wanted, plan_hash=plan_hash)
    record = chosen.record
    said = (
        f"{chosen.id} is approved and starts: revision {record.revision} of its plan, hash "
        f"{record.plan_hash[:12]}."
    )
    if record.revision > 1:
        said += f" hypernb diff {chosen.id} 1 shows what was changed since the first."
    return _afterwards(chosen, wait=wait, said=said)


@hypernb.command()
@click.argument("mission")
@click.argument("reason", nargs=-1)
def reject(*, mission: str, reason: tuple[str, ...]) -> None:
    """Reject a plan; nothing of it runs."""
    chosen = _mission(mission).reject(" ".join(reason))
    _echo(f"{chosen.id} is rejected. Nothing of it runs.")


def _names(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Any:
    return None if text is None else tuple(filter(None, text.split(",")))


@hypernb.command()
@click.argument("mission")
@click.argument("words", nargs=-1)
@click.option("--drop", callback=_names, metavar="t3,t4", help="Leave these tasks out.")
@click.option("--add", metavar="NAME", help="Add a task of this name.")
@click.option("--agent", metavar="NAME", help="Who does the task.")
@click.option("--goal", metavar="TEXT", help="What it is to do.")
@click.option("--needs", callback=_names, metavar="t1,t2", help="What is to be done before it.")
@click.option("--tools", callback=_names, metavar="ruff,tests", help="The tools it uses.")
def edit(*, mission: str, words: tuple[str, ...], **given: Any) -> None:
    """Change a plan before approval; WORDS are a task, or none, and field=value."""
    from hypernb.session import typed_edit

    ref, _, task = mission.partition("/")
    drop, add = given.pop("drop") or (), given.pop("add") or ""
    values = {field: value for field, value in given.items() if value is not None}
    chosen = _mission(ref)
    asked = typed_edit((task, *words) if task else words, values, drop=drop, add=add)
    revision = chosen.edit(**asked).record.revision
    _echo(f"{chosen.id} has revision {revision}. hypernb show {chosen.id} shows all of it.")
    _echo(_difference(chosen, revision - 1))


@hypernb.command()
@click.argument("mission", default="")
@click.argument("revision", type=AT_LEAST_ONE, required=False)
def diff(*, mission: str, revision: int | None) -> None:
    """Show what the newest revision of a plan changes."""
    chosen = _mission(mission)
    _echo(_difference(chosen, revision or max(1, chosen.record.revision - 1)))


def _difference(mission: Mission, since: int) -> str:
    from hypernb.views import difference_text

    revisions = (since, mission.record.revision)
    return difference_text(mission.difference(since), mission.plan, revisions, _width())


@hypernb.command()
@click.argument("mission")
@click.argument("words", nargs=-1)
def comment(*, mission: str, words: tuple[str, ...]) -> None:
    """Say something about a plan, or about a task that is named first; or list it."""
    from hypernb.session import typed_comment
    from hypernb.views import table_text

    ref, _, task = mission.partition("/")
    chosen = _mission(ref)
    if words:
        said = " ".join(words)
        about, text = (task, said) if task else typed_comment(chosen, said)
        chosen.comment(text, about)
        _echo(f"Kept with {chosen.id}.")
        return
    rows = [
        (f"{each.at:%Y-%m-%d %H:%M}", each.by, each.task, each.text)
        for each in chosen.comments()
    ]
    _echo(table_text(["At", "By", "About", "Comment"], rows, width=_table_width()))


@hypernb.command()
@click.argument("mission")
def cancel(*, mission: str) -> None:
    """End a mission and all its processes."""
    _echo(f"{_mission(mission).cancel().id} is being cancelled.")


@hypernb.command()
@click.argument("mission")
def pause(*, mission: str) -> None:
    """Stop running work where it is."""
    _echo(f"{_mission(mission).pause().id} is being paused.")


@hypernb.command()
@click.argument("mission", default="")
@click.option("--budget", type=float, metavar="DOLLARS", help="With this budget from now on.")
@click.option("--model", default="", metavar="M", help="With this model from now on.")
@click.option("--yes", is_flag=True, help="The model may be at a host that is new to it.")
@click.option("--finish", is_flag=True, help="Only with what is left; nothing new starts.")
def resume(*, mission: str, budget: float | None, model: str, yes: bool, finish: bool) -> None:
    """Let a paused mission go on."""
    from hypernb.session import paused_one

    chosen = (_mission(mission) if mission else paused_one(_session())).resume(
        budget=budget, model=model, finish=finish, approve_host=yes
    )
    _echo(f"{chosen.id} goes on.")


@hypernb.command()
@click.argument("mission")
@click.argument("task", default="")
@click.option("--wait", is_flag=True, help="Wait until it has ended.")
def retry(*, mission: str, task: str, wait: bool) -> int:
    """Try what failed or was skipped again."""
    ref, _, inner = mission.partition("/")
    chosen = _mission(ref).retry(task or inner)
    return _afterwards(chosen, wait=wait, said=f"{chosen.id} tries again.")


@hypernb.command()
@click.argument("mission")
@click.argument("words", nargs=-1, metavar="[TASK [FIELD=VALUE]...]")
@click.option("--drop", default="", metavar="t3,t4", help="Leave these tasks out.")
@click.option("--budget", type=float, metavar="DOLLARS", help="Another cap on cost.")
@click.option("--yes", is_flag=True, help="Approve the plan without being asked.")
@click.option("--no-wait", is_flag=True, help="Start it and return.")
def rewind(
    *,
    mission: str,
    words: tuple[str, ...],
    drop: str,
    budget: float | None,
    yes: bool,
    no_wait: bool,
) -> int:
    """Do a mission anew from a task on, as a new mission that shares what was done before."""
    from hypernb.session import typed_rewind

    ref, _, inner = mission.partition("/")
    at, changes = typed_rewind((inner, *words) if inner else words)
    money: dict[str, Any] = {} if budget is None else {"budget": budget}
    dropped = tuple(filter(None, drop.split(",")))
    fork = _mission(ref).fork(at, changes, drop=dropped, **money)
    _decide(fork, yes=yes, quiet=False)
    if no_wait:
        _echo(f"{fork.id} is started. hypernb wait {fork.id} waits for it.")
        return 0
    _watch(fork)
    return _ended(fork)


def _afterwards(mission: Mission, *, wait: bool, said: str) -> int:
    _echo(said)
    if not wait:
        return 0
    _watch(mission)
    return _ended(mission)


@hypernb.command()
@click.argument("mission", default="")
@click.option("--timeout", type=float, metavar="SECONDS", help="Stop waiting after so long.")
def wait(*, mission: str, timeout: float | None) -> int:
    """Wait until a mission has ended; the newest one if none is named."""
    chosen = _mission(mission)
    _watch(chosen, timeout=timeout)
    return _ended(chosen)


# -- looking -----------------------------------------------------------------------------


def _states(names: Sequence[str]) -> tuple[MissionState, ...]:
    from hypernb.model import MissionState

    known = [state.value for state in MissionState]
    for name in names:
        if name not in known:
            raise UnknownNameError("state of a mission", name, known)
    return tuple(MissionState(name) for name in names)


@hypernb.command()
@click.option("--limit", default=50, type=AT_LEAST_ONE, metavar="N", help="At most so many.")
@click.option("--state", default="", metavar="A,B", help="Only those that are running, say.")
def ls(*, limit: int, state: str) -> None:
    """List missions, newest first."""
    from hypernb.views import missions_text

    states = _states(tuple(filter(None, state.split(","))))
    records = [mission.record for mission in _session().missions(limit=limit, states=states)]
    if not records:
        _echo("No mission to show. hypernb run PLAYBOOK, or --goal, starts one.")
        return
    _echo(missions_text(records, width=_table_width()))


@hypernb.command()
@click.argument("mission", default="")
def show(*, mission: str) -> None:
    """Show a mission as it stands; the newest one if none is named."""
    from hypernb.views import mission_text

    chosen = _mission(mission)
    report, outlook = chosen.report(), chosen.outlook()
    shown = mission_text(chosen.snapshot(), _width(), result=report, cli=True, outlook=outlook)
    _echo(shown)


@hypernb.command()
@click.argument("mission", default="")
@click.option("--limit", default=50, type=AT_LEAST_ONE, metavar="N", help="At most so many.")
@click.option("--follow", is_flag=True, help="Go on until the mission has ended.")
def events(*, mission: str, limit: int, follow: bool) -> None:
    """Show what happened, the latest last."""
    from hypernb.views import EARLIER, events_text

    chosen = _mission(mission)
    found = chosen.events(limit=limit + 1, newest=True)
    latest, others = found[-limit:], EARLIER if len(found) > limit else ""
    _echo(events_text(latest, width=_table_width(), cli=True, others=others))
    if follow and not chosen.state.is_final:
        for event in chosen.follow(after=latest[-1].seq if latest else 0):
            _echo(events_text([event], width=_table_width(), cli=True))


@hypernb.command()
@click.argument("mission", default="")
@click.option("--file", "name", help="Print a file that the mission left, by its name.")
@click.option("--json", "as_data", is_flag=True, help="Print it as JSON.")
def result(*, mission: str, name: str | None, as_data: bool) -> None:
    """Print a mission's result."""
    chosen = _mission(mission)
    if name is not None:
        files = chosen.files()
        if name not in files:
            raise UnknownNameError("file of this mission", name, files)
        sys.stdout.buffer.write(files[name])
        return
    value = chosen.partial_result()
    _echo(_as_json(value) if as_data else _as_text(value))
    if (failure := chosen.failure) is not None:
        # Only a part of it may be there: whoever reads it has to know.
        raise MissionError(failure.mission, failure.state, chosen.record.error)


def _as_text(value: Any) -> str:
    from hypernb.model import Report
    from hypernb.views import clean, report_text

    if isinstance(value, str):
        return clean(value, cut_at=len(value))
    return report_text(value) if isinstance(value, Report) else repr(value)


def _as_json(value: Any) -> str:
    from hypernb.codec import encode

    payload = encode(value)
    if "json" not in payload.media_type:
        raise UsageError(f"A result of type {type(value).__name__} has no JSON form.")
    return payload.data.decode()


@hypernb.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", default=50, type=AT_LEAST_ONE, metavar="N", help="At most so many.")
def find(*, words: tuple[str, ...], limit: int) -> None:
    """Search goals, outputs, findings and events of all missions."""
    from hypernb.views import hits_text

    found = _session().find(" ".join(words), limit=limit + 1)
    _echo(hits_text(found[:limit], width=_table_width(), is_more=len(found) > limit))


@hypernb.command()
@click.argument("statement")
@click.option(
    "--limit", default=1000, type=AT_LEAST_ONE, metavar="N", help="At most so many rows."
)
def sql(*, statement: str, limit: int) -> None:
    """Ask the store; it can only read."""
    from hypernb.views import table_text

    columns, rows = _session().store.query(statement, limit=limit)
    _echo(table_text(columns, rows, width=_table_width()))


@hypernb.command()
@click.argument("mission")
@click.argument("target")
@click.option("--form", default="", help="notebook, markdown, html, json or plan.")
def export(*, mission: str, target: str, form: str) -> None:
    """Write a mission as .ipynb, .md, .html or .json."""
    _echo(f"Written: {_mission(mission).export(target, form=form)}")


@hypernb.command()
@click.argument("mission", default="")
@click.option(
    "--limit", default=200, type=AT_LEAST_ONE, metavar="N", help="At most so many lines."
)
def logs(*, mission: str, limit: int) -> None:
    """Print what the runner logged, as JSON lines."""
    for line in _session().logs(mission)[-limit:]:
        _echo(orjson.dumps(line).decode())


@hypernb.command()
def status() -> None:
    """Show what runs, what needs you, and what it cost."""
    _echo(repr(_session().status()))


@hypernb.command()
def agents() -> None:
    """List the agents."""
    from hypernb.views import agents_text

    _echo(agents_text(list(_session().agents().values()), width=_table_width()))


@hypernb.command()
@click.argument("name", default="")
def playbooks(*, name: str) -> None:
    """List the playbooks, or explain one."""
    from hypernb.views import table_text

    known = _session().playbooks()
    if name and name not in known:
        raise UnknownNameError("playbook", name, known)
    rows = [(each.name, each.title) for each in known.values()]
    _echo(
        known[name].help()
        if name
        else table_text(["Playbook", "Does"], rows, width=_table_width())
    )


@hypernb.command()
@click.argument("resource", default="")
@click.option("--at-once", type=int, metavar="N", help="So many tasks may hold it at once.")
@click.option("--rate", type=float, metavar="N", help="So many may begin in a second.")
@click.option("--burst", type=int, metavar="N", help="So many may begin at once after a rest.")
@click.option("--none", is_flag=True, help="Take its limits away.")
def limits(
    *, resource: str, at_once: int | None, rate: float | None, burst: int | None, none: bool
) -> None:
    """Show what missions share, or limit it."""
    from hypernb.session import limits as limited
    from hypernb.views import RESOURCE_HEADS, resource_row, table_text

    uses = limited(_session(), resource, at_once=at_once, rate=rate, burst=burst, none=none)
    _echo(table_text(RESOURCE_HEADS, [resource_row(use) for use in uses], width=_table_width()))


# -- models and money --------------------------------------------------------------------


@hypernb.command()
@click.argument("profile", default="")
def models(*, profile: str) -> None:
    """List the models, or what a profile's server offers."""
    from hypernb.views import as_commands

    _echo(as_commands(_session().models(profile).as_text(_table_width())))


@hypernb.command()
@click.option("--by", default="", metavar="A,B", help="mission, agent, task, model or day.")
@click.option("--mission", default="", help="Of this mission only.")
@click.option("--days", type=float, metavar="N", help="Of the last so many days only.")
def usage(*, by: str, mission: str, days: float | None) -> None:
    """Show what was used and paid."""
    groups = tuple(filter(None, by.split(",")))
    found = _session().usage(**({"by": groups} if groups else {}), mission=mission, days=days)
    _echo(repr(found))


@hypernb.command()
@click.option("--evict", is_flag=True, help="Forget answers: all, or those named.")
@click.option("--days", type=float, metavar="N", help="Only those older than so many days.")
@click.option("--model", default="", metavar="M", help="Only those of this model.")
def cache(*, evict: bool, days: float | None, model: str) -> None:
    """Show kept answers of models, or forget some."""
    if not evict:
        if days is not None or model:
            raise UsageError(
                "--days and --model say which answers are to be forgotten.",
                hint="Add --evict.",
            )
        _echo(repr(_session().cache()))
        return
    many = _session().evict_cache(days=days, model=model)
    _echo(f"{'1 answer was' if many == 1 else f'{many:,} answers were'} forgotten.")


@hypernb.command()
@click.argument("mission", default="")
def quote(*, mission: str) -> None:
    """Say what a mission will probably cost."""
    _echo(repr(_mission(mission).quote_to_show()))


@hypernb.command()
@click.argument("mission", default="")
def egress(*, mission: str) -> None:
    """Show what of your variables would leave, and for which host."""
    _echo(repr(_mission(mission).egress()))


@hypernb.command()
@click.argument("task")
def why(*, task: str) -> None:
    """Say where the output of a task is from: m-7, or m-7/t3."""
    _echo(repr(_session().why(task, {})))


# -- upkeep ------------------------------------------------------------------------------


@hypernb.command()
@click.argument("target", default="")
def backup(*, target: str) -> None:
    """Copy the store to one file, while missions run."""
    _echo(f"Written: {_session().backup(target)}")


@hypernb.command()
@click.argument("source")
@click.option("--force", is_flag=True, help="Also if the store has missions.")
def restore(*, source: str, force: bool) -> None:
    """Put a backup in the store's place; the old one is kept beside it."""
    _echo(f"Restored: {_session().restore(source, force=force)}")


@hypernb.command()
@click.option("--fix", is_flag=True, help="Remove what it says could go, and say what went.")
@click.option("--model", default="", metavar="M", help="Ask this model something small.")
@click.option("--offline", is_flag=True, help="Ask no model.")
def doctor(*, fix: bool, model: str, offline: bool) -> int:
    """Look whether all that is needed is there and whole; ask the model something small."""
    from hypernb.cli._progress import planning
    from hypernb.views import as_commands, table_text

    if fix:
        _echo("\n".join(_session().fix()))
    with planning("The doctor") as tell:
        checks = _session().doctor(model=model, offline=offline, on_progress=tell)
    rows = [
        (check.what, check.word, as_commands(check.found), as_commands(check.next_step))
        for check in checks
    ]
    heads = ["Looked at", "", "Found", "What to do"]
    _echo(table_text(heads, rows, width=_table_width()))
    return 0 if all(check.ok for check in checks) else 3


@hypernb.command()
def stop() -> int:
    """Ask the runner to end; missions are kept."""
    ended = _session().stop()
    _echo("No runner is left." if ended else "The runner was asked to end and has not yet.")
    return 0 if ended else 3


@hypernb.command()
def runner() -> None:
    """Be the store's runner, in the foreground, until there is nothing to do."""
    from hypernb.session import host_here

    session = _session()
    host_here(session)
