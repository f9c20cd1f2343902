"""An answer in the making: what both interfaces come to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypernb.llm._faults import EVIDENCE_CHARACTERS, AnswerFault
from hypernb.llm._stream import DONE, parse
from hypernb.model import ChatReply, Finish, TokenUse, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.llm._mask import Mask

MOST_CHARACTERS: Final = 1_000_000
MOST_CALLS: Final = 128
_MOST_TOKENS: Final = 2**53
_NAME_CHARACTERS: Final = 200
# Before it is cut it is masked: far enough that no piece of a key is left before the cut.
_LOOKED_THROUGH: Final = 20_000
_FINISHES: Final = {
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "max_output_tokens": Finish.LENGTH,
    "content_filter": Finish.FILTERED,
    "refusal": Finish.REFUSED,
}


@dataclass(slots=True)
class DraftCall:
    """A tool's call in the making."""

    id: str
    name: str
    arguments: list[str]


class Draft(ABC):
    """Collects an answer, in pieces or at once, and bounds it.

    Attributes:
        finish: The server's word for why it ends; None as long as it has not said.
        is_done: It has said that nothing more comes.
        has_begun: Something of the answer is there.
    """

    def __init__(self) -> None:
        self.finish: str | None = None
        self.is_done = False
        self.model = ""
        self.usage: TokenUse | None = None
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._calls: list[DraftCall] = []
        self._size = 0

    def event(self, data: bytes) -> str:
        """Take an event of a stream; return the text that it adds.

        Raises:
            AnswerFault: It is no event.
        """
        if data.strip() == DONE:
            self.is_done = True
            return ""
        return self._event(parse(data))

    @abstractmethod
    def _event(self, event: dict[str, Any]) -> str:
        """Take an event that does not end the stream; return the text that it adds."""

    @property
    def has_begun(self) -> bool:
        return bool(self._text or self._refusal or self._calls)

    @property
    def size(self) -> int:
        """How many characters there are."""
        return self._size

    @property
    def beginning(self) -> str:
        """Of the text, for evidence."""
        return "".join(self._text or self._refusal)[:EVIDENCE_CHARACTERS]

    @property
    def calls(self) -> list[DraftCall]:
        return self._calls

    def start_over(self) -> None:
        """Forget what came; the whole follows."""
        self._text, self._refusal, self._calls, self._size = [], [], [], 0

    def add_text(self, text: str) -> None:
        if text:
            self._grow(text)
            self._text.append(text)

    def add_refusal(self, text: str) -> None:
        if text:
            self._grow(text)
            self._refusal.append(text)

    def add_call(self, call_id: str, name: str, arguments: str = "") -> DraftCall:
        if len(self._calls) >= MOST_CALLS:
            raise AnswerFault(
                f"has called more than {MOST_CALLS} tools at once", name, is_final=True
            )
        call = DraftCall("", "", [])
        self._calls.append(call)
        self.name_call(call, call_id, name)
        self.add_arguments(call, arguments)
        return call

    def name_call(self, call: DraftCall, call_id: str = "", name: str = "") -> None:
        """Say which call it is, and of which tool; what was said first stays."""
        if call_id and not call.id:
            self._grow(call_id)
            call.id = call_id
        if name and not call.name:
            self._grow(name)
            call.name = name

    def add_arguments(self, call: DraftCall, text: str) -> None:
        if text:
            self._grow(text)
            call.arguments.append(text)

    def say_model(self, name: Any) -> None:
        if isinstance(name, str) and name:
            self.model = name[:_LOOKED_THROUGH]

    def reply(self, mask: Mask, is_sane: Callable[[TokenUse], bool]) -> ChatReply:
        """Return what was answered, without the key."""
        refusal = mask("".join(self._refusal))
        use = self._believable(is_sane)
        return ChatReply(
            text=mask("".join(self._text)),
            tool_calls=tuple(self._named_calls(mask)),
            finish=self._reason(has_refused=bool(refusal)),
            refusal=refusal,
            use=use,
            model=mask(self.model)[:_NAME_CHARACTERS],
        )

    def _believable(self, is_sane: Callable[[TokenUse], bool]) -> TokenUse | None:
        use = self.usage
        if use is None or not use.input_tokens or (self.has_begun and not use.output_tokens):
            return None  # it does not count: nothing was ever answered of nothing
        return use if is_sane(use) else None

    def _named_calls(self, mask: Mask) -> list[ToolCall]:
        taken: set[str] = set()
        calls = []
        for number, call in enumerate(self._calls, 1):
            # The answer of each goes back under its id, so each has one of its own.
            call_id = mask(call.id)[:_NAME_CHARACTERS] or f"call_{number}"
            while call_id in taken:
                call_id += "_"
            taken.add(call_id)
            name = mask(call.name)[:_NAME_CHARACTERS]
            arguments = mask("".join(call.arguments))
            calls.append(ToolCall(id=call_id, name=name, arguments=arguments))
        return calls

    def _reason(self, *, has_refused: bool) -> Finish:
        if has_refused:
            return Finish.REFUSED
        known = _FINISHES.get(self.finish or "")
        if known is not None:
            return known
        return Finish.TOOL_CALLS if self._calls else Finish.STOP

    def _grow(self, text: str) -> None:
        self._size += len(text)
        if self._size > MOST_CHARACTERS:
            began = "".join(self._text or self._refusal) or text
            raise AnswerFault(
                f"has written more than {MOST_CHARACTERS:,} characters",
                began,
                characters=self._size,
                is_final=True,
            )


def tokens(usage: Any, *, read: str, wrote: str) -> TokenUse | None:
    """Return a server's figures; None if one of them is not there, or is none.

    Args:
        read: What the interface calls tokens of the input.
        wrote: The same of the output.

    Example:
        >>> tokens({"in": 7, "out": 2.0}, read="in", wrote="out")
        TokenUse(input_tokens=7, output_tokens=2, cached_tokens=0)
        >>> tokens({"in": -7, "out": 2}, read="in", wrote="out") is None
        True
    """
    if not isinstance(usage, dict):
        return None
    counts = [_count(usage.get(name)) for name in (read, wrote)]
    if counts[0] is None or counts[1] is None:
        return None
    details = usage.get(f"{read}_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return TokenUse(
        input_tokens=counts[0],
        output_tokens=counts[1],
        cached_tokens=min(cached or 0, counts[0]),
    )


def _count(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value < _MOST_TOKENS else None
