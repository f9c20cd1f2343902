"""Decides which command runs a project's test suite, without executing anything."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypernb.errors import ConfigError, nearest
from hypernb.tools._config import CONFIG, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_TIMEOUT_S: Final = 300.0
_KEYS: Final = frozenset({"command", "interpreter", "timeout_s", "coverage"})
_PYTHONS: Final = frozenset({"python", "python3", "python.exe"})
_PYTESTS: Final = frozenset({"pytest", "py.test"})
_ENVIRONMENTS: Final = (".venv", "venv", "env")
_LONGEST_S: Final = 86_400.0


def suite_command(root: Path) -> dict[str, Any]:
    """Decide what the tool ``tests`` will execute in a tree: its arguments for the plan.

    The project's ``.hypernb/config.toml`` decides; without it, pytest is run by the project's
    own interpreter where it has pytest, otherwise by the one that runs hypernb. Nothing is
    executed to find that out, because nothing has been approved yet.

    Returns:
        ``command`` (a list, empty if there is nothing to run), ``timeout_s``, ``coverage``,
        ``source`` (where the command comes from) and ``reason`` (why it is that one, or why
        there is none).

    Raises:
        ConfigError: The configuration cannot be read or says something without meaning.
    """
    config = _read_config(root)
    interpreter, whose = _interpreter(root, config.get("interpreter"))
    command = config.get("command")
    if command is not None:
        words = shlex.split(command) if isinstance(command, str) else list(command)
        return _params(
            _by_interpreter(words, interpreter),
            config,
            source=CONFIG,
            reason=f"{CONFIG} names the command; Python is {whose}.",
        )
    if not _has_tests(root):
        return _params([], config, source="", reason="There are no test files.")
    return _params(
        [interpreter, "-m", "pytest", "-q"],
        config,
        source="default",
        reason=f"There are test files and {CONFIG} names no command; Python is {whose}.",
    )


def suite_files(files: Iterable[str]) -> list[str]:
    """Return the Python files that pytest or unittest would take for tests, by their names.

    Example:
        >>> suite_files(["tests/test_a.py", "app/tests.py", "b_test.py", "tests/conftest.py"])
        ['tests/test_a.py', 'app/tests.py', 'b_test.py']
    """
    found = []
    for path in files:
        name = path.rpartition("/")[2]
        stem = name.removesuffix(".py")
        if stem != name and (
            stem.startswith("test_") or stem.endswith("_test") or stem in ("test", "tests")
        ):
            found.append(path)
    return found


def _params(
    command: list[str], config: dict[str, Any], *, source: str, reason: str
) -> dict[str, Any]:
    return {
        "command": command,
        "timeout_s": float(config.get("timeout_s", DEFAULT_TIMEOUT_S)),
        "coverage": config.get("coverage", True),
        "source": source,
        "reason": reason,
    }


def _has_tests(root: Path) -> bool:
    from hypernb.tools._files import list_files

    return bool(suite_files(list_files(root).files))


def _by_interpreter(words: list[str], interpreter: str) -> list[str]:
    if not words:
        raise ConfigError(
            f"{CONFIG}: [tests] command is empty.", hint="Leave it out, or fill it."
        )
    if words[0] in _PYTHONS:
        return [interpreter, *words[1:]]
    if words[0] in _PYTESTS:
        return [interpreter, "-m", "pytest", *words[1:]]
    return words


def _interpreter(root: Path, named: str | None) -> tuple[str, str]:
    """Return a Python and whose it is; links stay, for they make an environment."""
    if named is not None:
        path = Path(named).expanduser()
        # A name without a folder is looked up on PATH when it runs.
        place = str(path if path.is_absolute() or len(path.parts) == 1 else root / path)
        return place, f"the one that {CONFIG} names"
    for name in _ENVIRONMENTS:
        for python in ("bin/python", "Scripts/python.exe"):
            path = root / name / python
            if path.is_file() and _has_pytest(root / name):
                return str(path), f"the project's own, in {name}"
    return sys.executable, "the one that runs hypernb"


def _has_pytest(environment: Path) -> bool:
    patterns = ("lib/python*/site-packages/pytest", "Lib/site-packages/pytest")
    return any(any(environment.glob(pattern)) for pattern in patterns)


# --- the project's configuration --------------------------------------------------------


def _read_config(root: Path) -> dict[str, Any]:
    section = read_table(root, "tests")
    _check_config(section)
    return section


def _check_config(section: dict[str, Any]) -> None:
    for key in section:
        if key not in _KEYS:
            raise ConfigError(
                f"{CONFIG}: [tests] has no key {key!r}.", hint=nearest(key, _KEYS)
            )
    command = section.get("command")
    if command is not None and not _is_command(command):
        raise ConfigError(
            f"{CONFIG}: [tests] command is neither a text nor a list of texts.",
            hint='For example: command = "python -m pytest -q tests/unit"',
        )
    if not isinstance(section.get("interpreter", ""), str):
        raise ConfigError(f"{CONFIG}: [tests] interpreter is no text.", hint="Give a path.")
    if not isinstance(section.get("coverage", True), bool):
        raise ConfigError(
            f"{CONFIG}: [tests] coverage is neither true nor false.", hint="Write it so."
        )
    timeout_s = section.get("timeout_s", DEFAULT_TIMEOUT_S)
    if not isinstance(timeout_s, int | float) or isinstance(timeout_s, bool):
        raise ConfigError(f"{CONFIG}: [tests] timeout_s is no number.", hint="Give seconds.")
    if not 0 < timeout_s <= _LONGEST_S:
        raise ConfigError(
            f"{CONFIG}: [tests] timeout_s is {timeout_s}.",
            hint=f"Give seconds, more than 0 and at most {_LONGEST_S:g}.",
        )


def _is_command(command: object) -> bool:
    if isinstance(command, str):
        try:
            shlex.split(command)
        except ValueError:
            return False
        return True
    return isinstance(command, list) and all(isinstance(word, str) for word in command)
