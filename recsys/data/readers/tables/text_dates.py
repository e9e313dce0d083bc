"""Text columns that hold dates in ISO 8601."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_DATE = r"^\d{4}-\d\d-\d\d$"
_TIME = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?$"
#: Dates in other orders, which cannot be told apart: 03/04/2021.
_OTHER_DATE = r"^\d{1,2}[./-]\d{1,2}[./-]\d{4}$|^\d{4}/\d{1,2}/\d{1,2}$"


def parse_dates(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """A text column as dates (date32), or as times (timestamp in UTC without a zone), if each value is one.

    Args:
        column: of text; empty text is null.

    Returns:
        The dates, or None if a value is none or all are empty.
    """
    text = _present(column)
    if text.null_count == len(text):
        return None
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


def other_dates(column: pa.ChunkedArray) -> bool:
    """Whether each value of a text column is a date in another order than that of ISO 8601."""
    text = _present(column)
    return text.null_count < len(text) and _all_match(text, _OTHER_DATE)


def _present(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)


def _all_match(text: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(text, pattern)).as_py())
