from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from recsys_serving.spool.errors import SpoolError, SpoolFull, full_message, mapped_errors

from recsys.errors import ServingError

PATH = Path("var/spool.sqlite")


def test_an_error_of_sqlite_names_the_file():
    with pytest.raises(SpoolError, match=r"var/spool.sqlite cannot be used: malformed"), mapped_errors(PATH):
        raise sqlite3.DatabaseError("malformed")


def test_a_disk_without_room_is_a_full_spool():
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    with pytest.raises(SpoolFull, match="the end of the disk"), mapped_errors(PATH):
        raise error


def test_an_error_of_the_system_is_told():
    with pytest.raises(SpoolError, match="Permission denied"), mapped_errors(PATH):
        raise PermissionError(13, "Permission denied")


def test_errors_of_others_pass():
    with pytest.raises(KeyError), mapped_errors(PATH):
        raise KeyError


def test_what_is_full_is_an_error_of_serving():
    assert issubclass(SpoolFull, ServingError)
    assert "1,000 bytes" in full_message(PATH, 1000)
