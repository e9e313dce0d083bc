"""How a command tells a user what went wrong: one message on standard error, and no traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from recsys.cli.data_text import visible
from recsys.cli.line_wrapping import for_stream
from recsys.cli.process.extras import missing_library
from recsys.errors import RecsysError

#: Exit status of a command after an error that the user can mend.
USER_ERROR_STATUS = 2

#: A note on an error whose message was printed.
_TOLD = "This was printed as a message already."


@contextmanager
def user_errors(reraise: bool = False) -> Iterator[None]:
    """Print a :class:`~recsys.errors.RecsysError` as one message on standard error and exit with status 2.

    Also one that another error was raised from, as Hydra does when a constructor refuses its arguments, a full disk,
    a missing permission and a library of an extra that is not installed. Any other error is a bug and keeps its
    traceback. Usable as a decorator as well.

    Args:
        reraise: raise the error again after its message instead of exiting, so that the other runs of a sweep go on.

    Raises:
        SystemExit: in place of the user's error.
    """
    try:
        yield
    except Exception as error:
        message = None if is_told(error) else _message(error)
        if message is None:
            raise
        sys.stdout.flush()
        sys.stderr.write(for_stream(f"error: {visible(message, keep=chr(10))}\n", sys.stderr))
        if reraise:
            error.add_note(_TOLD)
            raise
        raise SystemExit(USER_ERROR_STATUS) from None


def is_told(error: BaseException) -> bool:
    """Whether :func:`user_errors` has printed the message of ``error`` and raised it again."""
    return _TOLD in getattr(error, "__notes__", ())


def _message(error: BaseException) -> str | None:
    """What a user is told of ``error``, or of the first of its causes that they can mend; None for a bug."""
    if isinstance(error, RecsysError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return f"Permission is required to write or read {error.filename}. Choose another directory, or allow it."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"No space is left on the disk ({error}). Free some, then run the command again; what was only "
            "half written does not count as finished."
        )
    if isinstance(error, ImportError) and (message := missing_library(error)) is not None:
        return message
    return None if error.__cause__ is None else _message(error.__cause__)
