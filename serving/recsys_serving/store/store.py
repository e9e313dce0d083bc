"""The store: everything that the service keeps in PostgreSQL, behind one object."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from recsys_serving.store.admin.api_key_store import ApiKeyStore
from recsys_serving.store.admin.audit_store import AuditStore
from recsys_serving.store.admin.deployment_store import DeploymentStore
from recsys_serving.store.admin.experiment_store import ExperimentStore
from recsys_serving.store.connection.database import Database, DatabaseSettings
from recsys_serving.store.events.exposure_store import ExposureStore
from recsys_serving.store.events.interaction_store import InteractionStore
from recsys_serving.store.events.outcome_store import OutcomeStore
from recsys_serving.store.imports.bulk_import import ImportOptions, ImportResult, import_prepared
from recsys_serving.store.items.item_store import ItemStore
from recsys_serving.store.schema.migration import check_revision
from recsys_serving.store.schema.retention import RetentionPolicy, RetentionResult, apply_retention
from recsys_serving.store.users.user_store import UserStore


class Store:
    """Everything that the service keeps; safe to share between threads.

    Every call is one transaction and raises :class:`recsys_serving.store.errors.StoreUnavailable` where the database is
    away or too slow.

    Args:
        database: the connections.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.interactions = InteractionStore(database)
        self.users = UserStore(database)
        self.items = ItemStore(database)
        self.exposures = ExposureStore(database)
        self.outcomes = OutcomeStore(database)
        self.experiments = ExperimentStore(database)
        self.api_keys = ApiKeyStore(database)
        self.audit = AuditStore(database)
        self.deployments = DeploymentStore(database)

    @classmethod
    def connect(cls, url: str, settings: DatabaseSettings | None = None) -> Store:
        """A store on a database whose tables are there (see :func:`recsys_serving.store.schema.migration.migrate`).

        Connections open when they are first needed, so this works while the database is away.

        Args:
            url: ``postgresql://user:password@host:port/name``.
            settings: pool and timeouts.

        Raises:
            StoreError: the URL is none.
        """
        return cls(Database(url, settings))

    def transaction(self, timeout_seconds: float | None = None) -> AbstractContextManager[object]:
        """One transaction around several calls of this thread: all of them count, or none.

        ::

            with store.transaction():
                store.deployments.activate("bundles/second", fingerprint, actor="key-1")
                store.audit.append(AuditEntry("key-1", "bundle.activate", "bundles/second"))

        Args:
            timeout_seconds: longest time of each statement; None for that of the settings.
        """
        return self._database.transaction(timeout_seconds)

    def leadership(self, lock: int) -> AbstractContextManager[bool]:
        """Be the only process that does something; see :class:`~recsys_serving.store.connection.database.Database`."""
        return self._database.leadership(lock)

    def ping(self) -> None:
        """Check that the database answers and has the tables of this version.

        Raises:
            StoreUnavailable: it does not answer.
            StoreError: it has other tables: run the migrations.
        """
        with self._database.transaction() as connection:
            check_revision(connection)

    def apply_retention(self, policy: RetentionPolicy, now: datetime | None = None) -> RetentionResult:
        """Delete what is too old; see :func:`recsys_serving.store.schema.retention.apply_retention`."""
        return apply_retention(self._database, policy, now)

    def import_prepared(self, directory: Path, options: ImportOptions | None = None) -> ImportResult:
        """Import a prepared directory; see :func:`recsys_serving.store.imports.bulk_import.import_prepared`."""
        return import_prepared(self._database, directory, options)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()
