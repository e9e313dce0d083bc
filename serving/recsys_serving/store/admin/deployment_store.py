"""Deployments: which bundle is live."""

from __future__ import annotations

from sqlalchemy import text

from recsys_serving.store import rows
from recsys_serving.store.admin.records import Deployment
from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.revisions import next_revision, read_revision
from recsys_serving.store.schema.tables import DEPLOYMENT

_CURRENT = text("SELECT * FROM deployments ORDER BY id DESC LIMIT 1")
_LIST = text("SELECT * FROM deployments ORDER BY id DESC LIMIT :limit")
_ACTIVATE = text(
    "INSERT INTO deployments (bundle, fingerprint, actor, note) VALUES (:bundle, :fingerprint, :actor, :note) "
    "RETURNING *"
)

_HISTORY = text("SELECT * FROM deployments ORDER BY id")


class DeploymentStore:
    """Bundles that were made live, one after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """Grows with each activation."""
        with self._database.transaction() as connection:
            return read_revision(connection, DEPLOYMENT)

    def current(self) -> Deployment | None:
        """The latest deployment, or None."""
        with self._database.transaction() as connection:
            row = connection.execute(_CURRENT).mappings().first()
        return None if row is None else rows.deployment(row)

    def list_deployments(self, limit: int = 100) -> tuple[Deployment, ...]:
        """Deployments, latest first."""
        with self._database.transaction() as connection:
            return tuple(map(rows.deployment, connection.execute(_LIST, {"limit": limit}).mappings()))

    def activate(self, bundle: str, fingerprint: str, actor: str, note: str | None = None) -> Deployment:
        """Make a bundle the live one; where it is live already, with this fingerprint, nothing changes."""
        with self._database.transaction() as connection:
            next_revision(connection, DEPLOYMENT, by=0)  # locked: activations come one after the other
            row = connection.execute(_CURRENT).mappings().first()
            if row is None or (row["bundle"], row["fingerprint"]) != (bundle, fingerprint):
                next_revision(connection, DEPLOYMENT)
                values = {"bundle": bundle, "fingerprint": fingerprint, "actor": actor, "note": note}
                row = connection.execute(_ACTIVATE, values).mappings().one()
        return rows.deployment(row)

    def previous(self) -> Deployment | None:
        """Where a rollback goes: the bundle that was live before the live one was first activated; or None.

        After A, B, C and a rollback to B this is A, so that rollbacks one after the other go further and further back.
        """
        with self._database.transaction() as connection:
            history = [rows.deployment(row) for row in connection.execute(_HISTORY).mappings()]
        path: list[Deployment] = []
        for one in history:
            known = [(step.bundle, step.fingerprint) for step in path]
            if (one.bundle, one.fingerprint) in known:
                del path[known.index((one.bundle, one.fingerprint)) + 1 :]
            else:
                path.append(one)
        return path[-2] if len(path) > 1 else None
