"""The playbook ``data-profile``: what is in a DataFrame, and what is odd about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._plan_notes import OFFLINE
from hypernb.agents._specialists import STRATEGIST
from hypernb.agents._words import listed
from hypernb.errors import PathError, UnknownNameError, UsageError
from hypernb.tools import tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from hypernb.plan import Plan

REPORT: Final = "report"

# Task, who looks, with which tool, and what for; all at the same time.
_LOOKS: Final = (
    (
        "check-types",
        "database-architect",
        "profile-types",
        "Find columns whose values are not of one kind, or not of the kind they look like.",
    ),
    ("check-missing", "database-architect", "profile-missing", "Count what is missing."),
    (
        "check-duplicates",
        "database-architect",
        "profile-duplicates",
        "Find rows, index labels and column names that are there twice.",
    ),
    (
        "check-constants",
        "database-architect",
        "profile-constants",
        "Find columns that say the same everywhere, or only number the rows.",
    ),
    ("check-outliers", "qa-engineer", "profile-outliers", "Find values far from all others."),
    (
        "check-correlations",
        "system-architect",
        "profile-correlations",
        "Find columns that go together.",
    ),
    (
        "check-leakage",
        "security-engineer",
        "profile-leakage",
        "Find columns that give away the target, or each other.",
    ),
    ("draw-plots", "frontend-specialist", "profile-plots", "Draw what is in the columns."),
)


def data_profile(
    *, path: Path | None = None, target: str = "", inputs: Mapping[str, Any]
) -> Plan:
    """Profile DataFrames: types, missing, duplicates, outliers, correlations, leakage, plots.

    Args:
        path: A CSV or Parquet file; instead of, or beside, frames handed in with --in.
        target: The column that is to be predicted, if there is one.

    Raises:
        UsageError: There is no DataFrame, or one of the values handed in is none.
        UnknownNameError: No frame has the target column; near misses are named.
        PathError: The file is missing or cannot be read.
    """
    from hypernb.plan import Plan

    frames = _frames(inputs, path)
    columns = sorted({str(name) for frame in frames.values() for name in frame.columns})
    if target and target not in columns:
        raise UnknownNameError("column", target, columns)
    plan = Plan(f"Profile {listed(list(frames))}", inputs=dict(frames))
    given = {"target": target} if target else {}
    for task, agent, name, words in _LOOKS:
        params = {name: given} if given and name == "profile-leakage" else {}
        plan.add(
            task,
            agent=agent,
            goal=f"{words}\n{name}: {tool(name).describe(params.get(name, {}))}",
            tools=(name,),
            params=params,
            on_failure="continue",
        )
    tasks = {task: {"agent": agent, "tools": [name]} for task, agent, name, _ in _LOOKS}
    plan.add(
        REPORT,
        agent=STRATEGIST,
        goal=f"Rank what was found.\nrank: {tool('rank').describe({})}",
        needs=tuple(tasks),
        tools=("rank",),
        params={"rank": {"tasks": tasks}},
    )
    plan.result = REPORT
    plan.notes = tuple(_notes(frames, path))
    return plan


def _notes(frames: Mapping[str, pd.DataFrame], path: Path | None) -> list[str]:
    sizes = [
        f"{name} has {len(frame):,} rows and {frame.shape[1]:,} columns"
        for name, frame in frames.items()
    ]
    return [
        f"{'; '.join(sizes)}.",
        *(
            [f"{path} was read for this plan; later changes to it do not count."]
            if path
            else []
        ),
        "A copy of the data is kept in the store.",
        OFFLINE,
    ]


def _frames(inputs: Mapping[str, Any], path: Path | None) -> dict[str, pd.DataFrame]:
    import pandas as pd

    frames: dict[str, pd.DataFrame] = {}
    for name, value in inputs.items():
        frame = value.to_frame() if isinstance(value, pd.Series) else value
        if not isinstance(frame, pd.DataFrame):
            raise UsageError(
                f"{name} is of type {type(value).__name__}; data-profile needs a DataFrame.",
                hint="pandas.DataFrame(…) makes one of most things.",
            )
        frames[name] = frame
    if path is not None:
        frames[_name(path, frames)] = _read(path)
    if not frames:
        raise UsageError(
            "data-profile has no DataFrame to look at.",
            hint="Name a file with --path FILE, or, in a notebook, hand one in with --in NAME.",
        )
    for name, frame in frames.items():
        if not frame.shape[1]:
            raise UsageError(f"{name} has no columns; there is nothing to profile.")
    return frames


def _name(path: Path, frames: Mapping[str, Any]) -> str:
    """Make a name for a file's frame: one that an argument can have, and no other frame has."""
    name = re.sub(r"\W+", "_", path.stem).strip("_") or "data"
    name = f"data_{name}" if not name.isidentifier() else name
    return name if name not in frames else f"{name}_file"


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.exists():
        raise PathError(str(path), "does not exist")
    if path.is_dir():
        raise PathError(str(path), "is a directory", hint="Name one CSV or Parquet file.")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        if path.suffix.lower() in (".csv", ".tsv", ".txt"):
            return pd.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ",")
    except (OSError, ValueError, UnicodeError) as error:
        said = " ".join(str(error).split())[:200]
        raise PathError(str(path), f"cannot be read as a table: {said}") from error
    raise PathError(
        str(path), "is neither CSV nor Parquet", hint="Read it yourself, and use --in NAME."
    )
