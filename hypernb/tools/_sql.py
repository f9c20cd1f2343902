"""Parses SQL files and the SQL in Python strings, and names what is certainly dangerous."""

from __future__ import annotations

import difflib
import logging
import re
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Final

from hypernb.abc import Tool
from hypernb.errors import ToolAbsentError
from hypernb.model import Finding, Severity
from hypernb.tools._built_sql import SIGNS, Statement, statements_in
from hypernb.tools._reading import Rules, Sources, is_side_path, is_test_path, line_at, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlglot import exp

    from hypernb.abc import ToolContext
    from hypernb.model import ToolRun

# sqlglot needs about three seconds for a megabyte, and a file with an error is read once for
# each dialect.
_MAX_BYTES: Final = 500_000
_DIALECTS: Final = ("postgres", "mysql", "sqlite", "tsql")
# Where these are at home, tables have no primary keys that anyone enforces.
_FURTHER_DIALECTS: Final = ("oracle", "duckdb", "snowflake", "bigquery", "spark", "clickhouse")
_HINTS: Final = (
    ("mysql", re.compile(r"`|\bENGINE\s*=|\bAUTO_INCREMENT\b", re.IGNORECASE)),
    ("sqlite", re.compile(r"\bAUTOINCREMENT\b|^\s*PRAGMA\b", re.IGNORECASE | re.MULTILINE)),
    ("tsql", re.compile(r"^\s*GO\s*$|\[dbo\]|\bNVARCHAR\b", re.IGNORECASE | re.MULTILINE)),
)
_TEMPLATE = re.compile(r"\{\{|\{%|<%|\$\{|&&?\w+\b|%\(\w+\)s|:\w+:|@@\w+@@")
_CLIENT = re.compile(r"^\s*(DELIMITER\b|\\[a-z]|\.[a-z]+\b|@@?\w+\.sql)", re.I | re.M)
_COPY = re.compile(r"COPY\b.{0,2000}\bFROM\s+stdin\b.{0,200};\s*", re.IGNORECASE)
_BATCH_END = re.compile(r"\s*GO\s*;?\s*", re.IGNORECASE)
_ADDED_KEY = re.compile(
    r"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?([\w.\"`\[\]]+)[^;]{0,400}?"
    r"\bADD\b[^;]{0,200}?\b(?:PRIMARY\s+KEY|UNIQUE)\b",
    re.IGNORECASE,
)
_VERBS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "TRUNCATE")
_SMALL_FOLDERS = re.compile(r"(^|/)(migrations?|alembic|versions|seeds?|dumps?)/")

_rules = Rules("sql", "database")


class SqlTool(Tool):
    """sqlglot's parser and own rules, for SQL in files and in Python."""

    name: ClassVar[str] = "sql"
    title: ClassVar[str] = "parse SQL in files and in Python strings"

    def run(self, context: ToolContext) -> ToolRun:
        """Read SQL files first, then the calls in Python that take SQL."""
        try:
            import sqlglot  # noqa: F401 - absent is another answer than silent
        except ImportError:
            raise ToolAbsentError(self.name) from None
        sources = Sources(context)
        files = sources.matching(".sql")
        modules = sources.matching(".py")
        if not files and not modules:
            return sources.nothing(self.name, "There are no SQL and no Python files.")
        with _quiet():
            checker = _SqlFiles(sources, files)
            findings = list(checker.findings())
            read_files = len(sources.checked)
            in_python = 0
            for path, tree in sources.trees(modules, containing=SIGNS):
                statements = list(statements_in(tree))
                in_python += len(statements)
                findings += _check_python(path, statements)
        if not read_files and not in_python:
            return sources.nothing(
                self.name, "There is no SQL, neither in files nor in Python."
            )
        return sources.ran(
            self.name,
            findings,
            facts={"sql_files": len(files), "python_statements": in_python},
            version=f"sqlglot {version('sqlglot')}",
            settings=f"dialects {', '.join(_DIALECTS)}; then {', '.join(_FURTHER_DIALECTS)}",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    # sqlglot warns of every statement that it keeps without understanding it.
    logger = logging.getLogger("sqlglot")
    was = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was


# --- files ------------------------------------------------------------------------------


class _SqlFiles:
    """Checks SQL files together: a key may be added to a table in another file."""

    def __init__(self, sources: Sources, paths: Sequence[str]) -> None:
        self._sources = sources
        self._texts = {
            path: text
            for path in paths
            if (text := sources.text(path, limit=_MAX_BYTES)) is not None
        }
        self._keyed = {
            _bare(name) for text in self._texts.values() for name in _ADDED_KEY.findall(text)
        }

    def findings(self) -> Iterator[Finding]:
        for path in self._sources.each(list(self._texts)):
            yield from self._check(path, self._texts[path])

    def _check(self, path: str, text: str) -> Iterator[Finding]:
        if _TEMPLATE.search(text):
            self._sources.skip(path, "a template, not SQL as it is run")
            return
        readable = _readable(text)
        parsed = _parse(readable)
        if isinstance(parsed, _Refusal):
            if _CLIENT.search(text):
                self._sources.skip(path, "a script for a database client")
            elif not is_test_path(path):
                yield _rules.found(
                    "sql-parse-error",
                    Severity.MEDIUM,
                    f"No dialect reads this: {parsed.reason}",
                    path,
                    parsed.line,
                )
            return
        for statement in parsed.statements:
            yield from _check_statement(path, statement, readable)
            if parsed.dialect in _DIALECTS and not is_test_path(path):
                yield from self._check_key(path, statement)

    def _check_key(self, path: str, statement: exp.Expr) -> Iterator[Finding]:
        from sqlglot import exp

        if not isinstance(statement, exp.Create) or statement.kind != "TABLE":
            return
        table = statement.this
        if (
            not isinstance(table, exp.Schema)
            or statement.expression
            or not _is_plain(statement)
        ):
            return
        columns = [part for part in table.expressions if isinstance(part, exp.ColumnDef)]
        key_kinds = (
            exp.PrimaryKey,
            exp.PrimaryKeyColumnConstraint,
            exp.UniqueColumnConstraint,
        )
        if not columns or any(table.find_all(*key_kinds)):
            return
        name = table.this.name
        if _bare(name) in self._keyed:
            return
        yield _rules.found(
            "table-without-key",
            Severity.MEDIUM,
            f"The table {shown(name)!r} has no primary key, and no unique column either.",
            path,
            _line_of(table.this) or 1,
        )


def _is_plain(statement: exp.Create) -> bool:
    # Temporary, partitioned, inherited and virtual tables get keys elsewhere or not at all.
    properties = statement.args.get("properties")
    kinds = {type(part).__name__ for part in properties.expressions} if properties else set()
    return not any(
        word in kind
        for kind in kinds
        for word in ("Temporary", "Partition", "Inherits", "Like", "External", "Virtual")
    )


def _bare(name: str) -> str:
    return re.sub(r"[\"`\[\]]", "", name).rpartition(".")[2].lower()


def _readable(text: str) -> str:
    """Blank out what belongs to a client and not to SQL, line for line."""
    lines: list[str] = []
    is_copying = False
    for line in text.split("\n"):
        if is_copying:
            is_copying = line != "\\."
            lines.append("")
        elif line.startswith("\\"):
            lines.append("")
        elif _BATCH_END.fullmatch(line):
            lines.append(";")
        else:
            is_copying = bool(_COPY.fullmatch(line))
            lines.append(line)
    return "\n".join(lines)


class _Parsed:
    def __init__(self, dialect: str, statements: list[exp.Expr]) -> None:
        self.dialect = dialect
        self.statements = statements


class _Refusal:
    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason


def _parse(text: str) -> _Parsed | _Refusal:
    """Parse in the dialect that the text looks like, then in all others."""
    guessed = [dialect for dialect, hint in _HINTS if hint.search(text)]
    order = dict.fromkeys([*guessed, *_DIALECTS, *_FURTHER_DIALECTS])
    refusal: _Refusal | None = None
    for dialect in order:
        outcome = _parse_as(dialect, text)
        if isinstance(outcome, _Parsed):
            return outcome
        # The dialect that came furthest names the place best.
        if refusal is None or outcome.line > refusal.line:
            refusal = outcome
    return refusal or _Refusal(1, "it cannot be parsed.")


def _parse_as(dialect: str, text: str) -> _Parsed | _Refusal:
    import sqlglot
    from sqlglot import errors

    try:
        parsed = sqlglot.parse(text, read=dialect)
    except errors.ParseError as error:
        first = error.errors[0] if error.errors else {}
        near = shown(str(first.get("highlight") or ""), 40)
        reason = _in_words(str(first.get("description") or ""))
        return _Refusal(int(first.get("line") or 1), f"{reason} Near {near!r}.")
    except errors.TokenError as error:
        return _Refusal(1, shown(str(error), 120))
    except RecursionError:
        return _Refusal(1, "It is nested too deeply.")
    except Exception as error:  # noqa: BLE001 - the parser raises whatever a hostile file leads it to
        return _Refusal(1, shown(f"{type(error).__name__}: {error}", 120))
    statements = [statement for statement in parsed if statement is not None]
    for statement in statements:
        if misspelt := _misspelt(statement):
            return _Refusal(_line_of(statement) or 1, f"{misspelt!r} begins no statement.")
    return _Parsed(dialect, statements)


def _in_words(description: str) -> str:
    # The parser's sentences name its classes and dump its tokens.
    description = re.sub(r"<Token [^>]*?text: ([^,>]*)[^>]*>?", r"\1", description)
    if not description or "<class" in description:
        return "A part is missing."
    return shown(description.partition("\n")[0].rstrip("."), 120) + "."


def _misspelt(statement: exp.Expr) -> str:
    # sqlglot takes a statement that begins with an unknown word for an expression: "SELEC * x".
    from sqlglot import exp

    if not isinstance(statement, exp.Condition | exp.Alias | exp.Binary):
        return ""
    first = statement.find(exp.Identifier, exp.Var)
    word = first.name.upper() if first else ""
    close = difflib.get_close_matches(word, _VERBS, n=1, cutoff=0.8)
    return word if close and word not in _VERBS else ""


# --- rules for one statement ------------------------------------------------------------


def _check_statement(
    path: str, statement: exp.Expr, text: str, first_line: int = 1
) -> Iterator[Finding]:
    from sqlglot import exp

    if isinstance(statement, exp.Delete | exp.Update) and _is_unbounded(statement):
        verb = "DELETE" if isinstance(statement, exp.Delete) else "UPDATE"
        yield _rules.found(
            "no-where",
            _severity_of_no_where(path),
            f"This {verb} has no WHERE: it touches every row of {shown(_target(statement))!r}.",
            path,
            (_line_of(statement) or _line_of_verb(verb, text)) + first_line - 1,
        )
    if is_test_path(path) or is_side_path(path):
        return
    for select in statement.find_all(exp.Select):
        star = _bare_star(select)
        if star is not None:
            yield _rules.found(
                "select-star",
                Severity.LOW,
                "SELECT * brings whatever columns there will be; name those that are needed.",
                path,
                (_line_of(star) or _line_of(select) or 1) + first_line - 1,
            )


def _severity_of_no_where(path: str) -> Severity:
    # A migration fills a new column, a program empties its own cache; in a script that someone
    # runs by hand it is more often an accident.
    if is_test_path(path) or _SMALL_FOLDERS.search(path.lower()):
        return Severity.LOW
    return Severity.MEDIUM if path.endswith(".py") else Severity.HIGH


def _is_unbounded(statement: exp.Expr) -> bool:
    bounds = ("where", "limit", "joins", "using", "from", "from_", "tables")
    table = statement.this
    return not any(statement.args.get(bound) for bound in bounds) and not (
        table is not None and table.args.get("joins")
    )


def _target(statement: exp.Expr) -> str:
    return statement.this.name if statement.this is not None else ""


def _bare_star(select: exp.Expr) -> exp.Expr | None:
    """Return the star of a SELECT * that reads a stored table and hands the rows on."""
    from sqlglot import exp

    star = next((part for part in select.expressions if isinstance(part, exp.Star)), None)
    if star is None or select.find_ancestor(exp.Exists, exp.Subquery, exp.CTE, exp.Create):
        return None
    source = select.args.get("from_") or select.args.get("from")
    if source is None or not isinstance(source.this, exp.Table) or not source.this.name:
        return None
    named = {cte.alias.lower() for cte in select.root().find_all(exp.CTE)}
    is_function = not isinstance(source.this.this, exp.Identifier)
    return None if is_function or source.this.name.lower() in named else star


def _line_of(node: exp.Expr) -> int:
    lines = [part.meta["line"] for part in node.walk() if "line" in part.meta]
    return min(lines, default=0)


def _line_of_verb(verb: str, text: str) -> int:
    match = re.search(rf"\b{verb}\b", text, re.IGNORECASE)
    return line_at(text, match.start()) if match else 1


# --- Python -----------------------------------------------------------------------------


def _check_python(path: str, statements: Sequence[Statement]) -> Iterator[Finding]:
    is_migration = bool(_SMALL_FOLDERS.search(path.lower()))
    is_aside = is_test_path(path) or is_side_path(path) or is_migration
    for statement in statements:
        if statement.built_by:
            yield _string_built(path, statement, is_aside=is_aside)
        elif not is_aside and statement.text:
            parsed = _parse(_parameters_as_values(statement.text))
            if isinstance(parsed, _Parsed):
                for each in parsed.statements:
                    yield from _check_statement(path, each, statement.text, statement.line)


def _string_built(path: str, statement: Statement, *, is_aside: bool) -> Finding:
    if statement.is_definition:
        severity = Severity.MEDIUM
        advice = "Names cannot be parameters; quote them, or take them from a fixed list."
    else:
        severity = Severity.HIGH
        advice = "Hand values over as parameters."
    return _rules.found(
        "string-built-sql",
        Severity.LOW if is_aside else severity,
        f"This SQL is put together by {statement.built_by}: a value in it can change the "
        f"statement. {advice}",
        path,
        statement.line,
    )


def _parameters_as_values(text: str) -> str:
    return re.sub(r"%\(\w+\)s|%s", "NULL", text)
