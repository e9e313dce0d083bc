"""Brings what waits in the spool into the store, in a thread of each worker; one of them at a time does the work."""

from __future__ import annotations

import threading
from functools import partial

import structlog

from recsys.errors import RecsysError
from recsys_serving.spool.applying import apply_command, apply_together
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import StoreError
from recsys_serving.store.store import Store

#: Longest time of a statement: nobody waits for it, and what was too long for an answer is carried out in the end.
STATEMENT_SECONDS = 10.0

#: Commands of one transaction: so many that its cost hardly counts, and so few that nobody waits long for their rows.
BATCH = 500

_log = structlog.get_logger("recsys_serving.spool")


class SpoolDrain:
    """Drains again and again.

    Args:
        store: where changes go.
        spool: where they wait.
        interval_seconds: between two looks.
    """

    def __init__(self, store: Store, spool: Spool, interval_seconds: float) -> None:
        self._store = store
        self._spool = spool
        self._interval_seconds = interval_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drain-spool", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End after the command that is being carried out."""
        self._stop.set()
        self._thread.join()

    def drain_once(self) -> int:
        """Carry out what waits, until the store is away; how many commands were carried out."""
        if self._spool.is_empty():
            return 0
        result = self._spool.drain(
            partial(apply_command, self._store),
            batch=BATCH,
            transaction=lambda: self._store.transaction(STATEMENT_SECONDS),
            is_alive=self._is_alive,
            together=partial(apply_together, self._store),
        )
        if result.applied or result.refused:
            _log.info("drained", applied=result.applied, refused=result.refused, remaining=result.remaining)
        return result.applied

    def _is_alive(self) -> bool:
        try:
            self._store.ping()
        except StoreError:
            return False
        return True

    def _run(self) -> None:
        while not self._stop.wait(self._interval_seconds):
            try:
                self.drain_once()
            except RecsysError as error:
                _log.warning("the spool cannot be drained", error=type(error).__name__)
