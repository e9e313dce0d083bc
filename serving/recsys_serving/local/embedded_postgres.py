"""A PostgreSQL server of our own, from a wheel, for a laptop and for tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PostgresStatus:
    """Whether an embedded server runs.

    Args:
        running: whether it runs and answers.
        url: its database; None where it does not run.
        pid: its process; None where it does not run.
        version: its version; None where it does not run.
    """

    running: bool
    url: str | None = None
    pid: int | None = None
    version: str | None = None


def start_postgres(directory: Path, database: str = "recsys") -> str:
    """Start a server on the data of a directory (made where missing); it outlives this process.

    Args:
        directory: where its data live, such as ``var/postgres``.
        database: the database, made where missing.

    Returns:
        The URL of the database; that of the running server where one runs.

    Raises:
        ServingError: the server does not start, or the package is missing.
    """
    raise NotImplementedError


def stop_postgres(directory: Path) -> bool:
    """Stop the server of a directory at once but cleanly; False where none runs."""
    raise NotImplementedError


def postgres_status(directory: Path) -> PostgresStatus:
    """Whether the server of a directory runs, and where."""
    raise NotImplementedError
