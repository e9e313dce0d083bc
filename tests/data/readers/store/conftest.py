"""The service's database, for tests of what reads from it."""

from tests.serving.conftest import database_url, postgres_server, store

__all__ = ["database_url", "postgres_server", "store"]
