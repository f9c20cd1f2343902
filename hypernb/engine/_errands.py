"""What a mission's agents ask of the runner, and what it does for them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hypernb.engine import _changes as changes
from hypernb.engine._calls import Calls
from hypernb.engine._inquiry import Inquiry
from hypernb.engine._kernel_calls import KernelCalls
from hypernb.engine._requests import Reply, RequestKind, facts_of
from hypernb.engine._services import call_facts
from hypernb.errors import HypernbError, UsageError
from hypernb.model import AgentMessage, AgentWork, ChatRequest, EventKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from hypernb.engine._attempt import Attempt
    from hypernb.engine._crew import Crew
    from hypernb.engine._mission import MissionRun
    from hypernb.engine._requests import Request
    from hypernb.model import Change

_STATE_BYTES: Final = 1_000_000
_MESSAGE_BYTES: Final = 100_000
_LONGEST_WAIT_S: Final = 600.0
_MESSAGES_AT_MOST: Final = 1_000
_LOOK_S: Final = 1.0
_TOLD_BESIDES: Final = 20
_TOOL_EVENTS: Final = (EventKind.TOOL_CALLED.value, EventKind.TOOL_RETURNED.value)


class _Asked(BaseModel):
    """Something that a job asks; what it may not say is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Chat(_Asked):
    request: ChatRequest


class _Call(_Asked):
    tool: str = Field(max_length=200)
    arguments: dict[str, Any] = {}


class _Query(_Asked):
    sql: str = Field(max_length=100_000)
    limit: int = Field(100, ge=0, le=1_000)


class _Send(_Asked):
    message: AgentMessage


class _Receive(_Asked):
    wait_s: float = Field(0.0, allow_inf_nan=False)


class _Acknowledge(_Asked):
    ids: list[str] = Field(max_length=_MESSAGES_AT_MOST)


class _SaveState(_Asked):
    state: dict[str, Any]
    version: int = Field(ge=0)


class _LoadState(_Asked):
    pass


class _Tell(_Asked):
    kind: str
    payload: dict[str, Any] = {}


class Errands:
    """Answers the agents of one mission; see the promises of `hypernb.abc.Services`.

    What comes from a job is somebody else's code: it is checked, counted and cut to size
    before anything is done with it.
    """

    def __init__(self, crew: Crew, run: MissionRun) -> None:
        self._crew = crew
        self._run = run
        self._cover = crew.models.cover
        self.calls = Calls(crew, run)
        self.kernel_calls = KernelCalls(crew, run, forgets=not self.calls.content.is_full)
        self._inquiry = Inquiry(crew.store, crew.questions, run.record.id)
        self._sent: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._mail = asyncio.Event()
        self._ways: dict[RequestKind, tuple[type[_Asked], Callable[..., Awaitable[Any]]]] = {
            RequestKind.CHAT: (_Chat, self._chat),
            RequestKind.CALL: (_Call, self._call),
            RequestKind.QUERY: (_Query, self._query),
            RequestKind.SEND: (_Send, self._send),
            RequestKind.RECEIVE: (_Receive, self._receive),
            RequestKind.ACKNOWLEDGE: (_Acknowledge, self._acknowledge),
            RequestKind.SAVE_STATE: (_SaveState, self._save_state),
            RequestKind.LOAD_STATE: (_LoadState, self._load_state),
            RequestKind.TELL: (_Tell, self._tell),
        }

    async def answer(self, attempt: Attempt, request: Request) -> Reply:
        """Do what an attempt asks. Cancelling the caller ends it."""
        form, do = self._ways[request.kind]
        try:
            asked = form.model_validate(request.payload)
            return Reply(await do(attempt, asked))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            wrong = f"{place}: {first['msg']}"
            return Reply(
                error=facts_of(UsageError(f"The runner cannot {request.kind}: {wrong}."))
            )
        except HypernbError as error:
            return Reply(error=facts_of(error))
        except Exception as error:
            # An exception's message may quote what it is about.
            facts = error if self.calls.content.is_full else None
            said = "A request of %s failed inside hypernb: %s"
            self._crew.log.exception(said, attempt.key, type(error).__name__, exc_info=facts)
            said = f"The runner could not {request.kind}: {type(error).__name__}."
            return Reply(error=facts_of(HypernbError(said, hint="Its log says more.")))

    def close(self, attempt: Attempt) -> None:
        """Answer nothing more for an attempt; what it has paid is written."""
        self.calls.close(attempt)
        self.kernel_calls.close(attempt)
        self._sent.pop(attempt.key, None)
        self._told.pop(attempt.key, None)

    # -- one by one ---------------------------------------------------------------------

    async def _chat(self, attempt: Attempt, asked: _Chat) -> dict[str, Any]:
        reply = await self.calls.chat(attempt, asked.request)
        return reply.model_dump(mode="json")

    async def _call(self, attempt: Attempt, asked: _Call) -> dict[str, Any]:
        arguments = self._cover.values(asked.arguments)
        return call_facts(await self.kernel_calls.call(attempt, asked.tool, arguments))

    async def _query(self, attempt: Attempt, asked: _Query) -> tuple[list[str], list[Any]]:
        del attempt
        return await self._inquiry.ask(asked.sql, limit=asked.limit)

    async def _tell(self, attempt: Attempt, asked: _Tell) -> None:
        if asked.kind not in _TOOL_EVENTS:
            raise UsageError(
                f"An agent cannot tell of {asked.kind[:80]!r}.",
                hint=f"It can of {' and '.join(_TOOL_EVENTS)}.",
            )
        at = self._crew.clock.now()
        most = _most_told(attempt)
        number = self._told[attempt.key] = self._told.get(attempt.key, 0) + 1
        if number > most:
            if number == most + 1:
                await self._run.submit([_left_out(at, attempt, most)])
            return
        told = self.calls.content.of_tool(self._cover.values(asked.payload))
        if asked.kind == EventKind.TOOL_CALLED:
            note: str | None = changes.tool_words(told)
            attempt.words = note or ""
        else:
            note = self.kernel_calls.note_after(attempt)
        change = changes.tool(at, asked.kind, attempt.task_id, attempt.number, told, note=note)
        await self._run.submit([change])

    # -- messages -----------------------------------------------------------------------

    async def _send(self, attempt: Attempt, asked: _Send) -> dict[str, Any]:
        message = self._covered(asked.message)
        if (size := len(orjson.dumps(message.model_dump(mode="json")))) > _MESSAGE_BYTES:
            raise UsageError(
                f"A message of {size:,} bytes is not sent: {_MESSAGE_BYTES:,} are the most.",
                hint="Send where it is, and not what it says.",
            )
        sent = self._sent[attempt.key] = self._sent.get(attempt.key, 0) + 1
        if sent > _MESSAGES_AT_MOST:
            raise UsageError(
                f"{attempt.task.name!r} has sent {_MESSAGES_AT_MOST:,} messages in this "
                "attempt, and sends no more.",
                hint="Say more in fewer.",
            )
        kept = await self._crew.desk.call(
            self._crew.store.send_message, self._run.record.id, attempt.task_id, message
        )
        arrived, self._mail = self._mail, asyncio.Event()
        arrived.set()
        return kept.model_dump(mode="json")

    def _covered(self, message: AgentMessage) -> AgentMessage:
        """Return a message as it is kept; whom it is to is a name that the plan has."""
        fields = ("type", "content", "reply_to", "metadata")
        said = {name: getattr(message, name) for name in fields}
        return message.model_copy(update=self._cover.values(said))

    async def _receive(self, attempt: Attempt, asked: _Receive) -> list[dict[str, Any]]:
        now = self._crew.clock.monotonic()
        until = now + min(asked.wait_s, _LONGEST_WAIT_S)
        while True:
            mail = self._mail
            found = await self._crew.desk.call(
                self._crew.store.messages, self._run.record.id, attempt.task_id
            )
            left_s = until - self._crew.clock.monotonic()
            if found or left_s <= 0:
                return [each.model_dump(mode="json") for each in found]
            # What agents of this mission send is known here; the rest is looked for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, _LOOK_S)):
                    await mail.wait()

    async def _acknowledge(self, attempt: Attempt, asked: _Acknowledge) -> None:
        await self._crew.desk.call(self._crew.store.acknowledge, attempt.task_id, asked.ids)

    # -- states -------------------------------------------------------------------------

    async def _save_state(self, attempt: Attempt, asked: _SaveState) -> int:
        state = self._cover.values(asked.state)
        size = len(orjson.dumps(state))
        if size > _STATE_BYTES:
            raise UsageError(
                f"The state of {attempt.task.name!r} is not saved: its {size:,} bytes are more "
                f"than {_STATE_BYTES:,}.",
                hint="Keep less of it, or leave large values to the task's output.",
            )
        return await self._crew.desk.call(
            self._crew.store.save_state, attempt.task_id, state, version=asked.version
        )

    async def _load_state(self, attempt: Attempt, asked: _LoadState) -> tuple[Any, int]:
        del asked
        return await self._crew.desk.call(self._crew.store.load_state, attempt.task_id)


def _most_told(attempt: Attempt) -> int:
    """Return how many events of tools an attempt has: two of each call that its plan allows."""
    work = attempt.task.work
    return 2 * (work.calls if isinstance(work, AgentWork) else 0) + _TOLD_BESIDES


def _left_out(at: datetime, attempt: Attempt, most: int) -> Change:
    told = {
        "tool": "more calls",
        "status": "left out",
        "error": f"an attempt with so many calls tells of {most:,} at most",
    }
    kind = EventKind.TOOL_RETURNED
    return changes.tool(at, kind, attempt.task_id, attempt.number, told, note=None)
