"""Reads SQLAlchemy, SQLModel and Django models without importing them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from hypernb.abc import Tool
from hypernb.model import Finding, Severity
from hypernb.tools._reading import (
    Rules,
    Sources,
    dotted_name,
    full_name,
    imported_names,
    is_side_path,
    is_test_path,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

_COLUMNS: Final = frozenset({"Column", "mapped_column", "Field"})
_KNOWN_TYPES: Final = frozenset(
    {"Mapped", "Optional", "Union", "None", "str", "int", "float", "bool", "bytes", "list"}
    | {"dict", "set", "Any", "datetime", "date", "time", "timedelta", "Decimal", "decimal"}
    | {"UUID", "uuid", "List", "Dict", "Set", "Literal", "typing", "enum"}
)
_PLAIN_BASES: Final = frozenset(
    {"DeclarativeBase", "DeclarativeBaseNoMeta", "MappedAsDataclass", "AsyncAttrs", "object"}
    | {"Generic", "ABC", "SQLModel"}
)
_DJANGO_RELATIONS: Final = frozenset({"ForeignKey", "OneToOneField"})
# Other things that a model's body calls, none of which can be a key.
_NO_COLUMNS: Final = frozenset(
    {"relationship", "synonym", "association_proxy", "column_property", "composite", "backref"}
    | {
        "hybrid_property",
        "deferred",
        "query_expression",
        "Relationship",
        "MetaData",
        "registry",
    }
)
_SIGNS: Final = ("django.db", "sqlalchemy", "sqlmodel", "__tablename__", "db.Model")
_DEPTH: Final = 20

_rules = Rules("orm", "database")


class OrmTool(Tool):
    """Own rules for declarative models; what cannot be decided from the text is left alone."""

    name: ClassVar[str] = "orm"
    title: ClassVar[str] = "read SQLAlchemy and Django models"

    def run(self, context: ToolContext) -> ToolRun:
        """Gather the classes of all modules, then look at those that are models."""
        sources = Sources(context)
        paths = [
            path
            for path in sources.matching(".py")
            if not is_test_path(path) and not is_side_path(path)
        ]
        index = _Index()
        for path, tree in sources.trees(paths, containing=_SIGNS):
            index.add(path, tree)
        models = [found for found in index.classes if index.kind_of(found)]
        if not models:
            return sources.nothing(self.name, "There are no SQLAlchemy or Django models.")
        findings = [finding for model in models for finding in _check(model, index)]
        return sources.ran(self.name, findings, facts={"models": len(models)})


@dataclass(frozen=True, slots=True)
class _Class:
    path: str
    node: ast.ClassDef
    names: dict[str, str]

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Yield the attributes of the body that are made by a call, with the call."""
        for part in self.node.body:
            if isinstance(part, ast.Assign) and isinstance(part.value, ast.Call):
                for target in part.targets:
                    if isinstance(target, ast.Name):
                        yield target.id, part.value
            elif (
                isinstance(part, ast.AnnAssign)
                and isinstance(part.value, ast.Call)
                and isinstance(part.target, ast.Name)
            ):
                yield part.target.id, part.value

    def columns(self) -> Iterator[tuple[str, ast.Call]]:
        for name, call in self.calls():
            if _last(call.func) in _COLUMNS:
                yield name, call

    def assigned(self, name: str) -> ast.expr | None:
        for part in self.node.body:
            if isinstance(part, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in part.targets
            ):
                return part.value
        return None


class _Index:
    """All classes of a tree by name, and what is known of their bases."""

    def __init__(self) -> None:
        self.classes: list[_Class] = []
        self.module_text: dict[str, set[str]] = {}
        self._by_name: dict[str, list[_Class]] = {}
        self._declarative: set[str] = set()

    def add(self, path: str, tree: ast.Module) -> None:
        names = imported_names(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found = _Class(path, node, names)
                self.classes.append(found)
                self._by_name.setdefault(node.name, []).append(found)
            elif isinstance(node, ast.Call) and _last(node.func) == "Index":
                self.module_text.setdefault(path, set()).update(_words(node))
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                maker = _last(node.value.func)
                if maker in ("declarative_base", "automap_base", "generate_base"):
                    self._declarative |= {_last(target) for target in node.targets}

    def kind_of(self, found: _Class) -> str:
        """Say which library's model a class is; an empty string if it is none."""
        if any(
            full_name(base, found.names) == "django.db.models.Model"
            for base in found.node.bases
        ):
            return "django"
        if found.assigned("__tablename__") is not None or _is_sqlmodel_table(found):
            return "sqlalchemy"
        return ""

    def lineage(self, found: _Class) -> list[_Class] | None:
        """Return a class and all its bases; None if one of them cannot be looked into."""
        line = [found]
        for current in line:
            for base in current.node.bases:
                more = self._base(base)
                if more is None or len(line) > _DEPTH:
                    return None
                line += [each for each in more if each not in line]
        return line

    def _base(self, base: ast.expr) -> list[_Class] | None:
        name = dotted_name(base.value if isinstance(base, ast.Subscript) else base)
        last = name.rpartition(".")[2]
        if last in _PLAIN_BASES or last in self._declarative or name == "db.Model":
            return []
        known = self._by_name.get(last, [])
        return known if len(known) == 1 else None


def _is_sqlmodel_table(found: _Class) -> bool:
    is_table = any(
        keyword.arg == "table"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value
        for keyword in found.node.keywords
    )
    return is_table and "sqlmodel" in " ".join(found.names.values())


def _check(model: _Class, index: _Index) -> Iterator[Finding]:
    if index.kind_of(model) == "django":
        yield from _check_django(model)
        return
    lineage = index.lineage(model)
    if lineage is not None and not any(_may_have_key(each) for each in lineage):
        yield _rules.found(
            "model-without-key",
            Severity.HIGH,
            f"The model {model.node.name!r} has no primary key; SQLAlchemy refuses to map it.",
            model.path,
            model.node.lineno,
        )
    yield from _check_foreign_keys(model, index)


def _may_have_key(found: _Class) -> bool:
    if found.node.decorator_list or (found.node.keywords and not _is_sqlmodel_table(found)):
        return True
    for part in found.node.body:
        if isinstance(part, ast.AnnAssign) and _names_unknown_type(part):
            return True
        if isinstance(part, ast.FunctionDef) and any(
            _last(each) in ("declared_attr", "cascading", "directive")
            for each in part.decorator_list
        ):
            return True
    if any(found.assigned(name) is not None for name in ("__table__", "__mapper_args__")):
        return True
    if "PrimaryKeyConstraint" in _words(found.assigned("__table_args__")):
        return True
    return any(
        keyword.arg is None or (keyword.arg == "primary_key" and not _is_false(keyword.value))
        for _, call in found.calls()
        for keyword in call.keywords
    ) or any(_last(call.func) not in _COLUMNS | _NO_COLUMNS for _, call in found.calls())


def _names_unknown_type(part: ast.AnnAssign) -> bool:
    # Mapped[intpk]: the alias may be Annotated[int, mapped_column(primary_key=True)].
    if isinstance(part.value, ast.Call) and _last(part.value.func) in _NO_COLUMNS:
        return False
    if not isinstance(part.annotation, ast.Subscript):
        return False
    if part.value is not None:
        return False
    return not _words(part.annotation) <= _KNOWN_TYPES


def _check_foreign_keys(model: _Class, index: _Index) -> Iterator[Finding]:
    spoken_for = _words(model.assigned("__table_args__")) | index.module_text.get(
        model.path, set()
    )
    for name, call in model.columns():
        keys = [part for part in call.args if _is_foreign_key(part)]
        by_keyword = any(keyword.arg == "foreign_key" for keyword in call.keywords)
        if not keys and not by_keyword:
            continue
        settled = any(
            keyword.arg is None
            or (
                keyword.arg in ("index", "unique", "primary_key")
                and not _is_false(keyword.value)
            )
            for keyword in call.keywords
        )
        own = {part.value for part in call.args if isinstance(part, ast.Constant)}
        if settled or name in spoken_for or not spoken_for.isdisjoint(map(str, own)):
            continue
        yield _rules.found(
            "foreign-key-without-index",
            Severity.LOW,
            f"{model.node.name}.{name} refers to another table and has no index: joins and "
            "deletes there read this whole table.",
            model.path,
            call.lineno,
        )


def _is_foreign_key(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _last(node.func) == "ForeignKey"


def _check_django(model: _Class) -> Iterator[Finding]:
    for name, call in model.calls():
        kind = full_name(call.func, model.names)
        last = kind.rpartition(".")[2]
        if not kind.startswith("django.db.models") or last not in _DJANGO_RELATIONS:
            continue
        is_given = len(call.args) > 1 or any(
            keyword.arg in (None, "on_delete") for keyword in call.keywords
        )
        if not is_given and not any(isinstance(arg, ast.Starred) for arg in call.args):
            yield _rules.found(
                "missing-on-delete",
                Severity.HIGH,
                f"{model.node.name}.{name} does not say what happens when its target is "
                "deleted (on_delete); Django refuses to import it.",
                model.path,
                call.lineno,
            )


def _last(node: ast.expr) -> str:
    return dotted_name(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _words(node: ast.AST | None) -> set[str]:
    """Return every name, attribute and text below a node."""
    words: set[str] = set()
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Name):
            words.add(part.id)
        elif isinstance(part, ast.Attribute):
            words.add(part.attr)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            words.add(part.value)
    return words
