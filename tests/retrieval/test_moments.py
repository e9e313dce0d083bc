from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.retrieval.moments import microseconds, moment_text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("2024-05-31", "2024-05-31"),
        ("2024-05-31T12:00:00Z", "2024-05-31T12:00:00Z"),
        (date(2024, 5, 31), "2024-05-31"),
        (datetime(2024, 5, 31, 12, tzinfo=UTC), "2024-05-31T12:00:00+00:00"),
        ("2024-02-30", None),
        ("20240531", None),
        ("soon", None),
        (2024, None),
        (None, None),
    ],
)
def test_moments_are_recognised(written: object, text: str | None) -> None:
    assert moment_text(written) == text


def test_a_day_at_the_end_of_a_range_is_whole() -> None:
    day = 86_400_000_000
    assert microseconds("1970-01-02", is_end=False) == day
    assert microseconds("1970-01-02", is_end=True) == 2 * day - 1
    assert microseconds("1970-01-02T00:00", is_end=True) == day
    assert microseconds("1970-01-02T01:00+01:00", is_end=False) == day


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))
def test_moments_keep_their_order_and_distance(moment: datetime) -> None:
    expected = round((moment - datetime(1970, 1, 1)).total_seconds() * 1e6)
    text = moment_text(moment)
    assert text is not None
    assert microseconds(text, is_end=False) == pytest.approx(expected, abs=64)  # of floats this large
