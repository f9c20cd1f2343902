"""The tools of one attempt: what a model is offered, its calls, and what came of them."""

from __future__ import annotations

import contextvars
import json
import logging
import re
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._answers import schema_problems
from hypernb.agents._fences import fence, plain, shortened
from hypernb.agents._granted import is_to_cover, within_grants
from hypernb.agents._post import SCHEMAS, SEND, TALK_TOOLS
from hypernb.agents._prompts import brief_arguments, portable, redacted
from hypernb.errors import (
    ContractError,
    HypernbError,
    ToolArgumentsError,
    ToolError,
    UsageError,
    nearest,
)
from hypernb.model import EventKind, ToolSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypernb.agents._assignment import Assignment
    from hypernb.agents._post import Post
    from hypernb.model import Digest, ToolCall, ToolRun
    from hypernb.tools import FunctionTool

SAME_AT_MOST: Final = 3
"""How often a call is made with the same arguments; it is not made once more."""

_STORE: Final = "query-store"
"""Outputs and messages of other tasks stand in its answers."""

_ANSWER_AT_MOST: Final = 24_000
_EVENT_CHARS: Final = 500
_ERROR_CHARS: Final = 2_000
_TIMEOUT_S: Final = 60.0
_SUITE_SLACK_S: Final = 120.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call.

    Attributes:
        content: What the model is told.
        is_fit: It was a call that could be made: a tool that there is, with its arguments.
    """

    content: str
    is_fit: bool = True


class Toolbox:
    """Calls tools for a model, and keeps what they have found.

    Attributes:
        runs: What analysers found, for the report.
        kept: Objects that tools of kernels have returned, by the number of their call.
        calls: How many calls were made.
        used: How often each tool was called.
        is_stuck: A call was asked for again that is not made any more, after the model was
            told so.
    """

    def __init__(self, assignment: Assignment, post: Post | None) -> None:
        self._work = assignment.work
        self._services = assignment.services
        self._context = replace(assignment.context, grants=dict(assignment.work.variables))
        self._post = post
        self._functions: dict[str, FunctionTool] = {}
        self._same: Counter[tuple[str, str]] = Counter()
        self.runs: list[ToolRun] = []
        self.kept: dict[int, Digest] = {}
        self.calls = 0
        self.used: Counter[str] = Counter()
        self.is_stuck = False

    @property
    def offered(self) -> tuple[ToolSchema, ...]:
        """The tools as the model is told of them."""
        return tuple(self._schema(name) for name in dict.fromkeys(self._work.tools))

    @property
    def calls_left(self) -> int:
        """How many calls may be made yet."""
        return self._work.calls - self.calls

    def call(self, call: ToolCall) -> Called:
        """Make a call, or say why not; nothing that a tool does comes through but its answer.

        Raises:
            HypernbError: The runner refuses to serve this attempt any more.
        """
        if call.name not in self._work.tools:
            said = f"No tool is called {plain(call.name, 80)!r}. "
            return Called(said + nearest(call.name[:80], self._work.tools), is_fit=False)
        try:
            arguments = self._checked(call)
        except ToolArgumentsError as error:
            return Called(plain(str(error), _ERROR_CHARS), is_fit=False)
        if self.calls_left < 1:
            return Called("It was not called: no calls of tools are left.")
        if (stuck := self._repeated(call.name, arguments)) is not None:
            return stuck
        try:
            content = self.made(call.name, arguments)
        except ToolError as error:
            said = str(error)
            # Its error tells of values that the model has not been granted.
            covered = redacted(said) if call.name in self._work.lanes else said
            return Called(plain(covered, _ERROR_CHARS))
        return Called(self._told(call.name, content))

    def called(self, call: ToolCall) -> Any:
        """Make a call for code, not for a model: return the answer as it is.

        Raises:
            ToolError: It failed, or it cannot be made.
        """
        if call.name not in self._work.tools:
            near = nearest(call.name[:80], self._work.tools)
            raise ToolError(
                call.name[:80], f"the plan does not let this task call it. {near}".rstrip()
            )
        arguments = self._checked(call)
        if self.calls_left < 1:
            raise ToolError(call.name, f"the task has made its {self._work.calls:,} calls.")
        return self.made(call.name, arguments)

    def made(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a tool with arguments that fit, tell of it, and return what it answers.

        Raises:
            ToolError: It failed, or the plan does not allow it.
        """
        self.calls += 1
        self.used[name] += 1
        named = {"tool": name, "number": self.calls}
        brief = brief_arguments(arguments, _EVENT_CHARS)
        self._services.tell(EventKind.TOOL_CALLED, {**named, "arguments": brief})
        began = time.monotonic()
        try:
            content, run = self._answer(name, arguments)
        except (ToolError, ContractError, UsageError) as failure:
            error = failure if isinstance(failure, ToolError) else ToolError(name, str(failure))
            named |= {"status": "failed", "error": brief_arguments(str(error), _EVENT_CHARS)}
            self._services.tell(EventKind.TOOL_RETURNED, {**named, **_took(began)})
            raise error from failure
        named |= {"status": "returned", "size": len(str(content))}
        if run is not None:
            self.runs.append(run)
            named |= {"status": run.status.value, "findings": len(run.findings)}
        self._services.tell(EventKind.TOOL_RETURNED, {**named, **_took(began)})
        return content

    def _schema(self, name: str) -> ToolSchema:
        if name in TALK_TOOLS:
            return SCHEMAS[name]
        if name in self._work.lanes:
            known = self._work.schemas.get(name, ToolSchema(name=name))
            return known.model_copy(update={"name": name})
        return self._function(name).schema

    def _function(self, name: str) -> FunctionTool:
        from hypernb.tools import function_tool

        if name not in self._functions:
            self._functions[name] = function_tool(name)
        return self._functions[name]

    def _checked(self, call: ToolCall) -> dict[str, Any]:
        if call.name not in TALK_TOOLS and call.name not in self._work.lanes:
            return self._function(call.name).check(call.arguments)
        from hypernb.tools import read_arguments

        given = read_arguments(call.name, call.arguments)
        schema = self._schema(call.name).parameters
        if schema and (problems := list(schema_problems(schema, given))):
            raise ToolArgumentsError(call.name, [f"{problem}." for problem in problems])
        return given

    def _repeated(self, name: str, arguments: Mapping[str, Any]) -> Called | None:
        key = (name, json.dumps(arguments, sort_keys=True, default=str))
        self._same[key] += 1
        if self._same[key] <= SAME_AT_MOST:
            return None
        self.is_stuck = self._same[key] > SAME_AT_MOST + 1
        said = (
            f"It was not called: you have called {name} with these arguments "
            f"{SAME_AT_MOST} times. Do something else, or finish with what you have."
        )
        return Called(said)

    def _answer(self, name: str, arguments: Mapping[str, Any]) -> tuple[Any, ToolRun | None]:
        if name in TALK_TOOLS:
            return self._posted(name, arguments), None
        if name in self._work.lanes:
            return self._in_kernel(name, arguments), None
        function = self._function(name)
        context = within_grants(name, self._context)
        context = replace(context, params=self._work.params.get(name, {}))
        answer = _in_time(
            name, lambda: function.call(context, arguments), self._timeout(name, function)
        )
        return answer.content, answer.run

    def _posted(self, name: str, arguments: Mapping[str, Any]) -> str:
        if self._post is None:
            raise ContractError("the plan does not let this task send messages")
        if name == SEND:
            return self._post.send(arguments)
        arrived = self._post.arrived(wait_s=float(arguments.get("wait_s", 0)))
        if not arrived:
            return "No message has arrived."
        self._same.clear()  # asking again goes round in no circle where something arrives
        return self._post.shown(arrived)

    def _in_kernel(self, name: str, arguments: Mapping[str, Any]) -> Any:
        call = self._services.call(name, arguments)
        if call.error:
            raise ToolError(name, call.error)
        if call.value is not None:
            self.kept[self.calls] = call.value
        return call.answer

    def _told(self, name: str, content: Any) -> str:
        if name in TALK_TOOLS:
            return str(content)  # what others wrote stands in fences of its own
        if not isinstance(content, str):
            content = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
        text = content.encode("utf-8", "replace").decode()
        if name in self._work.lanes or name == _STORE or is_to_cover(name, self._context):
            text = redacted(text)
        whole = portable(text, self._context)
        said = fence(f"answer of {name}", shortened(whole, _ANSWER_AT_MOST))
        if self.calls in self.kept:
            said += f"\n\nThe object itself is kept as result {self.calls}."
        return said

    def _timeout(self, name: str, function: FunctionTool) -> float:
        # The project's own test suite has a time limit of its own, which stands in the plan.
        own = self._work.params.get(name, {}).get("timeout_s")
        if isinstance(own, int | float):
            return float(own) + _SUITE_SLACK_S
        return float(getattr(function, "timeout_s", _TIMEOUT_S))


def call_name(name: str) -> str:
    """Return a tool's name as servers take it back in a conversation, whatever it was.

    Example:
        >>> call_name("read file!"), call_name("")
        ('read_file_', 'unknown')
    """
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "unknown"


def _took(began: float) -> dict[str, float]:
    return {"duration_s": round(time.monotonic() - began, 3)}


def _in_time(name: str, function: Callable[[], Any], seconds: float) -> Any:
    """Call a tool in a thread of its own, which is left behind if it takes too long."""
    answers: list[Any] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(function())
        except BaseException as error:  # noqa: BLE001 - handed on to the thread that waits
            failures.append(error)

    thread = threading.Thread(
        target=contextvars.copy_context().run, args=(run,), name=f"tool-{name}", daemon=True
    )
    thread.start()
    thread.join(seconds)
    if failures:
        raise _as_tool_error(name, failures[0])
    if not answers:
        raise ToolError(
            name,
            f"it was still at work after {seconds:g} s, and is waited for no longer.",
            hint="Ask for less.",
        )
    return answers[0]


def _as_tool_error(name: str, error: BaseException) -> HypernbError:
    if isinstance(error, HypernbError):
        return error if isinstance(error, ToolError) else ToolError(name, str(error))
    # Not its message: what tools read may be said to nobody but the model.
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.warning("The tool %s failed with %s:\n%s", name, type(error).__name__, frames)
    return ToolError(name, f"it failed: {type(error).__name__}: {error}")
