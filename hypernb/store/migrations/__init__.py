"""Alembic's folder: one file a schema, named by its number."""
