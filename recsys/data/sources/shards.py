"""A table in several files: a directory of them, or a pattern such as ``ratings/part-*.csv.gz``."""

from __future__ import annotations

import glob
from collections.abc import Generator, Iterable, Iterator, Sequence
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
    check_one_format(path, [file.name for file in files])
    return ShardedFile(path, None, files)


def check_one_format(place: object, names: Iterable[str]) -> None:
    """Check that files go together as one table.

    Args:
        place: what messages call the table.
        names: of the files.

    Raises:
        DataError: they are of several formats.
    """
    formats = sorted({_format(name) for name in names})
    if len(formats) > 1:
        raise DataError(
            f"{place}: the files of a table must be of one format, but they end in {' and in '.join(formats)}. Give a "
            "pattern that fits those of one, such as 'DIR/*.parquet'."
        )


def _format(name: str) -> str:
    return "".join(name.lower().removesuffix(".gz").rpartition(".")[1:])


@dataclass(frozen=True, slots=True)
class ShardedFile(RawFile):
    """Files of one table, which are read as one file: one after the other, the header once.

    Args:
        path: the directory or the pattern, for messages.
        member: None.
        files: the files, in their order.
        num_header_lines: lines at the beginning of each file that are no rows; those of the first file stay.
    """

    files: tuple[Path, ...] = ()
    num_header_lines: int = 0

    @property
    def name(self) -> str:
        """The name of the first file, which tells the format."""
        return self.files[0].name

    def shards(self) -> Sequence[RawFile]:
        """Each file by itself."""
        return [RawFile(path) for path in self.files]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The lines of all files, decompressed.

        Raises:
            SourceError: a file cannot be opened, or turns out to be damaged while it is read.
            DataError: a file has another header than the first.
        """
        with BufferedReader(_Joined(self._parts()), _BUFFER_BYTES) as stream:
            yield cast(BinaryIO, stream)

    def _parts(self) -> Generator[bytes, None, None]:
        header: list[bytes] = []
        ends_line = True
        for number, shard in enumerate(self.shards()):
            with shard.open() as stream:
                lines = [stream.readline() for _ in range(self.num_header_lines)]
                bare = [line.removeprefix(_MARK).rstrip(b"\r\n") for line in lines]
                if number == 0:
                    header = bare
                    yield from lines
                elif bare != header:
                    raise DataError(
                        f"{shard} begins with {bare[-1].decode(errors='replace')[:100]!r}, and {self.files[0]} with "
                        f"{header[-1].decode(errors='replace')[:100]!r}: all files of a table must have the same "
                        "header. Correct it, or set data.header=false if there is none."
                    )
                if not ends_line:
                    yield b"\n"
                ends_line = True
                while content := stream.read(_BUFFER_BYTES):
                    yield content
                    ends_line = content.endswith((b"\n", b"\r"))


class _Joined(RawIOBase):
    """Parts of a file as one."""

    def __init__(self, parts: Generator[bytes, None, None]) -> None:
        self._parts = parts
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._left:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._left = memoryview(part)
        length = min(len(buffer), len(self._left))
        buffer[:length] = self._left[:length]
        self._left = self._left[length:]
        return length

    def close(self) -> None:
        self._parts.close()
        super().close()
