"""The handles on a mission's tasks: where each stands, and what it returned."""

from __future__ import annotations

from collections.abc import ItemsView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any

from hypernb.errors import NotFinishedError, UnknownTaskError
from hypernb.model import task_meant
from hypernb.session._failures import TaskFailure, failure_of
from hypernb.session._origins import remember

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypernb.model import TaskRecord, TaskState
    from hypernb.session._mission import Mission


class Task:
    """One task of a mission, as it stands when it is looked at."""

    def __init__(self, mission: Mission, record: TaskRecord) -> None:
        self._mission = mission
        self.record = record

    @property
    def name(self) -> str:
        """Its name in the plan."""
        return self.record.name

    @property
    def state(self) -> TaskState:
        """Where it was when the handle was made."""
        return self.record.state

    @property
    def output(self) -> Any:
        """What it returned.

        Raises:
            NotFinishedError: It has not succeeded (yet).
            UntrustedArtifactError: The output is a pickle that you did not write.
        """
        if self.record.output is None:
            raise NotFinishedError(f"{self._mission.id}/{self.name}", self.record.state.value)
        value = self._mission.session.load(self.record.output)
        remember(value, self._mission.record, self.name, self._mission.session)
        return value

    @property
    def error(self) -> TaskFailure | None:
        """Why it has failed: type, message and traceback; None if it has not."""
        return failure_of(self._mission.session.store, self.record)

    def __repr__(self) -> str:
        note = f", {self.record.note}" if self.record.note else ""
        return f"<Task {self._mission.id}/{self.name}: {self.state.value}{note}>"


class Tasks(Mapping[str, Task]):
    """The tasks of a mission by name; ``t3`` works too, near misses are suggested.

    Raises:
        UnknownTaskError: There is no such task.
        AmbiguousTaskError: A task is called so, and another one has that number.
    """

    def __init__(self, mission: Mission, records: Sequence[TaskRecord]) -> None:
        self._mission = mission
        self._records = {record.name: record for record in records}

    def __getitem__(self, name: str) -> Task:
        numbered = {record.number: record.name for record in self._records.values()}
        return self.called(task_meant(name, self._records, numbered) or name)

    def called(self, name: str) -> Task:
        """Return the task of exactly that name, whatever number it looks like.

        Raises:
            UnknownTaskError: There is none.
        """
        if name not in self._records:
            raise UnknownTaskError(name, self._records)
        return Task(self._mission, self._records[name])

    def values(self) -> ValuesView[Task]:
        """Return the tasks in plan order."""
        return self._all().values()

    def items(self) -> ItemsView[str, Task]:
        """Return the tasks in plan order, each with its name."""
        return self._all().items()

    def _all(self) -> dict[str, Task]:
        return {name: Task(self._mission, each) for name, each in self._records.items()}

    def __contains__(self, name: object) -> bool:
        return name in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return "\n".join(repr(task) for task in self.values())
