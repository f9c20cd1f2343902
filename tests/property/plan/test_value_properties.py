"""Whatever a value or a plan holds, it comes back the same from its bytes."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hypernb import codec
from hypernb.errors import PlanError
from hypernb.model import AgentWork, PlanSpec, TaskSpec
from hypernb.plan import check_plan, layout
from hypernb.plan._layout import _spread

# A hundred examples on a busy machine.
pytestmark = pytest.mark.timeout(120)

JSON_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
JSON = st.recursive(
    JSON_LEAVES, lambda some: st.lists(some) | st.dictionaries(st.text(), some), max_leaves=20
)
ODD_LEAVES = JSON_LEAVES | st.integers() | st.floats(allow_nan=False) | st.binary() | st.dates()
ANYTHING = st.recursive(
    ODD_LEAVES,
    lambda some: (
        st.lists(some)
        | st.tuples(some, some)
        | st.dictionaries(st.text() | st.integers() | st.none(), some)
    ),
    max_leaves=20,
)
NAMES = st.text(st.characters(codec="utf-8"), max_size=20)


def typed(value: Any) -> Any:
    """Return something that is equal only for values of equal types all the way down."""
    if isinstance(value, dict):
        return dict, [(typed(key), typed(held)) for key, held in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value), [typed(held) for held in value]
    return type(value), repr(value)


def back(value: Any) -> Any:
    payload = codec.encode(value)
    return codec.decode(payload.media_type, payload.data)


@given(value=JSON)
def test_json_values_become_json(value: Any) -> None:
    assert codec.encode(value).media_type == codec.JSON
    assert typed(back(value)) == typed(value)


@given(value=ANYTHING)
def test_any_value_comes_back_the_same(value: Any) -> None:
    assert typed(back(value)) == typed(value)


@given(value=ANYTHING)
def test_searchable_text_is_always_storable(value: Any) -> None:
    text = codec.encode(value).text
    assert "\0" not in text
    assert len(text.encode()) <= 4 * codec.TEXT_AT_MOST


COLUMNS = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.floats(), min_size=3, max_size=3),
    st.lists(st.booleans() | st.none(), min_size=3, max_size=3),
    st.lists(st.none() | st.text(st.characters(codec="utf-8")), min_size=3, max_size=3),
    st.lists(st.datetimes(), min_size=3, max_size=3),
    st.lists(st.binary() | st.integers(), min_size=3, max_size=3),
    st.lists(st.lists(st.integers(0, 3)), min_size=3, max_size=3),
)


@settings(max_examples=60)
@given(
    columns=st.dictionaries(NAMES | st.integers(), COLUMNS, min_size=1, max_size=4),
    rows=st.permutations(range(3)),
)
def test_any_frame_comes_back_the_same(columns: dict[Any, list[Any]], rows: list[int]) -> None:
    frame = pd.DataFrame(columns).iloc[rows[:2]]
    pd.testing.assert_frame_equal(back(frame), frame)


@given(
    params=st.dictionaries(st.text(), JSON, max_size=3),
    goal=NAMES,
    timeout=st.floats(allow_nan=False, allow_infinity=False),
)
def test_hash_of_plan_survives_the_store(
    params: dict[str, Any], goal: str, timeout: float
) -> None:
    work = AgentWork(tools=("ruff",), params={"ruff": params})
    task = TaskSpec(name="t", agent="a", work=work, timeout_s=timeout)
    spec = PlanSpec(goal=goal, tasks=(task,), params=params)
    returned = PlanSpec.model_validate_json(spec.canonical())
    assert returned.canonical() == spec.canonical()
    assert returned == spec


@given(
    needs=st.lists(st.lists(st.integers(0, 7), max_size=3), max_size=8),
    names=st.lists(st.sampled_from("abcdefgh") | NAMES, min_size=8, max_size=8),
)
def test_checked_plans_can_be_drawn(needs: list[list[int]], names: list[str]) -> None:
    tasks = tuple(
        TaskSpec(
            name=names[number],
            needs=tuple(names[need] for need in wanted),
            agent="a",
            work=AgentWork(),
        )
        for number, wanted in enumerate(needs)
    )
    spec = PlanSpec(goal="Random", tasks=tasks)
    try:
        check_plan(spec)
    except PlanError:
        return
    assert len(layout(spec).places) == len(tasks)


@given(
    wishes=st.lists(st.floats(-100, 100), max_size=30),
    gaps=st.lists(st.sampled_from([0.5, 0.75, 1.0]), min_size=30, max_size=30),
)
def test_rows_keep_their_distance(wishes: list[float], gaps: list[float]) -> None:
    offsets = [math.fsum(gaps[:number]) for number in range(len(wishes))]
    rows = _spread(wishes, offsets, [1.0] * len(wishes))
    assert all(rows[n + 1] - rows[n] >= gaps[n] - 1e-9 for n in range(len(rows) - 1))
    assert math.isclose(math.fsum(rows), math.fsum(wishes), abs_tol=1e-6)
