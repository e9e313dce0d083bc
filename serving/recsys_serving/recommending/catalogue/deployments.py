"""Makes bundles live, and notes in the store which one is, so that every worker follows."""

from __future__ import annotations

import threading

from recsys_serving.recommending.catalogue.bundle_pool import BundlePool
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.store.store import Store


class Deployments:
    """Makes bundles live, one after the other.

    Args:
        pool: of the bundles.
        store: notes which one is live; None: it is live in this process alone.
    """

    def __init__(self, pool: BundlePool, store: Store | None) -> None:
        self._pool, self._store = pool, store
        self._changing = threading.Lock()

    def activate(self, name: str, actor: str, note: str | None) -> OpenBundle:
        """Open a bundle, note it in the store, and let it answer; whatever fails changes nothing.

        Raises:
            BundleError: it cannot be opened.
            StoreUnavailable: it cannot be noted.
        """
        with self._changing:
            opened = self._pool.open(name)
            if self._store is not None:
                self._store.deployments.activate(name, opened.fingerprint, actor, note)
            return self._pool.activate(name)

    def previous(self) -> str | None:
        """Name of the bundle that was live before the one that is; None: there was none.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        noted = None if self._store is None else self._store.deployments.previous()
        if noted is not None:
            return noted.bundle
        # The first deployment that was noted may have followed the bundle that the settings name.
        return None if self._pool.previous is None else self._pool.previous.name
