"""Planning by rules: the words of a goal against what the agents say they can do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypernb.agents._cards import SPECIALISTS, load_cards
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
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hypernb.model import RoleCard
    from hypernb.plan import Plan

GOAL_AT_MOST: Final = 100_000

_WORD: Final = re.compile(r"[^\W_]+(?:[.+#'\u2019][^\W_]+)*")
_SENTENCE_END: Final = re.compile(r"[.;:!?\n](?:\s|$)|[,]\s+(?:but|and)\s")
_NEGATION: Final = re.compile(
    r"\b(?:except|excluding|without|but not|do not|don['\u2019]t|no need to|not|skip|ignore|"
    r"leave out)\b",
    re.IGNORECASE,
)
_EVERYTHING: Final = frozenset(
    {"everything", "all", "audit", "review", "whole", "entire", "anything", "overall"}
)
_NO_SUITE: Final = re.compile(
    r"--no-tests\b|\bno tests\b|\bwithout (?:running |executing )?(?:the |any )?tests\b|"
    r"\b(?:do not|don['\u2019]t|never) (?:run|execute) (?:the |any )?tests\b",
    re.IGNORECASE,
)
_PATH: Final = re.compile(r"[\w.\-]+(?:/[\w.\-]+)*/?")
_LONGEST: Final = 4
_STEM_AT_LEAST: Final = 3
_PATHS_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Match:
    """An agent that fits a goal, and the words by which it does."""

    agent: str
    words: tuple[str, ...]


def plan_goal(goal: str, *, root: Path, agents: Sequence[str] = ()) -> Plan:
    """Plan a free-text goal by rules, without a model; the plan says so.

    Every agent with a capability whose words stand in the goal gets a task; if none has, or
    the goal asks for everything, all eight get one. Paths below ``root`` that the goal names
    narrow what is looked at. The goal is data: nothing in it is executed or filled in.

    Args:
        agents: Just these, whatever the goal says.

    Raises:
        GoalError: The goal is empty, longer than 100,000 characters, or not text.
        UnknownNameError: There is no such agent.
        PathError: The root is missing, unreadable or empty.
    """
    from hypernb.plan import Plan

    check_goal(goal)
    listing = checked_tree(root)
    cards = load_cards(listing.root)
    picked, notes = _pick(goal, cards, agents)
    suite = not _NO_SUITE.search(goal)
    scope = _named_paths(goal, listing.files)
    plan = Plan(goal, root=listing.root, scope=scope)
    add_tasks(plan, picked, cards, listing, suite=suite, scope=scope)
    if scope:
        notes.append(f"Only {listed(scope)} is looked at, because the goal names it.")
    if not suite:
        notes.append("The project's tests are not run, because the goal says so.")
    plan.planned_by = "rules"
    plan.notes = (*notes, *tree_notes(listing, cards, picked, suite=suite))
    return plan


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
    """Find the agents with a capability whose words stand in the goal, in their order."""
    said = _phrases(goal)
    found: list[Match] = []
    for name, card in cards.items():
        words = tuple(each for each in card.capabilities if _stems(each) in said)
        named = (name,) if _stems(name) in said else ()
        if words or named:
            found.append(Match(name, named + words))
    return found


def _pick(
    goal: str, cards: Mapping[str, RoleCard], agents: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Choose agents besides the strategist, and say why in sentences."""
    start = "Planned by rules over the agents' capabilities, because no model is configured"
    if agents:
        asked = checked_agents(agents, cards)
        return _others(asked), [f"{start}: you named {listed(asked)}."]
    wanted, unwanted = _split(goal)
    refused = {each.agent for each in match_agents(unwanted, cards)}
    matches = [each for each in match_agents(wanted, cards) if each.agent not in refused]
    picked = _others([each.agent for each in matches])
    kept = [name for name in SPECIALISTS if name not in refused]
    tail = [f"Left out, as the goal says: {listed(sorted(refused))}."] if refused else []
    if picked:
        why = "; ".join(f"{each.agent} by {_quoted(each.words)}" for each in matches)
        return picked, [f"{start}: it matched {why}.", *tail]
    if _EVERYTHING & set(_tokens(wanted)):
        return _others(kept), [f"{start}: the goal asks for everything.", *tail]
    said = "no capability matched, so all specialists look"
    if matches:
        said = "only the strategist matched, who needs findings to rank, so all look"
    return _others(kept), [f"{start}: {said}.", *tail]


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


def _phrases(text: str) -> set[tuple[str, ...]]:
    stems = _stems(text)
    return {
        stems[start : start + length]
        for length in range(1, _LONGEST + 1)
        for start in range(len(stems) - length + 1)
    }


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


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]
