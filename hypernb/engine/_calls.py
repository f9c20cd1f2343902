"""Calls of models for the tasks of one mission: allowed, reserved, made, settled."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hypernb.engine import _changes as changes
from hypernb.engine._content import Content
from hypernb.engine._models import Way
from hypernb.engine._requests import OVER, raised_from
from hypernb.engine._streaming import Stream
from hypernb.engine._trust import Counted
from hypernb.errors import (
    ConfigError,
    ContractError,
    HypernbError,
    ModelAnswerError,
    ModelError,
    ModelUnavailableError,
)
from hypernb.model import (
    AgentWork,
    CallRecord,
    CallState,
    ChatReply,
    ReplySource,
    TokenUse,
    Usage,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from hypernb.abc import ModelWait, Payload
    from hypernb.engine._attempt import Attempt
    from hypernb.engine._crew import Crew
    from hypernb.engine._mission import MissionRun
    from hypernb.model import ChatRequest, Digest, ModelSpec

_CALLS_PER_STEP: Final = 4
"""A call that fails is no answer; so many of them are not by chance."""
_LONGEST_CALL_S: Final = 600.0
_TOLD_WAIT_S: Final = 1.0
_GOES_ON_S: Final = 2.0
"""A try that takes so long is told; a shorter one has failed, or has answered."""
_FIRST_S: Final = 0.25
_LONGEST_S: Final = 4.0


@dataclass(slots=True, eq=False)
class Call:
    """A call that is under way.

    Attributes:
        record: As it is in the store, or will be.
        worst: How many tokens it can use at most.
        kept: For how many there is money.
        is_sent: The model may have been asked by now.
        asked: The plan's name for the model.
        waits_until: When its server is asked once more, by the monotonic clock.
        is_told_to_wait: Who looks is told that it waits, and not yet that it goes on.
        is_outdated: A person has named another model, while its server was waited for.
    """

    attempt: Attempt
    spec: ModelSpec
    record: CallRecord
    worst: TokenUse
    kept: TokenUse
    is_sent: bool = False
    said_before: str = ""
    stream: Stream | None = None
    asked: str = ""
    asking: asyncio.Task[ChatReply] | None = None
    waits_until: float = 0.0
    is_told_to_wait: bool = False
    is_outdated: bool = False


@dataclass(slots=True)
class _Used:
    """What an attempt has had of its model."""

    begun: int = 0
    answers: int = 0
    tokens: int = 0
    open: dict[str, Call] = field(default_factory=dict)


class _Agreed(NamedTuple):
    """A call that may be made; see `Call`."""

    spec: ModelSpec
    worst: TokenUse
    kept: TokenUse
    cost: float | None


class Calls:
    """Makes calls for the attempts of a mission.

    A call is a row of the store before it is sent, with its worst case reserved, and is
    settled before whoever asked has the answer; see `hypernb.abc.Services`.
    """

    def __init__(self, crew: Crew, run: MissionRun) -> None:
        self._crew = crew
        self._run = run
        self._used: dict[str, _Used] = {}
        self._way = Way.of(run.plan, run.record.id)
        self.content = Content(run.plan.content, crew.models.secrets)
        self._loop = asyncio.get_running_loop()

    async def chat(self, attempt: Attempt, request: ChatRequest) -> ChatReply:
        """Ask a model for an attempt. Cancelling the caller ends the call.

        Raises:
            ContractError: The plan does not allow it.
            BudgetExhaustedError: There is no money for it, and there will be none.
            ModelError: There is no answer that can be used.
        """
        used = self._used.setdefault(attempt.key, _Used())
        times = 0
        while True:
            try:
                reply = await self._ask(attempt, request, used)
                if reply is not None:
                    return reply
                used.begun -= 1  # it is the same question, to another model
            except ModelAnswerError as error:
                times += 1
                if times >= error.may_be_put or not self._run.has(attempt):
                    raise
                used.begun -= 1  # it is the same question
                await self._crew.clock.sleep(min(_FIRST_S * 2.0**times, _LONGEST_S))

    async def _ask(
        self, attempt: Attempt, request: ChatRequest, used: _Used
    ) -> ChatReply | None:
        """Ask once, with money of its own: what has begun is paid, whatever comes of it.

        Returns:
            None if its server was waited for until a person has named another model.
        """
        await self._run.go.wait()
        agreed = await self._agreed(attempt, request, used)
        if not self._run.has(attempt):  # it ended while its money was waited for
            raise raised_from(OVER)
        call = self._opened(attempt, request, agreed)
        used.open[call.record.id] = call
        try:
            await self._tell_of(call, request)
            reply = await self._made(call, request)
            await self._settle(used, call, reply)
        except HypernbError as error:
            told = self.content.of_error(error)
            await self._fail(used, call, told)
            if call.is_outdated and self._run.has(attempt):
                return None
            raise told from None
        except Exception:
            # Nobody foresaw it, and what is kept for the call would be kept for ever.
            if call.record.id in used.open:
                self._lose(used, call, BROKEN)
            raise
        await self._run.go.wait()
        return reply

    # -- whether it may be made ---------------------------------------------------------

    async def _agreed(self, attempt: Attempt, request: ChatRequest, used: _Used) -> _Agreed:
        """Return the model, and what is kept for the call; as the contract is by then."""
        while True:
            spec = self._allowed(attempt, request)
            _require_room(attempt, used)
            worst = await asyncio.to_thread(_worst_case, spec, request)
            kept = self._run.funds.trust.most(spec, worst)
            cost = self._priced(attempt, spec, kept)
            if not cost or await self._kept(attempt, cost):
                used.begun += 1
                return _Agreed(spec, worst, kept, cost)

    def _allowed(self, attempt: Attempt, request: ChatRequest) -> ModelSpec:
        task, plan = attempt.task, self._run.plan
        spec = self._run.contract.models.get(request.model)
        work = task.work
        if not isinstance(work, AgentWork) or request.model != work.model or spec is None:
            raise ContractError(
                f"Task {task.name!r} cannot ask the model {request.model[:80]!r}: its plan "
                "does not name it.",
                hint="Plan the task with that model, and have it approved.",
            )
        hosts = task.hosts or plan.hosts
        # A model that a person has put in the place of the plan's is signed with its host.
        is_planned = spec == plan.models.get(request.model)
        if is_planned and hosts and spec.host not in {host.lower() for host in hosts}:
            raise ContractError(
                f"Task {task.name!r} cannot ask {spec.host}: its plan allows only "
                f"{', '.join(hosts)}.",
                hint="Plan it with that host, and have it approved.",
            )
        return spec

    def _priced(self, attempt: Attempt, spec: ModelSpec, worst: TokenUse) -> float | None:
        if self._way.is_replay:
            return 0.0
        if spec.price is not None:
            return spec.price.cost(worst)
        budget = self._run.course.budget
        if budget.limit is None and attempt.task.cap_cost is None:
            return None
        raise ContractError(
            f"Task {attempt.task.name!r} cannot ask {spec.name}: nobody knows what it costs, "
            "so no budget can hold it.",
            # The plan has the price that was known when it was made: no file changes that.
            hint=f"Give {spec.name} a price in your config.toml (0 if it is free) and plan "
            "anew, or plan without a budget.",
        )

    async def _kept(self, attempt: Attempt, cost: float) -> bool:
        """Wait for the money; the attempt's clock stands still meanwhile."""
        what = f"money {new_id()}"
        attempt.hold(self._crew.clock.monotonic(), what)
        try:
            return await self._run.funds.keep(attempt, cost)
        finally:
            attempt.let_go(self._crew.clock.monotonic(), what)

    # -- making it ----------------------------------------------------------------------

    def _opened(self, attempt: Attempt, request: ChatRequest, agreed: _Agreed) -> Call:
        spec, worst, kept, cost = agreed
        record = CallRecord(
            id=new_id(),
            mission_id=self._run.record.id,
            state=CallState.RESERVED,
            at=self._crew.clock.now(),
            task_id=attempt.task_id,
            task=attempt.task.name,
            attempt=attempt.number,
            agent=attempt.task.agent,
            model=spec.name,
            host=spec.host,
            purpose=request.purpose,
            reserved=cost,
        )
        said = attempt.words
        return Call(attempt, spec, record, worst, kept, said_before=said, asked=request.model)

    async def _tell_of(self, call: Call, request: ChatRequest) -> None:
        """Have the store know of a call before anybody else does."""
        kept = await asyncio.to_thread(self.content.of_request, request, call.spec)
        call.record = replace(call.record, request_hash=kept.hash, request=kept.digest)
        at = call.record.at
        call.attempt.words = f"asks {call.record.model}"
        told = [changes.requested(at, call.record, tokens=call.kept.total, said=kept.said)]
        if call.record.reserved:
            budget = self._run.course.budget
            left = max(0.0, budget.left - self._run.funds.reserved())
            told.append(
                changes.reserved(at, call.record, left=None if budget.limit is None else left)
            )
        await self._run.submit(told, kept.payloads)

    async def _made(self, call: Call, request: ChatRequest) -> ChatReply:
        attempt = call.attempt
        left_s = attempt.task.timeout_s - attempt.vital().worked_s(self._crew.clock.monotonic())
        if self.content.is_full:
            call.stream = Stream(
                self._crew.models.secrets,
                lambda text, anew: self._from_thread(
                    lambda: self._heard(call, text, begins_anew=anew)
                ),
            )
        call.is_sent = True
        try:
            asking = self._crew.models.complete(
                call.spec,
                request,
                way=self._way_of(attempt),
                deadline_s=max(1.0, min(_LONGEST_CALL_S, left_s)),
                on_text=call.stream.take if call.stream is not None else None,
                on_wait=lambda wait: self._from_thread(lambda: self._waits(call, wait)),
            )
            reply = await self._unless_outdated(call, asking)
            if call.stream is not None:
                call.stream.end()
            return reply
        finally:
            attempt.let_go(self._crew.clock.monotonic(), call.record.id)

    async def _unless_outdated(
        self, call: Call, asking: Coroutine[Any, Any, ChatReply]
    ) -> ChatReply:
        call.asking = self._loop.create_task(asking, name=f"call {call.record.id}")
        try:
            return await call.asking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not call.is_outdated or (task is not None and task.cancelling()):
                raise
            gave = "did not answer, and another model is asked instead"
            raise ModelUnavailableError(call.spec.name, call.spec.host, gave) from None

    def renew(self) -> None:
        """Ask anew what waits for its server, where the contract names another model by now."""
        for used in self._used.values():
            for call in used.open.values():
                self._renew(call)

    def _renew(self, call: Call) -> None:
        # Only while nothing is under way: what was asked may have to be paid.
        left_s = call.waits_until - self._crew.clock.monotonic()
        is_other = self._run.contract.models.get(call.asked) != call.spec
        if call.asking is not None and is_other and left_s > _TOLD_WAIT_S / 2:
            call.is_outdated = True
            call.asking.cancel()

    def _way_of(self, attempt: Attempt) -> Way:
        """Return how an attempt asks: what has effects, or did not work, is asked anew."""
        task, work = attempt.task, attempt.task.work
        has_effects = not task.repeatable or (
            isinstance(work, AgentWork) and bool(work.lanes or work.function)
        )
        if self._way.is_replay or not (has_effects or attempt.number > 1):
            return self._way
        return replace(self._way, cache_s=0.0)

    def _is_open(self, call: Call) -> bool:
        used = self._used.get(call.attempt.key)
        return used is not None and call.record.id in used.open

    def _from_thread(self, tell: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody hears it
            self._loop.call_soon_threadsafe(tell)

    def _heard(self, call: Call, text: str, *, begins_anew: bool) -> None:
        if not self._is_open(call) or self._run.is_ending or self._crew.writer.is_full:
            return
        at = self._crew.clock.now()
        self._run.submit([changes.streamed(at, call.record, text, begins_anew=begins_anew)])

    def _waits(self, call: Call, wait: ModelWait) -> None:
        if not self._is_open(call) or self._run.is_ending:
            return
        now = self._crew.clock.monotonic()
        if not self.content.is_full:
            wait = replace(wait, said="")
        if wait.wait_s > 0 and wait.is_asked:
            call.attempt.hold(now, call.record.id)
        elif wait.wait_s <= 0:
            call.attempt.let_go(now, call.record.id)
        call.waits_until = now + wait.wait_s
        self._renew(call)
        if wait.wait_s > 0:
            if wait.is_asked or wait.wait_s >= _TOLD_WAIT_S:
                self._tell_wait(call, wait)
        elif wait.is_asked:
            self._tell_wait(call, wait)
        else:
            # Most servers that cannot be reached are not there a moment later, either.
            self._loop.call_later(_GOES_ON_S, self._goes_on, call, wait)

    def _goes_on(self, call: Call, wait: ModelWait) -> None:
        is_waiting = call.waits_until > self._crew.clock.monotonic()
        if call.is_told_to_wait and not is_waiting and self._is_open(call):
            self._tell_wait(call, wait)

    def _tell_wait(self, call: Call, wait: ModelWait) -> None:
        call.is_told_to_wait = wait.wait_s > 0
        words = call.attempt.words or call.said_before
        at = self._crew.clock.now()
        self._run.submit([changes.waited(at, call.record, wait, words=words)])

    # -- what came of it ----------------------------------------------------------------

    def _over(self, used: _Used, call: Call) -> None:
        """Let go of what was kept for a call; once."""
        del used.open[call.record.id]
        self._run.funds.free(call.attempt, call.record.reserved or 0.0)

    async def _settle(self, used: _Used, call: Call, reply: ChatReply) -> None:
        kept = await asyncio.to_thread(self.content.of_reply, reply)
        if call.record.id not in used.open:
            return  # its attempt ended, and it counts as lost
        is_credible = reply.use is not None and reply.use.is_credible(call.worst)
        said = reply.use if is_credible else None
        counted = self._counted(call, reply, said)
        use = counted.use if counted is not None else said
        cost, paid = self._cost(call, reply, counted.cost if counted is not None else None)
        claimed = counted.claimed if counted is not None else None
        used.answers += 1
        tokens = use or TokenUse()
        used.tokens += tokens.total if use is not None else call.worst.total
        at = self._crew.clock.now()
        call.record = replace(
            call.record,
            state=CallState.SETTLED,
            source=reply.source.value,
            ended_at=at,
            cost=cost,
            input_tokens=tokens.input_tokens,
            output_tokens=tokens.output_tokens,
            cached_tokens=tokens.cached_tokens,
            tries=reply.tries,
            reply=kept.digest,
        )
        facts = {
            "duration_s": round(reply.duration_s, 3),
            "first_token_s": reply.first_token_s,
            "finish": reply.finish.value,
            **kept.said,
        }
        if claimed is not None:
            facts["claimed"] = claimed.model_dump()
        await self._pay(used, call, paid, facts, payloads=kept.payloads, claimed=claimed)

    def _counted(self, call: Call, reply: ChatReply, said: TokenUse | None) -> Counted | None:
        """Return what counts of what a server says; None if nothing does, or has a price."""
        price = call.spec.price
        if said is None or price is None or reply.source is not ReplySource.LIVE:
            return None
        is_bounded = (
            self._run.course.budget.limit is not None or call.attempt.task.cap_cost is not None
        )
        if not is_bounded or not call.record.reserved:
            return Counted(said, price.cost(said))
        return self._run.funds.trust.count(call.spec, said, call.kept)

    def _cost(
        self, call: Call, reply: ChatReply, cost: float | None
    ) -> tuple[float | None, float | None]:
        """Return what a call has cost, as far as it is known, and what counts as paid."""
        if reply.source is not ReplySource.LIVE:
            return 0.0, None
        if call.spec.price is None:
            return None, 0.0
        if cost is None and call.record.reserved:
            # It was paid, and nobody says how much: the worst case keeps the budget whole.
            return None, call.record.reserved
        return cost or 0.0, cost or 0.0

    async def _pay(
        self,
        used: _Used,
        call: Call,
        paid: float | None,
        facts: Mapping[str, object],
        *,
        payloads: Mapping[Digest, Payload] | None = None,
        claimed: TokenUse | None = None,
    ) -> None:
        record = call.record
        at = record.ended_at or self._crew.clock.now()
        usage = None
        if paid is not None:
            usage = Usage(paid, record.model, record.input_tokens, record.output_tokens)
        self._over(used, call)  # from here on nothing can be wrong with it
        if usage is not None:
            self._run.course.take(call.attempt, usage)
        told = [changes.responded(at, record, usage=usage, facts=facts)]
        if paid:
            told.append(changes.call_settled(at, record, paid))
        told += self._run.funds.warn(at)
        if claimed is not None:
            news = self._run.funds.trust.note(call.spec, claimed, call.worst, call.kept)
            told += [changes.distrusted(at, news)] if news is not None else []
        committed = self._run.funds.pay(told, payloads or {})
        self._run.funds.look_again()
        if committed is not None:
            await committed

    async def _fail(self, used: _Used, call: Call, error: HypernbError) -> None:
        if call.record.id not in used.open:
            return
        at = self._crew.clock.now()
        said = self.content.scrubbed(str(error))
        if call.is_sent and not isinstance(error, ModelError | ConfigError):
            # A model's error says what was used, a setting's that nothing was. Any other may
            # have come after an answer.
            self._lose(used, call, said[:2_000])
            return
        state = CallState.FAILED
        call.record = replace(call.record, state=state, ended_at=at, error=said[:2_000])
        facts = {"error": said[:1_000], "code": error.code}
        read, wrote = error.used if isinstance(error, ModelError) else (0, 0)
        use = TokenUse(input_tokens=read, output_tokens=wrote)
        if use.total:
            await self._pay_for_nothing(used, call, use, facts)
            return
        self._over(used, call)
        if not self._run.broken:
            await self._run.submit([changes.responded(at, call.record, facts=facts)])

    async def _pay_for_nothing(
        self, used: _Used, call: Call, use: TokenUse, facts: Mapping[str, object]
    ) -> None:
        """Settle a call whose answers began, and are paid, and could not be used."""
        price = call.spec.price
        used.tokens += use.total
        call.record = replace(
            call.record,
            cost=None if price is None else price.cost(use),
            input_tokens=use.input_tokens,
            output_tokens=use.output_tokens,
        )
        await self._pay(used, call, call.record.cost or 0.0, facts)

    # -- the end of an attempt ----------------------------------------------------------

    def close(self, attempt: Attempt) -> None:
        """Settle what an attempt that is over has not had an answer to."""
        used = self._used.pop(attempt.key, None)
        if used is None:
            return
        for call in list(used.open.values()):
            self._lose(used, call, ENDED)

    def _lose(self, used: _Used, call: Call, why: str) -> None:
        """Settle a call without an answer; if the model may have been asked, as paid."""
        at = self._crew.clock.now()
        state = CallState.LOST if call.is_sent else CallState.FAILED
        reserved = call.record.reserved if call.is_sent else None
        call.record = replace(call.record, state=state, ended_at=at, error=why, cost=reserved)
        self._over(used, call)
        told = changes.lost(at, call.record)
        if told[0].usage is not None:
            self._run.course.take(call.attempt, told[0].usage)
        self._run.funds.pay(told)


ENDED: Final = "its attempt ended before the answer"
BROKEN: Final = "it failed inside hypernb"


def _worst_case(spec: ModelSpec, request: ChatRequest) -> TokenUse:
    from hypernb.llm import worst_case

    return worst_case(spec, request)


def _require_room(attempt: Attempt, used: _Used) -> None:
    work = attempt.task.work
    assert isinstance(work, AgentWork)  # noqa: S101 - narrows the type
    is_full = used.answers + len(used.open) >= work.steps
    if is_full or used.begun >= work.steps * _CALLS_PER_STEP:
        raise ContractError(
            f"Task {attempt.task.name!r} has had all the answers that its plan allows "
            f"({work.steps} steps).",
            hint="Plan it with more steps.",
        )
    if used.tokens >= work.tokens:
        raise ContractError(
            f"Task {attempt.task.name!r} has used all the tokens that its plan allows "
            f"({used.tokens:,} of {work.tokens:,}).",
            hint="Plan it with more tokens.",
        )
