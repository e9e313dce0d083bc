"""Atomic writing: a file appears under its name only when it is complete."""

from __future__ import annotations

import gzip
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import error as ZlibError

from recsys.errors import SourceError


@contextmanager
def partial_file(target: Path) -> Iterator[Path]:
    """A new file beside ``target`` to write to; it becomes ``target`` when the block ends without an error.

    Otherwise it is removed. Both are in the same directory, so that the last step is a single rename: other processes
    see either the complete ``target`` or none.

    Raises:
        SourceError: the directory cannot be made or written to, or the disk is full.
    """
    part: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
        part = Path(name)
        yield part
        os.replace(part, target)
    except OSError as error:
        raise SourceError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def check_container(path: Path, name: str) -> bool:
    """Check that a zip or gzip file is complete, by reading it to its end.

    Args:
        path: the file.
        name: its final name, which tells the format.

    Returns:
        True if it was checked; False for other formats, which cannot be checked this way.

    Raises:
        SourceError: it is damaged or incomplete.
    """
    try:
        if name.endswith((".zip", ".whl")):
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
            if damaged is not None:
                raise SourceError(f"{name} is damaged: its member {damaged} has another checksum than the archive says")
            return True
        if name.endswith(".gz"):
            with gzip.open(path) as stream:
                while stream.read(1 << 20):
                    pass
            return True
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, ZlibError) as error:
        raise SourceError(f"{name} is damaged or incomplete ({error})") from error
    return False
