"""A plan as it is stored, hashed and approved."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from hypernb.model._chat import ToolSchema
from hypernb.model._models import ModelSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

# Every field is part of the approval's hash, so a name or a default changes only with a
# migration of the plans in the store.
_FROZEN = ConfigDict(frozen=True, extra="forbid")

DEFAULT_TIMEOUT_S = 600.0
DEFAULT_CONCURRENCY = 8


class OnFailure(StrEnum):
    """What a task's failure does to the rest of the mission.

    ``stop`` starts nothing more and fails the mission; ``skip`` skips whatever needs the
    task, lets the rest finish, and fails the mission; ``continue`` hands None to whatever
    needs the task, and the mission can still succeed, if its result is there. A task that
    would ask a model is skipped where all that it needs has failed: it would pay for nothing.
    """

    STOP = "stop"
    SKIP = "skip"
    CONTINUE = "continue"


ALL_AT_MOST: Final = 200_000
"""Characters that are told of a variable that may be seen whole."""

Returns = Literal["report", "text", "json", "table", "value"]


class Grant(BaseModel):
    """How much of a variable an agent may see, and so a model and its host.

    Attributes:
        see: ``schema``: type, shape, columns and statistics. ``sample``: a few rows besides.
            ``all``: the value, as far as `ALL_AT_MOST` characters reach.
        rows: How many rows a sample has.
        redact: Whether secrets, e-mail addresses and long numbers are covered up.
    """

    model_config = _FROZEN
    see: Literal["schema", "sample", "all"] = "sample"
    rows: int = Field(5, ge=0, le=1_000)
    redact: bool = True


class AgentWork(BaseModel):
    """Work that an agent does with its tools.

    Attributes:
        tools: Names of the tools it uses, in order; see `hypernb.abc.Tool`.
        params: Arguments of each tool, by tool name; what has an effect stands here in
            full, for example the test command.
        model: Name of one of the plan's models; empty if its tools do what they always do.
        prompt: What the model is told of its role, as the card said it when it was planned.
        returns: What the output is: a report, text, JSON of the form ``answer``, a table
            (a list of rows), or the object that a tool has returned.
        answer: JSON schema of the output, for ``json`` and ``table``; empty for any form.
        steps: How many answers of the model there may be at most.
        calls: How many calls of tools.
        tokens: How many tokens in all, read and written.
        variables: How much of each of the plan's inputs it may see, by name; what is not
            here it does not see at all.
        lanes: Where tools run that do not run beside the agent: ``kernel:<id>``, by name.
        schemas: Of those tools: description and JSON schema of the arguments, by name.
        function: Digest of a pickled agent of the user's own, a `hypernb.BaseAgent`; empty
            if it is done by hypernb's own loop.
        label: Qualified name of that agent's class, with its module, for people.
        source: The class's source text, if there is one: what the person approves.
    """

    model_config = _FROZEN
    kind: Literal["agent"] = "agent"
    tools: tuple[str, ...] = ()
    params: dict[str, dict[str, Any]] = {}
    model: str = ""
    prompt: str = ""
    returns: Returns = "report"
    answer: dict[str, Any] = {}
    steps: int = Field(20, ge=1, le=1_000)
    calls: int = Field(60, ge=0, le=10_000)
    tokens: int = Field(400_000, ge=1)
    variables: dict[str, Grant] = {}
    lanes: dict[str, str] = {}
    schemas: dict[str, ToolSchema] = {}
    function: str = ""
    label: str = ""
    source: str = ""


class PythonWork(BaseModel):
    """Work that is a Python function.

    Attributes:
        function: Digest of the pickled function in the store's artifacts.
        arguments: Digest of its pickled ``(args, kwargs)``.
        label: Qualified name of the function, for people.
        takes: Keyword names that it accepts from its needs and the plan's inputs; None if
            it takes any keyword.
        source: The function's source text, if there is one: what the person approves.
    """

    model_config = _FROZEN
    kind: Literal["python"] = "python"
    function: str
    arguments: str
    label: str
    takes: tuple[str, ...] | None = None
    source: str = ""


Work = Annotated[AgentWork | PythonWork, Field(discriminator="kind")]


class TaskSpec(BaseModel):
    """One task of a plan, with its part of the contract.

    Attributes:
        name: Unique in the plan; at most 200 characters.
        needs: Names of the tasks that must have ended before it starts.
        agent: Who does it; empty for a plain Python function.
        timeout_s: Cap on the time of one attempt, in seconds.
        attempts: How many tries it gets in all, at least 1.
        backoff_s: Wait before the second try, in seconds; doubles with each further one.
        repeatable: Safe to run again after a crash in the middle of it.
        cap_cost: Cap on cost in dollars, or None.
        estimate_s: How long one attempt will probably take, in seconds; None if nobody said.
        estimate_tokens: How many tokens it will probably read and write in all, as whoever
            planned it guesses; None if nobody said.
        resources: Names of what it shares with tasks of every mission; each attempt holds a
            permit of each while it runs. See `Resource`.
    """

    model_config = _FROZEN
    name: str
    goal: str = ""
    agent: str = ""
    needs: tuple[str, ...] = ()
    work: Work
    scope: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    check: str = ""
    cap_cost: float | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    attempts: int = 1
    backoff_s: float = 0.5
    on_failure: OnFailure = OnFailure.STOP
    repeatable: bool = True
    estimate_s: float | None = None
    estimate_tokens: int | None = Field(None, ge=0, le=2**53)
    resources: tuple[str, ...] = ()


class PlanSpec(BaseModel):
    """A whole plan: the tasks and the contract around them.

    Attributes:
        goal: What the person asked for, literally.
        root: Directory that scopes are relative to, absolute.
        inputs: Digests of the values handed in, by name.
        concurrency: How many tasks may run at once.
        agent_concurrency: How many tasks of one agent may run at once.
        priority: 0 to 100; higher starts first among missions.
        deadline_s: Cap on the mission's time, in seconds, or None.
        paths: Directories, absolute, that Python tasks import their modules from, besides
            those of the interpreter itself; a worker puts them in front of its ``sys.path``.
        result: The task whose output is the mission's result; empty if the outputs of all
            tasks that nothing needs are.
        planned_by: Who planned it, in words: ``playbook repo-audit``, ``rules``, ``a person``.
        notes: What the person should know before approving, one sentence each.
        models: The models that its agents may call, by the name that tasks have for them.
        content: How much of what is said to models and answered is kept in the store.
        cassette: ``record:PATH`` or ``replay:PATH``, absolute; empty to call live.
        cache_s: How old an answer to the very same question may be, in seconds; 0 for none.
        see: How much of inputs any task may see that says nothing of it itself: what the
            person has said for the whole mission, by name.
        handed_in: How many bytes of inputs each task tells its model, by its name: what the
            notes say in words. Counted anew whenever the plan is kept; what an agent's own
            code sends is not known.
    """

    model_config = _FROZEN
    goal: str
    tasks: tuple[TaskSpec, ...] = ()
    root: str = ""
    scope: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    inputs: dict[str, str] = {}
    paths: tuple[str, ...] = ()
    budget: float | None = None
    concurrency: int = DEFAULT_CONCURRENCY
    agent_concurrency: int | None = None
    priority: int = 50
    deadline_s: float | None = None
    result: str = ""
    playbook: str = ""
    params: dict[str, Any] = {}
    planned_by: str = "a person"
    notes: tuple[str, ...] = ()
    models: dict[str, ModelSpec] = {}
    content: Literal["full", "hashes", "none"] = "full"
    cassette: str = ""
    cache_s: float = 0.0
    see: dict[str, Grant] = {}
    handed_in: dict[str, int] = {}

    @property
    def result_tasks(self) -> tuple[str, ...]:
        """The tasks whose outputs are the result: the one named, or all that none needs."""
        return (self.result,) if self.result else self.last_tasks

    @property
    def last_tasks(self) -> tuple[str, ...]:
        """The tasks that no other needs, in plan order."""
        needed = {need for task in self.tasks for need in task.needs}
        return tuple(task.name for task in self.tasks if task.name not in needed)

    @property
    def models_used(self) -> dict[str, ModelSpec]:
        """The models that its agents ask, by its names for them."""
        asked = (task.work.model for task in self.tasks if isinstance(task.work, AgentWork))
        return {name: self.models[name] for name in asked if name and name in self.models}

    @property
    def is_replayed(self) -> bool:
        """A cassette answers, and nobody is asked."""
        return is_replay(self.cassette)

    def canonical(self) -> bytes:
        """Return the canonical JSON: sorted keys, no white space, UTF-8 (after RFC 8785)."""
        return b"".join(self._canonical())

    def _canonical(self) -> Iterator[bytes]:
        # Portion by portion: a hundred thousand tasks as dictionaries are hundreds of MB.
        fields = self.model_dump(mode="json", exclude={"tasks"})
        # A plan that was approved before these fields came has to keep its hash.
        if not self.models:
            for name in _OF_MODELS:
                del fields[name]
        for name in _OF_INPUTS:
            if not fields[name]:
                del fields[name]
        for place, name in enumerate(sorted([*fields, "tasks"])):
            yield b'%s"%s":' % (b"," if place else b"{", name.encode())
            if name != "tasks":
                yield orjson.dumps(fields[name], option=orjson.OPT_SORT_KEYS)
                continue
            yield b"["
            for start in range(0, len(self.tasks), _PORTION):
                some = _TASKS.dump_python(self.tasks[start : start + _PORTION], mode="json")
                for task in some:
                    _leave_out(task)
                text = orjson.dumps(some, option=orjson.OPT_SORT_KEYS)[1:-1]
                yield b",%s" % text if start else text
            yield b"]"
        yield b"}"

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal: what an approval is bound to."""
        digest = hashlib.sha256()
        for portion in self._canonical():
            digest.update(portion)
        return digest.hexdigest()


def is_replay(cassette: str | None) -> bool:
    """Tell whether what a plan says of its cassette has that answer, and nobody be asked."""
    return (cassette or "").startswith("replay:")


NO_MODEL: Final = "No model is used:"
"""How a note begins that is made with a task to which an agent's own tools were given."""

LOOKS_AT_A_FRAME: Final = "profile-"
"""How tools are called that look through a DataFrame that is handed in, and at no files."""

_OF_MODELS: Final = ("models", "content", "cassette", "cache_s")
_OF_INPUTS: Final = ("see", "handed_in")
_WITH_A_MODEL: Final = (
    *("model", "prompt", "returns", "answer", "steps", "calls", "tokens", "variables"),
    *("lanes", "schemas", "function", "label", "source"),
)


def _leave_out(task: dict[str, Any]) -> None:
    """Drop fields that say nothing, and came after plans had been approved without them."""
    if not task["resources"]:
        del task["resources"]
    if task["estimate_tokens"] is None:
        del task["estimate_tokens"]
    work = task["work"]
    if not (work.get("model") or work.get("function")):
        for name in _WITH_A_MODEL:
            work.pop(name, None)


_TASKS: Final = TypeAdapter(tuple[TaskSpec, ...])
_PORTION: Final = 500
