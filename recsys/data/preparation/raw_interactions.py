"""The raw interactions table as arrays: ids become indices, ratings and timestamps become checked numbers.

The work is done on the dictionaries of the id columns and on whole columns, so that 25 million rows never become
Python strings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import FOLD, FOLDS, ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.interactions import IndexArray, Interactions
from recsys.data.schema import AppliedRule
from recsys.data.times import NANOSECONDS, format_moment, split_seconds
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError

InvalidRows = Literal["error", "drop"]

#: 1 January 2100 in seconds since 1970: a later timestamp is not in seconds.
LATEST_TIMESTAMP = 4_102_444_800

#: March 1973 in seconds since 1970: an earlier date does not explain a number that is too large to be in seconds.
_EARLIEST_EXPLAINED = 10**8

_FINER_UNITS = {"milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


@dataclass(frozen=True, slots=True)
class CodedInteractions:
    """Valid interactions with the vocabularies of the ids that occurred in the raw table.

    Args:
        interactions: the valid rows in raw order. An id whose rows were all dropped keeps its index.
        users: vocabulary of ``interactions.user_index``.
        items: vocabulary of ``interactions.item_index``.
        rule: what was dropped as invalid.
    """

    interactions: Interactions
    users: Vocabulary
    items: Vocabulary
    rule: AppliedRule


@dataclass(frozen=True, slots=True)
class _Defect:
    """One way in which rows are invalid.

    Args:
        what: the defect in words, after "rows".
        rows: mask of shape [N].
        required: what a value must be.
    """

    what: str
    rows: npt.NDArray[np.bool_]
    required: str


def code_interactions(table: pa.Table, invalid_rows: InvalidRows) -> CodedInteractions:
    """Check the raw interactions and turn them into arrays.

    A row is invalid where an id is null or empty, a rating or a weight is null, NaN, infinite or beyond 32-bit floats,
    or a timestamp is null, negative or later than the year 2100. A time before 1970 mostly stands for an unknown one
    (-1, or 1 January 1900).

    Args:
        table: ``user_id`` and ``item_id`` (strings), optionally ``rating``, ``timestamp``, ``subsecond_ns``,
            ``weight`` and ``fold``; further columns are ignored.
        invalid_rows: "error" to refuse a table with an invalid row, "drop" to leave such rows out.

    Raises:
        DataError: a column is missing or of another type, there are no rows, or there are invalid ones to refuse.
    """
    _check_columns(table)
    users, user_index = _code_ids(table.column(USER_ID), USER_ID)
    items, item_index = _code_ids(table.column(ITEM_ID), ITEM_ID)
    defects = [
        _Defect(f"without {column}", codes < 0, f"{column} must be a string that is not empty")
        for column, codes in ((USER_ID, user_index), (ITEM_ID, item_index))
    ]
    rating = timestamp = subsecond_ns = weight = fold = None
    if RATING in table.column_names:
        rating, defect = _finite(table.column(RATING), RATING)
        defects.append(defect)
    if WEIGHT in table.column_names:
        weight, defect = _finite(table.column(WEIGHT), WEIGHT)
        defects.append(defect)
    if TIMESTAMP in table.column_names:
        timestamp, subsecond_ns, more = _timestamps(table.column(TIMESTAMP))
        defects.extend(more)
        if SUBSECOND_NS in table.column_names:
            subsecond_ns = _subseconds(table.column(SUBSECOND_NS))
    if FOLD in table.column_names:
        fold = _folds(table.column(FOLD))
    interactions = Interactions(
        user_index, item_index, rating, timestamp, fold, len(users), len(items), weight, subsecond_ns
    )

    defects = [defect for defect in defects if defect.rows.any()]
    invalid = np.zeros(len(interactions), dtype=np.bool_)
    for defect in defects:
        invalid |= defect.rows
    if defects and invalid_rows == "error":
        raise DataError(
            f"{_describe(table, defects)} Correct the data, or set preparation.invalid_rows=drop to leave the "
            f"{_rows(int(invalid.sum()))} out."
        )
    if invalid.all():
        raise DataError(f"{_describe(table, defects)} No valid row is left. Correct the data.")
    rule = AppliedRule(
        "invalid rows",
        "rows without an id, without a finite rating or weight, or with a timestamp that is missing, negative or after "
        "2100 are " + ("left out" if invalid_rows == "drop" else "refused"),
        {"interactions": int(invalid.sum())},
    )
    valid = interactions.take(np.flatnonzero(~invalid)) if defects else interactions
    return CodedInteractions(valid, users, items, rule)


def _check_columns(table: pa.Table) -> None:
    """Check that the required columns are there, and at least one row."""
    names = table.column_names
    missing = [name for name in (USER_ID, ITEM_ID) if name not in names]
    if missing:
        raise DataError(
            f"The interactions need the columns {USER_ID} and {ITEM_ID}; {' and '.join(missing)} is missing, the "
            f"columns are {', '.join(names) or 'none'}. Tell the reader which column is which."
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"Each column of the interactions must have a name of its own; repeated: {', '.join(repeated)}."
        )
    if table.num_rows == 0:
        raise DataError("The interactions have no rows; at least one is needed. Check the file that was read.")


def _code_ids(column: pa.ChunkedArray, name: str) -> tuple[Vocabulary, IndexArray]:
    """The vocabulary of an id column and the index of each row (shape [N], int32; -1 where the id is missing)."""
    if not pa.types.is_dictionary(column.type):
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise DataError(
                f"{name} must be a column of strings, but is of type {column.type}. Ids are text: convert the column "
                "where it is read, so that leading zeros stay."
            )
        column = pc.dictionary_encode(column)
    array = column.unify_dictionaries().combine_chunks()
    dictionary = array.dictionary.cast(pa.string())
    vocabulary = Vocabulary.from_ids(dictionary.filter(pc.not_equal(dictionary, "")), name)
    # One more entry than the dictionary has, for the rows that are null.
    index_of_code = np.append(vocabulary.index_of(dictionary), np.int32(-1))
    codes = array.indices.cast(pa.int32()).fill_null(len(dictionary)).to_numpy()
    return vocabulary, index_of_code[codes]


def _is_number(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
    return any(is_kind(type_) for is_kind in kinds)


def _finite(column: pa.ChunkedArray, name: str) -> tuple[npt.NDArray[np.float32], _Defect]:
    """Ratings or weights, and the rows in which they are no finite numbers."""
    if not _is_number(column.type):
        raise DataError(
            f"{name} must be a column of numbers, but is of type {column.type}. Convert it where it is read, or "
            f"leave it out if it holds no {name}s."
        )
    # A number that is too large for 32 bits becomes infinite, and therefore invalid.
    values = pc.fill_null(column.cast(pa.float32(), safe=False), np.nan).to_numpy()
    return values, _Defect(f"without a finite {name}", ~np.isfinite(values), f"{name} must be a finite number")


def _timestamps(
    column: pa.ChunkedArray,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32] | None, list[_Defect]]:
    """Whole seconds, the nanoseconds after them where any are given, and the rows without a credible time."""
    if not _is_number(column.type):
        raise DataError(
            f"{TIMESTAMP} must be a column of seconds since 1970, but is of type {column.type}. Convert it where it is "
            "read, or leave it out."
        )
    subsecond_ns = None
    if not pa.types.is_integer(column.type):
        column = column.cast(pa.float64(), safe=False)
        values = pc.fill_null(column, np.nan).to_numpy()
        missing = np.isnan(values)
        out_of_range = ~missing & ~((values >= 0) & (values <= LATEST_TIMESTAMP))
        whole, nanoseconds = split_seconds(np.where(missing | out_of_range, -1, values))
        seconds = whole.astype(np.int64)
        subsecond_ns = nanoseconds if nanoseconds.any() else None
    else:
        missing = column.is_null().to_numpy()
        values = pc.fill_null(column, 0).to_numpy()
        out_of_range = (values < 0) | (values > LATEST_TIMESTAMP)
        seconds = values.astype(np.int64, copy=False)
    required = f"{TIMESTAMP} must be seconds since 1970 (or positions 0, 1, 2, ...), at most {LATEST_TIMESTAMP:,}"
    hint = _range_hint(values[out_of_range])
    defects = [
        _Defect(f"without {TIMESTAMP}", missing, required),
        _Defect(f"with a {TIMESTAMP} that is negative or later than the year 2100{hint}", out_of_range, required),
    ]
    return seconds, subsecond_ns, defects


def _subseconds(column: pa.ChunkedArray) -> npt.NDArray[np.int32] | None:
    """Nanoseconds after the whole seconds; None where all are zero."""
    if not pa.types.is_integer(column.type):
        raise DataError(f"{SUBSECOND_NS} must be a column of whole numbers, but is of type {column.type}. Convert it.")
    values = pc.fill_null(column, 0).to_numpy()
    if len(values) and not (0 <= values.min() and values.max() < NANOSECONDS):
        raise DataError(
            f"{SUBSECOND_NS} must be from 0 to {NANOSECONDS - 1:,}, but goes from {values.min():,} to "
            f"{values.max():,}. It is what {TIMESTAMP} has after the whole second."
        )
    return values.astype(np.int32) if values.any() else None


def _range_hint(values: npt.NDArray[Any]) -> str:
    """What timestamps that are no credible seconds seem to be: a finer unit, dates far away, or placeholders."""
    if len(values) == 0:
        return ""
    typical = float(np.median(values))
    for unit, factor in _FINER_UNITS.items():
        if _EARLIEST_EXPLAINED * factor < typical <= LATEST_TIMESTAMP * factor:
            return f" (these look like {unit}: divide by {factor:,})"
    if typical < 0:
        return " (before 1970 is mostly a placeholder, such as -1 or 1900-01-01, for a time that is not known)"
    date = format_moment(int(min(float(values[0]), 2.0**62)))  # of the row that the message names
    return f" (as seconds, such a one is {date})" if "-" in date else ""


def _folds(column: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    text = column.cast(pa.string()) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None
    fold = None if text is None else pc.index_in(text, value_set=pa.array(FOLDS))
    if fold is None or fold.null_count:
        came = column.type if text is None else ", ".join(map(repr, pc.unique(text).to_pylist()[:6]))
        raise DataError(f"{FOLD} must be one of {', '.join(FOLDS)} in each row; it has {came}. Correct the column.")
    return fold.to_numpy().astype(np.int8)


def _describe(table: pa.Table, defects: list[_Defect]) -> str:
    """Each defect with its number of rows, the first of them, and what is required."""
    sentences = []
    shown = [name for name in (USER_ID, ITEM_ID, RATING, WEIGHT, TIMESTAMP) if name in table.column_names]
    for defect in defects:
        first = int(np.argmax(defect.rows))
        values = ", ".join(f"{name} {table.column(name)[first].as_py()!r}" for name in shown)
        sentences.append(
            f"{int(defect.rows.sum()):,} of {_rows(table.num_rows)} of the interactions come {defect.what}; the first "
            f"is row {first + 1:,}: {values}. {defect.required[0].upper()}{defect.required[1:]}."
        )
    return " ".join(sentences)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
