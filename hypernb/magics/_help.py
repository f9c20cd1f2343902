"""Help that is generated from the table of verbs, so that it cannot disagree with it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from hypernb.errors import UnknownNameError
from hypernb.magics._verbs import CELL_OPTIONS, VERBS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypernb.magics._line import Option


def help_text(verb: str = "") -> str:
    """Return the help of one verb, or of all.

    Raises:
        UnknownNameError: No such verb.
    """
    if not verb:
        return overview()
    if verb not in VERBS:
        raise UnknownNameError("verb", verb, VERBS, hint="%hyper help lists all verbs.")
    known = VERBS[verb]
    lines = [f"%hyper {known.name} {known.arguments}".rstrip(), f"    {known.summary}"]
    return "\n".join([*lines, *_options(known.options), *_fields(known.name)])


def overview() -> str:
    """Return the help of the cell magic and a line for each verb."""
    usages = {f"%hyper {verb.name} {verb.arguments}".rstrip(): verb for verb in VERBS.values()}
    width = max(map(len, usages))
    return "\n".join(
        [
            "%%hyper [options]",
            "    Start a mission: the cell below is the goal, taken literally;",
            "    {name} is filled in from your variables.",
            *_options(CELL_OPTIONS),
            "",
            "%hyper",
            "    Show what runs, what needs you, and what it cost.",
            "",
            *(f"{usage:<{width}}  {verb.summary}" for usage, verb in usages.items()),
            "",
            "M is a mission's id, such as m-7 or {mission.id}; where it may be left out, the",
            "newest is meant, and for resume the only one that is paused.",
        ]
    )


def _fields(verb: str) -> Iterator[str]:
    """Yield which fields an edit can name."""
    if verb != "edit":
        return
    from hypernb.session import edited_fields

    for what, names in edited_fields().items():
        said = f"Fields of {what}: {', '.join(names)}."
        yield textwrap.fill(said, 92, initial_indent="    ", subsequent_indent="        ")


def _options(options: Sequence[Option]) -> list[str]:
    names = {f"{option.name} {option.value}".rstrip(): option.help for option in options}
    width = max(map(len, names), default=0)
    return [f"    {name:<{width}}  {text}" for name, text in names.items()]
