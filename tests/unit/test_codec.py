"""Values come back from their bytes as they were."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from hypernb import codec
from hypernb.abc import Payload
from hypernb.errors import CannotShipError
from hypernb.model import Finding, Report, RunStatus, Severity, SprintItem, ToolRun


def back(value: Any) -> Any:
    payload = codec.encode(value)
    return codec.decode(payload.media_type, payload.data)


def finding(**fields: Any) -> Finding:
    given = {
        "file": "app.py",
        "line": 3,
        "category": "lint",
        "rule": "F401",
        "severity": Severity.LOW,
        "message": "'os' is not used",
        "tool": "ruff",
    }
    return Finding.model_validate(given | fields)


def report(**fields: Any) -> Report:
    run = ToolRun(tool="ruff", status=RunStatus.RAN, findings=(finding(),))
    given = {"agent": "backend-specialist", "task": "lint", "summary": "One.", "runs": (run,)}
    return Report.model_validate(given | fields)


@dataclass
class Row:
    """A class of this module."""

    number: int


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        pytest.param(None, codec.JSON, id="none"),
        pytest.param(True, codec.JSON, id="bool"),
        pytest.param(1 << 62, codec.JSON, id="int"),
        pytest.param(1 << 70, codec.PICKLE, id="int-beyond-64-bits"),
        pytest.param(0.1, codec.JSON, id="float"),
        pytest.param(-0.0, codec.JSON, id="minus-zero"),
        pytest.param("Grüße 🐍 \x00", codec.JSON, id="text"),
        pytest.param("\ud800", codec.PICKLE, id="lone-surrogate"),
        pytest.param({"a": [1, {"b": []}]}, codec.JSON, id="nested"),
        pytest.param({"\ud800": 1}, codec.PICKLE, id="lone-surrogate-as-key"),
        pytest.param({1: "a"}, codec.PICKLE, id="number-as-key"),
        pytest.param([float("inf")], codec.PICKLE, id="infinity"),
        pytest.param((1, 2), codec.PICKLE, id="tuple"),
        pytest.param([(1, 2)], codec.PICKLE, id="tuple-in-list"),
        pytest.param({1, 2}, codec.PICKLE, id="set"),
        pytest.param(np.int64(3), codec.PICKLE, id="numpy-scalar"),
        pytest.param(np.float64(0.5), codec.PICKLE, id="numpy-float"),
        pytest.param(datetime(2026, 1, 1, tzinfo=UTC), codec.PICKLE, id="datetime"),
        pytest.param(Severity.LOW, codec.PICKLE, id="enum-of-strings"),
        pytest.param(b"\x00\xff", codec.BYTES, id="bytes"),
        pytest.param(bytearray(b"x"), codec.PICKLE, id="bytearray"),
        pytest.param(Row(3), codec.PICKLE, id="dataclass"),
    ],
)
def test_value_comes_back_the_same(value: Any, media_type: str) -> None:
    payload = codec.encode(value)
    returned = codec.decode(payload.media_type, payload.data)
    assert payload.media_type == media_type
    assert (type(returned), repr(returned)) == (type(value), repr(value))


def test_nan_stays_nan() -> None:
    assert np.isnan(back({"share": float("nan")})["share"])


def test_list_that_holds_itself_returns() -> None:
    value: list[Any] = []
    value.append(value)
    returned = back(value)
    assert returned[0] is returned


def test_doubling_lists_end_in_time() -> None:
    value: list[Any] = []
    for _ in range(64):
        value = [value, value]
    assert codec.encode(value).media_type == codec.PICKLE


def test_deep_nesting_is_no_recursion_error() -> None:
    value: list[Any] = []
    for _ in range(150):
        value = [value]
    assert back(value) == value


def test_nesting_too_deep_says_so() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(CannotShipError, match=r"^The output of task 'deep' cannot be sent"):
        codec.encode(value, what="the output of task 'deep'")


def test_report_comes_back_as_report() -> None:
    value = report(
        facts={"files": 3},
        sprint=(
            SprintItem(title="Remove it", why="Less to read", agent="a", severity=Severity.LOW),
        ),
    )
    payload = codec.encode(value)
    assert payload.media_type == codec.REPORT
    assert codec.decode(payload.media_type, payload.data) == value


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"mean": float("nan")}, id="no-number"),
        pytest.param({"name": "\ud800"}, id="lone-surrogate"),
    ],
)
def test_report_with_odd_facts_is_pickled(facts: dict[str, Any]) -> None:
    payload = codec.encode(report(facts=facts))
    assert payload.media_type == codec.PICKLE
    assert repr(codec.decode(payload.media_type, payload.data).facts) == repr(facts)


@pytest.mark.parametrize("fact", [{(1, 2): 3}, (1, 2), {1}], ids=["key", "tuple", "set"])
def test_fact_that_json_does_not_hold_is_refused(fact: Any) -> None:
    with pytest.raises(ValidationError):
        report(facts={"fact": fact})


def test_text_of_report_is_searchable() -> None:
    ran = report().runs[0]
    absent = ToolRun(tool="vulture", status=RunStatus.DID_NOT_RUN, reason="not installed")
    text = codec.encode(report(runs=(ran, absent))).text
    assert "app.py:3 F401 'os' is not used" in text
    assert "vulture: not installed" in text


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns or {"a": [1, 2, 3], "b": ["x", None, "z"]})


def tricky_frames() -> dict[str, pd.DataFrame]:
    dates = pd.date_range("2026-01-01", periods=3, freq="D")
    attributed = frame()
    attributed.attrs["source"] = ("a", "tuple")
    named = frame()
    named.columns.name = "columns"
    return {
        "plain": frame(),
        "empty": pd.DataFrame(),
        "no rows": frame().iloc[:0],
        "no columns": pd.DataFrame(index=range(3)),
        "filtered": frame().iloc[[0, 2]],
        "stepped index": frame().iloc[::2],
        "named index": frame().set_index("b"),
        "multi-index": frame().set_index(["a", "b"]),
        "two-level columns": pd.DataFrame(
            [[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])
        ),
        "number as column": pd.DataFrame({1: [1]}),
        "same column twice": pd.DataFrame([[1, 2]], columns=["a", "a"]),
        "named columns": named,
        "dates with a frequency": pd.DataFrame({"a": range(3)}, index=dates),
        "dates": pd.DataFrame({"a": dates, "b": dates.tz_localize("Europe/Berlin")}),
        "dates in seconds": pd.DataFrame({"a": dates.astype("datetime64[s]")}),
        "durations": pd.DataFrame({"a": pd.to_timedelta([1, 2, 3], unit="h")}),
        "periods": pd.DataFrame({"a": pd.period_range("2026", periods=3, freq="M")}),
        "nullable": pd.DataFrame(
            {"a": pd.array([1, None], "Int64"), "b": pd.array([True, None], "boolean")}
        ),
        "categories": pd.DataFrame(
            {"a": pd.Categorical(["x", "y"], ["y", "x", "z"], ordered=True)}
        ),
        "small numbers": pd.DataFrame(
            {"a": np.array([1, 2], "int8"), "b": np.array([1, 2], "float32")}
        ),
        "half floats": pd.DataFrame({"a": np.array([1, 2], "float16")}),
        "nan and infinity": pd.DataFrame({"a": [np.nan, np.inf, -0.0]}),
        "sparse": pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
        "intervals": pd.DataFrame({"a": pd.interval_range(0, 3)}),
        "mixed objects": pd.DataFrame({"a": pd.Series([1, "x", None, Row(1)], dtype=object)}),
        "lists": pd.DataFrame({"a": [[1], [2, 3]]}),
        "dicts": pd.DataFrame({"a": [{"x": 1}, {"y": 2}]}),
        "decimals": pd.DataFrame({"a": [Decimal("1.0"), Decimal("1.00")]}),
        "booleans and None": pd.DataFrame({"a": pd.Series([True, None], dtype=object)}),
        "strings as objects": pd.DataFrame({"a": pd.Series(["x", None], dtype=object)}),
        "huge integers": pd.DataFrame({"a": pd.Series([1 << 70], dtype=object)}),
        "lone surrogate": pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)}),
        "complex": pd.DataFrame({"a": [1j]}),
        "attributes": attributed,
    }


@pytest.mark.parametrize(
    "value",
    [pytest.param(value, id=name.replace(" ", "-")) for name, value in tricky_frames().items()],
)
def test_frame_comes_back_the_same(value: pd.DataFrame) -> None:
    returned = back(value)
    pd.testing.assert_frame_equal(returned, value, check_freq=True)
    assert returned.attrs == value.attrs
    assert type(returned.index) is type(value.index)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=name.replace(" ", "-"))
        for name in (
            "plain",
            "dates",
            "nullable",
            "named index",
            "filtered",
            "nan and infinity",
            "small numbers",
        )
    ],
)
def test_ordinary_frame_becomes_parquet(name: str) -> None:
    assert codec.encode(tricky_frames()[name]).media_type == codec.PARQUET


def test_decimals_keep_their_digits() -> None:
    assert [str(one) for one in back(tricky_frames()["decimals"])["a"]] == ["1.0", "1.00"]


def test_subclass_of_frame_keeps_class() -> None:
    class Table(pd.DataFrame):
        pass

    assert type(back(Table({"a": [1]}))).__name__ == "Table"


def test_million_rows_become_parquet() -> None:
    value = frame(a=np.arange(1_000_000), b=np.linspace(0, 1, 1_000_000))
    payload = codec.encode(value)
    assert payload.media_type == codec.PARQUET
    assert payload.text.startswith("1000000 rows, 2 columns; a (int64), b (float64)\n")


def test_text_value_is_searched_unquoted() -> None:
    assert codec.encode('say "hi"').text == 'say "hi"'


def test_searchable_text_is_bounded() -> None:
    assert len(codec.encode("ä" * 300_000).text) == codec.TEXT_AT_MOST
    assert len(codec.encode(["ä" * 300_000]).text) == codec.TEXT_AT_MOST
    assert len(codec.encode(("ä" * 300_000,)).text) < codec.TEXT_AT_MOST


def test_searchable_text_suits_a_database() -> None:
    assert codec.encode(("a\x00b", "\ud800")).text.isprintable()
    assert codec.encode("a\x00b").text == "a b"


def test_broken_repr_does_not_matter() -> None:
    class Sulky:
        def __repr__(self) -> str:
            raise ValueError("no")

    assert "Sulky" in codec.encode(Sulky()).text


LOCK = threading.Lock()


def calls_user_of_lock() -> object:
    def inner(held: object = LOCK) -> object:
        return held

    return inner


def calls_itself(depth: int) -> object:
    return calls_itself(depth - 1) if depth else LOCK


class Holder:
    def __init__(self) -> None:
        self.parts = {"lock": LOCK}


class Stubborn:
    def __reduce__(self) -> str:
        raise RuntimeError("I stay here.")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        pytest.param(lambda: LOCK, "the variable 'LOCK' is a lock", id="global-of-lambda"),
        pytest.param(calls_user_of_lock(), "a default is a lock", id="default"),
        pytest.param([1, LOCK], "the item 1 is a lock", id="list"),
        pytest.param(
            Holder(), "the item 'lock' of the attribute 'parts' is a lock", id="object"
        ),
        pytest.param(
            functools.partial(print, LOCK),
            "the item 0 of the item 0 of the arguments is a lock",
            id="partial",
        ),
        pytest.param(calls_itself, "the variable 'LOCK' is a lock", id="recursive-function"),
        pytest.param(Stubborn(), "RuntimeError: I stay here.", id="its-own-refusal"),
    ],
)
def test_what_cannot_travel_is_named(value: Any, place: str) -> None:
    import cloudpickle

    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    try:
        with pytest.raises(CannotShipError) as caught:
            codec.encode(value, what="the function of task 'clean'")
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    assert str(caught.value).startswith(
        "The function of task 'clean' cannot be sent to another process: "
    )
    assert place in str(caught.value)


def test_object_wider_than_searched_still_refused() -> None:
    with pytest.raises(CannotShipError, match="cannot pickle"):
        codec.encode([*range(1_000), LOCK])


def test_pickle_of_absent_module_says_so() -> None:
    data = b"cmodule_that_is_not_here\nthing\n."
    with pytest.raises(CannotShipError, match="needs the module 'module_that_is_not_here'"):
        codec.decode(codec.PICKLE, data)


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        pytest.param(codec.PICKLE, b"chypernb.codec\nno_such_name\n.", id="pickle"),
        pytest.param(codec.JSON, b"{", id="json"),
        pytest.param(codec.PARQUET, b"PAR1", id="parquet"),
        pytest.param(codec.REPORT, b"{}", id="report"),
    ],
)
def test_unreadable_bytes_say_so(media_type: str, data: bytes) -> None:
    with pytest.raises(CannotShipError, match="cannot be read here"):
        codec.decode(media_type, data)


def test_unknown_media_type_stays_bytes() -> None:
    assert codec.decode("image/png", b"\x89PNG") == b"\x89PNG"
    assert codec.decode("text/markdown", "ä".encode()) == "ä"


@pytest.mark.parametrize(
    ("filename", "media_type"),
    [
        pytest.param("report.md", "text/markdown", id="markdown"),
        pytest.param("PLAN.JSON", codec.JSON, id="upper-case"),
        pytest.param("chart.png", "image/png", id="picture"),
        pytest.param("page.html", "text/html", id="page"),
        pytest.param("rows.parquet", codec.PARQUET, id="parquet"),
        pytest.param("evil.pkl", codec.BYTES, id="pickle-is-never-trusted"),
        pytest.param("evil.pickle", codec.BYTES, id="pickle-by-its-long-name"),
        pytest.param("Makefile", codec.BYTES, id="no-suffix"),
        pytest.param("", codec.BYTES, id="no-name"),
    ],
)
def test_file_name_says_media_type(filename: str, media_type: str) -> None:
    assert codec.guess_media_type(filename) == media_type


def test_payload_of_bytes_has_no_text() -> None:
    assert codec.encode(b"abc") == Payload(codec.BYTES, b"abc")


def test_import_loads_neither_pandas_nor_cloudpickle() -> None:
    code = "import sys, hypernb.codec; print({*sys.modules} & {*sys.argv[1:]})"
    done = subprocess.run(
        [sys.executable, "-c", code, "pandas", "pyarrow", "cloudpickle"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"


ASKED: list[str] = []


def found_the_second_time(name: str) -> str:
    ASKED.append(name)
    if len(ASKED) == 1:
        raise KeyError(name)
    return name


class Elusive:
    def __reduce__(self) -> tuple[Any, ...]:
        return found_the_second_time, ("a.module",)


def test_module_that_another_thread_is_about_to_import_is_asked_for_again() -> None:
    ASKED.clear()
    payload = codec.encode(Elusive())
    assert codec.decode(payload.media_type, payload.data) == "a.module"
    assert ASKED == ["a.module", "a.module"]
