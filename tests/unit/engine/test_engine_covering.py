"""How a job ended, without the keys of its runner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from hypernb import codec
from hypernb.abc import Payload
from hypernb.engine._covering import Cover
from hypernb.engine._job import Ending, EndKind
from hypernb.model import Report, Usage

if TYPE_CHECKING:
    from pathlib import Path

KEY = "one-of-these-keys-9f31"
COVER = Cover({"MY_KEY": KEY})


def left(payload: Payload) -> Ending:
    return Ending(EndKind.SUCCEEDED, output=payload)


def test_files_of_text_are_covered_and_their_names(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(f"a: {KEY}\r\nb: {KEY[:9]}…\n", newline="")
    ending = Ending(EndKind.SUCCEEDED, output=codec.encode(1), files={f"{KEY}.yaml": path})
    assert COVER.ending(ending).files == {"[secret].yaml": path}
    assert path.read_bytes() == "a: [secret]\r\nb: [secret]…\n".encode()


def test_file_of_bytes_that_holds_a_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xff\xfe" + KEY.encode())
    ending = Ending(EndKind.SUCCEEDED, output=codec.encode(1), files={"a.bin": path})
    refused = COVER.ending(ending)
    assert (refused.kind, refused.output, refused.files) == (EndKind.FAILED, None, {})
    assert refused.detail.startswith("MY_KEY stands in the file 'a.bin' that it left, ")


def test_file_of_bytes_without_a_key_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xff" + KEY[:8].encode())
    ending = Ending(EndKind.SUCCEEDED, output=codec.encode(1), files={"a.bin": path})
    assert COVER.ending(ending) == ending
    assert path.read_bytes() == b"\xff" + KEY[:8].encode()


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(Payload(codec.PARQUET, b"PAR1 no table"), id="no-table"),
        pytest.param(Payload(codec.JSON, f'{{"a": {KEY}'.encode()), id="no-json"),
        pytest.param(
            Payload(codec.JSON, b"[" * 1_000 + f'"{KEY}"'.encode() + b"]" * 1_000), id="deep"
        ),
        pytest.param(Payload(codec.REPORT, f'{{"a": "{KEY}"}}'.encode()), id="no-report"),
    ],
)
def test_output_that_is_not_what_it_says_fails_its_task_and_nothing_else(
    payload: Payload,
) -> None:
    ended = COVER.ending(left(payload))
    assert (ended.kind, ended.error_kind) == (EndKind.FAILED, "ContractError")
    assert KEY not in str(ended)


@pytest.mark.parametrize("media_type", [codec.PICKLE, codec.PARQUET, codec.BYTES, codec.JSON])
def test_what_a_value_shows_of_itself_is_covered(media_type: str) -> None:
    whole = codec.encode(1) if media_type == codec.JSON else Payload(media_type, b"no key")
    if media_type == codec.PARQUET:
        whole = codec.encode(pd.DataFrame({"a": [1]}))
    shown = replace(whole, text=f"Client({KEY!r}) {KEY[:9]}")
    ended = COVER.ending(left(shown))
    assert ended.output == replace(whole, text="Client('[secret]') [secret]")


def test_key_that_is_called_like_a_field_of_a_report_refuses_it() -> None:
    report = codec.encode(Report(agent="a", task="b", summary="c"))
    ended = Cover({"MY_KEY": "findings", "OTHER": "settings"}).ending(left(report))
    assert ended.kind is EndKind.SUCCEEDED  # it has neither
    ended = Cover({"MY_KEY": "summary-or-so"}).ending(left(report))
    assert ended.output == report


def test_words_of_what_failed_was_lost_and_was_paid_are_covered() -> None:
    ending = Ending(
        EndKind.LOST,
        detail=f"{KEY[-9:]} and {KEY}",
        error_kind=f"{KEY}Error",
        traceback=f"raise {KEY}",
        usage=(Usage(0.1, f"model-{KEY}"),),
    )
    ended = COVER.ending(ending)
    assert ended.detail == "[secret] and [secret]"
    assert (ended.error_kind, ended.traceback) == ("[secret]Error", "raise [secret]")
    assert ended.usage == (Usage(0.1, "model-[secret]"),)


def test_nothing_is_looked_at_where_there_is_no_key() -> None:
    ending = left(Payload(codec.PARQUET, b"PAR1 no table"))
    assert Cover({}).ending(ending) is ending
    assert Cover({"MY_KEY": "short"}).ending(ending) is ending
