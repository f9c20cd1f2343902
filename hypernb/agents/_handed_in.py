"""Rules for values that are handed in: a goal about data is a goal about them."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._data_profile import data_profile
from hypernb.agents._plan_notes import unlooked
from hypernb.agents._words import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hypernb.plan import Plan

OF_DATA: Final = re.compile(
    r"\b(?:columns?|target|train(?:ing)?|data ?sets?|data ?frames?|rows?)\b", re.IGNORECASE
)
"""Words that no goal about code or its delivery needs: what leaks there is no secret."""

_SURELY_OF_DATA: Final = re.compile(
    rf"{OF_DATA.pattern}|\b(?:data(?! model)|frames?|outliers?|correlat\w+|distribut\w+)\b",
    re.IGNORECASE,
)
_PERHAPS_OF_DATA: Final = re.compile(
    r"\b(?:leak\w*|missing|duplicate\w*|values?|features?|profile|nans?|nulls?|odd|constants?)\b",
    re.IGNORECASE,
)
_OF_A_TARGET: Final = re.compile(r"\b(?:target|leak\w*|predict\w*)\b", re.IGNORECASE)
_NAMED_TARGET: Final = re.compile(
    r"\btarget(?:\s+column)?(?:\s+is|\s*[=:])?\s+[`'\"]?(\w+)", re.IGNORECASE
)


def frames_in(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the values that are data frames or series, and have columns."""
    pandas = sys.modules.get("pandas")
    if pandas is None:  # nobody can have made one
        return {}
    return {
        name: value
        for name, value in inputs.items()
        if isinstance(value, pandas.Series)
        or (isinstance(value, pandas.DataFrame) and value.shape[1])
    }


def is_about(goal: str, names: Sequence[str], *, is_of_code: bool) -> bool:
    """Tell whether a goal is about the frames of these names, or about data.

    Args:
        is_of_code: It fits an agent as well, so that a word with two meanings does not count.

    Example:
        >>> is_about("Which columns are odd?", ["df"], is_of_code=False)
        True
        >>> is_about("Which tests are missing?", ["df"], is_of_code=True)
        False
    """
    if _SURELY_OF_DATA.search(goal) or any(
        re.search(rf"\b{re.escape(name)}\b", goal) for name in names
    ):
        return True
    return not is_of_code and bool(_PERHAPS_OF_DATA.search(goal))


def plan_frames(
    goal: str, frames: Mapping[str, Any], inputs: Mapping[str, Any], *, root: Path, start: str
) -> Plan:
    """Return the plan of the playbook data-profile for a goal that is about data.

    Args:
        frames: What is looked at; ``inputs`` are all values that are handed in.
        start: How the note begins that says who has planned.
    """
    target = _target(goal, frames)
    plan = data_profile(target=target, inputs=frames)
    plan.inputs.update({name: each for name, each in inputs.items() if name not in frames})
    plan.goal, plan.root, plan.planned_by = goal, str(root), "rules"
    names = sorted(frames)
    why = f"the goal is about data, so the playbook data-profile looks at {listed(names)}"
    notes = [f"{start}: {why}. No file of the project is read."]
    if target:
        notes.append(f"The column to be predicted is {target}, as the goal says.")
    elif _OF_A_TARGET.search(goal):
        notes.append(
            "The goal does not say which column is to be predicted: "
            f"--playbook data-profile --in {','.join(names)} --target COLUMN says it."
        )
    if others := sorted(set(inputs) - set(frames)):
        notes.append(unlooked(others))
    plan.notes = (*notes, *plan.notes)
    return plan


def notes_of_unlooked(inputs: Mapping[str, Any]) -> list[str]:
    """Say of values in whose plan only files are looked at that nobody looks at them."""
    frames = frames_in(inputs)
    others = sorted(set(inputs) - set(frames))
    said = [unlooked(sorted(frames), is_frame=True)] if frames else []
    return [*said, *([unlooked(others)] if others else [])]


def _target(goal: str, frames: Mapping[str, Any]) -> str:
    tables = [each for each in frames.values() if hasattr(each, "columns")]
    columns = {str(name) for each in tables for name in each.columns}
    named = [word for word in _NAMED_TARGET.findall(goal) if word in columns]
    if named:
        return str(named[0])
    return "target" if "target" in columns and re.search(r"\btarget\b", goal) else ""
