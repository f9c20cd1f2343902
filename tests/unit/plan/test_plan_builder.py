"""Plans as a person writes them, from the first line to functions in another process."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import linecache
import subprocess
import sys
import textwrap
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb import codec
from hypernb.errors import CannotShipError, CyclicPlanError, PlanProblemsError
from hypernb.model import AgentWork, Digest, OnFailure, PlanSpec, PythonWork, TaskSpec
from hypernb.plan import Plan
from hypernb.plan._functions import SOURCE_AT_MOST, import_paths, is_importable

if TYPE_CHECKING:
    from collections.abc import Callable

LOCK = threading.Lock()

# What a worker does with a task, as short as can be: paths, function, arguments, call.
WORKER = """
import json, sys
from pathlib import Path
from hypernb import codec
folder = Path(sys.argv[1])
sys.path[:0] = json.loads(sys.argv[2])
function = codec.decode(codec.PICKLE, (folder / "function").read_bytes())
args, kwargs = codec.decode(codec.PICKLE, (folder / "arguments").read_bytes())
print(json.dumps(function(*args, **kwargs)))
"""


def fetch(year: int) -> list[int]:
    return [year, year + 1]


def total(fetch: list[int], *, offset: int = 0) -> int:
    return sum(fetch) + offset


async def later(fetch: list[int]) -> int:
    return len(fetch)


def anything(*rest: int, **named: int) -> int:
    return sum(rest) + sum(named.values())


def by_position(rows: list[int], /) -> int:
    return len(rows)


class Counter:
    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, fetch: list[int]) -> int:
        return len(fetch) * self.step

    def count(self, fetch: list[int]) -> int:
        return self(fetch)


def python_work(plan: Plan, name: str) -> PythonWork:
    (work,) = (task.work for task in plan.tasks if task.name == name)
    assert isinstance(work, PythonWork)
    return work


def problem(action: Callable[[], object]) -> str:
    with pytest.raises(PlanProblemsError) as caught:
        action()
    return caught.value.problems[0]


def in_new_process(plan: Plan, name: str, folder: Path) -> Any:
    spec, payloads = plan.build()
    work = python_work(plan, name)
    (folder / "function").write_bytes(payloads[Digest(work.function)].data)
    (folder / "arguments").write_bytes(payloads[Digest(work.arguments)].data)
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(folder), json.dumps(spec.paths)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- the plan ---------------------------------------------------------------------------


def test_plan_is_built_as_written(tmp_path: Path) -> None:
    plan = Plan(
        "Nightly numbers",
        root=tmp_path,
        scope=["data/"],
        hosts="example.org",
        budget=0.5,
        concurrency=4,
        agent_concurrency=2,
        priority=80,
        deadline=600,
        result="review",
        notes=["Made by hand."],
        playbook="nightly",
        params={"year": 2026},
    )
    plan.add("fetch", fetch, 2026, on_failure="skip", attempts=3, backoff=1, timeout=5)
    plan.add(
        "review",
        agent="qa-engineer",
        goal="Is anything odd?",
        needs=["fetch"],
        tools=["ruff"],
        params={"ruff": {"select": "F"}},
        scope=["src/"],
        check="no findings",
        cap_cost=0.1,
        repeatable=False,
        estimate=3,
    )
    spec, payloads = plan.build()
    assert spec == PlanSpec(
        goal="Nightly numbers",
        tasks=(
            TaskSpec(
                name="fetch",
                work=python_work(plan, "fetch"),
                timeout_s=5,
                attempts=3,
                backoff_s=1,
                on_failure=OnFailure.SKIP,
            ),
            TaskSpec(
                name="review",
                goal="Is anything odd?",
                agent="qa-engineer",
                needs=("fetch",),
                work=AgentWork(tools=("ruff",), params={"ruff": {"select": "F"}}),
                scope=("src/",),
                check="no findings",
                cap_cost=0.1,
                repeatable=False,
                estimate_s=3,
            ),
        ),
        root=str(tmp_path.resolve()),
        scope=("data/",),
        hosts=("example.org",),
        budget=0.5,
        concurrency=4,
        agent_concurrency=2,
        priority=80,
        deadline_s=600,
        result="review",
        notes=("Made by hand.",),
        playbook="nightly",
        params={"year": 2026},
        paths=spec.paths,
    )
    assert {codec.digest(payload.data) for payload in payloads.values()} == set(payloads)


def test_root_is_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Plan("g").add("a", agent="x").build()[0].root == str(tmp_path.resolve())


def test_inputs_are_kept_as_payloads() -> None:
    spec, payloads = Plan("g", inputs={"year": 2026}).add("fetch", fetch).build()
    assert payloads[Digest(spec.inputs["year"])].data == b"2026"


def test_input_that_cannot_travel_is_named() -> None:
    with pytest.raises(CannotShipError, match=r"^The input 'lock' cannot be sent to another"):
        Plan("g", inputs={"lock": LOCK})


def test_plan_of_agents_names_no_paths() -> None:
    assert Plan("g").add("a", agent="qa-engineer").build()[0].paths == ()


def test_same_plan_has_same_hash() -> None:
    def hashed() -> str:
        return Plan("g").add("fetch", fetch, 2026).build()[0].hash

    assert hashed() == hashed()


def test_plan_shows_its_tasks() -> None:
    plan = Plan("Nightly numbers")
    assert repr(plan) == "<Plan 'Nightly numbers': no tasks yet>"
    for number in range(7):
        plan.add(f"t{number}", agent="x")
    assert repr(plan) == "<Plan 'Nightly numbers': t0, t1, t2, t3, t4, … 2 more>"


def test_single_name_is_list_of_one() -> None:
    plan = Plan("g").add("fetch", fetch, 1).add("total", total, needs="fetch")
    assert plan.tasks[1].needs == ("fetch",)


def test_needs_may_be_added_later() -> None:
    spec, _ = Plan("g").add("total", total, needs=["fetch"]).add("fetch", fetch, 1).build()
    assert [task.name for task in spec.tasks] == ["total", "fetch"]


def test_build_refuses_unsound_plans() -> None:
    with pytest.raises(PlanProblemsError, match="Did you mean 'fetch'"):
        Plan("g").add("fetch", fetch, 1).add("b", agent="x", needs=["fech"]).build()
    with pytest.raises(CyclicPlanError, match="a -> b -> a"):
        Plan("g").add("a", agent="x", needs="b").add("b", agent="x", needs="a").build()


def test_second_task_is_reported_with_both_places() -> None:
    frame = inspect.currentframe()
    assert frame is not None
    plan = Plan("g").add("fetch", fetch, 1)
    first = frame.f_lineno - 1
    said = problem(lambda: plan.add("fetch", fetch, 2))
    assert said == (
        f"The plan has a task 'fetch' already, from test_plan_builder.py:{first}; "
        f"this is test_plan_builder.py:{first + 2}. Give one of them another name."
    )


@pytest.mark.parametrize(
    ("file", "place"),
    [
        pytest.param("<ipython-input-12-0a1b>", "line 1 of cell 12", id="ipython"),
        pytest.param("/var/ipykernel_4711/1234567.py", "line 1 of its cell", id="ipykernel"),
        pytest.param("/home/ada/plans.py", "plans.py:1", id="file"),
    ],
)
def test_place_in_notebook_is_said(file: str, place: str) -> None:
    code = compile("plan.add('fetch', agent='x')", file, "exec")
    plan = Plan("g")
    exec(code, {"plan": plan})  # noqa: S102  a cell is executed like this
    assert f"from {place}; " in problem(lambda: plan.add("fetch", agent="x"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(
            {"timeout": "soon"},
            "Task 't': timeout_s is 'soon'. Input should be a valid number",
            id="timeout",
        ),
        pytest.param(
            {"on_failure": "panic"},
            "Task 't': on_failure is 'panic'. Input should be 'stop', 'skip' or 'continue'.",
            id="on-failure",
        ),
        pytest.param(
            {"params": {"ruff": 3}},
            "Task 't': work.params.ruff is 3. Input should be a valid dictionary.",
            id="params",
        ),
    ],
)
def test_value_of_wrong_type_is_said(fields: dict[str, Any], said: str) -> None:
    assert problem(lambda: Plan("g").add("t", agent="x", **fields)).startswith(said)


def test_wrong_term_of_plan_is_said() -> None:
    plan = Plan("g", concurrency="many").add("a", agent="x")  # type: ignore[arg-type]  # as a person may
    assert problem(plan.build).startswith("The plan: concurrency is 'many'. Input should be")


@pytest.mark.parametrize(
    ("add", "said"),
    [
        pytest.param(
            lambda plan: plan.add("t"),
            "Task 't' has nothing to do. Give it a function or an agent.",
            id="nothing",
        ),
        pytest.param(
            lambda plan: plan.add("t", None, 3, agent="x"),
            "Task 't' has arguments and no function to take them.",
            id="arguments-for-agent",
        ),
        pytest.param(
            lambda plan: plan.add("t", fetch, 1, tools=["ruff"]),
            "Task 't' has a function, and tools for an agent. Leave out one of them.",
            id="function-and-tools",
        ),
        *(
            pytest.param(
                lambda plan, term=term, value=value: plan.add("t", fetch, 1, **{term: value}),
                f"Task 't' has a function, and {term} for an agent. Leave out one of them.",
                id=f"function-and-{term}",
            )
            for term, value in {
                "returns": "table",
                "answer": {"type": "object"},
                "steps": 3,
                "calls": 0,
                "tokens": 1_000,
                "variables": {"df": "schema"},
                "model": "gpt",
            }.items()
        ),
        pytest.param(
            lambda plan: plan.add("t", "qa-engineer"),
            "Task 't' is to call 'qa-engineer', which is not a function. Name an agent with "
            "agent=.",
            id="no-function",
        ),
    ],
)
def test_task_without_sense_is_refused(add: Callable[[Plan], object], said: str) -> None:
    assert problem(lambda: add(Plan("g"))) == said


# --- what arrives -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "takes"),
    [
        pytest.param(total, (), {}, ("fetch", "offset"), id="both-open"),
        pytest.param(total, (), {"offset": 1}, ("fetch",), id="keyword-given"),
        pytest.param(total, ([1],), {}, ("offset",), id="position-given"),
        pytest.param(later, (), {}, ("fetch",), id="coroutine-function"),
        pytest.param(lambda fetch: fetch, (), {}, ("fetch",), id="lambda"),
        pytest.param(anything, (), {}, None, id="any-keyword"),
        pytest.param(anything, (1,), {"fetch": 2}, ("load_rows", "year"), id="any-but-given"),
        pytest.param(by_position, ([1],), {}, (), id="only-by-position"),
        pytest.param(
            functools.partial(total, offset=3), (), {}, ("fetch", "offset"), id="partial"
        ),
        pytest.param(Counter(2), (), {}, ("fetch",), id="callable-object"),
        pytest.param(Counter(2).count, (), {}, ("fetch",), id="method"),
        pytest.param(Counter, (1,), {}, (), id="class"),
        pytest.param(dict, (), {}, (), id="no-signature"),
    ],
)
def test_open_keywords_are_known(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    takes: tuple[str, ...] | None,
) -> None:
    plan = Plan("g", inputs={"year": 2026})
    plan.add("t", function, *args, kwargs=kwargs, needs=["fetch", "load-rows"])
    assert python_work(plan, "t").takes == takes


@pytest.mark.parametrize(
    ("function", "args", "said"),
    [
        pytest.param(
            fetch,
            (1, 2),
            "Task 't': fetch() cannot be called so: too many positional arguments.",
            id="too-many",
        ),
        pytest.param(
            fetch,
            (),
            "Task 't': fetch() requires 'year', and what arrives is 'load_rows', 'df'. Hand it "
            "over as an argument, need the task of that name, or give it a default.",
            id="from-nowhere",
        ),
        pytest.param(
            by_position,
            (),
            "Task 't': by_position() requires 'rows' by position. Hand it over as an argument; "
            "outputs of tasks arrive by name.",
            id="by-position",
        ),
    ],
)
def test_impossible_call_is_said_at_once(
    function: Callable[..., Any], args: tuple[Any, ...], said: str
) -> None:
    plan = Plan("g", inputs={"df": [1]})
    assert problem(lambda: plan.add("t", function, *args, needs=["load-rows"])) == said


# --- functions --------------------------------------------------------------------------


def test_source_is_what_the_person_approves() -> None:
    def local(year: int) -> int:
        return year + 1

    work = python_work(Plan("g").add("t", local, 1), "t")
    assert work.source == "def local(year: int) -> int:\n    return year + 1\n"
    assert work.label.endswith("<locals>.local")


def test_source_of_an_agent_in_a_cell_is_what_the_person_approves() -> None:
    cell = "import hypernb\n\nclass Mine(hypernb.BaseAgent):\n"
    body = "    def process_task(self, task):\n        return task.goal\n"
    # As IPython does it: a file that is none, and a module that has none.
    file, text = "/tmp/ipykernel_7/4711.py", f"{cell}{body}\n\nmine = Mine()\n"  # noqa: S108 - never opened
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, file, "exec"), names)  # noqa: S102 - the cell above
    (task,) = Plan("g").add("t", agent=names["mine"], goal="Look").tasks
    assert isinstance(task.work, AgentWork)
    assert task.work.source == f"class Mine(hypernb.BaseAgent):\n{body}"
    assert task.work.label == "__main__.Mine"


def test_source_of_builtin_is_empty() -> None:
    assert python_work(Plan("g").add("t", dict), "t").source == ""


def test_long_source_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "    x = 'a long line of no use to anybody'\n" * 1_000
    (tmp_path / "wordy.py").write_text(f"def f():\n{body}    return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    wordy = importlib.import_module("wordy")
    source = python_work(Plan("g").add("t", wordy.f), "t").source
    assert source.endswith("more characters\n")
    assert len(source) < SOURCE_AT_MOST + 100


def test_function_is_pickled_once() -> None:
    plan = Plan("g")
    for number in range(50):
        plan.add(f"task{number}", fetch, number)
    assert len({python_work(plan, task.name).function for task in plan.tasks}) == 1


def test_captured_lock_is_named() -> None:
    lock = threading.Lock()

    def locked() -> bool:
        return lock.locked()

    with pytest.raises(CannotShipError) as caught:
        Plan("g").add("clean", locked)
    assert str(caught.value).startswith(
        "The function of task 'clean' cannot be sent to another process: "
        "the variable 'lock' is a lock: "
    )


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        pytest.param((1, LOCK), {}, "The argument 2 of task 't' cannot be", id="position"),
        pytest.param((), {"a": LOCK}, "The argument 'a' of task 't' cannot be", id="keyword"),
    ],
)
def test_argument_that_cannot_travel_is_named(
    args: tuple[Any, ...], kwargs: dict[str, Any], said: str
) -> None:
    with pytest.raises(CannotShipError, match=said):
        Plan("g").add("t", anything, *args, kwargs=kwargs)


def test_notebook_function_runs_elsewhere(tmp_path: Path) -> None:
    cell = types.ModuleType("__main__")
    source = """
        import math
        FACTOR = 3

        def helper(x):
            return math.floor(x) * FACTOR

        def task(x):
            return helper(x) + 1
    """
    exec(textwrap.dedent(source), vars(cell))  # noqa: S102  a notebook does it so
    assert in_new_process(Plan("g").add("t", cell.task, 2.5), "t", tmp_path) == 7


def test_project_function_is_sent_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project" / "shop"
    project.mkdir(parents=True)
    (project / "__init__.py").write_text("")
    (project / "prices.py").write_text("def gross(net):\n    return net * 2\n")
    monkeypatch.syspath_prepend(project.parent)
    prices = importlib.import_module("shop.prices")
    plan = Plan("g").add("t", prices.gross, 21)
    spec, payloads = plan.build()
    assert str(project.parent) in spec.paths
    assert b"shop.prices" in payloads[Digest(python_work(plan, "t").function)].data
    assert in_new_process(plan, "t", tmp_path) == 42


def test_function_of_unfindable_module_travels_with_code(tmp_path: Path) -> None:
    module = types.ModuleType("made_by_hand")
    exec("SIZE = 5\ndef sized(x):\n    return x * SIZE\n", vars(module))  # noqa: S102  as above
    sys.modules["made_by_hand"] = module
    try:
        assert not is_importable(module)
        assert in_new_process(Plan("g").add("t", module.sized, 2), "t", tmp_path) == 10
    finally:
        del sys.modules["made_by_hand"]


def test_register_of_cloudpickle_is_left_alone() -> None:
    import cloudpickle

    module = types.ModuleType("registered_by_user")
    exec("def f():\n    return 1\n", vars(module))  # noqa: S102  as above
    sys.modules["registered_by_user"] = module
    cloudpickle.register_pickle_by_value(module)
    try:
        Plan("g").add("t", module.f)
        assert "registered_by_user" in cloudpickle.list_registry_pickle_by_value()
    finally:
        cloudpickle.unregister_pickle_by_value(module)
        del sys.modules["registered_by_user"]


@pytest.mark.parametrize(
    ("name", "importable"),
    [
        pytest.param("sys", True, id="built-in"),
        pytest.param("zipimport", True, id="frozen"),
        pytest.param("json", True, id="package"),
        pytest.param("json.decoder", True, id="submodule"),
        pytest.param("orjson.orjson", True, id="extension"),
        pytest.param("pydantic_core._pydantic_core", True, id="extension-in-package"),
    ],
)
def test_installed_modules_are_importable(name: str, importable: bool) -> None:  # noqa: FBT001  a parameter of the table
    __import__(name)
    assert is_importable(sys.modules[name]) is importable


def test_module_under_other_name_is_not_importable(tmp_path: Path) -> None:
    module = types.ModuleType("alias")
    module.__file__ = str(tmp_path / "real.py")
    assert not is_importable(module)


def test_paths_leave_out_the_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr(
        sys, "path", ["", str(tmp_path), str(gone), str(Path(json.__file__).parent)]
    )
    monkeypatch.chdir(tmp_path)
    assert import_paths() == (str(tmp_path),)
