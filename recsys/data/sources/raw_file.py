"""A raw file that can be opened, in a directory or in an archive, compressed or not."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast
from zlib import error as ZlibError

from recsys.errors import SourceError

_BUFFER_BYTES = 1 << 20

#: How much larger than a compressed file or one of Parquet its text is, about.
_PACKED = 4
_PACKED_ENDINGS = (".gz", ".parquet", ".pq")


def text_bytes(name: str, size: int) -> int:
    """About the bytes of the text of a file of a name and a size."""
    return size * (_PACKED if name.lower().endswith(_PACKED_ENDINGS) else 1)


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file to read.

    Archives are read in place: nothing is extracted, so that exactly the verified bytes are read.

    Args:
        path: the file, or the zip archive that holds it.
        member: name within the archive, or None for the file itself. A name that ends in ``.gz`` is decompressed.
    """

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """The file's own name, without directories."""
        return self.path.name if self.member is None else self.member.rpartition("/")[2]

    def shards(self) -> Sequence[RawFile]:
        """The files that make up this one; itself alone, but for a table in several files."""
        return [self]

    def num_bytes(self) -> int:
        """About the size of its text, without reading it.

        Raises:
            SourceError: the file is not there, or no archive has it.
        """
        try:
            if self.member is None:
                size = self.path.stat().st_size
            else:
                with zipfile.ZipFile(self.path) as archive:
                    size = archive.getinfo(self.member).file_size
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or error
            raise SourceError(f"{self} cannot be read: {reason}. Correct the path.") from error
        return text_bytes(self.name, size)

    def __str__(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}:{self.member}"

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's content, decompressed.

        Raises:
            SourceError: the file cannot be opened, or turns out to be damaged while it is read.
        """
        try:
            with ExitStack() as stack:
                stream: IO[bytes]
                if self.member is None:
                    stream = stack.enter_context(self.path.open("rb", buffering=_BUFFER_BYTES))
                else:
                    stream = stack.enter_context(zipfile.ZipFile(self.path)).open(self.member)
                if self.name.endswith(".gz"):
                    unzipped = stack.enter_context(gzip.open(stack.enter_context(stream)))
                    stream = io.BufferedReader(cast(io.RawIOBase, unzipped), _BUFFER_BYTES)
                yield cast(BinaryIO, stack.enter_context(stream))
        except FileNotFoundError as error:
            raise SourceError(f"{self} does not exist. Check the path.") from error
        except IsADirectoryError as error:
            raise SourceError(f"{self} is a directory, but a file is needed. Give the path of the file.") from error
        except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, ZlibError) as error:
            raise SourceError(
                f"{self} is damaged or incomplete: {error}. Fetch it again (delete it first if it is in the cache)."
            ) from error
        except OSError as error:
            raise SourceError(f"{self} cannot be read: {error.strerror or error}.") from error
