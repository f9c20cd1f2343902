"""Role cards: who the specialists are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from hypernb.model._plan import Returns


class RoleCard(BaseModel):
    """An agent as people and the strategist see it.

    Attributes:
        name: ``security-engineer``.
        role: One sentence: what it looks after.
        capabilities: Words and short phrases; rules match goals against them.
        tools: Names of the tools it may use, in the order it uses them.
        model: Model it prefers; empty for the session's.
        prompt: What a model is told when it plays this role.
        steps: How many answers of a model there may be in a task of it; None for the usual.
        calls: How many calls of tools.
        tokens: How many tokens in all.
        returns: What the output of its tasks is; see `hypernb.model.AgentWork`.
        source: Where the card was read: ``built in`` or a path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    role: str
    capabilities: tuple[str, ...]
    tools: tuple[str, ...]
    model: str = ""
    prompt: str = ""
    steps: int | None = Field(None, ge=1, le=1_000)
    calls: int | None = Field(None, ge=0, le=10_000)
    tokens: int | None = Field(None, ge=1)
    returns: Returns = "report"
    source: str = "built in"
