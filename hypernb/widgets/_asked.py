"""What comes from a view, taken for what it is: words from outside, of any shape and size."""

from __future__ import annotations

import inspect
import logging
import math
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Facts = dict[str, Any]

_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 100_000
_MOST_SIGNS: Final = 5_000_000
_MOST_VALUES: Final = 500_000
_DEEPEST: Final = 60
_LARGEST_NUMBER: Final = 2**53
"""Beyond it, JavaScript's numbers and databases' are not the same."""
_AGAIN: Final = "Reload the page, and try again."

_log = logging.getLogger(__name__)


def is_message(message: Any) -> bool:
    """Tell whether a comm's message is one that ipywidgets can take."""
    if not isinstance(message, dict) or "buffers" not in message:
        return False
    content = message.get("content")
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict) or data.get("buffer_paths"):
        return False
    method = data.get("method")
    return method in ("custom", "request_state") or (
        method == "update" and isinstance(data.get("state", {}), dict)
    )


def taken(message: object) -> Facts | None:
    """Return what a view has said, with nothing in it but what is known; None for the rest.

    A question keeps its arguments as they are: `require_sane` and `require_fitting` are for
    those, because somebody waits for an answer.
    """
    found = _known(message) if isinstance(message, dict) else None
    if found is None:
        _log.warning("A message of a view is ignored: it has another shape.")
    return found


def _known(message: Mapping[Any, Any]) -> Facts | None:
    number = {name: message.get(name) for name in ("after", "n")}
    number = {name: each if _is_number(each) else None for name, each in number.items()}
    match message.get("type"):
        case "hello":
            return {"type": "hello", "front_end": _name(message.get("front_end"))}
        case "sync":
            of = _name(message.get("mission"))
            return {"type": "sync", "after": number["after"], "mission": of}
        case "ack" if number["n"] is not None:
            return {"type": "ack", "n": number["n"]}
        case "ask" if _is_id(message.get("id")):
            # One without could not be answered, so it is not done either.
            verb, args = _name(message.get("verb")), message.get("args")
            return {"type": "ask", "id": message["id"], "verb": verb, "args": args}
        case _:
            return None


def _name(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return value[:_LONGEST_NAME].encode("utf-8", "replace").decode("utf-8")


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _LONGEST_NAME and value.isascii() and value.isprintable()
    return _is_number(value)


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) <= _LARGEST_NUMBER


def require_sane(args: object) -> Facts:
    """Return the arguments of a question, if anything could be done with such.

    Raises:
        UsageError: They are no object, or too deep or large, or have signs that are none.
    """
    if args is None:
        return {}
    if not isinstance(args, dict):
        raise UsageError("Arguments of a question have names.", hint=_AGAIN)
    signs = 0
    rest: list[tuple[object, int]] = [(args, 0)]
    for seen in range(_MOST_VALUES):
        if not rest:
            return args
        value, depth = rest.pop()
        rest += [(each, depth + 1) for each in _inside(value)]
        signs += _require_value(value)
        if depth > _DEEPEST or signs > _MOST_SIGNS or len(rest) + seen > _MOST_VALUES:
            break
    raise UsageError("That is too much for one question.", hint="Ask for a part of it.")


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return chain(value.keys(), value.values())
    return value if isinstance(value, list | tuple) else ()


def _require_value(value: object) -> int:
    """Return how many characters a value has; raise UsageError if there is no such in JSON."""
    if isinstance(value, str):
        return _require_text(value)
    if isinstance(value, float | int):
        _require_number(value)
    elif value is not None and not isinstance(value, dict | list | tuple):
        raise UsageError("There is something that is no value.", hint=_AGAIN)
    return 0


def _require_text(value: str) -> int:
    if len(value) > _LONGEST_TEXT:
        raise UsageError(
            f"A text has at most {_LONGEST_TEXT:,} characters, not {len(value):,}.",
            hint="Shorten it.",
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError("A text has half a character in it.", hint="Write it anew.") from None
    if "\x00" in value:
        raise UsageError("A text cannot hold a NUL character.", hint="Leave it out.")
    return len(value)


def _require_number(value: float) -> None:
    # A float may be as large as it likes, a whole number has to fit into a database.
    is_whole = isinstance(value, int)
    if abs(value) > _LARGEST_NUMBER if is_whole else not math.isfinite(value):
        raise UsageError("A number is too large.", hint=_AGAIN)


def require_fitting(verb: str, function: Callable[..., Any], args: Facts) -> None:
    """Make sure that a function takes arguments of these names and types.

    Raises:
        UsageError: It does not.
    """
    signature = inspect.signature(function)
    try:
        signature.bind(None, **args)
    except TypeError as error:
        raise UsageError(f"{verb} cannot be asked for like that: {error}.") from None
    for name, value in args.items():
        wanted = str(signature.parameters[name].annotation)
        if not any(TYPES[each](value) for each in wanted.split(" | ")):
            raise UsageError(
                f"{verb} cannot be asked for like that: {name} is no {wanted}.", hint=_AGAIN
            )


def _is_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "int": _is_number,
    "float": _is_amount,
    "None": lambda value: value is None,
    "Sequence[str]": _is_texts,
    "Mapping[str, Any]": lambda value: isinstance(value, dict),
}
"""Types of arguments, as the functions of verbs write them."""
