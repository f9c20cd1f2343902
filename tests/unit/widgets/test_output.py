"""Outputs on their way to a view: laid out by kind, cut, cleaned, and never in the way."""

from __future__ import annotations

import base64
import struct
import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from hypernb.abc import Payload
from hypernb.codec import PICKLE, encode
from hypernb.errors import UnknownTaskError
from hypernb.model import (
    Finding,
    MissionState,
    Report,
    RunStatus,
    Severity,
    SprintItem,
    ToolRun,
)
from hypernb.session import Session
from hypernb.widgets import _output, _shown
from hypernb.widgets._output import output, python_of
from hypernb.widgets._shown import see
from tests.unit.widgets.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
ANSI = "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07"
HOSTILE = f"<script>alert(1)</script> {ANSI} \u202egnp.exe\u2066 \0 \ud800 {'W' * 100_000}"

LEGAL = HOSTILE.replace("\ud800", "")


def finding(severity: Severity = Severity.LOW, **fields: Any) -> Finding:
    return Finding(
        **(
            {
                "file": "src/app.py",
                "line": 3,
                "category": "security",
                "rule": "B105",
                "severity": severity,
                "message": "Possible hardcoded password",
                "tool": "bandit",
                "agent": "security-engineer",
            }
            | fields
        )
    )


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from texts(each)
        case list() | tuple():
            for each in value:
                yield from texts(each)


# -- tables ------------------------------------------------------------------------------


def test_frame_is_a_table_with_its_index() -> None:
    frame = pd.DataFrame(
        {"name": ["jinja2", None], "major": [3, 11], "share": [1 / 3, float("nan")]},
        index=["a", "b"],
    )
    seen = see(frame)
    assert seen.what == "DataFrame, 2 rows, 3 columns"
    assert seen.shown == {
        "kind": "table",
        "columns": [
            {"name": "name", "kind": "text"},
            {"name": "major", "kind": "number"},
            {"name": "share", "kind": "number"},
        ],
        "index": ["a", "b"],
        "rows": [["jinja2", "3", "0.333333"], ["–", "11", "–"]],
        "total": 2,
        "note": "",
    }


def test_large_frame_is_cut_and_says_so() -> None:
    frame = pd.DataFrame([list(range(60))] * 300)
    shown = see(frame).shown
    assert len(shown["rows"]) == len(shown["index"]) == 200
    assert {len(row) for row in shown["rows"]} == {50} == {len(shown["columns"])}
    assert shown["total"] == 300
    assert shown["note"] == (
        "The first 200 of 300 rows are shown. The first 50 of 60 columns are shown."
    )


def test_series_dates_and_truths_have_their_kinds() -> None:
    series = pd.Series([1.5, 2.0], name="cost")
    seen = see(series)
    assert seen.what == "Series, 2 values"
    assert seen.shown["columns"] == [{"name": "cost", "kind": "number"}]
    assert seen.shown["rows"] == [["1.5"], ["2"]]
    frame = pd.DataFrame(
        {"at": pd.Series(["2026-11-20", None], dtype="datetime64[ns]"), "ok": [True, False]}
    )
    shown = see(frame).shown
    assert [column["kind"] for column in shown["columns"]] == ["time", "boolean"]
    assert shown["rows"] == [["2026-11-20 00:00:00", "yes"], ["–", "no"]]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(index=[1, 2]),
        pd.DataFrame({"a": []}),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
        pd.DataFrame({("a", 1): [1]}, index=pd.MultiIndex.from_tuples([("x", 2)])),
        pd.DataFrame({"c": pd.Categorical(["x", None])}),
        pd.DataFrame({"o": [object(), [1], {"a": 1}, None]}),
        pd.Series([1], name=("a", 2)),
    ],
)
def test_odd_frames_are_tables_too(frame: Any) -> None:
    shown = see(frame).shown
    assert shown["kind"] == "table"
    assert len(shown["rows"]) == len(shown["index"]) == len(frame)


def test_list_of_flat_dictionaries_is_a_table() -> None:
    seen = see([{"a": 1, "b": "x"}, {"a": 2, "c": None}])
    assert seen.what == "list, 2 items"
    assert seen.shown["kind"] == "table"
    assert seen.shown["rows"] == [["1", "x", "–"], ["2", "–", "–"]]


def test_cells_too_wide_for_a_page_leave_out_rows() -> None:
    row = {f"c{place}": "x" * 300 for place in range(50)}
    shown = see([row] * 200).shown
    assert 0 < len(shown["rows"]) < 200
    assert shown["note"] == f"The first {len(shown['rows'])} of 200 rows are shown."


# -- findings and reports ----------------------------------------------------------------


def test_findings_come_most_severe_first() -> None:
    found = [finding(Severity.LOW), finding(Severity.CRITICAL, line=0, cell=2)]
    seen = see(found)
    assert seen.what == "Findings, 2"
    assert seen.shown["total"] == 2
    assert [row["severity"] for row in seen.shown["rows"]] == ["critical", "low"]
    assert seen.shown["rows"][0] == {
        "severity": "critical",
        "category": "security",
        "rule": "B105",
        "path": "src/app.py",
        "line": None,
        "cell": 2,
        "text": "Possible hardcoded password",
        "tool": "bandit",
        "agent": "security-engineer",
    }


def test_report_is_shown_part_by_part() -> None:
    report = Report(
        agent="qa-engineer",
        task="baseline-tests",
        summary="Ran the tests.",
        runs=(
            ToolRun(tool="pytest", status=RunStatus.RAN, checked=212, findings=(finding(),)),
            ToolRun(tool="bandit", status=RunStatus.DID_NOT_RUN, reason="It is absent"),
        ),
        sprint=(SprintItem(title="Mend it", why="It hurts", agent="x", severity=Severity.LOW),),
        facts={"passed": 212, "slow": [{"test": "a", "s": 1.5}], "tree": {"a": {"b": [1]}}},
        files={"plot.png": "1" * 64, "gone.txt": "2" * 64, "note.md": "3" * 64},
    )

    def open_file(digest: str) -> tuple[str, bytes]:
        if digest[0] == "2":
            raise OSError("gone")
        return ("image/png", PNG) if digest[0] == "1" else ("text/markdown", b"# Hi")

    seen = see(report, open_file)
    assert seen.what == "Report, 1 finding"
    assert seen.shown["summary"] == "Ran the tests."
    parts = {part["title"]: part["shown"] for part in seen.shown["parts"]}
    assert {title: shown["kind"] for title, shown in parts.items()} == {
        "Proposed sprint": "table",
        "Findings": "findings",
        "What each tool did": "table",
        "Measured": "table",
        "Slow": "table",
        "Tree": "json",
        "plot.png": "image",
        "gone.txt": "none",
        "note.md": "markdown",
    }
    assert parts["gone.txt"]["why"] == "It cannot be read: OSError: gone."


def test_how_a_tool_ran_has_one_full_stop_after_each_sentence() -> None:
    none = ToolRun(
        tool="imports",
        status=RunStatus.NOTHING_TO_CHECK,
        reason="There are no Python files.",
        settings="fan-out over 10",
    )
    (part,) = see(Report(agent="a", task="t", summary="", runs=(none,))).shown["parts"]
    assert part["shown"]["rows"][0][-1] == "There are no Python files. fan-out over 10"


def test_counts_of_a_report_are_in_words() -> None:
    facts = {
        "kinds": {"name": 3, "other": 5},
        "counts": {"severity": {"high": 2, "low": 0}, "agent": {"x": 2}},
        "many": {f"file-{number}": number for number in range(100)},
        "mixed": {"a": {"b": 1}, "c": "d"},
        "none": {},
    }
    shown = see(Report(agent="a", task="t", summary="", facts=facts)).shown
    parts = {part["title"]: part["shown"] for part in shown["parts"]}
    assert parts["Measured"]["rows"] == [["kinds", "name 3, other 5"]]
    assert parts["Counts"]["rows"] == [["severity", "high 2, low 0"], ["agent", "x 2"]]
    assert {parts[title]["kind"] for title in ("Many", "Mixed", "None")} == {"json"}


def test_dictionary_of_values_is_shown_part_by_part() -> None:
    seen = see({"frame": pd.DataFrame({"a": [1]}), "note": "one\ntwo"})
    assert seen.what == "dict, 2 keys"
    assert [part["title"] for part in seen.shown["parts"]] == ["frame", "note"]
    assert [part["what"] for part in seen.shown["parts"]] == [
        "DataFrame, 1 row, 1 column",
        "text, 2 lines",
    ]


# -- text --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("plain", "text"),
        ("", "text"),
        ("a - b * c # d", "text"),
        ("# Title\n\nText", "markdown"),
        ("- one\n- two", "markdown"),
        ("see [this](https://example.org)", "markdown"),
        ("```\ncode\n```", "markdown"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "markdown"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "diff"),
        ("diff --git a/x b/x\nindex 1..2", "diff"),
    ],
)
def test_text_is_taken_for_what_it_is(text: str, kind: str) -> None:
    assert see(text).shown["kind"] == kind


def test_long_text_is_cut_and_says_so() -> None:
    text = see("x" * 300_000).shown["text"]
    assert text.endswith("… (cut here; 300,000 characters in all)")


def test_json_is_written_out() -> None:
    seen = see({"a": [1, 2], "b": {"c": None}})
    assert seen.what == "dict, 2 keys"
    assert seen.shown["kind"] == "json"
    assert see(3).what == "int"
    assert see([1, 2]).what == "list, 2 items"


# -- pictures ----------------------------------------------------------------------------


def test_picture_is_known_by_its_bytes() -> None:
    shown = see(PNG).shown
    assert (shown["kind"], shown["media_type"]) == ("image", "image/png")
    assert base64.b64decode(shown["data"]) == PNG
    assert see(b"\xff\xd8\xff\xe0").shown["media_type"] == "image/jpeg"
    assert see(b"<svg onload=alert(1)>").shown["kind"] == "none"


def test_large_picture_is_not_sent() -> None:
    seen = see(PNG + bytes(_shown.IMAGE_AT_MOST))
    assert seen.shown["kind"] == "none"
    assert "up to 3 MB are shown" in seen.shown["why"]


def _figure(inches: int) -> Any:
    drawing = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    return drawing.Figure(figsize=(inches, inches))


def test_figure_draws_itself() -> None:
    figure = _figure(1)
    figure.add_subplot().plot([1, 2])
    seen = see(figure)
    assert seen.what == "Figure"
    assert seen.shown["media_type"] == "image/png"


@pytest.mark.parametrize(
    ("inches", "title"), [(60, ""), (1, "W" * 20_000)], ids=["size", "title"]
)
def test_endless_figure_is_drawn_coarsely(inches: int, title: str) -> None:
    figure = _figure(inches)
    figure.add_subplot().set_title(title)
    shown = see(figure).shown
    width, height = struct.unpack(">II", base64.b64decode(shown["data"])[16:24])
    assert width * height < 10_000_000


# -- odd values --------------------------------------------------------------------------


class _Odd:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no")


class _Html:
    def _repr_html_(self) -> str:
        return "<script>alert(1)</script>"

    def _repr_png_(self) -> bytes:
        raise RuntimeError("no display")


class _Lying(dict[str, Any]):
    def values(self) -> Any:
        raise RuntimeError("no")


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "value",
    [
        _Odd(),
        _Html(),
        _Lying(a=1),
        CIRCLE,
        [_Odd()],
        {"odd": _Odd()},
        {1: {2: {3: {4: _Odd()}}}},
        {"frame": pd.DataFrame({"a": [_Odd()]})},
        (1, 2),
        {1, 2},
        1 + 2j,
        float("nan"),
        10**5_000,
        object,
        lambda: None,
        ValueError("x"),
        b"\0",
        bytearray(b"x"),
        None,
        "\ud800",
    ],
    ids=lambda value: type(value).__name__,
)
def test_nothing_odd_raises(value: Any) -> None:
    seen = see(value)
    assert seen.what
    assert seen.shown["kind"] in {"none", "text", "json", "report", "table"}


@pytest.mark.parametrize(
    "value",
    [
        HOSTILE,
        [HOSTILE],
        {"a\n" + HOSTILE: HOSTILE},
        pd.DataFrame({LEGAL: [LEGAL]}, index=[LEGAL]),
        [{HOSTILE: HOSTILE}],
        [finding(file=HOSTILE, rule=HOSTILE, message=HOSTILE, tool=HOSTILE, agent=HOSTILE)],
        Report(agent=HOSTILE, task=HOSTILE, summary=HOSTILE, facts={HOSTILE: HOSTILE}),
        {HOSTILE: object()},
    ],
    ids=["text", "list", "dict", "frame", "rows", "finding", "report", "parts"],
)
def test_hostile_text_is_cleaned_and_cut(value: Any) -> None:
    said = list(texts(see(value).shown))
    assert max(map(len, said)) < 110_000
    for text in said:
        assert not set("\x1b\x07\u202e\u2066\0\ud800") & set(text)


# -- of tasks and missions ---------------------------------------------------------------


def test_output_of_a_task_says_what_it_is_and_how_to_get_it(session: Session) -> None:
    recorded = Recorded(session, "map-repo", "b").start()
    recorded.finish("map-repo", pd.DataFrame({"a": [1, 2]}))
    answer = output(recorded.mission, "map-repo")
    assert answer["task"] == "map-repo"
    assert answer["what"] == "DataFrame, 2 rows, 1 column"
    assert answer["python"].splitlines()[-1] == 'm.tasks["map-repo"].output'
    assert answer["shown"]["rows"] == [["1"], ["2"]]


def test_markdown_is_sent_as_blocks_wherever_it_stands(session: Session) -> None:
    recorded = Recorded(session, "a", "b").start()
    recorded.finish("a", "# Title\n\n**Text**").finish("b", {"note": "- one\n- two"})
    shown = output(recorded.mission, "a")["shown"]
    assert shown == {
        "kind": "markdown",
        "blocks": [
            {"kind": "heading", "top": True, "line": ["Title"]},
            {"kind": "paragraph", "line": [{"strong": "Text"}]},
        ],
    }
    (part,) = output(recorded.mission, "b")["shown"]["parts"]
    assert [block["kind"] for block in part["shown"]["blocks"]] == ["list"]


def test_task_without_output_says_why(session: Session) -> None:
    recorded = Recorded(session, "a").start().begin("a")
    answer = output(recorded.mission, "a")
    assert answer["shown"] == {"kind": "none", "why": "a has left no output: it is running."}


def test_unknown_task_is_refused(session: Session) -> None:
    with pytest.raises(UnknownTaskError, match="map-repo"):
        output(Recorded(session, "map-repo").mission, "map-rep")


def test_result_of_several_tasks_is_told_before_it_is_there(session: Session) -> None:
    told = output(Recorded(session, "a", "b").start().mission)["mission"]
    assert told["result"] == ["The result is what 2 tasks give, by name, when all have ended"]


def test_mission_under_way_shows_what_can_be_used_now(session: Session) -> None:
    recorded = Recorded(session, "a", "b", "c", result="c").start()
    recorded.finish("a", {"x": 1}, findings=[finding()]).finish(
        "b", None, payload=encode(("tuple",))
    )
    answer = output(recorded.mission)
    assert answer["shown"] == {"kind": "none", "why": "Not ready yet: m-1 is running."}
    assert answer["python"].splitlines()[-1] == "m.result()"
    told = answer["mission"]
    assert told["result"] == [
        "The result is what ",
        {"code": "c"},
        " gives, when all have ended",
    ]
    assert told["findings"]["total"] == 1
    assert [each["task"] for each in told["outputs"]] == ["a", "b"]
    assert told["outputs"][0]["what"] == "dict, 1 key"
    assert told["outputs"][1]["what"].startswith("a Python object, ")
    assert (told["total_outputs"], told["total_tasks"]) == (2, 3)


def test_result_is_the_output_of_its_task(session: Session) -> None:
    recorded = Recorded(session, "a", "b", result="b").start()
    recorded.finish("a", 1).finish("b", {"x": 1}).end()
    answer = output(recorded.mission)
    assert answer["shown"]["kind"] == "json"
    assert answer["what"] == "dict, 1 key"


def test_result_of_several_tasks_is_shown_by_name(session: Session) -> None:
    recorded = Recorded(session, "a", "b").start().finish("a", 1).finish("b", "two").end()
    shown = output(recorded.mission)["shown"]
    assert [part["title"] for part in shown["parts"]] == ["a", "b"]
    assert [part["what"] for part in shown["parts"]] == ["int", "text, 1 line"]


def test_failed_mission_shows_what_there_is_of_its_result(session: Session) -> None:
    recorded = Recorded(session, "left", "right", result="left").start().finish("left", "all")
    shown = output(recorded.end(MissionState.FAILED, "right broke").mission)
    assert shown["shown"] == output(recorded.mission, "left")["shown"]
    assert shown["python"].endswith("m.partial_result()")


def test_failed_mission_says_that_there_is_no_result(session: Session) -> None:
    recorded = Recorded(session, "a").start().end(MissionState.FAILED, "Task 'a' failed.")
    assert output(recorded.mission)["shown"] == {
        "kind": "none",
        "why": "There is no result: m-1 failed: Task 'a' failed.",
    }


def test_pickle_of_somebody_else_is_not_opened(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(session, "a").start()
    recorded.finish("a", payload=Payload(PICKLE, encode((1, 2)).data)).end()
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "other"))
    with Session(tmp_path / "store.db", root=tmp_path) as other:
        answer = output(other.mission("m-1"), "a")
        assert answer["shown"]["kind"] == "none"
        assert "pickle" in answer["shown"]["why"]
        listed = output(other.mission("m-1"))["mission"]["outputs"]
        assert listed[0]["what"] == "not opened: UntrustedArtifactError"


def test_very_large_output_is_not_opened(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_output, "BYTES_AT_MOST", 10)
    recorded = Recorded(session, "a").start().finish("a", "x" * 100)
    answer = output(recorded.mission, "a")
    assert answer["what"] == "a value, 102 bytes"
    assert answer["shown"]["kind"] == "none"


def test_brief_of_a_frame_counts_without_its_index(session: Session) -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]}, index=["a", "b", "c"])
    recorded = Recorded(session, "a", "b").start().finish("a", frame)
    listed = output(recorded.mission)["mission"]["outputs"]
    assert listed[0]["what"] == "DataFrame, 3 rows, 1 column" == see(frame).what


@pytest.mark.parametrize("name", ["a", 'say "hi"', "back\\slash", "ü", "'"])
def test_python_snippet_names_the_task(name: str) -> None:
    class Mission:
        tasks = {name: type("Task", (), {"output": 7})}  # noqa: RUF012

    assert eval(python_of(name), {"m": Mission}) == 7  # noqa: S307


def test_python_that_is_copied_works_in_any_cell(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(session, "a").start().finish("a", {"x": 1}, findings=[finding()]).end()
    assert 'hypernb.Session("' in output(recorded.mission)["python"], "it is another store"
    _works(output(recorded.mission))
    monkeypatch.setenv("HYPERNB_DB", str(session.root / "store.db"))
    answer = output(recorded.mission)
    assert answer["python"].splitlines() == [
        "import hypernb",
        'm = hypernb.Session().mission("m-1")',
        "m.result()",
    ]
    _works(answer)


def _works(answer: dict[str, Any]) -> None:
    told = answer["mission"]
    for code in (answer["python"], told["outputs"][0]["python"]):
        *before, last = code.splitlines()
        cell: dict[str, Any] = {}
        exec("\n".join(before), cell)  # noqa: S102
        assert eval(last, cell) == {"x": 1}  # noqa: S307
        cell["m"].session.close()
    begin, _, found = told["all_findings"].rpartition("; ")
    cell = {}
    exec(begin, cell)  # noqa: S102
    assert len(eval(found, cell)) == 1  # noqa: S307


@pytest.mark.parametrize(
    ("where", "opened"),
    [
        ("postgresql://db/crew", 'hypernb.Session("postgresql://db/crew")'),
        ("postgresql://ada:secret@db/crew", ""),
        (None, "hypernb.Session()"),
    ],
)
def test_python_tells_no_password(
    where: str | None, opened: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_DB", "postgresql://ada:secret@db/other")
    mission = Recorded(session, "a").mission
    other = Session(where, root=session.root)
    other._store = type("Server", (), {"url": "postgresql+psycopg://ada:secret@db/crew"})()
    assert other.in_python == opened
    monkeypatch.setattr(Session, "in_python", opened)
    told = output(mission)
    begun = f'm = {opened}.mission("m-1")' if opened else "m = %hyper attach m-1"
    assert begun in told["python"].splitlines()
    assert "secret" not in str(told)


# -- hostile values ----------------------------------------------------------------------


class _Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise ValueError("no name")


class _WithoutName(metaclass=_Nameless):
    def __repr__(self) -> str:
        raise ValueError("no repr")


class _Quits:
    def __repr__(self) -> str:
        raise SystemExit("bye")


class _Leaves:
    def _repr_png_(self) -> bytes:
        raise KeyboardInterrupt


def test_seeing_never_raises() -> None:
    assert see(_WithoutName()).what == "_WithoutName"
    assert "its repr cannot be made" in see(_WithoutName()).shown["text"]
    assert "SystemExit: bye" in see(_Quits()).shown["text"]
    assert "KeyboardInterrupt" in see(_Leaves()).shown["why"]
    assert see({"a": _WithoutName()}).shown["kind"] == "report"


@pytest.mark.parametrize(
    "text",
    ["[" * 20_000, "[a](" * 5_000, "|" * 20_000, "[a]" * 7_000, "|\n\n" * 7_000, "1" * 20_000],
)
def test_telling_what_a_text_is_takes_no_time(text: str) -> None:
    began_s = time.process_time()
    for _ in range(10):
        assert see(text).shown["kind"] in ("text", "markdown")
    assert time.process_time() - began_s < 0.5


def test_a_link_makes_a_text_markdown() -> None:
    assert see("Look at [the list](https://example.org/a).").shown["kind"] == "markdown"
    assert see("x[0](y z)").shown["kind"] == "text"
