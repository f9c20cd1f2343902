"""Calls of a model while it plans: made, counted, and kept for the mission that pays them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.abc import ChatModel, Payload
from hypernb.clock import SystemClock
from hypernb.errors import (
    BudgetExhaustedError,
    HypernbError,
    KeyMissingError,
    ModelAnswerError,
    ModelError,
    dollars,
)
from hypernb.model import (
    CallRecord,
    CallState,
    MissionId,
    ReplySource,
    TokenUse,
    new_id,
)
from hypernb.redact import without_keys
from hypernb.session._hosting import keys_here

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from hypernb.abc import ModelWait, Store
    from hypernb.model import ChatReply, ChatRequest, Digest, ModelSpec

_AGAIN_S: Final = 0.5


class Ledger(ChatModel):
    """Asks one model, within a budget, and keeps a record of each call.

    Args:
        store: Tells keys apart, and has the cache of answers.
        spec: The model.
        root: The project's folder.
        contract: What the person has set: ``budget``, ``cassette``, ``cache_s``, ``content``.
        keep: Has bytes stored with the plan.
        note: Has a call stored as it is now, with what was said: before it is made, and when
            it is over. What a cassette answers is not told of; nobody is asked then.

    Attributes:
        content: How much of what is said is kept, as in `hypernb.model.PlanSpec`.
        payloads: What was said, if that is to be kept.

    Raises:
        KeyMissingError: The model's key is not in the environment.
    """

    def __init__(  # noqa: PLR0913 - each is named at the call
        self,
        store: Store,
        spec: ModelSpec,
        contract: Mapping[str, Any],
        *,
        root: str,
        keep: Callable[[Payload], Digest],
        note: Callable[[CallRecord, Sequence[Payload]], None],
        profiles: Collection[str] = (),
    ) -> None:
        from hypernb.engine import ModelDesk, Trust, Way

        self._spec = spec
        cassette = contract.get("cassette") or ""
        self.content = contract.get("content") or "full"
        cache_s = contract.get("cache_s") or 0.0 if self.content == "full" else 0.0
        self._way = Way(cassette, cache_s, root if cassette else "")
        key = os.environ.get(spec.key, "").strip() if spec.key else ""
        if spec.key and not key and not self._way.is_replay:
            raise KeyMissingError(spec.name, spec.host, spec.key, profiles=profiles)
        self._clock = SystemClock()
        # All keys that are here: the others are covered up in what this model is told.
        keys = keys_here(Path(root) if root else None) | ({spec.key: key} if key else {})
        self._desk = ModelDesk(keys, store, self._clock)
        self._budget: float | None = contract.get("budget")
        self._keep = keep
        self._tell = note
        self._trust = Trust()
        self._claimed = ""
        self._calls: list[CallRecord] = []
        self._sent_bytes = 0
        self.payloads: list[Payload] = []
        self.on_wait: Callable[[ModelWait], None] = _ignore
        """Told before each wait of a call, if the call does not say who is."""

    @property
    def calls(self) -> tuple[CallRecord, ...]:
        """The records, oldest first."""
        return tuple(self._calls)

    def covered(self, text: str) -> str:
        """Return a text without the keys that are here."""
        return without_keys(text, self._desk.secrets)

    def kept_of(self, error: Exception) -> Exception:
        """Return what of an error may be kept with the plan."""
        if self.content == "full" or not isinstance(error, HypernbError):
            return error
        return error.unquoted()

    @property
    def spent(self) -> float:
        """What was paid so far, in dollars; the worst case where a server does not count."""
        return sum(each.paid for each in self._calls)

    def notes(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return what a person should know of it: what it has told whom, and what it cost.

        Args:
            names: Of the variables that the model was told of.
        """
        from hypernb.views import told_planner

        told = (told_planner(self._sent_bytes, self._spec.host, sorted(names)),)
        return (*(told if self._sent_bytes else ()), *self._costs())

    def _costs(self) -> tuple[str, ...]:
        if self.spent:
            # Where a server was broken off, what was kept for it counts.
            most = "at most " if any(each.is_lost for each in self._calls) else ""
            paid = f"{most}{dollars(self.spent)}"
            cost = f"Planning has cost {paid}, which counts as the mission's."
            return (cost, self._claimed) if self._claimed else (cost,)
        live = [each for each in self._calls if each.is_live]
        tokens = sum(each.input_tokens + each.output_tokens for each in live)
        if not tokens or self._spec.price is not None:
            return ()
        return (f"Planning has used {tokens:,} tokens; what they cost is not known.",)

    async def complete(
        self,
        request: ChatRequest,
        *,
        deadline_s: float = 600.0,
        on_text: Callable[[str], None] | None = None,
        on_wait: Callable[[ModelWait], None] | None = None,
    ) -> ChatReply:
        """Ask the model. Cancelling the caller ends the call, which then counts as paid.

        Raises:
            ModelError: There is no answer that can be used.
            BudgetExhaustedError: The call could cost more than is left.
            ConfigError: The cassette cannot be used.
        """
        times = 0
        while True:
            try:
                return await self._ask(request, deadline_s, on_text, on_wait)
            except ModelAnswerError as error:
                times += 1
                if times >= error.may_be_put:
                    raise
                await self._clock.sleep(_AGAIN_S * times)

    async def _ask(
        self,
        request: ChatRequest,
        deadline_s: float,
        on_text: Callable[[str], None] | None,
        on_wait: Callable[[ModelWait], None] | None,
    ) -> ChatReply:
        """Ask once, with money of its own: what has begun is paid, whatever comes of it.

        It is in the store before it is asked, and after all that can hinder it here.
        """
        from hypernb.engine import exceeds

        most, kept = self._most(request)
        price = None if self._way.is_replay else self._spec.price
        worst = price.cost(kept) if price is not None else None
        if self._budget is not None and worst and exceeds(self.spent + worst, self._budget):
            more = "A larger budget, or a cheaper model, lets a model plan."
            raise BudgetExhaustedError(self.spent, self._budget, next_call=worst, hint=more)
        await self._desk.open(self._spec, self._way)
        call = self._begun(request, worst)
        reach = _Reach(on_text or _hear_nothing, on_wait or self.on_wait)
        facts: dict[str, Any] = {"state": CallState.LOST, "cost": worst}
        try:
            reply = await self._desk.complete(
                self._spec,
                request,
                way=self._way,
                deadline_s=deadline_s,
                on_text=reach.hear,
                on_wait=reach.wait,
            )
        except ModelError as error:
            facts = self._failed(error)
            raise
        except asyncio.CancelledError:
            facts["error"] = "it was broken off before its answer came"
            if reach.is_free:
                facts = {"state": CallState.FAILED, "error": reach.obstacle}
            raise
        else:
            facts = self._settled(reply, most, kept)
            return reply
        finally:
            self._end(replace(call, ended_at=self._clock.now(), **facts))
            if self._calls[-1].is_live and not reach.has_reached_nobody:
                self._sent_bytes += sum(len(each.content.encode()) for each in request.messages)

    def close(self) -> None:
        """Close connections."""
        self._desk.close()

    def _most(self, request: ChatRequest) -> tuple[TokenUse, TokenUse]:
        """Return what a call can use, and what is kept for it."""
        from hypernb.llm import worst_case

        most = worst_case(self._spec, request)
        return most, self._trust.most(self._spec, most)

    def _counted(
        self, reply: ChatReply, most: TokenUse, kept: TokenUse
    ) -> tuple[TokenUse | None, float | None]:
        """Return what counts of what a server says: within a budget, what was kept."""
        is_live = reply.source is ReplySource.LIVE
        if reply.use is None or self._budget is None or not self._spec.price or not is_live:
            return reply.use, reply.cost
        counted = self._trust.count(self._spec, reply.use, kept)
        if counted.claimed is not None:
            told = self._trust.note(self._spec, counted.claimed, most, kept)
            if told is not None:
                from hypernb.views.words import claim_words

                self._claimed = f"{self._spec.name} {claim_words(told)}"
        return counted.use, counted.cost

    def _failed(self, error: ModelError) -> dict[str, Any]:
        read, wrote = error.used
        use = TokenUse(input_tokens=read, output_tokens=wrote)
        price = self._spec.price
        return {
            "state": CallState.FAILED,
            "error": self.covered(str(self.kept_of(error))),
            "cost": price.cost(use) if price is not None and use.total else None,
            "input_tokens": read,
            "output_tokens": wrote,
        }

    def _settled(self, reply: ChatReply, most: TokenUse, kept: TokenUse) -> dict[str, Any]:
        use, cost = self._counted(reply, most, kept)
        return {
            "state": CallState.SETTLED,
            "cost": cost,
            "source": reply.source.value,
            "tries": reply.tries,
            "input_tokens": use.input_tokens if use else 0,
            "output_tokens": use.output_tokens if use else 0,
            "cached_tokens": use.cached_tokens if use else 0,
            "reply": self._kept(reply.model_dump_json()),
        }

    def _begun(self, request: ChatRequest, worst: float | None) -> CallRecord:
        """Return the call that is about to be made; it is in the store then."""
        from hypernb.agents import STRATEGIST
        from hypernb.llm import request_hash

        is_hashed = self.content != "none"
        call = CallRecord(
            id=new_id(),
            mission_id=MissionId(""),  # the store fills it in
            state=CallState.RESERVED,
            at=self._clock.now(),
            agent=STRATEGIST,
            model=self._spec.name,
            host=self._spec.host,
            purpose=request.purpose,
            reserved=worst,
            request_hash=request_hash(request, self._spec) if is_hashed else "",
            request=self._kept(request.model_dump_json()),
        )
        self._noted(call)
        return call

    def _end(self, call: CallRecord) -> None:
        self._calls.append(call)
        self._noted(call)

    def _noted(self, call: CallRecord) -> None:
        if not self._way.is_replay:
            self._tell(call, self.payloads[-1:])

    def _kept(self, text: str) -> Digest | None:
        if self.content != "full":
            return None
        payload = Payload("application/json", self.covered(text).encode())
        self.payloads.append(payload)
        return self._keep(payload)


class _Reach:
    """Hears of a call whether its server may answer: what it cannot, need not be paid."""

    def __init__(
        self, on_text: Callable[[str], None], on_wait: Callable[[ModelWait], None]
    ) -> None:
        self._on_text = on_text
        self._on_wait = on_wait
        self._may_have_reached = False
        self._may_be_paid = False
        self.obstacle = ""
        """Why it waits to be sent again; empty while it is under way."""

    @property
    def has_reached_nobody(self) -> bool:
        return bool(self.obstacle) and not self._may_have_reached

    @property
    def is_free(self) -> bool:
        """Whether it waits, and so far was only refused, or has reached nobody."""
        return bool(self.obstacle) and not self._may_be_paid

    def hear(self, piece: str) -> None:
        self._may_have_reached = self._may_be_paid = True
        self._on_text(piece)

    def wait(self, wait: ModelWait) -> None:
        has_reached = not wait.reason.startswith("cannot reach ")
        self._may_have_reached |= has_reached
        self._may_be_paid |= has_reached and not wait.is_refused
        self.obstacle = wait.reason if wait.wait_s else ""
        self._on_wait(wait)


def _hear_nothing(piece: str) -> None:
    del piece


def _ignore(wait: ModelWait) -> None:
    del wait
