"""Whatever a page says, the kernel stands it: an answer or a line in the log, and no effect."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hypernb.model import AgentWork, PlanSpec, TaskSpec
from hypernb.session import Mission, Session
from hypernb.widgets import History, MissionView
from hypernb.widgets._desk import DESK
from hypernb.widgets._tail import tail_of
from hypernb.widgets._verbs import DECIDING, VERBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hypernb.widgets._widget import HyperWidget

WITHIN_S: Final = 30.0
EXAMPLES: Final = 60


# -- what a page might say ---------------------------------------------------------------

NAMES: Final = (
    *("mission", "tasks", "plan_hash", "reason", "draft", "revision", "text", "task", "at"),
    *("budget", "form", "before", "kinds", "agent", "limit", "states", "offset", "a", "b"),
)
NEAR: Final = (
    *("", "a", "m-1", "1", "../../x", "/etc/passwd", "html", "json", "..", "a\x00b", "\ud800"),
    *("__class__", "x" * 200_000, "'; DROP TABLE missions; --", "%hyper cancel m-1"),
)
numbers = st.sampled_from([0, 1, -1, 2**31, 2**63, -(2**64), 10**300, 1e308, float("nan")])
simple = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    numbers,
    st.text(max_size=20),
    st.sampled_from(NEAR),
)
names = st.one_of(st.sampled_from(NAMES), st.text(max_size=8))
values: st.SearchStrategy[Any] = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)
    ),
    max_leaves=12,
)
fields = st.one_of(st.sampled_from([*TaskSpec.model_fields, "tools", "params"]), names)
tasks = st.dictionaries(fields, values, max_size=3)
of_plan = st.one_of(st.sampled_from([*PlanSpec.model_fields]), names)
shaped = st.fixed_dictionaries(
    {},
    optional={
        "changes": st.dictionaries(st.one_of(st.just("a"), st.text(max_size=3)), tasks),
        "drop": st.lists(st.one_of(st.just("a"), values), max_size=2),
        "add": st.lists(
            st.builds(lambda name, rest: {"name": name, **rest}, st.text(max_size=3), tasks),
            max_size=2,
        ),
        "plan": st.dictionaries(of_plan, values, max_size=3),
    },
)
drafts = st.one_of(shaped, st.dictionaries(names, values, max_size=3))
verbs = st.one_of(st.sampled_from([*VERBS, "open", "act", "__init__", "x" * 300]), values)
asks = st.fixed_dictionaries(
    {"type": st.just("ask"), "verb": verbs},
    optional={
        "id": st.one_of(st.just(7), values),
        "args": st.one_of(
            values, st.dictionaries(names, st.one_of(values, drafts), max_size=4), st.just({})
        ),
        "extra": values,
    },
)
others = st.fixed_dictionaries(
    {"type": st.one_of(st.sampled_from(["hello", "sync", "ack", "picture"]), values)},
    optional={"n": values, "after": values, "front_end": values, "id": values},
)
contents = st.one_of(asks, others, values)
states = st.dictionaries(
    st.one_of(
        st.sampled_from(
            ["tab", "task", "density", "_esm", "_css", "component", "layout", "seq"]
        ),
        st.text(max_size=8),
    ),
    values,
    max_size=4,
)
messages = st.one_of(
    st.builds(lambda content: {"method": "custom", "content": content}, contents),
    st.builds(lambda state: {"method": "update", "state": state}, st.one_of(states, values)),
    values,
)


# -- which of it may have an effect ------------------------------------------------------


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


MAY: Final[dict[str, dict[str, Callable[[Any], bool]]]] = {
    "approve": {"tasks": _texts, "plan_hash": lambda value: isinstance(value, str)},
    "reject": {"reason": lambda value: isinstance(value, str)},
    "edit": {
        "draft": lambda value: isinstance(value, dict),
        "revision": lambda value: value is None or type(value) is int,
    },
    "comment": dict.fromkeys(("text", "task"), lambda value: isinstance(value, str)),
    "pause": {},
    "resume": {},
    "cancel": {},
    "retry": {"task": lambda value: isinstance(value, str)},
    "fork": {
        "at": lambda value: isinstance(value, str),
        "budget": lambda value: value is None or _number(value),
    },
    "export": {"form": lambda value: value in ("html", "json", "markdown", "notebook", "plan")},
}


def _may_have_effect(content: Any, *, of_a_list: bool) -> bool:
    if not isinstance(content, dict) or content.get("type") != "ask":
        return False
    verb, args = content.get("verb"), content.get("args")
    if type(content.get("id")) is not int or not isinstance(verb, str) or verb not in MAY:
        return False
    args = {} if args is None else args
    if not isinstance(args, dict):
        return False
    allowed = dict(MAY[verb])
    if of_a_list:
        if not isinstance(args.get("mission"), str):
            return False
        allowed["mission"] = lambda value: isinstance(value, str)
    else:
        # A view of one mission may be told which it is, or nothing.
        allowed["mission"] = lambda value: value in (None, "m-1", "m-2")
    return all(name in allowed and allowed[name](value) for name, value in args.items())


# -- a kernel with a store ---------------------------------------------------------------


class Kernel:
    """A session with two missions, and views of them whose comm one may say anything on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        self.session = Session(folder / "store.db", root=self.root)
        self.said: list[dict[str, Any]] = []
        self.proposed("elsewhere")

    def proposed(self, goal: str) -> Mission:
        task = TaskSpec(name="a", agent="qa-engineer", work=AgentWork())
        spec = PlanSpec(goal=goal, tasks=(task,))
        return Mission(self.session, self.session.store.create_mission(spec, by="ada@here"))

    def take(self, content: dict[str, Any], buffers: object = None) -> None:
        del buffers
        self.said.append(json.loads(json.dumps(content)))

    def effect(self) -> tuple[object, ...]:
        """Return what is in the store and beside it."""
        store = self.session.store
        files = sorted(str(path) for path in self.folder.rglob("*") if "store" not in path.name)
        return store.last_seq(), store.missions(), store.commands(), files

    def settle(self) -> None:
        """Wait for all that was handed over, to the thread that follows the store too."""
        turns = [each.put for each in tuple(DESK._lanes.values())]
        for turn in (*turns, tail_of(self.session).turn):
            done = threading.Event()
            turn(done.set)
            assert done.wait(WITHIN_S)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYPERNB_DB", raising=False)
    monkeypatch.setattr("hypernb.widgets._widget.built", lambda _name: "")
    monkeypatch.setattr(Session, "ensure_runner", lambda _self, *_: None)
    made = Kernel(tmp_path)
    yield made
    made.session.close()


def _view(kernel: Kernel, *, of_a_list: bool) -> HyperWidget:
    if of_a_list:
        return History(kernel.session)
    return MissionView(kernel.proposed("look around"))


@pytest.mark.parametrize("of_a_list", [False, True])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=messages)
def test_nothing_that_a_page_says_has_an_effect_but_what_it_may_ask_for(
    kernel: Kernel, data: Any, *, of_a_list: bool
) -> None:
    with _view(kernel, of_a_list=of_a_list) as view:
        kernel.said.clear()
        view.send = kernel.take
        before = kernel.effect()
        traits = {name: getattr(view, name) for name in ("_esm", "_css", "component", "own_id")}
        view._handle_msg({"content": {"data": data}, "buffers": []})
        kernel.settle()
        content: Any = data.get("content") if isinstance(data, dict) else None
        answers = [each for each in kernel.said if each["type"] == "answer"]
        if kernel.effect() != before:
            assert _may_have_effect(content, of_a_list=of_a_list)
            assert content["verb"] in DECIDING | {"export"}
            assert [each["ok"] for each in answers] == [True]
        if (
            isinstance(content, dict)
            and content.get("type") == "ask"
            and content.get("id") == 7
        ):
            assert len(answers) == 1
            assert answers[0].get("error", {}).get("code") != "unexpected"
        assert {name: getattr(view, name) for name in traits} == traits
        assert not list(kernel.folder.glob("x*"))


@pytest.mark.parametrize("of_a_list", [False, True])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(verb=st.sampled_from([*VERBS, "open"]), args=values, drafted=drafts)
def test_every_question_with_a_number_is_answered_without_surprise(
    kernel: Kernel, verb: str, args: Any, drafted: Any, *, of_a_list: bool
) -> None:
    given_args = {"draft": drafted} if verb in ("check", "edit") else args
    if of_a_list and isinstance(given_args, dict):
        given_args = {"mission": "m-1", **given_args}
    with _view(kernel, of_a_list=of_a_list) as view:
        kernel.said.clear()
        view.send = kernel.take
        before = kernel.effect()
        content = {"type": "ask", "id": 7, "verb": verb, "args": given_args}
        view._handle_custom_msg(content, [])
        kernel.settle()
        (answer,) = (each for each in kernel.said if each["type"] == "answer")
        assert answer["id"] == 7
        assert answer.get("error", {}).get("code") != "unexpected", answer
        if kernel.effect() != before:
            assert _may_have_effect(content, of_a_list=of_a_list)


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]}
    return value


HUGE: Final = "x" * 10_000_000


@pytest.mark.parametrize(
    "content",
    [
        {"type": HUGE},
        {"type": "hello", "front_end": HUGE},
        {"type": "hello", "front_end": _deep(50_000)},
        {"type": "sync", "after": 10**5_000},
        {"type": "ack", "n": float("inf")},
        {"type": "ask", "id": 7, "verb": HUGE},
        {"type": "ask", "id": 7, "verb": _deep(50_000)},
        {"type": "ask", "id": 7, "verb": "reject", "args": {"reason": HUGE}},
        {"type": "ask", "id": 7, "verb": "reject", "args": _deep(50_000)},
        {"type": "ask", "id": 7, "verb": "comment", "args": {"text": HUGE}},
        {"type": "ask", "id": 7, "verb": "edit", "args": {"draft": {"add": _deep(50_000)}}},
        {"type": "ask", "id": 7, "verb": "edit", "args": {"draft": {"plan": {"goal": HUGE}}}},
        {"type": "ask", "id": 7, "verb": "open", "args": [HUGE]},
        {"type": "ask", "id": _deep(50_000), "verb": "reject"},
        {"type": "ask", "id": HUGE, "verb": "reject"},
    ],
    ids=range(15),
)
@pytest.mark.parametrize("of_a_list", [False, True])
def test_sizes_and_depths_without_bounds_are_stood(
    kernel: Kernel, content: dict[str, Any], *, of_a_list: bool
) -> None:
    with _view(kernel, of_a_list=of_a_list) as view:
        view.send = kernel.take
        before = kernel.effect()
        view._handle_msg(
            {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
        )
        kernel.settle()
        assert kernel.effect() == before
        answers = [each for each in kernel.said if each["type"] == "answer"]
        assert [each["ok"] for each in answers] == [False] * (content.get("id") == 7)
        assert len(json.dumps(kernel.said)) < 100_000
        assert len(view.front_end or "") <= 200
