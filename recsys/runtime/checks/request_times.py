"""Times of a request in seconds since 1970, by the rules of preparation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from recsys.data.preparation.invalid_rows import LATEST_TIMESTAMP
from recsys.data.readers.timestamps import as_seconds
from recsys.errors import DataError, RequestError
from recsys.retrieval.shown_value import shown_value
from recsys.runtime.checks.request_values import plain

_WHOLE_NUMBERS = {int}

_REQUIRED = (
    f"seconds since 1970 (or positions 0, 1, 2, ...) from 0 to {LATEST_TIMESTAMP:,}, numbers of milliseconds, "
    "microseconds or nanoseconds, or dates"
)


def seconds_of(name: str, values: Sequence[Any]) -> list[int]:
    """Times in whole seconds, rounded down.

    What :func:`recsys.data.readers.timestamps.as_seconds` takes in a file is taken here: numbers in seconds or, by
    their median, in finer units; dates of Python, NumPy and pandas; dates as ISO 8601 texts.

    Args:
        name: of the field, for messages.
        values: the times.

    Raises:
        RequestError: one of them is missing, no time, before 1970 or after 2099.
    """
    values = list(values)
    if not set(map(type, values)) <= _WHOLE_NUMBERS:
        values = [plain(value) for value in values]
    if set(map(type, values)) <= _WHOLE_NUMBERS and (
        not values or (min(values) >= 0 and max(values) <= LATEST_TIMESTAMP)
    ):
        return values
    wrong = [value for value in values if value is None or isinstance(value, bool | np.ndarray)]
    if wrong:
        raise _refused(name, wrong[0])
    try:
        column = as_seconds(pa.chunked_array([pa.array(values, from_pandas=True)]), name, "the request")
        seconds = column.cast(pa.int64()).to_pylist()
    except DataError as error:
        raise RequestError(f"{name} must be {_REQUIRED}: {error}") from error
    except (pa.ArrowException, OverflowError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise _refused(name, values[0] if len(values) == 1 else values) from error
    for value, second in zip(values, seconds, strict=True):
        if second is None or not 0 <= second <= LATEST_TIMESTAMP:
            raise _refused(name, value)
    return seconds


def in_time_order(values: Sequence[Any], seconds: Sequence[int]) -> list[int]:
    """Positions of times from the earliest to the latest; equal ones stay in their order.

    Args:
        values: as they were given, which may be finer than seconds.
        seconds: the same in seconds.
    """
    if list(values) == list(seconds):
        return sorted(range(len(values)), key=seconds.__getitem__)
    try:
        return sorted(range(len(values)), key=lambda place: (seconds[place], values[place]))
    except TypeError:  # times that Python does not compare, such as dates with and without a zone
        return sorted(range(len(values)), key=seconds.__getitem__)


def _refused(name: str, value: object) -> RequestError:
    return RequestError(f"{name} must be {_REQUIRED}, but {shown_value(value)} came. Correct it.")
