"""Notes of a plan that its tasks make true: made anew when an edit changes the tasks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hypernb.agents._model_tasks import SUITE, shows
from hypernb.agents._words import listed
from hypernb.model import NO_MODEL, AgentWork

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hypernb.model import PlanSpec

OFFLINE: Final = "The tasks use no network, no key and no model."
TREE_STAYS: Final = "Nothing is written into the tree."
FILES_STAY: Final = "Nothing is written into your files."
SUITE_RUNS: Final = (
    "The project's own test suite is executed on this machine with your rights: "
    "its code can do whatever you can. --no-tests leaves it out."
)
SUITE_MAY_RUN: Final = (
    "The project's own test suite is executed on this machine with your rights, if an "
    "agent asks for it: its code can do whatever you can. A goal that says not to run "
    "the tests leaves it out."
)
NO_SUITE: Final = "The project's tests are not run, "
_TOLD_TO: Final = "What the agents read is told to "
_TOLD_TO_NOBODY: Final = "A cassette answers, so what the agents read is told to nobody."
_UNSEEN: Final = "No task is to see what you hand in as "
_UNLOOKED: Final = " looked at by no task"
_FILES_NAMED: Final = 3
_ONLY: Final = "The agents look only at what the goal names: "
_WHATEVER: Final = "whatever the goal of "
_SAYS: Final = " says."


def no_model(tasks: Sequence[str]) -> str:
    """Say which tasks do what their tools do, because they have no model."""
    return (
        f"{NO_MODEL} the tools of the agent's role card do what they always do, "
        f"{_WHATEVER}{listed(sorted(tasks))}{_SAYS}"
    )


def told_to(models: Iterable[str], *, is_replayed: bool) -> str:
    """Say whom the agents tell what they read.

    Args:
        models: Each with its host: ``gpt-6 at api.example``.
        is_replayed: A cassette answers.
    """
    return _TOLD_TO_NOBODY if is_replayed else f"{_TOLD_TO}{listed(list(models))}."


def unseen(names: Sequence[str]) -> str:
    """Say which of the values handed in no task is to see."""
    return f"{_UNSEEN}{listed(names)}."


def not_tracked(names: Sequence[str]) -> str:
    """Say which files are new, so that agents do not read them."""
    files = "1 new file" if len(names) == 1 else f"{len(names):,} new files"
    more = len(names) - _FILES_NAMED
    shown = [*names[:_FILES_NAMED], *([f"{more:,} more"] if more > 0 else [])]
    return f"{files} cannot be read until `git add`: {listed(shown)}."


def unlooked(names: Sequence[str], *, is_frame: bool = False) -> str:
    """Say which of the values handed in no task without a model looks at.

    Args:
        is_frame: They are data frames, which a playbook looks at.
    """
    said = f"{listed(names)} {'is' if len(names) == 1 else 'are'}{_UNLOOKED}"
    if is_frame:
        it = "it" if len(names) == 1 else "them"
        return f"{said}; --playbook data-profile --in {','.join(names)} looks at {it}."
    return f"{said}: without a model only data frames are, by the playbook data-profile."


def narrowed(scope: Sequence[str]) -> str:
    """Say that only what the goal names is looked at."""
    return f"{_ONLY}{listed(scope)}."


def true_notes(spec: PlanSpec) -> tuple[str, ...]:
    """Return the notes of a plan as its tasks are now: none says what was so before an edit.

    Example:
        >>> from hypernb.model import PlanSpec
        >>> true_notes(PlanSpec(goal="look", notes=(SUITE_RUNS, "Mind the step.")))
        ('Mind the step.',)
    """
    return tuple(now for note in spec.notes if (now := _now(note, spec)))


def _now(note: str, spec: PlanSpec) -> str:
    if note in (SUITE_RUNS, SUITE_MAY_RUN) or note.startswith(NO_SUITE):
        runs = any(SUITE in work.tools for work in _works(spec))
        return note if runs != note.startswith(NO_SUITE) else ""
    if note.startswith(_ONLY):
        return note if note == narrowed(spec.scope) else ""
    if note.startswith(NO_MODEL):
        return _bare(note, spec)
    if note.startswith(_UNSEEN):
        seen = {name for work in _works(spec) if work.model for name in work.variables}
        names = sorted(set(spec.inputs) - seen)
        return unseen(names) if names else ""
    if _UNLOOKED in note:
        return "" if any(_looks(work) for work in _works(spec)) else note
    return _whom(note, spec)


def _looks(work: AgentWork) -> bool:
    """Tell whether a task may look at values that are handed in."""
    return bool(work.model) or any(map(shows, work.tools))


def _works(spec: PlanSpec) -> Iterator[AgentWork]:
    return (task.work for task in spec.tasks if isinstance(task.work, AgentWork))


def _bare(note: str, spec: PlanSpec) -> str:
    """Name only those tasks that still have no model."""
    bare = [
        task.name
        for task in spec.tasks
        if isinstance(task.work, AgentWork) and not task.work.model
    ]
    said = note.partition(_WHATEVER)[2].removesuffix(_SAYS)
    still = _names_in(said, bare)
    return no_model(still) if still else ""


def _names_in(said: str, names: Iterable[str]) -> list[str]:
    """Return which names `listed` has joined there; a name may hold a comma itself."""
    longest_first = sorted(names, key=len, reverse=True)
    any_name = "|".join(re.escape(each) for each in longest_first)
    found = re.findall(rf"(?:^|, | and )({any_name})(?=, | and |$)", said)
    return list(dict.fromkeys(name for name in found if name))


def _whom(note: str, spec: PlanSpec) -> str:
    """Say anew who is told what is read, where a note says so or says that nobody is."""
    before, after = (f"{TREE_STAYS} ", ""), ("", f" {FILES_STAY}")
    for head, tail in (before, after, ("", "")):
        middle = note.removeprefix(head).removesuffix(tail)
        is_framed = len(middle) == len(note) - len(head) - len(tail)
        is_whom = middle in (OFFLINE, _TOLD_TO_NOBODY) or middle.startswith(_TOLD_TO)
        if is_framed and is_whom:
            return f"{head}{_who(spec)}{tail}"
    return note


def _who(spec: PlanSpec) -> str:
    used = {work.model for work in _works(spec)} & set(spec.models)
    models = [spec.models[name] for name in sorted(used)]
    if not models:
        return OFFLINE
    named = dict.fromkeys(f"{each.name} at {each.host}" for each in models)
    return told_to(named, is_replayed=spec.is_replayed)
