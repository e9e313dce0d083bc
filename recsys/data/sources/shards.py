"""A table in several files: a directory of them, or a pattern such as ``ratings/part-*.csv.gz``."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError, SourceError

#: How names of files begin that are none of the table, such as _SUCCESS.
_NO_PART = (".", "_")
_BUFFER_BYTES = 1 << 20
_MARK = b"\xef\xbb\xbf"


def files_of(path: Path) -> tuple[Path, ...]:
    """The files of a table, in the order of their names.

    Args:
        path: a file; a directory, of which all files are taken but those whose names begin with a dot or an underscore;
            or a pattern with ``*``, ``?`` or ``[...]``, where ``**`` stands for any directories.

    Raises:
        SourceError: a directory or a pattern has no files.
    """
    if path.is_dir():
        found = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(_NO_PART)]
        if not found:
            raise SourceError(f"{path} is a directory without files. Give the path of the files.")
    elif glob.has_magic(str(path)) and not path.exists():
        found = [Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file()]
        if not found:
            raise SourceError(f"{path} fits no file. Correct the pattern; it must be in quotes on a command line.")
    else:
        return (path,)
    return tuple(sorted(found))


def table_file(path: Path) -> RawFile:
    """One table in a file, a directory or the files of a pattern; see :func:`files_of`.

    Raises:
        SourceError: a directory or a pattern has no files.
        DataError: the files are of several formats.
    """
    files = files_of(path)
    if files == (path,):
        return RawFile(path)
    formats = sorted({_format(file) for file in files})
    if len(formats) > 1:
        raise DataError(
            f"{path}: the files of a table must be of one format, but they end in {' and in '.join(formats)}. Give a "
            "pattern that fits those of one, such as 'DIR/*.parquet'."
        )
    return ShardedFile(path, None, files)


def _format(file: Path) -> str:
    return "".join(file.name.lower().removesuffix(".gz").rpartition(".")[1:])


@dataclass(frozen=True, slots=True)
class ShardedFile(RawFile):
    """Files of one table, which are read as one file: one after the other, the header once.

    Args:
        path: the directory or the pattern, for messages.
        member: None.
        files: the files, in their order.
    """

    files: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The name of the first file, which tells the format."""
        return self.files[0].name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files."""
        return self.files

    def shards(self) -> Sequence[RawFile]:
        """Each file by itself."""
        return [RawFile(path) for path in self.files]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The lines of all files, decompressed; a first line that all have in common is there once.

        Raises:
            SourceError: a file cannot be opened, or turns out to be damaged while it is read.
        """
        with BufferedReader(_Joined(self.shards(), self._header()), _BUFFER_BYTES) as stream:
            yield cast(BinaryIO, stream)

    def _header(self) -> bytes | None:
        """The first line, if it is that of every file."""
        lines = set()
        for shard in self.shards():
            with shard.open() as stream:
                lines.add(stream.readline(_BUFFER_BYTES).removeprefix(_MARK).rstrip(b"\r\n"))
        return lines.pop() if len(lines) == 1 else None


class _Joined(RawIOBase):
    """The content of several files, one after the other, each of whole lines."""

    def __init__(self, shards: Sequence[RawFile], header: bytes | None) -> None:
        self._parts = _parts(shards, header)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._left:
            self._left = memoryview(next(self._parts, b""))
        length = min(len(buffer), len(self._left))
        buffer[:length] = self._left[:length]
        self._left = self._left[length:]
        return length

    def close(self) -> None:
        self._parts.close()
        super().close()


def _parts(shards: Sequence[RawFile], header: bytes | None) -> Iterator[bytes]:
    ended = True
    for number, shard in enumerate(shards):
        with shard.open() as stream:
            first = stream.readline()
            bare = first.removeprefix(_MARK)
            if not ended:
                yield b"\n"
            yield first if number == 0 else b"" if bare.rstrip(b"\r\n") == header else bare
