"""Several processes on one store: killed, racing, starved of disk, without permission."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hypernb.model import AgentWork, PlanSpec, RunnerId, TaskSpec, TaskState
from hypernb.store import SqlStore, restore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., subprocess.Popen[str]]

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals and limits are POSIX's"),
    # Several interpreters start in each test, perhaps on a busy machine.
    pytest.mark.timeout(90),
]

SPEC = PlanSpec(
    goal="count",
    tasks=tuple(TaskSpec(name=f"t{number}", work=AgentWork()) for number in range(300)),
)

# What every child begins with.
PRELUDE = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from hypernb.abc import Payload
from hypernb.errors import StoreError
from hypernb.model import *
from hypernb.store import SigningKey, SqlStore, process_facts

def say(*words):
    print(*words, flush=True)

path = Path(sys.argv[1])
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYPERNB_DB", raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Start a Python process on the store; its first argument is the path."""
    children: list[subprocess.Popen[str]] = []

    def spawn(code: str, *, at: Path = path) -> subprocess.Popen[str]:
        script = PRELUDE + textwrap.dedent(code)
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(at)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.kill()
        child.communicate()


def _end(child: subprocess.Popen[str], said: str = "") -> list[str]:
    out, err = child.communicate(said, timeout=60)
    assert child.returncode == 0, err
    return out.split()


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def _numbers(store: SqlStore) -> list[int]:
    return [event.seq for event in store.events(limit=1_000_000)]


# -- a runner is killed ------------------------------------------------------------------

RUNNER = """
store = SqlStore(path)
mission = store.mission("m-1")
resource, hour = f"mission:{mission.id}", timedelta(hours=1)
lease = store.take_lease(resource, RunnerId("r-1"), hour, process_facts())
now = datetime.now(UTC)
started = Change("mission.started", now, mission_state=MissionState.RUNNING)
store.commit(mission.id, lease, [started])
for task in store.tasks(mission.id):
    output = store.put_artifact(Payload("text/plain", task.name.encode()))
    store.commit(mission.id, lease, [
        Change("task.readied", now, task.id, task_state=TaskState.READY),
        Change("task.started", now, task.id, 1, task_state=TaskState.RUNNING,
               attempt_state=AttemptState.RUNNING),
        Change("task.finished", now, task.id, 1, task_state=TaskState.SUCCEEDED,
               attempt_state=AttemptState.SUCCEEDED, output=output, text=f"word {task.name}"),
    ])
    say(task.name)
say("done")
"""


@pytest.mark.parametrize("after", [1, 17, 60], ids=lambda many: f"after {many} commits")
def test_killed_runner_loses_nothing(path: Path, start: Start, after: int) -> None:
    store = SqlStore(path)
    mission = store.create_mission(SPEC, by="ada")
    store.approve(mission.id, revision=1, plan_hash=mission.plan_hash, by="ada")
    runner = start(RUNNER)
    acknowledged = [_line(runner) for _ in range(after)]
    runner.send_signal(signal.SIGKILL)
    said = runner.communicate()[0].split()

    assert store.check() == []
    assert _numbers(store) == list(range(1, store.last_seq() + 1))
    tasks = store.tasks(mission.id)
    done = {task.name for task in tasks if task.state is TaskState.SUCCEEDED}
    # Whatever it said is there; one commit more may have been under way.
    assert done >= {*acknowledged, *said} - {"done"}
    assert {task.state for task in tasks} <= {TaskState.SUCCEEDED, TaskState.PENDING}
    told = [event.task for event in store.events(kinds=["task.finished"])]
    assert sorted(map(str, told)) == sorted(done)
    assert all(store.artifact(task.output)[1] for task in tasks if task.output)
    store.close()


def test_lease_of_killed_runner_is_free_at_once(path: Path, start: Start) -> None:
    from datetime import timedelta

    with closing(SqlStore(path)) as store:
        mission = store.create_mission(SPEC, by="ada")
        runner = start(RUNNER)
        _line(runner)
        resource = f"mission:{mission.id}"
        hour = timedelta(hours=1)
        assert store.take_lease(resource, RunnerId("r-2"), hour, {}) is None
        runner.kill()
        runner.wait()
        taken = store.take_lease(resource, RunnerId("r-2"), hour, {})
        assert taken is not None
        assert taken.token == 2


# -- several processes write -------------------------------------------------------------


def test_processes_append_without_gaps(path: Path, start: Start) -> None:
    SqlStore(path).close()
    code = """
    store = SqlStore(path)
    say("ready"); sys.stdin.readline()
    for number in range(150):
        say(store.record("runner.started", {"pid": os.getpid(), "n": number}))
    store.close()
    """
    children = [start(code) for _ in range(3)]
    assert [_line(child) for child in children] == ["ready"] * 3
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [int(word) for child in children for word in _end(child)]
    with closing(SqlStore(path)) as store:
        assert sorted(said) == _numbers(store) == list(range(1, 451))
        orders = [
            [
                event.payload["n"]
                for event in store.events()
                if event.payload["pid"] == child.pid
            ]
            for child in children
        ]
    assert orders == [list(range(150))] * 3


def test_processes_open_a_fresh_file_at_once(path: Path, start: Start) -> None:
    code = """
    say("ready"); sys.stdin.readline()
    store = SqlStore(path)
    say(store.record("runner.started", {}), SigningKey.load().sign("x", "y"))
    store.close()
    """
    children = [start(code) for _ in range(4)]
    assert [_line(child) for child in children] == ["ready"] * 4
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [_end(child) for child in children]
    assert sorted(number for number, _ in said) == ["1", "2", "3", "4"]
    assert len({signature for _, signature in said}) == 1
    with closing(SqlStore(path)) as store:
        assert store.check() == []


def test_another_process_sees_each_commit(path: Path, start: Start) -> None:
    with closing(SqlStore(path)) as store:
        child = start(
            """
            store = SqlStore(path)
            store.changed()
            say("watching")
            last = 0
            while last < 20:
                if store.changed():
                    for event in store.events(after=last):
                        last = event.seq
                        say(last)
            """
        )
        assert _line(child) == "watching"
        for _ in range(20):
            store.record("runner.started", {})
        assert _end(child) == [str(number) for number in range(1, 21)]


# -- backup while a mission runs ---------------------------------------------------------


def test_backup_is_consistent_while_others_write(
    path: Path, start: Start, tmp_path: Path
) -> None:
    with closing(SqlStore(path)) as store:
        mission = store.create_mission(SPEC, by="ada")
        runner = start(RUNNER)
        _line(runner)
        saved = [store.backup(tmp_path / f"{number}.hypernb-backup") for number in range(3)]
        assert _end(runner)[-1] == "done"
        assert {task.state for task in store.tasks(mission.id)} == {TaskState.SUCCEEDED}
    for backup in saved:
        with closing(SqlStore(restore(backup, tmp_path / f"{backup.name}.db"))) as copy:
            assert copy.check() == []
            done = [
                task for task in copy.tasks(mission.id) if task.state is TaskState.SUCCEEDED
            ]
            told = copy.events(kinds=["task.finished"], limit=1000)
            assert len(done) == len(told)


# -- no room, no permission --------------------------------------------------------------


def test_full_disk_is_said_and_loses_nothing(path: Path, start: Start) -> None:
    with closing(SqlStore(path)) as store:
        store.record("runner.started", {})
    child = start(
        """
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = SqlStore(path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
        written = 1
        try:
            while True:
                store.record("tool.returned", {"text": "x" * 50_000})
                written += 1
        except StoreError as error:
            say(type(error).__name__, written, store.last_seq())
        try:
            store.put_artifact(Payload("text/plain", b"x" * 2_000_000))
        except StoreError as error:
            say(type(error).__name__, "full" in str(error))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        say(store.record("runner.stopped", {}) == written + 1)
        """
    )
    kind, written, last, other, full, goes_on = _end(child)
    assert (kind, other) == ("StoreUnavailableError", "StoreUnavailableError")
    assert written == last
    assert (full, goes_on) == ("True", "True")
    with closing(SqlStore(path)) as store:
        assert store.check() == []
        assert _numbers(store) == list(range(1, int(written) + 2))


# Permissions do not bind root, so as root the child becomes somebody else for a while; what it
# needs is imported before, because that one may not read this Python.
TRY = """
import alembic.command, platformdirs, sqlalchemy.dialects.sqlite
SqlStore(path.with_name("warm.db")).close()
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
try:
    store = SqlStore(path)
    say("opened", len(store.missions()), len(store.query("SELECT * FROM missions")[1]))
    store.record("runner.started", {})
    say("written")
except StoreError as error:
    say(type(error).__name__, str(error).replace(" ", "_"))
finally:
    os.seteuid(os.getuid())
"""


@pytest.fixture
def path_of_somebody() -> Iterator[Path]:
    """A path in a folder that belongs to whoever the child becomes."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        yield Path(folder) / "store.db"
        Path(folder).chmod(0o755)


@pytest.fixture
def theirs(path_of_somebody: Path) -> Path:
    """A store with a mission, of whoever the child becomes."""
    with closing(SqlStore(path_of_somebody)) as store:
        store.create_mission(SPEC, by="ada")
    if os.geteuid() == 0:
        os.chown(path_of_somebody, 65534, 65534)
    return path_of_somebody


def test_read_only_database_can_be_read(theirs: Path, start: Start) -> None:
    theirs.chmod(0o444)
    words = _end(start(TRY, at=theirs))
    assert words[:4] == ["opened", "1", "1", "StoreUnavailableError"]
    assert "read-only" in words[4]


def test_folder_without_permission_says_so(path_of_somebody: Path, start: Start) -> None:
    SqlStore(path_of_somebody.with_name("warm.db")).close()
    path_of_somebody.parent.chmod(0o555)
    words = _end(start(TRY, at=path_of_somebody))
    assert words[0] == "StoreUnavailableError"
    assert "no_permission" in words[1]


def test_database_of_somebody_else_says_so(theirs: Path, start: Start) -> None:
    theirs.chmod(0o000)
    words = _end(start(TRY, at=theirs))
    assert words[0] == "StoreUnavailableError"
    assert "no_permission" in words[1]
