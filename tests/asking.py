"""Plans whose agents ask a model, and what is looked at in their missions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import cloudpickle

from hypernb import codec
from hypernb.agents import AgentTask, BaseAgent
from hypernb.model import AgentWork, Digest, ModelSpec, PlanSpec, Price, TaskSpec, ToolSchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench  # type: ignore[import-not-found]  # importlib mode

    from hypernb.abc import Payload
    from hypernb.model import MissionRecord
    from tests.model_server import ModelServer

CHEAP = Price(input=1.0, output=10.0)
EXECUTORS = ["process", "thread", "inline"]


class Doing(BaseAgent):
    """An agent that does what a function says, with all that it can reach."""

    def __init__(self, does: Callable[[Any, AgentTask], Any]) -> None:
        self._does = does
        self._early: list[Any] = []

    def receive_message(self, message: Any) -> None:
        self._early.append(message)

    def process_task(self, task: AgentTask) -> Any:
        desk: Any = self._at_work
        services = desk._services  # as its code could
        services.early = self._early  # what was there before it began, and is acknowledged
        return self._does(services, task)


def model(server: ModelServer, **fields: Any) -> ModelSpec:
    known: dict[str, Any] = {"name": "scripted", "base_url": server.url, "price": CHEAP}
    return ModelSpec(**{**known, "max_output_tokens": 1_000, **fields})


def task(name: str, *needs: str, cap: float | None = None, **fields: Any) -> TaskSpec:
    own = {key: fields.pop(key) for key in list(fields) if key in TaskSpec.model_fields}
    if lanes := fields.get("lanes"):
        fields |= {
            "tools": tuple(lanes),
            "schemas": {tool: ToolSchema(name=tool) for tool in lanes},
        }
    does = AgentWork(**{"model": "default", "returns": "text", **fields})
    known = {"agent": "writer", "goal": f"Do {name}", "work": does, "cap_cost": cap}
    return TaskSpec(name=name, needs=needs, **{**known, **own})


def own(
    bench: Bench,
    name: str,
    does: Callable[[Any, AgentTask], Any],
    *needs: str,
    **fields: Any,
) -> TaskSpec:
    """A task of an agent of the user's own: ``does(services, task)``."""
    return task(name, *needs, function=stored(bench, does), label="Doing", **fields)


def stored(bench: Bench, does: Callable[[Any, AgentTask], Any]) -> Digest:
    """Have an agent in the store; workers cannot import what tests are made of."""
    digest: Digest = bench.store.put_artifact(pickled(does))
    return digest


def pickled(does: Callable[[Any, AgentTask], Any]) -> Payload:
    """Return an agent as workers get it."""
    for module in (__name__, does.__module__):
        cloudpickle.register_pickle_by_value(sys.modules[module])
    return codec.encode(Doing(does))


def plan(spec: ModelSpec, *tasks: TaskSpec, **fields: Any) -> PlanSpec:
    return PlanSpec(goal="Ask", tasks=tasks, models={"default": spec}, **fields)


def run(bench: Bench, spec: PlanSpec, **settings: Any) -> MissionRecord:
    mission = bench.approve_spec(spec)
    bench.host(**settings)
    ended: MissionRecord = bench.finished(mission)
    return ended


def payloads(bench: Bench, mission: MissionRecord, kind: str) -> list[dict[str, Any]]:
    return [dict(event.payload) for event in bench.events(mission, kind)]


def text_of(bench: Bench, digest: Digest | None) -> str:
    assert digest is not None
    data: bytes = bench.store.artifact(digest)[1]
    return data.decode()


def ask(services: Any, text: str = "Hello", name: str = "default") -> str:
    """Ask a model, past the loop of an agent."""
    from hypernb.model import ChatMessage, ChatRequest

    said = (ChatMessage(role="user", content=text),)
    return str(services.chat(ChatRequest(model=name, messages=said)).text)
