"""What every script shares: the console that it prints to, and how it tells a user what went wrong."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from recsys.errors import RecsysError

#: Exit status of a script after an error that the user can mend.
USER_ERROR_STATUS = 2

#: Width of what is not printed to a terminal, in characters: wide enough for the tables.
FILE_WIDTH = 120

#: A note on an error whose message was printed.
_TOLD = "This was printed as a message already."

console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)


@contextmanager
def user_errors(reraise: bool = False) -> Iterator[None]:
    """Print a :class:`~recsys.errors.RecsysError` as one message on standard error and exit with status 2.

    Also one that another error was raised from, as Hydra does when a constructor refuses its arguments, a full disk
    and a missing permission. Any other error is a bug and keeps its traceback. Usable as a decorator as well.

    Args:
        reraise: raise the error again after its message instead of exiting, so that the other runs of a sweep go on.

    Raises:
        SystemExit: in place of the user's error.
    """
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, RecsysError) and not _is_about_files(cause):
            cause = cause.__cause__
        if cause is None or is_told(error):
            raise
        message = str(cause)
        if isinstance(cause, PermissionError):
            message = (
                f"Permission is required to write or read {cause.filename}. Choose another directory, or allow it."
            )
        elif _is_about_files(cause):
            message = (
                f"No space is left on the disk ({cause}). Free some, then run the command again; what was only "
                "half written does not count as finished."
            )
        sys.stdout.flush()
        sys.stderr.write(f"error: {message}\n")
        if reraise:
            error.add_note(_TOLD)
            raise
        raise SystemExit(USER_ERROR_STATUS) from None


def is_told(error: BaseException) -> bool:
    """Whether :func:`user_errors` has printed the message of ``error`` and raised it again."""
    return _TOLD in getattr(error, "__notes__", ())


def _is_about_files(error: BaseException) -> bool:
    """Whether the user's disk or permissions are the cause."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM)
