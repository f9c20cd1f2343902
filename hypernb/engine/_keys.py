"""Keys: which a runner has, which a plan needs, and how both are told without saying them."""

from __future__ import annotations

import hashlib
import platform
from typing import TYPE_CHECKING, Final

from hypernb.model import AgentWork, needed_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hypernb.abc import Store
    from hypernb.model import ModelSpec, PlanSpec

_DIGITS: Final = 12


def key_ids(store: Store, keys: Mapping[str, str]) -> tuple[str, ...]:
    """Return what can be told of keys, sorted; see `hypernb.model.needed_key`.

    Args:
        keys: By the name of their variable, ``NAME``, and once more for each host that one is
            meant for, ``NAME@HOST``.
    """
    return tuple(sorted(_told(store, place, key) for place, key in keys.items() if key))


def _told(store: Store, place: str, key: str) -> str:
    name, _, host = place.partition("@")
    return needed_key(name, "" if host else store.fingerprint(key), host)


def runner_resource(ids: Collection[str]) -> str:
    """Return the lease of the one runner on this machine that has exactly these keys."""
    host = f"runner:{platform.node()}"
    if not ids:
        return host
    digest = hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
    return f"{host}:{digest[:_DIGITS]}"


def needed_keys(
    plan: PlanSpec,
    models: Mapping[str, ModelSpec] | None = None,
    done: Collection[str] = (),
) -> set[str]:
    """Return which keys a plan needs for what is left of it; none while one is replayed.

    Args:
        models: Those of the plan, with what was put in their place since.
        done: Names of the tasks that have succeeded: they ask nobody any more.
    """
    if not plan.models or plan.is_replayed:
        return set()
    asked = {
        task.work.model
        for task in plan.tasks
        if isinstance(task.work, AgentWork) and task.name not in done
    }
    known = (models or plan.models).items()
    return {spec.needed_key for name, spec in known if spec.key and name in asked}


def key_facts(models: Iterable[ModelSpec], lacking: Collection[str]) -> list[dict[str, str]]:
    """Say which models lack which keys, each key once."""
    found: dict[str, dict[str, str]] = {}
    for spec in models:
        if (needed := spec.needed_key) in lacking:
            facts = {"key": spec.key, "model": spec.name, "host": spec.host}
            found.setdefault(needed, facts)
    return list(found.values())
