"""Dates that are not in the order of ISO 8601."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.readers.date_order import (
    DAY_FIRST,
    MONTH_FIRST,
    YEAR_FIRST,
    AmbiguousDatesError,
    OrderedDates,
    ordered_dates,
    warn_of_order,
)
from recsys.errors import DataWarning


def ordered(*values: str | None, day_first: bool | None = None) -> OrderedDates | None:
    return ordered_dates(pa.chunked_array([pa.array(values, pa.string())]), day_first)


@pytest.mark.parametrize(
    ("values", "order", "first"),
    [
        (("03/04/2024", "31/12/2024"), DAY_FIRST, "2024-04-03"),
        (("3/4/2024", "12/31/2024"), MONTH_FIRST, "2024-03-04"),
        (("1.2.2024", "31.12.2024"), DAY_FIRST, "2024-02-01"),
        (("03-04-2024", "17-04-2024"), DAY_FIRST, "2024-04-03"),
        (("04.03.2024", "04.17.2024"), MONTH_FIRST, "2024-04-03"),
        (("2024/4/3", "2024/12/31"), YEAR_FIRST, "2024-04-03"),
        (("2024.04.03",), YEAR_FIRST, "2024-04-03"),
        (("2024-4-3",), YEAR_FIRST, "2024-04-03"),
    ],
)
def test_a_number_above_twelve_is_the_day(values: tuple[str, ...], order: str, first: str) -> None:
    found = ordered(*values)
    assert found is not None
    assert (found.order, found.is_assumed, found.text[0].as_py()) == (order, False, first)


def test_where_nothing_tells_slashes_are_refused_and_dots_have_the_day_first() -> None:
    with pytest.raises(AmbiguousDatesError) as refused:
        ordered(None, "03/04/2024", "12/12/2024")
    assert refused.value.example == "03/04/2024"
    with pytest.raises(AmbiguousDatesError):
        ordered("03-04-2024")
    assumed = ordered("03.04.2024")
    assert assumed is not None and assumed.is_assumed and assumed.text.to_pylist() == ["2024-04-03"]


def test_the_user_says_the_order() -> None:
    for day_first, expected in ((True, "2024-04-03"), (False, "2024-03-04")):
        for written in ("03/04/2024", "03.04.2024"):
            found = ordered(written, day_first=day_first)
            assert found is not None and not found.is_assumed and found.text.to_pylist() == [expected]
    assert ordered("12/31/2024", day_first=True) is None
    assert ordered("31/12/2024", day_first=False) is None


def test_times_of_the_day_come_along_and_missing_ones_are_midnight() -> None:
    found = ordered("31.12.2024 9:05", None, "01.02.2024, 17:30:15.5", "02.02.2024")
    assert found is not None
    assert found.text.to_pylist() == ["2024-12-31 09:05", None, "2024-02-01 17:30:15.5", "2024-02-02 00:00"]


@pytest.mark.parametrize(
    "values",
    [
        ("2024-04-03", "2024-12-31"),  # as ISO 8601 has it
        ("31/12/2024", "x"),
        ("31/12/2024", "31.12.2024"),  # two marks
        ("31/12.2024",),
        ("31/12/24",),  # of which century
        ("13/13/2024", "1/1/2024"),  # no order fits
        ("13/1/2024", "1/13/2024"),
        ("1/1/202",),
        (None,),
        (),
    ],
)
def test_other_text_is_no_date_of_another_order(values: tuple[str | None, ...]) -> None:
    assert ordered(*values) is None


@given(st.lists(st.dates(datetime.date(1000, 1, 1)), min_size=1, max_size=6), st.sampled_from("./-"), st.booleans())
def test_what_is_written_is_read_back(dates: list[datetime.date], mark: str, day_first: bool) -> None:
    form = mark.join(("%d", "%m", "%Y") if day_first else ("%m", "%d", "%Y"))
    found = ordered(*(date.strftime(form).zfill(10) for date in dates), day_first=day_first)
    assert found is not None and found.text.to_pylist() == [date.isoformat() for date in dates]


def test_an_order_that_is_assumed_is_told_with_how_to_say_it() -> None:
    with pytest.warns(DataWarning, match=r"listed holds dates .* the day first.* data\.day_first=true or"):
        warn_of_order("listed", DAY_FIRST)
