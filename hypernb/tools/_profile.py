"""DataFrames under a profile: their columns by kind, samples, and how findings are said."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from hypernb.abc import Tool
from hypernb.errors import ToolAbsentError
from hypernb.model import Finding, RunStatus, Severity, ToolRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from hypernb.abc import ToolContext

Kind = Literal["number", "bool", "time", "text", "other"]

SAMPLE_ROWS: Final = 100_000
"""Relations between columns are looked for in so many rows; everything else in all."""

_SEED: Final = 0
_NAMED: Final = 5
_TEXT_AT_MOST: Final = 60
_LABELS_AT_MOST: Final = 120


@dataclass(frozen=True)
class Column:
    """One column of a frame.

    Attributes:
        label: Its name as text.
        values: Its values, in the frame's order.
        kind: What it holds, whatever its dtype is called.
    """

    label: str
    values: pd.Series[Any]
    kind: Kind

    @cached_property
    def present(self) -> pd.Series[Any]:
        """The values that are not missing."""
        return self.values[self.values.notna().to_numpy()]

    @cached_property
    def keys(self) -> pd.Series[Any]:
        """The values that are not missing, in a form that can be compared and counted."""
        if self.kind != "other" or not len(self.present):
            return self.present
        # Lists and dictionaries in cells have no hash; 1 and True must stay two values.
        return self.present.map(lambda value: f"{type(value).__name__}:{value!r}")

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return int(self.keys.nunique())

    @property
    def quoted(self) -> str:
        """Its name as it stands in a sentence."""
        return repr(shortened(self.label, _LABELS_AT_MOST))


@dataclass(frozen=True)
class Table:
    """A frame that was handed in, with its name."""

    name: str
    frame: pd.DataFrame

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Its columns by position, because names may be there twice."""
        return tuple(
            Column(str(label), self.frame.iloc[:, place], kind_of(self.frame.iloc[:, place]))
            for place, label in enumerate(self.frame.columns)
        )

    def of_kind(self, *kinds: Kind) -> tuple[Column, ...]:
        """Return the columns of these kinds."""
        return tuple(column for column in self.columns if column.kind in kinds)

    def sample(self, rows: int = SAMPLE_ROWS) -> Table:
        """Return itself, or a random sample of its rows, in their order; always the same."""
        if len(self.frame) <= rows:
            return self
        import numpy as np

        places = np.random.default_rng(_SEED).choice(len(self.frame), rows, replace=False)
        return Table(self.name, self.frame.iloc[np.sort(places)])

    def rows(self, places: Iterable[int]) -> str:
        """Name rows by their index labels: ``rows 3, 17 and 4 more``."""
        every = list(places)
        labels = [shortened(str(self.frame.index[place])) for place in every[:_NAMED]]
        more = len(every) - len(labels)
        said = ", ".join(labels) + (f" and {more:,} more" if more else "")
        return f"row{'' if len(every) == 1 else 's'} {said}"


@dataclass
class Look:
    """What a look at one frame brought.

    Attributes:
        facts: What was measured; JSON values only.
        notes: What was left out or sampled, in words.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class ProfileTool(Tool):
    """Looks at the DataFrames among its inputs.

    Attributes:
        category: Category of its findings.
        settings: The limits it works with, in words.
    """

    category: ClassVar[str]
    settings: ClassVar[str]

    def describe(self, params: Mapping[str, Any]) -> str:
        """Say the limits it works with."""
        del params
        return f"{self.title} ({self.settings})"

    def run(self, context: ToolContext) -> ToolRun:
        """Look at each frame; nothing to check without one."""
        began = time.monotonic()
        tables = tables_of(context.inputs)
        if not tables:
            return ToolRun(
                tool=self.name,
                status=RunStatus.NOTHING_TO_CHECK,
                reason="no DataFrame was handed in",
                version=_version(self.name),
            )
        facts: dict[str, Any] = {}
        findings: list[Finding] = []
        settings = [self.settings]
        for place, table in enumerate(tables):
            context.report(f"{self.name} {table.name}", place / len(tables))
            look = self.look(table, context)
            facts[table.name] = look.facts
            findings += look.findings
            settings += [f"{table.name}: {note}" for note in look.notes]
        return ToolRun(
            tool=self.name,
            status=RunStatus.RAN,
            version=_version(self.name),
            settings="; ".join(settings),
            checked=sum(len(table.frame) for table in tables),
            duration_s=time.monotonic() - began,
            findings=tuple(findings),
            facts=facts,
        )

    @abstractmethod
    def look(self, table: Table, context: ToolContext) -> Look:
        """Look at one frame."""

    def found(
        self, table: Table, rule: str, severity: Severity, message: str, *, category: str = ""
    ) -> Finding:
        """Make a finding about a frame."""
        return Finding(
            file=table.name,
            category=category or self.category,
            rule=rule,
            severity=severity,
            message=message,
            tool=self.name,
        )


def tables_of(inputs: Mapping[str, Any]) -> list[Table]:
    """Return the DataFrames among the inputs, by name."""
    import pandas as pd

    return [
        Table(name, value)
        for name, value in sorted(inputs.items())
        if isinstance(value, pd.DataFrame)
    ]


def kind_of(values: pd.Series[Any]) -> Kind:
    """Say what a column holds."""
    from pandas.api import types

    dtype = values.dtype
    if isinstance(dtype, types.CategoricalDtype):
        values = values.cat.categories.to_series()
        dtype = values.dtype
    if types.is_bool_dtype(dtype):
        return "bool"
    if types.is_numeric_dtype(dtype):
        return "other" if types.is_complex_dtype(dtype) else "number"
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return "time"
    inferred = types.infer_dtype(values, skipna=True)
    if inferred in ("string", "empty"):
        return "text"
    if inferred == "boolean":
        return "bool"
    return "time" if inferred in ("date", "datetime", "period", "time") else "other"


def numbers(column: Column) -> Any:
    """Return the finite values of a number column as floats, with the rows they are in."""
    import numpy as np

    floats = column.values.astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
    places = np.flatnonzero(np.isfinite(floats))
    return floats[places], places


def share(part: int, whole: int) -> str:
    """Say a share in words: ``12 %``, ``less than 0.1 %``."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 0.1:  # noqa: PLR2004 - the smallest share that is written as a number
        return "less than 0.1 %"
    return f"{percent:.3g} %" if part < whole else "100 %"


def shortened(text: str, length: int = _TEXT_AT_MOST) -> str:
    """Cut a long text."""
    return text if len(text) <= length else f"{text[:length]}…"


def named(items: Sequence[str], most: int = _NAMED) -> str:
    """Name the first few, and count the rest."""
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more:,} more" if more > 0 else "")


def _version(tool: str) -> str:
    try:
        import pandas as pd
    except ImportError:
        raise ToolAbsentError(tool, hint="pip install pandas installs it.") from None
    return f"pandas {pd.__version__}"
