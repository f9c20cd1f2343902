"""Tools that a model calls: typed Python functions, with a schema of their arguments."""

from __future__ import annotations

import functools
import inspect
import json
import math
import reprlib
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypernb.abc import ToolContext
from hypernb.errors import HypernbError, ToolArgumentsError, ToolError, UsageError, nearest
from hypernb.model import RUNNER_LANE, ToolSchema
from hypernb.tools._docstring import read_docstring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic import BaseModel

    from hypernb.model import ToolRun

ANSWER_AT_MOST: Final = 20_000
"""Characters of an answer that a model is told; it is told how many more there are."""

ARGUMENTS_AT_MOST: Final = 100_000
TIMEOUT_S: Final = 60.0

_PROBLEMS_AT_MOST: Final = 20
_NAME_AT_MOST: Final = 64
_VALUE_AT_MOST: Final = 80
_WORDS_AT_MOST: Final = 500
_DIGITS_AT_MOST: Final = 20
_LEVELS_AT_MOST: Final = 100
"""What is nested deeper cannot be handed on: writers of JSON have limits of their own."""
_DEEP: Final = "They are not JSON: they are nested too deeply."


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool gives back to the model that called it.

    Attributes:
        content: JSON values only.
        run: What an analyser found, in full, for the task's report; None of other tools.
    """

    content: Any
    run: ToolRun | None = None


class FunctionTool:
    """A tool that a model can call.

    Made from a typed function: its name, the first part of its docstring, and of its
    parameters the types, defaults and ``Args``. A first parameter that is annotated as
    `hypernb.abc.ToolContext` is filled in, and no part of the schema.

    Args:
        function: Called with the arguments by their names.
        name: Letters, digits, ``-`` and ``_``; the function's own if empty.
        description: What the model is told of it; from the docstring if empty.
        lane: Where it runs: beside the agent, or in ``kernel:<id>``.
        timeout_s: How long one call may take.

    Raises:
        UsageError: It has a parameter without a type, or one that is not given by name.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str = "",
        description: str = "",
        lane: str = RUNNER_LANE,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.function = function
        self.name = name or getattr(function, "__name__", type(function).__name__)
        self.lane = lane
        self.timeout_s = timeout_s
        if not _is_name(self.name):
            raise UsageError(
                f"A tool cannot be called {self.name[:80]!r}.",
                hint="Give it a name of letters, digits, - and _: @hypernb.tool(name=...).",
            )
        said = read_docstring(inspect.getdoc(function) or "")
        self.description = description or said.text
        parameters = _parameters(self.name, function)
        self.takes_context = bool(parameters) and parameters[0].annotation is ToolContext
        self._fields = {
            each.name: each for each in (parameters[1:] if self.takes_context else parameters)
        }
        self._arguments = _model(self.name, self._fields, said.arguments)
        self._not_null = frozenset(
            each.name
            for each in self._fields.values()
            if each.default is not each.empty and not _takes_none(each.annotation)
        )

    @functools.cached_property
    def schema(self) -> ToolSchema:
        """The tool as a model is told of it."""
        return ToolSchema(
            name=self.name,
            description=self.description,
            parameters=_without_titles(self._arguments.model_json_schema()),
        )

    def check(self, arguments: str) -> dict[str, Any]:
        """Return arguments as a model wrote them as JSON values that the tool takes.

        Nulls in the place of arguments that may be left out are left out.

        Raises:
            ToolArgumentsError: They are not JSON, too large, of other types, missing, or
                unknown; each problem is named.
        """
        given = read_arguments(self.name, arguments)
        kept = {
            name: value
            for name, value in given.items()
            if value is not None or name not in self._not_null
        }
        self._validated(kept)
        return kept

    def call(self, context: ToolContext, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call the function, and return what the model is told.

        Args:
            context: What it may read; see `hypernb.abc.ToolContext`.
            arguments: As `check` has returned them.

        Raises:
            ToolArgumentsError: They do not fit.
            ToolError: The function failed, and why.
        """
        value = self.invoke(context, arguments)
        if isinstance(value, ToolAnswer):
            return ToolAnswer(bounded(value.content), value.run)
        return ToolAnswer(bounded(as_json(value)))

    def invoke(self, context: ToolContext | None, arguments: Mapping[str, Any]) -> Any:
        """Call the function, and return the object that it returns.

        Raises:
            ToolArgumentsError: They do not fit.
            ToolError: The function failed, and why.
        """
        given = self._validated(arguments)
        first = (context,) if self.takes_context else ()
        try:
            return self.function(*first, **given)
        except HypernbError:
            raise
        except Exception as error:
            raise ToolError(self.name, said_by(error)) from error

    def _validated(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        from pydantic import ValidationError

        try:
            # Strict, but as JSON: an array is a tuple, a text is a date or a member.
            read = self._arguments.model_validate_json(json.dumps(dict(arguments)))
        except ValidationError as error:
            raise ToolArgumentsError(
                self.name, list(_problems(error.errors(include_url=False), self._fields))
            ) from None
        except (ValueError, TypeError, RecursionError) as error:
            raise ToolArgumentsError(self.name, [f"They are not JSON: {error}."]) from None
        names = {_field(place): name for place, name in enumerate(self._fields)}
        return {names[field]: getattr(read, field) for field in read.model_fields_set}


def read_arguments(tool: str, arguments: str) -> dict[str, Any]:
    """Return arguments as a model wrote them, as JSON that every program takes.

    Raises:
        ToolArgumentsError: They are too large, nested too deeply, or no object of JSON.
    """
    if len(arguments) > ARGUMENTS_AT_MOST:
        size = f"{len(arguments):,} characters; {ARGUMENTS_AT_MOST:,} are the most"
        raise ToolArgumentsError(tool, [f"They have {size}."])
    try:
        given = json.loads(
            arguments.strip() or "{}",
            object_pairs_hook=_unrepeated,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_storable,
        )
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ToolArgumentsError(tool, ["They are not JSON: half a surrogate pair."]) from None
    except ValueError as error:
        raise ToolArgumentsError(tool, [f"They are not JSON: {error}."]) from None
    except RecursionError:
        raise ToolArgumentsError(tool, [_DEEP]) from None
    if _is_deep(given):
        raise ToolArgumentsError(tool, [_DEEP])
    if not isinstance(given, dict):
        raise ToolArgumentsError(tool, [f"They are {_kind(given)}, and have to be an object."])
    return given


def bounded(content: Any, limit: int = ANSWER_AT_MOST) -> Any:
    """Return an answer that is short enough; what was cut off is counted.

    Example:
        >>> bounded("a" * 12, 10).split()
        ['aaaaaaaaaa', '…', '2', 'more', 'characters.']
    """
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    if len(text) <= limit:
        return content
    return f"{text[:limit]}\n… {len(text) - limit:,} more characters."


def as_json(value: Any) -> Any:
    """Return a value with nothing in it that is not JSON; what has no form there is named."""
    from pydantic_core import PydanticSerializationError, to_json

    try:
        written = to_json(
            value, fallback=lambda each: f"<{type(each).__name__}>", inf_nan_mode="strings"
        )
        made = json.loads(written)
    except (PydanticSerializationError, ValueError, RecursionError):
        return f"<{type(value).__name__}>"
    return made


def said_by(error: BaseException) -> str:
    """Say in a sentence what failed.

    Example:
        >>> said_by(KeyError("price"))
        "it failed: KeyError: 'price'."
    """
    try:
        words = " ".join(str(error).split())
        words = (
            words.rstrip(".") if len(words) <= _WORDS_AT_MOST else f"{words[:_WORDS_AT_MOST]}…"
        )
    except Exception:  # noqa: BLE001 - the text of somebody else's exception is code as well
        words = ""
    name = type(error).__name__
    return f"it failed: {name}: {words}." if words else f"it failed: {name}."


# --- from a signature to a schema --------------------------------------------------------


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _NAME_AT_MOST and all(
        ch.isascii() and (ch.isalnum() or ch in "-_") for ch in name
    )


def _parameters(tool: str, function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function)
        hints = typing.get_type_hints(_hinted(function), include_extras=True)
    except (TypeError, ValueError, NameError, AttributeError, SyntaxError) as error:
        raise UsageError(
            f"{tool!r} cannot be a tool: its parameters cannot be read ({error}).",
            hint="Give it a function with types: def rows(city: str, most: int = 10) -> ...",
        ) from None
    found = []
    for each in signature.parameters.values():
        if each.kind in (each.POSITIONAL_ONLY, each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise UsageError(
                f"{tool!r} cannot be a tool: a model gives each argument by its name, and "
                f"{each.name!r} takes none.",
                hint="Name each parameter, without * and / before it.",
            )
        if each.name not in hints:
            raise UsageError(
                f"{tool!r} cannot be a tool: its parameter {each.name!r} has no type.",
                hint=f"Write {each.name}: str, for example.",
            )
        found.append(each.replace(annotation=hints[each.name]))
    return found


def _hinted(function: Any) -> Any:
    if isinstance(function, functools.partial):
        return _hinted(function.func)
    if inspect.isfunction(function) or inspect.ismethod(function):
        return function
    return type(function).__call__


def _field(place: int) -> str:
    # Parameters may be called as pydantic's own methods, or begin with an underscore.
    return f"argument_{place}"


def _model(
    tool: str, parameters: Mapping[str, inspect.Parameter], said: Mapping[str, str]
) -> type[BaseModel]:
    from pydantic import ConfigDict, Field, create_model

    fields: dict[str, Any] = {}
    for place, (name, each) in enumerate(parameters.items()):
        default = ... if each.default is each.empty else each.default
        about = Field(default, alias=name, description=said.get(name))
        fields[_field(place)] = (each.annotation, about)
    config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=False)
    try:
        made = create_model(f"Arguments of {tool}", __config__=config, **fields)
        made.model_json_schema()
    except Exception as error:  # noqa: BLE001 - a type's own hooks take part, and raise what they like
        raise UsageError(
            f"{tool!r} cannot be a tool: its types have no form in JSON "
            f"({' '.join(str(error).split())[:200]}).",
            hint="Take str, int, float, bool, list, dict, Literal or a pydantic model.",
        ) from None
    return made


def _takes_none(annotation: Any) -> bool:
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(annotation).validate_python(None)
    except ValidationError:
        return False
    return True


def _without_titles(schema: Any) -> Any:
    # Titles only say again what the names say, and every call of the model pays for them.
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without_titles(each) for name, each in value.items()}
        if key in ("properties", "$defs")
        else _without_titles(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }


# --- what is wrong with arguments --------------------------------------------------------


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_LEVELS_AT_MOST):
        inside = (
            each.values() if isinstance(each, dict) else each
            for each in level
            if isinstance(each, dict | list)
        )
        level = [one for many in inside for one in many]
    return bool(level)


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:_VALUE_AT_MOST]!r} is there twice")
    return read


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    if math.isfinite(number := float(text)):
        return number
    raise ValueError(f"{text[:_VALUE_AT_MOST]} is too large a number")


def _storable(text: str) -> int:
    # What databases and other programs take for a whole number has 64 bits.
    if len(text) > _DIGITS_AT_MOST or not -(2**63) <= int(text) < 2**63:
        raise ValueError(f"a number of {len(text):,} digits is too large")
    return int(text)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "a text" if isinstance(value, str) else "nothing" if value is None else "a value"


def _problems(errors: Iterable[Any], known: Mapping[str, Any]) -> Iterable[str]:
    every = list(errors)
    for error in every[:_PROBLEMS_AT_MOST]:
        where = ".".join(str(step)[:_VALUE_AT_MOST] for step in error["loc"])
        if not where:
            yield f"They are not JSON: {error['msg'][:300]}."
        elif error["type"] == "missing":
            yield f"{where!r} is missing."
        elif error["type"] == "extra_forbidden":
            near = nearest(where, known) if len(error["loc"]) == 1 else ""
            yield f"There is no {where!r}. {near}".rstrip()
        else:
            value = _shortened(error["input"])
            yield f"{where!r} cannot be {value}: {error['msg'][:300]}."
    if len(every) > _PROBLEMS_AT_MOST:
        yield f"And {len(every) - _PROBLEMS_AT_MOST:,} more."


def _shortened(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "such a number"
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = brief.maxlong = _VALUE_AT_MOST
    return brief.repr(value)
