"""What can go wrong in the spool."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.errors import ServingError


class SpoolError(ServingError):
    """A change could not be made safe in the spool: the disk is full, or the file is damaged or cannot be written."""


class SpoolFull(SpoolError):
    """The spool has reached its largest size."""


@contextmanager
def mapped_errors(path: Path) -> Iterator[None]:
    """Raise errors of SQLite and of the disk as those of the spool.

    Raises:
        SpoolFull: there is no room.
        SpoolError: anything else.
    """
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise SpoolFull(full_message(path, None)) from error
        raise SpoolError(
            f"The spool {path} cannot be used: {error}. Check the file, its directory and the disk."
        ) from error
    except OSError as error:
        raise SpoolError(f"The spool {path} cannot be used: {error.strerror or error}. Check the disk.") from error


def full_message(path: Path, max_bytes: int | None) -> str:
    """What to say of a spool that has no room; ``max_bytes`` is its largest size where that is the reason."""
    bound = (
        "its largest size or the end of the disk" if max_bytes is None else f"its largest size of {max_bytes:,} bytes"
    )
    return (
        f"The spool {path} has reached {bound}: nothing more can be kept until the store is back and has taken what "
        "waits. Bring the store back, or give the spool more room."
    )
