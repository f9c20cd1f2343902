"""What Tab offers after ``%hyper`` and ``%%hyper``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import HypernbError
from hypernb.magics._verbs import CELL_OPTIONS, SETTINGS, VERBS
from hypernb.model import MissionState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hypernb.magics._line import Option, Verb
    from hypernb.magics._start import Surroundings

RECENT_MISSIONS: Final = 100
FIXED: Final[dict[str, tuple[str, ...]]] = {
    "--form": ("notebook", "markdown", "html", "json", "plan"),
    "--state": tuple(state.value for state in MissionState),
    "--by": ("mission", "agent", "task", "model", "day"),
    "setting": tuple(f"{name}=" for name in SETTINGS),
    "verb": tuple(VERBS),
}

# `result = %hyper …` is a line magic too.
_MAGIC: Final = re.compile(r"\s*(?:[\w\s,.\[\]*]+=\s*)?(%%?hyper)\s+(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Completions:
    """What may stand where the cursor is.

    Attributes:
        fragment: The text before the cursor that each name would replace.
    """

    names: tuple[str, ...] = ()
    fragment: str = ""


def complete_line(around: Surroundings, line: str) -> Completions:
    """Return what may stand at the end of a line that calls the magic.

    Args:
        around: Where this runs.
        line: The line up to the cursor.
    """
    match = _MAGIC.fullmatch(line)
    if match is None:
        return Completions()
    magic, rest = match.groups()
    before = rest.split()
    word = before.pop() if rest and not rest[-1].isspace() else ""
    option, equals, value = word.partition("=")
    if equals and option.startswith("--"):
        before, word = [*before, option], value
    fragment = word.rpartition(",")[2]
    names = _offered(around, magic, before, word)
    return Completions(tuple(each for each in names if each.startswith(fragment)), fragment)


def _offered(around: Surroundings, magic: str, before: list[str], word: str) -> Iterable[str]:
    if magic == "%%hyper":
        return _for_cell(around, before, word)
    if not before:
        return VERBS
    verb = VERBS.get(before[0])
    return _for_verb(around, verb, before[1:], word) if verb else ()


def _for_cell(around: Surroundings, before: list[str], word: str) -> Iterable[str]:
    last = before[-1] if before else ""
    values = _values(around, CELL_OPTIONS, last)
    if values is not None:
        return values
    return [option.name for option in CELL_OPTIONS] if not word or word[0] == "-" else ()


def _for_verb(around: Surroundings, verb: Verb, before: list[str], word: str) -> Iterable[str]:
    values = _values(around, verb.options, before[-1] if before else "")
    if values is not None:
        return values
    if word.startswith("-"):
        return [option.name for option in verb.options]
    if not before:
        return _names(around, verb, word)
    wants_tasks = verb.completes == "mission" and "task" in verb.arguments
    return _quietly(lambda: around.session.mission(before[0]).tasks) if wants_tasks else ()


def _values(around: Surroundings, options: Iterable[Option], last: str) -> Iterable[str] | None:
    """Return what the option before the cursor takes; None if there is none that takes any."""
    option = next((each for each in options if each.name == last), None)
    if option is None or option.kind == "flag":
        return None
    kind = {
        "--playbook": "playbook",
        "--agents": "agent",
        "--agent": "agent",
        "--in": "variable",
        "--see": "variable",
        "--model": "model",
        "--mission": "mission",
        "--tools": "tool",
    }
    return _quietly(lambda: _known(around, kind.get(option.name, option.name)))


def _names(around: Surroundings, verb: Verb, word: str) -> Iterable[str]:
    if verb.completes == "mission":
        return _quietly(lambda: _missions(around, word))
    return _quietly(lambda: _known(around, verb.completes))


def _known(around: Surroundings, kind: str) -> Iterable[str]:
    found = _SOURCES.get(kind)
    return FIXED.get(kind, ()) if found is None else found(around)


_SOURCES: Final[dict[str, Callable[[Surroundings], Iterable[str]]]] = {
    "--out": lambda around: around.variables,
    "agent": lambda around: around.session.agents(),
    "mission": lambda around: _missions(around, ""),
    "model": lambda around: around.session.model_names(),
    "playbook": lambda around: around.session.playbooks(),
    "profile": lambda around: around.session.profile_names(),
    "tool": lambda around: around.session.tool_names(),
    "variable": lambda around: around.variables,
}


def _missions(around: Surroundings, word: str) -> Iterable[str]:
    mission, slash, _ = word.partition("/")
    if slash:
        return [f"{mission}/{name}" for name in around.session.mission(mission).tasks]
    return [each.id for each in around.session.missions(limit=RECENT_MISSIONS)]


def _quietly(source: Callable[[], Any]) -> Iterable[str]:
    # Completion runs while somebody types: a store that cannot be opened is told of when a
    # magic is run, not in the middle of a word.
    try:
        return list(source())
    except HypernbError:
        return []
