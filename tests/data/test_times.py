import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.times import format_moment, parse_moment, split_seconds


@given(st.lists(st.floats(-4e9, 4e9), min_size=1, max_size=20))
def test_seconds_and_their_parts_add_up(values: list[float]) -> None:
    seconds, nanoseconds = split_seconds(np.array(values))
    assert ((nanoseconds >= 0) & (nanoseconds < 10**9)).all()
    assert seconds + nanoseconds / 1e9 == pytest.approx(values, abs=1e-6)


def test_the_parts_are_what_was_written() -> None:
    # 1700000000.123 is stored as 1700000000.1229999; a microsecond is what a number of this size tells apart.
    seconds, nanoseconds = split_seconds(np.array([1700000000.123, 1699999999.9999999]))
    assert seconds.tolist() == [1700000000, 1700000000]
    assert nanoseconds.tolist() == [123_000_000, 0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1704067200, (1704067200, 0)),
        ("2024-01-01", (1704067200, 0)),
        ("2024-01-01 00:00:00", (1704067200, 0)),
        ("2024-01-01T01:00:00.25+01:00", (1704067200, 250_000_000)),
        ("1969-12-31T23:59:59.5Z", (-1, 500_000_000)),
        ("yesterday", None),
        (True, None),
        (1.5, None),
        (math.nan, None),
    ],
)
def test_moments_are_numbers_or_dates(value: object, expected: tuple[int, int] | None) -> None:
    assert parse_moment(value) == expected


def test_moments_are_shown_as_dates_where_they_can_be() -> None:
    assert format_moment(1704067200) == "2024-01-01 00:00:00"
    assert format_moment(7) == "7"
    assert format_moment(-1) == "-1"
    assert format_moment(10**13) == str(10**13)
