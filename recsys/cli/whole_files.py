"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

#: Ends the name of a file that is still being written.
PARTIAL_SUFFIX = ".partial"


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A path beside ``target`` to write to, which takes the place of ``target`` when the block ends without an error.

    A process that is killed, or a disk that runs full, in the middle of writing leaves what was there before. One
    process writes a target at a time; what a killed one has left is written over.

    Raises:
        OSError: it could not be written; nothing half-written is left.
    """
    with _replacing(target, target.with_name(f"{target.name}{PARTIAL_SUFFIX}")) as partial:
        yield partial


@contextmanager
def shared_file(target: Path) -> Iterator[Path]:
    """As :func:`whole_file`, for a file that several processes write, perhaps at once: the last one's content stays.

    Raises:
        OSError: it could not be written; nothing half-written is left.
    """
    with _replacing(target, target.with_name(f".{target.name}-{uuid4().hex}{PARTIAL_SUFFIX}")) as partial:
        yield partial


@contextmanager
def _replacing(target: Path, partial: Path) -> Iterator[Path]:
    """``partial``, which takes the place of ``target`` when the block ends without an error, and else is deleted."""
    try:
        yield partial
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_private(target: Path, content: bytes, *, keep_existing: bool = False) -> None:
    """Write a file that its owner alone may read, whole or not at all, so that it outlasts a loss of power.

    Several processes may write it at once: one of them is last, or first.

    Args:
        target: in a directory that exists.
        content: of the file.
        keep_existing: whether a file that is there, or that another process makes meanwhile, stays as it is.

    Raises:
        OSError: it could not be written; nothing half-written is left.
    """
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")  # its mode is 0600
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not keep_existing:
            os.replace(partial, target)
            return
        with suppress(FileExistsError):
            os.link(partial, target)
    finally:
        partial.unlink(missing_ok=True)
