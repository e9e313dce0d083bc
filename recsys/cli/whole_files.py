"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    partial = target.with_name(f"{target.name}{PARTIAL_SUFFIX}")
    try:
        yield partial
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
