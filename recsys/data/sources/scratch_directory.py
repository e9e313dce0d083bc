"""A directory for copies of what lies elsewhere, for as long as somebody reads them."""

from __future__ import annotations

import errno
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.errors import SourceError


class ScratchDirectory:
    """A new directory where temporary files go (``TMPDIR``), which is removed with this object, or with the process."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="recsys-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@contextmanager
def copying(what: str, directory: Path) -> Iterator[None]:
    """A block that reads what lies elsewhere and writes a copy.

    Args:
        what: what is copied, for messages.
        directory: where to.

    Raises:
        SourceError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SourceError(
            f"{what} is copied to {directory} for as long as it is read, which has too little room for it. Make room "
            "there, or give another directory for temporary files: TMPDIR=DIR before the command."
        ) from error
