"""One call of a model: tries, until there is an answer or nothing can come of it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any, Final, NoReturn

import orjson

from hypernb.abc import ModelWait
from hypernb.errors import (
    KeyMissingError,
    ModelError,
    ModelRefusedError,
    ModelUnavailableError,
)
from hypernb.llm._chat_answers import ChatDraft
from hypernb.llm._faults import (
    AnswerFault,
    ServerSaid,
    TransportFault,
    is_about_context,
    of_status,
    said_of,
    unknown_model,
)
from hypernb.llm._responses_answers import ResponsesDraft
from hypernb.llm._retry import Patience, backoff_s, limit, retry_after_s
from hypernb.llm._sizes import broken_off, worst_case
from hypernb.llm._stream import AnswerReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from hypernb.llm._gate import Permit, Turn
    from hypernb.llm._openai import OpenAIModel
    from hypernb.model import ChatReply, ChatRequest, TokenUse

_MOST_UNUSABLE: Final = 3
_MOST_BROKEN_OFF: Final = 5
_LESS: Final = (
    "Have it write less at once (max_output_tokens), give it more time (timeout_s), or take "
    "another model."
)
_DRAIN_S: Final = 0.1
_GOODBYE_S: Final = 5.0
"""For what may follow a whole answer: its usage, and the end of the stream."""
_NO_KEY: Final = 401
_NOT_FOUND: Final = 404
_REDIRECTS: Final = range(300, 400)
_RNG: Final = Random()  # noqa: S311 - spreads waits; nothing is kept secret by it


class Call:
    """Asks until there is an answer; see `hypernb.abc.ChatModel.complete`."""

    def __init__(
        self,
        model: OpenAIModel,
        request: ChatRequest,
        deadline_s: float,
        on_text: Callable[[str], None] | None,
        on_wait: Callable[[ModelWait], None] | None,
    ) -> None:
        self._model = model
        self._spec = model.spec
        self._request = request
        self._deadline_s = deadline_s
        self._on_text = on_text or (lambda _text: None)
        self._hear = on_wait or (lambda _wait: None)
        self._patience = Patience(model.clock, deadline_s)
        self._tries = 0
        self._failures = 0
        self._unusable = 0
        self._used = (0, 0)
        self._broken_off = 0
        self._began = ("", 0)
        self._last: TransportFault | None = None
        self._has_told = False
        self._first_s: float | None = None
        self._held = ""

    async def run(self) -> ChatReply:
        """Return the answer. Cancelling the caller closes the connection.

        Raises:
            ModelError: There is none that can be used.
        """
        try:
            async with limit(self._model.clock, lambda: self._patience.left_s):
                return await self._until_answered()
        except TimeoutError:
            error: ModelError = self._unavailable()
        except ModelError as problem:
            error = problem
        error.used = self._used
        raise error from None

    async def _until_answered(self) -> ChatReply:
        while True:
            permit, told = await self._turn()
            try:
                if told is not None:
                    self._on_wait(replace(told, wait_s=0.0))
                reply = await self._try()
            except TransportFault as fault:
                pause_s = self._failed(fault, permit)
                self._require_whole_answers(fault)
                wait = ModelWait(fault.reason, pause_s, said=fault.said)
            except AnswerFault as fault:
                pause_s = self._answered_wrongly(fault)
                self._require_unpaid(fault)
                wait = ModelWait(f"{self._spec.name} {fault.problem}", pause_s)
            else:
                self._model.gate.served(permit)
                return reply
            finally:
                self._model.gate.leave(permit)
            await self._pause(wait)

    async def _turn(self) -> tuple[Permit, ModelWait | None]:
        told: list[ModelWait] = []

        def hear(turn: Turn) -> None:
            self._patience.excuse(excused=turn.is_excused)
            if turn.wait is not None:
                told.append(turn.wait)
                self._on_wait(turn.wait)

        with self._patience.waiting():
            permit = await self._model.gate.enter(self._spec.host, hear)
        return permit, told[-1] if told else None

    def _failed(self, fault: TransportFault, permit: Permit) -> float:
        """Take note of a fault; return how long to wait by oneself."""
        if isinstance(fault, _Reworded):
            return 0.0
        self._last = fault
        self._failures += 1
        if fault.is_refusal:
            # The gate keeps all calls to this host waiting, and tells them.
            self._model.gate.refused(permit, fault.reason, fault.retry_after_s, said=fault.said)
            return 0.0
        return backoff_s(self._failures, _RNG)

    def _answered_wrongly(self, fault: AnswerFault) -> float:
        self._unusable += 1
        if fault.is_final or self._unusable >= _MOST_UNUSABLE:
            evidence, _ = self._model.mask.split(fault.evidence)
            raise fault.error(self._spec, evidence, self._unusable) from None
        return backoff_s(self._unusable, _RNG)

    def _require_whole_answers(self, fault: TransportFault) -> None:
        """Ask no more where answers begin, are paid, and do not end."""
        if self._broken_off < self._model.begun_at_most:
            return
        problem = "has broken off its answer"
        if self._broken_off > 1:
            problem = f"has broken off {self._broken_off} answers of one call, the last one"
        text, characters = self._began
        self._begun(
            AnswerFault(f"{problem}: {fault.reason}", text, characters=characters, hint=_LESS),
            may_be_put=_MOST_BROKEN_OFF,
        )

    def _require_unpaid(self, fault: AnswerFault) -> None:
        if self._broken_off >= self._model.begun_at_most:
            self._begun(fault, may_be_put=_MOST_UNUSABLE)

    def _begun(self, fault: AnswerFault, *, may_be_put: int) -> NoReturn:
        evidence, _ = self._model.mask.split(fault.evidence)
        error = fault.error(self._spec, evidence, 1)
        error.may_be_put = may_be_put
        raise error

    def _on_wait(self, wait: ModelWait) -> None:
        left_s = None if wait.is_asked else max(0.0, self._patience.left_s)
        self._hear(replace(wait, passed_s=self._patience.passed_s, left_s=left_s))

    async def _pause(self, wait: ModelWait) -> None:
        if self._has_told:
            self._has_told = False
            self._on_text("")
        if wait.wait_s > 0:
            self._on_wait(wait)
            await self._model.clock.sleep(wait.wait_s)
            self._on_wait(replace(wait, wait_s=0.0))

    async def _try(self) -> ChatReply:
        """Ask once.

        Raises:
            TransportFault: It failed, and may succeed.
            AnswerFault: What came is no answer.
            ModelError: It would fail again.
        """
        self._tries += 1
        clock, timeout_s = self._model.clock, self._spec.timeout_s
        until = clock.monotonic() + timeout_s
        draft = ChatDraft() if self._spec.api == "chat" else ResponsesDraft()
        reader = AnswerReader()
        is_whole = False
        try:
            async with limit(clock, lambda: until - clock.monotonic()):
                await self._ask(draft, reader)
            is_whole = True
        except TimeoutError:
            reason = f"{self._spec.host} took longer than {timeout_s:g} s for an answer"
            raise TransportFault(reason) from None
        except ServerSaid as said:
            raise self._said(said.body) from None
        finally:
            if not is_whole:
                self._note_broken_off(draft, reader)
        return self._reply(draft)

    def _note_broken_off(self, draft: ChatDraft | ResponsesDraft, reader: AnswerReader) -> None:
        """Add up what is paid for an answer that has begun and will not be used."""
        size = draft.size or reader.unread
        if not (size or draft.has_begun):
            return
        self._broken_off += 1
        self._began = (draft.beginning or reader.evidence, size)
        use = broken_off(self._spec, self._request, size)
        read, wrote = self._used
        self._used = (read + use.input_tokens, wrote + use.output_tokens)

    async def _ask(self, draft: ChatDraft | ResponsesDraft, reader: AnswerReader) -> None:
        params = self._model.dialect.words(self._request)
        self._first_s, self._held = None, ""
        async with AsyncExitStack() as stack:
            chunks = await self._open(stack, params)
            while (chunk := await self._next(chunks, draft)) is not None:
                for data in reader.feed(chunk):
                    self._tell(draft.event(data), draft)
                if draft.is_done:
                    await self._drain(chunks)
                    break
        for data in [] if draft.is_done else reader.end():
            self._tell(draft.event(data), draft)
        if reader.is_stream:
            draft.end(reader.evidence)
        else:
            draft.body(reader.body())

    async def _open(
        self, stack: AsyncExitStack, params: dict[str, Any]
    ) -> AsyncGenerator[bytes, None]:
        from hypernb.llm import _wire

        client = self._model.client()
        ask: Any
        if self._spec.api == "chat":
            ask = client.chat.completions.with_streaming_response.create
            asked = {"model": params["model"], "messages": []}
        else:
            ask = client.responses.with_streaming_response.create
            asked = {"model": params["model"]}
        try:
            # As a body: parameters are walked through type by type, which for a request with
            # tools takes openai longer than all that is done for the call here.
            response = await stack.enter_async_context(ask(**asked, extra_body=params))
        except _wire.APIStatusError as problem:
            raise await self._of_status(problem, params) from None
        except Exception as problem:  # noqa: BLE001 - the border to whatever a server sends
            raise _wire.fault_of(self._spec, problem) from None
        chunks: AsyncGenerator[bytes, None] = response.iter_bytes()
        return await stack.enter_async_context(aclosing(chunks))

    async def _next(
        self, chunks: AsyncGenerator[bytes, None], draft: ChatDraft | ResponsesDraft
    ) -> bytes | None:
        from hypernb.llm import _wire

        try:
            if draft.finish is None:
                return await anext(chunks, None)
            clock = self._model.clock
            until = clock.monotonic() + _GOODBYE_S
            async with limit(clock, lambda: until - clock.monotonic()):
                return await anext(chunks, None)
        except Exception as problem:  # noqa: BLE001 - as above
            if draft.finish is not None:
                return None  # the answer is whole: it is only the goodbye that is missing
            raise _wire.fault_of(self._spec, problem) from None

    async def _drain(self, chunks: AsyncGenerator[bytes, None]) -> None:
        # A connection whose answer was read to its end is used again.
        with suppress(Exception):
            async with asyncio.timeout(_DRAIN_S):
                async for _ in chunks:
                    pass

    def _tell(self, text: str, draft: ChatDraft | ResponsesDraft) -> None:
        """Tell a piece of the text, but for an end that may begin the key."""
        if self._first_s is None and draft.has_begun:
            self._first_s = self._patience.passed_s
        if text:
            told, self._held = self._model.mask.split(self._held + text)
            self._say(told)

    def _say(self, text: str) -> None:
        if text:
            self._has_told = True
            self._on_text(text)

    def _reply(self, draft: ChatDraft | ResponsesDraft) -> ChatReply:
        self._say(self._held)
        reply = draft.reply(self._model.mask, self._is_sane)
        price, use = self._spec.price, self._in_all(reply.use)
        return reply.model_copy(
            update={
                "use": use,
                "cost": price.cost(use) if price and use else None,
                "duration_s": self._patience.passed_s,
                "first_token_s": self._first_s,
                "tries": self._tries,
            }
        )

    def _in_all(self, use: TokenUse | None) -> TokenUse | None:
        """Return what the call has used, with the answers that were broken off."""
        if use is None or self._used == (0, 0):
            return use
        read, wrote = self._used
        more = {
            "input_tokens": use.input_tokens + read,
            "output_tokens": use.output_tokens + wrote,
        }
        return use.model_copy(update=more)

    def _is_sane(self, use: TokenUse) -> bool:
        return use.is_credible(worst_case(self._spec, self._request))

    async def _of_status(
        self, problem: Any, params: dict[str, Any]
    ) -> TransportFault | ModelError:
        status, headers = problem.status_code, problem.response.headers
        body: Any = self._model.mask(problem.response.text)
        with suppress(ValueError):
            # Once more: what was read may be what was written with escapes before.
            body = self._model.mask.value(orjson.loads(body))
        words, code, param = said_of(body)
        if status in _REDIRECTS:
            body = headers.get("location", "")
        elif status in (400, 422) and not is_about_context(status, words, code):
            if self._model.dialect.learn(words, param, params):
                return _Reworded()
        elif status == _NOT_FOUND and ("model" in code or "model" in words):
            names = await self._model.names()
            return unknown_model(self._spec, self._request, words, names)
        elif status == _NO_KEY and self._spec.key and not self._model.has_key:
            return KeyMissingError(self._spec.name, self._spec.host, self._spec.key)
        asked_s = retry_after_s(headers, self._model.clock.now())
        return of_status(self._spec, self._request, status, body, asked_s)

    def _said(self, body: dict[str, Any]) -> Exception:
        """Return what follows from an error that came under a status that says success."""
        body = self._model.mask.value(body)
        text = orjson.dumps(body).decode()
        words, code, _ = said_of(body)
        status = int(code) if code.isdecimal() and len(code) == 3 else 0  # noqa: PLR2004
        if is_about_context(400, words, code) or status >= 400:  # noqa: PLR2004
            return of_status(self._spec, self._request, status or 400, body, None)
        if "rate_limit" in code or "overloaded" in code or "server_error" in code:
            return TransportFault(
                f"an error of {self._spec.host}",
                said=code,
                is_refusal="server_error" not in code,
            )
        return AnswerFault("has answered with an error", text)

    def _unavailable(self) -> ModelUnavailableError:
        last = self._last
        tries = "one try" if self._tries == 1 else f"{self._tries} tries"
        gave = f"gave no answer within {self._deadline_s:g} s, in {tries}"
        return ModelUnavailableError(
            self._spec.name,
            self._spec.host,
            f"{gave}: {last.words}" if last else gave,
            quiet=f"{gave}: {last.reason}" if last else "",
            hint=(last.hint if last else "") or "Try again later, or take another model.",
        )


class _Reworded(TransportFault):
    """The server does not take a parameter; the next try is worded otherwise."""

    def __init__(self) -> None:
        super().__init__("the request is worded otherwise")


def check_request(model: OpenAIModel, request: ChatRequest) -> None:
    """Refuse what is known beforehand to be refused.

    Raises:
        ModelRefusedError: It offers tools to a model that cannot have any.
    """
    if request.tools and not model.spec.tools:
        raise ModelRefusedError(
            model.spec.name,
            model.spec.host,
            f"cannot be offered tools, and the request has {len(request.tools)}",
            status=0,
            hint="Take a model that can; `%hyper models` lists those that you can name.",
        )
