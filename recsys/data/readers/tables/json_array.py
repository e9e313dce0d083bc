"""JSON files that hold one array of objects, as lines of one object each."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

_PEEK_BYTES = 1 << 12


@dataclass(frozen=True, slots=True)
class JsonArrayFile(RawFile):
    """A file with a JSON array, which is read as lines of one element each; it is held in memory as a whole.

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
            DataError: the file is no JSON array.
            SourceError: the file cannot be read.
        """
        with RawFile.open(self) as stream:
            content = stream.read()
        place = self.place
        try:
            array = json.loads(content)
        except UnicodeDecodeError as error:
            raise DataError(f"{place} begins as a JSON array, but is not UTF-8. Convert the file.") from error
        except RecursionError:
            raise DataError(f"{place} is a JSON array that is nested too deeply. Make it flat.") from None
        except json.JSONDecodeError as error:
            raise DataError(
                f"{place} begins as a JSON array, but in line {error.lineno:,} it is no JSON: {error.msg}. Correct "
                "it, or write one object a line without brackets around them."
            ) from error
        lines = "".join(json.dumps(element, ensure_ascii=False) + "\n" for element in array)
        yield cast(BinaryIO, io.BytesIO(lines.encode("utf-8", errors="surrogatepass")))


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
