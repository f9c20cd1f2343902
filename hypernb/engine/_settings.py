"""How a runner behaves: limits, intervals, and where they are read from."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hypernb.errors import ConfigError
from hypernb.model import Retention

if TYPE_CHECKING:
    from collections.abc import Mapping

ExecutorKind = Literal["process", "thread", "inline", "dask"]
EXECUTORS: Final = ("process", "thread", "inline", "dask")


def _default_workers() -> int:
    return max(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """Limits and intervals of a runner; each can be set by ``HYPERNB_<NAME>`` in capitals.

    Attributes:
        concurrency: How many tasks may run at once, over all missions.
        workers: How many worker processes are kept ready while nothing runs.
        executor: ``process``; ``thread`` where no process can be started; ``inline`` for
            coroutines and for functions that take no time; ``dask`` for a cluster.
        dask_scheduler: Address of the cluster's scheduler; empty for one of this machine's.
        idle_s: Seconds without anything to do after which the runner ends itself.
        poll_s: How often the store is looked at while things happen.
        idle_poll_s: How often at most rarely, when nothing has happened for a while.
        tick_s: How often timeouts and silence are judged.
        heartbeat_s: How often a running task gives a sign of life.
        stalled_s: Silence after which a task is called stalled.
        lease_s: Length of a lease; it is renewed at half of it.
        outage_s: So long the store may be out of reach before the runner ends.
        grace_s: Time that a task's processes get between SIGTERM and SIGKILL.
        tasks_per_worker: A worker is replaced after so many tasks.
        memory_mb: How much memory one worker process may take for its data, in MB; 0 for as
            much as the machine has. Linux only.
        output_bytes: How much of what one task prints is kept.
        abandoned_at_most: So often may a task be found abandoned before it counts as failed.
        backups: How many automatic backups are kept; 0 makes none.
        keep_days: A runner that ends forgets missions that ended more days ago than this ...
        keep_missions: ... and are not among so many newest ones.
    """

    concurrency: int = 8
    workers: int = dataclasses.field(default_factory=_default_workers)
    executor: ExecutorKind = "process"
    dask_scheduler: str = ""
    idle_s: float = 60.0
    poll_s: float = 0.01
    idle_poll_s: float = 0.05
    tick_s: float = 0.05
    heartbeat_s: float = 2.0
    stalled_s: float = 300.0
    lease_s: float = 15.0
    outage_s: float = 60.0
    grace_s: float = 1.0
    tasks_per_worker: int = 1000
    memory_mb: int = 0
    output_bytes: int = 64 * 1024
    abandoned_at_most: int = 3
    backups: int = 7
    keep_days: float = 90.0
    keep_missions: int = 1_000

    def __post_init__(self) -> None:
        if self.executor not in EXECUTORS:
            raise ConfigError(
                f"There is no executor {self.executor!r}.",
                hint=f"HYPERNB_EXECUTOR is one of {', '.join(EXECUTORS)}.",
            )
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            least = _LEAST.get(field.name, 0)
            if isinstance(value, int | float) and not value >= least:
                raise ConfigError(
                    f"{field.name} cannot be {value!r}.",
                    hint=f"HYPERNB_{field.name.upper()} is a number of at least {least}.",
                )

    @property
    def retention(self) -> Retention:
        """Which missions may be forgotten."""
        return Retention(days=self.keep_days, missions=self.keep_missions)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> RunnerSettings:
        """Read the settings that the environment names; the rest are the defaults.

        Raises:
            ConfigError: A value has no meaning.

        Example:
            >>> RunnerSettings.from_env({"HYPERNB_CONCURRENCY": "3"}).concurrency
            3
        """
        source = os.environ if environ is None else environ
        found: dict[str, str] = {
            field.name: text
            for field in dataclasses.fields(cls)
            if (text := source.get(f"HYPERNB_{field.name.upper()}", "").strip())
        }
        return cls(**{name: _read(name, text) for name, text in found.items()})  # type: ignore[arg-type]  # checked by __post_init__


_LEAST: Final = {"concurrency": 1, "workers": 1, "tasks_per_worker": 1, "abandoned_at_most": 1}
_TEXTS: Final = frozenset({"executor", "dask_scheduler"})
_WHOLE: Final = {*_LEAST, "memory_mb", "output_bytes", "backups", "keep_missions"}


def _read(name: str, text: str) -> str | int | float:
    if name in _TEXTS:
        return text
    try:
        return int(text) if name in _WHOLE else float(text)
    except ValueError as error:
        kind = "a whole number" if name in _WHOLE else "a number"
        raise ConfigError(
            f"HYPERNB_{name.upper()} is {text!r}.", hint=f"It has to be {kind}."
        ) from error
