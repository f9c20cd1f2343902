"""A session: the handle on a store that a kernel, the CLI or a program holds."""

from __future__ import annotations

import getpass
import json
import os
import socket
import weakref
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from hypernb.errors import StoreError, StoreUnavailableError, UnknownNameError, UsageError
from hypernb.model import EventKind, MissionState, PlanSpec
from hypernb.session._asking import ABOUT_TO_START, waits_for
from hypernb.session._following import Follower
from hypernb.session._hosting import (
    ensure_runner,
    has_runner,
    keys_to_tell,
    runner_mode,
    stop_host,
)
from hypernb.session._keys_inside import refuse_key_in, refuse_keys
from hypernb.session._lanes import serve_own_lane, with_lanes
from hypernb.session._leaving import leaving, told_in_notes
from hypernb.session._mission import Mission
from hypernb.session._planning import Wish, equipped, plan_wish
from hypernb.session._planning_kept import keep_looked_at, kept_if_not_started
from hypernb.session._seeing import grants, refuse_with_playbook
from hypernb.session._terms import with_settled_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import pandas as pd

    from hypernb.abc import Payload, Store
    from hypernb.agents import Playbook
    from hypernb.errors import PlanProblem
    from hypernb.model import (
        Digest,
        Event,
        LeaseRecord,
        MissionId,
        MissionRecord,
        Resource,
        ResourceUse,
        Retention,
        RoleCard,
        SearchHit,
    )
    from hypernb.plan import Plan
    from hypernb.session._doctor import Check
    from hypernb.session._leaving import Leaving
    from hypernb.session._models import Cache, Models, Settings
    from hypernb.session._quoting import QuoteTable
    from hypernb.session._usage import UsageTable
    from hypernb.session._why import Why

STOP_TIMEOUT_S = 30.0
_MOST = 1_000_000


class FollowsSession(Protocol):
    """What is live only as long as a session's store is open."""

    def session_closed(self) -> None:
        """End; called before the store is let go of."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is going on in a store.

    Attributes:
        needs_you: Missions that wait for a person.
        waits: What they wait for, by their short ids: ``needs OPENAI_API_KEY``; empty where
            their state says it.
        cost: Spent in all missions of the store, in dollars, as far as it is known.
        unknown: How many calls there were besides whose cost nobody knows.
        at_most: How many count with what was kept for them.
        planning: Missions whose plan is being made.
    """

    store: str
    runners: tuple[LeaseRecord, ...]
    running: tuple[MissionRecord, ...]
    needs_you: tuple[MissionRecord, ...]
    cost: float
    missions: int
    unknown: int = 0
    at_most: int = 0
    waits: Mapping[str, str] = field(default_factory=dict)
    planning: tuple[MissionRecord, ...] = ()

    def __repr__(self) -> str:
        from hypernb.views import status_text

        return status_text(self)


class Session:
    """The same in Python as in the magics: propose, approve, wait, look back.

    Args:
        store: Path or SQLAlchemy URL of the database. By default ``HYPERNB_DB``, else
            ``.hypernb/hypernb.db`` if the project has that file, else the user's own.
        runner: ``process`` (default) or ``inprocess``; by default ``HYPERNB_RUNNER``.
        root: Directory that plans are relative to; by default the current one.
        by: Who decides, for the record; by default ``user@host``.
        settings: Settings of models that go before those of environment and files:
            ``model``, ``base_url``, ``content``, ``cache_s`` ..., and ``offline``.

    Raises:
        ConfigError: The runner mode is not known.
    """

    def __init__(
        self,
        store: str | Path | None = None,
        *,
        runner: str | None = None,
        root: str | Path | None = None,
        by: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._where = store
        self._store: Store | None = None
        self._followers: weakref.WeakSet[FollowsSession] = weakref.WeakSet()
        # Hashes of the plans that were last shown here: approvals are bound to them.
        self.seen: dict[MissionId, str] = {}
        self.mode = runner_mode(runner)
        self.root = Path(root or Path.cwd()).absolute()
        self.by = by or _who()
        self.settings = dict(settings or {})

    @property
    def store(self) -> Store:
        """The store; opened when it is first used.

        Raises:
            StoreError: It cannot be opened.
        """
        if self._store is None:
            from hypernb.store import open_store

            self._store = open_store(self._where)
            self.end_lost_plannings()
        return self._store

    @property
    def in_python(self) -> str:
        """The expression that opens this store in any cell; empty if it would tell a password.

        A plain session opens the default store, which may be another one by now.
        """
        from hypernb.store import database_file, default_location

        file = database_file(self.store.url)
        if file is None and self._where and urlsplit(str(self._where)).password:
            return ""
        where = str(file or self._where or default_location())
        try:
            is_default = where == default_location()
        except StoreUnavailableError:  # the one of this project cannot be opened
            is_default = False
        return f"hypernb.Session({'' if is_default else json.dumps(where)})"

    def close(self) -> None:
        """Let go of the store. Missions go on in their runner; live views of them end."""
        for follower in list(self._followers):
            follower.session_closed()
        if self._store is not None:
            self._store.close()
            self._store = None

    def tell_of_closing(self, follower: FollowsSession) -> None:
        """Have somebody told before the store is let go of; they are not kept alive by it."""
        self._followers.add(follower)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    # -- starting -----------------------------------------------------------------------

    def propose(  # noqa: PLR0913  each is named at the call
        self,
        goal: str = "",
        *,
        playbook: str = "",
        params: Mapping[str, Any] | None = None,
        agents: Sequence[str] = (),
        inputs: Mapping[str, Any] | None = None,
        model: str = "",
        offline: bool = False,
        see: Mapping[str, str] | None = None,
        tools: Sequence[str] = (),
        unseen: bool = False,
        on_progress: Callable[[str], None] | None = None,
        **contract: Any,
    ) -> Mission:
        """Plan a mission; it waits for approval and nothing runs.

        Args:
            goal: What is wanted, in words; taken literally. May be empty for a playbook.
            playbook: Name of a playbook, which needs no model; without one, the configured
                model plans the goal, or rules do where there is none.
            params: Arguments of the playbook.
            agents: Only these agents.
            inputs: Values to hand in, by name.
            model: Name of a profile or a model that is to plan and to work.
            offline: Ask no model.
            see: How much of an input a model may see, by name: ``schema``, ``sample``,
                ``sample:10`` or ``all``. A sample of those that are not named.
            tools: The only tools that agents with a model may use.
            unseen: Nobody will read the plan: where a model was to make it and has made
                none, that is an error, and no other plan takes its place.
            on_progress: Told a few words on what planning is doing.
            contract: Fields of the plan to set: ``scope``, ``budget``, ``concurrency``,
                ``priority``, ``deadline_s`` ...

        Raises:
            GoalError: The goal is empty or longer than 100,000 characters.
            UnknownNameError: There is no such playbook or agent; near misses are named.
            PlanError: The plan could not be carried out.
            KeyMissingError: The configured model needs a key that is not in the environment.
            ModelError: The model that was named cannot be asked.
            NoPlanError: The model that was named, or whose plan nobody reads, has made none.
            PlanningInterruptedError: A person has stopped the planning. What it has used is
                then kept as a mission that was cancelled, as that of one that failed is.
        """
        return self.start(
            self._planned(
                goal,
                playbook=playbook,
                params=params,
                agents=agents,
                inputs=inputs,
                model=model,
                offline=offline,
                see=see,
                tools=tools,
                unseen=unseen,
                on_progress=on_progress,
                **contract,
            )
        )

    def plan(self, goal: str = "", **asked: Any) -> Plan:
        """Plan without storing the plan; arguments and errors as for `propose`.

        Whether the plan is ever started is not known, so what a model has used to make it is
        kept at once, as a mission that was cancelled and has no task: it is in all totals of
        `usage`. A mission that `start` makes of the plan does not pay it again, and has its
        budget to itself.
        """
        plan = self._planned(goal, **asked)
        keep_looked_at(self, plan)
        return plan

    def _planned(  # noqa: PLR0913  each is named at the call
        self,
        goal: str = "",
        *,
        playbook: str = "",
        params: Mapping[str, Any] | None = None,
        agents: Sequence[str] = (),
        inputs: Mapping[str, Any] | None = None,
        model: str = "",
        offline: bool = False,
        see: Mapping[str, str] | None = None,
        tools: Sequence[str] = (),
        unseen: bool = False,
        on_progress: Callable[[str], None] | None = None,
        **contract: Any,
    ) -> Plan:
        from hypernb.agents import check_goal
        from hypernb.plan import Plan

        if isinstance(goal, (Plan, PlanSpec)):
            raise UsageError(
                "A goal is a text, and this is a plan already.",
                hint="session.start(plan) stores it; session.quote(plan) says what it may use.",
            )
        for term in contract:
            if term not in PlanSpec.model_fields:
                raise UnknownNameError("term of a plan", term, PlanSpec.model_fields)
        if playbook:
            refuse_with_playbook(playbook, model=model, see=see, tools=tools)
            plan = self._from_playbook(playbook, params or {}, agents, inputs or {})
            if goal.strip():
                check_goal(goal)
                plan.goal = goal
        else:
            wish = Wish(
                goal,
                agents=tuple(agents),
                inputs=dict(inputs or {}),
                model=model,
                offline=offline,
                contract=contract,
                on_progress=on_progress or _say_nothing,
                grants=grants(see or {}, inputs or {}),
                tools=tuple(tools),
                is_unseen=unseen,
            )
            plan = plan_wish(self, wish)
            plan.see = dict(wish.grants)
        for term, value in contract.items():
            if value is not None:
                setattr(plan, term, value)
        return plan

    def start(self, plan: Plan, *, approve: bool = False) -> Mission:
        """Store a plan as a mission.

        Args:
            plan: The plan.
            approve: Approve it at once: the caller has read it.

        Raises:
            PlanError: The plan could not be carried out.
        """
        with kept_if_not_started(self, plan):
            spec, payloads = self.build(plan)
            self.check(spec)
            record = self._stored(plan, spec, payloads)
        plan.paid_by, plan.planned_in = plan.paid_by or record.short_id, None
        serve_own_lane(self.store.url, spec)
        mission = Mission(self, record, proposed_hash=spec.hash)
        return mission.approve(plan_hash=spec.hash) if approve else mission

    def _stored(
        self, plan: Plan, spec: PlanSpec, payloads: Mapping[Digest, Payload]
    ) -> MissionRecord:
        """Store a plan: in the mission in which it was planned, else in a new one."""
        if plan.planned_in is not None:
            return self.store.propose_plan(plan.planned_in, spec, by=self.by, payloads=payloads)
        planning = () if plan.paid_by else plan.planning
        return self.store.create_mission(spec, by=self.by, payloads=payloads, planning=planning)

    def build(self, plan: Plan) -> tuple[PlanSpec, dict[Digest, Payload]]:
        """Return a plan as values, its agents with the tools of their cards, and its payloads.

        Raises:
            PlanError: It could not be carried out, or something in it cannot be sent.
            UsageError: A key stands in it.
            ConfigError: It asks a model, and the settings say that none is asked.
            PathError: A cassette is to answer, and is not there.
        """
        spec, payloads = plan.build()
        spec = with_lanes(with_settled_terms(self, self.equipped(spec), plan))
        spec = told_in_notes(self, spec, payloads)
        refuse_keys(spec, payloads, self.root)
        return spec, payloads

    def equipped(self, spec: PlanSpec) -> PlanSpec:
        """Return a plan with the models that its tasks name, and all that agents need."""
        return equipped(self, spec)

    def egress(self, plan: Plan | PlanSpec) -> Leaving:
        """Return which bytes of which variable would leave for which host, before approval.

        Made by the very function that makes what a model is told when a task begins. What
        a task may see of a variable stands in its contract.

        Args:
            plan: Stored or not; the values of one that is not are those handed in to it.

        Raises:
            UnknownNameError: A task may see a variable that the plan does not hand in.
            UntrustedArtifactError: A variable is a pickle that you did not write here.
        """
        if isinstance(plan, PlanSpec):
            return leaving(self, plan)
        return leaving(self, *self.build(plan))

    def check(self, spec: PlanSpec) -> None:
        """Raise what is wrong with a plan, with what to do about it.

        Raises:
            PlanError: It could not be carried out.
        """
        from hypernb.agents import known_tools, model_tools
        from hypernb.plan import check_plan

        check_plan(
            spec,
            agents=self.agents(spec.root),
            tools=known_tools(),
            model_tools=model_tools(),
        )

    def problems(self, spec: PlanSpec) -> list[PlanProblem]:
        """Return what keeps a plan from being carried out, each with its place."""
        from hypernb.agents import known_tools, model_tools
        from hypernb.plan import plan_problems

        return plan_problems(
            spec,
            agents=self.agents(spec.root),
            tools=known_tools(),
            model_tools=model_tools(),
        )

    def quote(self, plan: PlanSpec | Plan) -> QuoteTable:
        """Return what a plan will probably use: a quote for each task, then one for the whole.

        From what agents have used with the same models before; where there is too little of
        that, from the plan's estimates. It says which, and what nobody knows.

        Raises:
            PlanError: The plan could not be carried out.
        """
        from hypernb.session._quoting import quote

        spec = plan if isinstance(plan, PlanSpec) else self.build(plan)[0]
        return quote(self.store, spec)

    # -- looking back -------------------------------------------------------------------

    def end_lost_plannings(self) -> None:
        """End missions whose planning process is gone, so that what it has asked is paid.

        `missions`, `mission`, `status`, `usage` and opening the store do it first. Where the
        store cannot be written, whoever can does it later.
        """
        with suppress(StoreError):
            self.store.end_lost_plannings(by=self.by)

    def missions(
        self, *, limit: int = 50, states: Sequence[MissionState] = ()
    ) -> list[Mission]:
        """Return missions, newest first."""
        self.end_lost_plannings()
        return [Mission(self, each) for each in self.store.missions(limit=limit, states=states)]

    def mission(self, ref: str | int = "") -> Mission:
        """Find a mission: ``m-7``, ``7``, its id, or the newest one if nothing is given.

        Raises:
            UnknownMissionError: There is none of that id.
            UsageError: None was named, and the store has none.
        """
        text = str(ref).strip()
        self.end_lost_plannings()
        if not text:
            newest = self.store.missions(limit=1)
            if not newest:
                raise UsageError(
                    "This store has no mission yet.",
                    hint="%%hyper and a goal proposes one; %hyper playbooks lists playbooks.",
                )
            return Mission(self, newest[0])
        return Mission(self, self.store.mission(f"m-{text}" if text.isdecimal() else text))

    def events(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Return events of the whole store with a ``seq`` above ``after``, oldest first."""
        return self.store.events(after=after, limit=limit)

    def follow(
        self, *, after: int | None = None, timeout: float | None = None
    ) -> Iterator[Event]:
        """Yield events of the whole store as they happen; from now on by default."""
        start = self.store.last_seq() if after is None else after
        return Follower(self.store).events(None, after=start, timeout_s=timeout)

    def find(self, text: str, *, limit: int = 50) -> list[SearchHit]:
        """Search goals, outputs, findings and events of all missions."""
        return self.store.find(text, limit=limit)

    def sql(self, statement: str, *, limit: int = 10_000) -> pd.DataFrame:
        """Run a statement that reads the store, and return a DataFrame.

        Raises:
            QueryError: It would write, or it is wrong.
        """
        import pandas as pd

        columns, rows = self.store.query(statement, limit=limit)
        return pd.DataFrame(rows, columns=columns)

    def load(self, digest: Digest) -> Any:
        """Return an artifact as the Python value that was stored.

        Raises:
            UntrustedArtifactError: It is a pickle that you did not write on this machine.
        """
        from hypernb.codec import decode

        record, data = self.store.artifact(digest)
        return decode(record.media_type, data)

    def usage(
        self,
        by: Sequence[str] | str = ("model",),
        *,
        mission: str = "",
        days: float | None = None,
    ) -> UsageTable:
        """Return what was used and paid, in groups; the sum of them is all that was.

        Args:
            by: Of ``mission``, ``agent``, ``task``, ``model``, ``day``: one or more.
            mission: Of this mission only: ``m-7`` or its id.
            days: Of the last so many days only.

        Raises:
            UnknownNameError: There is no such group, or no such mission.
        """
        from hypernb.session._usage import usage

        self.end_lost_plannings()
        return usage(self, by, mission=mission, days=days)

    def status(self) -> Status:
        """Return what is running, what waits for you, and what it cost."""
        store = self.store
        self.end_lost_plannings()
        missions, cost = store.totals()
        running = store.missions(states=(MissionState.RUNNING,))
        waiting = store.missions(states=(MissionState.AWAITING_APPROVAL, MissionState.PAUSED))
        runners = tuple(store.leases("runner:"))
        waits = {
            each.short_id: waits_for(Mission(self, each), has_runner=bool(runners))
            for each in (*waiting, *running)
        }
        goes_on = [each for each in running if not waits[each.short_id]]
        goes_on += [each for each in waiting if waits[each.short_id] == ABOUT_TO_START]
        sums = store.usage_sums(("model",))
        return Status(
            store=store.url,
            runners=runners,
            running=tuple(goes_on),
            planning=tuple(store.missions(states=(MissionState.PLANNING,))),
            needs_you=tuple(each for each in (*waiting, *running) if each not in goes_on),
            waits=waits,
            cost=cost,
            missions=missions,
            unknown=sum(each.unknown for each in sums),
            at_most=sum(each.at_most for each in sums),
        )

    # -- the crew -----------------------------------------------------------------------

    def agents(self, root: str | Path = "") -> dict[str, RoleCard]:
        """Return the role cards by name: built in, the user's, those of the project."""
        from hypernb.agents import load_cards

        return load_cards(Path(root) if root else self.root)

    def playbooks(self) -> dict[str, Playbook]:
        """Return the playbooks by name: built in, installed, and defined here."""
        from hypernb.agents import load_playbooks

        return load_playbooks()

    def tool_names(self, *, for_models: bool = False) -> tuple[str, ...]:
        """Return the names of the tools that come with hypernb, sorted.

        Args:
            for_models: After them those that only a model can call.
        """
        from hypernb.agents import model_tools
        from hypernb.tools import tool_names

        return (*tool_names(), *(model_tools() if for_models else ()))

    # -- models and money ---------------------------------------------------------------

    def models(self, profile: str = "") -> Models:
        """Return the models that can be named, or those that a profile's server offers.

        Only with a profile is anybody asked.

        Raises:
            UnknownNameError: There is no such profile.
            ModelError: Its server does not answer.
        """
        from hypernb.session._models import models

        return models(self, profile)

    def model_settings(self) -> Settings:
        """Return the settings of models as they count here, each with where it is from.

        No key is in them, and nobody is asked.

        Raises:
            ConfigError: One of them has no meaning.
        """
        from hypernb.session._models import Settings, settings_of

        return Settings(settings_of(self).describe())

    def model_names(self) -> list[str]:
        """Return the names that models have in the settings; nobody is asked for them."""
        from hypernb.session._models import model_names

        return model_names(self)

    def profile_names(self) -> list[str]:
        """Return the names of servers in the settings; nobody is asked for them."""
        from hypernb.session._models import profile_names

        return profile_names(self)

    def cache(self) -> Cache:
        """Return what the cache of models' answers holds, and what it has spared."""
        from hypernb.session._models import Cache

        return Cache(self.store.cache_stats())

    def evict_cache(self, *, days: float | None = None, model: str = "") -> int:
        """Forget answers of models, and return how many: older ones, a model's, or all.

        Args:
            days: Only those that are older than so many days.
            model: Only those of this model.
        """
        from hypernb.session._models import evict

        return evict(self, days=days, model=model)

    def why(self, what: Any, namespace: Mapping[str, Any] | None = None) -> Why:
        """Return where a variable or a value came from: mission, task, prompt, model, cost.

        Known is what ``--out``, `Mission.result` and a task's output have given in this
        process, and whatever is equal to an output in the store.

        Args:
            what: The value; or the name of a variable, or of a task as in ``m-7/t3``.
            namespace: Where variables are; by default those of the notebook.

        Raises:
            UsageError: It is not known to have come out of a mission.
        """
        from hypernb.session._why import explained

        return explained(self, what, namespace)

    # -- what missions share ------------------------------------------------------------

    def resources(self) -> list[ResourceUse]:
        """Return what tasks share: its limits, what was learnt of it, who holds how much."""
        return self.store.resources()

    def limit(
        self,
        resource: str,
        *,
        at_once: int | None = None,
        rate: float | None = None,
        burst: int = 1,
    ) -> Resource:
        """Limit a resource for all missions and runners of the store, at once and from now on.

        Tasks name what they share: ``plan.add(..., resources=["the-api"])``. What was learnt
        of the resource is forgotten; without any limit, what the tasks are refused teaches
        one again.

        Args:
            resource: Its name.
            at_once: How many tasks may hold it at once; None for any number.
            rate: How many may begin in a second, on average; None for any number.
            burst: How many may begin at once after a rest.

        Raises:
            UsageError: A limit has no meaning.
        """
        from hypernb.plan import is_resource_name

        if not is_resource_name(resource):
            raise UsageError(
                f"A resource cannot be called {resource[:80]!r}.",
                hint="Use characters that can be seen, without white space.",
            )
        refuse_key_in("the name of the resource", resource, self.root)
        for name, value in (("at_once", at_once), ("burst", burst)):
            if value is not None and not (value == value // 1 and 1 <= value <= _MOST):
                raise UsageError(
                    f"{name} cannot be {value}.", hint=f"It is a number from 1 to {_MOST:,}."
                )
        if rate is not None and not 1 / _MOST <= rate <= _MOST:
            raise UsageError(
                f"rate cannot be {rate}.", hint="It is the starts in a second, above 0."
            )
        return self.store.limit_resource(
            resource, at_once=at_once, rate_per_s=rate, burst=burst
        )

    # -- the runner and upkeep ----------------------------------------------------------

    def ensure_runner(self, needed: Collection[str] = ()) -> None:
        """Start a runner unless a live one has what is needed.

        Args:
            needed: Keys of models, as runners tell which they have.
                What is started has all keys that the settings name and this process has.

        Raises:
            RunnerError: It ended at once.
        """
        keys = partial(keys_to_tell, self, needed)
        ensure_runner(self.store, self.mode, keys, needed)

    def keep_runner(self, needed: Collection[str] = ()) -> None:
        """Start a runner in the place of one that died; not of one that was asked to end.

        Who only watches a mission calls this: what a person has stopped stays stopped until
        somebody approves, retries or waits.

        Args:
            needed: As for `ensure_runner`.

        Raises:
            RunnerError: It ended at once.
        """
        if has_runner(self.store, needed):
            return
        kinds = (EventKind.RUNNER_STARTED, EventKind.RUNNER_STOPPED)
        for last in self.store.events(kinds=kinds, newest=True, limit=1):
            if last.payload.get("reason") == "stopped":
                return
        self.ensure_runner(needed)

    def stop(self, *, timeout: float = STOP_TIMEOUT_S) -> bool:
        """Ask the store's runners to end; missions are kept and go on with the next one.

        Returns:
            Whether there is none left; False after the time is over.
        """
        stop_host(self.store.url)
        asked: set[str] = set()
        for _ in Follower(self.store).looks(timeout):
            runners = self.store.leases("runner:")
            if not runners:
                return True
            # One that was being started meanwhile takes the place of the one that was asked.
            for lease in runners:
                if lease.holder not in asked:
                    asked.add(lease.holder)
                    self.store.send("stop", None, {"runner": lease.holder}, by=self.by)
        return not self.store.leases("runner:")

    @property
    def retention(self) -> Retention:
        """Which missions may be forgotten: ``HYPERNB_KEEP_DAYS``, ``HYPERNB_KEEP_MISSIONS``.

        Raises:
            ConfigError: One of them is no number.
        """
        from hypernb.engine import RunnerSettings

        return RunnerSettings.from_env().retention

    def fix(self) -> list[str]:
        """Do what the doctor says could be done; return what was done, a sentence each.

        Old missions are forgotten, outputs that nothing uses are removed, and free space is
        given back. `doctor` says beforehand what that would be.

        Raises:
            StoreError: The store cannot be written.
            ConfigError: How long missions are kept is set to something that is no number.
        """
        from hypernb.session._doctor import fix

        return fix(self)

    def doctor(
        self,
        *,
        model: str = "",
        offline: bool = False,
        on_progress: Callable[[str], None] | None = None,
    ) -> list[Check]:
        """Look whether everything that missions need is there and whole.

        The configured model is asked something small, if there is one and its key is here:
        four or five tiny calls within ten seconds, which may cost something. The checks say
        what. In a replay nobody is asked.

        Args:
            model: Ask this model in place of the configured one.
            offline: Ask none.
            on_progress: Told a few words before each call, in this thread.

        Raises:
            UsageError: A model is named that is not to be asked.
        """
        from hypernb.session._doctor import examine

        if model and offline:
            raise UsageError("--model and --offline exclude each other.", hint="Leave one out.")
        return examine(self, model=model, offline=offline, on_progress=on_progress)

    def backup(self, target: str | Path = "") -> Path:
        """Write a copy of the store to one file, while missions run.

        Args:
            target: File or folder; by default the folder of backups beside the database.
        """
        from hypernb.store import backup_folder, database_file

        if target or database_file(self.store.url) is None:
            return self.store.backup(Path(target or ".").expanduser())
        folder = backup_folder(self.store.url)
        folder.mkdir(parents=True, exist_ok=True)
        return self.store.backup(folder)

    def restore(self, source: str | Path, *, force: bool = False) -> Path:
        """Put a backup in the place of this session's store; the old one is kept beside it.

        Raises:
            StoreError: The backup is damaged, a runner is at work, or the store has missions
                and ``force`` is not set. Nothing was changed.
        """
        from hypernb.store import default_location, restore

        self.close()
        return restore(source, self._where or default_location(), force=force)

    def logs(self, mission: str = "") -> list[dict[str, Any]]:
        """Return what the store's runners logged, oldest first; of one mission if named."""
        from hypernb.engine import read_log

        return read_log(self.store.url, mission=self.mission(mission).id if mission else None)

    # -- inside -------------------------------------------------------------------------

    def _from_playbook(
        self,
        name: str,
        params: Mapping[str, Any],
        agents: Sequence[str],
        inputs: Mapping[str, Any],
    ) -> Plan:
        known = self.playbooks()
        if name not in known:
            raise UnknownNameError("playbook", name, known)
        asked = {**params, **({"agents": tuple(agents)} if agents else {})}
        return known[name].build(root=self.root, inputs=inputs, **asked)

    def __repr__(self) -> str:
        return f"<Session on {self._where or 'the default store'}, runner {self.mode}>"


def _say_nothing(words: str) -> None:
    del words


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no entry for this uid, as in some containers
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return f"{user}@{socket.gethostname()}"
