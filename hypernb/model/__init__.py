"""Values only: states and allowed transitions, plans, records, events, findings."""

from hypernb.model._agents import RoleCard
from hypernb.model._changes import Change
from hypernb.model._comments import Comment
from hypernb.model._events import Event, EventKind
from hypernb.model._findings import (
    Finding,
    Outcome,
    Report,
    RunStatus,
    Severity,
    SprintItem,
    ToolRun,
)
from hypernb.model._ids import Digest, MissionId, RunnerId, TaskId, new_id, parse_ref, short_id
from hypernb.model._past import Past, Spread
from hypernb.model._plan import (
    DEFAULT_CONCURRENCY,
    DEFAULT_TIMEOUT_S,
    NO_MODEL,
    AgentWork,
    OnFailure,
    PlanSpec,
    PythonWork,
    TaskSpec,
)
from hypernb.model._records import (
    ApprovalRecord,
    ArtifactRecord,
    AttemptRecord,
    CommandRecord,
    LeaseRecord,
    MissionRecord,
    MissionSnapshot,
    MissionSummary,
    SearchHit,
    Since,
    TaskRecord,
)
from hypernb.model._replay import Replayed, replay
from hypernb.model._resources import Hurdle, Refusal, Resource, ResourceUse, Wait, rest_s
from hypernb.model._states import (
    TRANSITIONS,
    AttemptState,
    MissionState,
    TaskState,
    can_become,
    transition,
)
from hypernb.model._upkeep import Retention, Swept
from hypernb.model._usage import OVERSPENT, UNCOVERED, Usage, UsageRecord

__all__ = [
    "DEFAULT_CONCURRENCY",
    "DEFAULT_TIMEOUT_S",
    "NO_MODEL",
    "OVERSPENT",
    "TRANSITIONS",
    "UNCOVERED",
    "AgentWork",
    "ApprovalRecord",
    "ArtifactRecord",
    "AttemptRecord",
    "AttemptState",
    "Change",
    "CommandRecord",
    "Comment",
    "Digest",
    "Event",
    "EventKind",
    "Finding",
    "Hurdle",
    "LeaseRecord",
    "MissionId",
    "MissionRecord",
    "MissionSnapshot",
    "MissionState",
    "MissionSummary",
    "OnFailure",
    "Outcome",
    "Past",
    "PlanSpec",
    "PythonWork",
    "Refusal",
    "Replayed",
    "Report",
    "Resource",
    "ResourceUse",
    "Retention",
    "RoleCard",
    "RunStatus",
    "RunnerId",
    "SearchHit",
    "Severity",
    "Since",
    "Spread",
    "SprintItem",
    "Swept",
    "TaskId",
    "TaskRecord",
    "TaskSpec",
    "TaskState",
    "ToolRun",
    "Usage",
    "UsageRecord",
    "Wait",
    "can_become",
    "new_id",
    "parse_ref",
    "replay",
    "rest_s",
    "short_id",
    "transition",
]
