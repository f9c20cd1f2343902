"""Which cassette a mission records or replays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hypernb.errors import PathError, UsageError
from hypernb.session import cassette

if TYPE_CHECKING:
    from pathlib import Path

GOAL = "Which tests are missing?"
USUAL = ".hypernb/cassettes/which-tests-are-missing.jsonl"


def kept(root: Path, name: str = USUAL) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_nothing_is_recorded_unless_asked(tmp_path: Path) -> None:
    assert cassette(tmp_path, GOAL) == ""


def test_cassette_is_named_after_the_goal(tmp_path: Path) -> None:
    assert cassette(tmp_path, GOAL, record="") == f"record:{tmp_path / USUAL}"


def test_name_alone_is_a_file_among_cassettes(tmp_path: Path) -> None:
    asked = cassette(tmp_path, GOAL, record="tape.jsonl")
    assert asked == f"record:{tmp_path / '.hypernb/cassettes/tape.jsonl'}"
    asked = cassette(tmp_path, GOAL, record="tapes/one.jsonl")
    assert asked == f"record:{tmp_path / 'tapes/one.jsonl'}"


@pytest.mark.parametrize("linked", [".hypernb", ".hypernb/cassettes", USUAL])
@pytest.mark.parametrize("asked", ["record", "replay"])
def test_usual_cassette_is_behind_no_link(tmp_path: Path, linked: str, asked: str) -> None:
    kept(tmp_path)
    (tmp_path / linked).rename(tmp_path / "elsewhere")
    (tmp_path / linked).symlink_to(tmp_path / "elsewhere")
    for name in ("", "which-tests-are-missing.jsonl"):
        with pytest.raises(PathError, match=r"is a link.*--record=PATH"):
            cassette(tmp_path, GOAL, **{asked: name})
    assert cassette(tmp_path, GOAL, **{asked: USUAL}) == f"{asked}:{tmp_path / USUAL}"


def test_long_goals_that_begin_alike_have_cassettes_of_their_own(tmp_path: Path) -> None:
    long = "Look at everything in this repository and tell me in all detail what is "
    names = {cassette(tmp_path, long + end, record="") for end in ("old", "new")}
    assert len(names) == 2


def test_mode_replay_answers_all_from_cassettes(tmp_path: Path) -> None:
    path = kept(tmp_path)
    mode = "replay"
    assert cassette(tmp_path, GOAL, mode=mode) == f"replay:{path}"


def test_mode_replay_turns_a_recording_into_a_replay(tmp_path: Path) -> None:
    path = kept(tmp_path, ".hypernb/cassettes/tape.jsonl")
    mode = "replay"
    asked = cassette(tmp_path, GOAL, record="tape.jsonl", mode=mode)
    assert asked == f"replay:{path}"


def test_mode_record_keeps_what_is_answered(tmp_path: Path) -> None:
    mode = "record"
    assert cassette(tmp_path, GOAL, mode=mode).startswith("record:")


def test_cassette_that_is_not_there_cannot_be_replayed(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="--record"):
        cassette(tmp_path, GOAL, replay="none.jsonl")


def test_path_above_the_project_is_shown_without_dots(tmp_path: Path) -> None:
    asked = cassette(tmp_path / "a" / "b", GOAL, record="../../tape.jsonl")
    assert asked == f"record:{tmp_path / 'tape.jsonl'}"


def test_folder_is_no_cassette(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="is a folder"):
        cassette(tmp_path, GOAL, record=str(tmp_path))


def test_recording_and_replaying_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        cassette(tmp_path, GOAL, record="", replay="")
