"""Connections between a page and its kernel that do not wait before they send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_server.services.kernels.connection.base import BaseKernelWebsocketConnection


def sending_at_once(
    connection: type[BaseKernelWebsocketConnection],
) -> type[BaseKernelWebsocketConnection]:
    """Make a class of connections that turns Nagle's algorithm (RFC 896) off for its socket.

    With it a message that follows another waits until the browser has confirmed that, and a
    browser that has nothing to say confirms after 40 ms (RFC 1122, 4.2.3.2).

    Args:
        connection: The server's class: jupyter_server's own, a gateway's, or one that somebody
            has configured. All else about it stays, its configuration too.
    """

    class SendingAtOnce(connection):  # type: ignore[misc, valid-type]  # known when a server runs
        def connect(self) -> Any:
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    return SendingAtOnce
