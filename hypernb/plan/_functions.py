"""How Python functions are sent to workers: their bytes, their text, and what they take."""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import linecache
import site
import sys
import sysconfig
import textwrap
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from hypernb import codec
from hypernb.errors import PlanProblemsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from types import ModuleType

    from hypernb.abc import Payload

SOURCE_AT_MOST: Final = 20_000

_KEYWORDS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# cloudpickle's register of modules to pickle by value belongs to the whole process.
_REGISTER: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class ShippedFunction:
    """A function as it was when it was first handed over.

    Attributes:
        function: It, or the agent. Kept alive, so that no other gets its identity.
        label: Its qualified name.
        source: Its source text, cut; empty if there is none.
        signature: None where Python does not know it, as for ``dict``.
    """

    function: Callable[..., Any]
    payload: Payload
    label: str
    source: str
    signature: inspect.Signature | None


def ship(function: Any, *, task: str, what: str = "") -> ShippedFunction:
    """Make a function, or the object of an agent, ready for another process.

    A function that a fresh interpreter can import is sent by its name, so that its classes
    stay the same classes in every session; any other (a notebook's, a lambda, one of a module
    made by hand) is sent with its code.

    Args:
        task: For errors.
        what: What it is, for errors, where it is no function.

    Raises:
        CannotShipError: It holds something that lives only in this process.
    """
    what = what or f"the function of task {task!r}"
    inner = _innermost(function)
    module = sys.modules.get(getattr(inner, "__module__", None) or "")
    if module is None or module.__name__ == "__main__" or is_importable(module):
        payload = codec.encode(function, what=what)
    else:
        payload = _with_code(function, module, what)
    return ShippedFunction(
        function, payload, _label(inner), _source(inner), _signature(function)
    )


def source_of_class(cls: type) -> str:
    """Return the source text of a class, cut; empty if there is none.

    Of a class in a cell, too: `inspect` asks a class for the file of its module, which a
    notebook's does not have, and a function for its own.
    """
    if found := _source(cls):
        return found
    for function in filter(inspect.isfunction, vars(cls).values()):
        place = function.__code__
        lines = linecache.getlines(place.co_filename)
        with contextlib.suppress(SyntaxError, ValueError):
            for node in ast.walk(ast.parse("".join(lines))):
                if _is_around(node, cls, place.co_firstlineno):
                    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                    return _cut(textwrap.dedent("".join(lines[first - 1 : node.end_lineno])))
    return ""


def _is_around(node: ast.AST, cls: type, line: int) -> TypeGuard[ast.ClassDef]:
    return (
        isinstance(node, ast.ClassDef)
        and node.name == cls.__name__
        and node.lineno <= line <= (node.end_lineno or 0)
    )


def takes(
    shipped: ShippedFunction,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    arriving: Collection[str],
) -> tuple[str, ...] | None:
    """Return the keyword names that a call with these arguments leaves open.

    Args:
        shipped: The function.
        args: Its positional arguments; they win over what arrives.
        kwargs: Its keyword arguments; they too.
        arriving: Names under which outputs of needs and inputs of the plan will arrive.

    Returns:
        The names, or None if it takes any.

    Raises:
        PlanProblemsError: It cannot be called so, or something it requires comes from nowhere.
    """
    if shipped.signature is None:
        return ()
    try:
        given = shipped.signature.bind_partial(*args, **kwargs).arguments
    except TypeError as error:
        raise PlanProblemsError([f"{shipped.label}() cannot be called so: {error}."]) from None
    parameters = shipped.signature.parameters.values()
    free = [
        each for each in parameters if each.name not in given and each.kind not in _VARIADIC
    ]
    for each in free:
        arrives = each.kind in _KEYWORDS and each.name in arriving
        if each.default is each.empty and not arrives:
            raise PlanProblemsError([_lack(shipped.label, each, arriving)])
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        taken = {*given, *kwargs}
        clash = not taken.isdisjoint(arriving)
        return tuple(name for name in arriving if name not in taken) if clash else None
    return tuple(each.name for each in free if each.kind in _KEYWORDS)


def _lack(label: str, parameter: inspect.Parameter, arriving: Collection[str]) -> str:
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        return (
            f"{label}() requires {parameter.name!r} by position. "
            "Hand it over as an argument; outputs of tasks arrive by name."
        )
    what_arrives = ", ".join(repr(name) for name in list(arriving)[:10]) or "nothing"
    return (
        f"{label}() requires {parameter.name!r}, and what arrives is {what_arrives}. "
        "Hand it over as an argument, need the task of that name, or give it a default."
    )


def import_paths() -> tuple[str, ...]:
    """Return the directories of ``sys.path`` that are not the interpreter's own, absolute."""
    own = _own_paths()
    paths = (Path(entry).absolute() for entry in sys.path)
    outside = (
        path for path in paths if own.isdisjoint({path, *path.parents}) and path.is_dir()
    )
    return tuple(dict.fromkeys(map(str, outside)))


@functools.cache
def _own_paths() -> frozenset[Path]:
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    entries = [sysconfig.get_path(name) for name in names]
    entries += [sysconfig.get_path(name, vars=base) for name in names]
    entries += [*site.getsitepackages(), site.getusersitepackages()]
    return frozenset(Path(entry).absolute() for entry in entries)


def is_importable(module: ModuleType) -> bool:
    """Tell whether an interpreter with the same ``sys.path`` finds the module by its name."""
    if module.__name__ in sys.builtin_module_names:
        return True
    spec = module.__spec__
    if spec is not None and spec.origin in ("built-in", "frozen"):
        return True
    file = getattr(module, "__file__", None)
    if not file:
        return False
    parts = module.__name__.split(".")
    place = Path(file).absolute()
    if place.stem == "__init__" and parts[-1] != "__init__":
        place = place.parent
    if [*place.parts[-len(parts) : -1], place.name.split(".")[0]] != parts:
        return False
    return place.parents[len(parts) - 1] in {Path(entry).absolute() for entry in sys.path}


def _with_code(function: Callable[..., Any], module: ModuleType, what: str) -> Payload:
    import cloudpickle

    with _REGISTER:
        if module.__name__ in cloudpickle.list_registry_pickle_by_value():
            return codec.encode(function, what=what)
        cloudpickle.register_pickle_by_value(module)
        try:
            return codec.encode(function, what=what)
        finally:
            cloudpickle.unregister_pickle_by_value(module)


def _innermost(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.ismethod(function):
        function = function.__func__
    return function if hasattr(function, "__qualname__") else type(function)


def _label(inner: Any) -> str:
    return str(inner.__qualname__)


def _source(inner: Any) -> str:
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(inner)))
    except (OSError, TypeError, ValueError):
        return ""
    return _cut(source)


def _cut(source: str) -> str:
    if len(source) <= SOURCE_AT_MOST:
        return source
    return f"{source[:SOURCE_AT_MOST]}\n… {len(source) - SOURCE_AT_MOST:,} more characters\n"


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None
