from __future__ import annotations

import psycopg
import pytest
from recsys_serving.store.connection.error_mapping import mapped_errors
from recsys_serving.store.errors import StoreError, StoreRefused, StoreUnavailable
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout


def of_the_driver(name: str | None, message: str = "it failed\nDETAIL: more") -> DBAPIError:
    """An error of the driver by the name of its class; None for a connection that was not made."""
    error = psycopg.OperationalError(message) if name is None else getattr(psycopg.errors, name)(message)
    return DBAPIError.instance("SELECT 1", {}, error, psycopg.Error)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "AdminShutdown",
        "CannotConnectNow",
        "QueryCanceled",
        "TooManyConnections",
        "DiskFull",
        "DeadlockDetected",
        "SerializationFailure",
        "LockNotAvailable",
        "ReadOnlySqlTransaction",
        "IdleInTransactionSessionTimeout",
        "InvalidPassword",
        "InvalidCatalogName",
        "IoError",
        "InternalError_",
    ],
)
def test_what_may_pass_is_unavailable(name):
    with pytest.raises(StoreUnavailable, match=r"away or too slow: it failed\."), mapped_errors():
        raise of_the_driver(name)


@pytest.mark.parametrize(
    "name", ["NumericValueOutOfRange", "UntranslatableCharacter", "CheckViolation", "NotNullViolation"]
)
def test_a_value_that_does_not_go_in_is_refused(name):
    with pytest.raises(StoreRefused, match=r"cannot hold a value: it failed\."), mapped_errors():
        raise of_the_driver(name)


def test_a_value_that_the_driver_cannot_send_is_refused():
    for error in (
        of_the_driver("DataError"),
        StatementError("no such type", "SELECT 1", {}, TypeError("no such type")),
    ):
        with pytest.raises(StoreRefused), mapped_errors():
            raise error


@pytest.mark.parametrize("name", ["UndefinedTable", "UndefinedColumn", "UndefinedFunction", "InvalidSchemaName"])
def test_tables_that_are_not_there_yet_are_waited_for(name):
    with pytest.raises(StoreUnavailable, match="does not have the tables.*Run the migrations"), mapped_errors():
        raise of_the_driver(name)


def test_a_right_that_is_missing_is_told_and_not_tried_again():
    with pytest.raises(StoreError, match="Run the migrations") as caught, mapped_errors():
        raise of_the_driver("InsufficientPrivilege")
    assert type(caught.value) is StoreError


def test_an_error_of_copy_is_mapped_as_well():
    for name, kind in (("AdminShutdown", StoreUnavailable), ("InvalidTextRepresentation", StoreRefused)):
        with pytest.raises(kind, match="it failed"), mapped_errors():
            raise getattr(psycopg.errors, name)("it failed")


def test_a_pool_without_a_free_connection_is_unavailable():
    with pytest.raises(StoreUnavailable, match="All connections"), mapped_errors():
        raise PoolTimeout("QueuePool limit")


def test_any_other_error_of_the_library_is_unavailable():
    with pytest.raises(StoreUnavailable), mapped_errors():
        raise NoSuchModuleError("x")


def test_errors_of_others_pass():
    with pytest.raises(KeyError), mapped_errors():
        raise KeyError("a")


def test_an_error_of_the_store_passes_as_it_is():
    error = StoreRefused("no")
    with pytest.raises(StoreRefused) as caught, mapped_errors():
        raise error
    assert caught.value is error
