"""Whether clicks are taken at once: decided by what the running kernel is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hypernb.widgets import _clicks
from hypernb.widgets._clicks import click_facts, route_clicks


class Kernel:
    _supports_kernel_subshells = True


class PlainComm:
    pass


class RoutingComm:
    def _reply_subshell_for(self, data: object, default: object) -> object:
        del data, default
        return "the shell that published last"


def _with(monkeypatch: pytest.MonkeyPatch, kernel: Any, version: tuple[int, ...]) -> None:
    monkeypatch.setattr(_clicks, "current_kernel", lambda: kernel)
    monkeypatch.setattr(_clicks, "_version", lambda: version)


def test_clicks_are_taken_at_once_by_a_kernel_with_subshells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _with(monkeypatch, Kernel(), (7, 2))
    assert click_facts(PlainComm()) == {"at_once": True, "why": ""}


def test_a_comm_that_routes_by_itself_is_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, Kernel(), (7, 4))
    comm = RoutingComm()
    assert not click_facts(comm)["at_once"]
    route_clicks(comm)
    assert comm._reply_subshell_for({}, "where it was sent") == "where it was sent"
    assert click_facts(comm)["at_once"]


def test_a_comm_without_routes_is_left_alone() -> None:
    comm = PlainComm()
    route_clicks(comm)
    assert vars(comm) == {}


@pytest.mark.parametrize(
    ("kernel", "version", "why"),
    [
        (None, (7, 4), "no Jupyter kernel"),
        (object(), (6, 29), r"ipykernel 6\.29.*Install ipykernel 7\.1"),
        (object(), (7, 3), "Subshells are turned off"),
    ],
)
def test_where_clicks_wait_the_reason_and_the_remedy_are_said(
    monkeypatch: pytest.MonkeyPatch, kernel: Any, version: tuple[int, ...], why: str
) -> None:
    _with(monkeypatch, kernel, version)
    facts = click_facts(None)
    assert not facts["at_once"]
    assert re.search(why, facts["why"])


def test_the_version_is_that_of_the_kernel_here() -> None:
    assert _clicks._version() >= (7, 1)
