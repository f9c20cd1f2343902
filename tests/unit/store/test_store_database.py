from __future__ import annotations

import _thread
import errno
import gc
import os
import pickle
import signal
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from hypernb.errors import (
    ConfigError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
    UnknownMissionError,
    UsageError,
)
from hypernb.model import AgentWork, MissionId, PlanSpec, TaskSpec
from hypernb.store import SqlStore
from hypernb.store._failures import told, told_of_file
from hypernb.store._locking import require_locks
from hypernb.store._sqlite import SqliteBackend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPEC = PlanSpec(goal="count", tasks=(TaskSpec(name="a", work=AgentWork()),))


def _pragma(store: SqlStore, name: str) -> object:
    with store._database.reading() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


# -- settings ----------------------------------------------------------------------------


def test_outputs_are_on_the_disk_with_the_commit_that_names_them(store: SqlStore) -> None:
    # In WAL mode a commit's sync is one of the whole log, with all that was written before.
    with store._database.writing(ahead=True) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    with store._database.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_acknowledged_writes_survive_a_power_cut(store: SqlStore) -> None:
    assert _pragma(store, "synchronous") == 2
    assert _pragma(store, "foreign_keys") == 1
    assert _pragma(store, "trusted_schema") == 0


def test_setting_trades_safety_for_speed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_SYNCHRONOUS", "normal")
    with closing(SqlStore(path)) as store:
        assert _pragma(store, "synchronous") == 1
    with closing(SqlStore(path, synchronous="FULL")) as store:
        assert _pragma(store, "synchronous") == 2


def test_unknown_setting_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYPERNB_SYNCHRONOUS", "FUL")
    with pytest.raises(ConfigError, match="Did you mean 'FULL'"):
        SqlStore(path)


# -- what is in the way ------------------------------------------------------------------


def test_locked_database_says_so(store: SqlStore, path: Path) -> None:
    impatient = SqlStore(path, busy_timeout_s=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError, match=r"locked.*waited 0\.05 s.*try again"):
            impatient.record("runner.started", {})
        assert impatient.events() == []
        other.execute("ROLLBACK")
    impatient.record("runner.started", {})
    impatient.close()
    assert store.last_seq() == 1


def test_who_will_not_wait_is_refused_at_once_and_can_wait_again(
    store: SqlStore, path: Path
) -> None:
    database = SqliteBackend(path, synchronous=None, busy_timeout_s=20.0)
    with closing(database), closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(StoreUnavailableError, match=r"locked.*waited 0 s"),
            database.writing(patient=False),
        ):
            pytest.fail("nobody may write now")
        other.execute("ROLLBACK")
        with database.writing() as connection:
            timeout = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        assert timeout == 20_000
        with database.writing(patient=False):
            pass
    assert store.last_seq() == 0


def test_who_will_not_wait_for_a_thread_is_refused_at_once(path: Path) -> None:
    store = SqlStore(path)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._database.writing():
            inside.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(20)
    with (
        pytest.raises(StoreUnavailableError, match=r"another thread.*waited 0 s"),
        store._database.writing(patient=False),
    ):
        pytest.fail("nobody may write now")
    done.set()
    thread.join()
    store.close()


def test_close_while_threads_read_takes_nothing_from_them(store: SqlStore) -> None:
    mission = store.create_mission(SPEC, by="ada").id
    enough, failed = threading.Event(), []

    def read() -> None:
        try:
            while not enough.is_set():
                store.changed()
                store.since(mission, after=0)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(200):
        store.close()
        store.changed()
    enough.set()
    for reader in readers:
        reader.join()
    assert failed == []


def test_close_while_a_thread_writes_undoes_nothing(path: Path) -> None:
    store = SqlStore(path)
    inside, done = threading.Event(), threading.Event()

    def write() -> None:
        with store._database.writing() as connection:
            connection.exec_driver_sql("UPDATE counters SET value = 41 WHERE name = 'event'")
            inside.set()
            done.wait(20)

    thread = threading.Thread(target=write)
    thread.start()
    assert inside.wait(20)
    store.close()
    done.set()
    thread.join()
    assert store.last_seq() == 41
    store.close()


def test_thread_that_waits_too_long_says_so(path: Path) -> None:
    store = SqlStore(path, busy_timeout_s=0.05)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store._database.writing():
            inside.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(20)
    with pytest.raises(StoreUnavailableError, match="another thread"):
        store.record("runner.started", {})
    done.set()
    thread.join()
    store.close()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"this is a text, not a database" * 200, id="text"),
        pytest.param(b"\x00" * 8192, id="zeros"),
    ],
)
def test_file_that_is_no_database_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="is not a database"):
        SqlStore(path)
    assert path.read_bytes() == content


def test_damaged_database_says_how_to_mend_it(store: SqlStore, path: Path) -> None:
    for _ in range(50):
        store.create_mission(SPEC, by="ada")
    store.close()
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
    path.write_bytes(content)
    with (
        pytest.raises(StoreCorruptError, match="%hyper restore"),
        closing(SqlStore(path)) as it,
    ):
        it.snapshot(it.missions()[0].id)


def test_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="is a folder"):
        SqlStore(tmp_path)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match=r"no folder .*nowhere'.*mkdir"):
        SqlStore(tmp_path / "nowhere" / "x.db")


def test_value_of_a_later_version_says_so(store: SqlStore) -> None:
    store.create_mission(SPEC, by="ada")
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE missions SET state = 'dreaming'")
    with pytest.raises(StoreCorruptError, match="dreaming"):
        store.missions()


def test_lost_table_says_so(store: SqlStore) -> None:
    with store._database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE leases")
    with pytest.raises(StoreCorruptError, match="leases"):
        store.leases()


def test_lost_counter_says_so(store: SqlStore) -> None:
    with store._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM counters")
    with pytest.raises(StoreCorruptError, match="counter"):
        store.record("runner.started", {})


def test_changed_plan_is_not_returned(store: SqlStore) -> None:
    mission = store.create_mission(SPEC, by="ada")
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE plans SET spec = replace(spec, 'count', 'steal')")
    fresh = SqlStore(store.path)
    with pytest.raises(StoreCorruptError, match="hash"):
        fresh.plan(mission.id)
    fresh.close()


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        pytest.param("SQLITE_FULL", StoreUnavailableError, "disk .* is full", id="full"),
        pytest.param(
            "SQLITE_READONLY_DBMOVED", StoreUnavailableError, "read-only", id="readonly"
        ),
        pytest.param("SQLITE_IOERR_WRITE", StoreUnavailableError, "%hyper doctor", id="io"),
        pytest.param("SQLITE_IOERR_LOCK", StoreUnavailableError, "network", id="network lock"),
        pytest.param("SQLITE_PROTOCOL", StoreUnavailableError, "network", id="protocol"),
        pytest.param("SQLITE_CANTOPEN", StoreUnavailableError, "moved or removed", id="gone"),
        pytest.param("SQLITE_CORRUPT_VTAB", StoreCorruptError, "damaged", id="corrupt"),
        pytest.param("SQLITE_PERM", StoreUnavailableError, "may not", id="permission"),
        pytest.param("SQLITE_MISMATCH", StoreError, "refused", id="anything else"),
    ],
)
def test_driver_errors_become_sentences(
    path: Path, name: str, kind: type[StoreError], said: str
) -> None:
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorname = name
    told_error = told(error, path)
    assert type(told_error) is kind
    with pytest.raises(kind, match=said):
        raise told_error


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("ENOSPC", "full", id="full"),
        pytest.param("EROFS", "no permission", id="read-only"),
        pytest.param("ENOENT", "no folder", id="no folder"),
        pytest.param("EMFILE", "cannot be used", id="anything else"),
    ],
)
def test_system_errors_become_sentences(path: Path, name: str, said: str) -> None:
    import errno

    number = getattr(errno, name)
    assert said in str(told_of_file(OSError(number, os.strerror(number)), path))


# -- life of a handle --------------------------------------------------------------------


def test_removed_database_is_not_made_anew(store: SqlStore, path: Path) -> None:
    store.create_mission(SPEC, by="ada")
    for each in path.parent.glob("store.db*"):
        each.unlink()
    with pytest.raises(StoreUnavailableError, match="gone"):
        store.create_mission(SPEC, by="ada")
    with pytest.raises(StoreUnavailableError, match="gone"):
        store.changed()
    assert not path.exists()


def test_database_that_is_removed_after_it_was_damaged_is_not_made_anew(
    store: SqlStore, path: Path
) -> None:
    store.missions()
    for each in path.parent.glob("store.db*"):
        each.unlink()
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreCorruptError):
        store.missions()
    path.unlink()
    with pytest.raises(StoreUnavailableError, match="is gone"):
        store.missions()
    assert not path.exists()


def test_replaced_database_is_opened(store: SqlStore, path: Path, tmp_path: Path) -> None:
    other = SqlStore(tmp_path / "other.db")
    other.create_mission(SPEC, by="ada")
    other.close()
    assert store.missions() == []
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink()
    (tmp_path / "other.db").replace(path)
    assert [mission.short_id for mission in store.missions()] == ["m-1"]
    assert store.changed()


def test_store_can_be_sent_to_another_process(store: SqlStore) -> None:
    store.create_mission(SPEC, by="ada")
    copy = pickle.loads(pickle.dumps(store))  # noqa: S301 - made here
    assert copy.url == store.url
    assert copy.missions() == store.missions()
    copy.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_store_works_on_both_sides_of_a_fork(store: SqlStore) -> None:
    store.create_mission(SPEC, by="ada")
    store.changed()
    child = os.fork()
    if child == 0:
        try:
            store.record("runner.started", {})
            os._exit(0 if store.changed() and store.last_seq() == 3 else 1)
        except BaseException:  # noqa: BLE001 - a child must not come back into pytest
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.record("runner.stopped", {}) == 4
    assert store.check() == []


def forked(work: Callable[[], bool]) -> int:
    """Do something in a forked child; return 0 if it was as expected."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        except BaseException:  # noqa: BLE001 - a child must not come back into pytest
            os._exit(2)
    return child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_what_a_forked_child_has_written_stays_when_its_parent_closes(
    store: SqlStore, path: Path
) -> None:
    store.record("runner.started", {})
    reading, writing = os.pipe()

    def work() -> bool:
        own = SqlStore(path)
        seqs = [own.record("runner.started", {}) for _ in range(5)]
        os.write(writing, b"x")
        seqs += [own.record("runner.started", {}) for _ in range(200)]
        return seqs == sorted(set(seqs))

    child = forked(work)
    os.read(reading, 1)
    for _ in range(20):  # whoever closes last takes the log away
        store.record("runner.stopped", {})
        store.close()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.last_seq() == 1 + 5 + 200 + 20
    assert len(store.events(limit=1000)) == 226
    assert store.check() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_store_in_use_during_a_fork_is_refused_in_the_child(
    store: SqlStore, path: Path
) -> None:
    def work() -> bool:
        with pytest.raises(StoreUnavailableError, match="in use when this process was forked"):
            SqlStore(path)
        with pytest.raises(StoreUnavailableError, match="spawn"):
            store.record("runner.started", {})
        return True

    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE counters SET value = 7 WHERE name = 'event'")
        child = forked(work)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.record("runner.started", {}) == 8


# An interrupt that arrives while a finalizer runs is told of and not raised, as Python's own.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupt_never_keeps_others_from_writing(store: SqlStore) -> None:
    armed, stop = [False], threading.Event()

    def interrupted(*_signal: object) -> None:
        if armed[0]:
            armed[0] = False
            raise KeyboardInterrupt

    def interrupt() -> None:
        while not stop.wait(0.0021):
            _thread.interrupt_main()

    before = signal.signal(signal.SIGINT, interrupted)
    thread = threading.Thread(target=interrupt)
    thread.start()
    acknowledged = interrupts = 0
    try:
        while acknowledged < 300:
            try:
                armed[0] = True
                store.record("runner.started", {})
                armed[0] = False
                acknowledged += 1
            except KeyboardInterrupt:
                interrupts += 1
    finally:
        stop.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert interrupts > 10
    seqs: list[int] = []
    writer = threading.Thread(target=lambda: seqs.append(store.record("runner.stopped", {})))
    writer.start()
    writer.join(20)
    assert seqs
    assert acknowledged < seqs[0] <= acknowledged + interrupts + 1
    assert store.check() == []


def test_error_while_an_interrupt_is_handled_stays_what_it_is(store: SqlStore) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    def refuse() -> None:
        with store._database.writing():
            raise UsageError("This cannot be.")

    def interrupted() -> None:
        try:
            interrupt()
        except KeyboardInterrupt:
            refuse()

    with pytest.raises(UsageError, match="cannot be"):
        interrupted()
    assert store.record("runner.started", {}) == 1


# From 3.13 on, Python says of a connection that was never closed that it was forgotten, which
# is so here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_forgotten_store_lets_go_of_its_files(path: Path) -> None:
    store = SqlStore(path)
    store.create_mission(SPEC, by="ada")
    store.changed()
    del store
    gc.collect()
    assert not path.with_name("store.db-wal").exists()


def test_thread_that_ends_lets_go_of_its_files(store: SqlStore) -> None:
    thread = threading.Thread(target=store.changed)
    thread.start()
    thread.join()
    gc.collect()
    assert isinstance(store._database, SqliteBackend)
    assert len(store._database._watchers) == 0


def test_store_shows_where_it_is(store: SqlStore, path: Path) -> None:
    assert repr(store) == f"SqlStore({'sqlite:///' + str(path)!r})"
    assert store.url == f"sqlite:///{path}"


def test_interrupted_write_is_undone(store: SqlStore) -> None:
    def write_half() -> None:
        with store._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM counters")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert store.record("runner.started", {}) == 1


def test_mission_that_is_not_there_is_named(store: SqlStore) -> None:
    with pytest.raises(UnknownMissionError):
        store.plan(MissionId("nobody"))


# -- locks -------------------------------------------------------------------------------

fcntl = pytest.importorskip("fcntl", reason="locks are looked at where POSIX has them")
NEEDS_OFD = pytest.mark.skipif(
    not hasattr(fcntl, "F_OFD_SETLK"), reason="only Linux can tell whether its locks hold"
)


def test_folder_in_which_locks_hold_gets_a_database_and_nothing_else(tmp_path: Path) -> None:
    require_locks(tmp_path)
    assert list(tmp_path.iterdir()) == []


@NEEDS_OFD
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param(OSError(errno.ENOLCK, "No locks available"), "No locks", id="refuses"),
        pytest.param(None, "a second writer was let in", id="takes them and does nothing"),
    ],
)
def test_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: OSError | None, why: str
) -> None:
    # No such file system can be made here; this is what fcntl(2) gives on them.
    def lock(*_args: object) -> None:
        if answer is not None:
            raise answer

    monkeypatch.setattr(fcntl, "fcntl", lock)
    with pytest.raises(StoreUnavailableError, match=f"locks do not hold there .*{why}"):
        SqlStore(tmp_path / "h.db")
    assert list(tmp_path.iterdir()) == []
