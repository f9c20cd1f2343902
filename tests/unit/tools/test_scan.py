"""The scan counts what is there, and finds reminders in comments only."""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypernb.model import RunStatus
from hypernb.tools._comments import python_reminders, reminders

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypernb.model import ToolRun

    Ran = Callable[..., ToolRun]

DOCUMENTS = {
    "README.md": "# Hello\n",
    "LICENSE": "Permission is hereby granted, free of charge",
}


def todos(run: ToolRun) -> list[tuple[str, int, str]]:
    return [(f.file, f.line, f.rule) for f in run.findings if f.category == "todo"]


def test_strings_hold_no_reminders(ran: Ran) -> None:
    code = 'x = "# TODO no"\n"""\nFIXME no\n"""\ny = 1  # TODO: yes\n# a HACK, and XXX\n'
    run = ran("scan", {"a.py": code})
    assert todos(run) == [("a.py", 5, "TODO"), ("a.py", 6, "HACK")]


def test_words_must_be_whole(ran: Ran) -> None:
    run = ran("scan", {"a.py": "# TODOS, MY_TODO, todo, HACKY, XXXX\n# (TODO)\n"})
    assert todos(run) == [("a.py", 2, "TODO")]


def test_todo_weighs_less_than_fixme(ran: Ran) -> None:
    run = ran("scan", {**DOCUMENTS, "a.py": "# TODO\n# FIXME\n# XXX\n# HACK\n"})
    assert [f.severity.value for f in run.findings] == ["low", "medium", "medium", "medium"]


def test_file_that_stops_the_tokenizer_is_named(ran: Ran) -> None:
    run = ran("scan", {"a.py": "# TODO before\nx = (\n", "b.py": b"x = '\xff'\n"})
    assert set(run.facts["untokenized"]) == {"a.py", "b.py"}
    assert "a.py, b.py" in run.reason
    assert todos(run) == [("a.py", 1, "TODO")]


@pytest.mark.parametrize(
    ("file", "text", "lines"),
    [
        pytest.param(
            "a.js", 'u = "// TODO";\n/* a\n FIXME */ // HACK\n`// XXX`', [3, 3], id="js"
        ),
        pytest.param("a.js", "let a = 1; // TODO: x\n", [1], id="js-line"),
        pytest.param("a.css", "/* TODO */ a { background: url('//XXX') }", [1], id="css"),
        pytest.param("a.c", 'char *s = "/* TODO */"; // FIXME\n', [1], id="c"),
        pytest.param("a.rs", "fn f<'a>(x: &'a str) {} // TODO\n", [1], id="rust"),
        pytest.param("a.sh", "echo '# TODO' $# # FIXME\n", [1], id="shell"),
        pytest.param("a.yml", "key: don't # TODO\nurl: http://x#TODO\n", [1], id="yaml"),
        pytest.param("Dockerfile", "# HACK\nFROM scratch\n", [1], id="dockerfile"),
        pytest.param("a.sql", "select '-- TODO', 'it''s' -- FIXME\n", [1], id="sql"),
        pytest.param("a.html", "<p>TODO</p>\n<!-- \nTODO -->", [3], id="html"),
        pytest.param("a.md", "TODO <!-- TODO -->", [], id="prose"),
        pytest.param("a.bin", b"\0// TODO", [], id="binary"),
        pytest.param("a.js", b"\0// TODO", [], id="binary-js"),
    ],
)
def test_other_languages_have_comments_too(
    ran: Ran, file: str, text: str | bytes, lines: list[int]
) -> None:
    found = todos(ran("scan", {file: text}))
    assert [line for _, line, _ in found] == lines


def test_block_comment_counts_line_by_line() -> None:
    found = reminders("/* TODO a\n   b\n   FIXME c */", "c")
    assert [(r.line, r.word) for r in found] == [(1, "TODO"), (3, "FIXME")]


@given(
    st.lists(
        st.sampled_from(
            ["# TODO", "x = 1", "'# XXX'", "# a FIXME b", "(", ")", "'''", '"', "\t", "\\", "é"]
        ),
        max_size=12,
    )
)
def test_python_counts_equal_the_tokenizers(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    by_hand = []
    try:
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            if token.type == tokenize.COMMENT and re.search(r"\b(TODO|FIXME|XXX)\b", token[1]):
                by_hand.append(token.start[0])  # noqa: PERF401 - a stop keeps what came before
        stopped = False
    except (tokenize.TokenError, SyntaxError):
        stopped = True
    found, problem = python_reminders(data)
    assert ([r.line for r in found], bool(problem)) == (by_hand, stopped)


def test_languages_are_counted_by_size(ran: Ran) -> None:
    run = ran("scan", {"a.py": "x = 1\ny = 2", "b.pyi": "", "c.sql": "select 1\n"})
    assert run.facts["languages"] == [
        {"language": "Python", "files": 2, "lines": 2, "bytes": 11},
        {"language": "SQL", "files": 1, "lines": 1, "bytes": 9},
    ]
    assert run.facts["biggest"][0] == {"file": "a.py", "bytes": 11, "lines": 2}


def test_missing_documents_are_findings(ran: Ran) -> None:
    run = ran("scan", {"a.py": ""})
    assert [f.rule for f in run.findings] == ["no-readme", "no-licence"]
    assert {(f.category, f.file) for f in run.findings} == {("docs", "")}


@pytest.mark.parametrize(
    ("name", "text", "licence"),
    [
        pytest.param(
            "LICENSE", "MIT\nPermission is hereby granted, free of charge", "MIT", id="mit"
        ),
        pytest.param("COPYING", "GNU GENERAL PUBLIC LICENSE\n  Version 3", "GPL-3.0", id="gpl"),
        pytest.param("licence.txt", "Apache License\n Version 2.0", "Apache-2.0", id="apache"),
        pytest.param("LICENSE-OURS.md", "do what you like", "", id="own-words"),
    ],
)
def test_licence_is_known_by_its_text(ran: Ran, name: str, text: str, licence: str) -> None:
    run = ran("scan", {"README": "", name: text})
    assert (run.facts["licence_file"], run.facts["licence"]) == (name, licence)
    assert run.findings == ()


def test_declared_licence_still_lacks_a_file(ran: Ran) -> None:
    run = ran("scan", {"README": "", "pyproject.toml": '[project]\nlicense = "MIT"\n'})
    assert [f.message for f in run.findings] == ["There is no licence file. MIT is declared."]


def test_module_called_licence_is_no_licence(ran: Ran) -> None:
    assert ran("scan", {"README": "", "license.py": ""}).facts["licence_file"] == ""


def test_clean_tree_has_no_findings(ran: Ran) -> None:
    run = ran("scan", {**DOCUMENTS, "a.py": "x = 1  # note\n"})
    assert (run.status, run.findings, run.checked) == (RunStatus.RAN, (), 3)


def test_note_on_the_listing_is_passed_on(ran: Ran) -> None:
    run = ran("scan", DOCUMENTS, git=False)
    assert run.reason.startswith("No git repository")


def test_tree_without_files_has_nothing_to_check(ran: Ran) -> None:
    assert ran("scan", {}).status is RunStatus.NOTHING_TO_CHECK
