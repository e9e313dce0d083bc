"""What the columns of raw tables hold, in a line each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.column_values import plain_type
from recsys.data.columns import FOLD, ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset
from recsys.data.row_numbers import blocks
from recsys.data.times import NANOSECONDS, format_moment

#: What a column of the interactions is, by its name.
_ROLES = {
    USER_ID: "id",
    ITEM_ID: "id",
    RATING: "rating",
    WEIGHT: "weight",
    TIMESTAMP: "time",
    FOLD: "fold",
}

_MAX_EXAMPLE_CHARACTERS = 60

#: Bytes for each value that marks may take; a sorted copy of whole numbers takes eight.
_MARKS_PER_VALUE = 8


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column of a raw table.

    Args:
        table: "interactions", "users" or "items".
        name: of the column.
        kind: how it is understood: id, number, time, date, a feature kind, boolean or "no feature".
        num_values: distinct values; of lists and of text with a separator, those in all rows together; None where they
            are not counted.
        missing: share of the rows without a value.
        example: the first value; None where there is none.
    """

    table: str
    name: str
    kind: str
    num_values: int | None
    missing: float
    example: str | None


def summarize_columns(raw: RawDataset) -> tuple[ColumnSummary, ...]:
    """A summary of each column of each table, in their order."""
    return (*summarize_interactions(raw.interactions), *summarize_entities(raw))


def summarize_interactions(interactions: pa.Table) -> tuple[ColumnSummary, ...]:
    """A summary of each column of the interactions."""
    summaries = [
        _summary("interactions", name, kind_of_interaction_column(name), interactions[name])
        for name in interactions.column_names
        if name != SUBSECOND_NS  # a part of the time
    ]
    if SUBSECOND_NS in interactions.column_names:
        summaries = [_with_subseconds(summary, interactions) for summary in summaries]
    return tuple(summaries)


def kind_of_interaction_column(name: str) -> str:
    """How a column of the interactions is understood."""
    return _ROLES.get(name, "number")


def summarize_entities(raw: RawDataset) -> tuple[ColumnSummary, ...]:
    """A summary of each column of the users and items tables."""
    summaries = []
    for place, table, features in (("users", raw.users, raw.user_features), ("items", raw.items, raw.item_features)):
        declared = {feature.name: feature for feature in features}
        for name in table.column_names if table is not None else ():
            assert table is not None
            feature, column = declared.get(name), table[name]
            is_id = name in (USER_ID, ITEM_ID)
            separator = None if feature is None else feature.separator
            summaries.append(_summary(place, name, "id" if is_id else _kind(feature, column.type), column, separator))
    return tuple(summaries)


def _with_subseconds(summary: ColumnSummary, interactions: pa.Table) -> ColumnSummary:
    """The summary of the times with their parts of a second; any other one as it is."""
    seconds, nanoseconds = interactions[TIMESTAMP], interactions[SUBSECOND_NS]
    if summary.name != TIMESTAMP or summary.example is None or not pa.types.is_integer(seconds.type):
        return summary
    if not pc.any(pc.not_equal(nanoseconds, 0)).as_py():
        return summary
    moments = moments_of(seconds, nanoseconds).drop_null()
    example = with_fraction(summary.example, pc.drop_null(nanoseconds)[0].as_py())
    return replace(summary, num_values=_num_values(moments, None), example=example)


def moments_of(seconds: pa.ChunkedArray, nanoseconds: pa.ChunkedArray) -> pa.ChunkedArray:
    """Nanoseconds since 1970, null where a part is missing."""
    return pc.add(pc.multiply(seconds.cast(pa.int64()), NANOSECONDS), nanoseconds.cast(pa.int64()))


def with_fraction(seconds: str, nanoseconds: int) -> str:
    """A moment in words with its part of a second."""
    return f"{seconds}.{f'{nanoseconds:09}'.rstrip('0') or '0'}"


def _kind(feature: FeatureColumn | None, type_: pa.DataType) -> str:
    if feature is None:
        return "no feature"
    if feature.kind is FeatureKind.NUMBER and pa.types.is_temporal(type_):
        return "date"
    if feature.kind is FeatureKind.CATEGORICAL and pa.types.is_boolean(type_):
        return "boolean"
    return feature.kind.value.replace("_", "-")


def _summary(table: str, name: str, kind: str, column: pa.ChunkedArray, separator: str | None = None) -> ColumnSummary:
    present, rows = present_values(column), len(column)
    return ColumnSummary(
        table,
        name,
        kind,
        _num_values(present, separator),
        1 - len(present) / rows if rows else 0.0,
        example_text(kind, present[0].as_py()) if len(present) else None,
    )


def present_values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values of a column that are not missing: neither null nor NaN nor empty text."""
    type_ = plain_type(column.type)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        column = _without_empty(column)
    elif pa.types.is_floating(type_) and pc.any(pc.is_nan(column)).as_py():
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, type_), column)
    return column.drop_null() if column.null_count else column  # which would copy all of them


def _without_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Empty text as null; of a dictionary, the work is done once for each entry."""
    if not pa.types.is_dictionary(column.type):
        empty = pc.equal(column, "")
        return pc.if_else(empty, pa.scalar(None, column.type), column) if pc.any(empty).as_py() else column
    chunks = []
    for chunk in column.chunks:
        kept = pc.if_else(pc.equal(chunk.dictionary, ""), pa.scalar(None, chunk.dictionary.type), chunk.dictionary)
        if kept.null_count == chunk.dictionary.null_count:
            chunks.append(chunk)
        else:
            empty = pc.is_null(kept.take(chunk.indices))
            indices = pc.if_else(empty, pa.scalar(None, chunk.indices.type), chunk.indices)
            chunks.append(pa.DictionaryArray.from_arrays(indices, chunk.dictionary))
    return pa.chunked_array(chunks, column.type)


def _num_values(present: pa.ChunkedArray, separator: str | None) -> int | None:
    type_ = present.type
    if pa.types.is_dictionary(type_):
        return len(pc.unique(present.unify_dictionaries()))
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        values = pc.list_flatten(present)
        return _num_values(values.drop_null(), None)
    if pa.types.is_nested(type_):
        return None
    if pa.types.is_null(type_):
        return 0
    if separator is not None:
        present = pc.utf8_trim_whitespace(pc.list_flatten(pc.split_pattern(present, separator)))
    if pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return _num_numbers(_without_copy(present))
    return int(pc.count_distinct(present).as_py())


def _without_copy(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[Any]:
    """The numbers of a column without nulls; one in one piece shares its memory."""
    if isinstance(column, pa.ChunkedArray) and column.num_chunks == 1:
        column = column.chunk(0)
    return np.asarray(column)


def _num_numbers(values: npt.NDArray[Any]) -> int:
    """How many different numbers there are.

    Where the range of whole numbers is small compared with how many there are, a mark for each number of the range
    takes less memory than a sorted copy. Sorting takes a tenth of the time of hashing where many millions differ.
    """
    if len(values) == 0:
        return 0
    if values.dtype.kind in "iu":
        low, span = int(values.min()), int(values.max()) - int(values.min())
        if span < _MARKS_PER_VALUE * len(values):
            found = np.zeros(span + 1, dtype=np.bool_)
            # A difference may not fit the type of the values.
            wide = np.int64 if values.dtype.kind == "i" else np.uint64
            for rows in blocks(len(values)):
                found[(values[rows].astype(wide) - wide(low)).astype(np.int64)] = True
            return int(found.sum())
    ordered = np.sort(values)
    return int((ordered[1:] != ordered[:-1]).sum()) + 1


def example_text(kind: str, value: object) -> str:
    """A value in words, as an example of a column of that kind."""
    if isinstance(value, bool):
        return str(value).lower()
    if kind == _ROLES[TIMESTAMP] and isinstance(value, int | float):
        return format_moment(int(value)) if abs(value) < 2**62 else str(value)
    if isinstance(value, float):
        return f"{value:g}"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _MAX_EXAMPLE_CHARACTERS else f"{text[: _MAX_EXAMPLE_CHARACTERS - 1]}…"
