"""Moments that are written as text: numbers, dates in ISO 8601, or dates in one other order, by all values of a column.

How they are written is found out in a :class:`TextTimesScan`, which takes a column as a whole or in batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.readers.date_order import AmbiguousDatesError, DateForm, DateOrderScan, in_iso_order, warn_of_order
from recsys.data.readers.number_times import NumberTimes, NumberTimesScan
from recsys.data.readers.numbers import casts, first_uncastable
from recsys.errors import DataError

_NULL = pa.scalar(None, pa.string())


@dataclass(frozen=True, slots=True)
class TextTimes:
    """How the moments of a column are written as text.

    Args:
        number: int64 or float64 where all of them are such numbers; None where they are dates.
        numbers: how the numbers are meant.
        dates: the order of dates that are not in ISO 8601; None for others.
        first_other: row, from 0, and value of the first that is no number; None where all are.
    """

    number: pa.DataType | None = None
    numbers: NumberTimes = NumberTimes()
    dates: DateForm | None = None
    first_other: tuple[int, str] | None = None

    @property
    def type(self) -> pa.DataType:
        """The type that holds such moments."""
        return pa.timestamp("ns") if self.number is None else self.number


class TextTimesScan:
    """Finds out how the moments of a text column are written."""

    def __init__(self) -> None:
        self._number: pa.DataType = pa.int64()
        self._numbers = NumberTimesScan()
        self._order = DateOrderScan()
        self._has_numbers = False
        self._first_other: tuple[int, str] | None = None
        self._num_rows = 0

    def add(self, column: pa.ChunkedArray) -> None:
        """Take in the next values; empty text or null where a moment is missing."""
        text = present_text(column)
        number = next((type_ for type_ in (pa.int64(), pa.float64()) if casts(text, type_)), None)
        if number is None:
            if self._first_other is None:
                row = first_uncastable(text, pa.float64())
                assert row is not None, "the column was found to hold something else"
                self._first_other = (self._num_rows + row, text[row].as_py())
            self._order.add(pc.utf8_trim_whitespace(text))
        elif text.null_count < len(text):
            self._has_numbers = True
            if number == pa.float64():
                self._number = number
            self._numbers.add(text.cast(number))
        self._num_rows += len(text)

    def form(self, name: str, place: str, day_first: bool | None = None) -> TextTimes:
        """How they are written.

        Args:
            name: name of the column, for messages.
            place: the file that it is from, for messages.
            day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.

        Raises:
            DataError: the order of day and month cannot be told.

        Warns:
            DataWarning: that order is assumed.
        """
        if self._first_other is None:
            return TextTimes(self._number, self._numbers.form())
        try:
            # Numbers among them are in no order of dates.
            dates = None if self._has_numbers else self._order.form(day_first)
        except AmbiguousDatesError as error:
            raise DataError(
                f"{place}: column {name!r} holds dates of which nothing tells whether the day or the month comes "
                f"first, as in {error.example!r}. Set data.day_first=true or data.day_first=false."
            ) from error
        if dates is not None and dates.is_assumed:
            warn_of_order(name, dates.order)
        return TextTimes(dates=dates, first_other=self._first_other)


def present_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text with null where it is empty."""
    text = column.cast(pa.string())
    return pc.if_else(pc.equal(text, ""), _NULL, text)


def seconds_of_dates(
    column: pa.ChunkedArray, form: TextTimes, name: str, place: str, first_row: int = 0
) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
    """Moments of dates in text.

    Args:
        column: dates as ``form`` says, each with or without a time zone; null where they are missing.
        form: how the dates of the whole column are written.
        name: name of the column, for messages.
        place: the file that it is from, for messages.
        first_row: the number of rows before the column, for messages.

    Returns:
        Seconds since 1970, rounded down, int64; and nanoseconds after them, int32, or None where all are zero.

    Raises:
        DataError: a value is no date; the message gives the first with its row.
    """
    if form.dates is not None:
        column = in_iso_order(pc.utf8_trim_whitespace(column), form.dates)
    # Arrow takes no fractions for whole seconds and no mixture of texts with and without a zone.
    whole = pc.replace_substring_regex(column, r"[.,]\d+", "")
    zoned = pc.match_substring_regex(whole, r"\d\d:?\d\d.*(Z|[+-]\d\d(:?\d\d)?)$")
    zoned = pc.and_(zoned, pc.match_substring_regex(whole, r"[T ]"))
    parts = (
        (pc.if_else(zoned, whole, _NULL), pa.timestamp("s", "UTC")),
        (pc.if_else(zoned, _NULL, whole), pa.timestamp("s")),
    )
    bad = [position for part, kind in parts if (position := first_uncastable(part, kind)) is not None]
    if bad:
        row, value = first_row + min(bad), column[min(bad)].as_py()
        if form.dates is None and form.first_other is not None and form.first_other[0] > row:
            # The column begins with numbers: the first value that is not a number is the one to show.
            row, value = form.first_other
        raise DataError(
            f"{place}: column {name!r} must hold seconds since 1970 or dates, in ISO 8601 (2024-05-31T12:00:00Z) or "
            f"all in one other order (31.05.2024), but row {row + 1:,} has {value!r}. Correct the value, "
            "or leave it empty if it is unknown."
        )
    with_zone, without_zone = (part.cast(kind).cast(pa.int64()) for part, kind in parts)
    return pc.coalesce(with_zone, without_zone), _fractions(column)


def _fractions(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Nanoseconds of texts with a fraction of a second; None where all have none, or zeros."""
    digits = pc.struct_field(pc.extract_regex(column, r"[.,](?P<digits>\d+)"), "digits")
    nanoseconds = pc.utf8_rpad(pc.utf8_slice_codeunits(digits, 0, 9), 9, "0").cast(pa.int32())
    if not pc.any(pc.greater(nanoseconds, 0)).as_py():
        return None
    return pc.if_else(column.is_valid(), pc.fill_null(nanoseconds, 0), pa.scalar(None, pa.int32()))
