"""Text columns that hold dates, in ISO 8601 or in another order."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.readers.date_order import AmbiguousDatesError, ordered_dates, warn_of_order

_DATE = r"^\d{4}-\d\d-\d\d$"
_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?$"


@dataclass(frozen=True, slots=True)
class ParsedDates:
    """A column of dates.

    Args:
        column: date32, or timestamp where the dates have a time of the day, in UTC without a zone.
        order: of day, month and year, in words; None in ISO 8601.
    """

    column: pa.ChunkedArray
    order: str | None = None


def parse_dates(column: pa.ChunkedArray, name: str, day_first: bool | None = None) -> ParsedDates | None:
    """A text column as dates or times, if each value is one.

    Args:
        column: of text; empty text is null.
        name: of the column, for the warning.
        day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.

    Returns:
        The dates, or None if a value is none or all are empty.

    Raises:
        AmbiguousDatesError: the order of day and month cannot be told.

    Warns:
        DataWarning: the order is assumed.
    """
    text = _present(column)
    if text.null_count == len(text):
        return None
    if (dates := _iso_dates(text)) is not None:
        return ParsedDates(dates)
    ordered = ordered_dates(text, day_first)
    if ordered is None or (dates := _iso_dates(ordered.text)) is None:
        return None
    if ordered.is_assumed:
        warn_of_order(name, ordered.order)
    return ParsedDates(dates, ordered.order)


def is_ambiguous(column: pa.ChunkedArray) -> bool:
    """Whether a text column holds dates whose order of day and month cannot be told."""
    try:
        ordered_dates(_present(column))
    except AmbiguousDatesError:
        return True
    return False


def _iso_dates(text: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Dates or times in ISO 8601; None where a value is none."""
    try:
        if _all_match(text, _DATE):
            return text.cast(pa.date32())
        if not _all_match(text, _TIME):
            return None
        fractions = pc.any(pc.match_substring(text, ".")).as_py()
        unit = "us" if fractions else "s"
        # Arrow takes no mixture of texts with and without a zone, and no zone but Z without its colon.
        zoned = pc.match_substring_regex(text, r"(Z|[+-]\d\d:?\d\d)$")
        null = pa.scalar(None, pa.string())
        with_zone = pc.if_else(zoned, text, null).cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit))
        return pc.coalesce(with_zone, pc.if_else(zoned, null, text).cast(pa.timestamp(unit)))
    except pa.ArrowInvalid:  # such as 2021-02-30
        return None


def _present(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)


def _all_match(text: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(text, pattern)).as_py())
