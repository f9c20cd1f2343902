"""The loop of an agent with a model: it is asked, calls tools, and gives an output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.abc import ToolContext
    from hypernb.model import AgentWork


def work_with_model(
    *,
    agent: str,
    task: str,
    goal: str,
    check: str,
    work: AgentWork,
    context: ToolContext,
    load: Callable[[str], Any] | None = None,
) -> Any:
    """Have a model do a task with the tools of its plan, and return its output.

    Blocking. All of the outside is asked of ``context.services``.

    Args:
        agent: Who does it.
        task: Name of the task.
        goal: What is to be achieved, as it was approved.
        check: What must hold for it to count as done.
        work: Model, tools, bounds and form of the output.
        context: What tools are given. Its inputs hold the outputs of the tasks before it, and
            of the plan's inputs those that ``work.variables`` names.
        load: Returns the value of a digest: the user's own agent, ``work.function``.

    Returns:
        A `hypernb.model.Report`, text, JSON, a DataFrame, or a `hypernb.model.StoredValue`,
        as ``work.returns`` says; of an agent of the user's own, what it returns.

    Raises:
        AgentAnswerError: Nothing that the model said can be the output.
        ModelError: The model gave no answer at all.
        BudgetExhaustedError: There is no money left, and nothing that could be reported.
    """
    raise NotImplementedError
