"""``{name}`` in a goal becomes the value of a variable; every other brace is left alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

# One name, then attributes and whole-number or quoted-key subscripts: no calls, no operators,
# no format specifications, so JSON, LaTeX, f-strings and {} never match.
# A LaTeX command's arguments and a shell's ${name} are skipped whole.
_FIELD: Final = re.compile(
    r"\\[A-Za-z]+\*?(?:\{[^{}]*\})+|\$\{[^{}]*\}|"
    r"\{([A-Za-z_]\w*)((?:\.[A-Za-z]\w*|\[-?\d{1,9}\]|\['[^'\]]*'\]|\[\"[^\"\]]*\"\])*)\}"
)
_ESCAPED: Final = re.compile(r"\{\{([A-Za-z_][\w.\[\]'\"-]*)\}\}")
_STEP: Final = re.compile(r"\.([A-Za-z]\w*)|\[(-?\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
VALUE_AT_MOST: Final = 20_000


def interpolate(text: str, namespace: Mapping[str, Any]) -> str:
    r"""Put variables of the notebook into a goal.

    A name that the namespace does not have is left as it stands, and so are the arguments of
    LaTeX commands, as in ``\frac{a}{b}``. ``{{name}}`` is written as ``{name}``.

    Raises:
        UsageError: A variable lacks the attribute or item that the text asks for.

    Example:
        >>> interpolate("look at {name}, not {{name}} or {x: 1}", {"name": ["a"]})
        "look at ['a'], not {name} or {x: 1}"
    """

    def put(match: re.Match[str]) -> str:
        whole, name, path = match[0], match[1], match[2]
        if name is None or name not in namespace or name.startswith("__"):
            return whole
        return _as_text(_walk(namespace[name], path, whole))

    # Escapes first: a doubled pair around a name is taken literally with single braces.
    pieces = _ESCAPED.split(text)
    kept = [
        "{" + piece + "}" if index % 2 else _FIELD.sub(put, piece)
        for index, piece in enumerate(pieces)
    ]
    return "".join(kept)


def _walk(value: Any, path: str, whole: str) -> Any:
    for step in _STEP.finditer(path):
        attribute, index, single, double = step.groups()
        try:
            if attribute is not None:
                value = getattr(value, attribute)
            elif index is not None:
                value = value[int(index)]
            else:
                value = value[single if single is not None else double]
        except (AttributeError, LookupError, TypeError) as error:
            known = [each for each in dir(value) if not each.startswith("_")]
            raise UsageError(
                f"{whole} cannot be filled in: {type(value).__name__} has no {step[0]!r}.",
                hint=nearest(attribute, known) if attribute else "--no-interpolate leaves it.",
            ) from error
    return value


def _as_text(value: Any) -> str:
    text = str(value)
    if len(text) > VALUE_AT_MOST:
        return f"{text[:VALUE_AT_MOST]} … ({len(text):,} characters in all)"
    return text
