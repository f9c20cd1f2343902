"""Rows: those that are there twice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from hypernb.model import Severity
from hypernb.tools._profile import Look, ProfileTool, named, share, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from hypernb.abc import ToolContext
    from hypernb.model import Finding
    from hypernb.tools._profile import Table


class DuplicatesTool(ProfileTool):
    """Finds rows, index labels and column names that are there more than once."""

    name: ClassVar[str] = "profile-duplicates"
    title: ClassVar[str] = "Duplicates"
    category: ClassVar[str] = "duplicates"
    settings: ClassVar[str] = "rows count if all their values are equal, in two or more columns"

    def look(self, table: Table, context: ToolContext) -> Look:
        """Compare rows, index labels and column names."""
        del context
        look = Look()
        look.findings += self._rows(table, look)
        look.findings += self._labels(table, look)
        look.findings += self._names(table, look)
        return look

    def _rows(self, table: Table, look: Look) -> Iterator[Finding]:
        if table.frame.shape[1] < 2:  # noqa: PLR2004 - one column repeats by nature
            look.notes.append("one column only, so equal rows are not counted")
            return
        again = _comparable(table).duplicated().to_numpy()
        places = [int(place) for place in again.nonzero()[0]]
        look.facts["rows"] = len(places)
        if places:
            rows = len(table.frame)
            message = (
                f"{len(places):,} of {rows:,} rows ({share(len(places), rows)}) repeat an "
                f"earlier one: {table.rows(places)}."
            )
            yield self.found(table, "duplicate-rows", Severity.MEDIUM, message)

    def _labels(self, table: Table, look: Look) -> Iterator[Finding]:
        again = int(table.frame.index.duplicated().sum())
        look.facts["index_labels"] = again
        if again:
            message = f"{again:,} index labels are there already; .loc returns several rows."
            yield self.found(table, "duplicate-labels", Severity.LOW, message)

    def _names(self, table: Table, look: Look) -> Iterator[Finding]:
        counted = Counter(column.label for column in table.columns)
        twice = sorted(label for label, count in counted.items() if count > 1)
        look.facts["column_names"] = len(twice)
        if twice:
            shown = named([repr(shortened(label)) for label in twice])
            message = f"Columns share a name: {shown}; only one of them can be asked for."
            yield self.found(table, "duplicate-names", Severity.MEDIUM, message)


def _comparable(table: Table) -> pd.DataFrame:
    """Return the frame with cells that have no hash, such as lists, as text."""
    if not table.of_kind("other"):
        return table.frame
    import pandas as pd

    series = [
        column.values.map(repr) if column.kind == "other" else column.values
        for column in table.columns
    ]
    return pd.concat(series, axis=1, keys=range(len(series)))
