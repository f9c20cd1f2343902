"""hypernb in a real Jupyter server: what a kernel says is sent to the page at once."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.e2e.jupyter import Jupyter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Tells of each connection to a kernel whether its socket waits before it sends.
SHOWS = """
import json, socket
from jupyter_server.base.handlers import APIHandler
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.web import authenticated

class Shows(APIHandler):
    @authenticated
    def get(self):
        told = []
        for each in ZMQChannelsWebsocketConnection._open_sockets:
            tcp = each.websocket_handler.ws_connection.stream.socket
            at_once = bool(tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            told.append({"at_once": at_once, "is_own": hasattr(each, "own")})
        self.finish(json.dumps(told))

def _jupyter_server_extension_points():
    return [{"module": "shows"}]

def _load_jupyter_server_extension(app):
    app.web_app.add_handlers(".*", [("/api/shows", Shows)])
"""
OWN = """
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

class Own(ZMQChannelsWebsocketConnection):
    own = True
"""


@contextmanager
def a_server(folder: Path, *arguments: str) -> Iterator[Jupyter]:
    """Run a Jupyter server that can be asked about its connections."""
    for name, text in {"shows": SHOWS, "own": OWN}.items():
        (folder / f"{name}.py").write_text(text)
    shows = "--ServerApp.jpserver_extensions=shows=True"
    server = Jupyter(folder, arguments=(shows, *arguments))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def connections(server: Jupyter) -> Any:
    """Return what a server has of connections while a page is connected to a new kernel."""
    kernel = server.ask("kernels", "POST")["id"]
    address = f"ws://127.0.0.1:{server.port}/api/kernels/{kernel}/channels?session_id=page"
    request = HTTPRequest(address, headers={"Authorization": f"token {server.token}"})

    async def while_connected() -> Any:
        page = await websocket_connect(request)
        # A server accepts a page before it connects it; what a kernel says comes after both.
        await page.read_message()
        told = await asyncio.to_thread(server.ask, "shows")
        page.close()
        while await page.read_message() is not None:
            pass  # It is closed when the server has closed it too.
        return told

    return asyncio.run(while_connected())


@pytest.fixture(autouse=True)
def _modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = (str(tmp_path), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))


def test_what_a_kernel_says_is_sent_to_the_page_at_once(tmp_path: Path) -> None:
    with a_server(tmp_path) as server:
        assert connections(server) == [{"at_once": True, "is_own": False}]


def test_a_class_of_connections_that_somebody_configured_stays(tmp_path: Path) -> None:
    own = "--ServerApp.kernel_websocket_connection_class=own.Own"
    with a_server(tmp_path, own) as server:
        assert connections(server) == [{"at_once": True, "is_own": True}]


def test_disabling_the_extension_leaves_a_server_as_it_was(tmp_path: Path) -> None:
    off = "--ServerApp.jpserver_extensions=hypernb.server=False"
    with a_server(tmp_path, off) as server:
        assert connections(server) == [{"at_once": False, "is_own": False}]
