"""Having a runner: a process of its own by default, or this process."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Final, Literal, cast

from hypernb.errors import ConfigError, nearest
from hypernb.model import lacking_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from hypernb.abc import Store
    from hypernb.engine import InProcessHost
    from hypernb.session._session import Session

RunnerMode = Literal["process", "inprocess"]
MODES: Final = ("process", "inprocess")

_hosts: dict[str, dict[tuple[str, ...], InProcessHost]] = {}
"""This process's own runners, by their store and their keys."""
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


def ensure_runner(
    store: Store,
    mode: RunnerMode,
    keys: Callable[[], Mapping[str, str]] = dict,
    needed: Collection[str] = (),
) -> None:
    """Start a runner for the store unless a live one has what is needed.

    Args:
        keys: Gives those that this process has, for what it starts; see `keys_to_tell`. Not
            asked for if nothing has to be started.
        needed: Those that must be there for what is to be done, as leases tell them. Where
            this process has not got them either, any runner will do, which then says what
            lacks.

    Raises:
        RunnerError: It ended at once; the end of its log is in the message.
    """
    if mode == "inprocess":
        _host_here(store, keys, needed)
        return
    if has_runner(store, needed):
        return
    with _hosts_lock:
        starting = _starting.setdefault(store.url, threading.Lock())
    # It takes a moment to be seen, and a second one would wait to take its place.
    with starting:
        if not has_runner(store, needed):
            _spawn(store, keys(), needed)


def keys_here(root: Path | None, others: Collection[str] = ()) -> dict[str, str]:
    """Return the keys that this process has, by the name of their variable.

    Args:
        root: The project, whose settings name servers too.
        others: Variables that hold keys besides.
    """
    from hypernb.llm import ModelSettings

    names = set(others)
    # Settings that cannot be read are told of where a model is asked for; missions that ask
    # none run all the same.
    with contextlib.suppress(ConfigError):
        names.update(ModelSettings.load(root).key_names())
    found = {name: os.environ.get(name, "").strip() for name in sorted(names)}
    return {name: key for name, key in found.items() if key}


def keys_to_tell(
    session: Session, needed: Collection[str] = (), environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the keys that a runner is given here, and for which hosts each is meant.

    A plan that was made where its key was not set takes one that is meant for its host: what a
    variable of that name holds in another kernel may be the key of another server.

    Args:
        session: Whose settings say for which hosts.
        needed: As leases tell them.
        environ: Where they are from; the process's if None.

    Returns:
        Keys by the name of their variable, ``NAME``, and by ``NAME@HOST``.
    """
    from hypernb.session._models import settings_of

    names = {each.partition(":")[0] for each in needed}
    places: set[str] = set()
    # Settings that cannot be read say of no key what it is meant for.
    with contextlib.suppress(ConfigError):
        places = settings_of(session, is_named=True).key_hosts()
    names |= {each.partition("@")[0] for each in places}
    here = os.environ if environ is None else environ
    found = {each: here.get(each.partition("@")[0], "").strip() for each in names | places}
    return {each: key for each, key in sorted(found.items()) if key}


def has_runner(store: Store, needed: Collection[str] = ()) -> bool:
    """Tell whether a runner is at work that has all these keys."""
    return any(not lacking_keys(needed, lease.keys) for lease in store.leases("runner:"))


def _spawn(store: Store, keys: Mapping[str, str], needed: Collection[str]) -> None:
    from hypernb.engine import key_ids, spawn_runner

    if needed and lacking_keys(needed, key_ids(store, keys)) and store.leases("runner:"):
        return  # it would lack what the one at work lacks, which says so
    spawn_runner(store.url, keys)


def _host_here(
    store: Store, keys: Callable[[], Mapping[str, str]], needed: Collection[str]
) -> None:
    from hypernb.engine import InProcessHost, key_ids

    with _hosts_lock:
        hosts = _hosts.get(store.url, {})
        alive = {ids: host for ids, host in hosts.items() if host.is_alive}
        _hosts[store.url] = alive
        if any(not lacking_keys(needed, ids) for ids in alive):
            return
        told = keys()
        had = key_ids(store, told)
        if had not in alive:
            alive[had] = InProcessHost(store.url, keys=told)
            alive[had].start()


def host_here(session: Session) -> None:
    """Be the store's runner in the calling thread, until there is nothing to do.

    Args:
        session: Whose settings name the keys that this process may have.

    Raises:
        RunnerError: Another runner holds the store.
    """
    from hypernb.engine import run_runner

    run_runner(session.store.url, keys=keys_to_tell(session))


def stop_host(url: str) -> None:
    """End this process's own runners for the store, if it has any."""
    with _hosts_lock:
        hosts = _hosts.pop(url, {})
    for host in hosts.values():
        host.stop()


def _in_child() -> None:
    global _hosts_lock  # noqa: PLW0603 - the one that was inherited may be held for ever
    _hosts_lock = threading.Lock()
    _starting.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
