"""Brings the store up while the service answers already, and starts an embedded server again that has ended.

A thread of the process that keeps the workers. What it does is what the launcher would have done before the start:
PostgreSQL, tables, the first key, the data of the bundle. Until it succeeds, the workers serve what they know, and
changes wait in the spool.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from recsys.errors import RecsysError
from recsys_serving.local.embedded_postgres import is_running, start_postgres
from recsys_serving.local.first_start import prepare_store
from recsys_serving.local.installation import Installation
from recsys_serving.settings import ServiceSettings

_log = structlog.get_logger("recsys_serving.store")

#: A variable of the process that keeps the workers: what it has to do for the store, as JSON.
STORE_VARIABLE = "SERVICE_STORE"

#: Seconds between two looks.
_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class StoreTask:
    """What is to be done for the store.

    Args:
        is_embedded: whether the server is one of this installation.
        is_prepared: whether tables, key and data are there.
        data: a prepared directory whose interactions and items the store gets; None: that of the bundle's run.
    """

    is_embedded: bool
    is_prepared: bool
    data: str | None = None

    def variables(self) -> dict[str, str]:
        """For the process that does it."""
        return {STORE_VARIABLE: json.dumps(asdict(self))}


def task_of_environment() -> StoreTask | None:
    """What the launcher said; None: somebody else started this process, and looks after the store."""
    text = os.environ.get(STORE_VARIABLE)
    return None if text is None else StoreTask(**json.loads(text))


class StoreKeeper:
    """Looks after the store again and again, until there is nothing left to do.

    Args:
        settings: with the address of the database.
        task: what is to be done.
        start_server: starts the embedded server on its data.
        prepare: makes the store ready.
        interval_seconds: between two looks.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        task: StoreTask,
        start_server: Callable[[Path], object] = start_postgres,
        prepare: Callable[..., object] = prepare_store,
        interval_seconds: float = _SECONDS,
    ) -> None:
        self._settings, self._task = settings, task
        self._start_server, self._prepare = start_server, prepare
        self._interval_seconds = interval_seconds
        self._installation = Installation.of(settings)
        self._is_prepared = task.is_prepared
        self._said: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after what is being tried."""
        self._stop.set()
        self._thread.join()

    def look(self) -> bool:
        """Do what can be done now; whether there is nothing left, not even to watch."""
        try:
            if self._task.is_embedded and not is_running(self._installation.postgres):
                self._start_server(self._installation.postgres)
                _log.info("PostgreSQL was started")
            if not self._is_prepared:
                data = None if self._task.data is None else Path(self._task.data)
                self._prepare(self._settings, self._installation, data, lambda text: _log.info("store", doing=text))
                self._is_prepared = True
                _log.info("the store is ready")
            self._said = None
        except RecsysError as error:
            self._say(error)
        return self._is_prepared and not self._task.is_embedded

    def _say(self, error: RecsysError) -> None:
        """Log what is wrong, once."""
        said = f"{type(error).__name__}: {error}"
        if said != self._said:
            _log.warning("the store is away, and is tried again", error=said)
            self._said = said

    def _run(self) -> None:
        while not self.look():
            if self._stop.wait(self._interval_seconds):
                return
