"""What Tab offers after ``%hyper`` and ``%%hyper``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypernb.errors import HypernbError
from hypernb.magics._verbs import CELL_OPTIONS, VERBS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypernb.magics._line import Option, Verb
    from hypernb.magics._start import Surroundings

RECENT_MISSIONS = 100


def complete_line(around: Surroundings, line: str, word: str) -> list[str]:
    """Return what may stand where the cursor is.

    Args:
        around: Where this runs.
        line: The line up to the cursor.
        word: The word that is being written; part of the line.
    """
    before = line[: len(line) - len(word)].split()
    if before and before[0] == "%%hyper":
        return _fitting(word, _for_options(around, CELL_OPTIONS, before))
    if len(before) <= 1:
        return _fitting(word, VERBS)
    verb = VERBS.get(before[1])
    return _fitting(word, _for_verb(around, verb, before[2:], word) if verb else ())


def _for_verb(around: Surroundings, verb: Verb, before: list[str], word: str) -> Iterable[str]:
    offered = _after_option(around, verb.options, before[-1] if before else "")
    if offered or word.startswith("-"):
        return offered or [option.name for option in verb.options]
    if not before:
        return _names(around, verb.completes)
    return _tasks(around, before[0]) if verb.completes == "mission" else ()


def _for_options(
    around: Surroundings, options: Iterable[Option], before: list[str]
) -> Iterable[str]:
    options = tuple(options)
    return _after_option(around, options, before[-1]) or [option.name for option in options]


def _after_option(around: Surroundings, options: Iterable[Option], last: str) -> Iterable[str]:
    values: dict[str, Callable[[], Iterable[str]]] = {
        "--playbook": lambda: _names(around, "playbook"),
        "--agents": lambda: _names(around, "agent"),
        "--in": lambda: [name for name in around.namespace if not name.startswith("_")],
        "--state": lambda: ("awaiting_approval", "running", "paused", "succeeded", "failed"),
    }
    if any(option.name == last and option.kind != "flag" for option in options):
        return values.get(last, list)()
    return []


def _names(around: Surroundings, kind: str) -> Iterable[str]:
    sources: dict[str, Callable[[], Iterable[str]]] = {
        "agent": around.session.agents,
        "playbook": around.session.playbooks,
        "verb": lambda: VERBS,
        "mission": lambda: [each.id for each in around.session.missions(limit=RECENT_MISSIONS)],
    }
    return _quietly(sources.get(kind, list))


def _tasks(around: Surroundings, mission: str) -> Iterable[str]:
    return _quietly(lambda: around.session.mission(mission).tasks)


def _quietly(source: Callable[[], Any]) -> Iterable[str]:
    # Completion runs while somebody types: a store that cannot be opened is told of when a
    # magic is run, not in the middle of a word.
    try:
        return list(source())
    except HypernbError:
        return []


def _fitting(word: str, names: Iterable[str]) -> list[str]:
    head, comma, tail = word.rpartition(",")
    return [head + comma + name for name in names if name.startswith(tail)]
