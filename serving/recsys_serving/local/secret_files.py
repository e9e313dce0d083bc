"""Secrets that an installation makes for itself, once, in files that their owner alone may read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recsys.cli.whole_files import write_private
from recsys.errors import ServingError


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The secret in a file; where there is no file, a new one is made, and of several processes one makes it.

    Args:
        path: of the file; its mode is 0600, that of a new directory 0700.
        make: a new secret.

    Raises:
        ServingError: the file cannot be read or written, or others may read it.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, make(), keep_existing=True)
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise ServingError(
                f"{path} holds a secret that its owner alone may read, but its mode is {mode:o}: chmod 600."
            )
        return path.read_bytes()
    except OSError as error:
        raise ServingError(f"The secret in {path} can neither be read nor made: {error.strerror}.") from error
