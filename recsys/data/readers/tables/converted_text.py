"""Text files as the reader of delimited text takes them: UTF-8, common line ends, one character between fields."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from recsys.data.sources.raw_file import RawFile

#: Stands for a separator of two characters; text does not have it.
UNIT_SEPARATOR = "\x1f"

_CHUNK_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True)
class ConvertedText(RawFile):
    """A text file that is converted while it is read.

    Args:
        path: as of :class:`RawFile`.
        member: as of :class:`RawFile`.
        encoding: that of its text.
        separator: what separates its fields; one of two characters becomes :data:`UNIT_SEPARATOR`.
        skips_line: whether the first line that is not blank is left out.
        file: what is read; None for the file at ``path``.
    """

    encoding: str = "utf-8"
    separator: str = ","
    skips_line: bool = False
    file: RawFile | None = None

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The converted content.

        Raises:
            SourceError: the file cannot be read.
            UnicodeError: while it is read, if it is no text in its encoding.
        """
        with RawFile.open(self) if self.file is None else self.file.open() as stream:
            encoding = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
            text = io.TextIOWrapper(stream, encoding, newline=None)
            while self.skips_line and (line := text.readline()) and not line.strip():
                pass
            try:
                yield cast(BinaryIO, io.BufferedReader(_Converted(text, self.separator), _CHUNK_CHARACTERS))
            finally:
                text.detach()  # or it would close what it does not own


class _Converted(io.RawIOBase):
    def __init__(self, text: io.TextIOWrapper, separator: str) -> None:
        self._text = text
        self._separator = separator if len(separator) > 1 else None
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._pending:
            chunk = self._text.read(_CHUNK_CHARACTERS)
            if self._separator is not None:
                chunk += self._text.readline()  # a separator must not be cut in two
                chunk = chunk.replace(self._separator, UNIT_SEPARATOR)
            self._pending = chunk.encode("utf-8")
        length = min(len(buffer), len(self._pending))
        buffer[:length] = self._pending[:length]
        self._pending = self._pending[length:]
        return length
