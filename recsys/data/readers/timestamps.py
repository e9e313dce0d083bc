"""Timestamp columns in their usual forms: numbers in several units, dates, text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.readers.numbers import as_numbers, first_uncastable
from recsys.errors import DataError

#: The median above which numbers are in a finer unit than seconds, and how many of that unit make a second. 1e11
#: seconds after 1970 is the year 5138; 1e11 milliseconds after 1970 is March 1973.
_FINER_UNITS = ((1e17, 10**9), (1e14, 10**6), (1e11, 10**3))


def as_seconds(column: pa.ChunkedArray, name: str, place: str) -> pa.ChunkedArray:
    """A timestamp column in seconds since 1970, rounded down.

    - Numbers are seconds (or any clock that counts up). Where their median is above 1e11 they are milliseconds, above
      1e14 microseconds, above 1e17 nanoseconds. The median decides for the whole column, so that a single absurd
      value does not change what the others mean.
    - Arrow dates and timestamps are converted; without a time zone they are UTC.
    - Text holds numbers, or dates in ISO 8601 such as ``2024-05-31``, ``2024-05-31 12:00:00`` or
      ``2024-05-31T12:00:00.5+02:00``; without a time zone they are UTC.

    Missing values stay null. The result is int64; it is float64 only where a number is infinite, which int64 could
    not show.

    Args:
        column: the timestamps.
        name: name of the column, for messages.
        place: the file that it is from, for messages.

    Raises:
        DataError: a value is no timestamp; the message gives the first with its row.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, kind), column)
        for number in (pa.int64(), pa.float64()):
            if first_uncastable(column, number) is None:
                return _from_numbers(column.cast(number))
        return _from_text(column.cast(pa.string()), name, place)
    if pa.types.is_timestamp(kind):
        return _floor_divide(column.cast(pa.int64()), {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit])
    if pa.types.is_date(kind):
        return column.cast(pa.timestamp("s")).cast(pa.int64())
    if pa.types.is_integer(kind):
        return _from_numbers(column.cast(pa.int64()))
    return _from_numbers(as_numbers(column, name, place, pa.float64()))


def _from_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Seconds from numbers in the unit that their median suggests."""
    middle = pc.approximate_median(column).as_py() if len(column) > column.null_count else None
    factor = next((factor for bound, factor in _FINER_UNITS if middle is not None and middle > bound), 1)
    return _floor_divide(column, factor)


def _floor_divide(column: pa.ChunkedArray, divisor: int) -> pa.ChunkedArray:
    if pa.types.is_floating(column.type):
        seconds = pc.floor(pc.divide(column, float(divisor)))
        seconds = pc.if_else(pc.is_nan(seconds), pa.scalar(None, pa.float64()), seconds)
        largest = pc.max(pc.abs(seconds)).as_py()
        return seconds if largest is not None and largest > 2**62 else seconds.cast(pa.int64())
    if divisor == 1:
        return column
    # Arrow divides towards zero, which would move moments before 1970 forward.
    values = pc.fill_null(column, 0).to_numpy()
    return pa.chunked_array([pa.array(np.floor_divide(values, divisor), mask=column.is_null().to_numpy())])


def _from_text(column: pa.ChunkedArray, name: str, place: str) -> pa.ChunkedArray:
    """ISO 8601, each value with or without a time zone."""
    # Arrow takes no fractions for whole seconds and no mixture of texts with and without a zone.
    whole = pc.replace_substring_regex(column, r"[.,]\d+", "")
    zoned = pc.match_substring_regex(whole, r"\d\d:?\d\d.*(Z|[+-]\d\d(:?\d\d)?)$")
    zoned = pc.and_(zoned, pc.match_substring_regex(whole, r"[T ]"))
    null = pa.scalar(None, pa.string())
    parts = (
        (pc.if_else(zoned, whole, null), pa.timestamp("s", "UTC")),
        (pc.if_else(zoned, null, whole), pa.timestamp("s")),
    )
    bad = [position for part, kind in parts if (position := first_uncastable(part, kind)) is not None]
    if bad:
        # If the column begins with numbers, the first value that is not a number is the one to show.
        row = max(min(bad), first_uncastable(column, pa.float64()) or 0)
        raise DataError(
            f"{place}: column {name!r} must hold seconds since 1970 or dates in ISO 8601 (2024-05-31T12:00:00Z), but "
            f"row {row + 1:,} has {column[row].as_py()!r}. Correct the value, or leave it empty if it is unknown."
        )
    with_zone, without_zone = (part.cast(kind).cast(pa.int64()) for part, kind in parts)
    return pc.coalesce(with_zone, without_zone)
