"""The store: the database, with its schema, artifacts, search and backups."""

from hypernb.store._backup import backup_name, restore, rotate_backups
from hypernb.store._keys import SigningKey
from hypernb.store._leases import process_facts
from hypernb.store._location import (
    artifact_folder,
    backup_folder,
    database_file,
    default_location,
    home_folder,
)
from hypernb.store._store import SqlStore, open_store

__all__ = [
    "SigningKey",
    "SqlStore",
    "artifact_folder",
    "backup_folder",
    "backup_name",
    "database_file",
    "default_location",
    "home_folder",
    "open_store",
    "process_facts",
    "restore",
    "rotate_backups",
]
