"""What a user is told of a checkpoint that cannot be read."""

from __future__ import annotations

import errno
import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsys.errors import CheckpointError


@contextmanager
def checkpoint_errors(path: Path) -> Iterator[None]:
    """Turn what PyTorch raises for a damaged checkpoint into an error with a remedy.

    Raises:
        CheckpointError: the file is damaged, or no checkpoint.
    """
    try:
        yield
    except (pickle.UnpicklingError, EOFError, zipfile.BadZipFile, KeyError, RuntimeError, OSError) as error:
        # A file that breaks off has no valid place for what it says is at its end; other errors are of the disk.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        # The sentences that follow tell how to read a file that may run anything.
        first = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
        raise CheckpointError(
            f"The checkpoint {path} is damaged ({first or type(error).__name__}). Delete it, and training goes on from "
            "what else there is, or from the start."
        ) from error
