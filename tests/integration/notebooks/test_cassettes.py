"""The notebooks with a model: their cassettes are what they ask for today, for anyone."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from hypernb.llm import Cassette
from hypernb.redact import redact
from tools.record_cassettes import CASSETTES, NOTEBOOKS, record
from tools.written_answers import ANSWERS

pytestmark = pytest.mark.timeout(180)
STEMS = sorted(ANSWERS)
KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HYPERNB_MODEL", "HYPERNB_MODE")


@pytest.mark.parametrize("stem", STEMS)
def test_recording_anew_gives_the_very_same_cassette(stem: str, tmp_path: Path) -> None:
    record(stem, tmp_path / "again.jsonl")
    again = (tmp_path / "again.jsonl").read_bytes()
    assert again == (CASSETTES / f"{stem}.jsonl").read_bytes(), (
        "What the notebook asks has changed: python -m tools.record_cassettes"
    )


@pytest.mark.parametrize("stem", STEMS)
def test_a_copy_in_another_folder_and_home_is_replayed_without_a_miss(
    stem: str, tmp_path: Path
) -> None:
    book, sql = replayed(stem, tmp_path)
    text = json.dumps(book)
    assert "has no such request" not in text
    assert sql["text/plain"].split() == ["source", "n", "0", "cassette", str(asked(stem))]


def asked(stem: str) -> int:
    return sum(len(replies) for replies in ANSWERS[stem].values())


def replayed(stem: str, folder: Path) -> tuple[Any, Any]:
    """Execute a copy of a notebook; return it, and the sources of the answers that it got."""
    shutil.copytree(NOTEBOOKS, folder / "Kim's work" / "notebooks")
    home = folder / "kim"
    home.mkdir()
    book = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)
    sql = "%hyper sql select source, count(*) as n from calls group by source"
    book.cells.append(nbformat.v4.new_code_cell(sql))
    kept = {name: value for name, value in os.environ.items() if name not in KEYS}
    path = str(folder / "Kim's work" / "notebooks")
    client = NotebookClient(book, timeout=120, resources={"metadata": {"path": path}})
    own = {
        "HOME": str(home),
        "USER": "kim",
        "HYPERNB_HOME": str(home / "hypernb"),
        "HYPERNB_DB": str(home / "store.db"),
        "HYPERNB_HEADLESS": "1",
        "HYPERNB_IDLE_S": "2",
    }
    client.execute(env={**kept, **own})
    return book, book.cells[-1].outputs[-1]["data"]


@pytest.mark.parametrize("stem", STEMS)
def test_cassette_has_no_secret_and_no_path_of_a_machine(stem: str) -> None:
    text = (CASSETTES / f"{stem}.jsonl").read_text(encoding="utf-8")
    for request in Cassette.load(CASSETTES / f"{stem}.jsonl").requests():
        said = json.dumps(request["messages"], ensure_ascii=False)
        # The marks of fences are of sixteen digits, some of which are long numbers.
        assert redact(said).counts.keys() <= {"number"}
    assert not re.search(r"/home/|/Users/|/root/|/tmp/|[A-Za-z]:\\\\Users", text)
    assert str(Path.home()) not in text
    assert socket.gethostname() not in text.split()
    assert f"/{getpass.getuser()}/" not in text
    assert "@library.example" not in text


@pytest.mark.parametrize("stem", STEMS)
def test_cassette_and_notebook_say_that_the_answers_were_written_by_hand(stem: str) -> None:
    first = (CASSETTES / f"{stem}.jsonl").read_text(encoding="utf-8").partition("\n")[0]
    assert "written by hand" in json.loads(first)["note"]
    book = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)
    assert "**were written by hand**" in book.cells[0].source
