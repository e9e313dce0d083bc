"""Revisions of what every worker keeps in memory: the catalogue, the deployments, the experiments, the API keys."""

from __future__ import annotations

from sqlalchemy import Connection, text

_READ = text("SELECT revision FROM service_state WHERE name = :name")
_RAISE = text("UPDATE service_state SET revision = revision + :by WHERE name = :name RETURNING revision")


def read_revision(connection: Connection, name: str) -> int:
    """The revision of one of the names in :mod:`recsys_serving.store.schema.tables`."""
    return connection.execute(_READ, {"name": name}).scalar_one()


def next_revision(connection: Connection, name: str, by: int = 1) -> int:
    """Raise a revision and lock it until the end of the transaction, so that changes commit in its order."""
    return connection.execute(_RAISE, {"name": name, "by": by}).scalar_one()
