"""What may be seen of a variable: bounded, covered up, and the same text every time."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.abc import ToolContext
from hypernb.codec import decode, encode
from hypernb.errors import ToolError
from hypernb.model import Grant
from hypernb.tools import Described, describe_variable, outline_variable
from tests.unit.tools.conftest import call

SCHEMA, SAMPLE, ALL = Grant(see="schema"), Grant(), Grant(see="all")
KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8i9J0"


def told(value: Any, grant: Grant = SAMPLE) -> Described:
    return describe_variable("v", value, grant)


def people(rows: int = 40) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": [f"person {number}" for number in range(rows)],
            "mail": [f"p{number}@example.org" for number in range(rows)],
            "account": [1_234_567_890_123 + number for number in range(rows)],
            "password": ["hunter2"] * rows,
            "joined": pd.date_range("2024-01-01", periods=rows, freq="D"),
            "height": [150 + number / 3 for number in range(rows)],
            "is_active": [number % 3 == 0 for number in range(rows)],
        }
    )


def test_frame_by_default_is_types_statistics_and_five_rows() -> None:
    said = told(people())
    assert said.text.startswith("v: DataFrame of 40 rows and 7 columns\n\nschema:\nname (")
    assert list(said.parts) == ["schema", "statistics", "sample"]
    assert said.parts["sample"].endswith("(5 of 40 rows)")
    assert said.parts["sample"].count("\n") == 6
    assert (said.kind, said.shape) == ("DataFrame", (40, 7))


def test_schema_alone_shows_no_row() -> None:
    said = told(people(), SCHEMA)
    assert list(said.parts) == ["schema", "statistics"]
    assert "person" not in said.text


def test_whole_frame_needs_a_grant_and_stays_bounded() -> None:
    frame = people(30_000)
    assert "(20,000 of 30,000 rows)" not in told(frame).text
    whole = told(frame, ALL)
    assert len(whole.text) < 201_000
    assert whole.parts["all"].endswith("more characters are not told.")
    assert told(people(10), ALL).parts["all"].count("\n") == 11


def test_what_tells_who_somebody_is_is_covered_up_everywhere() -> None:
    frame = people()
    frame["ada@example.org"] = "bob@example.org"
    said = told(frame)
    assert "@" not in said.text
    assert "hunter2" not in said.text
    assert "1234567890" not in said.text.replace(",", "")
    assert said.redactions["e-mail"] >= 10
    assert said.redactions["secret"] == 5


def test_covering_up_can_be_switched_off() -> None:
    said = told(people(), Grant(redact=False))
    assert "@example.org" in said.text
    assert "hunter2" in said.text
    assert not said.redactions


def test_dates_and_fractions_are_no_long_numbers() -> None:
    said = told(people())
    assert "joined: from 2024-01-01 00:00:00 to 2024-02-09 00:00:00" in said.text
    assert "2024-0" in said.parts["sample"]


def test_dtypes_have_the_same_names_with_every_pandas() -> None:
    days = pd.DatetimeIndex(["2026-03-01", pd.NaT])
    frames = [
        pd.DataFrame(
            {
                "word": pd.Series(["a", None], dtype=text),
                "at": days.astype(f"datetime64[{unit}]"),
                "there": days.tz_localize("UTC").astype(f"datetime64[{unit}, UTC]"),
                "took": pd.to_timedelta([1, 2], unit="h").astype(f"timedelta64[{unit}]"),
            }
        )
        for text, unit in (("object", "ns"), ("string", "us"), ("string[pyarrow]", "s"))
    ]
    (schema,) = {told(frame, SCHEMA).parts["schema"] for frame in frames}
    assert schema.split("\n") == [
        "word (text, 50 % missing)",
        "at (datetime64, 50 % missing)",
        "there (datetime64[UTC], 50 % missing)",
        "took (timedelta64)",
    ]


def test_missing_values_are_shares() -> None:
    said = told(pd.DataFrame({"a": [1.0, None, 3.0, None], "b": [None] * 4}))
    assert "a (float64, 50 % missing)" in said.text
    assert "b: no values" in said.text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(pd.DataFrame(), id="empty"),
        pytest.param(pd.DataFrame({"a": []}), id="no-rows"),
        pytest.param(pd.DataFrame(index=range(3)), id="no-columns"),
        pytest.param(pd.DataFrame([[1, 2]], columns=["a", "a"]), id="same-names"),
        pytest.param(pd.DataFrame({("a", 1): [1], ("b", None): [2]}), id="levels"),
        pytest.param(pd.DataFrame({0: [[1], {"a": 1}, object()]}), id="objects"),
        pytest.param(pd.DataFrame({"a": pd.Categorical(["x", "y", "x"])}), id="categories"),
        pytest.param(pd.DataFrame({"a": [1 + 2j, 3j]}), id="complex"),
        pytest.param(pd.DataFrame({"a": [pd.Timedelta("1s"), pd.NaT]}), id="timedelta"),
        pytest.param(pd.DataFrame({"a": [1, "x", None, 2.5]}), id="mixed"),
        pytest.param(pd.DataFrame({"a": [float("inf"), -1e308, 1e308]}), id="infinite"),
        pytest.param(pd.DataFrame({"a": ["\ud800", "\x00", "a\nb"]}, dtype=object), id="odd"),
        pytest.param(
            pd.DataFrame({"a": [dt.date(2024, 1, 2), dt.date(2025, 1, 2)]}), id="date"
        ),
        pytest.param(pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="k")), id="index"),
        pytest.param(pd.DataFrame({"a": [True, None]}), id="maybe"),
        pytest.param(pd.Series([1, 2, 3], name="x"), id="series"),
        pytest.param(pd.Series(["a"]), id="series-without-name"),
        pytest.param(np.array(3.5), id="zero-dimensions"),
        pytest.param(np.zeros((0, 3)), id="no-items"),
        pytest.param(np.array(["a", None], dtype=object), id="object-array"),
        pytest.param(np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), id="structured"),
        pytest.param(np.array(["2024-01-01"], dtype="datetime64[D]"), id="dates"),
        pytest.param(np.float32(1.5), id="numpy-number"),
        pytest.param({}, id="empty-dict"),
        pytest.param({1: {"a": [1, 2]}, None: "x", (1, 2): 3}, id="dict"),
        pytest.param([], id="empty-list"),
        pytest.param([1, "a", None, [2], {"x": 1}], id="list"),
        pytest.param((1, 2.5), id="tuple"),
        pytest.param({"b", "a", 3}, id="set"),
        pytest.param("", id="no-text"),
        pytest.param("a\nb" * 500, id="text"),
        pytest.param(10**10_000, id="huge-number"),
        pytest.param(float("nan"), id="not-a-number"),
        pytest.param(b"\x00\x01", id="bytes"),
        pytest.param(None, id="none"),
        pytest.param(True, id="bool"),
        pytest.param(len, id="builtin"),
        pytest.param(dt.datetime(2024, 1, 2, tzinfo=dt.UTC), id="moment"),
        pytest.param(Path("/somewhere/x"), id="path"),
        pytest.param(Exception, id="class"),
        pytest.param(range(3), id="range"),
    ],
)
@pytest.mark.parametrize("grant", [SCHEMA, SAMPLE, ALL], ids=["schema", "sample", "all"])
def test_every_kind_of_value_is_told_twice_the_same(value: Any, grant: Grant) -> None:
    said = told(value, grant)
    assert said == told(value, grant)
    assert said.text.startswith("v: ")
    assert "no more can be said" not in said.text
    assert said.text.encode()


class Explosive:
    """Whoever touches it is hurt."""

    attribute = 3

    def _explode(self, *_arguments: object) -> Any:
        raise SystemExit("touched")

    def method(self) -> None:
        """Do nothing."""

    __repr__ = __str__ = __len__ = __iter__ = __getattribute__ = __dir__ = _explode
    __bool__ = __hash__ = __sizeof__ = __array__ = __reduce_ex__ = _explode
    __class__ = property(_explode)


@pytest.mark.parametrize("grant", [SCHEMA, SAMPLE, ALL], ids=["schema", "sample", "all"])
def test_no_code_of_an_object_runs(grant: Grant) -> None:
    said = told(Explosive(), grant)
    assert said.kind.endswith(".Explosive")
    assert said.text.endswith("public attributes: attribute, method")
    for held in ([Explosive()], {"a": Explosive()}, (1, Explosive())):
        assert "Explosive" in told(held, grant).text


class Loud:
    """Its text cannot be had."""

    def __repr__(self) -> str:
        raise SystemExit("asked")


@pytest.mark.parametrize("grant", [SCHEMA, SAMPLE, ALL], ids=["schema", "sample", "all"])
def test_no_text_of_an_object_in_a_cell_is_asked_for(grant: Grant) -> None:
    said = told(pd.DataFrame({"a": [Loud(), 1]}, index=[Loud(), 2]), grant)
    assert "Loud (1)" in said.parts["statistics"]


def test_attributes_of_an_object_are_names_without_values() -> None:
    @dataclass
    class Settings:
        password: str
        _inner: int = 1

    said = told(Settings("hunter2"), ALL)
    assert said.text.endswith("public attributes: password")


def test_frame_that_is_no_frame_is_told_by_its_type() -> None:
    class Broken(pd.DataFrame):
        @property
        def shape(self) -> Any:
            raise RuntimeError

    assert told(Broken({"a": [1]})).text.startswith("v: Broken of 1 rows and 1 columns")
    empty = pd.DataFrame.__new__(pd.DataFrame)
    assert "of which no more can be said" in told(empty).text


def test_secrets_by_name_in_dictionaries_are_covered_up() -> None:
    said = told({"api_key": "abc", "token": "def", "host": "db", "n": {"password": KEY}})
    assert "abc" not in said.text
    assert "def" not in said.text
    assert KEY not in said.text
    assert "host: db" in said.text
    assert said.redactions["secret"] >= 2


@pytest.mark.parametrize("grant", [SCHEMA, SAMPLE, ALL], ids=["schema", "sample", "all"])
@pytest.mark.parametrize("nest", [lambda held: held, lambda held: [held]], ids=["own", "list"])
def test_how_long_a_secret_is_is_not_told(nest: Any, grant: Grant) -> None:
    text = told(nest({"host": "db", "password": "correct-horse"}), grant).text
    assert "host (str of 2 characters)" in text
    assert "password (str)" in text
    assert "13" not in text


@pytest.mark.parametrize("grant", [SCHEMA, SAMPLE, ALL], ids=["schema", "sample", "all"])
def test_variable_that_is_called_as_a_secret_is_covered_up(grant: Grant) -> None:
    found = describe_variable("db_password", "correct-horse", grant)
    assert found.text.startswith("db_password: str")
    assert "13" not in found.text
    assert "correct" not in found.text
    assert not found.is_whole
    assert outline_variable("db_password", "correct-horse") == "db_password: str"


def test_schema_of_a_column_called_token_is_not_covered_up() -> None:
    said = told(pd.DataFrame({"token": [1.5]}), SCHEMA)
    assert "token (float64)" in said.text
    assert "token: [secret]" in said.text


def test_two_million_rows_take_little_time_and_memory() -> None:
    rows = 2_000_000
    numbers = np.arange(rows)
    frame = pd.DataFrame(
        {
            "id": numbers,
            "x": np.random.default_rng(1).random(rows),
            "word": np.array(["a", "b", "c", "d"], dtype=object)[numbers % 4],
            "mail": np.array(["a@example.org", "b@example.org"], dtype=object)[numbers % 2],
        }
    )
    tracemalloc.start()
    began = time.monotonic()
    said = told(frame)
    took, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 8
    assert peak < 60_000_000
    assert "(of 100,000 rows, in blocks evenly spread)" in said.text
    assert "most often 'a' (25,000), 'b' (25,000), 'c' (25,000)" in said.text
    assert said.parts["sample"].endswith("(5 of 2,000,000 rows)")


def test_huge_values_of_other_kinds_are_looked_at_in_parts() -> None:
    tracemalloc.start()
    began = time.monotonic()
    large = np.broadcast_to(np.float64(1.5), (50_000, 20_000))
    for value in (large, "x\n" * 10_000_000, list(range(1_000_000)), {1: "y" * 50_000_000}):
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        said = told(value)
        _, peak = tracemalloc.get_traced_memory()
        assert len(said.text) < 20_100
        assert peak - before < 30_000_000
    tracemalloc.stop()
    assert time.monotonic() - began < 30


def test_values_that_hold_themselves_come_to_an_end() -> None:
    value: list[Any] = [1]
    value += [value, {"a": value}]
    assert "<list of 3>" in told(value).text


def test_sample_depends_on_what_is_in_the_value() -> None:
    one, other = people(1_000), people(1_000)
    other["height"] += 1
    assert told(one).parts["sample"] == told(people(1_000)).parts["sample"]
    assert told(one).parts["sample"] != told(other).parts["sample"]


@pytest.mark.parametrize(
    "value",
    [
        people(),
        {"a": [1, 2.5], "b": None},
        np.arange(40).reshape(8, 5),
        {"x", "y"},
        "a\nb" * 99,
    ],
    ids=["frame", "dict", "array", "set", "text"],
)
def test_stored_value_is_told_as_the_one_it_was_made_of(value: Any) -> None:
    payload = encode(value)
    assert told(decode(payload.media_type, payload.data)).text == told(value).text


def test_other_process_tells_the_same_bytes() -> None:
    program = (
        "from hypernb.tools import describe_variable; from hypernb.model import Grant\n"
        "value = {'words': {'x', 'y', 'z', 'long word'}, 'n': [3, 1.5], 7: frozenset('abc')}\n"
        "import sys; sys.stdout.write(describe_variable('v', value, Grant()).text)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert "'x', 'y', 'z'" in said.pop()


_CELLS = st.none() | st.integers() | st.floats() | st.text(max_size=30) | st.emails()


@given(st.lists(_CELLS, min_size=1, max_size=8), st.text(max_size=10))
def test_no_address_gets_through(cells: list[Any], name: str) -> None:
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object)})
    addresses = [each for each in cells if isinstance(each, str) and each.count("@") == 1]
    for value in (frame, cells, {name: cells}):
        text = told(value).text
        plain = [
            a
            for a in addresses
            if a.isascii() and a.replace("@", "").replace(".", "").isalnum()
        ]
        assert not any(each in text for each in plain)


class TestInspectVariable:
    """A model that asks for a part of a variable gets that part of the text, and no more."""

    def context(self, grant: Grant = SAMPLE) -> ToolContext:
        return ToolContext(
            Path("/"), (), inputs={"df": people(), "other": 1}, grants={"df": grant}
        )

    def test_parts_are_parts_of_the_text(self) -> None:
        whole = call("inspect-variable", self.context(), name="df")
        assert whole == describe_variable("df", people(), SAMPLE).text
        for part in ("schema", "statistics", "sample"):
            assert call("inspect-variable", self.context(), name="df", part=part) in whole

    def test_column_is_its_lines_of_the_text(self) -> None:
        said = call(
            "inspect-variable", self.context(), name="df", part="column", column="height"
        )
        assert said.startswith("height (float64)\nheight: min 150")
        whole = call("inspect-variable", self.context(), name="df")
        assert all(line in whole for line in said.split("\n"))

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"name": "other"}, "no variable that this task may see"),
            ({"name": "fd"}, "Known: 'df'"),
            ({"name": "df", "part": "column", "column": "heights"}, "Did you mean 'height'"),
        ],
        ids=["not-granted", "near", "column"],
    )
    def test_what_may_not_be_seen_is_refused(self, arguments: Any, said: str) -> None:
        with pytest.raises(ToolError) as caught:
            call("inspect-variable", self.context(), **arguments)
        assert said in str(caught.value)

    def test_sample_that_was_not_granted_is_refused(self) -> None:
        with pytest.raises(ToolError, match="has no sample that may be seen"):
            call("inspect-variable", self.context(SCHEMA), name="df", part="sample")


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_schema_alone_shows_no_text_of_a_cell(dtype: str) -> None:
    names = pd.Series(["Ann Smith"] * 3 + ["Bob"], dtype=dtype, name="name")
    for value in (names, names.to_frame()):
        assert "Ann" not in told(value, SCHEMA).text
        assert "2 distinct, 3 to 9 characters" in told(value, SCHEMA).text
    assert "most often 'Ann Smith' (3)" in told(names).text


def test_who_plans_is_told_types_shapes_and_columns_and_no_keys() -> None:
    assert outline_variable("pay", {"Ann Smith": 90_000}) == "pay: dict of 1 key"
    assert outline_variable("all", [{"Ann Smith": 1}]) == "all: list of 1 items"
    assert outline_variable("n", 17) == "n: int"
    frame = pd.DataFrame({"ada@example.org": [1.5, None], "kind": ["Ann Smith", "b"]})
    assert outline_variable("df", frame).split("\n") == [
        "df: DataFrame of 2 rows and 2 columns",
        "[e-mail] (float64, 50 % missing)",
        "kind (text)",
    ]
    array = np.array([[123_456.5]])
    assert (
        outline_variable("a", array)
        == "a: ndarray of 1 × 1, float64\ndtype float64, shape (1, 1)"
    )


@pytest.mark.parametrize("name", ["password", "DB_PASS", "Passwort", "SIGNING_KEY", "smtp_pw"])
def test_index_of_secrets_is_covered_as_a_column_is(name: str) -> None:
    frame = pd.DataFrame({name: ["opensesame", "b"], "who": ["ada", "bob"], "n": [1, 2]})
    several = frame.set_index([name, "who"])
    for value in (frame, frame.set_index(name), several, several["n"]):
        for grant in (SAMPLE, ALL):
            said = told(value, grant)
            assert "opensesame" not in said.text
            assert said.redactions["secret"] == 2
        assert "opensesame" in told(value, Grant(redact=False)).text
    assert told(several).parts["sample"].startswith(f"{name},who,n\n[secret],ada,1\n")


@pytest.mark.parametrize(("key", "value"), [("k", "v"), ("name", "value"), ("Key", "Value")])
def test_rows_of_names_and_values_have_secrets_covered(key: str, value: str) -> None:
    rows = {key: ["HOME", "DB_PASSWORD"], value: ["/home/ada", "opensesame"]}
    said = told(pd.DataFrame(rows)).parts["sample"]
    assert "HOME,/home/ada\nDB_PASSWORD,[secret]\n" in said
    by_name = told(pd.DataFrame(rows).set_index(key)).parts["sample"]
    assert "DB_PASSWORD,[secret]\n" in by_name


@pytest.mark.parametrize("name", ["boarding_pass", "passes", "authors", "tokens", "keyword"])
def test_columns_that_only_sound_like_secrets_are_shown(name: str) -> None:
    assert "opensesame" in told(pd.DataFrame({name: ["opensesame"]})).text


def test_no_code_of_a_derived_class_runs() -> None:
    ran: list[str] = []

    def spied(base: Any) -> Any:
        def note(self: Any, name: str) -> Any:
            ran.append(name)
            return base.__getattribute__(self, name)

        return type(f"Spied{base.__name__}", (base,), {"__getattribute__": note})

    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    values: tuple[Any, ...] = (
        spied(pd.DataFrame)(frame),
        spied(pd.Series)(frame["b"]),
        np.arange(6.0).reshape(2, 3).view(spied(np.ndarray)),
    )
    ran.clear()
    said = [told(value).text for value in values]
    assert not ran
    assert said[0].replace("SpiedDataFrame", "DataFrame") == told(frame).text
    assert said[1].replace("SpiedSeries", "Series") == told(frame["b"]).text
    assert said[2].startswith("v: Spiedndarray of 2 × 3, float64")


def test_what_is_masked_is_not_told() -> None:
    masked = np.ma.masked_array([1.5, 987_654.25], mask=[False, True])
    assert "98765" not in told(masked, ALL).text


@pytest.mark.parametrize("grant", [SCHEMA, SAMPLE, ALL], ids=lambda grant: grant.see)
def test_half_a_character_is_told_as_a_mark_that_can_be_sent(grant: Grant) -> None:
    half = "a\ud800b"
    frame = pd.DataFrame({"t": pd.Series(["x", half], dtype=object)})
    for value in (half, [half], {half: half}, {"a": [{"b": half}]}, frame):
        said = told(value, grant)
        assert said.text.encode().decode() == said.text
        assert outline_variable("v", value).encode()
    assert "a\ufffdb" in told(half, ALL).text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(pd.DataFrame({"a": ['{"password": "horses"}']}), id="json-in-a-cell"),
        pytest.param(pd.Series({"user": "ada", "password": "horses"}), id="row-of-a-series"),
        pytest.param(pd.DataFrame({"a": ["horses"]}, index=["password"]), id="row-of-a-frame"),
        pytest.param(
            pd.DataFrame(
                {"a": ["horses"]}, index=pd.MultiIndex.from_tuples([("db", "password")])
            ),
            id="level-of-an-index",
        ),
        pytest.param([{"name": "DB_PASSWORD", "value": "horses"}], id="name-and-value"),
        pytest.param(np.array([["password", "horses"]]), id="row-of-an-array"),
        pytest.param({b"password": "horses"}, id="name-of-bytes"),
    ],
)
@pytest.mark.parametrize("grant", [SAMPLE, ALL], ids=["sample", "all"])
def test_what_is_called_as_a_secret_is_covered_up_wherever_it_stands(
    value: Any, grant: Grant
) -> None:
    said = told(value, grant)
    assert "horses" not in said.text
    assert said.redactions["secret"] == 1
    assert "horses" in told(value, grant.model_copy(update={"redact": False})).text


@pytest.mark.parametrize(
    ("column", "name"),
    [
        pytest.param(pd.arrays.SparseArray(["ill"], fill_value="ill"), "object", id="text"),
        pytest.param(pd.arrays.SparseArray([98765, 1], fill_value=98765), "int64", id="number"),
    ],
)
def test_type_of_a_sparse_column_does_not_tell_the_value_that_it_leaves_out(
    column: Any, name: str
) -> None:
    outlined = outline_variable("v", pd.DataFrame({"a": column}))
    assert outlined.endswith(f"a (Sparse[{name}])")


def test_type_of_a_struct_does_not_tell_the_names_in_it() -> None:
    arrow = pytest.importorskip("pyarrow", reason="columns of Arrow need pyarrow")
    dtype = pd.ArrowDtype(arrow.struct([("Ada", arrow.int64())]))
    frame = pd.DataFrame({"a": pd.Series([{"Ada": 1}], dtype=dtype)})
    assert outline_variable("v", frame).endswith("a (struct[pyarrow])")
