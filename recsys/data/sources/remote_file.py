"""Files of an object store that are read where they lie, from any place in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from recsys.data.sources.raw_file import RawFile, text_bytes
from recsys.data.sources.remote_files import RemoteFiles


@dataclass(frozen=True, slots=True)
class RemoteFile(RawFile):
    """One file of those that a URL names, or the table that they make up.

    It can be sent to another process, which finds the keys of the store where its library looks for them.

    Args:
        path: of the file, for its name.
        member: None.
        files: those of the URL.
        number: which of them it is; None for the table of all, which is read by its shards.
    """

    files: RemoteFiles | None = None
    number: int | None = None

    @classmethod
    def table(cls, files: RemoteFiles) -> RemoteFile:
        """The table of all files of a URL."""
        return cls(Path(files.paths[0]), None, files)

    def shards(self) -> Sequence[RawFile]:
        """Each file by itself."""
        if self.number is not None:
            return [self]
        return [RemoteFile(Path(path), None, self._files, number) for number, path in enumerate(self._files.paths)]

    def num_bytes(self) -> int:
        """About the size of its text, as the store tells it."""
        numbers = range(len(self._files.files)) if self.number is None else [self.number]
        sizes = [self._files.files[number][:2] for number in numbers]
        return sum(text_bytes(PurePosixPath(path).name, size) for path, size in sizes)

    def __str__(self) -> str:
        return str(self._files) if self.number is None else self._files.url_of(self._files.paths[self.number])

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's content, as it is stored.

        Raises:
            SourceError: it cannot be read.
        """
        with self._files.open(self._files.paths[self.number or 0]) as stream:
            yield stream

    @property
    def _files(self) -> RemoteFiles:
        assert self.files is not None, "a file of an object store has one"
        return self.files
