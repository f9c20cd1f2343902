"""Having a runner: a process of its own by default, or this process."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final, Literal, cast

from hypernb.errors import ConfigError, nearest

if TYPE_CHECKING:
    from hypernb.abc import Store
    from hypernb.engine import InProcessHost

RunnerMode = Literal["process", "inprocess"]
MODES: Final = ("process", "inprocess")

_hosts: dict[str, InProcessHost] = {}
_starting: dict[str, threading.Lock] = {}
_hosts_lock = threading.Lock()


def runner_mode(asked: str | None) -> RunnerMode:
    """Return how missions are hosted: as asked, else ``HYPERNB_RUNNER``, else ``process``.

    Raises:
        ConfigError: It is neither ``process`` nor ``inprocess``.
    """
    mode = asked or os.environ.get("HYPERNB_RUNNER") or "process"
    if mode not in MODES:
        raise ConfigError(f"A runner cannot be hosted as {mode!r}.", hint=nearest(mode, MODES))
    return cast("RunnerMode", mode)


def ensure_runner(store: Store, mode: RunnerMode) -> None:
    """Start a runner for the store unless a live one holds the lease.

    Raises:
        RunnerError: It ended at once; the end of its log is in the message.
    """
    if mode == "inprocess":
        _host_here(store.url)
        return
    if store.leases("runner:"):
        return
    with _hosts_lock:
        starting = _starting.setdefault(store.url, threading.Lock())
    # It takes a moment to be seen, and a second one would wait to take its place.
    with starting:
        if not store.leases("runner:"):
            from hypernb.engine import spawn_runner

            spawn_runner(store.url)


def _host_here(url: str) -> None:
    from hypernb.engine import InProcessHost

    with _hosts_lock:
        host = _hosts.get(url)
        if host is None or not host.is_alive:
            host = InProcessHost(url)
            _hosts[url] = host
            host.start()


def host_here(url: str) -> None:
    """Be the store's runner in the calling thread, until there is nothing to do.

    Raises:
        RunnerError: Another runner holds the store.
    """
    from hypernb.engine import run_runner

    run_runner(url)


def stop_host(url: str) -> None:
    """End this process's own runner for the store, if it has one."""
    with _hosts_lock:
        host = _hosts.pop(url, None)
    if host is not None:
        host.stop()


def _in_child() -> None:
    global _hosts_lock  # noqa: PLW0603 - the one that was inherited may be held for ever
    _hosts_lock = threading.Lock()
    _starting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
