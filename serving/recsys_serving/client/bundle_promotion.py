"""Makes bundles live that were trained with what the store has."""

from __future__ import annotations

from recsys_serving.client.service_client import ServiceClient
from recsys_serving.local.first_start import IMPORT
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.store import Store

ACTOR = "retraining"


class BundlePromotion:
    """What retraining asks of a service.

    Args:
        client: of the service, with a key for ``admin``.
        store: of the service.
    """

    def __init__(self, client: ServiceClient, store: Store) -> None:
        self._client, self._store = client, store

    def live_bundle(self) -> str:
        """Name of the bundle that answers."""
        return self._client.live_bundle()

    def recent_bundles(self) -> list[str]:
        """Names of the bundles that were made live, the latest first."""
        return self._client.recent_bundles()

    def promote(self, bundle: str, content_hash: str, note: str) -> None:
        """Let a bundle answer.

        The audit notes that the store has its data already: a later start that begins with this bundle must not import
        them again, with users who were erased meanwhile.

        Args:
            bundle: its name.
            content_hash: of the data that it was trained with.
            note: why, for the audit.

        Raises:
            ServingError: it cannot be opened, and the one before answers.
        """
        self._store.audit.append(AuditEntry(ACTOR, IMPORT, content_hash, {"read from the store for": bundle}))
        self._client.activate(bundle, note)
