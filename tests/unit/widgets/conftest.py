"""A session on a store of its own, and front ends without a browser."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import AgentWork, PlanSpec, TaskSpec
from hypernb.session import Mission, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.widgets._widget import HyperWidget

WITHIN_S = 15.0


class FrontEnd:
    """Takes what a widget sends, and says what its view would."""

    def __init__(self, widget: HyperWidget) -> None:
        self.said: list[dict[str, Any]] = []
        self.widget = widget
        widget.send = self._take

    def _take(self, content: dict[str, Any], buffers: object = None) -> None:
        del buffers
        self.said.append(content)

    def tell(self, **message: Any) -> None:
        self.widget._handle_custom_msg(message, [])

    def hello(self) -> dict[str, Any]:
        self.tell(type="hello", front_end="a test")
        return self.of("picture")

    def ask(self, verb: str, **args: Any) -> dict[str, Any]:
        """Ask for something and wait for the answer."""
        self.tell(type="ask", id=7, verb=verb, args=args)
        return self.of("answer", id=7)

    def of(self, kind: str, **facts: Any) -> dict[str, Any]:
        """Wait for a message, and take it off what was said."""
        deadline = time.monotonic() + WITHIN_S
        waiter = threading.Event()
        while time.monotonic() < deadline:
            for place, message in enumerate(self.said):
                if message["type"] == kind and facts.items() <= message.items():
                    return self.said.pop(place)
            waiter.wait(0.005)
        raise AssertionError(f"no {kind!r} with {facts}; heard {self.said}")


def until(condition: Callable[[], Any]) -> None:
    """Wait for what another thread brings about."""
    deadline = time.monotonic() + WITHIN_S
    waiter = threading.Event()
    while not condition() and time.monotonic() < deadline:
        waiter.wait(0.005)
    assert condition()


@pytest.fixture(autouse=True)
def _views_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypernb.widgets._widget.built", lambda _name: "")


@pytest.fixture
def mission(session: Session) -> Mission:
    return proposed(session, "a", "b")


def proposed(session: Session, *names: str, goal: str = "look around") -> Mission:
    tasks = tuple(TaskSpec(name=name, agent="qa-engineer", work=AgentWork()) for name in names)
    spec = PlanSpec(goal=goal, tasks=tasks)
    record = session.store.create_mission(spec, by="ada@here")
    return Mission(session, record)
