"""What a mission was for: all of it, or what there is of it when the mission has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import MissionError, NotFinishedError
from hypernb.model import MissionState, TaskState

if TYPE_CHECKING:
    from hypernb.session._mission import Mission

_MAY_HAVE_A_PART: Final = frozenset({MissionState.FAILED, MissionState.CANCELLED})


def there_is(mission: Mission) -> tuple[str, ...]:
    """Return the tasks, of those whose outputs are the result, that have succeeded."""
    tasks = mission.tasks
    wanted = mission.plan.result_tasks
    return tuple(name for name in wanted if tasks.called(name).state is TaskState.SUCCEEDED)


def is_whole(mission: Mission) -> bool:
    """Tell whether all of the result of a mission that has ended is there."""
    state = mission.state
    if state not in _MAY_HAVE_A_PART:
        return state is MissionState.SUCCEEDED
    there = there_is(mission)
    return bool(there) and there == mission.plan.result_tasks


def failure(mission: Mission) -> MissionError | None:
    """Return what is to be raised because it has not succeeded; None if it has.

    Raises:
        NotFinishedError: It has not ended yet.
    """
    record = mission.record
    if not record.state.is_final:
        raise NotFinishedError(mission.id, record.state.value)
    if record.state is MissionState.SUCCEEDED:
        return None
    there = there_is(mission) if record.state in _MAY_HAVE_A_PART else ()
    return MissionError(mission.id, record.state.value, record.error, there=there)


def result(mission: Mission) -> Any:
    """See `hypernb.session.Mission.result`."""
    if (error := failure(mission)) is not None:
        raise error
    return _value(mission)


def partial_result(mission: Mission) -> Any:
    """See `hypernb.session.Mission.partial_result`."""
    if (error := failure(mission)) is not None and not error.there:
        raise error
    return _value(mission)


def _value(mission: Mission) -> Any:
    tasks = mission.tasks
    wanted = mission.plan.result_tasks
    if len(wanted) == 1:
        return tasks.called(wanted[0]).output  # which remembers where it is from
    return {
        name: task.output if (task := tasks.called(name)).record.output else None
        for name in wanted
    }
