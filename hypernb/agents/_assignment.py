"""One attempt at a task, as who does it is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypernb.errors import ContractError

if TYPE_CHECKING:
    from hypernb.abc import Services, ToolContext
    from hypernb.model import AgentWork


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be done, by whom, and with what.

    Attributes:
        agent: Who does it.
        task: Name of the task.
        goal: What is to be achieved, as it was approved.
        check: What must hold for it to count as done; nothing checks it.
        work: Model, tools, bounds and form of the output.
        context: What tools are given.
    """

    agent: str
    task: str
    goal: str
    check: str
    work: AgentWork
    context: ToolContext

    @property
    def services(self) -> Services:
        """The runner.

        Raises:
            ContractError: There is none.
        """
        if self.context.services is None:
            raise ContractError(
                f"{self.task} cannot be done: there is no runner to ask.",
                hint="Have it done as a task of a mission: session.start(plan).",
            )
        return self.context.services
