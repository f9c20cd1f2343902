"""Contracts between the layers, documented as promises; each has a test of the same wording."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from hypernb.model import (
        AgentMessage,
        Amendment,
        ApprovalRecord,
        ArtifactRecord,
        AttemptRecord,
        CacheStats,
        CallRecord,
        Change,
        ChatReply,
        ChatRequest,
        CommandRecord,
        Digest,
        Event,
        Finding,
        Grant,
        KernelCall,
        LeaseRecord,
        MissionId,
        MissionRecord,
        MissionSnapshot,
        MissionState,
        MissionSummary,
        ModelSpec,
        Past,
        PlanSpec,
        Quote,
        Resource,
        ResourceUse,
        Retention,
        RunnerId,
        SearchHit,
        Since,
        Swept,
        TaskHistory,
        TaskId,
        TaskRecord,
        ToolRun,
        UsageRecord,
        UsageSum,
        Wait,
    )


class Clock(Protocol):
    """Where the time comes from; tests hand in one that they advance."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    async def sleep(self, seconds: float) -> None:
        """Wait. Cancelling the caller ends the wait at once."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A value as bytes, ready for the store or another process.

    Attributes:
        text: What full-text search should know of it; at most 100,000 characters.
    """

    media_type: str
    data: bytes
    text: str = ""


class Store(ABC):
    """The database: the only thing that processes share.

    Promises:

    1. A call that returns has committed; a call that raises has changed nothing.
    2. A state change and its event are one transaction.
    3. Events are numbered without gaps; who reads on from its last ``seq`` misses nothing and
       sees nothing twice.
    4. A commit with a lease token that is no longer the newest is refused, and writes nothing.
    5. Values that were returned never change.
    6. Every method can be called from any thread, and from any number of processes at once.
    7. A pickle or an approval that this user did not sign is never returned as trusted.
    """

    url: str

    # -- what sessions write ------------------------------------------------------------

    @abstractmethod
    def create_mission(
        self,
        spec: PlanSpec,
        *,
        by: str,
        payloads: Mapping[Digest, Payload] | None = None,
        forked_from: MissionId | None = None,
        forked_at: str = "",
        planning: Sequence[CallRecord] = (),
    ) -> MissionRecord:
        """Store a mission that awaits approval of the plan's revision 1, with its tasks.

        One transaction: payloads, mission, plan, tasks (pending) and the events
        ``mission.created`` and ``plan.proposed``. Of a fork, the tasks that it shares with
        its origin (`hypernb.plan.shared_tasks`) have succeeded already, with the same
        outputs and findings, and ``task.shared`` tells of each; so it is again after every
        revision of its plan. The origin stays as it is.

        Args:
            forked_from: The mission that it is a fork of.
            forked_at: Name of the task that is done anew with all that comes after it.
            planning: Calls that made the plan and are not in the store yet, because a cassette
                has answered; the mission has paid for them, and ``llm.responded`` tells of
                each. What is asked of a server is there before: see `begin_planning`.
        """

    @abstractmethod
    def begin_planning(
        self,
        spec: PlanSpec,
        call: CallRecord,
        *,
        by: str,
        ttl: timedelta,
        facts: Mapping[str, Any],
        payloads: Mapping[Digest, Payload] | None = None,
    ) -> tuple[MissionRecord, LeaseRecord]:
        """Store a mission that is being planned, and the call that is about to be made for it.

        One transaction: payloads, mission, a plan without tasks, the call (reserved), the
        lease on the mission and the events ``mission.created`` and ``llm.requested``. Nobody
        can approve it. It ends with `propose_plan`, `end_planning`, `cancel_unstarted` or,
        if its process has ended, with `end_lost_plannings`.

        Args:
            spec: The goal, and no task.
            call: The first of the calls.
            ttl: Longer than the planning can take; the lease is not renewed.
            facts: Of the process that plans, so that others can tell whether it lives.

        Returns:
            The mission, and the lease by which the methods below know who plans it.
        """

    @abstractmethod
    def note_planning(
        self,
        lease: LeaseRecord,
        call: CallRecord,
        *,
        payloads: Mapping[Digest, Payload] | None = None,
    ) -> None:
        """Store a further call before it is made, or what came of one, which is then paid.

        ``llm.requested`` and ``llm.responded`` tell of it. A call that is over is paid once
        and stays as it is.

        Raises:
            LeaseLostError: The planning is over.
        """

    @abstractmethod
    def propose_plan(
        self,
        lease: LeaseRecord,
        spec: PlanSpec,
        *,
        by: str,
        payloads: Mapping[Digest, Payload] | None = None,
    ) -> MissionRecord:
        """Give a mission that is being planned its plan, as revision 1; it awaits approval.

        Raises:
            LeaseLostError: The planning is over.
        """

    @abstractmethod
    def end_planning(
        self, lease: LeaseRecord, state: MissionState, reason: str, *, by: str
    ) -> MissionRecord | None:
        """End a mission whose planning has failed or was cancelled; it has no task.

        A call that is still reserved counts as paid. If no call may have to be paid, the
        mission is forgotten, and None is returned.

        Raises:
            LeaseLostError: The planning is over.
        """

    @abstractmethod
    def end_lost_plannings(self, *, by: str) -> list[MissionRecord]:
        """End missions as failed whose planning process is gone; return them as they are now.

        Gone is a process of this machine that has ended, and one whose lease has run out.
        Calls that are still reserved count as paid.
        """

    @abstractmethod
    def revise_plan(
        self,
        mission_id: MissionId,
        spec: PlanSpec,
        *,
        by: str,
        payloads: Mapping[Digest, Payload] | None = None,
        revision: int | None = None,
    ) -> MissionRecord:
        """Store the next revision of a plan that awaits approval, and replace its tasks.

        Args:
            revision: The one that the change was made to; None if that does not matter.

        Raises:
            EditConflictError: Another revision than that is the newest.
            TransitionError: The mission does not await approval.
        """

    @abstractmethod
    def approve(
        self,
        mission_id: MissionId,
        *,
        revision: int,
        plan_hash: str,
        by: str,
        quotes: Sequence[Quote] = (),
    ) -> ApprovalRecord:
        """Record a signed approval, the command ``start`` and the event ``plan.approved``.

        The mission stays ``awaiting_approval`` until a runner starts it.

        Args:
            quotes: What was to be expected then; the event keeps them, to be seen beside what
                was used.

        Raises:
            ApprovalError: The hash is not that of the revision, or a newer one exists.
            TransitionError: The mission does not await approval.
        """

    @abstractmethod
    def reject(self, mission_id: MissionId, *, reason: str, by: str) -> None:
        """End a mission that awaits approval; nothing of it ever runs."""

    @abstractmethod
    def comment(self, mission_id: MissionId, text: str, *, task: str = "", by: str) -> int:
        """Append the event ``plan.commented``; return its ``seq``.

        Args:
            text: What is said.
            task: Name of the task it is about; empty for the plan.

        Raises:
            UnknownTaskError: The plan has no such task.
        """

    @abstractmethod
    def send(
        self,
        kind: str,
        mission_id: MissionId | None,
        payload: Mapping[str, Any] | None = None,
        *,
        by: str,
    ) -> int:
        """Append a command for a runner: ``pause``, ``resume``, ``cancel``, ``retry`` ..."""

    @abstractmethod
    def cancel_unstarted(self, mission_id: MissionId, *, by: str) -> bool:
        """Cancel a mission that is being planned or awaits approval, without a runner.

        False if it has started.
        """

    # -- what everybody reads -----------------------------------------------------------

    @abstractmethod
    def missions(
        self, *, limit: int = 50, states: Sequence[MissionState] = ()
    ) -> list[MissionRecord]:
        """Return missions, newest first; of all states if none are given."""

    @abstractmethod
    def totals(self) -> tuple[int, float]:
        """Return how many missions there are, and what all of them have cost, in dollars."""

    @abstractmethod
    def summaries(
        self,
        *,
        text: str = "",
        states: Sequence[MissionState] = (),
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[MissionSummary], int]:
        """Return missions with what their tasks come to, newest first, and how many there are.

        One transaction with a fixed number of queries for each word, however many missions
        are listed. Each row says where it was found.

        Args:
            text: Only missions that have each of these words somewhere, in whatever case: as
                a part of their goal, their playbook or the name of a task, or as a word of
                what `find` looks through, where the last may be a beginning. A short id finds
                that mission, not those that mention it.
            states: Only missions in these states; of all if empty.
            limit: At most so many.
            offset: Leave out so many of the newest.
        """

    @abstractmethod
    def mission(self, ref: str) -> MissionRecord:
        """Find a mission by short id or id.

        Raises:
            UnknownMissionError: There is none; near misses are named.
        """

    @abstractmethod
    def plan(self, mission_id: MissionId, revision: int | None = None) -> PlanSpec:
        """Return a revision of the plan, by default the newest.

        Raises:
            StoreCorruptError: It is not the one that its hash, which the mission's record
                gives for the newest, was made of.
        """

    @abstractmethod
    def approval(self, mission_id: MissionId) -> ApprovalRecord | None:
        """Return the newest approval.

        Raises:
            ApprovalError: Its signature is not this user's.
        """

    @abstractmethod
    def tasks(self, mission_id: MissionId) -> list[TaskRecord]:
        """Return the tasks in plan order."""

    @abstractmethod
    def tasks_with_output(self, output: Digest, *, limit: int = 50) -> list[TaskRecord]:
        """Return the tasks of all missions that have made this very output, newest first.

        A task that shares the output of another mission has not made it.
        """

    @abstractmethod
    def attempts(self, mission_id: MissionId) -> list[AttemptRecord]:
        """Return the attempts in the order they started."""

    @abstractmethod
    def durations(self, mission_id: MissionId) -> dict[str, float]:
        """Return how long the mission's tasks took before: median seconds by task name.

        Taken from the latest missions of the same playbook or, without one, the same goal;
        tasks that never succeeded there are left out.
        """

    @abstractmethod
    def past(self, mission_id: MissionId) -> Past:
        """Return what earlier missions like this one say of it, for telling what to expect.

        More of them count than for `durations`, which only has to order what starts. Tasks
        that a fork shares are left out, because they did not run.
        """

    @abstractmethod
    def past_of(self, spec: PlanSpec) -> Past:
        """Return the same of a plan that is no mission yet."""

    @abstractmethod
    def events(  # noqa: PLR0913 - which events: all but the first only narrow it down
        self,
        mission_id: MissionId | None = None,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 1000,
        kinds: Sequence[str] = (),
        without: Sequence[str] = (),
        task: str | None = None,
        agent: str | None = None,
        newest: bool = False,
    ) -> list[Event]:
        """Return events with a ``seq`` above ``after``, oldest first.

        Args:
            mission_id: Of this mission only; of the whole store if None.
            after: The last ``seq`` that the reader has seen.
            before: Only events with a ``seq`` below this one.
            limit: At most so many.
            kinds: Only these; all if empty.
            without: None of these kinds.
            task: Only of the task with this name, in whichever revision.
            agent: Only of this agent's tasks; if empty, of tasks without an agent.
            newest: The last ``limit`` of them instead of the first.
        """

    @abstractmethod
    def last_seq(self) -> int:
        """Return the number of the newest event, 0 if there is none."""

    @abstractmethod
    def snapshot(self, mission_id: MissionId, *, events: int = 100) -> MissionSnapshot:
        """Read all that a view needs in one transaction."""

    @abstractmethod
    def since(
        self, mission_id: MissionId, after: int, *, limit: int = 1000, paid: int = 0
    ) -> Since:
        """Read what has changed in a mission since an event, in one step.

        Made to be called after every commit, beside a busy thread: whoever begins with a
        snapshot and takes all that follows, in order, knows the mission as it is. Signs of
        life are in the rows of tasks at work, whether there is an event or not.

        Args:
            after: The last ``seq`` that the reader has seen.
            limit: At most so many events.
            paid: `Since.paid` of the reader's last call; 0 at first, for all payments.

        Raises:
            UnknownMissionError: There is no such mission, or no longer.
        """

    @abstractmethod
    def count_events(self, mission_id: MissionId, *, until: int) -> int:
        """Return how many events a mission has up to a ``seq``, heartbeats included."""

    @abstractmethod
    def usage(self, mission_id: MissionId) -> list[UsageRecord]:
        """Return what a mission has paid for, in the order it was told."""

    @abstractmethod
    def findings(self, mission_id: MissionId) -> list[Finding]:
        """Return the findings of a mission, most severe first, then by place."""

    @abstractmethod
    def find(self, text: str, *, limit: int = 50) -> list[SearchHit]:
        """Search goals, outputs, findings and events; the words of ``text`` taken literally."""

    @abstractmethod
    def query(
        self, sql: str, *, limit: int = 10_000, timeout_s: float = 30.0
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Run a statement that reads, and return column names and rows.

        Raises:
            QueryError: It would write, is not one statement, is wrong, or takes too long.
        """

    @abstractmethod
    def artifact(self, digest: Digest) -> tuple[ArtifactRecord, bytes]:
        """Return an artifact's record and bytes.

        Raises:
            UntrustedArtifactError: It is a pickle that this user did not sign.
            StoreCorruptError: The bytes are gone or do not have that digest.
        """

    @abstractmethod
    def artifact_record(self, digest: Digest) -> ArtifactRecord | None:
        """Return what an artifact is and how large, not its bytes; None if there is none."""

    @abstractmethod
    def put_artifact(self, payload: Payload) -> Digest:
        """Store bytes under their SHA-256; pickles are signed. Idempotent."""

    def put_artifacts(self, payloads: Sequence[Payload]) -> list[Digest]:
        """Store several payloads, in one transaction where the store can; idempotent.

        They survive a power cut at the latest with the first commit that comes after them.
        """
        return [self.put_artifact(payload) for payload in payloads]

    @abstractmethod
    def changed(self) -> bool:
        """Tell cheaply whether others have committed since the last call in this thread.

        News from a server may be on its way for some milliseconds.
        """

    @abstractmethod
    def limit_resource(
        self,
        name: str,
        *,
        at_once: int | None = None,
        rate_per_s: float | None = None,
        burst: int = 1,
    ) -> Resource:
        """Set the limits of a resource for all missions and runners; None is no limit.

        What was learnt of it is forgotten. Attempts that hold it go on.

        Args:
            at_once: How many attempts may hold it at once, at least 1.
            rate_per_s: How many may begin in a second, on average; above 0.
            burst: How many may begin at once after a rest, at least 1.
        """

    @abstractmethod
    def resources(self) -> list[ResourceUse]:
        """Return the resources that have a limit, refused once, or are held; by name."""

    # -- what runners write -------------------------------------------------------------

    @abstractmethod
    def take_lease(
        self, resource: str, holder: RunnerId, ttl: timedelta, facts: Mapping[str, Any]
    ) -> LeaseRecord | None:
        """Take a lease that nobody holds any more.

        That is: it is free, or its holder is a dead process of this machine, or this store
        has been asked often enough to see that nothing of it changed for its whole length.
        What wall clocks say has no part in it.

        Returns:
            The lease with a new token, or None if somebody may hold it; ask again to watch it.
        """

    @abstractmethod
    def renew_lease(
        self, lease: LeaseRecord, ttl: timedelta, facts: Mapping[str, Any]
    ) -> LeaseRecord:
        """Extend a lease.

        Raises:
            LeaseLostError: Another holder has it.
        """

    @abstractmethod
    def release_lease(self, lease: LeaseRecord) -> None:
        """Give a lease back; nothing happens if it is already another's."""

    @abstractmethod
    def leases(self, prefix: str = "", *, live: bool = True) -> list[LeaseRecord]:
        """Return leases whose resource begins with the prefix.

        Args:
            live: Only those that seem to be held: the holder is not known to be dead, the
                wall clock is before the lease's end, and it was not seen unchanged for its
                whole length. For people, and to decide whether to start a runner.
        """

    @abstractmethod
    def commands(self, *, after: int = 0, limit: int = 1000) -> list[CommandRecord]:
        """Return commands with a ``seq`` above ``after`` that no runner has answered."""

    @abstractmethod
    def answer_command(self, seq: int, outcome: str) -> None:
        """Mark a command as taken, with what came of it in a few words."""

    @abstractmethod
    def runnable_missions(self) -> list[MissionRecord]:
        """Return missions for a runner to hold: approved, running or paused; best first."""

    @abstractmethod
    def commit(
        self,
        mission_id: MissionId,
        lease: LeaseRecord,
        changes: Sequence[Change],
        *,
        patient: bool = True,
    ) -> int:
        """Write changes in order, as one transaction; return the ``seq`` of the last event.

        Args:
            patient: Wait while somebody else writes. If not, and in a store that is always
                waited for, nothing is written then.

        Raises:
            StoreUnavailableError: Somebody else writes, for too long or at all.
            LeaseLostError: The lease's token is not the newest; nothing was written.
            TransitionError: Mission, task or attempt cannot become what a change says; nothing
                was written.
            UnknownTaskError: A change is about a task that the mission does not have.
        """

    @abstractmethod
    def take_permits(
        self, lease: LeaseRecord, task_id: TaskId, attempt: int, names: Sequence[str]
    ) -> Wait | None:
        """Take a permit of each resource for an attempt that is to start: of all or of none.

        No more permits are out than the limits allow, whoever asks. They end with the attempt,
        in the commit that ends it, and at the latest with the lease. Idempotent.

        Args:
            lease: On the attempt's mission.

        Returns:
            What has to be waited for; None if all are held now.

        Raises:
            LeaseLostError: The lease's token is not the newest; nothing was taken.
        """

    @abstractmethod
    def heartbeat(self, beats: Mapping[TaskId, datetime]) -> None:
        """Note signs of life of running tasks; no events."""

    @abstractmethod
    def record(self, kind: str, payload: Mapping[str, Any]) -> int:
        """Append an event about the store itself: ``runner.started``, ``runner.stopped`` ..."""

    # -- models, messages, states and tools of kernels ------------------------------------

    @abstractmethod
    def fingerprint(self, secret: str) -> str:
        """Return 16 hexadecimal digits that tell this secret from others, and not what it is.

        A keyed hash with the user's own key, so nobody else can try out what it is of.
        """

    @abstractmethod
    def calls(self, mission_id: MissionId | None = None) -> list[CallRecord]:
        """Return calls of models in the order they were made; of the whole store if None."""

    @abstractmethod
    def usage_sums(
        self,
        by: Sequence[str],
        *,
        mission_id: MissionId | None = None,
        days: float | None = None,
    ) -> list[UsageSum]:
        """Return what was used and paid, in groups, dearest first.

        All sums together are the sum of the payments and calls in the store: dollars and
        tokens are those of the payments, calls are counted. A payment that a change tells of
        together with its call goes by that call's agent, model and day.

        Args:
            by: Of ``mission``, ``agent``, ``task``, ``model``, ``day`` (UTC): one or more.
            mission_id: Of this mission only.
            days: Of the last so many days only.
        """

    @abstractmethod
    def task_history(self, agent: str, model: str, *, limit: int = 50) -> list[TaskHistory]:
        """Return what tasks of an agent with a model have used, newest first.

        Only of those that have succeeded and whose calls were live.
        """

    @abstractmethod
    def send_message(
        self, mission_id: MissionId, task_id: TaskId, message: AgentMessage
    ) -> AgentMessage:
        """Keep a message, with an id, its sender and its time; append ``message.sent``.

        Raises:
            UnknownNameError: The mission has no task and no agent of the recipient's name.
            AmbiguousTaskError: One is called so, and another task has that number.
            UsageError: It has more than 100,000 characters, or the task has sent 1,000.
        """

    @abstractmethod
    def messages(
        self, mission_id: MissionId, task_id: TaskId | None = None
    ) -> list[AgentMessage]:
        """Return messages, oldest first: those that a task has not acknowledged, or all.

        To a task come those to its name, to its agent and to everybody, but none of its own.
        """

    @abstractmethod
    def acknowledge(self, task_id: TaskId, ids: Sequence[str]) -> None:
        """Note that a task has dealt with messages; append ``message.received``. Idempotent."""

    @abstractmethod
    def save_state(self, task_id: TaskId, state: Mapping[str, Any], *, version: int) -> int:
        """Keep the state of a task's agent; see `Services.save_state`.

        Raises:
            StateConflictError: Another version than the given one is the newest.
            UsageError: It is larger than a million bytes, or JSON would change it.
        """

    @abstractmethod
    def load_state(self, task_id: TaskId) -> tuple[dict[str, Any], int]:
        """Return the state of a task's agent and its version; see `Services.load_state`."""

    @abstractmethod
    def ask_kernel(self, call: KernelCall) -> None:
        """Write a call of a kernel's tool, signed, for that kernel to find. Idempotent."""

    @abstractmethod
    def kernel_calls(self, lane: str) -> list[KernelCall]:
        """Return the calls of a lane that wait, oldest first.

        Those that this user's key did not sign are left out: somebody else who can write to
        the store calls nothing in a kernel.
        """

    @abstractmethod
    def take_kernel_call(self, call_id: str, by: str) -> bool:
        """Take a call that waits; False if somebody was faster, or it waits no longer."""

    @abstractmethod
    def answer_kernel_call(
        self, call_id: str, *, answer: Any = None, value: Digest | None = None, error: str = ""
    ) -> None:
        """Write what came of a call; nothing happens if it was cancelled meanwhile."""

    @abstractmethod
    def kernel_call(self, call_id: str) -> KernelCall | None:
        """Return a call as it is now."""

    @abstractmethod
    def cancel_kernel_calls(self, task_id: TaskId, attempt: int) -> None:
        """Cancel what an attempt that is over has asked of kernels."""

    @abstractmethod
    def forget_kernel_calls(self, task_id: TaskId, attempt: int) -> None:
        """Keep of calls that are over only that there were some, and the objects returned.

        Of those of an attempt and of all before it; what was asked and answered is removed.
        """

    @abstractmethod
    def move_lane(self, mission_id: MissionId, before: str, after: str) -> int:
        """Have another kernel answer for one that is gone; return how many calls it has now.

        What the one that is gone had taken and not answered waits again.
        """

    @abstractmethod
    def lane_of(self, mission_id: MissionId, lane: str) -> str:
        """Return the lane that answers for a lane of the plan; itself unless it was moved."""

    @abstractmethod
    def amend(
        self,
        mission_id: MissionId,
        *,
        budget: float | None = None,
        models: Mapping[str, ModelSpec] | None = None,
        by: str,
    ) -> Amendment:
        """Record a signed change of the contract of a mission that is approved, and not over.

        Unless it is paused, a command ``amend`` is recorded with it, so that its runner reads
        it before the next call; one that is paused is read anew when it goes on.

        Args:
            budget: The new one, in dollars; not below what is paid.
            models: Other models in the place of those of the same names.

        Raises:
            ApprovalError: The mission's approval is not this user's.
            TransitionError: The mission is not approved, or has ended.
            UsageError: Nothing is changed, or the budget cannot be.
            UnknownNameError: The plan has no model of that name.
        """

    @abstractmethod
    def amendments(self, mission_id: MissionId) -> list[Amendment]:
        """Return the changes that this user has signed, oldest first; others do not count."""

    @abstractmethod
    def cached_reply(self, request_hash: str, *, since: datetime) -> bytes | None:
        """Return the answer that this user has kept for a request, if it is not older."""

    @abstractmethod
    def cache_reply(
        self, request_hash: str, reply: bytes, *, model: str, cost: float | None
    ) -> None:
        """Keep an answer for the very same request."""

    @abstractmethod
    def count_cache_hit(self, request_hash: str) -> None:
        """Note that an answer was used once more."""

    @abstractmethod
    def cache_stats(self) -> CacheStats:
        """Return what the cache holds, and what it has spared."""

    @abstractmethod
    def evict_cache(self, *, before: datetime | None = None, model: str = "") -> int:
        """Forget answers: older ones, those of a model, or all; return how many."""

    # -- upkeep -------------------------------------------------------------------------

    @abstractmethod
    def backup(self, target: Path) -> Path:
        """Write a consistent copy of database and artifacts, while missions run."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what is wrong with the database, one sentence each; empty if nothing is."""

    @abstractmethod
    def sweep(self, retention: Retention, *, only_look: bool = False) -> Swept:
        """Forget old missions, and remove artifacts and files that nothing refers to.

        A mission is forgotten with all that belongs to it, and ``missions.forgotten`` tells
        which. One that is about to be tried again stays: somebody holds its lease, or has
        asked for a retry that is not answered yet. What was stored within the last hour stays
        too. Killed halfway, it leaves nothing that refers to what is gone; the next sweep does
        the rest.

        Args:
            retention: Which missions may go.
            only_look: Say what would go, and remove nothing.
        """

    @abstractmethod
    def compact(self) -> int:
        """Give free space back to the file system; return how many bytes.

        Raises:
            StoreUnavailableError: Others are at work in it; try again later.
        """

    @abstractmethod
    def checkpoint(self) -> None:
        """Fold the write-ahead log into the database, as far as readers let it be."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections; later calls open new ones."""


class ChatModel(ABC):
    """A model that answers, behind whichever server, cache or cassette.

    Promises:

    1. Whatever the server sends comes back as a reply or a `hypernb.errors.ModelError`: no
       other exception, and never later than the call's deadline.
    2. While it can still succeed (too many requests, faults of the server, a lost connection,
       a stream that was cut), a call waits, and tells why and for how long.
    3. A reply holds one try's answer: what came of tries before it is not in it.
    4. Numbers of tokens are whole, not negative and below 2**53, or are not there.
    5. The key is in no reply, no error, no log and no file.
    6. Cancelling the caller closes the connection, and nothing more is sent.
    """

    @abstractmethod
    async def complete(
        self,
        request: ChatRequest,
        *,
        deadline_s: float = 600.0,
        on_text: Callable[[str], None] | None = None,
        on_wait: Callable[[ModelWait], None] | None = None,
    ) -> ChatReply:
        """Ask the model. Cancelling the caller ends the call.

        Args:
            request: What is asked.
            deadline_s: Seconds in all, without those for which the server asked to be left
                alone, and without those that other calls of the same host go first.
            on_text: Told each piece of the text as it comes; an empty one says that what came
                so far does not count, because the call begins anew.
            on_wait: Told before each wait, and with ``wait_s`` 0 when it goes on.

        Raises:
            ModelError: There is no answer that can be used; see its subclasses.
        """

    async def aclose(self) -> None:  # noqa: B027 - most have nothing to close
        """Close the connections that are kept for later calls; a later call opens new ones."""


@dataclass(frozen=True, slots=True)
class ModelWait:
    """Why a call of a model waits.

    Attributes:
        reason: In words: ``too many requests``, ``cannot reach localhost:11434``.
        wait_s: Seconds until it goes on; 0 if it goes on now.
        is_asked: The server asked to be left alone for so long.
        said: What the server said of it, in its words.
        passed_s: Seconds since the call began.
        left_s: Seconds until it is given up; None if nobody knows, or it is not to be.
        is_refused: The server wanted to be asked less, so there is no answer to be paid.
    """

    reason: str
    wait_s: float
    is_asked: bool = False
    said: str = ""
    passed_s: float = 0.0
    left_s: float | None = None
    is_refused: bool = False

    @property
    def words(self) -> str:
        """The reason, with what the server said."""
        return f"{self.reason} ({self.said})" if self.said else self.reason


class Services(ABC):
    """What a runner does for an agent at work, wherever its task runs.

    Every method blocks, and can be called from any thread of the task.

    Promises:

    1. What lies outside the plan that was approved is refused: another model, tool or lane.
    2. No key, and nothing of another mission, reaches the agent.
    3. A call of a model is in the store before it is sent, and settled before it is answered.
    4. A message, a state and an event are in the store before the method returns.
    5. When the attempt is over, every method raises.
    """

    @abstractmethod
    def chat(self, request: ChatRequest) -> ChatReply:
        """Ask a model of the plan; waits for its budget and its server.

        Raises:
            ModelError: There is no answer that can be used.
            BudgetExhaustedError: There is no money for the call, and a person has said that
                there will not be any.
            ContractError: The plan does not allow the model.
        """

    @abstractmethod
    def tell(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Append an event of the task: ``tool.called`` or ``tool.returned``, no other.

        An attempt has two of them for each call that its plan allows, and a few besides; then
        one says that the others are left out.
        """

    @abstractmethod
    def call(self, tool: str, arguments: Mapping[str, Any]) -> KernelCall:
        """Have a tool of a kernel called, and wait for its answer.

        Raises:
            ToolError: The tool failed; the reason is the kernel's.
            ContractError: The plan does not allow the tool.
        """

    @abstractmethod
    def query(self, sql: str, *, limit: int = 100) -> tuple[list[str], list[list[Any]]]:
        """Read the mission's rows in the store: column names and rows; JSON values only.

        Raises:
            QueryError: The statement would write, is wrong, or takes too long.
        """

    @abstractmethod
    def send(self, message: AgentMessage) -> AgentMessage:
        """Send a message to another task or agent of the mission; return it as it was sent."""

    @abstractmethod
    def receive(self, *, wait_s: float = 0.0) -> list[AgentMessage]:
        """Return messages for this task or its agent that are not acknowledged, oldest first.

        Args:
            wait_s: If there are none, wait so long for the first.
        """

    @abstractmethod
    def acknowledge(self, ids: Sequence[str]) -> None:
        """Say that messages were dealt with; they are not received again."""

    @abstractmethod
    def save_state(self, state: Mapping[str, Any], *, version: int) -> int:
        """Keep the state of the task's agent; it survives every process.

        Args:
            state: JSON values only, at most a million bytes.
            version: The one that the state was made from; 0 for none.

        Returns:
            The new version.

        Raises:
            StateConflictError: Somebody has saved a newer one.
        """

    @abstractmethod
    def load_state(self) -> tuple[dict[str, Any], int]:
        """Return the state that was saved last and its version; ``({}, 0)`` if none was."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool is given.

    Attributes:
        root: Directory under audit, absolute.
        files: Tracked files below it, as relative POSIX paths, sorted; all that it may read.
        params: Its arguments from the plan.
        inputs: Outputs of the tasks that its task needs, by task name, None for one that
            failed; and the plan's inputs, by their names.
        failures: Why tasks that its task needs gave nothing, by task name.
        outbox: Directory for files that it leaves to the mission; empty at the start.
        report: Call with a few words on what it is doing and the share done (0 to 1) or None;
            counts as a sign of life.
        services: What the runner does for it; None where there is no runner.
        grants: How much of the plan's inputs a model may be shown, by name; of what is not
            here, nothing. See `AgentWork.variables`.
    """

    root: Path
    files: tuple[str, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    outbox: Path | None = None
    report: Callable[[str, float | None], None] = lambda _words, _share: None
    services: Services | None = None
    grants: Mapping[str, Grant] = field(default_factory=dict)


class Tool(ABC):
    """Something that an agent can do without a model.

    Promises:

    1. It reports only what the program it stands for reports; nothing is invented.
    2. A program that is absent or fails is raised as `ToolAbsentError` or `ToolError`, with the
       reason; it is never an empty list of findings.
    3. It writes nothing below the root, and reads nothing but ``files`` and the project's own
       configuration.
    4. It starts no process that outlives it, and hands no secret of the environment on.
    5. Hostile files (huge, binary, odd names, broken encodings) are counted or named, and
       never end it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    """What it does, in a few words, as the plan shows it."""

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say what it will do with these arguments; a command line if it starts a process."""
        del params
        return self.title

    @abstractmethod
    def run(self, context: ToolContext) -> ToolRun:
        """Do it. Blocking; it runs in a worker process that may be ended at any moment."""
