"""Dates and times of the ends of a range, as they are written in a filter."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment_text(written: object) -> str | None:
    """A date or time as ISO 8601 text; None if it is none.

    Args:
        written: such text, a date or a datetime.

    Example:
        >>> moment_text(date(2024, 5, 31)), moment_text("2024-05-31 12:00"), moment_text("May"), moment_text(2024)
        ('2024-05-31', '2024-05-31 12:00', None, None)
    """
    if isinstance(written, date):
        return written.isoformat()
    if not isinstance(written, str) or _ISO.fullmatch(written) is None:
        return None
    try:
        datetime.fromisoformat(written)
    except ValueError:
        return None
    return written


def microseconds(text: str, is_end: bool) -> int:
    """Microseconds since 1970 of a moment; without a zone it is UTC.

    Args:
        text: what :func:`moment_text` returned.
        is_end: whether a day stands for its last microsecond, so that a range up to a day has all of it.
    """
    is_day = len(text) == len("2024-05-31")
    moment = datetime.combine(date.fromisoformat(text), time()) if is_day else datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - _EPOCH) // _MICROSECOND + (86_400_000_000 - 1 if is_day and is_end else 0)
