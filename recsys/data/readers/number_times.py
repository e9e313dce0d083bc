"""Moments that are written as numbers: in which unit, or as dates such as 20240531, by all numbers of a column.

How they are written is found out in a :class:`NumberTimesScan`, which takes a column as a whole or in batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError

#: The median above which numbers are in a finer unit than seconds, and how many of that unit make a second. 1e11
#: seconds after 1970 is the year 5138; 1e11 milliseconds after 1970 is March 1973.
_FINER_UNITS = ((1e17, 10**9), (1e14, 10**6), (1e11, 10**3))


@dataclass(frozen=True, slots=True)
class WrittenDates:
    """Numbers that are dates as they are written, such as 20240531.

    Args:
        form: how they are called.
        divisor: by what to divide them to get year, month and day.
    """

    form: str
    divisor: int


#: As seconds since 1970 the shortest would be days in August 1970.
_WRITTEN = (WrittenDates("YYYYMMDD", 1), WrittenDates("YYYYMMDDhhmm", 10**4), WrittenDates("YYYYMMDDhhmmss", 10**6))
_YEARS = (1900, 2100)
#: Above this share of written dates the other values are taken for mistakes.
_MOSTLY = 0.9


@dataclass(frozen=True, slots=True)
class NumberTimes:
    """How the moments of a column are written as numbers.

    Args:
        per_second: how many of their unit make a second.
        written: the form of dates as they are written; None for a unit.
        largest: the largest of the absolute values.
    """

    per_second: int = 1
    written: WrittenDates | None = None
    largest: float = 0.0


class NumberTimesScan:
    """Finds out how the moments of a column are written.

    The median decides for the whole column, so that a single absurd value does not change what the others mean: the
    lower one of the two in the middle, where there are two. Only numbers below and above some bounds are counted.
    """

    def __init__(self) -> None:
        self._num_present = 0
        self._num_up_to = dict.fromkeys((bound for bound, _ in _FINER_UNITS), 0)
        self._num_below = {year * 10**4 * dates.divisor: 0 for dates in _WRITTEN for year in _bounds()}
        self._num_dates = dict.fromkeys(_WRITTEN, 0)
        self._largest = 0.0

    def add(self, column: pa.ChunkedArray) -> None:
        """Take in the next numbers, int64 or float64; null where a moment is missing, as is NaN."""
        values = column.drop_null().to_numpy()
        if np.issubdtype(values.dtype, np.floating):
            values = values[~np.isnan(values)]
        if len(values) == 0:
            return
        self._num_present += len(values)
        lowest, highest = values.min(), values.max()
        self._largest = max(self._largest, abs(float(lowest)), abs(float(highest)))
        for bound in self._num_up_to:
            self._num_up_to[bound] += len(values) if highest <= bound else int((values <= bound).sum())
        for bound in self._num_below:
            self._num_below[bound] += 0 if lowest >= bound else int((values < bound).sum())
        for dates in _WRITTEN:
            first, last = (year * 10**4 * dates.divisor for year in _bounds())
            if lowest < last and highest >= first:
                self._num_dates[dates] += int(_seconds_of_dates(values, dates)[1].sum())

    def form(self) -> NumberTimes:
        """How they are written."""
        middle = (self._num_present - 1) // 2  # so many come before the median
        for dates in _WRITTEN:
            first, last = (self._num_below[year * 10**4 * dates.divisor] for year in _bounds())
            num_wrong = self._num_present - self._num_dates[dates]
            if first <= middle < last and num_wrong <= (1 - _MOSTLY) * self._num_present:
                return NumberTimes(1, dates, self._largest)
        finer = (per_second for bound, per_second in _FINER_UNITS if self._num_up_to[bound] <= middle)
        return NumberTimes(next(finer, 1) if self._num_present else 1, None, self._largest)


def seconds_of_written_dates(
    column: pa.ChunkedArray, dates: WrittenDates, name: str, place: str, first_row: int = 0
) -> pa.ChunkedArray:
    """Seconds since 1970 of dates as they are written, null where they are missing.

    Args:
        column: int64 or float64.
        dates: their form.
        name: name of the column, for messages.
        place: the file that it is from, for messages.
        first_row: the number of rows before it, for messages.

    Raises:
        DataError: one is no date.
    """
    present = column.is_valid().to_numpy()
    seconds, is_date = _seconds_of_dates(pc.fill_null(column, 0).to_numpy(), dates)
    wrong = present & ~is_date
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{place}: column {name!r} holds dates written as {dates.form}, but row {first_row + row + 1:,} has "
            f"{column[row].as_py()!r}, which is no date. Correct the value, or leave it empty if it is unknown."
        )
    return pa.chunked_array([pa.array(seconds, mask=~present)])


def _seconds_of_dates(
    values: npt.NDArray[np.number], dates: WrittenDates
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Seconds since 1970 of written dates, and which of the values are some; shape [N] both."""
    whole = np.where(np.isfinite(values) & (np.abs(values) < 2**62), values, 0).astype(np.int64)
    day, is_date = _day_of(whole // dates.divisor)
    clock = whole % dates.divisor * (10**6 // dates.divisor)  # hhmmss
    hour, minute, second = clock // 10**4, clock // 100 % 100, clock % 100
    is_date &= (whole == values) & (hour < 24) & (minute < 60) & (second < 60)
    return day * 86_400 + hour * 3_600 + minute * 60 + second, is_date


def _day_of(written: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Days since 1970 of dates written as YYYYMMDD, and which of them are dates; shape [N] both."""
    year, month, day = written // 10**4, written // 100 % 100, written % 100
    is_date = (year >= _YEARS[0]) & (year <= _YEARS[1]) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(is_date, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + np.where(is_date, day - 1, 0)
    is_date &= days < (months + 1).astype("datetime64[D]").astype(np.int64)
    return days, is_date


def _bounds() -> tuple[int, int]:
    """The first year of dates, and the first one after them."""
    return _YEARS[0], _YEARS[1] + 1
