"""Keeps the copy of the API keys as the store has them, in a thread of each worker."""

from __future__ import annotations

import logging
import threading

from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.store.admin.api_key_store import ApiKeyStore
from recsys_serving.store.errors import StoreError

_log = logging.getLogger(__name__)


class KeyRefresh:
    """Looks again and again whether a key was made, rotated or revoked.

    Args:
        keys: the store's.
        known: the copy.
        interval_seconds: between two looks.
    """

    def __init__(self, keys: ApiKeyStore, known: KnownKeys, interval_seconds: float) -> None:
        self._keys, self._known = keys, known
        self._interval_seconds = interval_seconds
        self._is_first = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="refresh-keys", daemon=True)

    def start(self) -> None:
        """Copy all keys, where the store answers, and go on from there."""
        self.refresh_once()
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def refresh_once(self) -> bool:
        """Copy the keys where that is due; whether they were copied."""
        try:
            copied = self._known.refresh(self._keys, anew=self._is_first)
        except StoreError as error:
            _log.info("The API keys were not copied: %s", error)
            return False
        self._is_first = False
        return copied

    def _run(self) -> None:
        while not self._stop.wait(self._interval_seconds):
            try:
                self.refresh_once()
            except Exception:
                _log.exception("The API keys could not be copied.")
