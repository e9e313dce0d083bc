"""Opens MLflow's store, so that neither a fresh database nor a server that is away gets in the way."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

#: Seconds that a server may take to accept a connection.
CONNECT_SECONDS = 3.0

#: What MLflow waits for and tries again, in place of 120 s and seven times; a user's own setting goes first.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}

#: Seconds that the first processes of a fresh database wait for each other.
_LOCK_SECONDS = 60.0


def open_store(uri: str) -> Any:
    """An ``MlflowClient`` of a store that answers.

    Args:
        uri: such as ``sqlite:///mlflow.db`` or ``http://host:5000``; also for the model registry.

    Raises:
        ConnectionError: no server listens there.
        Exception: MLflow's own errors and those of the database.
    """
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    _require_listener(uri)
    # Imported here: it takes a second, and most of what imports this module does without.
    from mlflow import MlflowClient

    # After the import, which sets up logging of its own.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    uri = absolute_uri(uri)
    with one_at_a_time(uri):
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        if database_of(uri) is not None:
            client.search_experiments(max_results=1)  # makes the tables of a fresh database
    return client


def absolute_uri(uri: str) -> str:
    """The store's address, free of the working directory.

    MLflow keeps the stores of a process by their address: without this, a process that has moved to another directory
    would go on writing to the ``mlflow.db`` of the former one.

    Args:
        uri: such as ``sqlite:///mlflow.db``; anything but an SQLite database in a file comes back as it is.
    """
    database = database_of(uri)
    if database is None:
        return uri
    options = uri.removeprefix("sqlite:///").partition("?")[1:]
    return f"sqlite:///{database.absolute()}{''.join(options)}"


def database_of(uri: str) -> Path | None:
    """The file of an SQLite database; None for anything else, one in memory included."""
    path = uri.removeprefix("sqlite:///")
    return None if path in (uri, "", ":memory:") else Path(path.partition("?")[0])


def _require_listener(uri: str) -> None:
    """Find out within seconds whether a server is there.

    Raises:
        ConnectionError: it is not.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        socket.create_connection(address, timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise ConnectionError(f"no server answers within {CONNECT_SECONDS:g} s: {error}") from error


@contextmanager
def one_at_a_time(uri: str) -> Iterator[None]:
    """Let one process at a time open a database: two that make the tables of a fresh one fail.

    Args:
        uri: of the store; only a database in a file is locked.
    """
    database = database_of(uri)
    if database is None or not database.parent.is_dir():
        yield
        return
    lock = FileLock(database.with_name(f".{database.name}.lock"))
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except (Timeout, OSError, NotImplementedError):
        pass  # a directory that cannot be written to says so itself
    try:
        yield
    finally:
        lock.release()
