"""A real JupyterLab, or Notebook 7, on a free port, with nothing of whoever runs the tests."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psutil

if TYPE_CHECKING:
    from pathlib import Path

START_WITHIN_S: Final = 60
# What JupyterLab would fetch or ask on its first start.
SETTINGS: Final = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
QUIET: Final = (
    "--LabApp.news_url=None",
    "--LabApp.extension_manager=readonly",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)
_LEFT_OUT: Final = ("HYPERNB_HEADLESS", "HYPERNB_RUNNER", "HYPERNB_VIEWS", "HYPERNB_DB")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Jupyter:
    """A running server, and the folder that it serves.

    Attributes:
        folder: What it serves.
        app: ``lab`` or ``notebook``.
        arguments: More of its command line.
    """

    folder: Path
    app: str = "lab"
    port: int = field(default_factory=_free_port)
    token: str = field(default_factory=lambda: secrets.token_hex(12))
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def root(self) -> Path:
        return self.folder / "work"

    def start(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        for name, values in SETTINGS.items():
            file = self.folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        log = (self.folder / "server.log").open("wb")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", self.app, "--no-browser", "--allow-root"),
                *("--ip=127.0.0.1", f"--port={self.port}", "--ServerApp.port_retries=0"),
                f"--ServerApp.root_dir={self.root}",
                f"--IdentityProvider.token={self.token}",
                "--expose-app-in-browser",
                *QUIET,
                *self.arguments,
            ],
            env=self._environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._await()

    def stop(self) -> None:
        """End the server with all its kernels."""
        if self.process is None:
            return
        tree = [psutil.Process(self.process.pid)]
        tree += tree[0].children(recursive=True)
        for each in tree:
            if each.is_running():
                each.kill()
        self.process.wait()

    def page_of(self, notebook: str, workspace: str) -> str:
        """Address of a notebook; each workspace is a desk of its own."""
        if self.app == "notebook":
            return f"{self.url}/notebooks/{notebook}?token={self.token}"
        return f"{self.url}/lab/workspaces/{workspace}/tree/{notebook}?token={self.token}"

    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    def ask(self, path: str, method: str = "GET") -> Any:
        """Ask the server's REST API."""
        request = urllib.request.Request(  # noqa: S310 (our own server)
            f"{self.url}/api/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (our own server)
            text = answer.read()
        return json.loads(text) if text else None

    def shut_kernels_down(self) -> None:
        for session in self.ask("sessions"):
            self.ask(f"sessions/{session['id']}", "DELETE")

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
        own = {
            "HYPERNB_HOME": self.folder / "home",
            "HYPERNB_BACKUPS": "0",
            "IPYTHONDIR": self.folder / "ipython",
            "JUPYTERLAB_SETTINGS_DIR": self.folder / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.folder / "workspaces",
            "JUPYTER_CONFIG_DIR": self.folder / "config",
            "JUPYTER_DATA_DIR": self.folder / "data",
            "JUPYTER_RUNTIME_DIR": self.folder / "runtime",
        }
        return kept | {name: str(value) for name, value in own.items()}

    def _await(self) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                self.ask("status")
            except OSError:
                _pause()
            else:
                return
        raise RuntimeError(f"jupyter {self.app} did not start:\n{self.log()[-3000:]}")


def _pause() -> None:
    import threading

    threading.Event().wait(0.1)
