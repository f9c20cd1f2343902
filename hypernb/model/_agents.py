"""Role cards: who the specialists are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class RoleCard(BaseModel):
    """An agent as people and the strategist see it.

    Attributes:
        name: ``security-engineer``.
        role: One sentence: what it looks after.
        capabilities: Words and short phrases; rules match goals against them.
        tools: Names of the tools it may use, in the order it uses them.
        model: Model it prefers; empty for the session's.
        prompt: What a model is told when it plays this role.
        source: Where the card was read: ``built in`` or a path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    role: str
    capabilities: tuple[str, ...]
    tools: tuple[str, ...]
    model: str = ""
    prompt: str = ""
    source: str = "built in"
