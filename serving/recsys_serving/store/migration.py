"""Migrations: the tables, made and brought up to date."""

from __future__ import annotations


def migrate(url: str, lock_timeout_seconds: float = 60.0) -> None:
    """Bring the tables of a database up to date; several processes may do so at once.

    Args:
        url: ``postgresql://user:password@host:port/name``.
        lock_timeout_seconds: longest wait for another process that migrates.

    Raises:
        StoreUnavailable: the database is away.
        StoreError: the database belongs to a later version of the service.
    """
    raise NotImplementedError
