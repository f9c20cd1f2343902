"""The runner: takes missions by lease, runs their tasks in workers, commits what came of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hypernb.engine._host import InProcessHost as InProcessHost
    from hypernb.engine._host import run_runner as run_runner
    from hypernb.engine._host import spawn_runner as spawn_runner
    from hypernb.engine._keys import key_ids as key_ids
    from hypernb.engine._keys import needed_keys as needed_keys
    from hypernb.engine._log import log_file as log_file
    from hypernb.engine._log import read_log as read_log
    from hypernb.engine._models import ModelDesk as ModelDesk
    from hypernb.engine._models import Way as Way
    from hypernb.engine._runner import Runner as Runner
    from hypernb.engine._runner import RunnerEnd as RunnerEnd
    from hypernb.engine._settings import RunnerSettings as RunnerSettings
    from hypernb.engine._spending import budget_left as budget_left
    from hypernb.engine._spending import exceeds as exceeds
    from hypernb.engine._spending import spend as spend

# Loaded when used: a worker process starts by importing this package, and must not pay for
# the store or for networkx.
_HOMES: Final = {
    "InProcessHost": "_host",
    "ModelDesk": "_models",
    "Runner": "_runner",
    "RunnerEnd": "_runner",
    "RunnerSettings": "_settings",
    "Trust": "_trust",
    "Way": "_models",
    "budget_left": "_spending",
    "exceeds": "_spending",
    "key_ids": "_keys",
    "log_file": "_log",
    "needed_keys": "_keys",
    "read_log": "_log",
    "run_runner": "_host",
    "spawn_runner": "_host",
    "spend": "_spending",
}

__all__ = [
    "InProcessHost",
    "ModelDesk",
    "Runner",
    "RunnerEnd",
    "RunnerSettings",
    "Trust",
    "Way",
    "budget_left",
    "exceeds",
    "key_ids",
    "log_file",
    "needed_keys",
    "read_log",
    "run_runner",
    "spawn_runner",
    "spend",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'hypernb.engine' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hypernb.engine.{_HOMES[name]}"), name)
