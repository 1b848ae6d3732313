"""Revisions of the schema: Alembic keeps their order, each runs one plain `.sql` file; expand first, contract later."""
