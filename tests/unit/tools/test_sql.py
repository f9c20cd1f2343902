from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.model import RunStatus, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

CLEAN_SQL = """-- Users and what they wrote.
CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE likes (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE keyed_later (id integer);
ALTER TABLE ONLY public.keyed_later ADD CONSTRAINT pk PRIMARY KEY (id);
CREATE TEMP TABLE scratch (id integer);
SELECT id, count(*) FROM users WHERE EXISTS (SELECT * FROM likes) GROUP BY id;
WITH w AS (SELECT id FROM users) SELECT * FROM w;
UPDATE users SET name = 'x' WHERE id = 1;
DELETE FROM users USING likes WHERE likes.a = users.id;
"""
CLEAN_PYTHON = """
from sqlalchemy import text
TABLE = "users"
def read(cursor, name, ids):
    cursor.execute("SELECT id FROM users WHERE name = %s", (name,))
    cursor.execute(f"SELECT id FROM {TABLE} LIMIT {int(name)}")
    marks = ", ".join("?" * len(ids))
    cursor.execute(f"SELECT id FROM users WHERE id IN ({marks})", ids)
    for table in ("a", "b"):
        cursor.execute(f"SELECT count(id) FROM {table}")
    cursor.execute(text("SELECT id FROM users"))
    pool.execute(f"ls {name}")
"""


def found(run: ToolRun) -> list[tuple[str, str]]:
    return [(finding.where, finding.rule) for finding in run.findings]


def test_clean_sql_has_no_findings(ran: Ran) -> None:
    run = ran("sql", {"a.sql": CLEAN_SQL, "b.py": CLEAN_PYTHON})

    assert run.findings == ()
    assert run.facts["skipped_files"] == 0
    assert run.status is RunStatus.RAN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("\n\nSELECT * FROM t;", [("a.sql:3", "select-star")], id="star"),
        pytest.param("\nDELETE FROM t;", [("a.sql:2", "no-where")], id="delete"),
        pytest.param("UPDATE t SET a = 1;", [("a.sql:1", "no-where")], id="update"),
        pytest.param(
            "\nCREATE TABLE t (a int);", [("a.sql:2", "table-without-key")], id="no-key"
        ),
        pytest.param("SELECT FROM WHERE", [("a.sql:1", "sql-parse-error")], id="no-sql"),
        pytest.param("SELEC 1", [("a.sql:1", "sql-parse-error")], id="misspelt"),
        pytest.param("CREATE TABLE `t` (`a` int AUTO_INCREMENT PRIMARY KEY);", [], id="mysql"),
        pytest.param("CREATE TABLE [t] ([a] INT PRIMARY KEY)\nGO\n", [], id="tsql"),
        pytest.param("PRAGMA foreign_keys = ON;", [], id="sqlite"),
        pytest.param("\\connect x\nCOPY t FROM stdin;\n1\t!!\n\\.\n", [], id="psql-dump"),
        pytest.param("SELECT {{ columns }} FROM {{ ref('x') }}", [], id="template"),
        pytest.param("DELIMITER //\nCREATE PROCEDURE p() BEGIN // ", [], id="client-script"),
    ],
)
def test_statement_of_a_file_is_judged(
    ran: Ran, text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(ran("sql", {"a.sql": text})) == expected


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param("f\"SELECT a FROM t WHERE n = '{name}'\"", id="f-string"),
        pytest.param("\"SELECT a FROM t WHERE n = '%s'\" % name", id="percent"),
        pytest.param('"SELECT a FROM t WHERE n = " + name', id="plus"),
        pytest.param('"SELECT a FROM t WHERE n = {}".format(name)', id="format"),
        pytest.param('text(f"DELETE FROM t WHERE n = {name}")', id="text"),
        pytest.param("query", id="by-a-variable"),
    ],
)
def test_string_built_sql_is_found_once(ran: Ran, argument: str) -> None:
    code = (
        "from sqlalchemy import text\ndef f(cursor, name):\n"
        '    query = f"SELECT a FROM t WHERE n = {name}"\n'
        "    cursor.execute(ARGUMENT)\n"
    ).replace("ARGUMENT", argument)

    run = ran("sql", {"a.py": code})

    assert [(each.rule, each.severity) for each in run.findings] == [
        ("string-built-sql", Severity.HIGH)
    ]


def test_string_built_sql_weighs_less_in_tests(ran: Ran) -> None:
    run = ran("sql", {"tests/test_a.py": "def f(c, n):\n    c.execute(f'SELECT {n} FROM t')\n"})

    assert [each.severity for each in run.findings] == [Severity.LOW]


def test_constant_in_python_is_parsed(ran: Ran) -> None:
    code = 'def f(c):\n c.execute("SELECT * FROM t")\n c.execute("""\n DELETE FROM t""")\n'

    assert found(ran("sql", {"a.py": code})) == [
        ("a.py:2", "select-star"),
        ("a.py:4", "no-where"),
    ]


def test_parser_warnings_stay_silent(ran: Ran, caplog: pytest.LogCaptureFixture) -> None:
    ran("sql", {"a.sql": "EXEC something;"})

    assert caplog.records == []


def test_tree_without_sql_has_nothing_to_check(ran: Ran) -> None:
    assert ran("sql", {"a.py": "x = 1\n"}).status is RunStatus.NOTHING_TO_CHECK


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bytes(range(256)), id="binary"),
        pytest.param(b"SELECT " + b"(" * 20_000, id="deep-nesting"),
        pytest.param(b"x" * 5_000_000, id="five-megabyte-line"),
        pytest.param(b"COPY t FROM stdin;\n" * 5_000, id="copies-that-never-end"),
        pytest.param(b"SELECT '" + b"\xe9\xff", id="no-encoding"),
        pytest.param(b"", id="empty"),
    ],
)
def test_hostile_sql_never_ends_it(ran: Ran, content: bytes) -> None:
    run = ran("sql", {"bad.sql": content, "good.sql": CLEAN_SQL, "bad.py": b"(" * 5_000})

    assert run.status is RunStatus.RAN
    assert [each for each in run.findings if each.file == "good.sql"] == []
