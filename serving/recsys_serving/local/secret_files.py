"""Secrets that an installation makes for itself, once, in files that their owner alone may read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

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
            _make(path, make())
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise ServingError(
                f"{path} holds a secret that its owner alone may read, but its mode is {mode:o}: chmod 600."
            )
        return path.read_bytes()
    except OSError as error:
        raise ServingError(f"The secret in {path} can neither be read nor made: {error.strerror}.") from error


def _make(path: Path, secret: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)  # fails where another process was first
        except FileExistsError:
            return
    finally:
        os.unlink(partial)
