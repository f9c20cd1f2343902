"""Where the browser comes from that views are tested with, and what happens without one."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import browser

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of the PATH; nothing is in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was run to install one; each of them fails."""
    run: list[list[str]] = []

    def refuse(command: list[str]) -> bool:
        run.append(command)
        return False

    monkeypatch.setattr(browser, "_succeeds", refuse)
    return run


def _program(file: Path) -> Path:
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def _playwright(file: Path) -> Any:
    return SimpleNamespace(chromium=SimpleNamespace(executable_path=str(file)))


def _as_user(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: number)


def test_the_systems_own_is_taken_first(path: Path, commands: list[list[str]]) -> None:
    own = _program(path / "chromium")
    assert browser.find_chromium(_playwright(_program(path / "other"))) == str(own)
    assert commands == []


def test_playwrights_own_is_taken_next(path: Path, commands: list[list[str]]) -> None:
    other = _program(path / "playwrights")
    assert browser.find_chromium(_playwright(other)) == str(other)
    assert commands == []


def test_root_on_debian_installs_the_package(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(command: list[str]) -> bool:
        if "install" in command:
            _program(path / "chromium")
        return True

    monkeypatch.setattr(browser, "_succeeds", install)
    _as_user(monkeypatch, 0)
    _program(path / "apt-get")
    found = browser.find_chromium(_playwright(path / "none"))
    assert found == str(path / "chromium")


def test_others_let_playwright_install_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]
) -> None:
    _as_user(monkeypatch, 1000)
    _program(path / "apt-get")
    assert browser.find_chromium(_playwright(path / "none")) == ""
    assert [command[1:] for command in commands] == [
        ["-m", "playwright", "install", "chromium"]
    ]


@pytest.mark.parametrize(("ci", "end"), [("true", pytest.fail), ("", pytest.skip)])
def test_without_any_it_says_so(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    commands: list[list[str]],
    ci: str,
    end: Any,
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(end.Exception, match="There is no browser to test with"):
        browser.demand_chromium(_playwright(path / "none"))
    assert commands
