"""Backups of a store: made while missions run, restored only after they were checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypernb.errors import StoreUnavailableError

if TYPE_CHECKING:
    from hypernb.abc import Store


def backup(store: Store, target: str | Path) -> Path:
    """Write a copy of the store; by default into the folder of backups beside it."""
    from hypernb.store import backup_folder, backup_name

    place = Path(target).expanduser() if target else backup_folder(store.url)
    if not target:
        place.mkdir(parents=True, exist_ok=True)
    return store.backup(place / backup_name(store.url) if place.is_dir() else place)


def restore(
    source: str | Path, store: str | Path | None = None, *, force: bool = False
) -> Path:
    """Put a backup in the place of a store; what was there is kept beside it.

    Args:
        source: The backup's file.
        store: Path of the database; by default the one a session would open.
        force: Replace a store that has missions.

    Raises:
        StoreError: The backup is damaged, a runner is at work on the store, or it has
            missions and ``force`` is not set. Nothing was changed.
    """
    from hypernb.store import default_location, open_store
    from hypernb.store import restore as put_back

    where = store or default_location()
    target = _database_file(str(where))
    if target.exists():
        present = open_store(where)
        try:
            runners = present.leases("runner:")
        finally:
            present.close()
        if runners:
            raise StoreUnavailableError(
                f"{str(target)!r} cannot be replaced: a runner is at work on it.",
                hint="hypernb stop ends it.",
            )
    return put_back(Path(source).expanduser(), target, force=force)


def _database_file(where: str) -> Path:
    return Path(where.removeprefix("sqlite:///")).expanduser()
