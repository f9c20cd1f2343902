"""The loop of an agent with a model: it is asked, calls tools, and gives an output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._answers import MisfitError, form_of
from hypernb.agents._assignment import Assignment
from hypernb.agents._bounds import Bounds
from hypernb.agents._conversation import Conversation
from hypernb.agents._fences import plain, shortened
from hypernb.agents._outcome import Outcome
from hypernb.agents._post import TALK_TOOLS, Post
from hypernb.agents._prompts import redacted, system_prompt, task_prompt
from hypernb.agents._toolbox import Toolbox
from hypernb.errors import (
    AgentAnswerError,
    BudgetExhaustedError,
    ContextTooLargeError,
    ModelAnswerError,
)
from hypernb.model import ChatReply, ChatRequest, Finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.abc import ToolContext
    from hypernb.model import AgentWork

REPAIRS_AT_MOST: Final = 2
"""How often in a row a model is told what is wrong with its answer."""

_EVIDENCE_CHARS: Final = 300
_GOES_ON: Final = object()


def work_with_model(  # noqa: PLR0913  each one is a term of the task, named at the call
    *,
    agent: str,
    task: str,
    goal: str,
    check: str,
    work: AgentWork,
    context: ToolContext,
    load: Callable[[], Any] | None = None,
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
        load: Returns the agent of the user's own that ``work.function`` names.

    Returns:
        A `hypernb.model.Report`, text, JSON, a DataFrame, or a `hypernb.model.StoredValue`,
        as ``work.returns`` says; of an agent of the user's own, what it returns.

    Raises:
        AgentAnswerError: Nothing that the model said can be the output.
        ModelError: The model gave no answer at all.
        BudgetExhaustedError: There is no money left, and nothing that could be reported.
    """
    assignment = Assignment(agent, task, goal, check, work, context)
    if work.function:
        from hypernb.agents._own_agents import work_of_own_agent

        return work_of_own_agent(assignment, load)
    return _Attempt(assignment).run()


class _Attempt:
    """One attempt of a model at a task."""

    def __init__(self, assignment: Assignment) -> None:
        self._task = assignment.task
        self._work = assignment.work
        self._context = assignment.context
        self._services = assignment.services
        self._form = form_of(assignment.work)
        talks = not set(TALK_TOOLS).isdisjoint(assignment.work.tools)
        self._post = Post(self._services) if talks else None
        self._toolbox = Toolbox(assignment, self._post)
        self._outcome = Outcome(assignment, self._toolbox)
        self._bounds = Bounds(assignment.work.steps, assignment.work.tokens)
        self._said = Conversation(
            system_prompt(assignment, form=self._form), task_prompt(assignment)
        )
        self._misfits = 0
        self._is_warned = False

    def run(self) -> Any:
        """Go on until there is an output."""
        try:
            while not self._is_last:
                output = self._step()
                if output is not _GOES_ON:
                    return output
            return self._last()
        except BudgetExhaustedError as error:
            partial = self._outcome.partial(str(error))
            if partial is None:
                raise
            return partial

    @property
    def _is_last(self) -> bool:
        return self._toolbox.is_stuck or self._bounds.is_last(self._said.characters)

    def _step(self) -> Any:
        self._hear()
        self._warn()
        try:
            reply = self._ask(with_tools=self._toolbox.calls_left > 0)
        except ModelAnswerError as error:
            problem = f"it cannot be read: {error.problem}"
            self._object(problem, error.evidence, quiet=_quietly(error))
            return _GOES_ON
        if reply.tool_calls:
            self._call(reply)
            return _GOES_ON
        try:
            return self._read(reply)
        except MisfitError as error:
            self._said.answered(reply)
            self._object(str(error), reply.text, quiet=error.quiet)
            return _GOES_ON

    def _last(self) -> Any:
        """Ask for the answer once more, and take it or fail."""
        if self._bounds.steps_left < 1 or self._bounds.tokens_left < 1:
            partial = self._outcome.partial("its answers or its tokens are used up")
            if partial is None:
                raise self._failure("its answers or its tokens are used up", "")
            return partial
        why = (
            "You go round in circles."
            if self._toolbox.is_stuck
            else "This is your last answer."
        )
        self._said.told(f"{why} No tools can be called any more: {self._form.words}.")
        evidence = ""
        try:
            reply = self._ask(with_tools=False)
            evidence = reply.text or reply.refusal
            return self._read(reply)
        except MisfitError as error:
            began = f"{why[:-1].lower()}, and"
            raise self._failure(
                f"{began} {error}", evidence, quiet=f"{began} {error.quiet}"
            ) from None
        except ModelAnswerError as error:
            problem = f"it cannot be read: {error.problem}"
            raise self._failure(problem, error.evidence, quiet=_quietly(error)) from None

    def _hear(self) -> None:
        if self._post is None:
            return
        if arrived := self._post.arrived():
            self._said.told(f"Messages have arrived.\n\n{self._post.shown(arrived)}")

    def _warn(self) -> None:
        if self._is_warned:
            return
        if self._toolbox.calls_left < 1 and self._work.tools:
            said = "No calls of tools are left."
        elif self._bounds.is_near_the_end:
            said = "Your answers are nearly used up."
        else:
            return
        self._is_warned = True
        self._said.told(f"{said} Finish with what you have: {self._form.words}.")

    def _ask(self, *, with_tools: bool) -> ChatReply:
        tools = self._toolbox.offered if with_tools else ()
        characters = self._said.characters
        self._bounds.begin()
        reply = self._chat(with_tools=bool(tools))
        self._bounds.end(reply, asked=characters)
        if self._post is not None:
            self._post.acknowledge()
        return reply

    def _chat(self, *, with_tools: bool) -> ChatReply:
        try:
            return self._services.chat(self._request(with_tools=with_tools))
        except ContextTooLargeError:
            if not self._said.trim():
                raise
            return self._services.chat(self._request(with_tools=with_tools))

    def _request(self, *, with_tools: bool) -> ChatRequest:
        return ChatRequest(
            model=self._work.model,
            messages=self._said.messages,
            tools=self._toolbox.offered if with_tools else (),
            # Many servers cannot hold a model to a schema and offer it tools at once.
            answer_schema={} if with_tools else dict(self._form.schema),
            answer_name=self._work.returns,
            max_output_tokens=self._bounds.output_at_most(self._said.characters),
            purpose="repair" if self._misfits else "task",
        )

    def _call(self, reply: ChatReply) -> None:
        calls = self._said.called(reply)
        misfits = []
        for call, known in calls:
            called = self._toolbox.call(call)
            self._said.returned(known, called.content)
            if not called.is_fit:
                misfits.append(called.content)
        if not misfits:
            self._misfits = 0
            return
        quiet = "it calls tools that are not there, or with arguments that do not fit"
        self._count_misfit(misfits[0], str(reply.tool_calls[0].arguments), quiet=quiet)

    def _read(self, reply: ChatReply) -> Any:
        if reply.tool_calls:
            raise MisfitError("it calls a tool, and none can be called any more")
        if reply.finish is Finish.REFUSED or (reply.refusal and not reply.text):
            said = plain(reply.refusal or reply.text, 300)
            raise MisfitError(f"it is a refusal: {said}", quiet="it is a refusal")
        if reply.finish is Finish.FILTERED:
            raise MisfitError("the server's filter has cut it off")
        if reply.finish is Finish.LENGTH:
            raise MisfitError(
                f"it was cut off after {len(reply.text):,} characters; write less"
            )
        return self._outcome.of(self._form.read(reply.text))

    def _object(self, problem: str, evidence: str, *, quiet: str) -> None:
        self._count_misfit(problem, evidence, quiet=quiet)
        self._said.told(f"That answer cannot be used: {problem}. Now {self._form.words}.")

    def _count_misfit(self, problem: str, evidence: str, *, quiet: str) -> None:
        self._misfits += 1
        if self._misfits > REPAIRS_AT_MOST:
            why = "its answers cannot be used, and the last because"
            raise self._failure(f"{why} {problem}", evidence, quiet=f"{why} {quiet}")

    def _failure(self, problem: str, evidence: str, *, quiet: str = "") -> AgentAnswerError:
        shown = shortened(redacted(plain(evidence, 4 * _EVIDENCE_CHARS)), _EVIDENCE_CHARS)
        return AgentAnswerError(
            self._task,
            problem.rstrip("."),
            evidence=shown,
            quiet=quiet or problem.rstrip("."),
            characters=len(evidence),
            hint="Do it anew, give it another model, or say more exactly what is wanted.",
        )


def _quietly(error: ModelAnswerError) -> str:
    return f"it cannot be read: {error.quiet or error.problem}"
