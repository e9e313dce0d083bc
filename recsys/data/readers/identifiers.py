"""Identifier columns: always text, exactly as the user wrote it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError

#: Type of the id columns of interactions: each distinct id once, and an index for each row.
ID_TYPE = pa.dictionary(pa.int32(), pa.string())


def as_identifiers(column: pa.ChunkedArray, name: str, place: str) -> pa.ChunkedArray:
    """An id column as a dictionary of strings.

    Text stays as it is, with its leading zeros; whole numbers become their decimal digits. Missing ids stay null.

    Args:
        column: strings or integers, or a dictionary of either.
        name: name of the column, for messages.
        place: the file that it is from, for messages.

    Raises:
        DataError: the column holds neither strings nor integers.
    """
    if not pa.types.is_dictionary(column.type):
        _check_type(column, name, place)
        column = column.dictionary_encode()
    else:
        _check_type(column, name, place, column.type.value_type)
    if column.type == ID_TYPE:
        return column
    chunks = [
        pa.DictionaryArray.from_arrays(chunk.indices.cast(pa.int32()), chunk.dictionary.cast(pa.string()))
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, ID_TYPE)


def as_strings(column: pa.ChunkedArray, name: str, place: str) -> pa.ChunkedArray:
    """An id column as plain strings, for batches and tables with one row for each id; see :func:`as_identifiers`."""
    if pa.types.is_dictionary(column.type):
        return as_identifiers(column, name, place).cast(pa.string())
    _check_type(column, name, place)
    return column.cast(pa.string())


def _check_type(column: pa.ChunkedArray, name: str, place: str, kind: pa.DataType | None = None) -> None:
    kind = column.type if kind is None else kind
    types = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer)
    if any(is_type(kind) for is_type in types):
        return
    message = f"{place}: the ids in column {name!r} must be text or whole numbers, but are of type {kind}"
    present = pc.drop_null(column)
    if len(present):
        message += f", such as {present[0].as_py()!r}"
    if pa.types.is_floating(kind):
        message += " (often a sign that missing ids turned whole numbers into fractions)"
    raise DataError(f"{message}. Write the ids as text.")
