"""Timestamp columns in their usual forms: numbers in several units, dates, text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.readers.number_times import NumberTimes, NumberTimesScan, seconds_of_written_dates
from recsys.data.readers.numbers import as_numbers
from recsys.data.readers.text_times import TextTimes, TextTimesScan, present_text, seconds_of_dates
from recsys.data.times import NANOSECONDS, split_seconds


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
        numbers: how its moments are written, if the column is of numbers.
        text: the same, if it is of text.
        first_row: the number of rows before the batch.
    """

    numbers: NumberTimes = NumberTimes()
    text: TextTimes = TextTimes()
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
        whole: what is known of the whole column, where ``column`` is a batch of it; None where it is the whole.

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
        return _from_text(column, name, place, day_first, whole)
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


def _from_text(
    column: pa.ChunkedArray, name: str, place: str, day_first: bool | None, whole: WholeColumn | None
) -> Times:
    """Numbers where all values are such, else dates in another order where all are, else ISO 8601."""
    if whole is None:
        scan = TextTimesScan()
        scan.add(column)
        whole = WholeColumn(text=scan.form(name, place, day_first))
    form, text = whole.text, present_text(column)
    if form.number is not None:
        numbers = WholeColumn(form.numbers, first_row=whole.first_row)
        return _from_numbers(text.cast(form.number), name, place, numbers)
    seconds, subsecond_ns = seconds_of_dates(text, form, name, place, whole.first_row)
    return Times(seconds, subsecond_ns, None if form.dates is None else form.dates.order)
