"""Timestamp columns in their usual forms: numbers in several units, dates, text."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.readers.date_order import AmbiguousDatesError, ordered_dates, warn_of_order
from recsys.data.readers.number_times import NumberTimes, NumberTimesScan, seconds_of_written_dates
from recsys.data.readers.numbers import as_numbers, first_uncastable
from recsys.data.times import NANOSECONDS, split_seconds
from recsys.errors import DataError


@dataclass(frozen=True, slots=True)
class Times:
    """A column of moments.

    Args:
        seconds: seconds since 1970, rounded down, null where they are missing; int64, or float64 where a number is
            too large for that.
        subsecond_ns: nanoseconds after the whole second, int32; None where all moments are whole seconds.
        order: of day, month and year in dates that are not in ISO 8601, in words; None for others.
    """

    seconds: pa.ChunkedArray
    subsecond_ns: pa.ChunkedArray | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class WholeColumn:
    """What is known of a column of which a batch is read.

    Args:
        numbers: how its moments are written, if they are numbers.
        first_row: the number of rows before the batch.
    """

    numbers: NumberTimes
    first_row: int = 0


def as_times(
    column: pa.ChunkedArray,
    name: str,
    place: str,
    day_first: bool | None = None,
    whole: WholeColumn | None = None,
) -> Times:
    """A timestamp column in its finest unit.

    - Numbers are seconds (or any clock that counts up). Where their median is above 1e11 they are milliseconds, above
      1e14 microseconds, above 1e17 nanoseconds. The median decides for the whole column, so that a single absurd
      value does not change what the others mean. Numbers that are all written dates (``20240531``,
      ``202405311200``, ``20240531120000``) are dates.
    - Arrow dates and timestamps are converted; without a time zone they are UTC.
    - Text holds numbers, or dates in ISO 8601 such as ``2024-05-31``, ``2024-05-31 12:00:00`` or
      ``2024-05-31T12:00:00.5+02:00``; without a time zone they are UTC. Dates in another order, such as
      ``31.12.2024 17:00``, are read by :func:`recsys.data.readers.date_order.ordered_dates`.

    Args:
        column: the timestamps.
        name: name of the column, for messages.
        place: the file that it is from, for messages.
        day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.
        whole: what is known of the whole column, where ``column`` is a batch of it and no text; None where it
            is the whole.

    Raises:
        DataError: a value is no timestamp; the message gives the first with its row. Or the order of day and month
            cannot be told.

    Warns:
        DataWarning: that order is assumed.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, kind), column)
        for number in (pa.int64(), pa.float64()):
            if first_uncastable(column, number) is None:
                return _from_numbers(column.cast(number), name, place, None)
        return _from_any_text(column.cast(pa.string()), name, place, day_first)
    if pa.types.is_timestamp(kind):
        return _divided(column.cast(pa.int64()), {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit])
    if pa.types.is_date(kind):
        return Times(column.cast(pa.timestamp("s")).cast(pa.int64()))
    if pa.types.is_integer(kind):
        return _from_numbers(column.cast(pa.int64()), name, place, whole)
    return _from_numbers(as_numbers(column, name, place, pa.float64()), name, place, whole)


def as_seconds(column: pa.ChunkedArray, name: str, place: str) -> pa.ChunkedArray:
    """The whole seconds of :func:`as_times`, which has the same arguments and errors."""
    return as_times(column, name, place).seconds


def _from_numbers(column: pa.ChunkedArray, name: str, place: str, whole: WholeColumn | None) -> Times:
    """Moments from numbers: written dates, or in the unit that their median suggests."""
    if whole is None:
        scan = NumberTimesScan()
        scan.add(column)
        whole = WholeColumn(scan.form())
    numbers = whole.numbers
    if numbers.written is not None:
        return Times(seconds_of_written_dates(column, numbers.written, name, place, whole.first_row))
    return _divided(column, numbers.per_second, numbers.largest)


def _divided(column: pa.ChunkedArray, per_second: int, largest: float = 0.0) -> Times:
    """Moments from numbers of which ``per_second`` make a second."""
    missing = column.is_null().to_numpy()
    if pa.types.is_floating(column.type):
        return _from_floats(pc.fill_null(column, np.nan).to_numpy(), per_second, largest)
    if per_second == 1:
        return Times(column)
    values = pc.fill_null(column, 0).to_numpy()
    # Arrow divides towards zero, which would move moments before 1970 forward.
    seconds = np.floor_divide(values, per_second)
    return _times(seconds, (values - seconds * per_second) * (NANOSECONDS // per_second), missing)


def _from_floats(values: npt.NDArray[np.float64], per_second: int, largest: float) -> Times:
    missing = np.isnan(values)
    known = np.where(missing, 0, values)
    if largest / per_second > 2**62:
        return Times(pa.chunked_array([pa.array(np.floor(known / per_second), mask=missing)]))
    seconds, nanoseconds = split_seconds(known, per_second, largest)
    return _times(seconds.astype(np.int64), nanoseconds, missing)


def _times(
    seconds: npt.NDArray[np.int64], nanoseconds: npt.NDArray[np.integer], missing: npt.NDArray[np.bool_]
) -> Times:
    whole = pa.chunked_array([pa.array(seconds, mask=missing)])
    if not nanoseconds[~missing].any():
        return Times(whole)
    return Times(whole, pa.chunked_array([pa.array(nanoseconds.astype(np.int32), mask=missing)]))


def _from_any_text(column: pa.ChunkedArray, name: str, place: str, day_first: bool | None) -> Times:
    """Dates in another order where all values are such, else ISO 8601."""
    try:
        ordered = ordered_dates(pc.utf8_trim_whitespace(column), day_first)
    except AmbiguousDatesError as error:
        raise DataError(
            f"{place}: column {name!r} holds dates of which nothing tells whether the day or the month comes first, as "
            f"in {error.example!r}. Set data.day_first=true or data.day_first=false."
        ) from error
    if ordered is None:
        return _from_text(column, name, place)
    if ordered.is_assumed:
        warn_of_order(name, ordered.order)
    return replace(_from_text(ordered.text, name, place), order=ordered.order)


def _from_text(column: pa.ChunkedArray, name: str, place: str) -> Times:
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
            f"{place}: column {name!r} must hold seconds since 1970 or dates, in ISO 8601 (2024-05-31T12:00:00Z) or "
            f"all in one other order (31.05.2024), but row {row + 1:,} has {column[row].as_py()!r}. Correct the value, "
            "or leave it empty if it is unknown."
        )
    with_zone, without_zone = (part.cast(kind).cast(pa.int64()) for part, kind in parts)
    return Times(pc.coalesce(with_zone, without_zone), _fractions(column))


def _fractions(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Nanoseconds of texts with a fraction of a second; None where all have none, or zeros."""
    digits = pc.struct_field(pc.extract_regex(column, r"[.,](?P<digits>\d+)"), "digits")
    nanoseconds = pc.utf8_rpad(pc.utf8_slice_codeunits(digits, 0, 9), 9, "0").cast(pa.int32())
    if not pc.any(pc.greater(nanoseconds, 0)).as_py():
        return None
    return pc.if_else(column.is_valid(), pc.fill_null(nanoseconds, 0), pa.scalar(None, pa.int32()))
