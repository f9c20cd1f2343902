"""How much of a variable a model may see, as a person writes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UnknownNameError, UsageError
from hypernb.model import Grant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROWS_AT_MOST: Final = 1_000
_SAMPLE: Final = re.compile(r"sample(?::(\d{1,4}))?")


def grants(see: Mapping[str, str], inputs: Mapping[str, Any]) -> dict[str, Grant]:
    """Return what may be seen of inputs; secrets in it are covered up.

    Raises:
        UnknownNameError: There is no such input.
        UsageError: It cannot be said so.

    Example:
        >>> grants({"df": "sample:3"}, {"df": 1})["df"].rows
        3
    """
    for name in see:
        if name not in inputs:
            raise UnknownNameError("variable that is handed in", name, inputs)
    return {name: _grant(name, said) for name, said in see.items()}


def _grant(name: str, said: str) -> Grant:
    if said == "schema":
        return Grant(see="schema", rows=0)
    if said == "all":
        return Grant(see="all")
    match = _SAMPLE.fullmatch(said)
    if match is None or int(match[1] or 0) > _ROWS_AT_MOST:
        raise UsageError(
            f"A model cannot see {said[:80]!r} of {name!r}.",
            hint=f"Write {name}=schema, {name}=sample, {name}=sample:10 (at most "
            f"{_ROWS_AT_MOST:,}) or {name}=all.",
        )
    return Grant() if match[1] is None else Grant(rows=int(match[1]))


def refuse_with_playbook(
    playbook: str, *, model: str, see: Mapping[str, str] | None, tools: Sequence[str]
) -> None:
    """Refuse what a playbook says itself.

    Raises:
        UsageError: Something was asked for that has no meaning with a playbook.
    """
    given = {"model": model, "see": see, "tools": tools}
    for name, value in given.items():
        if value:
            raise UsageError(
                f"The playbook {playbook!r} says itself what its tasks use, so {name} has no "
                "meaning with it.",
                hint="Leave it out, or write a goal instead of the playbook.",
            )
