"""Connections to PostgreSQL and transactions on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How the store connects.

    Args:
        pool_size: most connections of this process.
        connect_timeout_seconds: longest wait for a connection to the server; whole seconds, at least 2.
        pool_timeout_seconds: longest wait for a connection of the pool.
        statement_timeout_seconds: longest time of one statement.
        application_name: how the server names these connections.
    """

    pool_size: int = 10
    connect_timeout_seconds: int = 2
    pool_timeout_seconds: float = 1.0
    statement_timeout_seconds: float = 2.0
    application_name: str = "recsys"


class Database:
    """A pool of connections, with every error mapped to those of :mod:`recsys_serving.store.errors`.

    Args:
        url: ``postgresql://user:password@host:port/name``.
        settings: see :class:`DatabaseSettings`.
    """

    def __init__(self, url: str, settings: DatabaseSettings | None = None) -> None:
        raise NotImplementedError

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an error. Within another, it is part of that one."""
        raise NotImplementedError
        yield

    def close(self) -> None:
        """Close all connections."""
