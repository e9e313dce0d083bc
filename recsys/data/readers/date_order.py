"""Dates in text that are not written in the order of ISO 8601: 31/12/2024, 31.12.2024, 12-31-2024, 2024/12/31."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataWarning

#: A date of numbers between slashes, dots or dashes, and perhaps a time of the day.
_FORM = (
    r"^(?P<a>\d{1,4})(?P<mark>[./-])(?P<b>\d{1,2})(?P<again>[./-])(?P<c>\d{1,4})"
    r"(?:[T ,]+(?P<time>\d{1,2}:\d\d(?::\d\d(?:\.\d{1,6})?)?))?$"
)

DAY_FIRST, MONTH_FIRST, YEAR_FIRST = "the day first", "the month first", "the year first"


@dataclass(frozen=True, slots=True)
class OrderedDates:
    """Dates of a column as ISO 8601.

    Args:
        text: such as ``2024-12-31`` or ``2024-12-31 17:00``; null where it is missing.
        order: of day, month and year, in words.
        is_assumed: whether the dates themselves do not tell the order, so that it is only what is usual.
    """

    text: pa.ChunkedArray
    order: str
    is_assumed: bool


class AmbiguousDatesError(Exception):
    """The order of day and month cannot be told; ``example`` is a value."""

    def __init__(self, example: str) -> None:
        super().__init__(example)
        self.example = example


def ordered_dates(column: pa.ChunkedArray, day_first: bool | None = None) -> OrderedDates | None:
    """A column of dates in another order than that of ISO 8601, in that order.

    The day comes first where a first number is above 12, the month where a second one is; with dots between the
    numbers, as in 03.04.2024, the day comes first unless something speaks against it.

    Args:
        column: of text without white space around it; null where a value is missing.
        day_first: whether the day comes before the month; None to find out.

    Returns:
        The dates, which may still be none, such as 2021-02-30; or None where a value is of another form, or no order
        fits all of them.

    Raises:
        AmbiguousDatesError: nothing tells the order.
    """
    present = column.drop_null()
    if len(present) == 0 or not pc.all(pc.match_substring_regex(present, _FORM)).as_py():
        return None
    parts = pc.extract_regex(column.combine_chunks(), _FORM)
    first, mark, second, again, last, time = (
        pc.struct_field(parts, name) for name in ("a", "mark", "b", "again", "c", "time")
    )
    marks = pc.unique(pa.chunked_array([mark.drop_null(), again.drop_null()]))
    if len(marks) != 1:
        return None
    if _has_width(first, 4) and _is_short(last):
        if marks[0].as_py() == "-" and _has_width(second, 2) and _has_width(last, 2):
            return None  # as ISO 8601 has it
        return OrderedDates(_joined(first, second, last, time), YEAR_FIRST, is_assumed=False)
    if not (_has_width(last, 4) and _is_short(first)):
        return None
    order, is_assumed = _order(first, second, marks[0].as_py(), day_first, present[0].as_py())
    if order is None:
        return None
    month, day = (second, first) if order == DAY_FIRST else (first, second)
    return OrderedDates(_joined(last, month, day, time), order, is_assumed)


def warn_of_order(name: str, order: str) -> None:
    """Warn that the order of day and month in a column is only what is usual."""
    warnings.warn(
        f"{name} holds dates that do not tell whether the day or the month comes first; they are read with {order}, as "
        "is usual with dots. Say which it is with data.day_first=true or data.day_first=false.",
        DataWarning,
        stacklevel=2,
    )


def _order(
    first: pa.Array, second: pa.Array, mark: str, day_first: bool | None, example: str
) -> tuple[str | None, bool]:
    """Whether the day or the month comes first, None where neither can; and whether that is only assumed."""
    first_is_day, second_is_day = (pc.max(part.cast(pa.int64())).as_py() > 12 for part in (first, second))
    if (first_is_day and second_is_day) or (second_is_day and day_first) or (first_is_day and day_first is False):
        return None, False
    if day_first is not None:
        return (DAY_FIRST if day_first else MONTH_FIRST), False
    if first_is_day or second_is_day:
        return (DAY_FIRST if first_is_day else MONTH_FIRST), False
    if mark == ".":
        return DAY_FIRST, True
    raise AmbiguousDatesError(example)


def _has_width(part: pa.Array, width: int) -> bool:
    return bool(pc.all(pc.equal(pc.utf8_length(part), width)).as_py())


def _is_short(part: pa.Array) -> bool:
    return bool(pc.max(pc.utf8_length(part)).as_py() <= 2)


def _joined(year: pa.Array, month: pa.Array, day: pa.Array, time: pa.Array) -> pa.ChunkedArray:
    """Text in the order of ISO 8601; null where the date is."""
    month, day = (pc.utf8_lpad(part, 2, "0") for part in (month, day))
    date = pc.binary_join_element_wise(year, month, day, "-")
    clock = pc.if_else(pc.match_substring_regex(time, r"^\d:"), pc.binary_join_element_wise("0", time, ""), time)
    has_time = pc.fill_null(pc.not_equal(clock, ""), False)
    if pc.any(has_time).as_py():  # then a date alone is its midnight
        date = pc.binary_join_element_wise(date, pc.if_else(has_time, clock, "00:00"), " ")
    return pa.chunked_array([date])
