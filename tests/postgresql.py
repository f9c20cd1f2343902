"""A PostgreSQL server for the tests: its own data directory and port, on loopback."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WITHIN_S = 60
_SYSTEM_USER = "postgres"


def programs() -> Path | None:
    """Return the folder of ``initdb`` and ``pg_ctl``; Debian keeps them off the path."""
    candidates = [shutil.which("initdb"), *map(str, _debian())]
    found = [Path(each).resolve().parent for each in candidates if each]
    return next((each for each in found if (each / "pg_ctl").exists()), None)


def _debian() -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)


class Server:
    """A server that is started once, and gives every test a database of its own."""

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="hypernb-pg-"))
        self._data = self._folder / "data"
        self._durable = durable
        self._numbers = itertools.count(1)
        self.port = _free_port()

    def start(self) -> None:
        """Make the data directory and start the server."""
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(self._folder, _SYSTEM_USER)
        self._run(
            "initdb", "-D", str(self._data), "-U", "hypernb", "-A", "trust", "-N", "-E", "UTF8"
        )
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "on" if self._durable else "off",
            "max_connections": 200,
        }
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(lines)
        self._run(
            "pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"), "start"
        )

    def stop(self) -> None:
        """Stop the server and remove its data."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self) -> None:
        """Stop the server at once, as a crash would, and start it again."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")
        self._run(
            "pg_ctl", "-D", str(self._data), "-w", "-l", str(self._folder / "log"), "start"
        )

    def database(self) -> str:
        """Make a database; return its URL."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql://hypernb@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        self.execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement; return its rows, if it gives any."""
        import psycopg

        place = f"host=127.0.0.1 port={self.port} user=hypernb dbname={database}"
        with psycopg.connect(place, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        environ: Mapping[str, str] = {**os.environ, "LC_ALL": "C"}
        terms: dict[str, Any] = {}
        if os.geteuid() == 0:
            terms = {"user": _SYSTEM_USER, "group": _SYSTEM_USER, "extra_groups": []}
        # A server that inherits a pipe keeps it open for as long as it runs.
        with (self._folder / f"{program}.out").open("w+") as said:
            code = subprocess.run(
                command,
                cwd=self._folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=_WITHIN_S,
                check=False,
                **terms,
            ).returncode
            said.seek(0)
            if code:
                raise RuntimeError(f"{' '.join(command)} failed:\n{said.read()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve() -> Iterator[Server]:
    """Start a server for a session of tests; where there is none, skip, but not in CI."""
    binaries = programs()
    if binaries is None:
        said = "there is no PostgreSQL here: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    server = Server(binaries)
    server.start()
    try:
        yield server
    finally:
        server.stop()
