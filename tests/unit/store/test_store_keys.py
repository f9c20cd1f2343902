from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import StoreError, StoreUnavailableError
from hypernb.store import SigningKey

if TYPE_CHECKING:
    from pathlib import Path


def test_key_is_made_once_for_its_owner_only(home: Path) -> None:
    signature = SigningKey.load().sign("x", "a")
    assert SigningKey.load().sign("x", "a") == signature
    assert (home / "key").stat().st_size == 32
    assert [file.name for file in home.iterdir()] == ["key"]
    if os.name == "posix":
        assert (home / "key").stat().st_mode & 0o777 == 0o600


def test_signature_is_for_its_purpose_and_parts_only() -> None:
    key = SigningKey(b"k" * 32)
    signature = key.sign("approval", "ab", "c")
    assert key.verify(signature, "approval", "ab", "c")
    assert not key.verify(signature, "approval", "a", "bc")
    assert not key.verify(signature, "pickle", "ab", "c")


@pytest.mark.parametrize("forged", ["", "0" * 64, "é", "\ud800"])
def test_forged_signature_is_refused(forged: str) -> None:
    assert not SigningKey(b"k" * 32).verify(forged, "approval", "a")


def test_threads_that_make_a_key_agree(home: Path) -> None:
    start, signatures = threading.Barrier(8), set()

    def make() -> None:
        start.wait()
        signatures.add(SigningKey.load().sign("x", "a"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signatures) == 1
    assert [file.name for file in home.iterdir()] == ["key"]


def test_key_is_made_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    signature = SigningKey.load(tmp_path / "k").sign("x", "a")
    assert SigningKey.load(tmp_path / "k").sign("x", "a") == signature


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_key_that_others_can_read_is_closed(home: Path) -> None:
    SigningKey.load()
    (home / "key").chmod(0o644)
    SigningKey.load()
    assert (home / "key").stat().st_mode & 0o777 == 0o600


def test_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(StoreError, match="5 bytes, not 32"):
        SigningKey.load(tmp_path / "key")


def test_key_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match="HYPERNB_HOME"):
        SigningKey.load(tmp_path / "file" / "key")
