"""Delimited text read into Arrow: only the wanted columns, in the wanted types, in parallel."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from recsys.data.readers.numbers import first_uncastable
from recsys.data.readers.required_columns import require_columns
from recsys.data.sources.arrow_stream import arrow_stream
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

#: Spellings of a missing number. NaN is not among them: it is a value, and is checked where values are checked.
_MISSING = ("", "NA", "N/A", "NULL", "null", "None")

_MAX_HEADER_BYTES = 1 << 20
#: A row must fit into a block; larger ones are tried only where one does not.
_BLOCK_BYTES = (1 << 20, 128 << 20)
#: A block of a batch: some 100,000 rows.
_BATCH_BYTES = 8 << 20
_CONVERT = "Convert the file to UTF-8 text."


class EncodingError(DataError):
    """A file is no text in its encoding."""


class LongRowError(DataError):
    """A row is too long to be read in batches."""


class ColumnTypeError(DataError):
    """A column of a delimited file has a value of another type; ``column`` is its name."""

    def __init__(self, message: str, column: str) -> None:
        super().__init__(message)
        self.column = column


def read_delimited(
    file: RawFile,
    types: Mapping[str, pa.DataType],
    *,
    separator: str = ",",
    column_names: Sequence[str] | None = None,
    encoding: str = "utf-8",
    quoted: bool = True,
) -> pa.Table:
    """Read columns of delimited text.

    Columns of strings (or of dictionaries of strings) are read exactly as they are written; an empty field is an empty
    string there, and null in a column of numbers. All chunks share the same dictionaries.

    Args:
        file: the file.
        types: the columns to read and their types.
        separator: one character.
        column_names: names of all columns, if the file has no header.
        encoding: encoding of the text.
        quoted: whether fields may be in double quotes.

    Returns:
        The columns in the order of ``types``.

    Raises:
        ColumnTypeError: a value is of another type; the message gives the first such row and its value.
        EncodingError: the file is not text in this encoding.
        DataError: the file is empty, lacks a column, or has a row of another length or of more than 128 MB.
        SourceError: the file cannot be read.
    """
    form = DelimitedForm(file, separator, column_names, encoding, quoted)
    if column_names is None:
        require_columns(read_header(file, separator=separator, encoding=encoding), types, str(file))
    table = form.read(types)
    if table.num_rows == 0:
        came = "is empty" if column_names is not None else "has a header but no rows"
        raise DataError(f"{file} {came}; at least one row is needed. Check that it is the right file.")
    return table.unify_dictionaries()


def read_header(file: RawFile, *, separator: str = ",", encoding: str = "utf-8") -> list[str]:
    """The column names of delimited text: its first line that is not blank.

    Raises:
        EncodingError: the first line is not text in this encoding.
        DataError: the file is empty, or its first line is no row.
        SourceError: the file cannot be read.
    """
    with file.open() as stream:
        line = next((line for line in iter(lambda: stream.readline(_MAX_HEADER_BYTES), b"") if line.strip()), b"")
    if not line:
        raise DataError(f"{file} is empty; a header and at least one row are needed. Check that it is the right file.")
    try:
        text = line.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise EncodingError(f"{file} must be text in {encoding}, but its first line is not. {_CONVERT}") from error
    try:
        return next(csv.reader([text.rstrip("\r\n")], delimiter=separator))
    except csv.Error as error:
        raise DataError(
            f"{file}: the first line is no row of column names ({error}). Check that it is the right file."
        ) from error


@dataclass(frozen=True, slots=True)
class DelimitedForm:
    """The format of one file; its arguments are those of :func:`read_delimited`."""

    file: RawFile
    separator: str
    column_names: Sequence[str] | None
    encoding: str
    quoted: bool

    def read(self, types: Mapping[str, pa.DataType]) -> pa.Table:
        """The columns of ``types``; an empty table where there are no rows."""
        for block_bytes in _BLOCK_BYTES:
            try:
                with self._counted() as (counted, source):
                    table = arrow_csv.read_csv(
                        source,
                        read_options=self._read_options(block_bytes),
                        parse_options=self._parse_options(),
                        convert_options=self._convert_options(types),
                    )
                if self.quoted and counted.num_quotes % 2 and counted.num_lines > len(table) + 1:
                    self._check_last_row(len(table), counted.num_lines)
                return table
            except UnicodeError as error:
                raise EncodingError(f"{self.file} must be text in {self.encoding}, but is not. {_CONVERT}") from error
            except pa.ArrowInvalid as error:
                if "Empty CSV" in str(error):
                    return pa.table({})
                if _is_too_long(error) and block_bytes < _BLOCK_BYTES[-1]:
                    continue
                raise self._explain(error, types) from error
        raise AssertionError("the last block either suffices or is told")

    def batches(self, types: Mapping[str, pa.DataType]) -> Iterator[pa.Table]:
        """The columns of ``types`` in batches, so that they are never in memory at once.

        Raises:
            LongRowError: a row is too long for that.
            DataError: see :func:`read_delimited`.
            SourceError: the file cannot be read.
        """
        num_rows = 0
        try:
            with (
                self._counted() as (counted, source),
                arrow_csv.open_csv(
                    source,
                    read_options=self._read_options(_BATCH_BYTES),
                    parse_options=self._parse_options(),
                    convert_options=self._convert_options(types),
                ) as batches,
            ):
                for batch in batches:
                    num_rows += batch.num_rows
                    yield pa.Table.from_batches([batch])
            if self.quoted and counted.num_quotes % 2 and counted.num_lines > num_rows + 1:
                self._check_last_row(num_rows, counted.num_lines)
        except UnicodeError as error:
            raise EncodingError(f"{self.file} must be text in {self.encoding}, but is not. {_CONVERT}") from error
        except pa.ArrowInvalid as error:
            if _is_too_long(error):
                raise LongRowError(
                    f"{self.file} has a row of more than {_BATCH_BYTES >> 20} MB. To have it read in batches, leave "
                    "out or shorten the field that is so long"
                ) from error
            raise self._explain(error, types) from error

    @contextmanager
    def _counted(self) -> Iterator[tuple[_CountedLines, pa.NativeFile]]:
        """The file as Arrow reads it, and what counts its lines meanwhile."""
        with self.file.open() as stream:
            counted = _CountedLines(stream)
            with arrow_stream(cast(BinaryIO, counted)) as source:
                yield counted, source

    def _check_last_row(self, num_rows: int, num_lines: int) -> None:
        """Refuse a file of which the last row has a field that goes on to the end, with many rows inside.

        Arrow takes quotes that do not end; what follows them would be lost.
        """
        names = read_header(self.file, separator=self.separator) if self.column_names is None else self.column_names
        with (
            self.file.open() as stream,
            arrow_stream(stream) as source,
            arrow_csv.open_csv(
                source,
                read_options=self._read_options(use_threads=False),
                parse_options=self._parse_options(),
                convert_options=self._convert_options(dict.fromkeys(names, pa.binary())),
            ) as batches,
        ):
            last = None
            for batch in batches:
                last = batch
        columns = [] if last is None else last.columns
        fields = [(column[-1].as_py() or b"").decode(errors="replace") for column in columns]
        endless = next((field for field in fields if field.endswith(("\n", "\r"))), None)
        if endless is not None:
            raise DataError(
                f"{self.file}: row {num_rows:,} has a field that begins with a double quote and does not end: "
                f"{endless[:60]!r}; so {num_lines:,} lines are only {num_rows:,} rows. Close the quotes, or double "
                "them if they are part of the text."
            )

    def _read_options(self, block_bytes: int = _BLOCK_BYTES[-1], use_threads: bool = True) -> Any:
        return arrow_csv.ReadOptions(
            block_size=block_bytes,
            column_names=self.column_names,
            encoding="utf8" if self.encoding == "utf-8" else self.encoding,
            use_threads=use_threads,
        )

    def _parse_options(self, invalid_row_handler: Callable[[Any], str] | None = None) -> Any:
        return arrow_csv.ParseOptions(
            delimiter=self.separator,
            quote_char='"' if self.quoted else False,
            newlines_in_values=self.quoted,
            invalid_row_handler=invalid_row_handler,
        )

    def _convert_options(self, types: Mapping[str, pa.DataType]) -> Any:
        return arrow_csv.ConvertOptions(column_types=dict(types), include_columns=list(types), null_values=_MISSING)

    def _explain(self, error: pa.ArrowInvalid, types: Mapping[str, pa.DataType]) -> DataError:
        """The error with its row, found in a second pass: Arrow does not count rows when it reads in parallel."""
        ragged: list[Any] = []

        def remember(row: Any) -> str:
            ragged.append(row)
            return "error"

        rows = 0
        try:
            with (
                self.file.open() as stream,
                arrow_stream(stream) as source,
                arrow_csv.open_csv(
                    source,
                    read_options=self._read_options(use_threads=False),
                    parse_options=self._parse_options(remember),
                    convert_options=self._convert_options(dict.fromkeys(types, pa.binary())),
                ) as batches,
            ):
                for batch in batches:
                    for name, type_ in types.items():
                        found = _first_bad_value(batch.column(name), type_)
                        if found is not None:
                            position, value = found
                            if _CONVERT in value:
                                return EncodingError(
                                    f"{self.file}: column {name!r} must hold text in UTF-8, but row "
                                    f"{rows + position + 1:,} has {value}"
                                )
                            return ColumnTypeError(
                                f"{self.file}: column {name!r} must hold {_words(type_)}, but row "
                                f"{rows + position + 1:,} has {value}",
                                name,
                            )
                    rows += batch.num_rows
        except UnicodeError:
            return EncodingError(f"{self.file} must be text in {self.encoding}, but is not. {_CONVERT}")
        except pa.ArrowInvalid as second:
            error = second
        if not ragged and _is_too_long(error):
            return DataError(
                f"{self.file}: after row {rows:,} comes one of more than {_BLOCK_BYTES[-1] >> 20} MB, or a field in "
                "double quotes that does not end. Correct it."
            )
        if not ragged:
            return DataError(f"{self.file}: {error}")
        bad = ragged[0]
        number = "" if bad.number is None else f" {bad.number - (self.column_names is None):,}"
        return DataError(
            f"{self.file}: each row must have {bad.expected_columns} fields, but row{number} has "
            f"{bad.actual_columns}: {bad.text[:200]!r}. Correct the row"
            + (f"; a field that holds {self.separator!r} must be in double quotes." if self.quoted else ".")
        )


class _CountedLines:
    """A stream of which lines and double quotes are counted while it is read."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.num_lines = 0
        self.num_quotes = 0

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self.num_lines += content.count(b"\n")
        self.num_quotes += content.count(b'"')
        return content

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Whoever opened the stream closes it."""


def _is_too_long(error: pa.ArrowInvalid) -> bool:
    """Whether a row does not fit into a block."""
    return "straddl" in str(error)


def _first_bad_value(column: pa.Array, type_: pa.DataType) -> tuple[int, str] | None:
    """Position of the first value that is not text or not of ``type_``, and a description of it."""
    position = first_uncastable(column, pa.string())
    if position is not None:
        return position, f"{column[position].as_py()!r}. {_CONVERT}"
    if pa.types.is_dictionary(type_) or pa.types.is_string(type_):
        return None
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    present = pc.if_else(pc.is_in(text, value_set=pa.array(_MISSING)), pa.scalar(None, pa.string()), text)
    position = first_uncastable(present, type_)
    if position is None:
        return None
    return position, f"{text[position].as_py()!r}. Correct the value, or leave it empty if it is unknown."


def _words(type_: pa.DataType) -> str:
    if pa.types.is_integer(type_):
        return "whole numbers"
    if pa.types.is_timestamp(type_):
        return "times"
    return "numbers" if pa.types.is_floating(type_) else "text in UTF-8"
