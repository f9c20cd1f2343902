"""A conversation with a model, kept so that every server takes it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hypernb.agents._fences import shortened
from hypernb.agents._toolbox import call_name
from hypernb.model import ChatMessage, ToolCall

if TYPE_CHECKING:
    from hypernb.model import ChatReply

CALLS_AT_MOST: Final = 32
"""Calls of tools in one answer; more are not looked at."""

_OWN_AT_MOST: Final = 20_000
_ARGUMENTS_AT_MOST: Final = 20_000
_TRIMMED_TO: Final = (2_000, 200)


class Conversation:
    """What was said so far.

    Args:
        system: Who the model is.
        task: What it is to do.
    """

    def __init__(self, system: str, task: str) -> None:
        self._messages = [
            ChatMessage(role="system", content=system),
            ChatMessage(role="user", content=task),
        ]
        self._ids: set[str] = set()
        self._trims = list(_TRIMMED_TO)

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """All of it, oldest first."""
        return tuple(self._messages)

    @property
    def characters(self) -> int:
        """How long it is."""
        return sum(
            len(each.content) + sum(len(call.arguments) for call in each.tool_calls)
            for each in self._messages
        )

    def told(self, text: str) -> None:
        """Add what the model is told; some servers want no two such messages in a row."""
        last = self._messages[-1]
        if last.role == "user":
            self._messages[-1] = last.model_copy(
                update={"content": f"{last.content}\n\n{text}"}
            )
        else:
            self._messages.append(ChatMessage(role="user", content=text))

    def answered(self, reply: ChatReply) -> None:
        """Add an answer without calls; of a long one, its beginning and its end."""
        if text := _readable(reply.text or reply.refusal):
            said = shortened(text, _OWN_AT_MOST)
            self._messages.append(ChatMessage(role="assistant", content=said))

    def called(self, reply: ChatReply) -> list[tuple[ToolCall, str]]:
        """Add an answer with calls; return them, each with the id that its result has to have.

        Ids that are missing or there twice are replaced, and arguments that are not JSON:
        servers refuse a conversation that has such.
        """
        calls = reply.tool_calls[:CALLS_AT_MOST]
        known = [
            ToolCall(
                id=self._fresh(call.id),
                name=call_name(call.name),
                arguments=_sent_back(call.arguments),
            )
            for call in calls
        ]
        said = shortened(_readable(reply.text), _OWN_AT_MOST)
        self._messages.append(
            ChatMessage(role="assistant", content=said, tool_calls=tuple(known))
        )
        return [(call, each.id) for call, each in zip(calls, known, strict=True)]

    def returned(self, call_id: str, content: str) -> None:
        """Add what came of a call."""
        self._messages.append(ChatMessage(role="tool", content=content, tool_call_id=call_id))

    def trim(self) -> bool:
        """Shorten what tools have answered, all but the last; False if nothing is left to."""
        while self._trims:
            limit = self._trims.pop(0)
            places = [n for n, each in enumerate(self._messages) if each.role == "tool"][:-1]
            long = [n for n in places if len(self._messages[n].content) > 2 * limit]
            for place in long:
                old = self._messages[place]
                self._messages[place] = old.model_copy(
                    update={"content": shortened(old.content, limit)}
                )
            if long:
                return True
        return False

    def _fresh(self, wanted: str) -> str:
        known = wanted if wanted and len(wanted) <= 100 else ""  # noqa: PLR2004 - a long id
        number = len(self._ids) + 1
        while not known or known in self._ids:
            known = f"call-{number}"
            number += 1
        self._ids.add(known)
        return known


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _sent_back(arguments: str) -> str:
    if len(arguments) > _ARGUMENTS_AT_MOST:
        return "{}"
    try:
        is_object = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return "{}"
    return _readable(arguments) if is_object else "{}"
