"""What an agent can have of its runner, as methods that wait: the job's end of the line."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hypernb.abc import Services
from hypernb.engine._requests import Request, RequestKind, raised_from
from hypernb.model import AgentMessage, ChatReply, Digest, KernelCall, ToolCallState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hypernb.engine._requests import Reply
    from hypernb.model import ChatRequest


class RunnerServices(Services):
    """Services that ask a runner.

    Args:
        ask: Asks and waits for the answer; may be called in any thread. Raises when there
            will be none.
    """

    def __init__(self, ask: Callable[[Request], Reply]) -> None:
        self._ask = ask

    def _asked(self, what: RequestKind, /, **payload: Any) -> Any:
        reply = self._ask(Request(what, payload))
        if reply.error is not None:
            raise raised_from(reply.error)
        return reply.payload

    def chat(self, request: ChatRequest) -> ChatReply:
        told = self._asked(RequestKind.CHAT, request=request.model_dump(mode="json"))
        return ChatReply.model_validate(told)

    def tell(self, kind: str, payload: Mapping[str, Any]) -> None:
        self._asked(RequestKind.TELL, kind=kind, payload=dict(payload))

    def call(self, tool: str, arguments: Mapping[str, Any]) -> KernelCall:
        told = self._asked(RequestKind.CALL, tool=tool, arguments=dict(arguments))
        return call_from(told)

    def query(self, sql: str, *, limit: int = 100) -> tuple[list[str], list[list[Any]]]:
        columns, rows = self._asked(RequestKind.QUERY, sql=sql, limit=limit)
        return columns, rows

    def send(self, message: AgentMessage) -> AgentMessage:
        told = self._asked(RequestKind.SEND, message=message.model_dump(mode="json"))
        return AgentMessage.model_validate(told)

    def receive(self, *, wait_s: float = 0.0) -> list[AgentMessage]:
        told = self._asked(RequestKind.RECEIVE, wait_s=wait_s)
        return [AgentMessage.model_validate(each) for each in told]

    def acknowledge(self, ids: Sequence[str]) -> None:
        self._asked(RequestKind.ACKNOWLEDGE, ids=list(ids))

    def save_state(self, state: Mapping[str, Any], *, version: int) -> int:
        told = self._asked(RequestKind.SAVE_STATE, state=dict(state), version=version)
        return int(told)

    def load_state(self) -> tuple[dict[str, Any], int]:
        state, version = self._asked(RequestKind.LOAD_STATE)
        return state, version


def call_facts(call: KernelCall) -> dict[str, Any]:
    """Return a call of a kernel's tool as JSON values."""
    return {
        "id": call.id,
        "mission_id": call.mission_id,
        "task_id": call.task_id,
        "attempt": call.attempt,
        "lane": call.lane,
        "tool": call.tool,
        "state": call.state.value,
        "at": call.at.isoformat(),
        "arguments": dict(call.arguments),
        "answer": call.answer,
        "value": call.value,
        "error": call.error,
    }


def call_from(told: Mapping[str, Any]) -> KernelCall:
    """Return the call that `call_facts` was given."""
    value = told["value"]
    return KernelCall(
        **{
            **told,
            "state": ToolCallState(told["state"]),
            "at": datetime.fromisoformat(told["at"]),
            "value": None if value is None else Digest(value),
        }
    )
