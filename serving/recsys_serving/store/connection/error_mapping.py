"""Errors of the driver as errors of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from recsys_serving.store.errors import StoreError, StoreRefused, StoreUnavailable

#: SQLSTATE classes and codes after which the same call may succeed: connection lost, no room, shutting down, deadlock,
#: timeout, a lock not given, a server that only reads, an error of the system, and a login or database not there (yet).
_TRANSIENT = ("08", "53", "57", "58", "40", "55P03", "55006", "25006", "25P03", "XX", "28", "3D")

#: Codes of values that the database does not take: bad data, and constraints.
_REFUSED = ("22", "23")

#: Codes of a table, column, function or schema that is not there yet: migrations run when a database comes back.
_NO_TABLES = ("42P01", "42703", "42883", "3F")

#: Other codes of a statement that the database refuses, as of a right that is missing.
_OTHER_TABLES = ("42",)


@contextmanager
def mapped_errors() -> Iterator[None]:
    """Raise errors of the driver as those of the store, with their first line; others pass.

    Raises:
        StoreUnavailable: it is worth trying again.
        StoreRefused: the values cannot be stored.
        StoreError: the tables are those of another version.
    """
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("All connections to the database are in use. Try again, or enlarge the pool.") from error
    except DBAPIError as error:
        raise _mapped(error.orig or error) from error
    except psycopg.Error as error:  # of COPY, which SQLAlchemy does not know
        raise _mapped(error) from error
    except StatementError as error:
        raise StoreRefused(_refusal(error.orig or error)) from error
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"The database cannot be used: {_first_line(error)}.") from error
    except UnicodeEncodeError as error:
        raise StoreRefused("A text has a lone surrogate, which is no character. Send valid Unicode.") from error


def _mapped(error: BaseException) -> StoreError:
    code = getattr(error, "sqlstate", None) or ""
    reason = _first_line(error)
    if code.startswith(_NO_TABLES):
        return StoreUnavailable(f"The database does not have the tables of this version: {reason}. Run the migrations.")
    if code.startswith(_OTHER_TABLES):
        return StoreError(f"The database has other tables than this version needs: {reason}. Run the migrations.")
    if code.startswith(_REFUSED) or isinstance(error, psycopg.DataError):
        return StoreRefused(_refusal(error))
    if code.startswith(_TRANSIENT) or not code:
        return StoreUnavailable(f"The database is away or too slow: {reason}. Try again.")
    return StoreError(f"The database refuses a statement: {reason}.")


def _refusal(error: BaseException) -> str:
    return f"The database cannot hold a value: {_first_line(error)}. Correct it."


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
