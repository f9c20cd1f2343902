"""Filling in variables, and leaving every other brace alone."""

from __future__ import annotations

import types
from typing import Any

import pytest

from hypernb.errors import UsageError
from hypernb.magics._interpolate import interpolate

NAMESPACE: dict[str, Any] = {
    "name": "rows",
    "d": [7, 8],
    "cfg": {"key": "value"},
    "point": types.SimpleNamespace(x=3),
    "frac": "NOT THIS",
    "a": 1,
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        pytest.param("look at {name}", "look at rows", id="name"),
        pytest.param("{point.x} {d[0]} {d[-1]} {cfg['key']}", "3 7 8 value", id="paths"),
        pytest.param("{{name}}", "{name}", id="escaped"),
    ],
)
def test_variables_are_filled_in(text: str, filled: str) -> None:
    assert interpolate(text, NAMESPACE) == filled


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a": 1, "b": {"c": []}}', id="json"),
        pytest.param(r"\frac{a}{name} \sum_{i=1}^{n} \text{name} $\hat{a}$", id="latex"),
        pytest.param('f"{x:.2f} {a!r} {a:>10}"', id="format-specs"),
        pytest.param("{} {{}} }}{{ { } {0}", id="bare-braces"),
        pytest.param("{a + 1} {print(a)} {a()} {__import__('os')}", id="expressions"),
        pytest.param("$HOME %s ${name} ${name:-x} `id` ; rm -rf /", id="shell"),
        pytest.param("🦆 \u202e \x00 \x1b[31m", id="odd-characters"),
        pytest.param("{__name__} {name.__class__} {cfg._private}", id="underscores"),
    ],
)
def test_every_other_brace_is_left_alone(text: str) -> None:
    assert interpolate(text, {**NAMESPACE, "__name__": "no"}) == text


def test_missing_attribute_is_named() -> None:
    with pytest.raises(UsageError, match=r"no .\.uper"):
        interpolate("{name.uper}", NAMESPACE)


def test_goal_of_a_megabyte_does_not_hang() -> None:
    text = "{" * 500_000 + "}" * 500_000
    assert interpolate(text, NAMESPACE) == text


def test_huge_values_are_cut_with_a_sentence() -> None:
    filled = interpolate("{name}", {"name": "x" * 100_000})
    assert "100,000 characters in all" in filled
    assert len(filled) < 30_000
