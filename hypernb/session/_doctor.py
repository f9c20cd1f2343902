"""What the doctor looks at: the store, the runner, the tools, the machine."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from hypernb.errors import HypernbError
from hypernb.here import current_shell
from hypernb.session.front_end import choose, greetings, look_around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hypernb.model import Swept
    from hypernb.session._session import Session

LOW_DISK_BYTES = 500_000_000
_NAMED = 8
_GOAL = 80
AUDIT_PROGRAMS = (
    "ruff",
    "vulture",
    "bandit",
    "detect-secrets",
    "sqlglot",
    "coverage",
    "pytest",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the doctor looked at.

    Attributes:
        what: What was looked at.
        found: What was found, in a sentence.
        ok: Whether it is as it should be.
        next_step: What to do about it; empty if nothing.
    """

    what: str
    found: str
    ok: bool
    next_step: str = ""

    @property
    def word(self) -> str:
        """How it is, in a word or three."""
        if not self.ok:
            return "not fine"
        return "could be better" if self.next_step else "fine"


def examine(
    session: Session,
    *,
    model: str = "",
    offline: bool = False,
    on_progress: Callable[[str], None] | None = None,
) -> list[Check]:
    """Look at everything once; what cannot be looked at is a check that is not ok.

    Args:
        model: Ask this model something small; the configured one if empty.
        offline: Ask none.
        on_progress: Told a few words on what the model is asked.
    """
    from hypernb.session._models import examined

    return [
        *_machine(),
        *examined(session, name=model, ask=not offline, tell=on_progress or _say_nothing),
        _views(),
        *_store(session),
        *_places(session.root),
        *_programs(),
    ]


def _say_nothing(_words: str) -> None:
    """Nobody wants to know."""


def _fine(what: str, found: str) -> Check:
    return Check(what, found=found, ok=True)


def _wrong(what: str, found: str, next_step: str) -> Check:
    return Check(what, found=found, ok=False, next_step=next_step)


def _machine() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield _fine("Python", f"{version} at {sys.executable}")
    for name, least in (("ipykernel", (7, 1)), ("IPython", (9, 0))):
        found = metadata.version(name)
        if tuple(int(part) for part in found.split(".")[:2]) >= least:
            yield _fine(name, found)
        else:
            wanted = f"{name}>={least[0]}.{least[1]}"
            yield _wrong(name, found, f'pip install --upgrade "{wanted}"')
    if git := shutil.which("git"):
        yield _fine("git", git)
    else:
        yield _wrong(
            "git",
            "not on the PATH: every file of a tree counts as tracked",
            "Install git, so that only tracked files are read.",
        )


def _views() -> Check:
    try:
        footing = greetings.footing(choose(look_around(current_shell())))
    except HypernbError as error:
        return _wrong("views", str(error.args[0]), error.hint)
    return Check("views", footing.told, ok=True, next_step=footing.next_step)


def _store(session: Session) -> Iterator[Check]:
    from hypernb.store import database_file

    try:
        store = session.store
        problems = store.check()
        is_new = not store.missions(limit=1)
    except HypernbError as error:
        yield _wrong("store", str(error.args[0]), error.hint)
        return
    yield _fine("store", f"{store.url}{', no missions yet' if is_new else ''}")
    file = database_file(store.url)
    advice, whole = (
        "%hyper restore puts a backup in its place.",
        "integrity, references and artifact files",
    )
    if file is None:
        advice, whole = (
            "pg_restore puts a copy of pg_dump's in its place.",
            "events and outputs; the rest is the server's care",
        )
    for problem in problems:
        yield _wrong("database", problem, advice)
    if not problems:
        yield _fine("database", f"whole: {whole}")
    if file is not None:
        yield _disk(shutil.disk_usage(file.parent).free)
    yield _room(session)
    runners = ", ".join(f"process {each.facts.get('pid')}" for each in store.leases("runner:"))
    yield _fine("runner", runners or "none; the next approved mission starts one")
    yield from _beside(store.url)


def _beside(url: str) -> Iterator[Check]:
    from hypernb.engine import log_file
    from hypernb.store import artifact_folder, backup_folder, database_file

    if file := database_file(url):
        yield _place("outputs over 1 MB", artifact_folder(file))
        yield _place("backups", backup_folder(url))
    yield _place("logs", log_file(url).parent)


def _places(root: Path) -> Iterator[Check]:
    from hypernb.session._cassettes import FOLDER
    from hypernb.store import home_folder

    yield _place("signing key", home_folder() / "key")
    yield _place("your settings", home_folder() / "config.toml")
    yield _place("the project's settings", root / ".hypernb" / "config.toml")
    yield _place("your agents", home_folder() / "agents")
    yield _place("the project's agents", root / ".hypernb" / "agents")
    yield _place("cassettes", root / FOLDER)


def _place(what: str, path: Path) -> Check:
    is_there = os.path.exists(path)  # noqa: PTH110 - Path.exists raises below what is locked
    return _fine(f"place, {what}", str(path) if is_there else f"{path}, not there")


def _room(session: Session) -> Check:
    try:
        swept = session.store.sweep(session.retention, only_look=True)
    except HypernbError as error:
        return _wrong("room", str(error.args[0]), error.hint)
    if swept.is_nothing:
        return _fine("room", "no old missions, and no outputs without a use")
    return _fine("room", f"{told(swept, 'could go')}: %hyper doctor --fix removes them")


def told(swept: Swept, verb: str) -> str:
    """Say what a sweep removed or would remove."""
    from hypernb.views.words import count

    parts = []
    if swept.missions:
        names = ", ".join(short_id for short_id, _ in swept.missions[:_NAMED])
        more = len(swept.missions) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        parts.append(f"{count(len(swept.missions), 'mission')} of long ago ({names}{rest})")
    if swept.artifacts:
        parts.append(f"{count(swept.artifacts, 'output')} without a use")
    if swept.files:
        parts.append(count(swept.files, "stray file"))
    size = f" ({swept.size_bytes / 1e6:.1f} MB)" if swept.size_bytes else ""
    return f"{', '.join(parts)}{size} {verb}"


def fix(session: Session) -> list[str]:
    """Remove what `examine` says could go, give the space back, and say what was done.

    Raises:
        StoreError: The store cannot be written.
    """
    store = session.store
    swept = store.sweep(session.retention)
    done = ["There was nothing to remove." if swept.is_nothing else f"{told(swept, 'went')}."]
    done += [f"Forgotten: {short_id}, {goal[:_GOAL]}" for short_id, goal in swept.missions]
    if store.leases("runner:"):
        done.append("A runner is at work, so free space was not given back; try again later.")
    else:
        done.append(f"{store.compact() / 1e6:.1f} MB of free space were given back.")
    return done


def _disk(free_bytes: int) -> Check:
    found = f"{free_bytes / 1e9:.1f} GB free beside the database"
    if free_bytes > LOW_DISK_BYTES:
        return _fine("disk", found)
    return _wrong("disk", found, "Make room before a mission needs it.")


def _programs() -> Iterator[Check]:
    for name in AUDIT_PROGRAMS:
        try:
            yield _fine(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield _wrong(name, "not installed", 'pip install "hypernb[audit]"')
