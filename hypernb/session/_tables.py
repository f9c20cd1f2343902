"""Values with rows: data first, and a table wherever they are shown."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

Row = TypeVar("Row")


class Rows(Sequence[Row], Generic[Row]):
    """Rows of one kind, which a notebook shows as a table and a terminal as text."""

    heads: ClassVar[tuple[str, ...]] = ()
    nothing: str = "Nothing."

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)

    @abstractmethod
    def cells(self, row: Row) -> tuple[Any, ...]:
        """Return what stands under the heads."""

    def to_frame(self) -> pd.DataFrame:
        """Return a DataFrame with a row each and all fields."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(row) for row in self.rows])  # type: ignore[call-overload]

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        return self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return self.as_text()

    def as_text(self, width: int = 100) -> str:
        """Return the table for a terminal of that many columns."""
        from hypernb.views import table_text

        if not self.rows:
            return self.nothing
        return table_text(self.heads, [self.cells(row) for row in self.rows], width=width)

    def _repr_html_(self) -> str:
        from hypernb.views import table_html

        if not self.rows:
            return table_html(["", ""], [], caption=self.nothing)
        return table_html(self.heads, [self.cells(row) for row in self.rows])
