"""Messages between agents: typed envelopes, delivered when the recipient asks for them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

EVERYBODY = ""
"""The recipient of a broadcast."""


class AgentMessage(BaseModel):
    """What one agent says to another, or to all of a mission.

    Attributes:
        id: A ULID; empty before it is sent.
        sender: Name of the task it comes from; set by the runner, whatever the agent says.
        recipient: Name of a task or of an agent; empty for everybody of the mission.
        type: What kind of message: ``question``, ``answer``, ``note`` or a word of one's own.
        content: JSON, at most 100,000 characters of it.
        at: When it was sent, UTC; None before.
        reply_to: Id of the message that it answers.
        metadata: Further facts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    recipient: str = EVERYBODY
    type: str = Field("note", min_length=1, max_length=100)
    content: JsonValue = ""
    reply_to: str = ""
    metadata: dict[str, JsonValue] = {}
    id: str = ""
    sender: str = ""
    at: datetime | None = None
