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


@dataclass(frozen=True, slots=True)
class DateForm:
    """How the dates of a column are written, as all of them together tell.

    Args:
        order: of day, month and year, in words.
        is_assumed: whether the dates themselves do not tell the order, so that it is only what is usual.
        has_clock: whether any of them has a time of the day.
    """

    order: str
    is_assumed: bool
    has_clock: bool


class DateOrderScan:
    """Finds out in which order the dates of a column are written, as a whole or in batches.

    The day comes first where a first number is above 12, the month where a second one is; with dots between the
    numbers, as in 03.04.2024, the day comes first unless something speaks against it.
    """

    def __init__(self) -> None:
        self._example: str | None = None
        self._is_of_form = True
        self._marks: set[str] = set()
        self._shortest = dict.fromkeys("abc", 4)
        self._longest = dict.fromkeys("abc", 0)
        self._largest = dict.fromkeys("ab", 0)
        self._has_clock = False

    def add(self, column: pa.ChunkedArray) -> None:
        """Take in the next values: text without white space around it, null where a value is missing."""
        present = column.drop_null()
        if len(present) == 0 or not self._is_of_form:
            return
        if not pc.all(pc.match_substring_regex(present, _FORM)).as_py():
            self._is_of_form = False
            return
        if self._example is None:
            self._example = present[0].as_py()
        parts = pc.extract_regex(present.combine_chunks(), _FORM)
        for mark in ("mark", "again"):
            self._marks |= set(pc.unique(pc.struct_field(parts, mark)).to_pylist())
        for name in "abc":
            length = pc.min_max(pc.utf8_length(pc.struct_field(parts, name)))
            self._shortest[name] = min(self._shortest[name], length["min"].as_py())
            self._longest[name] = max(self._longest[name], length["max"].as_py())
        for name in "ab":
            largest = pc.max(pc.struct_field(parts, name).cast(pa.int64())).as_py()
            self._largest[name] = max(self._largest[name], largest)
        self._has_clock |= pc.any(pc.not_equal(pc.struct_field(parts, "time"), "")).as_py()

    def form(self, day_first: bool | None = None) -> DateForm | None:
        """How they are written.

        Args:
            day_first: whether the day comes before the month; None to find out.

        Returns:
            The form; None where a value is of another form or in ISO 8601, no order fits all of them, or all are
            missing.

        Raises:
            AmbiguousDatesError: nothing tells the order.
        """
        if self._example is None or not self._is_of_form or len(self._marks) != 1:
            return None
        (mark,) = self._marks
        if self._shortest["a"] == 4 and self._longest["c"] <= 2:
            if mark == "-" and self._shortest["b"] == self._shortest["c"] == 2:
                return None  # as ISO 8601 has it
            return DateForm(YEAR_FIRST, is_assumed=False, has_clock=self._has_clock)
        if not (self._shortest["c"] == 4 and self._longest["a"] <= 2):
            return None
        order, is_assumed = _order(self._largest["a"] > 12, self._largest["b"] > 12, mark, day_first, self._example)
        return None if order is None else DateForm(order, is_assumed, self._has_clock)


def ordered_dates(column: pa.ChunkedArray, day_first: bool | None = None) -> OrderedDates | None:
    """A column of dates in another order than that of ISO 8601, in that order; see :class:`DateOrderScan`.

    Args:
        column: of text without white space around it; null where a value is missing.
        day_first: whether the day comes before the month; None to find out.

    Returns:
        The dates, which may still be none, such as 2021-02-30; or None where a value is of another form, or no order
        fits all of them.

    Raises:
        AmbiguousDatesError: nothing tells the order.
    """
    scan = DateOrderScan()
    scan.add(column)
    form = scan.form(day_first)
    return None if form is None else OrderedDates(in_iso_order(column, form), form.order, form.is_assumed)


def in_iso_order(column: pa.ChunkedArray, form: DateForm) -> pa.ChunkedArray:
    """Dates of a column, or of a batch of it, in the order of ISO 8601; null where they are missing.

    Args:
        column: of text without white space around it; null where a value is missing.
        form: how the dates of the whole column are written.
    """
    parts = pc.extract_regex(column.combine_chunks(), _FORM)
    first, second, last, time = (pc.struct_field(parts, name) for name in ("a", "b", "c", "time"))
    year, month, day = {
        YEAR_FIRST: (first, second, last),
        DAY_FIRST: (last, second, first),
        MONTH_FIRST: (last, first, second),
    }[form.order]
    month, day = (pc.utf8_lpad(part, 2, "0") for part in (month, day))
    date = pc.binary_join_element_wise(year, month, day, "-")
    if form.has_clock:  # then a date alone is its midnight
        clock = pc.if_else(pc.match_substring_regex(time, r"^\d:"), pc.binary_join_element_wise("0", time, ""), time)
        has_time = pc.fill_null(pc.not_equal(clock, ""), False)
        date = pc.binary_join_element_wise(date, pc.if_else(has_time, clock, "00:00"), " ")
    return pa.chunked_array([date])


def warn_of_order(name: str, order: str) -> None:
    """Warn that the order of day and month in a column is only what is usual."""
    warnings.warn(
        f"{name} holds dates that do not tell whether the day or the month comes first; they are read with {order}, as "
        "is usual with dots. Say which it is with data.day_first=true or data.day_first=false.",
        DataWarning,
        stacklevel=2,
    )


def _order(
    first_is_day: bool, second_is_day: bool, mark: str, day_first: bool | None, example: str
) -> tuple[str | None, bool]:
    """Whether the day or the month comes first, None where neither can; and whether that is only assumed."""
    if (first_is_day and second_is_day) or (second_is_day and day_first) or (first_is_day and day_first is False):
        return None, False
    if day_first is not None:
        return (DAY_FIRST if day_first else MONTH_FIRST), False
    if first_is_day or second_is_day:
        return (DAY_FIRST if first_is_day else MONTH_FIRST), False
    if mark == ".":
        return DAY_FIRST, True
    raise AmbiguousDatesError(example)
