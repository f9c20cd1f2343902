"""People's SQL on a server: it can read everything and change nothing."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import psycopg

from hypernb.errors import QueryError, nearest
from hypernb.store.postgres._failures import told

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_SQL: Final = 1_000_000
_READS_ONLY: Final = "%hyper sql only reads: one statement that begins with SELECT or WITH."
_BEGINS: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with|values|table)\b", re.I | re.S
)
_MISSING: Final = re.compile(r'(relation|column|function) "?([^"\s(]+)')
_TABLES: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
)
_COLUMNS: Final = (
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
)
# Reading what is not the database's, and doing what outlives the transaction.
_REFUSED: Final = re.compile(
    r"\b(pg_read_\w+|pg_ls_\w+|pg_stat_file|lo_\w+|dblink\w*|pg_terminate_backend"
    r"|pg_cancel_backend|set_config|pg_sleep\w*|pg_notify|nextval|setval|pg_reload_conf"
    r"|pg_advisory\w*|pg_try_advisory\w*|query_to_xml\w*)\"?\s*\(|(U&)\"",
    re.I,
)


def run_query(
    connection: psycopg.Connection[Any], where: str, sql: str, *, limit: int, timeout_s: float
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one statement that reads, on a connection that cannot do anything else.

    It is declared as a cursor of a read-only transaction, which takes nothing but a statement
    that reads, and sent so that the server takes no second one with it.

    Raises:
        QueryError: It would write, is not one statement, is wrong, or takes too long.
    """
    if len(sql) > _LONGEST_SQL:
        raise QueryError(
            f"A statement of {len(sql):,} characters is not run.", hint=_READS_ONLY
        )
    if "\x00" in sql:
        raise QueryError("A statement cannot hold a NUL character.", hint="Leave it out.")
    plain = sql.strip().removesuffix(";")
    if not _BEGINS.match(plain):
        raise QueryError("There is no statement that reads.", hint=_READS_ONLY)
    if (found := _REFUSED.search(plain)) is not None:
        raise QueryError(f"{found[1] or found[2]} may do more than read.", hint=_READS_ONLY)
    try:
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
    except psycopg.OperationalError as error:
        raise told(error, where) from error
    except (psycopg.Error, UnicodeEncodeError) as error:
        raise _refused(error, connection) from error


def _plain(value: Any) -> Any:
    """Return sums and means as the numbers that they are elsewhere."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
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
