"""The handle on a mission: look at it, decide on it, wait for it, take its result."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hypernb.errors import (
    ApprovalError,
    EditConflictError,
    MissionError,
    PlanProblemsError,
    TransitionError,
    UsageError,
    WaitTimeoutError,
)
from hypernb.model import Digest, MissionState, Report, TaskState
from hypernb.session._asking import asked
from hypernb.session._following import Follower
from hypernb.session._free_time import FREE_TIME
from hypernb.session._keys_inside import refuse_key_in, refuse_keys, secrets_here
from hypernb.session._lanes import serve_own_lane, take_over_lanes, with_lanes
from hypernb.session._leaving import left_so_far, told_in_notes
from hypernb.session._results import failure, is_whole, partial_result, result
from hypernb.session._tasks import Tasks
from hypernb.session._ways import require_paused, require_retriable
from hypernb.session.front_end import retries

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Generator, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from hypernb.errors import PlanProblem
    from hypernb.model import (
        Comment,
        Event,
        Finding,
        MissionRecord,
        MissionSnapshot,
        ModelSpec,
        PlanSpec,
    )
    from hypernb.plan import Plan, PlanDifference
    from hypernb.session._leaving import Leaving
    from hypernb.session._quoting import QuoteTable
    from hypernb.session._session import Session
    from hypernb.views import Outlook

CHANGE_TICK_S = 0.5
MAX_COMMENT = 10_000


class Mission:
    """A mission of the store: awaitable, and the same from every session.

    Every property reads the store, so a handle never goes stale.

    Example:
        >>> mission = session.propose("audit this", playbook="repo-audit")  # doctest: +SKIP
        >>> mission.approve().wait().result()  # doctest: +SKIP
    """

    def __init__(
        self, session: Session, record: MissionRecord, *, proposed_hash: str | None = None
    ) -> None:
        self.session = session
        self._record = record
        # Of the plan as it was built here. Approving unseen is bound to it and not to what the
        # store says, which others can write too.
        self.proposed_hash = proposed_hash
        if proposed_hash is not None:
            self.saw(proposed_hash)
        self._is_shown = False
        self._asks: tuple[str, bool] | None = None
        self._without_models = ""  # hash of a plan that has none
        self._sent: int | None = None  # the command that was sent last

    # -- looking ------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Short id: ``m-7``."""
        return self._record.short_id

    @property
    def record(self) -> MissionRecord:
        """The mission's row as it is now."""
        self._record = self.session.store.mission(self._record.id)
        return self._record

    @property
    def state(self) -> MissionState:
        """Where it is now."""
        return self.record.state

    @property
    def needs_approval(self) -> bool:
        """Whether nothing happens until a person approves its plan."""
        record = self.record
        if record.state is not MissionState.AWAITING_APPROVAL:
            return False
        try:
            return self.session.store.approval(record.id) is None
        except ApprovalError:  # somebody else's: no runner of this user starts it
            return True

    @property
    def goal(self) -> str:
        """What was asked for, literally."""
        return self._record.goal

    @property
    def plan(self) -> PlanSpec:
        """The newest revision of its plan."""
        return self.session.store.plan(self._record.id)

    def egress(self) -> Leaving:
        """Return which bytes of which variable leave for which host; see `Session.egress`.

        Of tasks that have asked their model, those that have left.
        """
        from hypernb.session._other_model import amended

        return left_so_far(self, amended(self))

    @property
    def asks_models(self) -> bool:
        """Whether its plan names a model; read once for each revision."""
        plan_hash = self.record.plan_hash
        if self._asks is None or self._asks[0] != plan_hash:
            self._asks = (plan_hash, bool(self.plan.models))
        return self._asks[1]

    @property
    def tasks(self) -> Tasks:
        """Its tasks by name."""
        return Tasks(self, self.session.store.tasks(self._record.id))

    @property
    def findings(self) -> list[Finding]:
        """What its agents have found so far, most severe first."""
        return self.session.store.findings(self._record.id)

    def snapshot(self, *, events: int = 100) -> MissionSnapshot:
        """Read all that a view needs, in one transaction; and after the end, the result."""
        from hypernb.session._answers import with_end

        store = self.session.store
        return with_end(store, store.snapshot(self._record.id, events=events))

    def events(
        self,
        *,
        after: int = 0,
        limit: int = 1000,
        kinds: Sequence[str] = (),
        newest: bool = False,
    ) -> list[Event]:
        """Return its events with a ``seq`` above ``after``, oldest first."""
        return self.session.store.events(
            self._record.id, after=after, limit=limit, kinds=kinds, newest=newest
        )

    def follow(self, *, after: int = 0, timeout: float | None = None) -> Iterator[Event]:
        """Yield its events as they happen, from the first; ends with the mission."""
        from hypernb.model import EventKind

        follower = self._follower()
        for event in follower.events(self._record.id, after=after, timeout_s=timeout):
            yield event
            if event.kind == EventKind.MISSION_FINISHED and self.state.is_final:
                return

    def wait_for_answer(self, timeout: float) -> bool:
        """Wait until a runner has done what was last asked of it here, or has refused it.

        Args:
            timeout: How long at most, in seconds.

        Returns:
            Whether one has; also if nothing was asked.
        """
        sent = self._sent
        if sent is None:
            return True
        for _ in self._follower().looks(timeout):
            waiting = self.session.store.commands(after=sent - 1, limit=1)
            if sent not in [command.seq for command in waiting]:
                return True
        return False

    def to_frame(self) -> pd.DataFrame:
        """Return its tasks as a DataFrame, one row each."""
        import dataclasses

        import pandas as pd

        rows = [
            dataclasses.asdict(record) for record in self.session.store.tasks(self._record.id)
        ]
        frame = pd.DataFrame(rows).drop(columns=["id", "mission_id", "output"], errors="ignore")
        return frame.set_index("number") if "number" in frame else frame

    # -- deciding -----------------------------------------------------------------------

    @property
    def seen_hash(self) -> str | None:
        """Hash of its plan as this session last saw it; None if it has not."""
        return self.session.seen.get(self._record.id)

    def saw(self, plan_hash: str) -> None:
        """Note which plan was shown: an approval is for this one."""
        self.session.seen[self._record.id] = plan_hash

    def _no_longer_seen(self) -> ApprovalError:
        return ApprovalError(
            f"The plan of {self.id} is no longer the one that you saw.",
            hint=f"%hyper show {self.id} shows it as it is now.",
        )

    def approve(self, tasks: Collection[str] = (), *, plan_hash: str | None = None) -> Mission:
        """Approve the plan as this session last saw it, and have a runner start it.

        The approval is committed when this returns, and survives everything.

        Args:
            tasks: Approve only these, with all that they need; the others are dropped in a
                new revision first. All tasks if empty.
            plan_hash: Approve only if the plan, as it was before tasks are dropped, has this
                hash. By default the one that this session proposed, edited or was shown last;
                the newest revision if there is none.

        Raises:
            ApprovalError: The plan has another hash: somebody has changed it.
            TransitionError: The mission does not await approval.
            UnknownTaskError: The plan has no such task.
        """
        if plan_hash is None:
            plan_hash = self.seen_hash
            if plan_hash not in (None, self.record.plan_hash):
                raise self._no_longer_seen()
        if tasks:
            from hypernb.session._editing import keep_only

            record, plan = self.record, self.plan
            if plan_hash not in (None, plan.hash):
                raise self._no_longer_seen()
            plan_hash = plan.hash
            if (rest := keep_only(plan, tasks)) != plan:
                self._revise(rest, before=record)
                # Its notes say what leaves of what is left. Somebody may revise it from here
                # on: nothing is approved that was not looked at.
                plan_hash = self._record.plan_hash
        from hypernb.session._quoting import to_keep

        record = self.record
        self.session.store.approve(
            record.id,
            revision=record.revision,
            plan_hash=record.plan_hash if plan_hash is None else plan_hash,
            by=self.session.by,
            quotes=to_keep(self),
        )
        self.session.ensure_runner(self.needed_keys())
        return self

    def reject(self, reason: str = "") -> Mission:
        """Reject the plan; nothing of it ever runs.

        Raises:
            UsageError: A key stands in the reason.
        """
        refuse_key_in("the reason", reason, self.session.root)
        self.session.store.reject(self._record.id, reason=reason, by=self.session.by)
        return self

    def edit(
        self,
        changes: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        drop: Collection[str] = (),
        add: Sequence[Mapping[str, Any]] = (),
        revision: int | None = None,
        **plan_fields: Any,
    ) -> Mission:
        """Change the plan before approval; makes a new revision.

        Args:
            changes: New values by task and field: ``{"t3": {"timeout_s": 60}}``. ``tools``
                are those of an agent's work, and ``needs`` connect tasks anew.
            drop: Tasks to leave out; what needs them no longer does.
            add: New tasks, each with a ``name`` and an ``agent``. One that names no tools
                gets those of the agent's card.
            revision: The one that the change is made to; refused if there is a newer one.
                None for whichever is the newest.
            plan_fields: New values of the plan's own fields, such as ``concurrency``.

        Raises:
            PlanError: The plan could not be carried out like that; nothing was changed.
            UsageError: A key stands in the new plan; nothing was changed.
            EditConflictError: Somebody else has changed it since that revision.
            TransitionError: The mission no longer awaits approval.
        """
        record = self.record
        self._refuse_other(record, revision)
        spec, problems = self.draft(changes, drop=drop, add=add, **plan_fields)
        if problems:
            raise PlanProblemsError(problems)
        # What was drafted upon is that revision, or else it is refused.
        self._revise(spec, before=record)
        return self

    def draft(
        self,
        changes: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        drop: Collection[str] = (),
        add: Sequence[Mapping[str, Any]] = (),
        **plan_fields: Any,
    ) -> tuple[PlanSpec, list[PlanProblem]]:
        """Return what an edit would make of the plan, and values that are wrong by their kind.

        Arguments as for `edit`; nothing is stored. `Session.problems` says what else keeps
        the plan from being carried out.

        Raises:
            UnknownTaskError: The plan has no such task.
            UnknownNameError: There is no such field, or it cannot be changed.
        """
        from hypernb.session._editing import drafted, with_models

        plan, wanted = self.plan, changes or {}
        spec, problems = drafted(plan, wanted, drop=drop, add=add, plan_fields=plan_fields)
        return with_models(self.session, plan, spec, wanted, add), problems

    def difference(self, since: int | None = None) -> PlanDifference:
        """Return what the newest revision of the plan changes; falsy if there is one only.

        Args:
            since: Number of an earlier revision; the one before the newest by default.

        Raises:
            StoreError: There is no such revision.
        """
        from hypernb.plan import PlanDifference, compare

        before = self.record.revision - 1 if since is None else since
        if since is None and before < 1:
            return PlanDifference()
        return compare(self.session.store.plan(self._record.id, before), self.plan)

    def quote(self) -> QuoteTable:
        """Return what the plan will probably use, by what is known now; see `Session.quote`.

        What it shares with its origin uses nothing.
        """
        from hypernb.session._quoting import quote

        store = self.session.store
        shared = {
            record.name
            for record in store.tasks(self._record.id)
            if record.state is TaskState.SUCCEEDED and not record.attempt
        }
        return quote(store, self.plan, past=store.past(self._record.id), done=shared)

    def quoted(self) -> QuoteTable:
        """Return what was quoted when the plan was approved, beside what was used so far.

        Without quotes, if the plan was not approved or nothing was kept.
        """
        from hypernb.session._quoting import quoted

        return quoted(self)

    def quote_to_show(self) -> QuoteTable:
        """Return what it was quoted, where that was kept; else what it is quoted now.

        Of a mission that has begun, a note says so.
        """
        from hypernb.session._quoting import quote_to_show

        return quote_to_show(self)

    def comment(self, text: str, task: str = "") -> Mission:
        """Write something about the plan, or about a task of it, for all who look at it.

        Args:
            text: What to say.
            task: Name of the task, or ``t3``; the plan as a whole if empty.

        Raises:
            UsageError: There is nothing to say, or too much, or a key stands in it.
            UnknownTaskError: The plan has no such task.
        """
        said = text.strip()
        if not said:
            raise UsageError("A comment needs some words.", hint="Write what is to be said.")
        if len(said) > MAX_COMMENT:
            raise UsageError(
                f"A comment has at most {MAX_COMMENT:,} characters, not {len(said):,}.",
                hint="Say it in several, or write it into the goal of a task.",
            )
        refuse_key_in("the comment", said, self.session.root)
        name = self.tasks[task].name if task else ""
        self.session.store.comment(self._record.id, said, task=name, by=self.session.by)
        return self

    def comments(self) -> list[Comment]:
        """Return what people have written about the plan, oldest first."""
        from hypernb.model import Comment, EventKind

        return [
            Comment.of(event)
            for event in self.events(kinds=(EventKind.PLAN_COMMENTED,), newest=True)
        ]

    def attach(self) -> list[str]:
        """Have this kernel do what a kernel that is gone did for it; return the tools' names.

        Calls of its tools that wait, and those that were under way there, run here.

        Raises:
            UnknownNameError: A tool of that kernel is not defined here; nothing was moved.
            ContractError: A tool takes other arguments than was approved; nothing was moved.
        """
        secrets_here(self.session.root)  # what its tools answer is looked at for these
        return [] if self.state.is_final else take_over_lanes(self)

    def cancel(self) -> Mission:
        """End it: running work is stopped with all its processes, the rest never starts."""
        self._refuse_final("cancelled")
        if not self.session.store.cancel_unstarted(self._record.id, by=self.session.by):
            self._send("cancel")
        return self

    def pause(self) -> Mission:
        """Stop running work where it is, and start nothing more, until it is resumed."""
        self._refuse_unless(MissionState.RUNNING, "paused")
        self._send("pause")
        return self

    def resume(
        self,
        *,
        budget: float | None = None,
        model: str = "",
        finish: bool = False,
        approve_host: bool = False,
    ) -> Mission:
        """Let a paused mission go on where it was stopped, or give another one other terms.

        Another budget or model counts from the next call on; what is asked already is paid as
        it was agreed.

        Args:
            budget: With this budget from now on, in dollars; see `raise_budget`.
            model: With this model from now on; see `take_model`.
            finish: With what is left of the budget only: a task whose next answer that does not
                cover ends with what it has found, or with nothing; nothing new starts.
            approve_host: See `take_model`.

        Raises:
            TransitionError: It is not paused; or it is approved or runs, and no other terms
                are given.
            MissionWaitsError: It was paused for money, and would be again at once.
        """
        has_terms = (budget is not None or bool(model)) and not finish
        is_running = has_terms and self._is_under_way()
        if not is_running:
            require_paused(self, budget=budget, model=model, finish=finish)
        waits = bool(model) and is_running and self.waits_for_a_key
        # One change for both: where either is refused, neither is signed.
        models = self._chosen(model, budget=budget, approve_host=approve_host) if model else {}
        if models or budget is not None:
            self.session.store.amend(
                self._record.id, budget=budget, models=models, by=self.session.by
            )
        if waits:
            self.session.ensure_runner(self.needed_keys())
        if is_running:
            return self
        self._send("resume", {"finish": True} if finish else None)
        return self

    def raise_budget(self, dollars: float) -> Mission:
        """Let it spend up to so many dollars from its next call on; signed like its approval.

        It may also be less than before. A mission that was paused for money goes on when it
        is resumed.

        Raises:
            UsageError: More than that is paid already.
            TransitionError: It is not approved, or has ended.
            ApprovalError: Its approval is not yours.
        """
        self.session.store.amend(self._record.id, budget=dollars, by=self.session.by)
        return self

    @property
    def waits_for_a_key(self) -> bool:
        """Whether it is under way, and nobody at work has a key that it needs."""
        if self.state is MissionState.PAUSED or not self.asks_models:
            return False
        return bool(self.snapshot(events=0).lacks)

    def take_model(
        self, name: str, instead_of: str = "", *, approve_host: bool = False
    ) -> Mission:
        """Have it ask another model from its next call on; signed like its approval.

        Calls under way end with the model that was asked.

        Args:
            name: One of your models, see `Session.models`, the plan's name for one, or another
                model of the server that it asks.
            instead_of: The plan's name for the one that it replaces; all of them if empty.
            approve_host: It may be at a host that the approved plan does not name.

        Raises:
            UnknownNameError: There is no such model, or its server does not list it.
            UnnamedHostError: It is at a host that was not approved; tells what would leave.
            KeyMissingError: Its key is not here.
            ConfigError: Nobody knows its price, and the mission has a budget.
            UsageError: Its plan asks no model, or a key stands in the model's address.
            TransitionError: It is not approved, or has ended.
            ApprovalError: Its approval is not yours.
        """
        if self.state is not MissionState.PAUSED and not self._is_under_way():
            raise TransitionError(
                "mission",
                self.id,
                self.state.value,
                "amended",
                hint="Only what is approved, runs or is paused can be given another model.",
            )
        models = self._chosen(name, instead_of, approve_host=approve_host)
        self.session.store.amend(self._record.id, models=models, by=self.session.by)
        return self

    def _chosen(
        self,
        name: str,
        instead_of: str = "",
        *,
        budget: float | None = None,
        approve_host: bool = False,
    ) -> dict[str, ModelSpec]:
        """Return the models that it is to ask from now on; refuses what `take_model` does."""
        from hypernb.session._other_model import chosen

        models = chosen(self, name, instead_of, budget=budget, approve_host=approve_host)
        for model in models.values():
            said = model.model_dump_json()
            refuse_key_in("the name or the address of the model", said, self.session.root)
        return models

    def retry(self, task: str = "") -> Mission:
        """Try a failed, cancelled or skipped task again; all of them if none is named.

        What needs it is done after it. Tasks that succeeded never run again.

        Raises:
            UnknownTaskError: The plan has no such task.
            TransitionError: There is nothing to try again, or the plan was never approved, or
                the mission has succeeded; `fork` then does a task anew.
        """
        name = self.tasks[task].name if task else ""
        require_retriable(self, name)
        self.session.store.send("retry", self._record.id, {"task": name}, by=self.session.by)
        try:
            self.session.ensure_runner(self.needed_keys())
        finally:
            # Another runner may carry it out.
            retries.tell(self)
        return self

    def fork(
        self,
        at: str = "",
        changes: Mapping[str, Mapping[str, Any]] | Plan | None = None,
        *,
        drop: Collection[str] = (),
        **plan_fields: Any,
    ) -> Mission:
        """Begin a new mission that shares what this one has done, up to a task.

        ``%hyper rewind`` and ``hypernb rewind`` do this.

        That task and all that comes after it is done anew, and so is what the changes touch.
        Every other task that has succeeded is shared: its output and findings are there, and
        it does not run. The new mission awaits approval; this one stays as it is, whatever
        state it is in.

        Args:
            at: Name of a task, or ``t3``. Without one, only changes and what has not
                succeeded are open.
            changes: As for `edit`, or a whole new plan.
            drop: Tasks to leave out.
            plan_fields: New values of the plan's own fields.

        Raises:
            UnknownTaskError: The plan has no such task.
            PlanError: The plan could not be carried out like that; nothing was stored.
            UsageError: A key stands in the new plan; nothing was stored.
        """
        from hypernb.session._editing import edited, task_names, with_models
        from hypernb.session._planning_kept import not_planned_anew

        begins_at = task_names(self.plan, [at])[0] if at else ""
        payloads = None
        if changes is None or isinstance(changes, Mapping):
            plan, wanted = self.plan, changes or {}
            spec = edited(plan, wanted, drop=drop, plan_fields=plan_fields)
            spec = not_planned_anew(with_models(self.session, plan, spec, wanted))
        elif drop or plan_fields:
            raise UsageError(
                "A whole plan leaves nothing to change.", hint="Change the plan itself."
            )
        else:
            spec, payloads = self.session.build(changes)
        refuse_keys(spec, None, self.session.root)
        self.session.check(spec)
        if payloads is None and spec != self.plan:
            spec = told_in_notes(self.session, spec)
        record = self.session.store.create_mission(
            spec,
            by=self.session.by,
            payloads=payloads,
            forked_from=self._record.id,
            forked_at=begins_at,
        )
        return Mission(self.session, record, proposed_hash=spec.hash)

    # -- money ---------------------------------------------------------------------------

    def outlook(self, plan: PlanSpec | None = None) -> Outlook:
        """Return what views say beside the plan: what it will probably cost.

        Nothing is looked up for a plan that asks no model.
        """
        from hypernb.session._models import outlook
        from hypernb.views import NO_OUTLOOK

        is_asked = self.asks_models or self.record.cost
        known = self.plan if plan is None and is_asked else plan
        return NO_OUTLOOK if known is None else outlook(self, known)

    # -- waiting ------------------------------------------------------------------------

    def wait(
        self,
        timeout: float | None = None,
        *,
        on_change: Callable[[], None] | None = None,
        stop: threading.Event | None = None,
        until_asked: bool | None = None,
    ) -> Mission:
        """Wait until it has ended. A mission that awaits approval is waited for too.

        An interrupt ends the waiting; the mission goes on.

        Args:
            timeout: In seconds; no limit if None.
            on_change: Called after each commit in the store, and twice a second without one.
            stop: Ends the waiting when another thread sets it.
            until_asked: End also when it stands still until a person gives it money or a
                key. By default where nobody is there to do so.

        Raises:
            WaitTimeoutError: It was not done in time. It goes on.
            MissionWaitsError: It stands still until a person acts.
        """
        from hypernb.here import current_shell
        from hypernb.session.front_end import is_headless

        asks = is_headless(current_shell()) if until_asked is None else until_asked
        return self._wait(timeout, on_change, stop, begins=True, until_asked=asks)

    def watch(self, *, on_change: Callable[[], None], stop: threading.Event) -> Mission:
        """Wait as `wait` does, and leave a runner ended that somebody has asked to end.

        Args:
            on_change: Called after each commit in the store, and twice a second without one.
            stop: Ends the watching when another thread sets it.
        """
        return self._wait(None, on_change, stop, begins=False)

    def _wait(
        self,
        timeout: float | None,
        on_change: Callable[[], None] | None,
        stop: threading.Event | None,
        *,
        begins: bool,
        until_asked: bool = False,
    ) -> Mission:
        tick = None if on_change is None else CHANGE_TICK_S
        for _ in self._follower(stop, begins=begins).looks(timeout, tick_s=tick):
            if on_change is not None:
                on_change()
            if self.is_over:
                return self
            if until_asked and (wanted := asked(self)) is not None:
                raise wanted
        if stop is not None and stop.is_set():
            return self
        raise WaitTimeoutError(self.id, timeout or 0.0)

    def wait_for_retry(
        self,
        *,
        ended_at: datetime | None,
        on_change: Callable[[], None] | None = None,
        stop: threading.Event,
    ) -> bool:
        """Wait until it goes on after its end, because somebody wants it tried again.

        Args:
            ended_at: The end that is meant; one that goes on and ends between two looks has
                another.
            on_change: Called after each commit in the store, and twice a second without one.
            stop: Ends the waiting when another thread sets it.

        Returns:
            Whether it goes on, or has; False if the waiting was ended.
        """
        for _ in self._follower(stop, begins=False).looks(tick_s=CHANGE_TICK_S):
            if on_change is not None:
                on_change()
            if not self.is_over or self.record.finished_at != ended_at:
                return True
        return False

    def __await__(self) -> Generator[Any, None, Mission]:
        """Wait until it has ended. Cancelling the caller ends the waiting, not the mission."""
        return self._wait_async().__await__()

    async def _wait_async(self) -> Mission:
        import threading

        stop = threading.Event()
        try:
            with FREE_TIME.while_waiting():
                return await asyncio.to_thread(functools.partial(self.wait, stop=stop))
        finally:
            stop.set()

    def result(self) -> Any:
        """Return what the mission was for.

        The output of the plan's ``result`` task; where none is named, of the one task that
        nothing needs, or a dictionary of outputs by name where there are several.

        Raises:
            NotFinishedError: It has not ended yet.
            MissionError: It failed, or was cancelled or rejected.
        """
        return result(self)

    def partial_result(self) -> Any:
        """Return what there is of `result`, also where the mission has failed.

        Of several outputs, those that are not there are None.

        Raises:
            NotFinishedError: It has not ended yet.
            MissionError: Nothing of its result is there.
        """
        return partial_result(self)

    @property
    def has_result(self) -> bool:
        """Whether it has ended, and all of its result is there, also if it has failed."""
        return is_whole(self)

    @property
    def failure(self) -> MissionError | None:
        """What `result` raises; None if it has succeeded.

        Raises:
            NotFinishedError: It has not ended yet.
        """
        return failure(self)

    def remember_bound(self, name: str, value: Any) -> None:
        """Remember that a variable was bound to the result; `Session.why` then knows it."""
        from hypernb.session._origins import Origin, remember_name

        wanted = self.plan.result_tasks
        task = wanted[0] if len(wanted) == 1 else ""
        origin = Origin(self.session.store.url, str(self._record.id), task)
        remember_name(name, value, origin)

    def remember_asked(self, name: str) -> None:
        """Remember that a variable is to have the result, for `Session.why`."""
        from hypernb.session._origins import Origin, remember_wanted

        remember_wanted(name, Origin(self.session.store.url, str(self._record.id)))

    def report(self) -> Report | None:
        """Return the report that sums the mission up; None if there is none (yet)."""
        for record in reversed(self.session.store.tasks(self._record.id)):
            if record.outcome and record.output is not None:
                report = self.session.load(record.output)
                if isinstance(report, Report) and report.sprint:
                    return report
        return None

    def files(self) -> dict[str, bytes]:
        """Return the files that its tasks left, by name: ``proposed_sprint.json`` ..."""
        left: dict[str, bytes] = {}
        for record in self.session.store.tasks(self._record.id):
            if record.output is None or not record.outcome:
                continue
            report = self.session.load(record.output)
            if isinstance(report, Report):
                for name, digest in report.files.items():
                    left[name] = self.session.store.artifact(Digest(digest))[1]
        return left

    def export(self, target: Path | str, *, form: str = "") -> Path:
        """Write it as one file: ``.ipynb``, ``.md``, ``.html`` or ``.json``.

        Args:
            target: The file; its ending decides, unless ``form`` does.
            form: ``notebook``, ``markdown``, ``html``, ``json`` or ``plan``.

        Raises:
            UsageError: The form is not known.
            PathError: The file cannot be written.
        """
        from hypernb.session._export import export

        return export(self, target, form=form)

    # -- reprs --------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"<Mission {self.id}: {self.state.value.replace('_', ' ')}>"

    @property
    def is_shown(self) -> bool:
        """Whether the cell shows the whole mission already, so that a line is enough."""
        return self._is_shown

    def mark_shown(self) -> None:
        """Make the next display a line: the cell shows the whole mission already."""
        self._is_shown = True

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        if self._is_shown:
            self._is_shown = False
            # A state only if it is final: the view above goes on, and this line would not.
            final = self.state.is_final
            return {"text/plain": repr(self) if final else f"<Mission {self.id}, shown above>"}
        from hypernb.views import mission_html, mission_text

        snapshot, report, outlook = self.snapshot(), self.report(), self.outlook()
        self.saw(snapshot.mission.plan_hash)
        return {
            "text/plain": mission_text(snapshot, result=report, outlook=outlook),
            "text/html": mission_html(snapshot, live=False, result=report, outlook=outlook),
        }

    # -- inside -------------------------------------------------------------------------

    def _follower(
        self, stop: threading.Event | None = None, *, begins: bool = True
    ) -> Follower:
        # A runner that was killed leaves its missions to the next one; whoever waits for a
        # mission has asked for it to run, and so may start that next one.
        asks = begins

        def keep_going() -> None:
            nonlocal asks
            if not self._is_under_way():
                return
            if asks:
                self.session.ensure_runner(self.needed_keys())
            else:
                self.session.keep_runner(self.needed_keys())
            asks = False

        # A cell that waits for a mission lets calls of this kernel's tools through: what it
        # waits for may need them.
        return Follower(
            self.session.store, keep_going=keep_going, stop=stop, between=FREE_TIME.use
        )

    def needed_keys(self) -> Collection[str]:
        """Return which keys a runner needs to go on with it, as runners tell theirs."""
        plan_hash = self._record.plan_hash
        if plan_hash == self._without_models:
            return ()  # asked for at every look; most plans have none
        plan = self.plan
        if not plan.models:
            self._without_models = plan_hash
            return ()
        from hypernb.engine import needed_keys
        from hypernb.session._other_model import amended

        models = amended(self).models
        if not any(model.key for model in models.values()):
            return ()
        tasks = self.session.store.tasks(self._record.id)
        done = {task.name for task in tasks if task.state is TaskState.SUCCEEDED}
        return needed_keys(plan, models, done)

    def _is_under_way(self) -> bool:
        state = self.state
        return state is MissionState.RUNNING or (
            state is MissionState.AWAITING_APPROVAL
            and self.session.store.approval(self._record.id) is not None
        )

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and nobody has asked for another go."""
        return self.state.is_final and not self._retry_is_pending()

    def _retry_is_pending(self) -> bool:
        return any(
            command.kind == "retry" and command.mission_id == self._record.id
            for command in self.session.store.commands()
        )

    def _revise(self, spec: PlanSpec, *, before: MissionRecord) -> None:
        spec = with_lanes(spec)
        self.session.check(spec)
        spec = told_in_notes(self.session, spec)
        refuse_keys(spec, None, self.session.root)
        self._record = self.session.store.revise_plan(
            self._record.id, spec, by=self.session.by, revision=before.revision
        )
        if self.seen_hash == before.plan_hash:
            self.saw(self._record.plan_hash)  # who changes what was shown knows what is there
        serve_own_lane(self.session.store.url, spec)

    def _refuse_other(self, record: MissionRecord, revision: int | None) -> None:
        # Before the draft is looked at: on another plan its names may mean nothing.
        if revision not in (None, record.revision):
            raise EditConflictError(self.id, revision, record.revision)

    def _send(self, kind: str, payload: Mapping[str, Any] | None = None) -> None:
        store = self.session.store
        self._sent = store.send(kind, self._record.id, payload, by=self.session.by)
        self.session.ensure_runner(self.needed_keys())

    def _refuse_final(self, after: str) -> None:
        state = self.state
        if state.is_final:
            raise TransitionError("mission", self.id, state.value, after)

    def _refuse_unless(self, before: MissionState, after: str) -> None:
        state = self.state
        if state is not before:
            raise TransitionError("mission", self.id, state.value, after)
