"""The same engine on a PostgreSQL server: runners of several machines share one store."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.errors import ConfigError, StoreUnavailableError
from hypernb.plan import Plan
from hypernb.session import Session
from hypernb.store import SqlStore

if TYPE_CHECKING:
    from hypernb.model import MissionRecord
    from tests.integration.engine.conftest import Bench
    from tests.postgresql import Server

pytestmark = pytest.mark.timeout(180)

OTHER_MACHINE = """
import platform, sys
platform.node = lambda: "other-machine"
from hypernb.engine.__main__ import main
sys.exit(main())
"""


def trace(ledger: str, name: str) -> str:
    with Path(ledger).open("a") as book:
        book.write(f"{name}\n")
    threading.Event().wait(0.02)
    return name


def layered(bench: Bench, goal: str, *, layers: int = 4, wide: int = 4) -> Plan:
    plan = Plan(goal, root=bench.root, concurrency=4)
    before: list[str] = []
    for layer in range(layers):
        names = [f"l{layer}n{place}" for place in range(wide)]
        for name in names:
            plan.add(
                name, trace, str(bench.root / "ledger"), f"{goal}/{name}", needs=before[:2]
            )
        before = names
    return plan


def runs(bench: Bench) -> Counter[str]:
    return Counter((bench.root / "ledger").read_text().split("\n")[:-1])


def all_succeeded(bench: Bench, *missions: MissionRecord) -> bool:
    return all(bench.finished(each).state.value == "succeeded" for each in missions)


@pytest.mark.parametrize("executor", ["process", "inline"])
def test_mission_runs_on_a_server(server_bench: Bench, executor: str) -> None:
    mission = server_bench.run(layered(server_bench, "one"), executor=executor)
    assert mission.state.value == "succeeded"
    assert server_bench.output(mission, "l3n3") == "one/l3n3"
    assert set(runs(server_bench).values()) == {1}
    assert server_bench.store.check() == []


def test_killed_runner_is_followed_by_the_next(server_bench: Bench) -> None:
    mission = server_bench.approve(layered(server_bench, "one", layers=12))
    process = server_bench.process()
    server_bench.until(
        lambda: server_bench.states(mission)["l3n0"] == "succeeded", "the fourth layer"
    )
    done = {
        name for name, state in server_bench.states(mission).items() if state == "succeeded"
    }
    process.kill()
    process.wait()
    before = runs(server_bench)
    server_bench.process()
    assert all_succeeded(server_bench, mission)
    after = runs(server_bench)
    assert all(after[f"one/{name}"] == before[f"one/{name}"] for name in done)
    assert server_bench.store.check() == []


def test_runners_of_two_machines_share_the_missions(server_bench: Bench) -> None:
    server_bench.process(concurrency=2)
    server_bench.process("-c", OTHER_MACHINE, concurrency=2)
    server_bench.until(
        lambda: len(server_bench.store.leases("runner:")) == 2, "the second runner"
    )
    missions = [
        server_bench.approve(layered(server_bench, f"m{number}")) for number in range(12)
    ]
    assert all_succeeded(server_bench, *missions)
    assert set(runs(server_bench).values()) == {1}
    runners = {
        attempt.runner_id
        for each in missions
        for attempt in server_bench.store.attempts(each.id)
    }
    assert len(runners) == 2
    events = server_bench.store.events(limit=100_000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


def test_mission_runs_where_its_directory_is(server_bench: Bench) -> None:
    # The other machine has no such directory; here it is told so by a mount of its own name.
    elsewhere = OTHER_MACHINE.replace(
        "import platform, sys",
        "import pathlib, platform, sys\n"
        "is_dir = pathlib.Path.is_dir\n"
        f"gone = {str(server_bench.root)!r}\n"
        "pathlib.Path.is_dir = lambda path: str(path) != gone and is_dir(path)",
    )
    server_bench.process("-c", elsewhere)
    server_bench.until(lambda: server_bench.store.leases("runner:"), "the runner elsewhere")
    server_bench.process()
    server_bench.until(
        lambda: len(server_bench.store.leases("runner:")) == 2, "the second runner"
    )
    hosts = {each.holder: each.facts["host"] for each in server_bench.store.leases("runner:")}
    missions = [
        server_bench.approve(layered(server_bench, f"m{number}")) for number in range(4)
    ]
    assert all_succeeded(server_bench, *missions)
    attempts = [server_bench.store.attempts(mission.id) for mission in missions]
    ran = {hosts[each.runner_id] for some in attempts for each in some if each.runner_id}
    assert ran == {platform.node()}


def test_stop_reaches_the_runners_of_all_machines(server_bench: Bench) -> None:
    processes = [server_bench.process(), server_bench.process("-c", OTHER_MACHINE)]
    server_bench.until(
        lambda: len(server_bench.store.leases("runner:")) == 2, "the second runner"
    )
    with Session(server_bench.store.url, root=server_bench.root) as session:
        assert session.stop()
    assert [process.wait(timeout=30) for process in processes] == [0, 0]


def test_server_that_crashes_costs_no_finished_task(
    server_bench: Bench, postgresql: Server
) -> None:
    mission = server_bench.approve(layered(server_bench, "one", layers=12))
    first = server_bench.process()
    server_bench.until(
        lambda: server_bench.states(mission)["l2n0"] == "succeeded", "the third layer"
    )
    states = server_bench.states(mission)
    finished = {f"one/{name}" for name, state in states.items() if state == "succeeded"}
    postgresql.restart()
    assert all_succeeded(server_bench, mission)
    assert first.poll() is None  # it has waited for the server
    assert server_bench.store.check() == []
    times = runs(server_bench)
    assert {task for task in finished if times[task] != 1} == set()
    assert max(times.values()) <= 2  # what was under way ran at most once more


def persist(ledger: str, go: str) -> int:
    with Path(ledger).open("a") as book:
        book.write("tried\n")
    tries = len(Path(ledger).read_text().splitlines())
    while not Path(f"{go}{tries}").exists():
        threading.Event().wait(0.02)
    return tries


def cut_off(bench: Bench, server: Server, go: Path) -> None:
    """Have the server end the connection in the middle of the commit of what a task did."""
    import psycopg

    from hypernb.store.postgres._backend import _LOCK

    name = bench.store.url.rpartition("/")[2]
    waiting = "FROM pg_stat_activity WHERE datname = %s AND wait_event = 'advisory'"
    place = f"host=127.0.0.1 port={server.port} user=hypernb dbname={name}"
    with psycopg.connect(place, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        go.touch()
        bench.until(
            lambda: other.execute(f"SELECT pid {waiting}", [name]).fetchall(), "a commit"
        )
        other.execute(f"SELECT pg_terminate_backend(pid) {waiting}", [name])


def until_it_runs(bench: Bench, mission: MissionRecord, tries: int) -> None:
    ledger = bench.root / "ledger"
    bench.until(lambda: ledger.exists() and runs(bench)["tried"] == tries, "the next try")
    bench.until(lambda: bench.states(mission)["one"] == "running", "its start")


def test_outages_that_a_runner_outlives_are_no_evidence_against_a_task(
    server_bench: Bench, postgresql: Server
) -> None:
    ledger, go = server_bench.root / "ledger", server_bench.root / "go"
    plan = Plan("persist", root=server_bench.root).add("one", persist, str(ledger), str(go))
    mission = server_bench.approve(plan)
    # It writes nothing but what the task does: no signs of life, no renewals.
    server_bench.process(heartbeat_s=60, lease_s=120)
    for tries in range(1, 4):
        until_it_runs(server_bench, mission, tries)
        cut_off(server_bench, postgresql, go.with_name(f"go{tries}"))
    go.with_name("go4").touch()
    assert all_succeeded(server_bench, mission)
    states = [each.state.value for each in server_bench.attempts(mission, "one")]
    assert states == [*["cancelled"] * 3, "succeeded"]
    assert server_bench.store.check() == []


def test_task_goes_on_while_the_server_is_restarted(
    server_bench: Bench, postgresql: Server
) -> None:
    ledger, go = server_bench.root / "ledger", server_bench.root / "go"
    plan = Plan("persist", root=server_bench.root).add("one", persist, str(ledger), str(go))
    plan.add("two", abs, -2, needs=["one"])
    mission = server_bench.approve(plan)
    runner = server_bench.process(heartbeat_s=0.1, lease_s=2)
    until_it_runs(server_bench, mission, 1)
    for _ in range(3):
        postgresql.restart()
    go.with_name("go1").touch()
    assert all_succeeded(server_bench, mission)
    assert runner.poll() is None
    assert [each.state.value for each in server_bench.attempts(mission, "one")] == ["succeeded"]
    assert server_bench.output(mission, "two") == 2
    assert server_bench.store.check() == []


TAIL = """
import sys
from hypernb.session._following import Follower
from hypernb.store import SqlStore
store = SqlStore(sys.argv[1])
print("ready", flush=True)
for event in Follower(store).events(None, after=0, timeout_s=60):
    print(event.seq, event.kind, flush=True)
    if event.kind == "mission.finished":
        break
"""


def test_other_processes_hear_of_every_commit(server_bench: Bench) -> None:
    command = [sys.executable, "-c", TAIL, server_bench.store.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        mission = server_bench.run(layered(server_bench, "one"))
        said = reader.stdout.read().splitlines()
    assert mission.state.value == "succeeded"
    seqs = [int(line.split()[0]) for line in said]
    assert seqs == list(range(1, len(seqs) + 1))
    assert said[-1].endswith("mission.finished")


def test_session_and_magic_words_work_on_a_server(
    server_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYPERNB_RUNNER", "inprocess")
    with Session(server_bench.store.url, root=server_bench.root) as session:
        mission = session.start(layered(server_bench, "one"), approve=True)
        mission.wait(60)
        assert mission.state.value == "succeeded"
        assert [hit.mission for hit in session.find("one")][:1] == [mission.id]
        frame = session.sql("select state, count(*) as many from tasks group by 1")
        assert frame.to_dict("records") == [{"state": "succeeded", "many": 16}]
        assert [check.what for check in session.doctor() if not check.ok] == []
        with pytest.raises(Exception, match="pg_dump"):
            session.backup()
        assert session.logs(mission.id)
        session.stop()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:geheim@127.0.0.1/x",  # pragma: allowlist secret
        "postgresql://ana@127.0.0.1/x?password=geheim",  # pragma: allowlist secret
    ],
)
def test_password_in_a_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="cannot hold a password"):
        SqlStore(url)


def test_server_that_is_not_there_is_named() -> None:
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        SqlStore("postgresql://ana@127.0.0.1:9/x")


def test_database_that_is_not_there_is_named(postgresql: Server) -> None:
    with pytest.raises(StoreUnavailableError, match="does not exist"):
        SqlStore(f"postgresql://hypernb@127.0.0.1:{postgresql.port}/nowhere")


def test_database_of_another_program_is_left_alone(postgresql: Server) -> None:
    url = postgresql.database()
    name = url.rpartition("/")[2]
    postgresql.execute("CREATE TABLE theirs (x int)", name)
    with pytest.raises(StoreUnavailableError, match="another program"):
        SqlStore(url)
    found: list[Any] = postgresql.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'", name
    )
    assert found == [(1,)]
    postgresql.drop(url)


def test_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("hypernb.store.postgres._b")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnavailableError, match="psycopg"):
        SqlStore("postgresql://ana@127.0.0.1/x")


def test_writer_that_stands_still_is_cut_off(postgresql: Server) -> None:
    url = postgresql.database()
    stuck = SqlStore(url, busy_timeout_s=1.0)
    other = SqlStore(url, busy_timeout_s=30.0)

    def stand_still() -> None:
        with stuck._database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO resources (name) VALUES ('mine')")
            # As a process that was stopped: it does nothing, and does not go away.
            other.limit_resource("theirs", at_once=1)
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreUnavailableError):
        stand_still()
    assert [use.resource.name for use in other.resources()] == ["theirs"]
    for store in (stuck, other):
        store.close()
    postgresql.drop(url)


def test_url_may_name_its_place_in_its_query(postgresql: Server) -> None:
    url = postgresql.database()
    name = url.rpartition("/")[2]
    store = SqlStore(f"postgresql://hypernb@/{name}?host=127.0.0.1&port={postgresql.port}")
    assert store.changed()
    assert store.query("SELECT 1")[1] == [(1,)]
    store.checkpoint()
    store.close()
    postgresql.drop(url)


def test_no_url_is_named() -> None:
    with pytest.raises(StoreUnavailableError, match="no URL of a database"):
        SqlStore("postgresql://host:abc/x")
