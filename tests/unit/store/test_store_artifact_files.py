from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.abc import Payload
from hypernb.codec import PICKLE, digest
from hypernb.errors import StoreCorruptError, StoreError, UntrustedArtifactError
from hypernb.model import Retention
from hypernb.store import artifact_folder
from hypernb.store._artifacts import ROW_LIMIT_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from hypernb.model import Digest
    from hypernb.store import SqlStore

LARGE = b"x" * (ROW_LIMIT_BYTES + 1)


def _file(store: SqlStore, known: Digest) -> Path:
    return artifact_folder(store.path) / known[:2] / known[2:]


def _execute(store: SqlStore, sql: str, *values: object) -> None:
    with store._database.writing() as connection:
        connection.exec_driver_sql(sql, values)


@pytest.mark.parametrize(
    ("size", "in_file"),
    [pytest.param(0, False, id="at the limit"), pytest.param(1, True, id="above")],
)
def test_large_ones_lie_in_files(store: SqlStore, size: int, in_file: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    known = store.put_artifact(Payload("text/plain", b"y" * (ROW_LIMIT_BYTES + size)))
    assert _file(store, known).exists() is in_file
    assert bool(store.artifact(known)[0].path) is in_file


def test_no_draft_is_left_behind(store: SqlStore) -> None:
    store.put_artifact(Payload("text/plain", LARGE))
    files = [path for path in artifact_folder(store.path).rglob("*") if path.is_file()]
    assert files == [_file(store, digest(LARGE))]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.unlink(), id="gone"),
        pytest.param(lambda path: path.write_bytes(b"z" * len(LARGE)), id="others"),
        pytest.param(lambda path: os.truncate(path, 10), id="cut off"),
    ],
)
def test_damaged_file_is_noticed_and_mended(store: SqlStore, damage: object) -> None:
    known = store.put_artifact(Payload("text/plain", LARGE))
    assert callable(damage)
    damage(_file(store, known))
    with pytest.raises(StoreCorruptError, match=known[:12]):
        store.artifact(known)
    store.put_artifact(Payload("text/plain", LARGE))
    assert store.artifact(known)[1] == LARGE


def test_damaged_row_is_noticed(store: SqlStore) -> None:
    known = store.put_artifact(Payload("text/plain", b"hello"))
    _execute(store, "UPDATE artifacts SET data = x'00'")
    with pytest.raises(StoreCorruptError, match="not those that were stored"):
        store.artifact(known)


def test_path_in_a_row_is_never_followed(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    known = digest(b"secret")
    _execute(
        store,
        "INSERT INTO artifacts(digest, media_type, size_bytes, created_at, path)"
        " VALUES (?, 'text/plain', 6, '2026-01-01T00:00:00.000000Z', '../secret')",
        known,
    )
    with pytest.raises(StoreCorruptError, match="there is no file"):
        store.artifact(known)


def test_odd_digest_in_a_row_is_never_followed(store: SqlStore) -> None:
    _execute(
        store,
        "INSERT INTO artifacts(digest, media_type, size_bytes, created_at, path)"
        " VALUES ('../secret', 'text/plain', 6, '2026-01-01T00:00:00.000000Z', 'x')",
    )
    with pytest.raises(StoreError, match="not the digest"):
        store.artifact("../secret")  # type: ignore[arg-type]  # a hostile one


def test_pickle_with_moved_signature_is_refused(store: SqlStore) -> None:
    mine, evil = b"N.", b"cos\nsystem\n."
    signature = store.artifact(store.put_artifact(Payload(PICKLE, mine)))[0].signature
    _execute(
        store,
        "INSERT INTO artifacts(digest, media_type, size_bytes, created_at, signature, data)"
        " VALUES (?, ?, ?, '2026-01-01T00:00:00.000000Z', ?, ?)",
        digest(evil),
        PICKLE,
        len(evil),
        signature,
        evil,
    )
    with pytest.raises(UntrustedArtifactError):
        store.artifact(digest(evil))


def test_file_that_cannot_be_written_says_so(store: SqlStore) -> None:
    artifact_folder(store.path).write_text("in the way")
    with pytest.raises(StoreError, match="artifacts"):
        store.put_artifact(Payload("text/plain", LARGE))
    assert store.query("SELECT count(*) FROM artifacts")[1] == [(0,)]


def test_file_that_cannot_be_read_says_so(store: SqlStore) -> None:
    known = store.put_artifact(Payload("text/plain", LARGE))
    _file(store, known).unlink()
    _file(store, known).mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        store.artifact(known)


# -- what the doctor sees ----------------------------------------------------------------


def test_sound_store_has_no_problems(store: SqlStore) -> None:
    store.put_artifacts([Payload("text/plain", LARGE), Payload("text/plain", b"small")])
    assert store.check() == []


def test_missing_and_damaged_files_are_counted(store: SqlStore) -> None:
    gone, changed = store.put_artifacts(
        [Payload("text/plain", LARGE), Payload("text/plain", LARGE + b"!")]
    )
    _file(store, gone).unlink()
    _file(store, changed).write_bytes(LARGE + b"?")
    missing, damaged = store.check()
    assert missing == f"1 artifact files are missing: {gone[:12]}."
    assert damaged == f"1 artifact files are damaged: {changed[:12]}."


def test_only_old_files_and_drafts_are_swept(store: SqlStore) -> None:
    file = _file(store, store.put_artifact(Payload("text/plain", LARGE)))
    draft = file.with_name(f".{file.name}.abcd.draft")
    draft.write_bytes(b"half")
    kept = _file(store, store.put_artifact(Payload("text/plain", LARGE + b"2")))
    _execute(store, f"DELETE FROM artifacts WHERE digest LIKE '{file.parent.name}%'")  # noqa: S608
    assert store.sweep(Retention()).files == 0
    for path in (file, draft, kept):
        os.utime(path, (0, 0))
    assert store.sweep(Retention(), only_look=True).files == 2
    swept = store.sweep(Retention())
    assert (swept.files, swept.size_bytes) == (2, len(LARGE) + 4)
    assert [path.exists() for path in (file, draft, kept)] == [False, False, True]


def test_file_that_was_swept_before_its_row_came_is_written_again(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = Payload("text/plain", LARGE)
    prepare = store._artifacts.prepare

    def prepare_and_lose(payloads: Any) -> Any:
        prepared = prepare(payloads)
        _file(store, prepared[0].digest).unlink()
        return prepared

    monkeypatch.setattr(store._artifacts, "prepare", prepare_and_lose)
    known = store.put_artifact(payload)
    assert store.artifact(known)[1] == LARGE


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param("DELETE FROM events WHERE seq = 2", "without gaps", id="gap"),
        pytest.param(
            "UPDATE counters SET value = 9 WHERE name = 'event'", "says 9", id="counter"
        ),
        pytest.param(
            "CREATE TRIGGER spy AFTER INSERT ON events BEGIN SELECT 1; END",
            "'spy'",
            id="trigger",
        ),
    ],
)
def test_doctor_names_what_is_wrong(store: SqlStore, sql: str, said: str) -> None:
    for _ in range(3):
        store.record("runner.started", {})
    _execute(store, sql)
    (problem,) = store.check()
    assert said in problem


def test_rows_without_their_owner_are_counted(store: SqlStore) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute(
            "INSERT INTO usage(mission_id, at) VALUES ('nobody', '2026-01-01T00:00:00.000000Z')"
        )
    assert store.check() == ["1 rows of usage belong to rows of missions that are not there."]
