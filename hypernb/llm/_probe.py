"""Finds out what works with a model, by one tiny call for each thing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypernb.clock import SystemClock
from hypernb.errors import ModelError
from hypernb.llm._gate import HostGate
from hypernb.llm._listing import list_models
from hypernb.llm._openai import open_model
from hypernb.llm._retry import limit
from hypernb.model import ChatMessage, ChatRequest, Finish, TokenUse, ToolSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.abc import Clock, ModelWait
    from hypernb.model import ChatReply, ModelSpec

__all__ = ["Probe", "Trial", "list_models", "probe"]

WITHIN_S: Final = 10.0
"""Seconds that all of it may take: somebody sits before the cell."""
_OUTPUT_TOKENS: Final = 512  # models that reason write some of that before they answer
_TOOL: Final = ToolSchema(
    name="report_word",
    description="Report one word.",
    parameters={
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
        "additionalProperties": False,
    },
)
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}},
    "required": ["ready"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried.

    Attributes:
        what: ``answers``, ``streaming``, ``tools``, ``JSON schema``, ``JSON``, ``counts
            tokens``, ``time`` if it took too long for the others.
        works: Whether it does.
        words: What came of it, in a sentence.
        next_step: What a person can do then, if that is known.
    """

    what: str
    works: bool
    words: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """What works with a model.

    Attributes:
        trials: In the order in which they were made; the first says whether it answers.
        proposal: Settings of its profile that fit and are not so yet.
        cost: Of all calls, in dollars; None if that is not known.
        calls: How many were begun.
    """

    trials: tuple[Trial, ...]
    proposal: Mapping[str, Any]
    cost: float | None = None
    calls: int = 0

    @property
    def lines(self) -> list[str]:
        """The proposal as it is written into a file: ``tools = false``."""
        return [f"{name} = {_toml(value)}" for name, value in self.proposal.items()]


async def probe(
    spec: ModelSpec,
    key: str | None = None,
    *,
    alias: str = "",
    clock: Clock | None = None,
    within_s: float = WITHIN_S,
    on_trial: Callable[[str], None] = lambda _words: None,
) -> Probe:
    """Ask a model for a word, in pieces, by a tool and as JSON; return what works.

    Four or five short calls. If it does not answer at all, that is all that is asked; a host
    that cannot be reached, or that wants to be left alone for longer than there is time, is
    not asked again. Cancelling the caller ends it.

    Args:
        spec: The model, as it is configured.
        key: Its key itself; None if it needs none.
        alias: What plans call it.
        within_s: Seconds in all; what was not tried by then is left out, and said.
        on_trial: Told a few words before each trial: ``asks gpt-6 at api.example for a word``.
    """
    clock = clock or SystemClock()
    asking = _Asking(spec, key, clock, within_s, alias=alias or "probe")
    asks = f"asks {spec.name} at {spec.host}"
    try:
        on_trial(f"{asks} for a word")
        await asking.answers()
        if asking.trials[0].works:
            on_trial(f"{asks} for a text in pieces")
            await asking.streaming()
            on_trial(f"{asks} to call a tool")
            await asking.tools()
            on_trial(f"{asks} for JSON")
            await asking.schema()
            asking.counting()
    except _TimeIsOverError as over:
        asking.broken_off(over.obstacle)
    return asking.result()


class _TimeIsOverError(Exception):
    """There is no time for more; says what was waited for, if that is known."""

    def __init__(self, obstacle: str) -> None:
        super().__init__(obstacle)
        self.obstacle = obstacle


class _Asking:
    """Makes the calls, one after another, and remembers what came of them."""

    def __init__(
        self, spec: ModelSpec, key: str | None, clock: Clock, within_s: float, *, alias: str
    ) -> None:
        self._alias = alias
        self._spec = spec
        self._key = key
        self._clock = clock
        self._gate = HostGate(clock)
        self._within_s = within_s
        self._until = clock.monotonic() + within_s
        self._replies: list[ChatReply] = []
        self._costs: list[float | None] = []
        self.trials: list[Trial] = []
        self._fitting: dict[str, Any] = {}

    async def answers(self) -> None:
        said = await self._ask(_request("Answer with one word: ready"), streams=False)
        if isinstance(said, ModelError):
            self._note("answers", str(said.args[0]), works=False, then=said.hint)
            return
        self._note(
            "answers",
            f"{self._name} answers in {said.duration_s:.1f} s.",
            works=True,
        )

    async def streaming(self) -> None:
        said = await self._ask(_request("Count from one to five, in words."), streams=True)
        works = not isinstance(said, ModelError) and said.first_token_s is not None
        words = f"Its text comes in pieces{self._first_token(said)}."
        self._note("streaming", words if works else f"Streaming fails: {said}", works=works)
        self._fitting["streams"] = works

    async def tools(self) -> None:
        asked = _request("Call the tool report_word with the word ready.", tools=(_TOOL,))
        said = await self._ask(asked, tools=True)
        if isinstance(said, ModelError):
            self._note("tools", f"It cannot be offered tools: {said}", works=False)
        elif said.finish is Finish.REFUSED or not _has_called(said):
            self._note("tools", "It was offered a tool and did not call it.", works=False)
        else:
            self._note("tools", "It calls tools.", works=True)
        self._fitting["tools"] = self.trials[-1].works

    async def schema(self) -> None:
        asked = _request('Are you ready? Answer as JSON: {"ready": true}', schema=_SCHEMA)
        for mode, what in (("schema", "JSON schema"), ("json", "JSON")):
            said = await self._ask(asked, schema_mode=mode)
            if not isinstance(said, ModelError) and _is_ready(said.text):
                self._note(what, f"It can be held to {what}.", works=True)
                self._fitting["schema_mode"] = mode
                return
            why = (
                f": {said}"
                if isinstance(said, ModelError)
                else ": its answer is of another form."
            )
            self._note(what, f"It cannot be held to {what}{why}", works=False)
        self._fitting["schema_mode"] = "words"

    def counting(self) -> None:
        counted = all(reply.use is not None for reply in self._replies)
        some = any(reply.use is not None for reply in self._replies)
        words = "The server counts tokens."
        if not counted:
            left_out = "some of its answers" if some else "its answers"
            words = (
                f"The server does not count the tokens of {left_out}, so costs are estimates."
            )
        self._note("counts tokens", words, works=counted)

    def broken_off(self, obstacle: str) -> None:
        """Say what came of it where there was no time for all of it."""
        from hypernb.llm._wire import unreached_hint

        why = f": {obstacle}" if obstacle else ""
        if not self.trials:
            within = "" if obstacle else f" within {self._within_s:g} s"
            words = f"{self._name} gave no answer{within}{why}."
            then = unreached_hint(self._spec.base_url) if obstacle else ""
            self._note("answers", words, works=False, then=then)
            return
        words = f"The rest was not tried, because {self._within_s:g} s were over{why}."
        self._note("time", words, works=False)

    def result(self) -> Probe:
        known = [cost for cost in self._costs if cost is not None]
        return Probe(
            trials=tuple(self.trials),
            proposal={
                name: value
                for name, value in self._fitting.items()
                if getattr(self._spec, name) != value
            },
            cost=sum(known) if len(known) == len(self._costs) else None,
            calls=len(self._costs),
        )

    @property
    def _name(self) -> str:
        return f"{self._spec.name} at {self._spec.host}"

    def _note(self, what: str, words: str, *, works: bool, then: str = "") -> None:
        self.trials.append(Trial(what, works, words, then))

    @staticmethod
    def _first_token(said: ChatReply | ModelError) -> str:
        first_s = None if isinstance(said, ModelError) else said.first_token_s
        return "" if first_s is None else f", the first after {first_s:.1f} s"

    async def _ask(self, request: ChatRequest, **as_if: Any) -> ChatReply | ModelError:
        """Ask once, as if the model was configured otherwise.

        Raises:
            _TimeIsOverError: No answer will come in time.
        """
        spec = self._spec.model_copy(update=as_if)
        model = open_model(spec, key=self._key, clock=self._clock, gate=self._gate)
        waits = _Waits(self._left_s)
        self._costs.append(None)
        try:
            async with waits.deadline, limit(self._clock, self._left_s):
                reply = await model.complete(
                    request.model_copy(update={"model": self._alias}),
                    deadline_s=2 * self._within_s,
                    on_wait=waits.hear,
                )
        except TimeoutError:
            if waits.has_reached_nobody:
                self._costs[-1] = 0.0
            raise _TimeIsOverError(waits.obstacle) from None
        except ModelError as error:
            read, wrote = error.used
            self._costs[-1] = self._paid(TokenUse(input_tokens=read, output_tokens=wrote))
            return error
        finally:
            await model.aclose()
        self._costs[-1] = reply.cost
        self._replies.append(reply)
        return reply

    def _left_s(self) -> float:
        return self._until - self._clock.monotonic()

    def _paid(self, use: TokenUse) -> float | None:
        if not use.total:
            return 0.0
        return None if self._spec.price is None else self._spec.price.cost(use)


class _Waits:
    """Ends a call that waits for what will not come in time."""

    def __init__(self, left_s: Callable[[], float]) -> None:
        self._left_s = left_s
        self.deadline = asyncio.timeout(None)
        self.obstacle = ""
        self.has_reached_nobody = False

    def hear(self, wait: ModelWait) -> None:
        self.obstacle = wait.reason if wait.wait_s else ""
        self.has_reached_nobody = wait.reason.startswith("cannot reach ")
        if self.has_reached_nobody or wait.wait_s > self._left_s():
            self.deadline.reschedule(asyncio.get_running_loop().time())


def _request(
    text: str, *, tools: tuple[ToolSchema, ...] = (), schema: Mapping[str, Any] | None = None
) -> ChatRequest:
    return ChatRequest(
        model="probe",
        messages=(ChatMessage(role="user", content=text),),
        tools=tools,
        answer_schema=dict(schema or {}),
        max_output_tokens=_OUTPUT_TOKENS,
        purpose="probe",
    )


def _has_called(reply: ChatReply) -> bool:
    return any(
        call.name == _TOOL.name and isinstance(_loaded(call.arguments), dict)
        for call in reply.tool_calls
    )


def _is_ready(text: str) -> bool:
    value = _loaded(text)
    return isinstance(value, dict) and isinstance(value.get("ready"), bool)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _toml(value: Any) -> str:
    return json.dumps(value)
