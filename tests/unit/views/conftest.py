"""A mission in every state, as a value: what views are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hypernb.model import (
    AgentWork,
    ApprovalRecord,
    AttemptRecord,
    AttemptState,
    Event,
    Finding,
    LeaseRecord,
    MissionId,
    MissionRecord,
    MissionSnapshot,
    MissionState,
    OnFailure,
    PlanSpec,
    PythonWork,
    Report,
    RunnerId,
    RunStatus,
    Severity,
    SprintItem,
    TaskId,
    TaskRecord,
    TaskSpec,
    TaskState,
    ToolRun,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START = datetime(2026, 11, 20, 13, 2, 10, tzinfo=UTC)
MISSION = MissionId("01MISSION")
CREW = {
    "scan": ("project-strategist", ()),
    "imports": ("system-architect", ()),
    "lint": ("backend-specialist", ("scan",)),
    "pages": ("frontend-specialist", ("scan",)),
    "queries": ("database-architect", ("scan", "imports")),
    "tests": ("qa-engineer", ("scan",)),
    "pipeline": ("devops-engineer", ("scan",)),
    "secrets": ("security-engineer", ("scan",)),
    "clean": ("", ("lint",)),
    "rank": (
        "project-strategist",
        ("lint", "pages", "queries", "tests", "pipeline", "secrets"),
    ),
}
BEGUN = {
    "scan": "succeeded",
    "imports": "succeeded",
    "lint": "verifying",
    "pages": "stalled",
    "queries": "running",
    "tests": "failed",
    "pipeline": "awaiting_approval",
    "secrets": "running",
    "clean": "pending",
    "rank": "pending",
}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def plan(**terms: Any) -> PlanSpec:
    tasks = [_spec(name, agent, needs) for name, (agent, needs) in CREW.items()]
    return PlanSpec(**{"goal": "Audit this", "root": "/home/ada/shop", "tasks": tasks} | terms)


def _spec(name: str, agent: str, needs: tuple[str, ...]) -> TaskSpec:
    if not agent:
        work: Any = PythonWork(
            function="f", arguments="a", label="shop.clean", source="def f(): 1"
        )
    elif name == "tests":
        work = AgentWork(
            tools=("tests",), params={"tests": {"command": ["pytest", "-q", "a b"]}}
        )
    else:
        work = AgentWork(tools=("ruff",))
    return TaskSpec(
        name=name,
        agent=agent,
        goal=f"Look at {name}",
        needs=needs,
        work=work,
        attempts=3 if name == "pages" else 1,
        on_failure=OnFailure.SKIP,
        timeout_s=180,
    )


def finding(severity: str = "high", **terms: Any) -> Finding:
    known = {
        "file": "src/app.py",
        "line": 12,
        "category": "security",
        "rule": "B602",
        "severity": Severity(severity),
        "message": "A shell is started with text of a user.",
        "tool": "bandit",
        "agent": "security-engineer",
    }
    return Finding(**known | terms)


def report(**terms: Any) -> Report:
    known: dict[str, Any] = {
        "agent": "project-strategist",
        "task": "rank",
        "summary": "Two findings; fix the shell first.",
        "runs": (
            ToolRun(tool="bandit", status=RunStatus.RAN, findings=(finding(),), checked=4),
            ToolRun(tool="sqlglot", status=RunStatus.DID_NOT_RUN, reason="it is not installed"),
        ),
        "sprint": (
            SprintItem(
                title="Start no shell",
                why="A user could run anything.",
                agent="backend-specialist",
                severity=Severity.HIGH,
                findings=("src/app.py:12",),
            ),
        ),
        "facts": {"files": 4, "sizes": [{"file": "a.py", "lines": 3}]},
    }
    return Report(**known | terms)


def mission(state: str, **terms: Any) -> MissionRecord:
    spec = plan()
    record = MissionRecord(
        id=MISSION,
        number=7,
        goal=spec.goal,
        state=MissionState(state),
        created_at=at(-40),
        revision=2,
        plan_hash=spec.hash,
    )
    return replace(record, **terms)


def task(name: str, state: str, **terms: Any) -> TaskRecord:
    number = list(CREW).index(name) + 1
    record = TaskRecord(
        id=TaskId(f"T{number}"),
        mission_id=MISSION,
        number=number,
        name=name,
        state=TaskState(state),
        agent=CREW[name][0],
    )
    if state in ("pending", "ready", "skipped"):
        return replace(record, **terms)
    begun = replace(record, attempt=1, started_at=at(0), heartbeat_at=at(90), pid=4711)
    if begun.state.is_final:
        begun = replace(begun, finished_at=at(60), worked_s=60.0)
    return replace(begun, **terms)


def attempts(tasks: Sequence[TaskRecord]) -> tuple[AttemptRecord, ...]:
    known = {state.value for state in AttemptState}
    return tuple(
        AttemptRecord(
            task_id=each.id,
            number=each.attempt,
            state=AttemptState(each.state.value if each.state.value in known else "running"),
            started_at=at(0),
            finished_at=each.finished_at,
        )
        for each in tasks
        if each.attempt
    )


def event(kind: str, name: str | None = None, seconds: float = 0, **payload: Any) -> Event:
    return Event(
        seq=9,
        at=at(seconds),
        kind=kind,
        mission_id=MISSION,
        task=name,
        attempt=1,
        payload=payload,
    )


def snapshot(state: str = "running", **terms: Any) -> MissionSnapshot:
    final = MissionState(state).is_final
    ran = state not in ("planning", "awaiting_approval", "rejected")
    if not ran:
        states = dict.fromkeys(CREW, "pending")
    elif final:
        states = dict.fromkeys(CREW, "succeeded")
        if state != "succeeded":
            states |= {"tests": "failed", "rank": "skipped", "clean": "cancelled"}
    else:
        states = BEGUN
    tasks = tuple(_as_it_went(name, known) for name, known in states.items())
    spec = None if state == "planning" else plan()
    record = mission(
        state,
        started_at=at(0) if ran else None,
        finished_at=at(100) if final else None,
        error="It was too broad." if state == "rejected" else "",
    )
    made = MissionSnapshot(
        seq=236,
        now=at(192),
        mission=record,
        plan=spec,
        tasks=tasks if spec else (),
        attempts=attempts(tasks),
        events=(
            event("mission.started"),
            event("task.started", "lint", 1, pid=4711),
            event("task.heartbeat", "lint", 2),
            event("tool.called", "secrets", 3, tool="bandit"),
        ),
        findings=(finding("low", rule="LOW1"), finding("critical", rule="CRIT1"))
        if ran
        else (),
        approvals=(ApprovalRecord(MISSION, 2, plan().hash, "ada", at(-1), "s"),) if ran else (),
        runners=(LeaseRecord("runner:here", RunnerId("r"), 1, at(200)),) if ran else (),
    )
    return replace(made, **terms)


def _as_it_went(name: str, state: str) -> TaskRecord:
    said = {
        "failed": {"error": "No module named 'redis'"},
        "awaiting_approval": {"note": "it may have done part of its work."},
    }
    return task(name, state, **said.get(state, {}))


class Examples:
    """Builders of values, each with what differs as keywords."""

    at = staticmethod(at)
    attempts = staticmethod(attempts)
    event = staticmethod(event)
    finding = staticmethod(finding)
    mission = staticmethod(mission)
    plan = staticmethod(plan)
    report = staticmethod(report)
    snapshot = staticmethod(snapshot)
    task = staticmethod(task)


@pytest.fixture
def make() -> type[Examples]:
    return Examples


@pytest.fixture
def read() -> Callable[[str], Any]:
    """Parse HTML as a browser does."""
    from bs4 import BeautifulSoup

    return lambda markup: BeautifulSoup(markup, "html5lib")
