"""Agents of one's own: a Python class that does a task as it likes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import ValidationError

from hypernb.errors import ContractError, UsageError
from hypernb.model import EVERYBODY, AgentMessage, ChatMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class AgentTask:
    """What an agent of one's own is to do.

    Attributes:
        name: Name of the task.
        goal: What is to be achieved.
        check: What must hold for it to count as done; nothing checks it.
        inputs: Outputs of the tasks before it, and the plan's inputs that it may see, by name.
        failures: Why tasks before it gave nothing, by name.
        root: Directory of the project, absolute.
        files: Files below it that it may read.
        tools: Names of the tools that it may call.
    """

    name: str
    goal: str
    check: str
    root: Path
    inputs: Mapping[str, Any] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


class Desk(Protocol):
    """What the runner does for an agent of one's own while it is at work."""

    def chat(self, messages: Sequence[ChatMessage], schema: Mapping[str, Any]) -> Any:
        """Ask the model."""

    def call_tool(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a tool."""

    def send(self, message: AgentMessage) -> AgentMessage:
        """Send a message."""

    def deliver(self, *, wait_s: float) -> list[AgentMessage]:
        """Hand messages that have arrived to the agent, and return them."""

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Keep a state."""

    def load_state(self) -> dict[str, Any]:
        """Return the state that is kept."""


class BaseAgent(ABC):
    """An agent of your own: override `process_task`, and hand an object of it to a plan.

    The object is sent to the worker as it is when it is handed over; set in ``__init__`` what
    it should know. In `process_task` it can ask the model of its task, call the tools that the
    plan gives it, talk to other agents, and keep a state that survives every process.

    Attributes:
        name: What it is called in plans; by default made of the class's name.
        tools: Tools that its tasks may call, where the plan names none.
        model: Name of a configured model that its tasks may ask, where the plan names none.

    Example:
        >>> import hypernb
        >>> class WordCounter(hypernb.BaseAgent):
        ...     def process_task(self, task):
        ...         return len(task.goal.split())
        >>> plan = hypernb.Plan("Count").add("count", agent=WordCounter(), goal="one two three")
        >>> plan.tasks[0].agent
        'word-counter'
    """

    name: ClassVar[str] = ""
    tools: ClassVar[Sequence[str]] = ()
    model: ClassVar[str] = ""
    _desk: Desk | None = None

    @abstractmethod
    def process_task(self, task: AgentTask) -> Any | Awaitable[Any]:
        """Do a task, and return its output; may be a coroutine function."""

    def receive_message(self, message: AgentMessage) -> Any:
        """Deal with a message; by default nothing is done. May be a coroutine function.

        Called before `process_task`, and in it whenever the agent asks its model, calls a tool
        or waits for messages. A message counts as received when this has returned.
        """
        del message

    def send_message(
        self,
        content: Any,
        *,
        to: str = EVERYBODY,
        type: str = "note",  # noqa: A002 - what messages, their table and the tool call it
        reply_to: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> AgentMessage:
        """Send a message to a task or an agent of the mission, by default to all.

        It is kept without the keys of the runner, and has at most 100,000 characters.

        Args:
            content: JSON values only.
            to: Name of a task or of an agent.
            type: ``note``, ``question``, ``answer``, or a word of your own.
            reply_to: Id of the message that it answers.
            metadata: Further facts, by name; JSON values only.

        Raises:
            UnknownNameError: The mission has no such task or agent.
            UsageError: It is no JSON, or too long, or the task has sent too many.
        """
        said = {"content": content, "type": type, "metadata": dict(metadata or {})}
        try:
            message = AgentMessage(recipient=to, reply_to=reply_to, **said)
        except ValidationError as error:
            raise _unsent(error) from None
        return self._at_work.send(message)

    def messages(self, *, wait_s: float = 0.0) -> list[AgentMessage]:
        """Return messages that have arrived, after `receive_message` has dealt with each.

        Args:
            wait_s: If there are none, wait so long for the first.
        """
        return self._at_work.deliver(wait_s=wait_s)

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Keep a state; it is there for the next attempt, also after a crash.

        Args:
            state: JSON values only, at most a million bytes.

        Raises:
            StateConflictError: Another attempt at the task has saved one meanwhile.
        """
        self._at_work.save_state(state)

    def load_state(self) -> dict[str, Any]:
        """Return the state that was saved last; empty if none was."""
        return self._at_work.load_state()

    def chat(
        self,
        said: str | Sequence[ChatMessage],
        *,
        system: str = "",
        schema: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask the model of the task, and return its answer as text.

        Args:
            said: What it is asked, or a whole conversation.
            system: Who it is to be.
            schema: JSON schema of an object: the answer is JSON of that form, and it is asked
                again, twice at most, if it is not.

        Raises:
            ModelError: There is no answer.
            AgentAnswerError: The answer is not what was asked for.
            ContractError: The plan gives the task no model, or its answers are used up.
        """
        if isinstance(said, str):
            said = [ChatMessage(role="user", content=said)]
        first = [ChatMessage(role="system", content=system)] if system else []
        return self._at_work.chat([*first, *said], schema or {})

    def call_tool(self, name: str, /, **arguments: Any) -> Any:
        """Call a tool of the task, and return its answer.

        Raises:
            ToolError: It failed, the plan does not allow it, or the arguments do not fit.
        """
        return self._at_work.call_tool(name, arguments)

    @property
    def _at_work(self) -> Desk:
        if self._desk is None:
            raise ContractError(
                f"{type(self).__name__} is not at work.",
                hint="That can be done in process_task and receive_message only.",
            )
        return self._desk


def _unsent(error: ValidationError) -> UsageError:
    first = error.errors(include_url=False)[0]
    return UsageError(
        f"A message cannot be sent with {first['input']!r:.80} in its {first['loc'][0]}: "
        f"{first['msg']}.",
        hint="Content and metadata are JSON values; the type is a word.",
    )


def seat(agent: BaseAgent, desk: Desk) -> None:
    """Let an agent work: from now on what it asks for is done."""
    agent._desk = desk  # noqa: SLF001 - who runs it seats it; users have no use for the method
