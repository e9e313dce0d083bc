import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.readers.number_times import NumberTimes, NumberTimesScan, WrittenDates, seconds_of_written_dates
from recsys.errors import DataError

DAY, SECOND = WrittenDates("YYYYMMDD", 1), WrittenDates("YYYYMMDDhhmmss", 10**6)
VALUES = [0, 5, 20_240_531, 20_241_399, 1_700_000_000, 1_700_000_000_000, 20_240_531_120_000, 10**18, None]


def form_of(values: list[float | None], batch: int = 100) -> NumberTimes:
    scan = NumberTimesScan()
    column = pa.chunked_array([pa.array(values)])
    for start in range(0, len(values), batch):
        scan.add(column.slice(start, batch))
    return scan.form()


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([1_700_000_000, 1_700_000_001, 10**18], NumberTimes(1, None, 1e18)),
        ([1.7e12, 1.7e12], NumberTimes(1000, None, 1.7e12)),
        ([1_700_000_000_000_000], NumberTimes(10**6, None, 1.7e15)),
        ([1.7e18, float("nan"), None], NumberTimes(10**9, None, 1.7e18)),
        ([20_240_531, 20_240_601, None], NumberTimes(1, DAY, 20_240_601)),
        ([20_240_531, 20_241_301], NumberTimes(1, None, 20_241_301)),  # half of them are no dates
        ([20_240_531_120_000], NumberTimes(1, SECOND, 20_240_531_120_000)),
        ([1, 1_700_000_000_000], NumberTimes(1, None, 1.7e12)),  # the lower one of the middle
    ],
)
def test_the_median_tells_how_moments_are_written(values: list[float | None], form: NumberTimes) -> None:
    assert form_of(values) == form


@given(st.lists(st.sampled_from(VALUES), max_size=12), st.integers(1, 5))
def test_batches_tell_what_the_whole_column_tells(values: list[int | None], batch: int) -> None:
    numbers = pa.array(values, pa.int64()).to_pylist()
    assert form_of([None, *numbers, 5], batch) == form_of([None, *numbers, 5])


@given(st.lists(st.integers(1, 10**18), min_size=1, max_size=12))
def test_the_unit_is_that_of_the_middle_value(values: list[int]) -> None:
    middle = sorted(values)[(len(values) - 1) // 2]
    found = form_of(list(values))
    if found.written is None:
        assert found.per_second == (
            10**9 if middle > 1e17 else 10**6 if middle > 1e14 else 1000 if middle > 1e11 else 1
        )


def test_a_value_that_is_no_date_is_told_with_its_row_among_all() -> None:
    column = pa.chunked_array([pa.array([20_240_531, None, 20_240_231], pa.int64())])
    assert seconds_of_written_dates(column.slice(0, 2), DAY, "day", "x.csv").to_pylist() == [1_717_113_600, None]
    with pytest.raises(
        DataError, match=r"x\.csv: column 'day' holds dates written as YYYYMMDD, but row 1,003 has 2024"
    ):
        seconds_of_written_dates(column, DAY, "day", "x.csv", first_row=1000)
    assert np.isclose(form_of([20_240_531.0]).largest, 20_240_531)
