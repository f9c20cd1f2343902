"""How Alembic runs here: on the connection it is handed, inside its transaction."""

from __future__ import annotations

from alembic import context

from hypernb.store._tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most of a table in place; Alembic then copies it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
