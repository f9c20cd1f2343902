"""Parameters of a playbook: read from its function's signature, bound from words or values."""

from __future__ import annotations

import collections.abc
import inspect
import re
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from hypernb.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Kind = Literal["path", "text", "integer", "number", "flag", "names", "value"]

GIVEN: Final = ("inputs", "root")
"""Parameters that are filled by who builds the plan, not by the person who asks for it."""

_KINDS: Final[dict[Any, Kind]] = {
    Path: "path",
    str: "text",
    int: "integer",
    float: "number",
    bool: "flag",
}
_LISTS: Final = (list, tuple, collections.abc.Sequence)
_PLACEHOLDERS: Final[dict[Kind, str]] = {"integer": "N", "number": "X", "names": "A,B"}
_ON: Final = frozenset({"1", "true", "yes", "on"})
_OFF: Final = frozenset({"0", "false", "no", "off"})
_NUMBER: Final = re.compile(r"-\.?\d")


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a playbook can be told.

    Attributes:
        kind: What it holds; ``value`` is any Python value, such as a DataFrame, which
            cannot be written on a command line.
        default: What it is if nothing is said, or `REQUIRED`.
        positional: It can be given without its name.
        help: What its docstring says of it.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED
    positional: bool = False
    help: str = ""

    @property
    def is_required(self) -> bool:
        """There is no default."""
        return self.default is REQUIRED

    @property
    def flag(self) -> str:
        """How it is written on a command line: ``--no-tests``, ``--target``."""
        word = self.name.replace("_", "-")
        return f"--no-{word}" if self.kind == "flag" and self.default is True else f"--{word}"

    @property
    def usage(self) -> str:
        """How it stands in a usage line: ``[PATH]``, ``[--no-tests]``, ``--rows N``."""
        if self.kind == "flag":
            said = self.flag
        elif self.kind == "value":
            said = f"--in {self.name}"
        elif self.positional:
            said = self.name.upper()
        else:
            said = f"{self.flag} {_PLACEHOLDERS.get(self.kind, self.name.upper())}"
        return said if self.is_required else f"[{said}]"

    @property
    def meaning(self) -> str:
        """What it is for and what it is if nothing is said, as help shows it."""
        if self.kind == "flag" and self.default is True:
            return f"Do not: {self.help[:1].lower()}{self.help[1:]}" if self.help else ""
        if self.is_required or self.default in (None, False, "", (), [], Path()):
            return self.help
        return f"{self.help} By default {self.default}.".strip()

    def convert(self, value: Any, playbook: str) -> Any:
        """Turn a word, or check a value.

        Raises:
            UsageError: It is not what the parameter holds.
        """
        if self.kind == "value" or value is None or value is self.default:
            return value
        try:
            return _CONVERT[self.kind](value)
        except (TypeError, ValueError):
            raise UsageError(
                f"{self.name} of playbook {playbook} has to be {_WANTED[self.kind]}, "
                f"not {value!r:.80}."
            ) from None


def read_parameters(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Read a playbook function's signature.

    Raises:
        UsageError: A parameter has no name of its own (``*args``, ``**kwargs``).
    """
    annotations = _annotations(function)
    explained = _explained(function)
    found: list[Parameter] = []
    for name, each in inspect.signature(function).parameters.items():
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD, each.POSITIONAL_ONLY):
            raise UsageError(
                f"Playbook function {function.__qualname__} has the parameter {each}.",
                hint="Give each parameter a name, so that it can be asked for by it.",
            )
        if name in GIVEN:
            continue
        default = REQUIRED if each.default is each.empty else each.default
        kind = _kind(annotations.get(name, each.empty), default)
        positional = each.kind is each.POSITIONAL_OR_KEYWORD and kind not in ("flag", "value")
        found.append(Parameter(name, kind, default, positional, explained.get(name, "")))
    return tuple(found)


def takes(function: Callable[..., Any], name: str) -> bool:
    """Tell whether a function has a parameter of that name."""
    return name in inspect.signature(function).parameters


def bind_words(
    playbook: str, parameters: Sequence[Parameter], words: Sequence[str]
) -> dict[str, Any]:
    """Read words as a shell would hand them over: ``PATH --no-tests --rows=5``.

    Raises:
        UsageError: A word cannot be understood; near misses are named.
    """
    bound: dict[str, Any] = {}
    open_places = [each for each in parameters if each.positional]
    left = list(reversed(words))
    flags = True
    while left:
        word = left.pop()
        if flags and word == "--":
            flags = False
        elif flags and _is_flag(word):
            parameter, value = _read_flag(playbook, parameters, word, left)
            _put(playbook, bound, parameter, value)
        else:
            while open_places and open_places[0].name in bound:
                open_places.pop(0)
            if not open_places:
                raise UsageError(
                    f"Playbook {playbook} has no place for {word!r:.80}.",
                    hint=_how(playbook, parameters),
                )
            _put(playbook, bound, open_places.pop(0), word)
    return bound


def _is_flag(word: str) -> bool:
    return word.startswith("-") and len(word) > 1 and not _NUMBER.match(word)


def _read_flag(
    playbook: str, parameters: Sequence[Parameter], word: str, left: list[str]
) -> tuple[Parameter, Any]:
    name, equals, value = word.partition("=")
    known = dict(_flags(parameters))
    if name not in known:
        raise UnknownNameError("flag", name, known, hint=_how(playbook, parameters))
    parameter, meaning = known[name]
    if parameter.kind == "value":
        raise UsageError(
            f"{parameter.name} of playbook {playbook} is a Python value, not a word.",
            hint=f"Hand it in with --in {parameter.name}.",
        )
    if meaning is not None:
        stated = parameter.convert(value, playbook) if equals else True
        return parameter, stated is meaning
    if equals:
        return parameter, value
    if not left or left[-1].startswith("--"):
        raise UsageError(f"{name} of playbook {playbook} needs a value.", hint=f"{name}=…")
    return parameter, left.pop()


def _flags(
    parameters: Sequence[Parameter],
) -> Iterator[tuple[str, tuple[Parameter, bool | None]]]:
    for each in parameters:
        word = each.name.replace("_", "-")
        if each.kind == "flag":
            yield f"--no-{word}", (each, False)
        yield f"--{word}", (each, True if each.kind == "flag" else None)


def _put(playbook: str, bound: dict[str, Any], parameter: Parameter, value: Any) -> None:
    if parameter.name in bound:
        raise UsageError(
            f"{parameter.name} of playbook {playbook} is given twice: "
            f"{bound[parameter.name]!r:.80} and {value!r:.80}.",
            hint="Leave one of them out.",
        )
    bound[parameter.name] = parameter.convert(value, playbook)


def _how(playbook: str, parameters: Sequence[Parameter]) -> str:
    return " ".join(["Usage:", playbook, *(each.usage for each in parameters)]) + "."


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """Resolve each annotation by itself: one that cannot be must not hide the others."""
    written = inspect.get_annotations(function)
    return {name: _resolved(name, each, function) for name, each in written.items()}


def _resolved(name: str, annotation: Any, function: Callable[..., Any]) -> Any:
    alone = types.SimpleNamespace(__annotations__={name: annotation})
    known = {"Path": Path, "Any": Any, **getattr(function, "__globals__", {})}
    try:
        return typing.get_type_hints(alone, globalns=known)[name]
    except Exception:  # noqa: BLE001 - an annotation may be any code; it is only a hint here
        return Any


def _kind(annotation: Any, default: Any) -> Kind:
    if annotation is inspect.Parameter.empty:
        return _KINDS.get(type(default), "text" if default in (REQUIRED, None) else "value")
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [each for each in typing.get_args(annotation) if each is not type(None)]
        kinds = {_KINDS.get(each) for each in inner}
        if Path in inner and kinds <= {"path", "text"}:
            return "path"
        return _kind(inner[0], default) if len(inner) == 1 else "value"
    if str in typing.get_args(annotation) and typing.get_origin(annotation) in _LISTS:
        return "names"
    return _KINDS.get(annotation, "value")


def _explained(function: Callable[..., Any]) -> dict[str, str]:
    """Read the ``Args`` section of a Google docstring."""
    _, _, section = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    said: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        start = re.match(r" {2,4}(\w+)(?: \([^)]*\))?: (.*)", line)
        if start:
            name = start[1]
            said[name] = start[2].strip()
        elif name and line.strip():
            said[name] += f" {line.strip()}"
    return said


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _as_path(value: Any) -> Path:
    path = Path(value)
    if "\0" in str(path) or not str(value):
        raise ValueError
    return path


def _as_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value)


def _as_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _as_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = _as_text(value).lower()
    if word not in _ON | _OFF:
        raise ValueError
    return word in _ON


def _as_names(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(name for part in parts if (name := _as_text(part).strip()))


_CONVERT: Final[dict[Kind, Callable[[Any], Any]]] = {
    "path": _as_path,
    "text": _as_text,
    "integer": _as_integer,
    "number": _as_number,
    "flag": _as_flag,
    "names": _as_names,
}
_WANTED: Final[dict[Kind, str]] = {
    "path": "a path",
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "flag": "yes or no",
    "names": "names, separated by commas",
}
