"""Running agents of the user's own: their models, tools, messages and states."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from typing import TYPE_CHECKING, Any

from hypernb.agents._answers import (
    REPAIRS_AT_MOST,
    Form,
    MisfitError,
    answer_error,
    usable,
)
from hypernb.agents._base_agent import AgentTask, BaseAgent, seat
from hypernb.agents._bounds import Bounds
from hypernb.agents._fences import plain
from hypernb.agents._outcome import Outcome
from hypernb.agents._toolbox import Toolbox
from hypernb.errors import ContractError, ToolError
from hypernb.model import ChatMessage, ChatRequest, ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hypernb.agents._assignment import Assignment
    from hypernb.model import AgentMessage, ChatReply


def work_of_own_agent(assignment: Assignment, load: Callable[[], Any] | None) -> Any:
    """Have an agent of the user's own do a task, and return what it returns.

    One that returns nothing, and has called analysers, has reported what these have found.

    Args:
        assignment: What it is to do.
        load: Returns the agent.

    Raises:
        ContractError: There is no runner, or what was sent is no agent.
    """
    work = assignment.work
    agent = None if load is None else load()
    if not isinstance(agent, BaseAgent):
        raise ContractError(
            f"{assignment.task} cannot be done: {work.label or assignment.agent} is no "
            "hypernb.BaseAgent that could be loaded here."
        )
    desk = _Desk(agent, assignment)
    seat(agent, desk)
    desk.deliver(wait_s=0.0)
    result = settled(agent.process_task(_task(assignment)))
    if result is None and desk.toolbox.runs:
        return Outcome(assignment, desk.toolbox).from_tools()
    return result


def _task(assignment: Assignment) -> AgentTask:
    context = assignment.context
    return AgentTask(
        name=assignment.task,
        goal=assignment.goal,
        check=assignment.check,
        root=context.root,
        inputs=context.inputs,
        failures=context.failures,
        files=context.files,
        tools=assignment.work.tools,
    )


class _Desk:
    """What an agent of the user's own can ask for; see `hypernb.agents._base_agent.Desk`."""

    def __init__(self, agent: BaseAgent, assignment: Assignment) -> None:
        self._agent = agent
        self._task = assignment.task
        self._work = assignment.work
        self._services = assignment.services
        self._bounds = Bounds(assignment.work.steps, assignment.work.tokens)
        self._seen: set[str] = set()
        self._version: int | None = None
        self.toolbox = Toolbox(assignment, None)

    def chat(self, messages: Sequence[ChatMessage], schema: Mapping[str, Any]) -> Any:
        """Ask the model; see `BaseAgent.chat`."""
        self.deliver(wait_s=0.0)
        form = Form(
            "answer with JSON of the schema that was asked for, and nothing else", schema
        )
        said = list(messages)
        for _ in range(REPAIRS_AT_MOST):
            reply = self._ask(said, schema, is_repair=len(said) > len(messages))
            try:
                return form.read(usable(reply))
            except MisfitError as error:
                if reply.text:
                    said.append(ChatMessage(role="assistant", content=plain(reply.text, 4_000)))
                told = f"That answer cannot be used: {error}. Now {form.words}."
                said.append(ChatMessage(role="user", content=told))
        reply = self._ask(said, schema, is_repair=True)
        try:
            return form.read(usable(reply))
        except MisfitError as error:
            evidence = reply.text or reply.refusal
            raise answer_error(self._task, str(error), evidence, quiet=error.quiet) from None

    def call_tool(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a tool; see `BaseAgent.call_tool`."""
        self.deliver(wait_s=0.0)
        try:
            written = json.dumps(dict(arguments))
        except (TypeError, ValueError, RecursionError) as error:
            raise ToolError(name, f"its arguments are not JSON: {error}.") from None
        return self.toolbox.called(ToolCall(id="", name=name, arguments=written))

    def send(self, message: AgentMessage) -> AgentMessage:
        """Send a message; see `BaseAgent.send_message`."""
        return self._services.send(message)

    def deliver(self, *, wait_s: float) -> list[AgentMessage]:
        """Hand over messages; see `BaseAgent.messages`."""
        fresh = [m for m in self._services.receive(wait_s=wait_s) if m.id not in self._seen]
        # Noted before they are dealt with: an agent that asks its model in receive_message
        # would else be handed the same message again.
        self._seen |= {each.id for each in fresh}
        for each in fresh:
            settled(self._agent.receive_message(each))
            self._services.acknowledge([each.id])
        return fresh

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Keep a state; see `BaseAgent.save_state`."""
        if self._version is None:
            self.load_state()
        self._version = self._services.save_state(state, version=self._version or 0)

    def load_state(self) -> dict[str, Any]:
        """Return the state; see `BaseAgent.load_state`."""
        state, self._version = self._services.load_state()
        return state

    def _ask(
        self, said: Sequence[ChatMessage], schema: Mapping[str, Any], *, is_repair: bool
    ) -> ChatReply:
        if not self._work.model:
            raise ContractError(
                f"{self._task} cannot ask a model: its plan names none.",
                hint="Give the task one: plan.add(..., model=...).",
            )
        if self._bounds.steps_left < 1 or self._bounds.tokens_left < 1:
            raise ContractError(
                f"{self._task} cannot ask its model again: the plan allows "
                f"{self._work.steps:,} answers and {self._work.tokens:,} tokens.",
                hint="Give it more with steps= and tokens= in plan.add.",
            )
        characters = sum(len(each.content) for each in said)
        self._bounds.begin()
        reply = self._services.chat(
            ChatRequest(
                model=self._work.model,
                messages=tuple(said),
                answer_schema=dict(schema),
                max_output_tokens=self._bounds.output_at_most(characters),
                purpose="repair" if is_repair else "task",
            )
        )
        self._bounds.end(reply, asked=characters)
        return reply


def settled(result: Any) -> Any:
    """Return what a function gave, after waiting for it if it is a coroutine."""
    if not inspect.isawaitable(result):
        return result
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_awaited(result))
    # An async agent that asks something is inside of its own loop, which cannot run another.
    answers: list[Any] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(asyncio.run(_awaited(result)))
        except BaseException as error:  # noqa: BLE001 - handed on to the thread that waits
            failures.append(error)

    thread = threading.Thread(target=run, name="agent-message", daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return answers[0]


async def _awaited(result: Any) -> Any:
    return await result
