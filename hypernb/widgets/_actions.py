"""Buttons: what can be asked of a mission in each state, with the magic that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import dollars
from hypernb.model import MissionState, TaskState
from hypernb.session import RETRIABLE
from hypernb.views import line, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypernb.errors import UnnamedHostError
    from hypernb.model import TaskRecord
    from hypernb.views import Figures

Action = dict[str, Any]

TASKS_AT_MOST: Final = 500
"""A message that names ten thousand buttons helps nobody; the mission's own do for all."""

CHOICES_AT_MOST: Final = 200
"""Who has more models finds one sooner by its name."""

_GOES_ON: Final = frozenset({MissionState.RUNNING, MissionState.PAUSED})
_MAY_GO_ON: Final = frozenset({MissionState.FAILED, MissionState.CANCELLED})


def action(
    verb: str,
    label: str,
    twin: str,
    *,
    args: Mapping[str, Any] | None = None,
    primary: bool = False,
    confirm: Mapping[str, Any] | None = None,
) -> Action:
    """Describe a button.

    Args:
        verb: What it asks the kernel for; see `hypernb.widgets._protocol`.
        label: What will happen; ends in an ellipsis if it asks first.
        twin: The magic that does the same.
        args: Arguments of the verb.
        primary: It is the one that a person most probably wants.
        confirm: ``question``, ``button`` and, for a field, ``reason``; ``choices`` are what
            that can be chosen from.
    """
    made: Action = {
        "verb": verb,
        "label": label,
        "args": dict(args or {}),
        "twin": twin,
        "kind": "primary" if primary else "plain",
    }
    return made | {"confirm": dict(confirm)} if confirm else made


def mission_actions(figures: Figures) -> list[Action]:
    """Return what can be asked of the whole mission, the likeliest first."""
    match figures.snapshot.mission.state:
        case MissionState.AWAITING_APPROVAL if figures.decides:
            yes = [] if figures.has_nothing_to_run else [_approve(figures)]
            return [*yes, _reject(figures)]
        case MissionState.PLANNING | MissionState.AWAITING_APPROVAL:
            return [cancel(figures)]
        case MissionState.RUNNING:
            return [_simple(figures, "pause", "Pause"), cancel(figures)]
        case MissionState.PAUSED:
            return [_go_on_from_pause(figures), cancel(figures)]
        case MissionState.FAILED | MissionState.CANCELLED:
            return list(_go_on(figures))
        case _:
            return []


def _simple(figures: Figures, verb: str, label: str, *, primary: bool = False) -> Action:
    return action(verb, label, _twin(figures, verb), primary=primary)


def _twin(figures: Figures, verb: str, *more: str) -> str:
    return figures.typed(" ".join([verb, figures.snapshot.mission.short_id, *more]))


def _approve(figures: Figures) -> Action:
    many = {1: "its task", 2: "both tasks"}.get(figures.total, f"all {figures.total:,} tasks")
    if figures.shared:
        many = f"{words.count(figures.to_run, 'task')} to be run"
    # The hash of what is shown: if somebody edits it meanwhile, the click is refused.
    args = {"tasks": [], "plan_hash": figures.snapshot.mission.plan_hash}
    twin = _twin(figures, "approve")
    return action("approve", f"Approve {many}", twin, args=args, primary=True)


def _reject(figures: Figures) -> Action:
    return action(
        "reject",
        "Reject…",
        _twin(figures, "reject"),
        confirm={
            "question": "Nothing of this plan will ever run.",
            "button": "Reject the plan",
            "reason": "Why (kept with the mission)",
        },
    )


def cancel(figures: Figures) -> Action:
    """Describe the button that ends a mission."""
    begun = figures.snapshot.mission.started_at is not None
    return action(
        "cancel",
        "Cancel mission…",
        _twin(figures, "cancel"),
        confirm={
            "question": "Everything that runs is stopped. What is done is kept."
            if begun
            else "Nothing of it will run.",
            "button": "Cancel the mission",
        },
    )


def _go_on_from_pause(figures: Figures) -> Action:
    if figures.paused_for_money is not None:
        return raise_budget(figures)
    return _simple(figures, "resume", "Resume", primary=True)


def raise_budget(figures: Figures) -> Action:
    """Describe the button that lets a mission spend more, so that it goes on."""
    enough = figures.enough_money
    return action(
        "resume",
        f"Raise the budget to {dollars(enough)}",
        _twin(figures, "resume", f"--budget {enough:g}"),
        args={"budget": enough},
        primary=True,
    )


def money_actions(figures: Figures) -> list[Action]:
    """Return the four ways on for a mission that was paused because no money was left."""
    return [
        raise_budget(figures),
        action(
            "take_model",
            "Take another model…",
            _twin(figures, "resume", "--model NAME"),
            confirm={
                "question": "It goes on, and asks this model from then on.",
                "button": "Take this model",
                "reason": "Its name (%hyper models lists them)",
                "choices": choices(figures),
            },
        ),
        action(
            "finish",
            "Finish with what is left",
            _twin(figures, "resume", "--finish"),
        ),
        cancel(figures),
    ]


def host_step(mission: str, error: UnnamedHostError) -> Action:
    """Describe what is asked before a mission's models are at a host that was not approved."""
    return action(
        "take_model",
        f"Let it ask {line(error.host, cut_at=120)}…",
        f"%hyper resume {mission} --model {line(error.model, cut_at=120)} --yes",
        args={"reason": error.model, "approve_host": True},
        confirm={"question": str(error.args[0]), "button": "Let it ask there"},
    )


def choices(figures: Figures) -> list[list[str]]:
    """Return the models that tasks can be given: the name of each, and what is said of it."""
    return [
        [each.name, line(each.said, cut_at=300)]
        for each in figures.outlook.choices[:CHOICES_AT_MOST]
    ]


def _go_on(figures: Figures) -> list[Action]:
    if not figures.total:
        return []  # its planning has failed: there is nothing to go on with
    found = []
    if may_retry(figures):
        retry = _simple(figures, "retry", "Retry what is left", primary=True)
        found.append(retry | {"args": {"task": ""}})
    if figures.is_out_of_money:
        label, twin = "Begin anew with a larger budget", figures.larger_budget
        args = {"at": "", "budget": float(twin.rpartition(" ")[2])}
        return [action("fork", label, twin, args=args, primary=True)]
    anew, again = "Begin anew with what is done", "Propose the plan again"
    label = again if figures.was_never_to_run else anew
    rewind = action("fork", label, _twin(figures, "rewind"), args={"at": ""})
    return [*found, rewind]


def may_retry(figures: Figures, task: TaskRecord | None = None) -> bool:
    """Tell whether a task can be tried again; without one, whether any of the mission can.

    Money that is spent, and a plan that nobody has approved, leave nothing to try.
    """
    state = figures.snapshot.mission.state
    if state not in _MAY_GO_ON | _GOES_ON or figures.is_out_of_money or not figures.approved:
        return False
    if task is not None:
        return task.state in RETRIABLE
    return any(figures.counts.get(each) for each in RETRIABLE)


def retry(figures: Figures, task: TaskRecord, *, primary: bool = False) -> Action:
    """Describe the button that tries a task once more."""
    asks = task.state is TaskState.AWAITING_APPROVAL
    return action(
        "retry",
        "Try it once more" if asks else "Retry",
        _twin(figures, "retry", f"t{task.number}"),
        args={"task": task.name},
        primary=primary,
    )


def task_actions(figures: Figures) -> dict[str, list[Action]]:
    """Return what can be asked of single tasks, by their names; only of those that have any."""
    found: dict[str, list[Action]] = {}
    ended = figures.snapshot.mission.state.is_final and figures.approved
    tasks = figures.snapshot.tasks if ended else figures.among(*RETRIABLE)
    for task in tasks[:TASKS_AT_MOST]:
        asked = [retry(figures, task)] if may_retry(figures, task) else []
        if ended and task.attempt:
            asked.append(_again(figures, task))
        if asked:
            found[task.name] = asked
    return found


def _again(figures: Figures, task: TaskRecord) -> Action:
    return action(
        "fork",
        "Do it anew from here",
        _twin(figures, "rewind", f"t{task.number}"),
        args={"at": task.name},
    )
