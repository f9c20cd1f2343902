"""The schema that migrations make is the one that the tables describe, on both databases."""

from __future__ import annotations

from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from hypernb.model import Usage
from hypernb.store import _schema
from hypernb.store._tables import metadata

Bench = Any
Place = Any
# Made for one of the databases alone, by hand.
_BY_HAND = {"search", "ix_tasks_output"}


def _ours(_object: object, name: str | None, *_: object) -> bool:
    return name is not None and not name.startswith("search") and name not in _BY_HAND


def _config(connection: Any) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_schema._MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def test_migrations_lead_to_the_tables(store: Any) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _ours})
        assert compare_metadata(context, metadata) == []


def test_store_of_the_version_before_models_is_brought_up_to_date(
    bench: Bench, place: Place
) -> None:
    held = bench.running("a")
    held.run("a")
    held.commit(held.change("budget.settled", "a", attempt=1, usage=Usage(0.5, "m", 7, 1)))
    before = held.store.usage(held.mission.id)
    with held.store._database.writing() as connection:
        command.downgrade(_config(connection), "0004")
    held.store.close()
    newer = place.open()
    assert newer.usage(held.mission.id) == before
    assert [each.cost for each in newer.usage_sums(["model"])] == [0.5]
    assert newer.calls() == []
