"""Planning by rules: the words of a goal against what the agents say they can do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hypernb.agents._cards import SPECIALISTS, load_cards
from hypernb.agents._handed_in import (
    OF_DATA,
    frames_in,
    is_about,
    notes_of_unlooked,
    plan_frames,
)
from hypernb.agents._plan_notes import NO_SUITE, narrowed
from hypernb.agents._specialists import (
    STRATEGIST,
    add_tasks,
    checked_agents,
    checked_tree,
    tree_notes,
)
from hypernb.agents._words import listed
from hypernb.errors import GoalError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hypernb.model import RoleCard
    from hypernb.plan import Plan

GOAL_AT_MOST: Final = 100_000

_WORD: Final = re.compile(r"[^\W_]+(?:[.+#'\u2019][^\W_]+)*")
_SENTENCE_END: Final = re.compile(r"[.;:!?\n](?:\s|$)|[,]\s+(?:but|and)\s")
_NEGATION: Final = re.compile(
    r"\b(?:except|excluding|without|but not|do not|don['\u2019]t|no need to|not|skip|ignore|"
    r"leave out|(?<=\ball )but|(?<=\beverything )but)\b",
    re.IGNORECASE,
)
_SURELY_EVERYTHING: Final = re.compile(
    r"\beverything\b|\b(?:full|complete) audit\b|\ball (?:eight|agents|specialists)\b",
    re.IGNORECASE,
)
_EVERYTHING: Final = frozenset(
    {"all", "audit", "review", "whole", "entire", "anything", "overall"}
)
_SUMMING_UP: Final = frozenset(
    {"plan", "strategy", "roadmap", "priority", "prioritise", "prioritize", "rank", "sprint"}
    | {
        "backlog",
        "overview",
        "summary",
        "summarise",
        "summarize",
        "technical debt",
        "tech debt",
    }
    | {"project-strategist"}
)
_NO_SUITE: Final = re.compile(
    r"--no-tests\b|\bno tests\b|\bwithout (?:running |executing )?(?:the |any )?tests\b|"
    r"\b(?:do not|don['\u2019]t|never) (?:run|execute) (?:the |any )?tests\b",
    re.IGNORECASE,
)
_PATH: Final = re.compile(r"[\w.\-]+(?:/[\w.\-]+)*/?")
_START: Final = "Planned by rules over the agents' capabilities, because {}"
_LEAKS: Final = frozenset({"leak", "leaked"})
_LONGEST: Final = 4
_STEM_AT_LEAST: Final = 3
_PATHS_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Match:
    """An agent that fits a goal, and the words by which it does."""

    agent: str
    words: tuple[str, ...]


def plan_goal(
    goal: str,
    *,
    root: Path,
    agents: Sequence[str] = (),
    because: str = "",
    inputs: Mapping[str, Any] | None = None,
) -> Plan:
    """Plan a free-text goal by rules, without a model; the plan says so.

    Every agent with a capability whose words stand in the goal gets a task; if none has, or
    the goal asks for everything, all eight get one. Paths below ``root`` that the goal names
    narrow what is looked at. With data frames handed in, a goal about data gets the plan of
    the playbook data-profile; of what no task looks at, the notes say so. The goal is data:
    nothing in it is executed or filled in.

    Args:
        agents: Just these, whatever the goal says.
        because: Why no model has planned it; by default because none is configured.
        inputs: Values handed in, by name.

    Raises:
        GoalError: The goal is empty, longer than 100,000 characters, or not text.
        UnknownNameError: There is no such agent.
        PathError: The root is missing, unreadable or empty.
    """
    from hypernb.plan import Plan

    check_goal(goal)
    listing = checked_tree(root)
    cards = load_cards(listing.root)
    scope = _named_paths(goal, listing.files)
    start = _START.format(because or "no model is configured")
    words, given = _without(goal, scope), dict(inputs or {})
    frames = {} if agents else frames_in(given)
    if frames and _is_about_data(words, cards, sorted(frames)):
        return plan_frames(goal, frames, given, root=listing.root, start=start)
    picked, notes = _pick(words, cards, agents, start)
    suite = not wants_no_suite(goal)
    plan = Plan(goal, root=listing.root, scope=scope, inputs=given)
    add_tasks(plan, picked, cards, listing, suite=suite, scope=scope)
    if scope:
        notes.append(narrowed(scope))
    if not suite:
        notes.append(f"{NO_SUITE}because the goal says so.")
    plan.planned_by = "rules"
    notes += notes_of_unlooked(given)
    plan.notes = (*notes, *tree_notes(listing, cards, picked, suite=suite))
    return plan


def wants_no_suite(goal: str) -> bool:
    """Tell whether a goal says that the project's own tests are not to be run.

    Example:
        >>> wants_no_suite("Look at all of it, but do not run the tests.")
        True
    """
    return bool(_NO_SUITE.search(goal))


def check_goal(goal: str) -> None:
    """Refuse what cannot be a goal.

    Raises:
        GoalError: It is empty, longer than 100,000 characters, or not text.
    """
    if not any(character.isprintable() and not character.isspace() for character in goal):
        raise GoalError("The goal is empty.", hint="Say in a sentence what is wanted.")
    if len(goal) > GOAL_AT_MOST:
        raise GoalError(
            f"The goal has {len(goal):,} characters; {GOAL_AT_MOST:,} are the most.",
            hint="Say what is wanted, and hand the material in with --in.",
        )
    odd = next((each for each in goal if each == "\0" or "\ud800" <= each <= "\udfff"), "")
    if odd:
        raise GoalError(f"The goal contains {odd!r}, which is not text.", hint="Leave it out.")


def match_agents(goal: str, cards: Mapping[str, RoleCard]) -> list[Match]:
    """Find the agents with a capability whose words stand in the goal, in their order.

    The longest phrase counts: in "unused imports", the agent for unused imports is meant, not
    the one for imports.
    """
    stems = _stems(goal)
    known: dict[tuple[str, ...], dict[str, str]] = {}
    for name, card in cards.items():
        for words in (name, *card.capabilities):
            known.setdefault(_stems(words), {}).setdefault(name, words)
    found: dict[str, dict[str, None]] = {}
    for phrase in _longest(stems, known):
        for name, said in known[phrase].items():
            found.setdefault(name, {})[said] = None
    return [Match(name, tuple(found[name])) for name in cards if name in found]


def _longest(
    stems: Sequence[str], known: Collection[tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """Yield the known phrases in their order, without those inside a longer one."""
    reached = 0
    for start in range(len(stems)):
        for length in range(min(_LONGEST, len(stems) - start), 0, -1):
            phrase = tuple(stems[start : start + length])
            if phrase in known:
                if start + length > reached:
                    yield phrase
                reached = max(reached, start + length)
                break


def _pick(
    goal: str, cards: Mapping[str, RoleCard], agents: Sequence[str], start: str
) -> tuple[list[str], list[str]]:
    """Choose agents besides the strategist, and say why in sentences."""
    if agents:
        asked = checked_agents(agents, cards)
        return _others(asked), [f"{start}: you named {listed(asked)}."]
    wanted, unwanted = _split(goal)
    refused = {each.agent for each in match_agents(unwanted, cards)}
    matches = [each for each in _matches(wanted, cards) if each.agent not in refused]
    tail = [f"Left out, as the goal says: {listed(sorted(refused))}."] if refused else []
    everything = bool(_SURELY_EVERYTHING.search(wanted))
    if matches and not everything and not _sums_up(matches):
        why = "; ".join(f"{each.agent} by {_quoted(each.words)}" for each in matches)
        return _others(each.agent for each in matches), [f"{start}: it matched {why}.", *tail]
    kept = _others(name for name in SPECIALISTS if name not in refused)
    if everything or (not matches and _EVERYTHING & set(_tokens(wanted))):
        said = "the goal asks for everything"
    elif matches:
        said = f"it matched {_quoted(matches[0].words)}, which concerns all specialists"
    else:
        said = "it matched no capability, so all specialists look"
    return kept, [f"{start}: {said}.", *tail]


def _matches(goal: str, cards: Mapping[str, RoleCard]) -> list[Match]:
    """Match a goal; where it is about columns, what leaks is a target and no secret."""
    matches = match_agents(goal, cards)
    if not OF_DATA.search(goal):
        return matches
    return [each for each in matches if set(each.words) - _LEAKS]


def _is_about_data(goal: str, cards: Mapping[str, RoleCard], names: Sequence[str]) -> bool:
    wanted, _ = _split(goal)
    is_of_code = any(set(each.words) - _LEAKS for each in match_agents(wanted, cards))
    return is_about(wanted, names, is_of_code=is_of_code)


def _sums_up(matches: Sequence[Match]) -> bool:
    """Tell whether only the strategist fits, and is to rank what the others would find."""
    alone = [each.agent for each in matches] == [STRATEGIST]
    return alone and not _SUMMING_UP.isdisjoint(matches[0].words)


def _others(names: Iterable[str]) -> list[str]:
    return [name for name in names if name != STRATEGIST]


def _quoted(words: Sequence[str]) -> str:
    return listed([repr(word) for word in words[:5]])


def _split(goal: str) -> tuple[str, str]:
    """Part what is wanted from what follows ``except``, ``without`` and the like."""
    wanted: list[str] = []
    unwanted: list[str] = []
    at = 0
    while match := _NEGATION.search(goal, at):
        wanted.append(goal[at : match.start()])
        end = _SENTENCE_END.search(goal, match.end())
        at = end.end() if end else len(goal)
        unwanted.append(goal[match.end() : at])
    wanted.append(goal[at:])
    return " ".join(wanted), " ".join(unwanted)


def _tokens(text: str) -> list[str]:
    return [match.group().casefold() for match in _WORD.finditer(text)]


def _stems(phrase: str) -> tuple[str, ...]:
    return tuple(_stem(word) for word in _tokens(phrase))


def _stem(word: str) -> str:
    """Cut the endings that English puts on words; crude, but the same on both sides.

    Example:
        >>> [_stem(word) for word in ("tests", "testing", "tested", "queries", "query")]
        ['test', 'test', 'test', 'quer', 'quer']
    """
    for ending in ("ies", "ing", "ied", "es", "ed", "s", "y", "e"):
        if (
            word.endswith(ending)
            and len(word) - len(ending) >= _STEM_AT_LEAST
            and not word.endswith("ss")
        ):
            return word[: -len(ending)]
    return word


def _named_paths(goal: str, files: Sequence[str]) -> tuple[str, ...]:
    """Find files and folders of the tree that the goal names, as scope.

    Only names that cannot be meant as words count: with a slash, or a file with an ending.
    """
    folders = {f"{parent}/" for name in files for parent in _parents(name)}
    known = folders | set(files)
    found: dict[str, None] = {}
    for match in _PATH.finditer(goal):
        word = match.group().removeprefix("./").rstrip(".")
        if "/" not in word and "." not in word:
            continue
        for candidate in (word, f"{word.rstrip('/')}/"):
            if candidate in known and len(found) < _PATHS_AT_MOST:
                found[candidate] = None
    return tuple(sorted(found))


def _without(goal: str, paths: Sequence[str]) -> str:
    """Take paths out of a goal: their parts are no words of it."""
    for path in sorted(paths, key=len, reverse=True):
        goal = goal.replace(path, " ")
    return goal


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]
