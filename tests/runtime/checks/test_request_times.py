from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from recsys.errors import RequestError
from recsys.runtime.checks.request_times import in_time_order, seconds_of

NEW_YEAR = 1_704_067_200  # 2024-01-01 in UTC


@pytest.mark.parametrize(
    "value",
    [
        NEW_YEAR,
        np.int64(NEW_YEAR),
        NEW_YEAR + 0.9,
        NEW_YEAR * 1_000 + 999,
        NEW_YEAR * 1_000_000,
        NEW_YEAR * 1_000_000_000,
        date(2024, 1, 1),
        datetime(2024, 1, 1, tzinfo=UTC),
        pd.Timestamp("2024-01-01T01:00+01:00"),
        np.datetime64("2024-01-01", "s"),
        "2024-01-01",
        "2024-01-01T00:00:00.5Z",
        str(NEW_YEAR),
    ],
    ids=repr,
)
def test_a_time_is_read_in_the_forms_of_preparation(value):
    assert seconds_of("times", [value]) == [NEW_YEAR]


def test_positions_are_times_too_and_nothing_is_one_of_none():
    assert seconds_of("times", [2, 0, 1]) == [2, 0, 1]
    assert seconds_of("times", []) == []


@pytest.mark.parametrize(
    "values",
    [
        [-1],
        [NEW_YEAR, -5],
        [4_102_444_801],
        [2**63],
        [10**400],
        [None],
        [3, pd.NaT],
        [True],
        [np.array([1, 2])],
        [pd.Series([1, 2])],
        [[1]],
        [object()],
    ],
)
def test_what_is_no_time_after_1970_is_refused_by_name(values):
    with pytest.raises(RequestError, match="times must be seconds since 1970 .* from 0 to 4,102,444,800"):
        seconds_of("times", values)


def test_the_error_shows_the_one_that_is_wrong():
    with pytest.raises(RequestError, match=r"but -5 came\. Correct it\.$"):
        seconds_of("times", [NEW_YEAR, -5])


def test_the_order_is_that_of_what_was_given_and_stable():
    assert in_time_order([900, 100, 900, 500], [0, 0, 0, 0]) == [1, 3, 0, 2]
    assert in_time_order([], []) == []


def test_whole_seconds_are_taken_as_they_are():
    assert seconds_of("timestamps", (3, 1, 2)) == [3, 1, 2]
    assert in_time_order([3, 1, 3, 2], [3, 1, 3, 2]) == [1, 3, 0, 2]


def test_times_that_cannot_be_compared_are_ordered_by_their_seconds():
    mixed = [datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 1)]
    assert in_time_order(mixed, [NEW_YEAR + 86_400, NEW_YEAR]) == [1, 0]
