"""People's SQL on a server: it can read everything and change nothing."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import psycopg

from hypernb.errors import QueryError, nearest
from hypernb.store.postgres._failures import is_unreachable, told

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_SQL: Final = 1_000_000
_READS_ONLY: Final = "%hyper sql only reads: one statement that begins with SELECT or WITH."
# Comments and texts, which hold no code; names in double quotes stay.
_NO_CODE: Final = re.compile(
    r"""
      --[^\n]* | /\*.*?\*/
    | \bE'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*'
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_BEGINS: Final = re.compile(r"[\s(]*(select|with|values|table)\b", re.IGNORECASE)
_CALLED: Final = re.compile(r'(?:"((?:[^"]|"")+)"|([\w$]+))\s*\(')
_MISSING: Final = re.compile(r'(relation|column|function) "?([^"\s(]+)')
_TABLES: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
)
_COLUMNS: Final = (
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
)
# What PostgreSQL itself says of functions that do more than compute from their arguments and
# the tables: they read files, wait, lock, end others' work, or leave something behind.
_VOLATILE: Final = (
    "SELECT proname FROM pg_proc WHERE provolatile = 'v' AND proname = ANY(%s) ORDER BY 1"
)
_HARMLESS: Final = frozenset({"random", "clock_timestamp", "timeofday", "gen_random_uuid"})
# These run a text as SQL, in which anything can stand.
_RUN_TEXT: Final = re.compile(r"^(query|table|cursor|database|schema)_to_xml|^ts_stat$|^dblink")


def run_query(
    connection: psycopg.Connection[Any], where: str, sql: str, *, limit: int, timeout_s: float
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one statement that reads, on a connection that cannot do anything else.

    It is declared as a cursor of a read-only transaction, which takes nothing but a statement
    that reads, and sent so that the server takes no second one with it. It may call no
    function that the server calls volatile, but for a few that are harmless.

    Raises:
        QueryError: It would write, is not one statement, is wrong, or takes too long.
    """
    if len(sql) > _LONGEST_SQL:
        raise QueryError(
            f"A statement of {len(sql):,} characters is not run.", hint=_READS_ONLY
        )
    if "\x00" in sql:
        raise QueryError("A statement cannot hold a NUL character.", hint="Leave it out.")
    code = _NO_CODE.sub(" ", sql)
    if not _BEGINS.match(code):
        raise QueryError("There is no statement that reads.", hint=_READS_ONLY)
    plain = sql.strip()
    while plain.endswith(";"):
        plain = plain[:-1].rstrip()
    try:
        _refuse_doers(connection, code)
        with (
            connection.transaction(force_rollback=True),
            connection.cursor(binary=True) as cursor,
        ):
            cursor.execute(f"SET LOCAL statement_timeout = {max(1, round(timeout_s * 1000))}")
            cursor.execute("SELECT 1")  # from here on nothing can make it a writing one
            cursor.execute(f"DECLARE asked NO SCROLL CURSOR FOR {plain}".encode())
            cursor.execute(f"FETCH FORWARD {max(limit, 0)} FROM asked", binary=False)
            columns = [column.name for column in cursor.description or ()]
            rows = cursor.fetchall() if limit > 0 else []
            return columns, [tuple(map(_plain, row)) for row in rows]
    except psycopg.errors.QueryCanceled as error:
        raise QueryError(
            f"The query was stopped: it took longer than {timeout_s:g} s.",
            hint="Narrow it with WHERE or LIMIT.",
        ) from error
    except (psycopg.Error, UnicodeEncodeError) as error:
        if is_unreachable(error):
            raise told(error, where) from error
        raise _refused(error, connection) from error


def _refuse_doers(connection: psycopg.Connection[Any], code: str) -> None:
    """Refuse calls of functions that may do more than read.

    Raises:
        QueryError: There is one.
    """
    if re.search(r'\bU&"', code, re.IGNORECASE):
        raise QueryError('Names written as U&"…" are not read.', hint="Write them out.")
    called = {
        quoted.replace('""', '"') if quoted else name.lower()
        for quoted, name in _CALLED.findall(code)
    }
    found = [row[0] for row in connection.execute(_VOLATILE, (sorted(called),))]
    doers = {*found, *filter(_RUN_TEXT.search, called)} - _HARMLESS
    if doers:
        raise QueryError(f"{min(doers)}() may do more than read.", hint=_READS_ONLY)


def _plain(value: Any) -> Any:
    """Return sums and means as the numbers that they are elsewhere."""
    if isinstance(value, Decimal):
        number = float(value)
        is_whole = math.isfinite(number) and value == value.to_integral_value()
        return int(value) if is_whole else number
    return value


def _refused(error: Exception, connection: psycopg.Connection[Any]) -> QueryError:
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    hint = ""
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        missing = _MISSING.search(said)
        is_table = isinstance(error, psycopg.errors.UndefinedTable)
        known: Iterable[str] = _names(connection, _TABLES if is_table else _COLUMNS)
        hint = nearest(missing[2].rpartition(".")[2], known) if missing else ""
    elif isinstance(error, psycopg.errors.SyntaxError | psycopg.errors.ReadOnlySqlTransaction):
        hint = _READS_ONLY
    return QueryError(f"The statement is refused: {said}.", hint=hint)


def _names(connection: psycopg.Connection[Any], statement: Any) -> list[str]:
    return [row[0] for row in connection.execute(statement)]
