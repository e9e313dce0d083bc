"""What Alembic runs: the migrations, on the connection of :func:`recsys_serving.store.schema.migration.migrate`."""

from __future__ import annotations

from alembic import context

from recsys_serving.store.schema.tables import METADATA


def run() -> None:
    """Run the migrations in the transaction of the connection."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
    context.run_migrations()


run()
