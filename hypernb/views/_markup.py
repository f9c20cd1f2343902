"""HTML by construction: a plain string is always text, only `Html` is markup."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from hypernb.views._clean import clean
from hypernb.views._phrase import WHOLE_AT_MOST, Code, Strong, Whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hypernb.views._phrase import Part

NAME_ON_ONE_LINE: Final = 24
_VOID: Final = frozenset({"br", "hr", "wbr", "col", "meta", "path", "circle", "rect"})


class Html(str):
    """Markup that is safe as it stands; only this package makes it."""

    __slots__ = ()


Head = str | tuple[str, str]
"""A column head; a pair is the head and the class of its cell."""

Child = str | Code | Strong | Whole | None
"""What can stand in an element: a plain string becomes text, `Html` stays."""


def markup(child: Child) -> Html:
    """Turn anything that can stand in an element into markup; text is cleaned and escaped."""
    match child:
        case None:
            return Html("")
        case Html():
            return child
        case Code(text):
            return el("code", text)
        case Strong(text):
            return el("strong", text)
        case Whole(text):
            return el("span", whole(text, cut_at=WHOLE_AT_MOST), cls="whole")
        case _:
            return Html(html.escape(clean(child), quote=True))


def whole(text: str, *, cut_at: int) -> Html:
    """Turn text into markup that may be longer than what other text is cut at."""
    return Html(html.escape(clean(text, cut_at=cut_at), quote=True))


def el(tag: str, *children: Child, **attributes: str | float | None) -> Html:
    """Make an element. ``cls`` is the class; an underscore in a name becomes a hyphen.

    An attribute that is None is left out.

    Example:
        >>> el("p", "a < b", cls="note")
        '<p class="note">a &lt; b</p>'
    """
    said = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _VOID:
        return Html(
            f"<{tag}{said}>" if tag in ("br", "hr", "wbr", "col") else f"<{tag}{said}/>"
        )
    return Html(f"<{tag}{said}>{''.join(map(markup, children))}</{tag}>")


def join(children: Iterable[Child]) -> Html:
    """Put markup side by side."""
    return Html("".join(map(markup, children)))


def sentence(phrase: Sequence[Part] | str) -> Html:
    """Turn a phrase into markup."""
    return markup(phrase) if isinstance(phrase, str) else join(phrase)


def place(where: str) -> Html:
    """Show a path that breaks after its slashes, if it has to break."""
    parts = (join([part, Html("<wbr>")]) for part in re.split(r"(?<=[/\\])", where))
    return el("code", Html(join(parts).removesuffix("<wbr>")))


def short(name: str | None) -> str | None:
    """Return the class of a cell whose name is short enough to stay on one line."""
    return "nowrap" if name and len(name) <= NAME_ON_ONE_LINE else None


def _attribute(key: str, value: str | float | None) -> str:
    if value is None:
        return ""
    name = "class" if key == "cls" else key.rstrip("_").replace("_", "-")
    said = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {name}="{html.escape(clean(said), quote=True)}"'


def table(
    caption: str,
    heads: Sequence[Head],
    rows: Iterable[Html],
    *,
    aside: Child = None,
    cls: str = "",
) -> Html:
    """Make a table in a box of its own that scrolls when it is too wide.

    Args:
        caption: What the table shows.
        heads: Column heads; a pair is the head and its class.
        rows: Finished ``tr`` elements.
        aside: Said beside the caption, more quietly.
        cls: Class of the table.
    """
    pairs = [head if isinstance(head, tuple) else (head, "") for head in heads]
    head = el("tr", *(el("th", said, scope="col", cls=kind or None) for said, kind in pairs))
    quiet = el("span", aside, cls="aside") if aside else None
    body = join(rows)
    return el(
        "div",
        el(
            "table",
            el("caption", el("span", caption, cls="h"), Html(" ") if quiet else None, quiet),
            el("thead", head),
            el("tbody", body),
            cls=f"t {cls}".strip(),
        ),
        cls="scroll",
        # A box that may scroll has to be reachable by keyboard.
        tabindex=0,
        role="group",
        aria_label=str(caption),
    )


def pairs(rows: Iterable[tuple[str, Child]], *, cls: str = "kv") -> Html:
    """Make a list of terms and what they are."""
    cells = (join((el("dt", term), el("dd", said))) for term, said in rows)
    return el("dl", *cells, cls=cls)
