"""What the engine writes: one function for each thing that can become true."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from hypernb.model import (
    AttemptState,
    CallState,
    Change,
    EventKind,
    Hurdle,
    MissionState,
    TaskState,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hypernb.abc import ModelWait
    from hypernb.model import CallRecord, Digest, Finding, Refusal, TaskId, Wait

_LONGEST_WAIT_S: Final = 1e7
_NAME_CHARS: Final = 200


def mission_started(at: datetime, **facts: Any) -> Change:
    """The mission runs, for the first time or again."""
    return Change(
        EventKind.MISSION_STARTED, at, payload=facts, mission_state=MissionState.RUNNING
    )


def mission_paused(at: datetime, **facts: Any) -> Change:
    """What ran stands still."""
    return Change(
        EventKind.MISSION_PAUSED, at, payload=facts, mission_state=MissionState.PAUSED
    )


def mission_resumed(at: datetime, *, by: str, finish: bool) -> Change:
    """What stood still goes on; only that, if it is to finish."""
    payload = {"by": by, **({"finish": True} if finish else {})}
    return Change(
        EventKind.MISSION_RESUMED, at, payload=payload, mission_state=MissionState.RUNNING
    )


def mission_finished(
    at: datetime, state: MissionState, *, error: str = "", facts: Mapping[str, Any]
) -> Change:
    """The mission has ended."""
    payload = {"state": state.value, **({"error": error} if error else {}), **facts}
    return Change(
        EventKind.MISSION_FINISHED, at, payload=payload, mission_state=state, error=error
    )


def readied(at: datetime, task: TaskId) -> Change:
    """All that the task needs has ended."""
    return Change(EventKind.TASK_READIED, at, task, task_state=TaskState.READY)


def pending(at: datetime, task: TaskId, *, by: str, after_attempt: int) -> Change:
    """The task waits again, because something before it is tried again."""
    reason = "something that it needs is tried again"
    payload = {"by": by, "after_attempt": after_attempt, "reason": reason}
    return Change(
        EventKind.TASK_RETRIED, at, task, payload=payload, task_state=TaskState.PENDING
    )


def started(
    at: datetime, task: TaskId, attempt: int, *, pid: int, agent: str, alone: bool = False
) -> Change:
    """An attempt begins; written before the first line of it runs."""
    payload = {"pid": pid, **({"agent": agent} if agent else {})}
    note = None
    if alone:
        payload["alone"] = True
        note = "runs alone: it was running each time that earlier runners were lost"
    return Change(
        EventKind.TASK_STARTED,
        at,
        task,
        attempt,
        payload=payload,
        task_state=TaskState.RUNNING,
        attempt_state=AttemptState.RUNNING,
        pid=pid,
        note=note,
    )


def deferred(at: datetime, task: TaskId, wait: Wait) -> Change:
    """The task could start, and lacks a resource."""
    return Change(
        EventKind.TASK_DEFERRED,
        at,
        task,
        payload=_facts_of(wait),
        task_state=TaskState.WAITING,
        note=f"waits for {wait.resource}: {_why(wait)}",
    )


def refused(
    at: datetime, task: TaskId, attempt: int, refusal: Refusal, *, after_s: float, said: str
) -> Change:
    """A resource was asked too much; the attempt counts as none, and the task waits."""
    names = ", ".join(refusal.resources)
    payload = {
        "hurdle": "refused",
        "resources": list(refusal.resources),
        "after_s": round(after_s, 3),
        "said": said,
    }
    what = f"waits for {names}" if names else "waits"
    return Change(
        EventKind.TASK_DEFERRED,
        at,
        task,
        attempt,
        payload=payload,
        task_state=TaskState.WAITING,
        attempt_state=AttemptState.REFUSED,
        note=f"{what}: too many requests",
        refusal=refusal,
    )


def _facts_of(wait: Wait) -> dict[str, Any]:
    facts: dict[str, Any] = {"hurdle": wait.hurdle.value, "resources": [wait.resource]}
    if wait.after_s is not None:
        facts["after_s"] = round(wait.after_s, 3)
    if wait.limit is not None:
        facts |= {"held": wait.held, "limit": wait.limit}
    return facts


def _why(wait: Wait) -> str:
    match wait.hurdle:
        case Hurdle.FULL:
            return f"{wait.held} of {wait.limit} in use"
        case Hurdle.RATE:
            return "no more may begin at once"
        case Hurdle.CLOSED:
            return "too many requests"


def progressed(
    at: datetime, task: TaskId, attempt: int, *, words: str, share: float | None
) -> Change:
    """The task says what it is doing."""
    payload = {"words": words, **({} if share is None else {"share": share})}
    return Change(
        EventKind.TASK_PROGRESSED, at, task, attempt, payload=payload, note=words or None
    )


def settled(at: datetime, task: TaskId, attempt: int, usage: Usage) -> Change:
    """The task has paid for something."""
    facts = {name: value for name, value in asdict(usage).items() if value}
    payload = {"cost": usage.cost, **facts}
    return Change(EventKind.BUDGET_SETTLED, at, task, attempt, payload=payload, usage=usage)


def requested(
    at: datetime, call: CallRecord, *, tokens: int, said: Mapping[str, Any]
) -> Change:
    """A model is about to be asked; written before it is."""
    payload = {**_of_call(call), "reserved": call.reserved, "tokens": tokens, **said}
    note = f"asks {call.model}"
    return _told(EventKind.LLM_REQUESTED, at, call, payload, note=note, kept=call)


def reserved(at: datetime, call: CallRecord, *, left: float | None) -> Change:
    """What a call may cost at most is kept for it; of a budget, if there is one."""
    rest = {} if left is None else {"left": left}
    payload = {"call": call.id, "cost": call.reserved, **rest}
    return _told(EventKind.BUDGET_RESERVED, at, call, payload)


def streamed(at: datetime, call: CallRecord, text: str, *, begins_anew: bool) -> Change:
    """A piece of an answer has come."""
    payload = {"call": call.id, "text": text, **({"anew": True} if begins_anew else {})}
    return _told(EventKind.LLM_STREAMED, at, call, payload)


def waited(at: datetime, call: CallRecord, wait: ModelWait, *, words: str) -> Change:
    """A call waits for its server, or goes on.

    Args:
        words: What the task was doing before.
    """
    if wait.wait_s <= 0:
        payload: dict[str, Any] = {"call": call.id, "reason": wait.words, "until": None}
        return _told(EventKind.LLM_WAITED, at, call, payload, note=words)
    until = at + timedelta(seconds=min(wait.wait_s, _LONGEST_WAIT_S))
    payload = {
        "call": call.id,
        "reason": wait.words[:500],
        "wait_s": round(wait.wait_s, 3),
        "until": until.isoformat(),
        "is_asked": wait.is_asked,
    }
    if wait.left_s is not None:
        payload["since"] = (at - timedelta(seconds=wait.passed_s)).isoformat()
        payload["given_up"] = (at + timedelta(seconds=wait.left_s)).isoformat()
    clock = f"{until.astimezone():%H:%M:%S}"
    note = f"waits for the model: {wait.words[:200]}, again at {clock}"
    return _told(EventKind.LLM_WAITED, at, call, payload, note=note)


def responded(
    at: datetime,
    call: CallRecord,
    *,
    usage: Usage | None = None,
    facts: Mapping[str, Any],
) -> Change:
    """A call of a model is over, for better or worse."""
    payload = {
        **_of_call(call),
        "state": call.state.value,
        "cost": call.cost,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "tries": call.tries,
        "source": call.source,
        **facts,
    }
    return _told(EventKind.LLM_RESPONDED, at, call, payload, kept=call, usage=usage)


def call_settled(at: datetime, call: CallRecord, paid: float) -> Change:
    """A call was paid; how much of it is the mission's cost, ``llm.responded`` has told.

    Of one that was lost, it is what was kept for it, and so no count.
    """
    payload = {
        "cost": paid,
        "call": call.id,
        "model": call.model,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
    }
    if call.state is CallState.LOST:
        payload["at_most"] = True
    return _told(EventKind.BUDGET_SETTLED, at, call, payload)


def lost(at: datetime, call: CallRecord) -> list[Change]:
    """A call ended without an answer. If it may have been made, its worst case is paid."""
    usage = None
    if call.state is CallState.LOST:
        usage = Usage(call.cost or 0.0, call.model)
    told = [responded(at, call, usage=usage, facts={"error": call.error})]
    if call.cost:
        told.append(call_settled(at, call, call.cost))
    return told


def _of_call(call: CallRecord) -> dict[str, Any]:
    facts = {"call": call.id, "model": call.model, "host": call.host, "purpose": call.purpose}
    return facts | ({"request_hash": call.request_hash} if call.request_hash else {})


def _told(  # noqa: PLR0913 - facts of one event
    kind: EventKind,
    at: datetime,
    call: CallRecord,
    payload: Mapping[str, Any],
    *,
    note: str | None = None,
    kept: CallRecord | None = None,
    usage: Usage | None = None,
) -> Change:
    return Change(
        kind,
        at,
        call.task_id,
        call.attempt,
        payload=payload,
        note=note,
        call=kept,
        usage=usage,
    )


def tool(
    at: datetime,
    kind: str,
    task: TaskId,
    attempt: int,
    payload: Mapping[str, Any],
    *,
    note: str | None,
) -> Change:
    """An agent calls a tool, or has its answer.

    Args:
        note: What the task is doing; None if that has not changed.
    """
    return Change(kind, at, task, attempt, payload=payload, note=note)


def tool_words(payload: Mapping[str, Any]) -> str:
    """Say that a tool is called.

    Example:
        >>> tool_words({"tool": "read_file", "number": 1})
        'calls read_file'
    """
    return f"calls {str(payload.get('tool') or 'a tool')[:_NAME_CHARS]}"


def key_missing(at: datetime, *, key: str, model: str, host: str, runner: str) -> Change:
    """A runner leaves the mission to one that has the key."""
    payload = {"key": key, "model": model, "host": host, "runner": runner}
    return Change(EventKind.KEY_MISSING, at, payload=payload)


def warned(at: datetime, *, spent: float, budget: float) -> Change:
    """Most of the budget is spent."""
    payload = {"spent": spent, "budget": budget}
    return Change(EventKind.BUDGET_WARNED, at, payload=payload)


def distrusted(at: datetime, facts: Mapping[str, Any]) -> Change:
    """A server counts more than it was allowed; see `hypernb.engine._trust.Trust.note`."""
    return Change(EventKind.BUDGET_WARNED, at, payload=facts)


def exhausted(at: datetime, *, spent: float, budget: float, needed: float | None) -> Change:
    """The mission has spent too much, or has too little left for what is needed."""
    payload = {"spent": spent, "budget": budget}
    if needed is not None:
        payload["needed"] = needed
    return Change(EventKind.BUDGET_EXHAUSTED, at, payload=payload)


def printed(at: datetime, task: TaskId, attempt: int, *, text: str) -> Change:
    """The task has printed something."""
    return Change(EventKind.TASK_OUTPUT, at, task, attempt, payload={"text": text})


def output_dropped(
    at: datetime, task: TaskId, attempt: int, *, kept_bytes: int, dropped_bytes: int
) -> Change:
    """The task has printed more than is kept."""
    text = (
        f"({dropped_bytes:,} more bytes of output were not kept; "
        f"the first {kept_bytes:,} of a task are.)"
    )
    payload = {"text": text, "dropped_bytes": dropped_bytes}
    return Change(EventKind.TASK_OUTPUT, at, task, attempt, payload=payload)


def succeeded(  # noqa: PLR0913 - facts of one event
    at: datetime,
    task: TaskId,
    attempt: int,
    *,
    output: Digest,
    text: str,
    note: str | None = None,
    outcome: str | None = None,
    findings: tuple[Finding, ...] = (),
) -> Change:
    """The task has done its work."""
    payload: dict[str, Any] = {"state": TaskState.SUCCEEDED.value}
    if outcome is not None:
        payload |= {"outcome": outcome, "findings": len(findings)}
    return Change(
        EventKind.TASK_FINISHED,
        at,
        task,
        attempt,
        payload=payload,
        task_state=TaskState.SUCCEEDED,
        attempt_state=AttemptState.SUCCEEDED,
        output=output,
        text=text,
        note=note,
        outcome=outcome,
        findings=findings,
    )


def failed(
    at: datetime, task: TaskId, attempt: int, *, error: str, facts: Mapping[str, Any]
) -> Change:
    """The last try at the task has failed."""
    return Change(
        EventKind.TASK_FINISHED,
        at,
        task,
        attempt,
        payload={"state": TaskState.FAILED.value, "error": error, **facts},
        task_state=TaskState.FAILED,
        attempt_state=AttemptState.FAILED,
        error=error,
    )


def retried(
    at: datetime, task: TaskId, attempt: int, *, error: str, facts: Mapping[str, Any]
) -> Change:
    """A try has failed, and there will be another."""
    return Change(
        EventKind.TASK_RETRIED,
        at,
        task,
        attempt,
        payload={"error": error, **facts},
        task_state=TaskState.READY,
        attempt_state=AttemptState.FAILED,
        error=error,
    )


def reopened(at: datetime, task: TaskId, *, by: str, after_attempt: int) -> Change:
    """A person has the task tried again."""
    payload = {"by": by, "after_attempt": after_attempt}
    return Change(EventKind.TASK_RETRIED, at, task, payload=payload, task_state=TaskState.READY)


def abandoned(  # noqa: PLR0913 - facts of one event
    at: datetime,
    task: TaskId,
    attempt: int,
    *,
    after: TaskState,
    reason: str,
    note: str | None = None,
    error: str | None = None,
    has_attempt: bool = True,
) -> Change:
    """An attempt lost its runner; nobody knows how far it came."""
    return Change(
        EventKind.ATTEMPT_ABANDONED,
        at,
        task,
        attempt,
        payload={"reason": reason, "state": after.value},
        task_state=after,
        attempt_state=AttemptState.ABANDONED if has_attempt else None,
        note=note,
        error=error,
    )


def given_up(at: datetime, task: TaskId, attempt: int, *, error: str) -> Change:
    """A task that was abandoned too often has failed."""
    return Change(
        EventKind.TASK_FINISHED,
        at,
        task,
        attempt or None,
        payload={"state": TaskState.FAILED.value, "error": error},
        task_state=TaskState.FAILED,
        error=error,
    )


def suspended(
    at: datetime, task: TaskId, attempt: int, *, after: TaskState, reason: str, note: str
) -> Change:
    """A runner has ended the attempt, for no fault of the task; it waits for the next try."""
    return Change(
        EventKind.TASK_RETRIED,
        at,
        task,
        attempt,
        payload={"reason": reason, "state": after.value},
        task_state=after,
        attempt_state=AttemptState.CANCELLED,
        note=note,
    )


def skipped(at: datetime, task: TaskId, *, because: str) -> Change:
    """The task never runs, because of a failure before it."""
    return Change(
        EventKind.TASK_FINISHED,
        at,
        task,
        payload={"state": TaskState.SKIPPED.value, "reason": because},
        task_state=TaskState.SKIPPED,
        note=because,
    )


def cancelled(at: datetime, task: TaskId, attempt: int | None, *, because: str) -> Change:
    """The task was ended, or never starts."""
    return Change(
        EventKind.TASK_FINISHED,
        at,
        task,
        attempt,
        payload={"state": TaskState.CANCELLED.value, "reason": because},
        task_state=TaskState.CANCELLED,
        attempt_state=None if attempt is None else AttemptState.CANCELLED,
        note=because,
    )


def stalled(
    at: datetime, task: TaskId, attempt: int, *, silent_s: float, cap_s: float
) -> Change:
    """A running task gives no sign of life."""
    then = f"It is ended {cap_s:g} s after its start, if it does not answer."
    return Change(
        EventKind.TASK_STALLED,
        at,
        task,
        attempt,
        payload={"silent_s": round(silent_s, 1), "next": then},
        task_state=TaskState.STALLED,
    )


def revived(at: datetime, task: TaskId, attempt: int) -> Change:
    """A stalled task gives signs of life again."""
    return Change(EventKind.TASK_REVIVED, at, task, attempt, task_state=TaskState.RUNNING)
