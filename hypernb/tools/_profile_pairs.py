"""Columns against each other: correlation, and what gives away a target."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.model import Severity
from hypernb.tools._profile import SAMPLE_ROWS, Look, ProfileTool, named, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from hypernb.abc import ToolContext
    from hypernb.model import Finding
    from hypernb.tools._profile import Column, Table

_ROWS_AT_LEAST: Final = 20
_NUMBERS_AT_MOST: Final = 200
_GROUPS_AT_MOST: Final = 40
_LEVELS_AT_MOST: Final = 50
_CODES_AT_MOST: Final = 20
_WORK_AT_MOST: Final = 400_000_000  # cells times columns; a few seconds
_PAIRS_KEPT: Final = 100
_KEPT_FROM: Final = 0.5

_STRONG: Final = 0.9
_VERY_STRONG: Final = 0.98
_SAME: Final = 0.999
_GIVES_AWAY: Final = 0.98
_RANKS_APART: Final = 0.99
_EXPLAINED: Final = 0.95
_TARGET_LEVELS: Final = 20
_ROWS_PER_VALUE: Final = 5


class CorrelationsTool(ProfileTool):
    """Finds pairs of columns that go together."""

    name: ClassVar[str] = "profile-correlations"
    title: ClassVar[str] = "Correlations"
    category: ClassVar[str] = "correlation"
    settings: ClassVar[str] = (
        "numbers: Pearson and Spearman; groups of up to 50 values (codes: 20): Cramér's V, "
        f"corrected for bias; from 0.9; at least 20 rows, a sample above {SAMPLE_ROWS:,}"
    )

    def look(self, table: Table, context: ToolContext) -> Look:
        """Correlate each pair of number columns, and each pair of groups."""
        del context
        look = Look()
        pairs = [*_of_numbers(table, look), *_of_groups(table, look)]
        pairs.sort(key=lambda pair: (-abs(pair["value"]), pair["columns"]))
        look.facts["pairs"] = [
            {**pair, "columns": list(pair["columns"])}
            for pair in pairs[:_PAIRS_KEPT]
            if abs(pair["value"]) >= _KEPT_FROM
        ]
        for pair in pairs:
            if abs(pair["value"]) >= _STRONG:
                look.findings.append(self._together(table, pair))
        return look

    def _together(self, table: Table, pair: Mapping[str, Any]) -> Finding:
        first, second = pair["columns"]
        value = pair["value"]
        message = f"{first!r} and {second!r} go together ({pair['measure']} {value:.3f})."
        severity = Severity.MEDIUM if abs(value) >= _VERY_STRONG else Severity.LOW
        return self.found(table, "correlated", severity, message)


def _of_numbers(table: Table, look: Look) -> list[dict[str, Any]]:
    """Correlate number columns, linearly and by rank; the stronger of both counts."""
    import numpy as np

    columns = [each for each in table.of_kind("number") if each.distinct > 1]
    if len(columns) > _NUMBERS_AT_MOST:
        look.notes.append(f"only the first {_NUMBERS_AT_MOST} number columns are correlated")
        columns = columns[:_NUMBERS_AT_MOST]
    rows = min(SAMPLE_ROWS, _WORK_AT_MOST // max(1, len(columns) ** 2))
    matrix, sampled = _matrix(table, columns, rows)
    if sampled:
        look.notes.append(f"correlations in a sample of {rows:,} of {len(table.frame):,} rows")
    linear = matrix.corr(min_periods=_ROWS_AT_LEAST).to_numpy()
    ranked = matrix.rank().corr(min_periods=_ROWS_AT_LEAST).to_numpy()
    pairs: list[dict[str, Any]] = []
    for first, second in combinations(range(len(columns)), 2):
        for measure, found in (("Pearson", linear), ("Spearman", ranked)):
            value = float(found[first, second])
            if np.isfinite(value):
                pairs.append(_pair(columns[first], columns[second], measure, value))
    return _strongest(pairs)


def _strongest(pairs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for pair in pairs:
        known = best.setdefault(pair["columns"], pair)
        # Only a clear difference makes rank correlation the better description.
        if abs(pair["value"]) > abs(known["value"]) + 0.001:
            best[pair["columns"]] = pair
    return list(best.values())


def _of_groups(table: Table, look: Look) -> list[dict[str, Any]]:
    sample = table.sample()
    columns = [
        each
        for each in sample.of_kind("text", "bool", "number")
        if 1 < each.distinct <= _levels(each) and len(each.present) >= _ROWS_AT_LEAST
    ]
    if len(columns) > _GROUPS_AT_MOST:
        look.notes.append(f"only the first {_GROUPS_AT_MOST} columns of groups are compared")
        columns = columns[:_GROUPS_AT_MOST]
    coded = {id(each): codes(each) for each in columns}
    return [
        _pair(first, second, "Cramér's V", cramers_v(coded[id(first)], coded[id(second)]))
        for first, second in combinations(columns, 2)
        if first.kind != "number" or second.kind != "number"
    ]


def _levels(column: Column) -> int:
    """Say how many different values make a column one of groups; few, if they are numbers."""
    return _CODES_AT_MOST if column.kind == "number" else _LEVELS_AT_MOST


def _pair(first: Column, second: Column, measure: str, value: float) -> dict[str, Any]:
    return {
        "columns": (first.label, second.label),
        "measure": measure,
        "value": round(value, 6),
    }


def _matrix(table: Table, columns: Sequence[Column], rows: int) -> tuple[pd.DataFrame, bool]:
    """Return number columns as floats, infinities as missing, and whether it is a sample."""
    import numpy as np
    import pandas as pd

    sampled = len(table.frame) > rows
    chosen: Any = slice(None)
    if sampled:
        places = np.random.default_rng(0).choice(len(table.frame), rows, replace=False)
        chosen = np.sort(places)
    floats: dict[int, Any] = {}
    for place, column in enumerate(columns):
        part = column.values.iloc[chosen]
        value = part.astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
        floats[place] = np.where(np.isfinite(value), value, np.nan)
    return pd.DataFrame(floats), sampled


def codes(column: Column) -> Any:
    """Number the values in the order in which they appear; -1 is missing."""
    import numpy as np
    import pandas as pd

    found = np.full(len(column.values), -1, dtype=np.int64)
    found[column.values.notna().to_numpy()] = pd.factorize(column.keys.to_numpy())[0]
    return found


def cramers_v(first: Any, second: Any) -> float:
    """Return how strongly two groupings go together, 0 to 1, corrected for bias.

    The correction is Bergsma's (2013): without it, many small groups look related.
    """
    import numpy as np

    both = (first >= 0) & (second >= 0)
    count = int(both.sum())
    if count < _ROWS_AT_LEAST:
        return 0.0
    table = np.zeros((int(first.max()) + 1, int(second.max()) + 1))
    np.add.at(table, (first[both], second[both]), 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows, columns = table.shape
    if min(rows, columns) < 2:  # noqa: PLR2004 - one group alone goes with everything
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / count
    phi = float(((table - expected) ** 2 / expected).sum()) / count
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (count - 1))
    rows_left = rows - (rows - 1) ** 2 / (count - 1)
    columns_left = columns - (columns - 1) ** 2 / (count - 1)
    smaller = min(rows_left, columns_left) - 1
    return min(1.0, (phi / smaller) ** 0.5) if smaller > 0 else 0.0


class LeakageTool(ProfileTool):
    """Finds columns that give away the target, or are each other under another name.

    Parameters: ``target``, the column to be predicted; without it, columns are only compared
    with each other.
    """

    name: ClassVar[str] = "profile-leakage"
    title: ClassVar[str] = "Leakage suspects"
    category: ClassVar[str] = "leakage"
    settings: ClassVar[str] = (
        "equal or renamed columns, correlation from 0.999; with a target also: columns that "
        "determine it, correlation or Cramér's V from 0.98, ranks 99 % apart, 95 % explained"
    )

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say the limits, and the target."""
        target = params.get("target", "")
        return (
            f"{super().describe(params)}, target: {target!r}"
            if target
            else (f"{super().describe(params)}, no target")
        )

    def look(self, table: Table, context: ToolContext) -> Look:
        """Compare columns with the target, if there is one, and with each other."""
        look = Look()
        sample = table.sample()
        if len(sample.frame) < len(table.frame):
            look.notes.append(f"{SAMPLE_ROWS:,} of {len(table.frame):,} rows, at random")
        target = str(context.params.get("target", ""))
        against = [each for each in sample.columns if each.label == target]
        look.facts = {"target": target if against else "", "suspects": []}
        if target and not against:
            look.notes.append(f"there is no column {target!r} here")
        for goal in against[:1]:
            look.findings += self._target(sample, goal, look)
        look.findings += self._twins(sample, {each.label for each in against}, look)
        return look

    def _target(self, table: Table, target: Column, look: Look) -> Iterator[Finding]:
        if target.distinct < 2:  # noqa: PLR2004 - one value needs no giving away
            return
        for column in table.columns:
            if column is target or column.distinct < 2:  # noqa: PLR2004
                continue
            if how := _gives_away(column, target):
                look.facts["suspects"].append({"column": column.label, "how": how})
                message = (
                    f"{column.quoted} gives away the target {target.quoted}: it {how}. "
                    "Would it be known before the target is?"
                )
                yield self.found(table, "gives-away-target", Severity.HIGH, message)

    def _twins(self, table: Table, apart: set[str], look: Look) -> Iterator[Finding]:
        """Find columns that are the same as others, by name or by value."""
        columns = [each for each in table.columns if each.label not in apart]
        twins = _renamed(columns)
        known = {frozenset(pair) for group in twins for pair in combinations(group, 2)}
        for group in twins:
            message = (
                f"{named([repr(label) for label in group])} say the same in other words: "
                "each value of one stands for one value of the others."
            )
            look.facts["suspects"].append({"columns": group, "how": "one to one"})
            yield self.found(table, "same-column", Severity.MEDIUM, message)
        numeric = [each for each in columns if each.kind == "number" and each.distinct > 1]
        matrix, _ = _matrix(table, numeric[:_NUMBERS_AT_MOST], SAMPLE_ROWS)
        linear = matrix.corr(min_periods=_ROWS_AT_LEAST).to_numpy()
        for first, second in combinations(range(matrix.shape[1]), 2):
            labels = (numeric[first].label, numeric[second].label)
            value = float(linear[first, second])
            if abs(value) >= _SAME and frozenset(labels) not in known:
                look.facts["suspects"].append({"columns": list(labels), "how": "correlation"})
                message = (
                    f"{labels[0]!r} and {labels[1]!r} are nearly the same column "
                    f"(correlation {value:.4f})."
                )
                yield self.found(table, "nearly-same-column", Severity.MEDIUM, message)


def _renamed(columns: Sequence[Column]) -> list[list[str]]:
    """Group columns whose values stand for each other one to one.

    Columns in which nearly every value is different would all fit each other; they count
    only if they are equal.
    """
    groups: defaultdict[bytes, list[str]] = defaultdict(list)
    for column in columns:
        rows = len(column.values)
        if column.distinct < 2 or rows < _ROWS_AT_LEAST:  # noqa: PLR2004 - constants say nothing
            continue
        if column.distinct * 2 <= rows:
            groups[codes(column).tobytes()].append(column.label)
        else:
            groups[b"equal" + _content(column)].append(column.label)
    return [labels for labels in groups.values() if len(labels) > 1]


def _content(column: Column) -> bytes:
    import pandas as pd

    keys = column.keys if column.kind == "other" else column.values
    if column.kind == "number":
        keys = keys.astype("float64")
    return (
        pd.util.hash_pandas_object(keys.reset_index(drop=True), index=False)
        .to_numpy()
        .tobytes()
    )


def _gives_away(column: Column, target: Column) -> str:
    """Say how a column gives away the target; empty if it does not."""
    both = (column.values.notna() & target.values.notna()).to_numpy()
    rows = int(both.sum())
    if rows < _ROWS_AT_LEAST:
        return ""
    grouped = target.kind != "number" or target.distinct <= _TARGET_LEVELS
    if column.distinct * _ROWS_PER_VALUE <= rows and _determines(column, target, both):
        return "determines it in every row"
    if column.kind == "number":
        return _separates(column, target) if grouped else _follows(column, target)
    if column.distinct > min(_LEVELS_AT_MOST, rows // _ROWS_PER_VALUE):
        return ""
    if grouped:
        value = cramers_v(codes(column), codes(target))
        return f"goes with it (Cramér's V {value:.3f})" if value >= _GIVES_AWAY else ""
    value = _explained(*_floats(target, codes(column)))
    return f"explains {value:.1%} of it" if value >= _GIVES_AWAY else ""


def _determines(column: Column, target: Column, both: Any) -> bool:
    import pandas as pd

    pairs = pd.DataFrame({"value": codes(column)[both], "target": codes(target)[both]})
    different = pairs.drop_duplicates()
    return len(different) == pairs["value"].nunique() and pairs["target"].nunique() > 1


def _follows(column: Column, target: Column) -> str:
    """Compare a number column with a number target."""
    import pandas as pd

    pairs = pd.DataFrame({0: column.values.to_numpy(), 1: target.values.to_numpy()})
    pairs = pairs.astype("Float64").astype("float64")
    linear = abs(float(pairs.corr(min_periods=_ROWS_AT_LEAST).to_numpy()[0, 1]))
    ranked = abs(float(pairs.rank().corr(min_periods=_ROWS_AT_LEAST).to_numpy()[0, 1]))
    value = max(linear, ranked)
    return f"follows it (correlation {value:.3f})" if value >= _GIVES_AWAY else ""


def _separates(column: Column, target: Column) -> str:
    """Compare a number column with a target of a few groups."""
    import numpy as np

    values, groups = _floats(column, codes(target))
    levels = np.unique(groups)
    if len(levels) == 2:  # noqa: PLR2004 - ranks separate exactly two groups
        apart = _ranks_apart(values, groups == levels[1])
        return f"ranks its groups apart ({apart:.1%})" if apart >= _RANKS_APART else ""
    value = _explained(values, groups)
    return f"explains {value:.1%} of it" if value >= _EXPLAINED else ""


def _floats(column: Column, groups: Any) -> tuple[Any, Any]:
    """Return the finite values of a column and their groups, where both are known."""
    values, places = numbers(column)
    known = groups[places] >= 0
    return values[known], groups[places][known]


def _ranks_apart(values: Any, is_second: Any) -> float:
    """Return the area under the ROC curve, or one minus it: 0.5 is chance, 1 is certain."""
    import pandas as pd

    second = int(is_second.sum())
    first = len(values) - second
    if min(first, second) < _ROWS_PER_VALUE:
        return 0.0
    ranks = pd.Series(values).rank().to_numpy()
    area = (float(ranks[is_second].sum()) - second * (second + 1) / 2) / (first * second)
    return max(area, 1 - area)


def _explained(values: Any, groups: Any) -> float:
    """Return the share of the values' variance that lies between the groups."""
    import pandas as pd

    if len(values) < _ROWS_AT_LEAST:
        return 0.0
    series = pd.Series(values)
    total = float(((series - series.mean()) ** 2).sum())
    inside = series - series.groupby(groups).transform("mean")
    return 1 - float((inside**2).sum()) / total if total else 0.0
