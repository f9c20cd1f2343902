from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from hypernb.abc import ToolContext
from hypernb.errors import ToolAbsentError
from hypernb.model import RunStatus
from hypernb.tools import tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypernb.model import Finding, ToolRun

LOOKS = (
    "profile-constants",
    "profile-correlations",
    "profile-duplicates",
    "profile-leakage",
    "profile-missing",
    "profile-outliers",
    "profile-types",
)
ROWS = 600


def clean(rows: int = ROWS, seed: int = 7) -> pd.DataFrame:
    """Make a frame without flaws."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "height": rng.normal(170, 10, rows),
            "weight": rng.normal(70, 8, rows),
            "visits": rng.integers(0, 30, rows),
            "city": rng.choice(["Oslo", "Rome", "Kyiv"], rows),
            "smokes": rng.random(rows) < 0.3,
            "born": pd.Timestamp("1950-01-01")
            + pd.to_timedelta(rng.integers(0, 18_000, rows), unit="D"),
            "bought": rng.choice(["yes", "no"], rows),
        }
    )


def run(name: str, frame: pd.DataFrame, outbox: Path | None = None, **params: Any) -> ToolRun:
    from pathlib import Path

    context = ToolContext(
        root=Path(), files=(), inputs={"df": frame}, params=params, outbox=outbox
    )
    return tool(name).run(context)


def flaws(frame: pd.DataFrame, **params: Any) -> list[Finding]:
    return [each for name in LOOKS for each in run(name, frame, **params).findings]


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_clean_frame_has_no_findings(seed: int) -> None:
    assert flaws(clean(seed=seed), target="bought") == []


def put(column: str, make: Callable[[pd.DataFrame], Any]) -> Callable[[], pd.DataFrame]:
    def plant() -> pd.DataFrame:
        return clean().assign(**{column: make})

    return plant


def some(rows: int, value: Any, column: str = "height") -> Callable[[], pd.DataFrame]:
    def plant() -> pd.DataFrame:
        frame = clean().astype({column: object} if isinstance(value, str) else {})
        frame.loc[: rows - 1, column] = value
        return frame

    return plant


def doubled() -> pd.DataFrame:
    return pd.concat([clean(), clean().iloc[[3, 4]]])


def noisy(column: str, spread: float) -> Callable[[pd.DataFrame], Any]:
    rng = np.random.default_rng(0)
    return lambda frame: frame[column] * 2.2 + rng.normal(0, spread, len(frame))


CODES = {"Oslo": 10, "Rome": 20, "Kyiv": 30}
PLANTED = [
    pytest.param(some(1, "tall"), "mixed-types", "'height'", id="mixed"),
    pytest.param(
        put("price", lambda f: f["visits"].astype(str)),
        "numbers-as-text",
        "'price'",
        id="numbers",
    ),
    pytest.param(
        put("day", lambda f: f["born"].dt.strftime("%Y-%m-%d")),
        "dates-as-text",
        "'day'",
        id="dates",
    ),
    pytest.param(
        some(2, np.inf), "infinite-values", "'height' holds 2 infinite", id="infinite"
    ),
    pytest.param(
        some(1, "oslo ", "city"), "inconsistent-text", "'Oslo' / 'oslo '", id="spelling"
    ),
    pytest.param(
        some(6, np.nan), "missing-values", "6 of 600 values missing (1 %)", id="missing"
    ),
    pytest.param(put("gap", lambda _: np.nan), "all-missing", "'gap'", id="empty"),
    pytest.param(
        some(3, "n/a", "city"), "missing-placeholder", "'n/a' (3 times)", id="text-gap"
    ),
    pytest.param(
        some(3, -999, "visits"), "missing-placeholder", "-999 (3 times)", id="number-gap"
    ),
    pytest.param(doubled, "duplicate-rows", "2 of 602 rows (0.332 %)", id="rows"),
    pytest.param(doubled, "duplicate-labels", "2 index labels", id="labels"),
    pytest.param(
        lambda: clean().set_axis([*"abcdef", "a"], axis=1), "duplicate-names", "'a'", id="names"
    ),
    pytest.param(put("unit", lambda _: "cm"), "constant", "'unit' is 'cm'", id="constant"),
    pytest.param(
        lambda: clean(2000).assign(flag=[1, *[0] * 1999]),
        "nearly-constant",
        "'flag'",
        id="nearly",
    ),
    pytest.param(put("id", lambda f: range(len(f))), "id-like", "'id'", id="counting"),
    pytest.param(
        put("n", lambda f: np.delete(np.arange(len(f) + 5), [3, 9, 50, 70, 99])),
        "id-like",
        "with gaps",
        id="counting-with-gaps",
    ),
    pytest.param(
        put("user", lambda f: [f"u{n:05}@x.org" for n in range(len(f))]),
        "id-like",
        "'user'",
        id="words",
    ),
    pytest.param(some(1, 999.5), "outliers", "the farthest 999.5: row 0.", id="outlier"),
    pytest.param(
        put("income", lambda f: np.exp(f["height"] / 5)), "long-tail", "a long tail", id="tail"
    ),
    pytest.param(put("pounds", noisy("weight", 3)), "correlated", "Pearson 0.98", id="linear"),
    pytest.param(
        put("curve", lambda f: np.exp(f["weight"] / 4)),
        "correlated",
        "Spearman 1.000",
        id="ranks",
    ),
    pytest.param(
        put("code", lambda f: f["city"].map(CODES)), "correlated", "Cramér's V", id="groups"
    ),
    pytest.param(
        put("code", lambda f: f["city"].map(CODES)),
        "same-column",
        "'city', 'code'",
        id="renamed",
    ),
    pytest.param(
        put("copy", lambda f: f["height"]), "same-column", "'height', 'copy'", id="copy"
    ),
    pytest.param(
        put("pounds", noisy("weight", 0.01)),
        "nearly-same-column",
        "'weight' and 'pounds'",
        id="twin",
    ),
]


@pytest.mark.parametrize(("plant", "rule", "said"), PLANTED)
def test_planted_flaw_is_found(plant: Callable[[], pd.DataFrame], rule: str, said: str) -> None:
    messages = [each.message for each in flaws(plant()) if each.rule == rule]
    assert len(messages) == 1
    assert said in messages[0]


LEAKS = [
    pytest.param(lambda f: f["bought"].map({"yes": 1, "no": 0}), "bought", id="recoded"),
    pytest.param(
        lambda f: (f["bought"] == "yes") + np.random.default_rng(0).normal(0, 0.05, len(f)),
        "bought",
        id="number-for-two-groups",
    ),
    pytest.param(
        lambda f: f["city"].map(CODES) + np.random.default_rng(0).normal(0, 0.5, len(f)),
        "city",
        id="number-for-three-groups",
    ),
    pytest.param(noisy("weight", 1), "weight", id="number-for-number"),
    pytest.param(
        lambda f: f["bought"].where(f.index != 3, "maybe"), "bought", id="group-for-group"
    ),
    pytest.param(
        lambda f: pd.cut(f["weight"], 45).astype(str), "weight", id="group-for-number"
    ),
    pytest.param(
        lambda f: f["bought"] + (f["visits"] % 4).astype(str), "bought", id="finer-groups"
    ),
]


@pytest.mark.parametrize(("make", "target"), LEAKS)
def test_planted_leak_is_found(make: Callable[[pd.DataFrame], Any], target: str) -> None:
    frame = clean().assign(leak=make)
    found = run("profile-leakage", frame, target=target).findings
    suspects = [each for each in found if each.rule == "gives-away-target"]
    assert [each.message.split(" gives")[0] for each in suspects] == ["'leak'"]


def test_finding_stands_at_the_frame() -> None:
    finding = run("profile-constants", clean().assign(unit="cm")).findings[0]
    assert (finding.file, finding.line, finding.category) == ("df", 0, "constant")
    assert finding.tool == "profile-constants"


def test_outlying_rows_are_named_farthest_first() -> None:
    frame = clean().set_index(pd.Index([f"r{n}" for n in range(ROWS)]))
    frame.loc["r8", "height"], frame.loc["r5", "height"] = 900.0, -4000.0
    message = run("profile-outliers", frame).findings[0].message
    assert message.endswith("the farthest -4000: rows r5, r8.")


def odd_frames() -> dict[str, pd.DataFrame]:
    cells = pd.DataFrame({"a": [[1], [2], [1]] * 20, "b": [{"x": 1}, None, {"x": 1}] * 20})
    return {
        "no-rows": clean().iloc[:0],
        "one-row": clean().iloc[:1],
        "one-column": clean()[["height"]],
        "lists-in-cells": cells,
        "nothing-but-gaps": pd.DataFrame({"a": [None] * 40, "b": [np.nan] * 40}),
        "two-level-names": pd.DataFrame(
            np.random.default_rng(0).normal(size=(40, 2)),
            columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]),
        ),
        "nullable": clean().convert_dtypes(),
        "categories": clean().astype({"city": "category", "visits": "category"}),
        "complex": pd.DataFrame({"z": [1 + 2j, 2 - 1j] * 20, "b": range(40)}),
        "spans": pd.DataFrame({"t": pd.to_timedelta(range(40), unit="s"), "p": range(40)}),
        "periods": pd.DataFrame({"p": pd.period_range("2020", periods=40), "b": range(40)}),
        "huge-integers": pd.DataFrame({"n": [2**70 + n for n in range(40)], "b": range(40)}),
        "zones": pd.DataFrame(
            {"t": pd.date_range("2020", periods=40, tz="Europe/Oslo"), "b": 1}
        ),
        "odd-names": clean().set_axis([f"a${n}\n^{{" for n in range(7)], axis=1),
        "mixed-names": clean().set_axis([1, "1", None, 2.5, ("a",), True, b"x"], axis=1),
    }


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("kind", odd_frames())
def test_odd_frames_are_looked_at(kind: str, name: str) -> None:
    assert run(name, odd_frames()[kind]).status is RunStatus.RAN


@pytest.mark.parametrize("kind", odd_frames())
def test_odd_frames_are_drawn(kind: str, tmp_path: Path) -> None:
    assert run("profile-plots", odd_frames()[kind], tmp_path).status is RunStatus.RAN


def test_plots_are_left_as_png(tmp_path: Path) -> None:
    facts = run("profile-plots", some(9, np.nan)(), tmp_path).facts
    names = ["df-columns.png", "df-missing.png", "df-correlations.png"]
    assert facts == {"df": {"files": names}}
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in names)


def test_same_frame_gives_same_picture(tmp_path: Path) -> None:
    run("profile-plots", clean(), tmp_path)
    first = (tmp_path / "df-columns.png").read_bytes()
    run("profile-plots", clean(), tmp_path)
    assert (tmp_path / "df-columns.png").read_bytes() == first


def test_without_matplotlib_nothing_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ToolAbsentError, match=r"hypernb\[data\]"):
        run("profile-plots", clean(), tmp_path)


def test_without_a_frame_there_is_nothing_to_check(tmp_path: Path) -> None:
    context = ToolContext(root=tmp_path, files=(), inputs={"x": 3})
    answer = tool("profile-types").run(context)
    assert (answer.status, answer.reason) == (
        RunStatus.NOTHING_TO_CHECK,
        "no DataFrame was handed in",
    )


def test_sample_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypernb.tools._profile_pairs._WORK_AT_MOST", 9 * 200)
    settings = run("profile-correlations", clean()).settings
    assert "df: correlations in a sample of 200 of 600 rows" in settings


def test_several_frames_are_kept_apart(tmp_path: Path) -> None:
    frames = {"b": clean().assign(unit="cm"), "a": clean()}
    answer = tool("profile-constants").run(ToolContext(root=tmp_path, files=(), inputs=frames))
    assert [*answer.facts] == ["a", "b"]
    assert [each.file for each in answer.findings] == ["b"]


def test_frame_is_not_changed() -> None:
    frame = doubled()
    before = frame.copy(deep=True)
    flaws(frame, target="bought")
    pd.testing.assert_frame_equal(frame, before)
