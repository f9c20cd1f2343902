"""Plans as a person writes them."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import ValidationError

from hypernb import codec
from hypernb.errors import CannotShipError, PlanProblemsError
from hypernb.model import (
    DEFAULT_CONCURRENCY,
    DEFAULT_TIMEOUT_S,
    OnFailure,
    PlanSpec,
    PythonWork,
    TaskSpec,
)
from hypernb.plan._check import check_plan, keyword_name
from hypernb.plan._functions import ShippedFunction, import_paths, ship, takes
from hypernb.plan._own_agents import own_agent
from hypernb.plan._sizes import refuse_too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType

    from hypernb.abc import Payload
    from hypernb.model import CallRecord, Digest, Grant, LeaseRecord, ModelSpec, Returns


_TERMS: Final = (
    "goal",
    "root",
    "scope",
    "hosts",
    "budget",
    "concurrency",
    "agent_concurrency",
    "priority",
    "deadline_s",
    "result",
    "notes",
    "playbook",
    "params",
    "planned_by",
    "models",
    "content",
    "cassette",
    "cache_s",
    "see",
)


class Inputs(MutableMapping[str, Any]):
    """Values for the tasks by name, each turned into bytes at the moment it is handed over.

    A function takes what is here when its task is added; agents find all.
    """

    def __init__(self, keep: Callable[[Payload], Digest]) -> None:
        self._keep = keep
        self._values: dict[str, Any] = {}
        self.digests: dict[str, Digest] = {}

    def __setitem__(self, name: str, value: Any) -> None:
        refuse_too_large(name, value)
        payload = codec.encode(value, what=f"the input {name!r}")
        refuse_too_large(name, value, size_bytes=len(payload.data))
        self.digests[name] = self._keep(payload)
        self._values[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __delitem__(self, name: str) -> None:
        del self._values[name], self.digests[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Plan:
    """A plan in the making: a goal, tasks, and the contract around them.

    A task is a Python function or the work of an agent. Outputs of the tasks that it needs,
    and the inputs of the plan, arrive as keyword arguments of their names where the function
    takes them (``load-rows`` as ``load_rows``). Values and functions are taken as they are
    when they are handed over; what changes later does not reach the plan. The terms of the
    contract are attributes, and can be set until the plan is built.

    Args:
        goal: What it is for, in a sentence.
        root: Directory that scopes are relative to; by default the current one.
        scope: Paths below the root that tasks may touch; all if empty.
        hosts: Hosts that tasks may talk to.
        inputs: Values for the tasks, by name.
        budget: Cap on the cost of the whole mission, in dollars.
        concurrency: How many tasks may run at once.
        agent_concurrency: How many tasks of one agent may run at once; None for no limit.
        priority: 0 to 100; missions with more start first.
        deadline: Cap on the mission's time, in seconds.
        result: The task whose output is the mission's result; by default the outputs of all
            tasks that no other needs.
        notes: What a person should know before approving, one sentence each.
        playbook: Name of the playbook it comes from.
        params: Parameters of that playbook.
        planned_by: Who planned it, in words.
        models: The models that its agents may ask, by the names that tasks have for them.

    Attributes:
        content: ``full``, ``hashes`` or ``none``: how much of what models are told and answer
            is kept; None for what the settings say, ``full`` if they say nothing.
        cassette: ``record:PATH`` or ``replay:PATH``; empty to ask models, unless
            ``HYPERNB_MODE`` says otherwise.
        cache_s: How old an answer to the same question may be, in seconds; None for what the
            settings say, 0 if they say nothing.
        see: How much of inputs any task may see that has no ``variables`` of its own, a
            `hypernb.model.Grant` by name; a sample of those not named.
        planning: Calls of models that have made this plan.
        paid_by: Short id of a mission that pays them already; empty if the one that comes of
            the plan is to.
        planned_in: The lease on the mission in which it was planned, which has paid them and
            waits for this plan; None if there is none, or it waits no longer.

    Raises:
        CannotShipError: An input cannot be sent to another process.

    Example:
        >>> def fetch(year):
        ...     return [year, year + 1]
        >>> def total(fetch):
        ...     return sum(fetch)
        >>> plan = Plan("Add up two years").add("fetch", fetch, 2026)
        >>> plan.add("total", total, needs=["fetch"])
        <Plan 'Add up two years': fetch, total>
        >>> spec, payloads = plan.build()
        >>> spec.tasks[1].work.takes
        ('fetch',)
    """

    def __init__(  # noqa: PLR0913  each one is a term of the contract, named at the call
        self,
        goal: str,
        *,
        root: str | os.PathLike[str] | None = None,
        scope: Iterable[str] = (),
        hosts: Iterable[str] = (),
        inputs: Mapping[str, Any] | None = None,
        budget: float | None = None,
        concurrency: int = DEFAULT_CONCURRENCY,
        agent_concurrency: int | None = None,
        priority: int = 50,
        deadline: float | None = None,
        result: str = "",
        notes: Iterable[str] = (),
        playbook: str = "",
        params: Mapping[str, Any] | None = None,
        planned_by: str = "a person",
        models: Mapping[str, ModelSpec] | None = None,
    ) -> None:
        self.goal = goal
        self._payloads: dict[Digest, Payload] = {}
        self._functions: dict[int, ShippedFunction] = {}
        self._tasks: dict[str, TaskSpec] = {}
        self._places: dict[str, str] = {}
        self.inputs = Inputs(self.keep)
        self.inputs.update(inputs or {})
        self.root = str(Path(root or ".").expanduser().resolve())
        self.scope = _words(scope)
        self.hosts = _words(hosts)
        self.budget = budget
        self.concurrency = concurrency
        self.agent_concurrency = agent_concurrency
        self.priority = priority
        self.deadline_s = deadline
        self.result = result
        self.notes = _words(notes)
        self.playbook = playbook
        self.params = dict(params or {})
        self.planned_by = planned_by
        self.models = dict(models or {})
        self.content: Literal["full", "hashes", "none"] | None = None
        self.cassette = ""
        self.cache_s: float | None = None
        self.see: dict[str, Grant] = {}
        self.planning: tuple[CallRecord, ...] = ()
        self.paid_by = ""
        self.planned_in: LeaseRecord | None = None

    @property
    def tasks(self) -> tuple[TaskSpec, ...]:
        """The tasks so far, in plan order."""
        return tuple(self._tasks.values())

    def __repr__(self) -> str:
        shown = list(self._tasks)[:5]
        more = [f"… {len(self._tasks) - 5} more"] if len(self._tasks) > len(shown) else []
        return f"<Plan {self.goal[:60]!r}: {', '.join([*shown, *more]) or 'no tasks yet'}>"

    def add(  # noqa: PLR0913  each one is a term of the contract, named at the call
        self,
        name: str,
        function: Callable[..., Any] | None = None,
        *args: Any,
        kwargs: Mapping[str, Any] | None = None,
        agent: object = "",
        goal: str = "",
        needs: Iterable[str] = (),
        tools: Iterable[str] = (),
        params: Mapping[str, Mapping[str, Any]] | None = None,
        model: str = "",
        returns: Returns | None = None,
        answer: Mapping[str, Any] | None = None,
        steps: int | None = None,
        calls: int | None = None,
        tokens: int | None = None,
        variables: Mapping[str, Any] | None = None,
        scope: Iterable[str] = (),
        hosts: Iterable[str] = (),
        check: str = "",
        cap_cost: float | None = None,
        timeout: float = DEFAULT_TIMEOUT_S,
        attempts: int = 1,
        backoff: float = 0.5,
        on_failure: OnFailure | str = OnFailure.STOP,
        repeatable: bool = True,
        estimate: float | None = None,
        estimate_tokens: int | None = None,
        resources: Iterable[str] = (),
    ) -> Plan:
        """Add a task, and return the plan.

        Args:
            name: Unique in the plan, also to the eye; at most 200 characters, without ``/``,
                and not ``t3``, as tasks are numbered.
            function: What it does; may be a coroutine function. None for an agent's task.
            args: Positional arguments of the function.
            kwargs: Keyword arguments of the function; they win over outputs and inputs.
            agent: Who does it: a name, or an agent of your own, see `hypernb.BaseAgent`.
            goal: What is to be achieved, for the agent and the reader.
            needs: Tasks that must have ended before; they may be added later.
            tools: Tools that the agent uses, in order.
            params: Arguments of each tool, by tool name.
            model: Name of a configured model, or of one of the plan's, that does it.
            returns: ``report``, ``text``, ``json``, ``table`` or ``value``: what the output of
                an agent with a model is.
            answer: JSON schema of that output, for ``json`` and ``table``.
            steps: How many answers the model may give.
            calls: How many calls of tools it may make.
            tokens: How many tokens it may use in all.
            variables: How much of the plan's inputs it may see, by name: ``schema``,
                ``sample``, ``all``, or a `hypernb.model.Grant`. By default what the plan's
                ``see`` says, or a sample, but no more of one than other tasks may see.
            scope: Paths below the root that it may touch; those of the plan if empty.
            hosts: Hosts that it may talk to.
            check: What its agent is told must hold for it to count as done. Nothing checks it
                yet.
            cap_cost: Cap on its cost, in dollars.
            timeout: Cap on the time of one attempt, in seconds.
            attempts: How many tries it gets in all.
            backoff: Wait before the second try, in seconds; doubles with each further one.
            on_failure: ``stop``, ``skip`` or ``continue``; see `OnFailure`.
            repeatable: Safe to run again after a crash in the middle of it.
            estimate: Seconds it will probably take; the order of starting follows it.
            estimate_tokens: Tokens it will probably use; quotes follow it.
            resources: What it shares with tasks of all missions, by name: it starts only
                when it can have a permit of each. `hypernb.Session.limit` sets how many.

        Raises:
            PlanProblemsError: The name is taken, there is nothing to do, or the function
                cannot be called so.
            CannotShipError: The function or an argument cannot be sent to another process.
        """
        place = _place(inspect.currentframe())
        self._refuse_second(name, place)
        needed = _words(needs)
        work: PythonWork | dict[str, Any]
        given = {
            "model": model or None,
            "returns": returns,
            "answer": answer,
            "steps": steps,
            "calls": calls,
            "tokens": tokens,
            "variables": _grants(variables),
        }
        if function is None:
            _refuse_idle(name, agent, args or kwargs)
            agent, work = self._agent_work(name, agent, _words(tools), params or {}, given)
        else:
            _refuse_odd(name, function, {"tools": _words(tools), "params": params, **given})
            work = self._python_work(name, function, args, dict(kwargs or {}), needed)
        fields = {
            "name": name,
            "goal": goal,
            "agent": agent,
            "needs": needed,
            "work": work,
            "scope": _words(scope),
            "hosts": _words(hosts),
            "check": check,
            "cap_cost": cap_cost,
            "timeout_s": timeout,
            "attempts": attempts,
            "backoff_s": backoff,
            "on_failure": on_failure,
            "repeatable": repeatable,
            "estimate_s": estimate,
            "estimate_tokens": estimate_tokens,
            "resources": _words(resources),
        }
        try:
            self._tasks[name] = TaskSpec.model_validate(fields)
        except ValidationError as error:
            raise PlanProblemsError(_sentences(f"Task {name!r}", error)) from None
        self._places[name] = place
        return self

    def build(self) -> tuple[PlanSpec, dict[Digest, Payload]]:
        """Return the finished plan, and the bytes that it names by their digests.

        Raises:
            PlanProblemsError: The plan cannot be carried out; all reasons are collected.
            CyclicPlanError: Tasks wait for each other in a circle.
        """
        python = any(isinstance(task.work, PythonWork) for task in self._tasks.values())
        paths = import_paths() if python else ()
        said = {term: getattr(self, term) for term in _TERMS}
        fields = {term: value for term, value in said.items() if value is not None}
        fields |= {"inputs": self.inputs.digests, "tasks": self.tasks, "paths": paths}
        try:
            spec = PlanSpec.model_validate(fields)
        except ValidationError as error:
            raise PlanProblemsError(_sentences("The plan", error)) from None
        check_plan(spec)
        return spec, dict(self._payloads)

    def _refuse_second(self, name: str, place: str) -> None:
        if name in self._tasks:
            problem = (
                f"The plan has a task {name!r} already, from {self._places[name]}; "
                f"this is {place}. Give one of them another name."
            )
            raise PlanProblemsError([problem])

    def _agent_work(
        self,
        task: str,
        agent: object,
        tools: tuple[str, ...],
        params: Mapping[str, Mapping[str, Any]],
        given: Mapping[str, Any],
    ) -> tuple[str, dict[str, Any]]:
        """Return who does a task, and what is known of how."""
        work = {name: value for name, value in given.items() if value is not None}
        work |= {"kind": "agent", "tools": tools, "params": params}
        if isinstance(agent, str):
            return agent, work
        name, made, shipped = own_agent(agent, task=task)
        return name, work | {
            "tools": tools or _words(getattr(made, "tools", ())),
            "model": work.get("model") or str(getattr(made, "model", "")),
            "function": self.keep(shipped.payload),
            "label": shipped.label,
            "source": shipped.source,
        }

    def keep(self, payload: Payload) -> Digest:
        """Have bytes stored with the plan; return how they are named in it."""
        digest = codec.digest(payload.data)
        self._payloads[digest] = payload
        return digest

    @property
    def payloads(self) -> dict[Digest, Payload]:
        """All bytes that were handed in so far, as the plan names them."""
        return dict(self._payloads)

    def said(self) -> list[Payload]:
        """Return what was said in the calls that have made it, as far as that is kept."""
        named = [digest for call in self.planning for digest in (call.request, call.reply)]
        return [self._payloads[each] for each in named if each in self._payloads]

    def _python_work(
        self,
        name: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        needs: tuple[str, ...],
    ) -> PythonWork:
        shipped = self._functions.get(id(function)) or ship(function, task=name)
        self._functions[id(function)] = shipped
        arriving = [*map(keyword_name, needs), *self.inputs]
        try:
            taken = takes(shipped, args, kwargs, arriving)
        except PlanProblemsError as error:
            raise PlanProblemsError([f"Task {name!r}: {error.problems[0]}"]) from None
        arguments = _arguments(name, args, kwargs)
        return PythonWork(
            function=self.keep(shipped.payload),
            arguments=self.keep(arguments),
            label=shipped.label,
            takes=taken,
            source=shipped.source,
        )


def _grants(variables: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if variables is None:
        return None
    return {
        name: {"see": much} if isinstance(much, str) else much
        for name, much in variables.items()
    }


def _refuse_idle(name: str, agent: object, arguments: object) -> None:
    if arguments:
        raise PlanProblemsError([f"Task {name!r} has arguments and no function to take them."])
    if not agent:
        raise PlanProblemsError(
            [f"Task {name!r} has nothing to do. Give it a function or an agent."]
        )


def _refuse_odd(name: str, function: object, of_agents: Mapping[str, object]) -> None:
    if not callable(function):
        problem = (
            f"Task {name!r} is to call {function!r:.100}, which is not a function. "
            "Name an agent with agent=."
        )
        raise PlanProblemsError([problem])
    if said := [term for term, value in of_agents.items() if value not in (None, (), {}, "")]:
        problem = (
            f"Task {name!r} has a function, and {' and '.join(said)} for an agent. "
            "Leave out one of them."
        )
        raise PlanProblemsError([problem])


def _arguments(task: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Payload:
    try:
        return codec.encode((args, kwargs), what=f"the arguments of task {task!r}")
    except CannotShipError:
        # One at a time, so that the error names the one.
        named = [(str(number), value) for number, value in enumerate(args, start=1)]
        for argument, value in [*named, *((repr(key), kwargs[key]) for key in kwargs)]:
            codec.encode(value, what=f"the argument {argument} of task {task!r}")
        raise


def _words(names: Iterable[str]) -> tuple[str, ...]:
    """Take one name for a list of one, which is what `needs="fetch"` means."""
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))


def _place(frame: FrameType | None) -> str:
    """Say where the caller's caller stands."""
    caller = frame.f_back if frame else None
    if caller is None:
        return "an unknown place"
    file = caller.f_code.co_filename
    if cell := re.fullmatch(r"<ipython-input-(\d+)-.*>", file):
        return f"line {caller.f_lineno} of cell {cell[1]}"
    if re.search(r"ipykernel_\d+[/\\]\d+\.py$", file):
        return f"line {caller.f_lineno} of its cell"
    return f"{os.path.basename(file)}:{caller.f_lineno}"  # noqa: PTH119  200,000 tasks, a Path each


def _sentences(what: str, error: ValidationError) -> list[str]:
    problems = []
    for one in error.errors(include_url=False):
        where = ".".join(str(step) for step in one["loc"] if step not in ("agent", "python"))
        problems.append(f"{what}: {where} is {one['input']!r:.100}. {one['msg']}.")
    return problems
