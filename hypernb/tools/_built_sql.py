"""Finds the SQL that Python code hands to a database, and how its text comes about."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb.tools._reading import full_name, imported_names

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNS: Final = ("execute", "read_sql", "sqlalchemy", "exec_driver_sql")
"""One of these is in every module that hands SQL to a database."""

_METHODS: Final = frozenset({"execute", "executemany", "executescript", "exec_driver_sql"})
_BEGINS = re.compile(
    r"\s*(--[^\n]*\n\s*)*(SELECT\s|INSERT\s+(INTO|OR)\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|"
    r"CREATE\s|ALTER\s|DROP\s|TRUNCATE\s|REPLACE\s+INTO\s|MERGE\s|WITH\s)",
    re.IGNORECASE,
)
_BEGINS_OPEN = re.compile(
    r"\s*(--[^\n]*\n\s*)*(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|CREATE\s+\w+|ALTER\s+TABLE|"
    r"DROP\s+\w+|TRUNCATE|REPLACE\s+INTO)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(r"\s*(--[^\n]*\n\s*)*(CREATE|ALTER|DROP|TRUNCATE)\b", re.IGNORECASE)
_CONSTANT_NAME = re.compile(r"_*[A-Z][A-Z0-9_]*")
_TEXTS: Final[tuple[type[ast.expr], ...]] = (ast.Constant, ast.List, ast.Tuple)
_SAFE_CALLS: Final = frozenset({"int", "float", "len", "bool", "round", "abs"})
_DEPTH: Final = 4
_QUOTERS = re.compile(r"quote|escape|identifier|sanitiz|placeholder|param", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL that is handed to a database.

    Attributes:
        text: The SQL, if it is a constant; else empty.
        built_by: How it is put together from parts that may change it; else empty.
        is_definition: It defines tables or users, and takes no parameters.
    """

    line: int
    text: str = ""
    built_by: str = ""
    is_definition: bool = False


def statements_in(tree: ast.Module) -> Iterator[Statement]:
    """Yield each statement of a module once, where its text is written."""
    names = imported_names(tree)
    scopes = _Scopes(tree)
    seen: set[int] = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if not call.args or not _takes_sql(call, names):
            continue
        text = scopes.value_of(call.args[0], call)
        if id(text) in seen or _is_text_call(text, names):
            continue
        seen.add(id(text))
        statement = _statement(text, scopes)
        if statement is not None:
            yield statement


def _takes_sql(call: ast.Call, names: dict[str, str]) -> bool:
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in _METHODS:
        return True
    return _is_text_call(call, names) or full_name(function, names).startswith(
        "pandas.read_sql"
    )


def _is_text_call(node: ast.expr, names: dict[str, str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = full_name(node.func, names)
    return name.startswith("sqlalchemy.") and name.endswith(".text")


def _statement(text: ast.expr, scopes: _Scopes) -> Statement | None:
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        return Statement(text.lineno, text=text.value) if _BEGINS.match(text.value) else None
    parts = _parts(text)
    if parts is None:
        return None
    how, begin, changing = parts
    if not _BEGINS_OPEN.match(begin):
        return None
    risky = [part for part in changing if not scopes.is_harmless(part)]
    if not risky:
        return Statement(text.lineno)
    return Statement(text.lineno, built_by=how, is_definition=bool(_DEFINES.match(begin)))


def _parts(text: ast.expr) -> tuple[str, str, list[ast.expr]] | None:
    """Return how a text is built, how it begins, and the parts that are put in."""
    if isinstance(text, ast.JoinedStr):
        return _f_string(text)
    if isinstance(text, ast.BinOp) and isinstance(text.op, ast.Mod):
        begin = _constant(text.left)
        values = text.right.elts if isinstance(text.right, ast.Tuple) else [text.right]
        return None if begin is None else ("the % operator", begin, list(values))
    if isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add):
        return _sum(text)
    if (
        isinstance(text, ast.Call)
        and isinstance(text.func, ast.Attribute)
        and text.func.attr == "format"
    ):
        begin = _constant(text.func.value)
        values = [*text.args, *(keyword.value for keyword in text.keywords)]
        return None if begin is None else ("str.format", begin, values)
    return None


def _f_string(text: ast.JoinedStr) -> tuple[str, str, list[ast.expr]]:
    first = text.values[0] if text.values else None
    begin = _constant(first) if first is not None else None
    changing = [
        value.value
        for value in text.values
        if isinstance(value, ast.FormattedValue) and not _is_number_format(value)
    ]
    return "an f-string", begin or "", changing


def _is_number_format(value: ast.FormattedValue) -> bool:
    spec = value.format_spec
    shown = _constant(spec.values[0]) if isinstance(spec, ast.JoinedStr) and spec.values else ""
    return bool(shown) and str(shown)[-1] in "defgxb"


def _sum(text: ast.BinOp) -> tuple[str, str, list[ast.expr]] | None:
    terms: list[ast.expr] = []
    node: ast.expr = text
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        terms.append(node.right)
        node = node.left
    terms.append(node)
    terms.reverse()
    begin, changing = "", []
    for position, term in enumerate(terms):
        if isinstance(term, ast.JoinedStr):
            _, head, inner = _f_string(term)
            begin = begin or (head if position == 0 else "")
            changing += inner
        elif (constant := _constant(term)) is not None:
            begin = constant if position == 0 else begin
        else:
            changing.append(term)
    return ("the + operator", begin, changing) if begin else None


def _constant(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


class _Scopes:
    """Which names of a function or module are assigned exactly once, and what they are then."""

    def __init__(self, tree: ast.Module) -> None:
        self._owner: dict[int, ast.AST] = {}
        self._assigned: dict[int, dict[str, list[ast.expr | None]]] = {}
        self._module = tree
        stack: list[tuple[ast.AST, ast.AST]] = [(tree, tree)]
        while stack:
            node, scope = stack.pop()
            self._owner[id(node)] = scope
            self._note(node, scope)
            inner = scope
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inner = node
            stack += [(child, inner) for child in ast.iter_child_nodes(node)]

    def value_of(self, node: ast.expr, at: ast.AST) -> ast.expr:
        """Return what a name stands for where it is assigned once; anything else as it is."""
        if not isinstance(node, ast.Name):
            return node
        scope = self._owner[id(at)]
        values = self._assigned.get(id(scope), {}).get(node.id)
        if values is None and scope is not self._module:
            values = self._assigned.get(id(self._module), {}).get(node.id)
        if values is not None and len(values) == 1 and values[0] is not None:
            return values[0]
        return node

    def is_harmless(self, node: ast.expr, depth: int = 0) -> bool:
        """Tell whether a part is certainly no foreign text: constants, numbers, their sums."""
        node = self.value_of(node, node) if id(node) in self._owner else node
        if isinstance(node, ast.Constant | ast.Compare):
            return True
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            return bool(_CONSTANT_NAME.fullmatch(name) or _QUOTERS.search(name))
        if depth > _DEPTH:
            return False
        if isinstance(node, ast.Call):
            return self._is_harmless_call(node, depth + 1)
        parts = _operands(node)
        return bool(parts) and all(self.is_harmless(part, depth + 1) for part in parts)

    def _is_harmless_call(self, call: ast.Call, depth: int) -> bool:
        function = call.func
        if isinstance(function, ast.Name):
            return function.id in _SAFE_CALLS or bool(_QUOTERS.search(function.id))
        if not isinstance(function, ast.Attribute):
            return False
        if function.attr == "join" and _constant(function.value) is not None and call.args:
            return self.is_harmless(call.args[0], depth)
        return bool(_QUOTERS.search(function.attr))

    def _note(self, node: ast.AST, scope: ast.AST) -> None:
        known = self._assigned.setdefault(id(scope), {})
        if isinstance(node, ast.arg):
            known.setdefault(node.arg, []).append(None)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                _bind(known, target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            _bind(known, node.target, node.value)
        elif isinstance(node, ast.AugAssign):
            _bind(known, node.target, None)
            _bind(known, node.target, None)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            one = _one_of(node.iter)
            for name in ast.walk(node.target):
                if isinstance(name, ast.Name):
                    _bind(known, name, one)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            _bind(known, node.optional_vars, None)


def _bind(
    known: dict[str, list[ast.expr | None]], target: ast.expr, value: ast.expr | None
) -> None:
    for name in ast.walk(target):
        if isinstance(name, ast.Name):
            known.setdefault(name.id, []).append(value if name is target else None)


def _one_of(iterated: ast.expr) -> ast.expr | None:
    """Return something that stands for every element of what is iterated over."""
    if isinstance(iterated, ast.Call):
        inner = iterated.func.value if isinstance(iterated.func, ast.Attribute) else None
        return _one_of(inner or (iterated.args[0] if iterated.args else iterated.func))
    if isinstance(iterated, ast.Name) and _CONSTANT_NAME.fullmatch(iterated.id):
        return iterated
    if isinstance(iterated, ast.Tuple | ast.List | ast.Set) and all(
        isinstance(part, ast.Constant) for part in iterated.elts
    ):
        return iterated.elts[0] if iterated.elts else None
    return None


def _operands(node: ast.expr) -> list[ast.expr]:  # noqa: PLR0911 - one answer for each kind
    """Return the parts that a text or list is made of; nothing if it is not made of parts."""
    match node:
        case ast.BinOp(op=ast.Mult()):
            # "?, " * n: only one of the two can be a text.
            sides = (node.left, node.right)
            return [side for side in sides if isinstance(side, _TEXTS)][:1]
        case ast.BinOp():
            return [node.left, node.right]
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.List() | ast.Tuple() | ast.Set():
            return node.elts
        case ast.JoinedStr():
            return [
                part.value if isinstance(part, ast.FormattedValue) else part
                for part in node.values
            ]
        case ast.GeneratorExp() | ast.ListComp():
            return [node.elt]
        case _:
            return []
