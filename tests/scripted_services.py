"""A runner's services without a runner: answers from a script, and all that was asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypernb.abc import Services, ToolContext
from hypernb.errors import StateConflictError, UnknownNameError
from hypernb.model import (
    ChatReply,
    ChatRequest,
    Digest,
    KernelCall,
    MissionId,
    TaskId,
    TokenUse,
    ToolCall,
    ToolCallState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from hypernb.model import AgentMessage

AT = datetime(2026, 1, 1, tzinfo=UTC)

Reply = ChatReply | BaseException


def said(text: str, *, tokens: int = 100, **fields: Any) -> ChatReply:
    return ChatReply(
        text=text, use=TokenUse(input_tokens=tokens - 10, output_tokens=10), **fields
    )


def says(value: Any, **fields: Any) -> ChatReply:
    return said(json.dumps(value), **fields)


def calls(*named: tuple[str, Any], **fields: Any) -> ChatReply:
    """Return an answer that calls tools; arguments that are text are sent as they are."""
    made = tuple(
        ToolCall(
            id=f"c{number}",
            name=name,
            arguments=given if isinstance(given, str) else json.dumps(given),
        )
        for number, (name, given) in enumerate(named, start=1)
    )
    return said("", tool_calls=made, finish="tool_calls", **fields)


def report(summary: str = "Done.", *claims: Mapping[str, Any]) -> ChatReply:
    return says({"summary": summary, "claims": list(claims)})


class ScriptedServices(Services):
    """Answers in their order; the last one again and again.

    Attributes:
        asked: Requests, oldest first.
        told: Events.
        acknowledged: Ids of messages.
        arriving: Called with the number of the request before messages are returned.
    """

    def __init__(
        self,
        *script: Reply,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        recipients: Iterable[str] = (),
    ) -> None:
        self._script = list(script)
        self._tools = dict(tools or {})
        self._recipients = {"", *recipients}
        self.asked: list[ChatRequest] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[AgentMessage] = []
        self.inbox: list[AgentMessage] = []
        self.acknowledged: list[str] = []
        self.state: tuple[dict[str, Any], int] = ({}, 0)

    def chat(self, request: ChatRequest) -> ChatReply:
        self.asked.append(ChatRequest.model_validate_json(request.model_dump_json()))
        reply = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def tell(self, kind: str, payload: Mapping[str, Any]) -> None:
        self.told.append((str(kind), json.loads(json.dumps(dict(payload)))))

    def call(self, tool: str, arguments: Mapping[str, Any]) -> KernelCall:
        self.called.append((tool, dict(arguments)))
        answer = self._tools[tool](**arguments)
        call = KernelCall(
            id=f"k{len(self.called)}",
            mission_id=MissionId("m"),
            task_id=TaskId("t"),
            attempt=1,
            lane="kernel:1",
            tool=tool,
            state=ToolCallState.RETURNED,
            at=AT,
        )
        if isinstance(answer, Exception):
            return replace(call, state=ToolCallState.FAILED, error=str(answer))
        return replace(call, answer=answer, value=Digest(f"{len(self.called):064x}"))

    def query(self, sql: str, *, limit: int = 100) -> tuple[list[str], list[list[Any]]]:
        del sql, limit
        return ["n"], [[1]]

    def send(self, message: AgentMessage) -> AgentMessage:
        if message.recipient not in self._recipients:
            raise UnknownNameError("task or agent", message.recipient, self._recipients)
        sent = message.model_copy(
            update={"id": f"sent-{len(self.sent)}", "sender": "me", "at": AT}
        )
        self.sent.append(sent)
        return sent

    def receive(self, *, wait_s: float = 0.0) -> list[AgentMessage]:
        del wait_s
        return [each for each in self.inbox if each.id not in self.acknowledged]

    def acknowledge(self, ids: Sequence[str]) -> None:
        self.acknowledged += ids

    def save_state(self, state: Mapping[str, Any], *, version: int) -> int:
        if version != self.state[1]:
            raise StateConflictError("agent", version, self.state[1])
        self.state = (json.loads(json.dumps(dict(state))), version + 1)
        return version + 1

    def load_state(self) -> tuple[dict[str, Any], int]:
        return self.state

    @property
    def tools_called(self) -> list[str]:
        return [payload["tool"] for kind, payload in self.told if kind == "tool.called"]

    def last_seen(self) -> str:
        """All that the last request says."""
        return "\n".join(each.content for each in self.asked[-1].messages)


def context_of(services: Services | None, root: Path, **fields: Any) -> ToolContext:
    files = tuple(
        sorted(each.relative_to(root).as_posix() for each in root.rglob("*") if each.is_file())
    )
    return ToolContext(root=root, files=files, services=services, **fields)
