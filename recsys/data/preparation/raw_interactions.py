"""The raw interactions table as arrays: ids become indices, ratings and timestamps become checked numbers.

The work is done on the dictionaries of the id columns and on whole columns, so that 25 million rows never become
Python strings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import FOLD, FOLDS, ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.interactions import IndexArray, Interactions
from recsys.data.preparation.invalid_rows import LATEST_TIMESTAMP, Defect, InvalidRowReport, InvalidRows
from recsys.data.schema import AppliedRule
from recsys.data.times import NANOSECONDS, split_seconds
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError


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
class CheckedValues:
    """The columns of N raw interactions beside their ids, as arrays; None for a column that is not there.

    Args:
        rating: shape [N], float32.
        timestamp: seconds, shape [N], int64.
        subsecond_ns: nanoseconds after them, shape [N], int32; None where all are zero.
        weight: shape [N], float32.
        fold: position in :data:`recsys.data.columns.FOLDS`, shape [N], int8.
        defects: the rows in which a value is invalid.
    """

    rating: npt.NDArray[np.float32] | None = None
    timestamp: npt.NDArray[np.int64] | None = None
    subsecond_ns: npt.NDArray[np.int32] | None = None
    weight: npt.NDArray[np.float32] | None = None
    fold: npt.NDArray[np.int8] | None = None
    defects: tuple[Defect, ...] = ()


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
    check_columns(table)
    users, user_index = _code_ids(table.column(USER_ID), USER_ID)
    items, item_index = _code_ids(table.column(ITEM_ID), ITEM_ID)
    values = checked_values(table)
    report = InvalidRowReport()
    invalid = report.add(
        table, [*missing_ids(USER_ID, user_index < 0), *missing_ids(ITEM_ID, item_index < 0), *values.defects]
    )
    rule = report.rule(invalid_rows)
    interactions = Interactions(
        user_index,
        item_index,
        values.rating,
        values.timestamp,
        values.fold,
        len(users),
        len(items),
        values.weight,
        values.subsecond_ns,
    )
    valid = interactions if invalid is None else interactions.take(np.flatnonzero(~invalid))
    return CodedInteractions(valid, users, items, rule)


def check_columns(table: pa.Table) -> None:
    """Check that the required columns are there, once each.

    Raises:
        DataError: they are not.
    """
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


def missing_ids(column: str, rows: npt.NDArray[np.bool_]) -> list[Defect]:
    """The defect of rows whose id is missing."""
    return [Defect(f"without {column}", rows, f"{column} must be a string that is not empty")]


def checked_values(table: pa.Table, largest_time: float | None = None) -> CheckedValues:
    """The columns beside the ids as arrays, and the rows in which they are invalid.

    Args:
        table: N rows as :func:`code_interactions` takes them, or a batch of them.
        largest_time: the largest credible timestamp of all batches, of which times that are no whole numbers get their
            precision; None where ``table`` is the whole.

    Raises:
        DataError: a column is of another type.
    """
    names, defects = table.column_names, []
    found = CheckedValues()
    if RATING in names:
        rating, defect = _finite(table.column(RATING), RATING)
        found = replace(found, rating=rating)
        defects.append(defect)
    if WEIGHT in names:
        weight, defect = _finite(table.column(WEIGHT), WEIGHT)
        found = replace(found, weight=weight)
        defects.append(defect)
    if TIMESTAMP in names:
        timestamp, subsecond_ns, more = _timestamps(table.column(TIMESTAMP), largest_time)
        defects.extend(more)
        if SUBSECOND_NS in names:
            subsecond_ns = _subseconds(table.column(SUBSECOND_NS))
        found = replace(found, timestamp=timestamp, subsecond_ns=subsecond_ns)
    if FOLD in names:
        found = replace(found, fold=_folds(table.column(FOLD)))
    return replace(found, defects=tuple(defects))


def largest_fractional_time(column: pa.ChunkedArray) -> float | None:
    """The largest credible timestamp of a column that does not hold whole numbers; None for one that does."""
    if not _is_number(column.type) or pa.types.is_integer(column.type):
        return None
    values = _numpy(column.cast(pa.float64(), safe=False), np.nan)
    return float(np.where((values >= 0) & (values <= LATEST_TIMESTAMP), values, 1.0).max(initial=0.0))


def check_id_type(column: pa.ChunkedArray, name: str) -> None:
    """Check that an id column holds strings, perhaps in a dictionary.

    Raises:
        DataError: it does not.
    """
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return
    raise DataError(
        f"{name} must be a column of strings, but is of type {column.type}. Ids are text: convert the column where it "
        "is read, so that leading zeros stay."
    )


def _code_ids(column: pa.ChunkedArray, name: str) -> tuple[Vocabulary, IndexArray]:
    """The vocabulary of an id column and the index of each row (shape [N], int32; -1 where the id is missing)."""
    check_id_type(column, name)
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    array = column.unify_dictionaries().combine_chunks()
    dictionary = array.dictionary.cast(pa.string())
    vocabulary = Vocabulary.from_ids(dictionary.filter(pc.not_equal(dictionary, "")), name)
    # One more entry than the dictionary has, for the rows that are null.
    index_of_code = np.append(vocabulary.index_of(dictionary), np.int32(-1))
    codes = array.indices.cast(pa.int32())
    if codes.null_count:
        codes = codes.fill_null(len(dictionary))
    return vocabulary, index_of_code[codes.to_numpy()]


def _numpy(column: pa.ChunkedArray, missing: float) -> npt.NDArray[Any]:
    """The numbers of a column, ``missing`` for nulls; without nulls and in one piece they share its memory."""
    filled = pc.fill_null(column, missing) if column.null_count else column
    return filled.chunk(0).to_numpy() if filled.num_chunks == 1 else filled.to_numpy()


def _is_number(type_: pa.DataType) -> bool:
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
    return any(is_kind(type_) for is_kind in kinds)


def _finite(column: pa.ChunkedArray, name: str) -> tuple[npt.NDArray[np.float32], Defect]:
    """Ratings or weights, and the rows in which they are no finite numbers."""
    if not _is_number(column.type):
        raise DataError(
            f"{name} must be a column of numbers, but is of type {column.type}. Convert it where it is read, or "
            f"leave it out if it holds no {name}s."
        )
    # A number that is too large for 32 bits becomes infinite, and therefore invalid.
    values = _numpy(column.cast(pa.float32(), safe=False), np.nan)
    return values, Defect(f"without a finite {name}", ~np.isfinite(values), f"{name} must be a finite number")


def _timestamps(
    column: pa.ChunkedArray, largest: float | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32] | None, list[Defect]]:
    """Whole seconds, the nanoseconds after them where any are given, and the rows without a credible time."""
    if not _is_number(column.type):
        raise DataError(
            f"{TIMESTAMP} must be a column of seconds since 1970, but is of type {column.type}. Convert it where it is "
            "read, or leave it out."
        )
    subsecond_ns = None
    if not pa.types.is_integer(column.type):
        column = column.cast(pa.float64(), safe=False)
        values = _numpy(column, np.nan)
        missing = np.isnan(values)
        out_of_range = ~missing & ~((values >= 0) & (values <= LATEST_TIMESTAMP))
        whole, nanoseconds = split_seconds(np.where(missing | out_of_range, -1, values), largest=largest)
        seconds = whole.astype(np.int64)
        subsecond_ns = nanoseconds if nanoseconds.any() else None
    else:
        missing = column.is_null().to_numpy()
        values = _numpy(column, 0)
        out_of_range = (values < 0) | (values > LATEST_TIMESTAMP)
        seconds = values.astype(np.int64, copy=False)
    required = f"{TIMESTAMP} must be seconds since 1970 (or positions 0, 1, 2, ...), at most {LATEST_TIMESTAMP:,}"
    defects = [
        Defect(f"without {TIMESTAMP}", missing, required),
        Defect(
            f"with a {TIMESTAMP} that is negative or later than the year 2100",
            out_of_range,
            required,
            values[out_of_range],
        ),
    ]
    return seconds, subsecond_ns, defects


def _subseconds(column: pa.ChunkedArray) -> npt.NDArray[np.int32] | None:
    """Nanoseconds after the whole seconds; None where all are zero."""
    if not pa.types.is_integer(column.type):
        raise DataError(f"{SUBSECOND_NS} must be a column of whole numbers, but is of type {column.type}. Convert it.")
    values = _numpy(column, 0)
    if len(values) and not (0 <= values.min() and values.max() < NANOSECONDS):
        raise DataError(
            f"{SUBSECOND_NS} must be from 0 to {NANOSECONDS - 1:,}, but goes from {values.min():,} to "
            f"{values.max():,}. It is what {TIMESTAMP} has after the whole second."
        )
    return values.astype(np.int32) if values.any() else None


def _folds(column: pa.ChunkedArray) -> npt.NDArray[np.int8]:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    text = column.cast(pa.string()) if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None
    fold = None if text is None else pc.index_in(text, value_set=pa.array(FOLDS))
    if fold is None or fold.null_count:
        came = column.type if text is None else ", ".join(map(repr, pc.unique(text).to_pylist()[:6]))
        raise DataError(f"{FOLD} must be one of {', '.join(FOLDS)} in each row; it has {came}. Correct the column.")
    return fold.to_numpy().astype(np.int8)
