"""One column at a time: types, missing values, constants and numbering columns, outliers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar, Final

from hypernb.model import Severity
from hypernb.tools._profile import Look, ProfileTool, named, numbers, share, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.abc import ToolContext
    from hypernb.model import Finding
    from hypernb.tools._profile import Column, Table

_NUMBER: Final = re.compile(
    r"\s*[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d+)?\s*"
)
_LEADING_ZERO: Final = re.compile(r"\s*[+-]?0\d")
_DATE: Final = re.compile(
    r"\s*(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})(?:[T ].*)?"
)
_LOOKS_LIKE: Final = 0.95
_TEXTS_LOOKED_AT: Final = 10_000
_SPELLINGS_AT_MOST: Final = 1_000

_MISSING_MEDIUM: Final = 0.05
_MISSING_HIGH: Final = 0.4
_PLACEHOLDERS: Final = frozenset(
    {"", "#n/a", "-", "--", "?", "missing", "n/a", "na", "nan", "none", "null"}
)
_SENTINELS: Final = (-99999.0, -9999.0, -999.0, -99.0, 999.0, 9999.0, 99999.0, 999999.0)

_NEARLY: Final = 0.999
_ROWS_FOR_NEARLY: Final = 100
_ROWS_FOR_ID: Final = 20
_NEARLY_ALL: Final = 0.95
_ROWS_FOR_GAPS: Final = 50
_GAPS: Final = 2
_ID_NAME: Final = re.compile(
    r"(?:^|[_\W])(?:id|ids|key|uuid|guid|nr|no|number|index)$|[a-z]I[Dd]$"
)
_ID_TEXT: Final = re.compile(r"\S{1,64}")

_FENCE: Final = 3.0
_ROBUST_Z: Final = 5.0
_BY_CHANCE: Final = 0.001
_VALUES_FOR_OUTLIERS: Final = 8
_DISTINCT_FOR_OUTLIERS: Final = 10
_TAIL: Final = 0.01
_MAD_TO_SIGMA: Final = 1.4826
_MEAN_AD_TO_SIGMA: Final = 1.2533


class TypesTool(ProfileTool):
    """Finds mixed types, numbers and dates kept as text, infinities, and spellings."""

    name: ClassVar[str] = "profile-types"
    title: ClassVar[str] = "Types of columns"
    category: ClassVar[str] = "types"
    settings: ClassVar[str] = (
        "a text column looks like numbers or dates if 95 % of its different values do"
    )

    def look(self, table: Table, context: ToolContext) -> Look:
        """Look at the type of each column."""
        del context
        look = Look()
        for column in table.columns:
            look.facts[column.label] = {
                "dtype": str(column.values.dtype),
                "kind": column.kind,
                "distinct": column.distinct,
            }
            look.findings += self._mixed(table, column)
            look.findings += self._infinite(table, column)
            look.findings += self._texts(table, column)
        return look

    def _mixed(self, table: Table, column: Column) -> Iterator[Finding]:
        if column.kind != "other":
            return
        kinds = Counter(type(value).__name__ for value in column.present)
        if len(kinds) > 1 and not set(kinds) <= {"int", "float", "Decimal"}:
            parts = [f"{count:,} {kind}" for kind, count in kinds.most_common()]
            message = f"{column.quoted} holds values of several types: {named(parts)}."
            yield self.found(table, "mixed-types", Severity.MEDIUM, message)

    def _infinite(self, table: Table, column: Column) -> Iterator[Finding]:
        if column.kind != "number":
            return
        import numpy as np

        infinite = np.isinf(column.present.to_numpy(dtype="float64"))
        if infinite.any():
            message = (
                f"{column.quoted} holds {int(infinite.sum()):,} infinite values; "
                "every mean of it is infinite."
            )
            yield self.found(table, "infinite-values", Severity.HIGH, message)

    def _texts(self, table: Table, column: Column) -> Iterator[Finding]:
        if column.kind != "text" or not len(column.present):
            return
        texts = [str(each) for each in column.present.drop_duplicates()[:_TEXTS_LOOKED_AT]]
        filled = [each for each in texts if each.strip().casefold() not in _PLACEHOLDERS]
        for rule, kind, pattern in (
            ("numbers-as-text", "numbers", _NUMBER),
            ("dates-as-text", "dates", _DATE),
        ):
            like = sum(bool(pattern.fullmatch(each)) for each in filled)
            if len(filled) > 1 and like >= _LOOKS_LIKE * len(filled):
                if kind == "numbers" and any(map(_LEADING_ZERO.match, filled)):
                    continue  # codes such as 01234: as numbers they would lose their zero
                message = f"{column.quoted} holds {kind} as text, for example {filled[0]!r}."
                yield self.found(table, rule, Severity.MEDIUM, message)
        yield from self._spellings(table, column, texts)

    def _spellings(self, table: Table, column: Column, texts: list[str]) -> Iterator[Finding]:
        if len(texts) > _SPELLINGS_AT_MOST:
            return
        spelt: defaultdict[str, list[str]] = defaultdict(list)
        for text in texts:
            spelt[" ".join(text.casefold().split())].append(text)
        several = [sorted(each) for each in spelt.values() if len(each) > 1]
        if several:
            shown = [" / ".join(repr(shortened(one)) for one in each) for each in several]
            message = (
                f"{column.quoted} spells the same value in several ways "
                f"(case or spaces): {named(sorted(shown))}."
            )
            yield self.found(table, "inconsistent-text", Severity.MEDIUM, message)


class MissingTool(ProfileTool):
    """Counts missing values, and values that stand for missing ones."""

    name: ClassVar[str] = "profile-missing"
    title: ClassVar[str] = "Missing values"
    category: ClassVar[str] = "missing"
    settings: ClassVar[str] = (
        "medium from 5 % of the rows, high from 40 %; stand-ins: texts such as 'n/a', '?', "
        "numbers such as -999 far from all others"
    )

    def look(self, table: Table, context: ToolContext) -> Look:
        """Count what is missing in each column."""
        del context
        look = Look()
        rows = len(table.frame)
        for column in table.columns:
            missing = rows - len(column.present)
            look.facts[column.label] = {
                "missing": missing,
                "share": round(missing / rows, 6) if rows else 0.0,
            }
            look.findings += self._missing(table, column, missing)
            look.findings += self._stand_ins(table, column)
        empty = table.frame.isna().all(axis=1).to_numpy() if rows else None
        if empty is not None and empty.any() and not empty.all():
            places = [int(place) for place in empty.nonzero()[0]]
            message = f"Rows without a single value: {table.rows(places)}."
            look.findings.append(self.found(table, "empty-rows", Severity.MEDIUM, message))
        return look

    def _missing(self, table: Table, column: Column, missing: int) -> Iterator[Finding]:
        rows = len(table.frame)
        if not missing:
            return
        if missing == rows:
            message = f"{column.quoted} has no values at all."
            yield self.found(table, "all-missing", Severity.HIGH, message)
            return
        part = missing / rows
        severity = Severity.LOW
        if part >= _MISSING_MEDIUM:
            severity = Severity.HIGH if part >= _MISSING_HIGH else Severity.MEDIUM
        message = (
            f"{column.quoted} has {missing:,} of {rows:,} values missing "
            f"({share(missing, rows)})."
        )
        yield self.found(table, "missing-values", severity, message)

    def _stand_ins(self, table: Table, column: Column) -> Iterator[Finding]:
        found: dict[str, int] = {}
        if column.kind == "text":
            counted = column.present.astype("object").value_counts()
            for value, count in counted.items():
                if str(value).strip().casefold() in _PLACEHOLDERS:
                    found[repr(value)] = int(count)
        elif column.kind == "number":
            found = _sentinels(column)
        if found:
            parts = [f"{value} ({count:,} times)" for value, count in sorted(found.items())]
            message = f"{column.quoted} holds stand-ins for missing values: {named(parts)}."
            yield self.found(table, "missing-placeholder", Severity.MEDIUM, message)


def _sentinels(column: Column) -> dict[str, int]:
    """Find numbers such as -999 that stand alone, farther away than all others are spread."""
    import numpy as np

    values, _ = numbers(column)
    found: dict[str, int] = {}
    for sentinel in _SENTINELS:
        others = values[~np.isin(values, _SENTINELS)]
        count = int((values == sentinel).sum())
        if count > 1 and len(others) > 1:
            low, high = float(others.min()), float(others.max())
            gap = max(low - sentinel, sentinel - high)
            if gap > high - low:
                found[f"{sentinel:g}"] = count
    return found


class ConstantsTool(ProfileTool):
    """Finds columns that say the same in every row, or only number the rows."""

    name: ClassVar[str] = "profile-constants"
    title: ClassVar[str] = "Constant and id-like columns"
    category: ClassVar[str] = "constant"
    settings: ClassVar[str] = (
        "nearly constant from 99.9 % in at least 100 rows; id-like: whole numbers that count "
        "up or words, none missing, 95 % different, in at least 20 rows"
    )

    def look(self, table: Table, context: ToolContext) -> Look:
        """Look at how many different values each column has."""
        del context
        look = Look()
        constant: list[str] = []
        numbering: list[str] = []
        for column in table.columns:
            if finding := self._constant(table, column):
                constant.append(column.label)
                look.findings.append(finding)
            elif finding := self._id_like(table, column):
                numbering.append(column.label)
                look.findings.append(finding)
        look.facts = {"constant": constant, "id_like": numbering}
        return look

    def _constant(self, table: Table, column: Column) -> Finding | None:
        rows = len(column.present)
        if len(table.frame) < 2 or not rows:  # noqa: PLR2004 - one row is always constant
            return None
        if column.distinct == 1:
            value = column.present.iloc[0]
            said = shortened(repr(value) if isinstance(value, str) else str(value))
            message = f"{column.quoted} is {said} in every row that has a value."
            return self.found(table, "constant", Severity.LOW, message)
        if rows < _ROWS_FOR_NEARLY:
            return None
        most = int(column.keys.value_counts().iloc[0])
        if most < _NEARLY * rows:
            return None
        message = f"{column.quoted} has the same value in {share(most, rows)} of the rows."
        return self.found(table, "nearly-constant", Severity.LOW, message)

    def _id_like(self, table: Table, column: Column) -> Finding | None:
        rows = len(table.frame)
        if rows < _ROWS_FOR_ID or len(column.present) < rows:
            return None
        if column.distinct < _NEARLY_ALL * rows:
            return None
        if column.kind == "number":
            how = _numbering(column)
        elif column.kind == "text":
            how = _naming(column)
        else:
            how = ""
        if not how:
            return None
        each = "each row" if column.distinct == rows else "nearly each row"
        message = f"{column.quoted} is different in {each} {how}; it only names the rows."
        return self.found(table, "id-like", Severity.LOW, message, category="id-like")


def _numbering(column: Column) -> str:
    import numpy as np

    values, _ = numbers(column)
    if not len(values) or (values % 1).any():
        return ""
    steps = np.diff(np.unique(values))
    if (steps == steps[0]).all():
        return "and counts up"
    dense = values.max() - values.min() <= _GAPS * len(values)
    if dense and len(values) >= _ROWS_FOR_GAPS:
        return "and counts up, with gaps"
    return "and is called like an id" if _ID_NAME.search(column.label) else ""


def _naming(column: Column) -> str:
    texts = column.present.astype(str)[:_TEXTS_LOOKED_AT]
    if not all(map(_ID_TEXT.fullmatch, texts)):
        return ""
    if any(map(_DATE.fullmatch, texts)) or all(map(_NUMBER.fullmatch, texts)):
        return "and is called like an id" if _ID_NAME.search(column.label) else ""
    return "and is one word"


class OutliersTool(ProfileTool):
    """Finds values far from all others, and names their rows."""

    name: ClassVar[str] = "profile-outliers"
    title: ClassVar[str] = "Outliers"
    category: ClassVar[str] = "outliers"
    settings: ClassVar[str] = (
        "beyond 3 interquartile ranges from the quartiles, and a robust z-score (from median "
        "and median deviation) above 5, or above what chance brings in so many rows; columns "
        "with more than 10 different values"
    )

    def look(self, table: Table, context: ToolContext) -> Look:
        """Look at each column of numbers."""
        del context
        look = Look()
        for column in table.of_kind("number"):
            if column.distinct <= _DISTINCT_FOR_OUTLIERS:
                continue
            facts, places = _outliers(column)
            if facts:
                look.facts[column.label] = facts
            if places:
                look.findings.append(self._outlying(table, column, places))
        return look

    def _outlying(self, table: Table, column: Column, places: list[int]) -> Finding:
        rows = len(table.frame)
        tail = len(places) > _TAIL * rows and len(places) > 1
        worst = column.values.iloc[places[0]]
        kind = "a long tail: " if tail else ""
        noun = "value" if len(places) == 1 else "values"
        message = (
            f"{column.quoted} has {kind}{len(places):,} {noun} far from all others "
            f"({share(len(places), rows)}), the farthest {float(worst):.10g}: "
            f"{table.rows(places)}."
        )
        severity = Severity.LOW if tail else Severity.MEDIUM
        return self.found(table, "long-tail" if tail else "outliers", severity, message)


def _outliers(column: Column) -> tuple[dict[str, Any], list[int]]:
    """Return what was measured, and the rows of outliers, the farthest first."""
    import numpy as np

    values, rows = numbers(column)
    if len(values) < _VALUES_FOR_OUTLIERS:
        return {}, []
    low, median, high = (float(each) for each in np.percentile(values, [25, 50, 75]))
    away = np.abs(values - median)
    # Where more than half of the values are the same, their median deviation is 0.
    sigma = _MAD_TO_SIGMA * float(np.median(away)) or _MEAN_AD_TO_SIGMA * float(away.mean())
    below, above = low - _FENCE * (high - low), high + _FENCE * (high - low)
    if not sigma:
        return {}, []
    limit = max(_ROBUST_Z, NormalDist().inv_cdf(1 - _BY_CHANCE / len(values)))
    far = ((values < below) | (values > above)) & (away / sigma > limit)
    order = np.argsort(-away[far], kind="stable")
    places = [int(place) for place in rows[far][order]]
    facts = {
        "outliers": len(places),
        "median": median,
        "quartiles": [low, high],
        "fences": [below, above],
        "sigma": sigma,
    }
    return facts, places
