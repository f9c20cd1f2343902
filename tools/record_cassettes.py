"""Record the cassettes of the notebooks, from answers that were written by hand.

No model takes part: a server on this machine says what stands in ``tools/written_answers.py``,
and everything else is real: the notebooks run with ``--record`` in place of ``--replay``, plan,
call their tools and end. Run it when an answer was changed, or when what agents are told has
changed and the notebooks therefore miss their answers. It needs no key and no network.

Usage: python -m tools.record_cassettes [FOLDER]
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import nbformat
import orjson
from nbclient import NotebookClient

from tests.model_server import ModelServer, Reply, fails
from tools.written_answers import ANSWERS, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.model_server import Asked

NOTEBOOKS: Final = Path(__file__).resolve().parent.parent / "notebooks"
CASSETTES: Final = NOTEBOOKS / "cassettes"
NOTE: Final = (
    "These answers were written by hand, in tools/written_answers.py; no model has given them. "
    "Tokens are counted as a quarter of the characters."
)
_NAMED: Final = "ollama:written-by-hand"
_SERVED: Final = "written-by-hand"
_REPLAY: Final = re.compile(r"--replay \S+")
_TASK: Final = re.compile(r"Your task, ([\w-]+):")
_CELL_S: Final = 120


def record(stem: str, target: Path) -> None:
    """Run a notebook with ``--record``, and write its cassette.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
        SystemExit: The notebook asks what has no answer, or less than there are answers for.
    """
    missing: list[str] = []

    def answer(asked: Asked) -> Reply:
        messages = asked.body["messages"]
        name, turn = place(messages)
        replies = ANSWERS[stem].get(name, ())
        if turn < len(replies):
            return _reply(replies[turn])
        missing.append(f"{name}, answer {turn + 1}: {str(messages[-1]['content'])[:2_000]}")
        return fails(400, "there is no answer to this")

    with tempfile.TemporaryDirectory(prefix="hypernb-cassettes-") as folder:
        tape = Path(folder, "tape.jsonl")
        with ModelServer(answer, models=(_SERVED,)) as server:
            try:
                _run(stem, tape, server.url, Path(folder))
            finally:
                if missing:
                    print("\n\n".join(missing), file=sys.stderr)
        target.write_bytes(tidied(tape.read_bytes(), stem))


def place(messages: Sequence[Mapping[str, Any]]) -> tuple[str, int]:
    """Return which conversation this is, ``plan`` or a task, and how many answers it has."""
    task = _TASK.match(str(messages[1]["content"]))
    turn = sum(each["role"] == "assistant" for each in messages)
    return (task[1] if task else "plan"), turn


def tidied(tape: bytes, stem: str) -> bytes:
    """Return a cassette in the order of its conversations, without what changes each time.

    Tasks that run at the same time are recorded as they come.

    Raises:
        SystemExit: Not every answer was asked for.
    """
    first, *lines = map(orjson.loads, tape.splitlines())
    order = {name: number for number, name in enumerate(ANSWERS[stem])}
    placed = {place(each["request"]["messages"]): each for each in lines}
    wanted = {(name, n) for name, replies in ANSWERS[stem].items() for n in range(len(replies))}
    if left := sorted(wanted - placed.keys()):
        sys.exit(f"{stem} does not ask for {left}.")
    for each in lines:
        for reply in each["replies"]:
            reply |= {"duration_s": 0.0, "first_token_s": None, "tries": 1}
    kept = sorted(placed.items(), key=lambda each: (order[each[0][0]], each[0][1]))
    head = {"hypernb": first["hypernb"], "version": first["version"], "note": NOTE}
    return b"".join(orjson.dumps(each) + b"\n" for each in [head, *(each for _, each in kept)])


def _reply(answer: Answer) -> Reply:
    if isinstance(answer, Reply):
        return answer
    return Reply(text=answer if isinstance(answer, str) else orjson.dumps(answer).decode())


def _run(stem: str, tape: Path, url: str, folder: Path) -> None:
    book = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            named = cell.source.replace(_NAMED, _SERVED)
            cell.source = _REPLAY.sub(f"--record {tape}", named)
    client = NotebookClient(
        book, timeout=_CELL_S, resources={"metadata": {"path": str(NOTEBOOKS)}}
    )
    client.execute(env={**os.environ, **_environment(url, folder)})


def _environment(url: str, folder: Path) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": url,
        "HYPERNB_MODE": "record",
        "HYPERNB_HOME": str(folder / "home"),
        "HYPERNB_DB": str(folder / "store.db"),
        "HYPERNB_HEADLESS": "1",
        "HYPERNB_IDLE_S": "2",
    }


def main() -> None:
    """Record all of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CASSETTES
    folder.mkdir(parents=True, exist_ok=True)
    for stem in ANSWERS:
        record(stem, folder / f"{stem}.jsonl")
        print(f"{folder / stem}.jsonl")


if __name__ == "__main__":
    main()
