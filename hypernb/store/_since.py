"""What has changed in a mission since an event: one statement, one row, one JSON text.

SQLite's driver gives the interpreter away at every step and asks for it back, and a busy thread
beside it keeps it for up to a switch interval each time. So a reader that has to be quick takes
as few steps as there can be, however many rows there are.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from hypernb.errors import UnknownMissionError
from hypernb.model import EventKind, MissionRecord, MissionState, Since, TaskState
from hypernb.store import _rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

    from hypernb.model import MissionId

COUNT: Final = "SELECT count(*) FROM events WHERE mission_id = :mission AND seq <= :until"
# With these, all tasks may have changed, and no event of theirs tells of it.
_OF_ALL_TASKS: Final = (
    EventKind.MISSION_CREATED,
    EventKind.PLAN_PROPOSED,
    EventKind.PLAN_EDITED,
    EventKind.PLAN_REJECTED,
    EventKind.MISSION_FINISHED,
)
_OF_ANOTHER_PLAN: Final = (EventKind.PLAN_PROPOSED, EventKind.PLAN_EDITED)
_AT_WORK: Final = tuple(state for state in TaskState if state.is_active)
_TIMES_OF_MISSIONS: Final = (4, 11, 12)

# Tokens are added up as fractions: absurd numbers of them would be too much for 63 bits.
# The attempts of a task that only gives signs of life are few, and so are tasks at work.
_TEMPLATE: Final = """
WITH news AS MATERIALIZED (
  SELECT seq, at, kind, mission_id, task_id, task, attempt, payload FROM events
  WHERE mission_id = :mission AND seq > :after ORDER BY seq LIMIT :most
), touched AS MATERIALIZED (
  SELECT task_id AS id FROM news WHERE task_id IS NOT NULL
  UNION SELECT id FROM tasks WHERE mission_id = :mission AND state IN ({at_work})
  UNION SELECT id FROM tasks WHERE mission_id = :mission
    AND EXISTS (SELECT 1 FROM news WHERE kind IN ({of_all_tasks}))
), spent AS (
  SELECT max(id) AS id, task_id, sum(cost) AS cost,
    sum(1.0 * (input_tokens + output_tokens)) AS tokens
  FROM usage WHERE mission_id = :mission AND id > :paid GROUP BY task_id
)
SELECT '[' || coalesce((
  SELECT {row}({missions}){text} FROM missions WHERE id = :mission
), 'null') || ',' || coalesce((
  SELECT {rows}({row}({events})){text} FROM news
), '[]') || ',' || coalesce((
  SELECT {rows}({row}({tasks})){text} FROM tasks WHERE id IN (SELECT id FROM touched)
), '[]') || ',' || coalesce((
  SELECT {rows}({row}({attempts})){text} FROM attempts
  WHERE task_id IN (SELECT id FROM touched)
), '[]') || ',' || coalesce((
  SELECT {rows}({row}(id, task_id, cost, tokens)){text} FROM spent
), '[]') || ']'
"""


def _names(select: Select[Any]) -> str:
    columns: list[Any] = list(select.selected_columns)
    # A column that is taken as plain text is wrapped, and has its name inside.
    return ", ".join(getattr(each, "clause", each).name for each in columns)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _statement(*, row: str, rows: str, text: str) -> str:
    return _TEMPLATE.format(
        row=row,
        rows=rows,
        text=text,
        at_work=_listed(_AT_WORK),
        of_all_tasks=_listed(_OF_ALL_TASKS),
        missions=_names(_rows.SELECT_MISSIONS),
        events=_names(_rows.SELECT_EVENTS),
        tasks=_names(_rows.SELECT_TASKS),
        attempts=_names(_rows.SELECT_ATTEMPTS),
    )


STATEMENTS: Final = {
    "sqlite": _statement(row="json_array", rows="json_group_array", text=""),
    "postgresql": _statement(row="json_build_array", rows="json_agg", text="::text"),
}


def read(text: str, mission_id: MissionId, after: int, *, limit: int, paid: int) -> Since:
    """Read what one of the statements gives.

    Raises:
        UnknownMissionError: There is no such mission.
    """
    mission, events, tasks, attempts, spent = orjson.loads(text)
    if mission is None:
        raise UnknownMissionError(mission_id)
    events.sort(key=_first)
    told = _rows.events(each for each in events if each[2] != EventKind.TASK_HEARTBEAT)
    tasks = sorted(_rows.tasks(tasks), key=lambda task: task.number)
    attempts = _rows.attempts(attempts)
    attempts.sort(key=lambda each: (each.started_at, each.task_id, each.number))
    return Since(
        seq=events[-1][0] if events else after,
        mission=_mission(mission),
        events=tuple(told),
        counted=len(events),
        tasks=tuple(tasks),
        attempts=tuple(attempts),
        spent={task: (float(cost), int(tokens)) for _, task, cost, tokens in spent if task},
        paid=max((each[0] for each in spent), default=paid),
        plan_changed=any(event.kind in _OF_ANOTHER_PLAN for event in told),
        more=len(events) >= limit,
    )


def _first(row: Sequence[Any]) -> int:
    return int(row[0])


def _mission(row: list[Any]) -> MissionRecord:
    for place in _TIMES_OF_MISSIONS:
        row[place] = row[place] and datetime.fromisoformat(row[place])
    id_, number, goal, state, *rest = row
    return MissionRecord(id_, number, goal, MissionState(state), *rest)
