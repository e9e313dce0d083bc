"""Readers of table columns: single values, lists of values, words, numbers. No torch.

Shape suffixes: M values of all rows together.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

#: Separates words: everything but letters, combining marks and digits of any script.
_BETWEEN_WORDS = r"[^\p{L}\p{M}\p{N}]+"

#: Microseconds.
_DAY = 86_400e6


def plain_type(type_: pa.DataType) -> pa.DataType:
    """The type of a column's values; of a dictionary-encoded column, the type of its dictionary."""
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def is_date(type_: pa.DataType) -> bool:
    """Whether a column holds dates, or dates with times of the day."""
    return pa.types.is_date(type_) or pa.types.is_timestamp(type_)


def as_text(values: pa.ChunkedArray) -> pa.Array:
    """Values as strings; null where they are missing, empty or NaN."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    values = values.cast(plain_type(values.type))
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    text = values.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), None, text)


def text_of(value: str | int | float | bool) -> str | None:
    """One value as :func:`as_text` makes it; None for an empty one and for NaN.

    Example:
        >>> text_of("x"), text_of(2.0), text_of(True), text_of("")
        ('x', '2', 'true', None)
    """
    if isinstance(value, str):
        return value or None
    if isinstance(value, int):
        return str(value).lower()  # as Arrow writes truth values
    text: str | None = as_text(pa.chunked_array([[value]]))[0].as_py()
    return text


def as_numbers(values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Values as numbers, NaN where they are missing; dates and times as days since 1970, with their fraction."""
    plain = values.cast(plain_type(values.type))
    if is_date(plain.type):
        microseconds = plain.cast(pa.timestamp("us", getattr(plain.type, "tz", None)), safe=False).cast(pa.int64())
        return pc.fill_null(pc.divide(microseconds.cast(pa.float64(), safe=False), _DAY), np.nan).to_numpy()
    return pc.fill_null(plain.cast(pa.float64(), safe=False), np.nan).to_numpy()


def split_values(separator: str | None, values: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """The row of each value of a multi-valued column, shape [M], and the values, M strings or nulls."""
    if separator is None:
        return _flatten(values.combine_chunks())
    rows, parts = _flatten(pc.split_pattern(as_text(values), separator))
    return rows, as_text(pc.utf8_trim_whitespace(parts))


def split_words(values: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """The row of each word, shape [M], and the words, M strings."""
    rows, words = _flatten(pc.split_pattern_regex(as_text(values), _BETWEEN_WORDS))
    kept = words.is_valid()  # a text that begins or ends with punctuation gives an empty word there
    coded = words.filter(kept).dictionary_encode()
    # In Python, but once for each distinct word: Arrow's normalisation does not compose letters with their accents.
    normal = [unicodedata.normalize("NFKC", word).lower() for word in coded.dictionary.to_pylist()]
    return rows[kept.to_numpy(zero_copy_only=False)], pa.array(normal, pa.string()).take(coded.indices)


def _flatten(lists: pa.Array) -> tuple[npt.NDArray[np.int64], pa.Array]:
    if pa.types.is_null(lists.type):
        return np.empty(0, dtype=np.int64), pa.array([], pa.string())
    rows = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
    return rows, as_text(pc.list_flatten(lists))


def distinct(text: pa.Array) -> tuple[str, ...]:
    """The distinct values in Unicode order, without nulls."""
    values = pc.unique(text).drop_null()
    return tuple(values.take(pc.array_sort_indices(values)).to_pylist())


def codes_of(text: pa.Array, vocabulary: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Position in ``vocabulary`` plus one; 0 for a null or an unknown value."""
    position = pc.index_in(text, value_set=pa.array(vocabulary, pa.string()))
    return position.fill_null(-1).to_numpy().astype(np.int64) + 1
