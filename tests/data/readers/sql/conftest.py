"""A database server, which tests of the service have as well."""

from tests.serving.conftest import postgres_server

__all__ = ["postgres_server"]
