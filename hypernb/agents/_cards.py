"""Role cards: read from the package, the user's folder and the project, and merged."""

from __future__ import annotations

import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from hypernb.agents._post import TALK_TOOLS
from hypernb.errors import RoleCardError, nearest
from hypernb.model import RoleCard

if TYPE_CHECKING:
    from collections.abc import Iterator

SPECIALISTS: Final = (
    "project-strategist",
    "system-architect",
    "backend-specialist",
    "frontend-specialist",
    "database-architect",
    "qa-engineer",
    "devops-engineer",
    "security-engineer",
)
"""The eight built-in agents, in the order in which they are listed."""

_TEXTS: Final = frozenset({"name", "role", "model", "prompt", "returns"})
_NUMBERS: Final = frozenset({"steps", "calls", "tokens"})
_LISTS: Final = frozenset({"capabilities", "tools", "extend_capabilities", "extend_tools"})
_REQUIRED: Final = ("role", "capabilities", "tools")
_CARD_AT_MOST_BYTES: Final = 1_000_000


def load_cards(root: Path | None = None) -> dict[str, RoleCard]:
    """Return the role cards by name: built in, then the user's, then the project's.

    A card with the name of an earlier one changes it: ``extend_tools`` and
    ``extend_capabilities`` add to its lists, every other key replaces what was there. Cards
    are data; nothing in them is executed.

    Args:
        root: The project; cards are read from its ``.hypernb/agents/*.toml``.

    Raises:
        RoleCardError: A card cannot be read, has an unknown key, or lacks a required one.
    """
    cards = {name: _built_in(name) for name in SPECIALISTS}
    for folder in _folders(root):
        seen: dict[str, Path] = {}
        for path in sorted(folder.glob("*.toml")):
            fields = _read(path)
            name = fields.setdefault("name", path.stem)
            if name in seen:
                raise RoleCardError(
                    str(path), "name", f"is {name!r}, which {seen[name].name} has as well"
                )
            seen[name] = path
            cards[name] = _merge(cards.get(name), fields, path)
    return cards


def _built_in(name: str) -> RoleCard:
    text = files("hypernb.agents").joinpath("cards", f"{name}.toml").read_text("utf-8")
    return RoleCard(**tomllib.loads(text))


def _folders(root: Path | None) -> Iterator[Path]:
    from platformdirs import user_data_dir

    home = os.environ.get("HYPERNB_HOME") or user_data_dir("hypernb", appauthor=False)
    yield Path(home).expanduser() / "agents"
    if root is not None:
        yield root / ".hypernb" / "agents"


def _read(path: Path) -> dict[str, Any]:
    try:
        # A project's cards come from strangers: a pipe or a device would be read for ever.
        if not path.is_file():
            raise RoleCardError(str(path), "", "is not a regular file")
        if path.stat().st_size > _CARD_AT_MOST_BYTES:
            raise RoleCardError(str(path), "", "is larger than a million bytes")
        fields = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RoleCardError(
            str(path), "", f"cannot be read: {error.strerror or error}"
        ) from error
    except UnicodeDecodeError as error:
        raise RoleCardError(str(path), "", "is not UTF-8 text") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RoleCardError(str(path), "", f"is not TOML: {error}") from error
    for key, value in fields.items():
        _check(path, key, value)
    return fields


def _check(path: Path, key: str, value: object) -> None:
    if key in _TEXTS:
        if not isinstance(value, str) or (key == "name" and not value.strip()):
            raise RoleCardError(str(path), key, f"is {value!r:.120}; it has to be text")
    elif key in _NUMBERS:
        if not isinstance(value, int) or isinstance(value, bool):
            raise RoleCardError(str(path), key, f"is {value!r:.120}; it has to be a number")
    elif key in _LISTS:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise RoleCardError(str(path), key, "has to be a list of texts")
        if key.endswith("tools"):
            _check_tools(path, key, value)
    else:
        raise RoleCardError(
            str(path), key[:120], "is not known", hint=nearest(key, _TEXTS | _LISTS | _NUMBERS)
        )


def _check_tools(path: Path, key: str, names: list[str]) -> None:
    known = known_tools()
    for name in names:
        if name not in known:
            raise RoleCardError(
                str(path), key, f"names no tool with {name[:120]!r}", hint=nearest(name, known)
            )


def known_tools() -> tuple[str, ...]:
    """Return the names of all tools that agents can be given, sorted."""
    from hypernb.tools import all_tool_names

    return tuple(sorted((*all_tool_names(), *TALK_TOOLS)))


def model_tools() -> tuple[str, ...]:
    """Return the names of those that only a model can call, sorted."""
    from hypernb.tools import function_tool_names

    return tuple(sorted((*function_tool_names(), *TALK_TOOLS)))


def _merge(before: RoleCard | None, fields: dict[str, Any], path: Path) -> RoleCard:
    merged = before.model_dump() if before else {}
    for key, value in fields.items():
        if key not in _LISTS:
            merged[key] = value
        elif not key.startswith("extend_"):
            merged[key] = tuple(value)
    for key in ("capabilities", "tools"):
        merged[key] = _unique((*merged.get(key, ()), *fields.get(f"extend_{key}", ())))
    for key in _REQUIRED:
        if not merged.get(key):
            raise RoleCardError(
                str(path),
                key,
                "is missing",
                hint=f"A new agent needs {', '.join(_REQUIRED)}. "
                f"To extend a built-in one, use its name: {', '.join(SPECIALISTS)}.",
            )
    sources = [before.source] if before else []
    try:
        return RoleCard(**{**merged, "source": ", ".join([*sources, str(path)])})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(step) for step in first["loc"])
        problem = f"is {first['input']!r:.120}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise RoleCardError(str(path), key, problem) from None


def _unique(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
