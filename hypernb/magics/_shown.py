"""Values with a face: what verbs return is data first, and looks well in any front end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

Item = TypeVar("Item")


class Listing(list[Item]):
    """A list that a notebook shows as a table and a terminal as text."""

    def __init__(
        self,
        items: Iterable[Item],
        *,
        text: Callable[[list[Item]], str],
        html: Callable[[list[Item]], str],
    ) -> None:
        super().__init__(items)
        self._text = text
        self._html = html

    @classmethod
    def of_rows(
        cls,
        items: Iterable[Item],
        columns: Sequence[str],
        row: Callable[[Item], tuple[Any, ...]],
    ) -> Self:
        """Make a list that is shown as a table: a row for each item."""
        from hypernb.views import table_html, table_text

        return cls(
            items,
            text=lambda each: table_text(columns, [row(item) for item in each]),
            html=lambda each: table_html(columns, [row(item) for item in each]),
        )

    def __repr__(self) -> str:
        return self._text(list(self))

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 (IPython's protocol)
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        return self._html(list(self))


class Shown:
    """A text, with HTML beside it where there is any."""

    def __init__(self, text: str, html: str = "") -> None:
        self.text = text
        self.html = html

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        bundle = {"text/plain": self.text}
        if self.html:
            bundle["text/html"] = self.html
        return bundle
