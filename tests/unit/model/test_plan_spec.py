"""The hash of a plan is what a person's approval is bound to."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from hypernb.model import AgentWork, Grant, ModelSpec, PlanSpec, Price, PythonWork, TaskSpec

GPT = ModelSpec(
    name="gpt-6",
    base_url="https://api.example/v1/",
    key="EXAMPLE_API_KEY",  # pragma: allowlist secret
    key_id="a" * 16,
    price=Price(input=1.0, output=4.0),
)


def plan(**fields: Any) -> PlanSpec:
    tasks = (
        TaskSpec(
            name="fetch",
            work=PythonWork(function="f" * 64, arguments="a" * 64, label="fetch"),
        ),
        TaskSpec(
            name="review",
            agent="qa-engineer",
            goal="Prüfe 🐍",
            needs=("fetch",),
            work=AgentWork(tools=("ruff",), params={"ruff": {"select": "F", "ignore": []}}),
        ),
    )
    return PlanSpec.model_validate({"goal": "Nightly numbers", "tasks": tasks} | fields)


def test_canonical_form_is_compact_sorted_json() -> None:
    data = plan().canonical()
    assert data == orjson.dumps(orjson.loads(data), option=orjson.OPT_SORT_KEYS)
    assert "Prüfe 🐍".encode() in data


def test_hash_is_sha256_of_canonical_form() -> None:
    assert plan().hash == hashlib.sha256(plan().canonical()).hexdigest()


def test_every_field_is_in_canonical_form() -> None:
    work = AgentWork(model="gpt", prompt="You test.")
    task = TaskSpec(
        name="review",
        agent="qa-engineer",
        work=work,
        resources=("pytest",),
        estimate_tokens=9,
    )
    told = {"see": {"df": Grant(see="schema")}, "handed_in": {"review": 120}}
    kept = orjson.loads(plan(models={"gpt": GPT}, tasks=(task,), **told).canonical())
    assert set(kept) == set(PlanSpec.model_fields)
    assert set(kept["tasks"][0]) == set(TaskSpec.model_fields)
    assert set(kept["tasks"][0]["work"]) == set(AgentWork.model_fields)


def test_plans_without_a_model_keep_the_hash_that_they_had_before_models() -> None:
    kept = orjson.loads(plan().canonical())
    assert not {"models", "content", "cassette", "cache_s", "see", "handed_in"} & set(kept)
    assert set(kept["tasks"][1]["work"]) == {"kind", "tools", "params"}
    assert PlanSpec.model_validate(kept) == plan()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"price": None}, id="price"),
        pytest.param({"base_url": "https://elsewhere.example/v1"}, id="address"),
        pytest.param({"key_id": "0" * 16}, id="key"),
    ],
)
def test_change_of_a_model_changes_the_hash(fields: dict[str, Any]) -> None:
    other = GPT.model_copy(update=fields)
    assert plan(models={"gpt": other}).hash != plan(models={"gpt": GPT}).hash


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://ana:geheim@host/v1", id="password"),  # pragma: allowlist secret
        pytest.param("https://host/v1?key=1", id="query"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("host/v1", id="no-scheme"),
        pytest.param("http://localhost:80.evil.example/v1", id="another-host"),
        pytest.param("http://[::1].evil.example/v1", id="another-host-in-brackets"),
        pytest.param("http://localhost:99999/v1", id="no-port"),
        pytest.param("http://localhost:1/v1\nHost: x", id="line-end"),
    ],
)
def test_address_of_a_model_holds_no_secret(url: str) -> None:
    with pytest.raises(ValidationError, match="the address of a model"):
        ModelSpec(name="gpt", base_url=url)


def test_plans_from_before_resources_keep_their_hash() -> None:
    task = plan().tasks[0].model_copy(update={"resources": ("pytest",)})
    governed = plan(tasks=(task, *plan().tasks[1:]))
    kept = orjson.loads(governed.canonical())
    assert kept["tasks"][0]["resources"] == ["pytest"]
    assert governed.hash != plan().hash
    assert PlanSpec.model_validate_json(governed.canonical()) == governed


def test_hash_survives_the_store() -> None:
    spec = plan(params={"rows": (1, 2), "share": 0.5}, budget=1)
    returned = PlanSpec.model_validate_json(spec.canonical())
    assert returned.hash == spec.hash


def test_order_of_keys_does_not_matter() -> None:
    assert plan(params={"a": 1, "b": 2}).hash == plan(params={"b": 2, "a": 1}).hash


def test_whole_number_counts_as_same_float() -> None:
    assert plan(budget=1).hash == plan(budget=1.0).hash


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"goal": "Other numbers"}, id="goal"),
        pytest.param({"tasks": plan().tasks[::-1]}, id="order-of-tasks"),
        pytest.param({"tasks": plan().tasks[:1]}, id="fewer-tasks"),
        pytest.param({"scope": ("src/",)}, id="scope"),
        pytest.param({"budget": 0.0}, id="budget"),
        pytest.param({"root": "/other"}, id="root"),
        pytest.param({"inputs": {"df": "d" * 64}}, id="inputs"),
        pytest.param({"params": {"path": "."}}, id="params"),
    ],
)
def test_any_change_changes_the_hash(fields: dict[str, Any]) -> None:
    assert plan(**fields).hash != plan().hash


def test_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        plan(colour="red")


def test_spec_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(plan(), "goal", "other")  # noqa: B010  what mypy would refuse


def test_kind_of_work_decides_its_class() -> None:
    returned = PlanSpec.model_validate_json(plan().canonical())
    assert [type(task.work) for task in returned.tasks] == [PythonWork, AgentWork]


@pytest.mark.parametrize("tasks", [0, 1, 500, 501, 1_203])
def test_canonical_form_of_many_tasks_is_that_of_the_whole(tasks: int) -> None:
    many = tuple(
        TaskSpec(name=f"t{number} \u2713", work=AgentWork()) for number in range(tasks)
    )
    spec = plan().model_copy(update={"tasks": many})
    fields = spec.model_dump(mode="json")
    for name in ("models", "content", "cassette", "cache_s", "see", "handed_in"):
        del fields[name]
    for task in fields["tasks"]:
        del task["resources"], task["estimate_tokens"]
        task["work"] = {key: task["work"][key] for key in ("kind", "tools", "params")}
    whole = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    assert spec.canonical() == whole
    assert spec.hash == hashlib.sha256(whole).hexdigest()
