"""Moments in whole seconds since 1970 and nanoseconds after them: taken apart, read from text, written as dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

NANOSECONDS = 10**9

#: Seconds before this are written as a number: such clocks mostly count positions. 1e8 seconds is March 1973.
_FIRST_DATE = 100_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def split_seconds(
    values: npt.NDArray[np.float64], per_second: int = 1, largest: float | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Whole seconds, rounded down, and the nanoseconds after them.

    The nanoseconds are rounded to what a number of 64 bits tells apart: to microseconds for seconds of today.

    Args:
        values: finite numbers, shape [N].
        per_second: how many of their unit make a second.
        largest: the largest of the absolute values; to be given where ``values`` are a part of all.

    Returns:
        Shape [N] both; the nanoseconds are in ``[0, 10**9)``.

    Example:
        >>> seconds, nanoseconds = split_seconds(np.array([1700000000.25, -0.5]))
        >>> seconds.tolist(), nanoseconds.tolist()
        ([1700000000.0, -1.0], [250000000, 500000000])
    """
    whole = np.floor(values / per_second)
    unit = NANOSECONDS / per_second
    largest = float(np.abs(values).max(initial=0.0)) if largest is None else largest
    coarsest = float(np.spacing(largest)) * unit
    step = 10.0 ** max(0, np.ceil(np.log10(max(coarsest, 1e-9))))
    nanoseconds = np.rint(np.maximum(values - whole * per_second, 0) * unit / step) * step
    carried = nanoseconds >= NANOSECONDS
    return whole + carried, np.where(carried, 0, nanoseconds).astype(np.int32)


def parse_moment(value: object) -> tuple[int, int] | None:
    """Seconds since 1970 and the nanoseconds after them, from a whole number or from ISO 8601 text.

    Text without a time zone is UTC, and a date alone is its first moment. None for anything else.

    Example:
        >>> parse_moment("2024-01-01"), parse_moment("2024-01-01T00:00:00.5+01:00"), parse_moment(7)
        ((1704067200, 0), (1704063600, 500000000), (7, 0))
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value, 0
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    since = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH
    seconds = since // timedelta(seconds=1)
    return seconds, (since - timedelta(seconds=seconds)).microseconds * 1000


def format_moment(seconds: int) -> str:
    """A moment as a date in UTC, or as the number where it is too small or too large to be one.

    Example:
        >>> format_moment(1704067200), format_moment(12)
        ('2024-01-01 00:00:00', '12')
    """
    if not _FIRST_DATE <= seconds < 253_402_300_800:  # the year 10000
        return str(seconds)
    return (_EPOCH + timedelta(seconds=int(seconds))).strftime("%Y-%m-%d %H:%M:%S")
