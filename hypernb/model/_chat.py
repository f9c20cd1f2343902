"""What is said to a model and what it answers: values that cross processes as JSON."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hypernb.model._models import TokenUse

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class ToolCall(BaseModel):
    """A tool that a model wants to have called.

    Attributes:
        id: The model's own name for this call; the answer carries it.
        arguments: JSON as the model wrote it, which may be none.
    """

    model_config = _FROZEN
    id: str
    name: str
    arguments: str = "{}"


class ChatMessage(BaseModel):
    """One message of a conversation.

    Attributes:
        tool_calls: Of the assistant.
        tool_call_id: In a tool's message: which call it answers.
    """

    model_config = _FROZEN
    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


class ToolSchema(BaseModel):
    """A tool as a model is told of it.

    Attributes:
        parameters: JSON schema of an object.
    """

    model_config = _FROZEN
    name: str
    description: str = ""
    parameters: dict[str, Any] = {}


class ChatRequest(BaseModel):
    """One call of a model.

    Attributes:
        model: Name of one of the plan's models; see `hypernb.model.PlanSpec.models`.
        answer_schema: JSON schema of the answer; empty if it is text.
        answer_name: What the schema is called.
        max_output_tokens: The most it may write; None for the model's own limit.
        temperature: None for the server's default.
        purpose: What it is for: ``plan``, ``task``, ``repair`` or ``probe``.
    """

    model_config = _FROZEN
    model: str
    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSchema, ...] = ()
    answer_schema: dict[str, Any] = {}
    answer_name: str = "answer"
    max_output_tokens: int | None = Field(None, gt=0)
    temperature: float | None = None
    purpose: Literal["plan", "task", "repair", "probe"] = "task"


class Finish(StrEnum):
    """Why an answer ends where it does."""

    STOP = "stop"
    TOOL_CALLS = "tool_calls"
    LENGTH = "length"
    REFUSED = "refused"
    FILTERED = "filtered"


class ReplySource(StrEnum):
    """Where an answer is from."""

    LIVE = "live"
    CACHE = "cache"
    CASSETTE = "cassette"


class ChatReply(BaseModel):
    """A model's answer, as it came: what it says is not to be trusted.

    Attributes:
        text: What it wrote; empty if it only calls tools.
        refusal: Its own words, if it refused.
        use: Tokens as the server counts them; None if it did not say, or nonsense.
        model: What the server says answered.
        cost: In dollars; None if the price or the tokens are not known.
        duration_s: From the first try to the last byte, waiting included.
        first_token_s: To the first piece of the answer; None if it came in one.
        tries: How often the server was asked.
    """

    model_config = _FROZEN
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: Finish = Finish.STOP
    refusal: str = ""
    use: TokenUse | None = None
    model: str = ""
    source: ReplySource = ReplySource.LIVE
    cost: float | None = None
    duration_s: float = 0.0
    first_token_s: float | None = None
    tries: int = 1
