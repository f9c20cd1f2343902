"""Messages between agents: what a model is shown of them, and how it sends its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._fences import fence, shortened
from hypernb.agents._prompts import redacted
from hypernb.model import AgentMessage, ToolSchema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypernb.abc import Services

SEND: Final = "send-message"
READ: Final = "read-messages"
TALK_TOOLS: Final = (READ, SEND)
"""Tools that an agent's loop has itself: they send messages, and wait for some."""

_WAIT_AT_MOST_S: Final = 60
_CONTENT_AT_MOST: Final = 20_000

SCHEMAS: Final = {
    SEND: ToolSchema(
        name=SEND,
        description="Send a message to another task or agent of this mission, or to all. "
        "What they answer is shown to you when it arrives.",
        parameters={
            "type": "object",
            "properties": {
                "to": {
                    "type": "string",
                    "maxLength": 200,
                    "description": "Name of a task or an agent; empty for everybody.",
                },
                "content": {"type": "string", "maxLength": _CONTENT_AT_MOST},
                "type": {"type": "string", "enum": ["note", "question", "answer"]},
                "reply_to": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "Number of the message that it answers.",
                },
            },
            "required": ["to", "content"],
            "additionalProperties": False,
        },
    ),
    READ: ToolSchema(
        name=READ,
        description="Wait for messages. Those that have arrived are shown to you anyway.",
        parameters={
            "type": "object",
            "properties": {
                "wait_s": {
                    "type": "number",
                    "minimum": 0,
                    "maximum": _WAIT_AT_MOST_S,
                    "description": "Seconds to wait for the first, if none is there.",
                }
            },
            "additionalProperties": False,
        },
    ),
}


class Post:
    """The messages of one attempt: each is shown once, and acknowledged when it was.

    Models know messages by small numbers: an id would make every request another one, and no
    cassette would ever have its answer.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._numbers: dict[str, int] = {}
        self._told: list[str] = []

    def arrived(self, *, wait_s: float = 0.0) -> list[AgentMessage]:
        """Return messages that were not returned before; what was is never returned again."""
        fresh = [
            each
            for each in self._services.receive(wait_s=wait_s)
            if each.id not in self._numbers
        ]
        for each in fresh:
            self._numbers[each.id] = len(self._numbers) + 1
        self._told += [each.id for each in fresh]
        return fresh

    def shown(self, messages: Sequence[AgentMessage]) -> str:
        """Return messages as a model is shown them, as data."""
        return "\n\n".join(
            f"Message {self._numbers[each.id]}, a {each.type} from {each.sender}"
            f"{self._answering(each)}:\n{_fenced(each)}"
            for each in messages
        )

    def acknowledge(self) -> None:
        """Say of what was shown that it was dealt with."""
        if self._told:
            self._services.acknowledge(self._told)
            self._told = []

    def send(self, arguments: Mapping[str, Any]) -> str:
        """Send what a model has written, and return what it is told."""
        by_number = {number: each for each, number in self._numbers.items()}
        answered = arguments.get("reply_to")
        if answered is not None and answered not in by_number:
            return f"Nothing was sent: there is no message {answered}."
        message = AgentMessage(
            recipient=arguments["to"],
            content=arguments["content"],
            type=arguments.get("type", "note"),
            reply_to="" if answered is None else by_number[answered],
        )
        sent = self._services.send(message)
        return f"Sent to {sent.recipient[:200] or 'everybody'}."

    def _answering(self, message: AgentMessage) -> str:
        number = self._numbers.get(message.reply_to)
        return f", answering message {number}" if number else ""


def _fenced(message: AgentMessage) -> str:
    content = fence("message", _written(message.content))
    if not message.metadata:
        return content
    return f"{content}\n{fence('metadata of it', _written(message.metadata))}"


def _written(value: Any) -> str:
    if not isinstance(value, str):
        value = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return shortened(redacted(value), _CONTENT_AT_MOST)
