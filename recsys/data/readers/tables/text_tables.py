"""Reads the tables of delimited text in a recognised format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.readers.delimited import ColumnTypeError, EncodingError, read_delimited
from recsys.data.readers.identifiers import ID_TYPE
from recsys.data.readers.numbers import first_uncastable, with_decimal_points
from recsys.data.readers.tables.converted_text import UNIT_SEPARATOR, ConvertedText
from recsys.data.readers.tables.text_format import TextFormat
from recsys.data.readers.tables.text_sample import encoding_message
from recsys.data.sources.raw_file import RawFile
from recsys.data.sources.shards import ShardedFile
from recsys.errors import DataError

#: Types that are tried before text, which takes several times the memory; a wrong type fails in the first rows.
_TIMESTAMP_TYPES = (pa.int64(), pa.float64(), pa.timestamp("us"), pa.timestamp("us", "UTC"))


@dataclass(frozen=True, slots=True)
class TextColumns:
    """Columns of a users or items table.

    Args:
        columns: by name, as numbers where all values are.
        notes: what was recognised, in sentences.
    """

    columns: dict[str, pa.ChunkedArray]
    notes: tuple[str, ...]


def read_text_interactions(file: RawFile, text: TextFormat, wanted: Mapping[str, str]) -> pa.Table:
    """The wanted columns of interactions, under their own names.

    Args:
        file: the file.
        text: its format.
        wanted: the framework's names and those in the file.

    Raises:
        DataError: a value is of another type, a row of another length, or the file is no text in its encoding.
        SourceError: the file cannot be read.
    """
    ids = {wanted[USER_ID]: ID_TYPE, wanted[ITEM_ID]: ID_TYPE}
    untried = types_to_try(text, wanted)
    while True:
        try:
            return _read(file, text, ids | {name: left[0] for name, left in untried.items()})
        except ColumnTypeError as error:
            if len(untried.get(error.column, ())) < 2:
                raise
            untried[error.column].pop(0)


def types_to_try(text: TextFormat, wanted: Mapping[str, str]) -> dict[str, list[pa.DataType]]:
    """The types that a column of ratings, weights or times may have, by its name in the file, in their order."""
    numbers = [pa.float32()] if text.separator == "," else [pa.float32(), pa.string()]  # with decimal commas, perhaps
    types = {RATING: numbers, WEIGHT: numbers, TIMESTAMP: [*_TIMESTAMP_TYPES, pa.string()]}
    return {wanted[role]: list(types[role]) for role in types if role in wanted}


def read_text_entities(file: RawFile, text: TextFormat, id_name: str) -> TextColumns:
    """All columns of a users or items table.

    Columns become integers or floats if all their values are such numbers without leading zeros, and stay strings
    otherwise; of numbers with decimal commas only where another separator divides the fields.

    Args:
        file: the file.
        text: its format.
        id_name: the ids, which stay text.

    Raises:
        DataError: a row is of another length, or the file is no text in its encoding.
        SourceError: the file cannot be read.
    """
    table = _read(file, text, dict.fromkeys(text.names, pa.string()))
    columns, notes = {}, []
    for name in text.names:
        column = table[name]
        if name != id_name and text.separator != "," and (pointed := with_decimal_points(column)) is not None:
            column = pointed
            notes.append(f"{name} is read as numbers with decimal commas")
        columns[name] = column if name == id_name else _typed(column)
    return TextColumns(columns, tuple(notes))


def _read(file: RawFile, text: TextFormat, types: Mapping[str, pa.DataType]) -> pa.Table:
    raw = dict(zip(text.names, text.raw_names, strict=True))
    with own_words(file, text):
        table = read_delimited(
            plain_text(file, text),
            {raw[name]: type_ for name, type_ in types.items()},
            separator=UNIT_SEPARATOR if len(text.separator) > 1 else text.separator,
            column_names=None if text.has_header else text.names,
            quoted=len(text.separator) == 1,
        )
    return table.rename_columns(list(types))


def plain_text(file: RawFile, text: TextFormat) -> RawFile:
    """The file as the reader of delimited text takes it.

    Raises:
        DataError: it is one of several files whose encoding does not let them be joined.
    """
    if isinstance(file, ShardedFile):
        if text.encoding.startswith(("utf-16", "utf-32", "utf_16", "utf_32")):
            raise DataError(f"{file}: a table in several files must be in UTF-8, but is {text.encoding}. Convert it.")
        file = replace(file, num_header_lines=int(text.has_header) + int(text.skips_line))
    if len(text.separator) > 1 or text.old_line_ends or text.skips_line or text.encoding != "utf-8":
        return ConvertedText(file.path, file.member, text.encoding, text.separator, text.skips_line, file)
    return file


@contextmanager
def own_words(file: RawFile, text: TextFormat) -> Iterator[None]:
    """Errors in terms of the file as it is, and of the settings.

    Raises:
        DataError: the error of the block in those terms.
    """
    try:
        yield
    except (EncodingError, UnicodeError) as error:
        raise DataError(encoding_message(file, text.encoding)) from error
    except ColumnTypeError as error:
        error.column = text.names[text.raw_names.index(error.column)]
        raise
    except DataError as error:
        if repr(UNIT_SEPARATOR)[1:-1] not in str(error):
            raise
        raise DataError(str(error).replace(repr(UNIT_SEPARATOR)[1:-1], text.separator)) from error


def _typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of text as numbers if all its values are numbers without leading zeros; empty text becomes null."""
    text = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    if text.null_count == len(text) or pc.any(pc.match_substring_regex(text, r"^[+-]?0\d")).as_py():
        return text
    for type_ in (pa.int64(), pa.float64()):
        if first_uncastable(text, type_) is None:
            return text.cast(type_)
    return text
