"""JSON files that hold one array of objects, as lines of one object each."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

_PEEK_BYTES = 1 << 12
_CHUNK_BYTES = 1 << 20
_SPACE = re.compile(r"[ \t\n\r]*")
#: What ends this near to the end of what was read may go on behind it, as ``-Infinit`` and ``1.`` do.
_LONGEST_WORD = 16
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class JsonArrayFile(RawFile):
    """A file with a JSON array, which is read as lines of one element each; one element at a time is in memory.

    Args:
        path: as of :class:`RawFile`.
        member: as of :class:`RawFile`.
        place: what messages call it.
    """

    place: str = ""

    def __str__(self) -> str:
        return f"{self.place} (a line for each element of its array)"

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Each element of the array on a line of its own.

        Raises:
            SourceError: the file cannot be read.
            DataError: while it is read, if it is no JSON array.
        """
        with RawFile.open(self) as stream:
            lines = _Lines(_ArrayText(stream, self.place).elements())
            yield cast(BinaryIO, io.BufferedReader(lines, _CHUNK_BYTES))


class _Lines(io.RawIOBase):
    """Values as lines of JSON."""

    def __init__(self, values: Iterator[Any]) -> None:
        self._values = values
        self._pending = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._pending:
            value = next(self._values, self)
            if value is self:
                return 0
            line = json.dumps(value, ensure_ascii=False) + "\n"
            self._pending = line.encode("utf-8", errors="surrogatepass")
        length = min(len(buffer), len(self._pending))
        buffer[:length] = self._pending[:length]
        self._pending = self._pending[length:]
        return length


class _ArrayText:
    """The text of an array, of which only as much is in memory as its next element needs."""

    def __init__(self, stream: BinaryIO, place: str) -> None:
        self._stream = stream
        self._place = place
        start = stream.read(_CHUNK_BYTES)
        self._decoder = codecs.getincrementaldecoder(json.detect_encoding(start))("surrogatepass")
        self._pending = start
        self._text = ""
        self._position = 0
        self._num_lines = 0  # before the text
        self._is_at_end = False

    def elements(self) -> Iterator[Any]:
        """The elements.

        Raises:
            DataError: it is no array.
        """
        try:
            yield from self._elements()
        except UnicodeDecodeError as error:
            raise DataError(f"{self._place} begins as a JSON array, but is not UTF-8. Convert the file.") from error
        except RecursionError:
            raise DataError(f"{self._place} is a JSON array that is nested too deeply. Make it flat.") from None
        except json.JSONDecodeError as error:
            line = self._num_lines + error.lineno
            raise DataError(
                f"{self._place} begins as a JSON array, but in line {line:,} it is no JSON: {error.msg}. Correct "
                "it, or write one object a line without brackets around them."
            ) from error

    def _elements(self) -> Iterator[Any]:
        self._take("[", "Expecting value")
        while self._next_character() != "]":
            yield self._element()
            if self._next_character() == "]":
                break
            self._take(",", "Expecting ',' delimiter")
            if self._next_character() == "]":
                raise self._error("Illegal trailing comma before end of array")
        self._take("]", "Expecting ',' delimiter")
        if self._next_character():
            raise self._error("Extra data")

    def _element(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                is_near = error.pos >= len(self._text) - _LONGEST_WORD or error.msg.startswith("Unterminated string")
                if self._is_at_end or not is_near:
                    raise
            else:
                if self._is_at_end or end <= len(self._text) - _LONGEST_WORD:  # else a number may go on
                    self._position = end
                    return value
            self._read_on()

    def _take(self, character: str, problem: str) -> None:
        if self._next_character() != character:
            raise self._error(problem)
        self._position += 1

    def _next_character(self) -> str:
        """The next character that is no space, and is not taken; none at the end."""
        while True:
            space = _SPACE.match(self._text, self._position)
            assert space is not None, "it also matches nothing"
            self._position = space.end()
            if self._position < len(self._text) or self._is_at_end:
                return self._text[self._position : self._position + 1]
            self._read_on()

    def _read_on(self) -> None:
        self._num_lines += self._text.count("\n", 0, self._position)
        rest = self._text[self._position :]
        # As much again as there is, so that a long element is not gone through once for each chunk.
        chunk = self._pending or self._stream.read(max(_CHUNK_BYTES, len(rest)))
        self._pending = b""
        self._is_at_end = not chunk
        self._text = rest + self._decoder.decode(chunk, self._is_at_end)
        self._position = 0

    def _error(self, problem: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(problem, self._text, self._position)


def holds_array(file: RawFile) -> bool:
    """Whether a JSON file holds one array, by its first character.

    Raises:
        SourceError: the file cannot be read.
    """
    with file.open() as stream:
        return stream.read(_PEEK_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def as_json_lines(file: RawFile) -> RawFile:
    """A JSON file in a form with one object on each line: as it is, unless it holds an array.

    Raises:
        DataError: it is a table in several files, which have an array each.
        SourceError: the file cannot be read.
    """
    if len(file.shards()) > 1 and holds_array(file):
        raise DataError(
            f"{file}: of a table in several files, each must have one JSON object a line, but {file.shards()[0]} has "
            "an array. Write its elements one a line, without brackets around them."
        )
    if not holds_array(file):
        return file
    (alone,) = file.shards()
    return JsonArrayFile(alone.path, alone.member, str(alone))
