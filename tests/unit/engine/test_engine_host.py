"""Hosting a runner, and the clock that tests advance."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from hypernb.engine import InProcessHost, RunnerEnd, RunnerSettings
from hypernb.engine.__main__ import main
from hypernb.errors import StoreError
from hypernb.testing import FakeClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))


def test_host_of_a_damaged_store_says_so(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    path.write_bytes(b"this is no database" * 100)
    host = InProcessHost(f"sqlite:///{path}")
    with pytest.raises(StoreError):
        host.start()
    assert not host.is_alive


def test_host_can_be_started_and_stopped_again(tmp_path: Path) -> None:
    settings = RunnerSettings(executor="thread", backups=0)
    host = InProcessHost(f"sqlite:///{tmp_path / 'h.db'}", settings)
    for _ in range(2):
        host.start()
        host.start()
        host.stop()
        assert (host.is_alive, host.end, host.error) == (False, RunnerEnd.STOPPED, None)
    host.stop()


def test_runner_of_no_store_ends_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "h.db").write_bytes(b"this is no database" * 100)
    assert main(["--store", str(tmp_path / "h.db")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_idle_runner_ends_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_IDLE_S", "0.05")
    monkeypatch.setenv("HYPERNB_EXECUTOR", "thread")
    assert main(["--store", str(tmp_path / "h.db")]) == 0


def test_fake_clock_wakes_whoever_is_due() -> None:
    woken: list[str] = []

    async def sleeper(clock: FakeClock, name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async def work() -> None:
        clock = FakeClock()
        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper(clock, "late", 20))
            group.create_task(sleeper(clock, "soon", 10))
            group.create_task(sleeper(clock, "now", 0))
            while clock.sleepers < 2:
                await asyncio.to_thread(lambda: None)
            clock.advance(10)
            while clock.sleepers > 1 or len(woken) < 2:
                await asyncio.to_thread(lambda: None)
            clock.advance(10)
        assert (clock.now() - FakeClock().now()).total_seconds() == 20

    asyncio.run(asyncio.wait_for(work(), 20))
    assert woken == ["now", "soon", "late"]
