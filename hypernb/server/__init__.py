"""What hypernb does in a Jupyter server: what a kernel says is sent to the page at once.

Jupyter servers find it by themselves where hypernb is installed in the server's environment
(`jupyter server extension list`); everything else of hypernb works without it.
``jupyter server extension disable hypernb.server`` leaves a server as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

_SETTING = "kernel_websocket_connection_class"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Name the module that a server loads, as jupyter_server's documentation asks for."""
    return [{"module": "hypernb.server"}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """Have connections that a server opens from now on send what they have at once."""
    from hypernb.server._connections import sending_at_once

    made = sending_at_once(app.web_app.settings[_SETTING])
    app.web_app.settings[_SETTING] = app.kernel_websocket_connection_class = made
