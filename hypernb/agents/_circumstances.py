"""What a plan is made in, whoever makes it: agents, tools, models, files, money."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypernb.agents._model_tasks import (
    SUITE,
    allowed_tools,
    model_of,
    shows,
    usual_tools,
)
from hypernb.agents._rules import wants_no_suite
from hypernb.agents._specialists import STRATEGIST, checked_agents, checked_tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hypernb.model import Grant, ModelSpec, RoleCard, ToolSchema


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan is made in.

    Attributes:
        goal: What the person wants.
        cards: The agents that may take part, by name.
        models: The models that they may have, by the names that tasks have for them.
        of_agents: Which of them each agent has.
        root: Directory of the project, absolute.
        files: Its files.
        new_files: Those that nobody reads, because git does not track them yet.
        inputs: Digests of the values handed in, by name.
        scope: All that may be looked at; everything if empty.
        budget: In dollars.
        suite: Whether the project's own tests may be run.
        kernel: Tools that the person has defined in this kernel, by name.
        grants: How much of each value handed in may be seen; a sample of those not named.
        only: The only tools that may be used; all that agents have if empty.
    """

    goal: str
    cards: Mapping[str, RoleCard]
    models: Mapping[str, ModelSpec]
    root: str
    files: tuple[str, ...]
    new_files: tuple[str, ...] = ()
    of_agents: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    scope: tuple[str, ...] = ()
    budget: float | None = None
    suite: bool = True
    kernel: Mapping[str, ToolSchema] = field(default_factory=dict)
    grants: Mapping[str, Grant] = field(default_factory=dict)
    only: tuple[str, ...] = ()

    def model_of(self, agent: str) -> str:
        """Return the name of an agent's model."""
        return self.of_agents.get(agent) or model_of(self.cards.get(agent), self.models)

    def tools_of(self, agent: str) -> tuple[str, ...]:
        """Return the tools that a task of an agent may be given."""
        allowed = allowed_tools(self.cards[agent], has_inputs=bool(self.inputs))
        return self._usable(agent, (*allowed, *sorted(self.kernel)))

    def usual_tools_of(self, agent: str, *, has_inputs: bool, ranks: bool) -> tuple[str, ...]:
        """Return the tools of a task for which none are named."""
        card = self.cards[agent]
        usual = usual_tools(card, has_inputs=has_inputs, ranks=ranks)
        if self.only:
            # Who names tools wants them used, also those that are not usual.
            return tuple(each for each in self.tools_of(agent) if has_inputs or not shows(each))
        return self._usable(agent, usual)

    def _usable(self, agent: str, tools: tuple[str, ...]) -> tuple[str, ...]:
        model = self.models.get(self.model_of(agent))
        if model is not None and not model.tools:
            return ()
        wanted = [each for each in tools if not self.only or each in self.only]
        return tuple(each for each in wanted if self.suite or each != SUITE)


def circumstances(
    goal: str,
    *,
    root: Path,
    cards: Mapping[str, RoleCard],
    models: Mapping[str, ModelSpec],
    of_agents: Mapping[str, str],
) -> Circumstances:
    """Look at what a plan would be made in.

    Raises:
        PathError: The root is missing, unreadable or empty.
    """
    from hypernb.tools import kernel_tools, new_files

    listing = checked_tree(root)
    return Circumstances(
        goal=goal,
        cards=cards,
        models=models,
        of_agents=of_agents,
        root=str(listing.root),
        files=tuple(listing.files),
        new_files=new_files(listing),
        suite=not wants_no_suite(goal),
        kernel={name: each.tool.schema for name, each in kernel_tools().items()},
    )


def pick_cards(
    cards: Mapping[str, RoleCard], agents: Sequence[str] = ()
) -> dict[str, RoleCard]:
    """Return the cards of the agents that were named, and of who sums up; all if none were.

    Raises:
        UnknownNameError: There is no such agent.
    """
    if not agents:
        return dict(cards)
    asked = checked_agents([*agents, STRATEGIST], cards)
    return {name: cards[name] for name in asked}
