"""A plan as it is stored, hashed and approved."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

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
    needs the task, and the mission can still succeed.
    """

    STOP = "stop"
    SKIP = "skip"
    CONTINUE = "continue"


class AgentWork(BaseModel):
    """Work that an agent does with its tools.

    Attributes:
        tools: Names of the tools it uses, in order; see `hypernb.abc.Tool`.
        params: Arguments of each tool, by tool name; what has an effect stands here in
            full, for example the test command.
    """

    model_config = _FROZEN
    kind: Literal["agent"] = "agent"
    tools: tuple[str, ...] = ()
    params: dict[str, dict[str, Any]] = {}


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

    def canonical(self) -> bytes:
        """Return the canonical JSON: sorted keys, no white space, UTF-8 (after RFC 8785)."""
        return b"".join(self._canonical())

    def _canonical(self) -> Iterator[bytes]:
        # Portion by portion: a hundred thousand tasks as dictionaries are hundreds of MB.
        fields = self.model_dump(mode="json", exclude={"tasks"})
        for place, name in enumerate(sorted([*fields, "tasks"])):
            yield b'%s"%s":' % (b"," if place else b"{", name.encode())
            if name != "tasks":
                yield orjson.dumps(fields[name], option=orjson.OPT_SORT_KEYS)
                continue
            yield b"["
            for start in range(0, len(self.tasks), _PORTION):
                some = _TASKS.dump_python(self.tasks[start : start + _PORTION], mode="json")
                for task in some:
                    # A plan that was approved before the field came has to keep its hash.
                    if not task["resources"]:
                        del task["resources"]
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


NO_MODEL: Final = "No model is used:"
"""How a note begins that is made with a task to which an agent's own tools were given."""

_TASKS: Final = TypeAdapter(tuple[TaskSpec, ...])
_PORTION: Final = 500
