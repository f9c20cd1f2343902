"""A model that answers what a test has written down, and remembers what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypernb.abc import ChatModel
from hypernb.model import ChatMessage, ChatReply, ChatRequest, ModelSpec, TokenUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.abc import ModelWait

SPEC = ModelSpec(name="m1", base_url="http://localhost:11434/v1")


def request(text: str = "Count rows", **more: Any) -> ChatRequest:
    said = (ChatMessage(role="user", content=text),)
    return ChatRequest(**({"model": "m1", "messages": said} | more))


def reply(text: str = "3", **more: Any) -> ChatReply:
    paid = {"use": TokenUse(input_tokens=9, output_tokens=1), "cost": 0.25, "duration_s": 2.0}
    return ChatReply(**({"text": text} | paid | more))


@dataclass
class Scripted(ChatModel):
    """Answers in order, the last one again and again."""

    answers: list[ChatReply] = field(default_factory=lambda: [reply()])
    asked: list[ChatRequest] = field(default_factory=list)
    spec: ModelSpec = SPEC
    is_closed: bool = False

    async def complete(
        self,
        request: ChatRequest,
        *,
        deadline_s: float = 600.0,  # noqa: ARG002
        on_text: Callable[[str], None] | None = None,
        on_wait: Callable[[ModelWait], None] | None = None,  # noqa: ARG002
    ) -> ChatReply:
        self.asked.append(request)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if on_text is not None and answer.text:
            on_text(answer.text)
        return answer

    async def aclose(self) -> None:
        self.is_closed = True
