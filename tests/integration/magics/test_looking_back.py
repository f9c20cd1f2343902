"""A mission looked at, searched, exported and kept, in a kernel that did not start it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from tests.integration.magics.conftest import DEADLINE_S
from tests.read_file import READ_FILE

if TYPE_CHECKING:
    from tests.integration.magics.conftest import Desk, Kernel

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def later(reading: Desk) -> Kernel:
    """A second kernel, after a mission that succeeded in the first."""
    reading.text.write_text("hello")
    reading.kernels[0].ok("%hyper run read-file text.txt --yes --wait")
    return reading.kernel("%load_ext hypernb\nimport pathlib")


def test_history_is_known_to_a_later_kernel(later: Kernel) -> None:
    assert "Read a file" in later.ok("%hyper ls").text
    assert "Succeeded" in later.ok("%hyper show m-1").text
    assert later.ok("%hyper result m-1").value == "'HELLO'"


def test_options_are_filled_in_from_variables(later: Kernel) -> None:
    later.ok("each = %hyper ls\nm, few = each[0], 2")
    assert later.ok("each = %hyper events m-1 --limit {few}\nlen(each)").value == "2"
    assert later.ok("%hyper usage --mission {m.id}").error == ""


def test_values_of_verbs_are_data(later: Kernel) -> None:
    assert later.ok("each = %hyper ls\neach[0].id").value == "'m-1'"
    assert later.ok("each = %hyper events m-1\neach[0].kind").value == "'mission.created'"
    assert later.ok("each = %hyper doctor\n[c.what for c in each if not c.ok]").value == "[]"
    assert later.ok("_.__class__").error == ""


def test_limits_are_set_shown_and_taken_away(later: Kernel) -> None:
    later.ok("%hyper limits the-service --at-once 4 --rate 2 --burst 10")
    shown = later.ok("%hyper limits").text
    assert "the-service" in shown
    assert "2 a second, burst 10" in shown
    assert "there is room" in shown
    limit = "each = %hyper limits the-service\neach[0].resource.at_once"
    later.ok("%hyper limits the-service --rate 3")
    assert later.ok(limit).value == "4"
    later.ok("%hyper limits the-service --none")
    assert "the-service" not in later.ok("%hyper limits").text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("limits the-servise", "Did you mean 'the-service'?"),
        ("limits the-service --at-once 0", "at_once cannot be 0"),
        ("limits the-service --at-once 99999999999999999999", "at_once cannot be"),
        ("limits the-servise --none", "Did you mean 'the-service'?"),
        ("limits the-service --rate 0", "rate cannot be 0"),
        ("limits the-service --at-once 1.5", "takes a whole number, not 1.5"),
        ("limits --at-once 1", "Which resource"),
        ("limits the-service --none --rate 1", "Leave one out"),
        ("limits 'two words' --rate 1", "cannot be called"),
    ],
)
def test_limit_without_meaning_is_refused(later: Kernel, line: str, said: str) -> None:
    later.ok("%hyper limits the-service --at-once 4")
    cell = later.run(f"%hyper {line}")
    assert said in cell.error
    assert later.ok("%hyper limits the-service").text.count("the-service") == 1


def test_text_is_found_in_goals_and_outputs(later: Kernel) -> None:
    assert later.ok('hits = %hyper find "HELLO"\n{h.kind for h in hits}').value == "{'output'}"
    assert (
        later.ok('hits = %hyper find "read a file"\n{h.kind for h in hits}').value == "{'goal'}"
    )


def test_what_is_not_all_says_so(later: Kernel) -> None:
    assert "There are earlier ones" in later.ok("%hyper events m-1 --limit 2").text
    assert "There are later ones" in later.ok("%hyper events m-1 --after 1 --limit 2").text
    assert "There are" not in later.ok("%hyper events m-1 --limit 1000").text
    assert "The first hit" in later.ok("%hyper find r --limit 1").text


def test_sql_gives_a_frame(later: Kernel) -> None:
    later.ok("frame = %hyper sql select name, state from tasks order by number")
    assert (
        later.ok("frame.values.tolist()").value
        == "[['read', 'succeeded'], ['shout', 'succeeded']]"
    )


def test_mission_gives_a_frame(later: Kernel) -> None:
    code = "each = %hyper ls\neach[0].to_frame()['name'].tolist()"
    assert later.ok(code).value == "['read', 'shout']"


def test_logs_name_mission_and_task(later: Kernel) -> None:
    assert "m-1" in later.ok("%hyper logs m-1").text


@pytest.mark.parametrize("name", ["m.html", "m.md", "m.json", "m.ipynb"])
def test_export_holds_the_mission(reading: Desk, later: Kernel, name: str) -> None:
    later.ok(f"%hyper export m-1 {name}")
    text = (reading.project / name).read_text()
    assert "Read a file" in text
    assert "<script" not in text
    assert 'src="http' not in text


def test_exported_json_is_what_the_program_writes(reading: Desk, later: Kernel) -> None:
    later.ok("%hyper export m-1 other.json")
    facts = json.loads((reading.project / "other.json").read_text())
    assert facts["status"] == "succeeded"
    assert [task["name"] for task in facts["tasks"]] == ["read", "shout"]


def test_exported_notebook_runs(reading: Desk, later: Kernel) -> None:
    later.ok("%hyper export m-1 again.ipynb")
    book = nbformat.read(reading.project / "again.ipynb", as_version=4)
    nbformat.validate(book)
    book.cells.append(new_code_cell("result"))
    _execute(book, reading)
    assert book.cells[-1].outputs[0]["data"]["text/plain"] == "'HELLO'"


def test_notebook_without_a_person_shows_the_end(reading: Desk, later: Kernel) -> None:
    del later
    book = new_notebook(
        cells=[
            new_code_cell(READ_FILE),
            new_code_cell("%%hyper --playbook read-file text.txt --yes"),
        ]
    )
    _execute(book, reading)
    [shown, value] = book.cells[1].outputs
    assert "Succeeded" in shown["data"]["text/plain"]
    assert "<svg" in shown["data"]["text/html"]
    assert "succeeded" in value["data"]["text/plain"]


def test_notebook_fails_with_its_mission(reading: Desk, later: Kernel) -> None:
    del later
    (reading.project / "folder").mkdir()
    line = "%%hyper --playbook read-file folder --yes"
    book = new_notebook(cells=[new_code_cell(READ_FILE), new_code_cell(line)])
    with pytest.raises(CellExecutionError, match="MissionError"):
        _execute(book, reading)


def test_backup_is_restored_elsewhere(reading: Desk, later: Kernel) -> None:
    later.ok(f"%hyper backup {reading.folder}/copy.backup")
    later.ok(f"%hyper config db={reading.folder}/other.db")
    assert later.ok("each = %hyper ls\nlen(each)").value == "0"
    assert "Restored" in later.ok(f"%hyper restore {reading.folder}/copy.backup").text
    assert later.ok("%hyper result m-1").value == "'HELLO'"
    refused = later.run(f"%hyper restore {reading.folder}/copy.backup").error
    assert "--force" in refused
    later.ok(f"%hyper config db={reading.database}")


def _execute(book: nbformat.NotebookNode, desk: Desk) -> None:
    client = NotebookClient(
        book, timeout=DEADLINE_S, resources={"metadata": {"path": str(desk.project)}}
    )
    client.execute(env=desk.env)
