from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from recsys.data.readers.date_order import AmbiguousDatesError
from recsys.data.readers.tables import text_dates
from recsys.data.readers.tables.text_dates import is_ambiguous
from recsys.errors import DataWarning


def _column(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


def parse_dates(column: pa.ChunkedArray, day_first: bool | None = None) -> pa.ChunkedArray | None:
    parsed = text_dates.parse_dates(column, "day", day_first)
    return None if parsed is None else parsed.column


def test_dates_and_times_are_parsed() -> None:
    days = parse_dates(_column("2024-05-31", "", " 1969-12-31 ", None))
    assert days is not None
    assert days.to_pylist() == [date(2024, 5, 31), None, date(1969, 12, 31), None]
    times = parse_dates(_column("2024-05-31T12:00:00Z", "2024-05-31 12:00:00+02:00", "2024-05-31 12:00"))
    assert times is not None
    assert times.to_pylist() == [datetime(2024, 5, 31, hour) for hour in (12, 10, 12)]
    fine = parse_dates(_column("2024-05-31 12:00:00.5"))
    assert fine is not None
    assert fine.to_pylist() == [datetime(2024, 5, 31, 12, 0, 0, 500_000)]


@pytest.mark.parametrize("values", [("2024-05-31", "soon"), ("2024-02-30",), ("20240531",), ("", None), ("2024",)])
def test_other_text_is_no_date(values: tuple[str | None, ...]) -> None:
    assert parse_dates(_column(*values)) is None


def test_dates_in_another_order_are_read_in_it() -> None:
    parsed = text_dates.parse_dates(_column(" 31/12/2024", "1/2/2025", None, ""), "day")
    assert parsed is not None and parsed.order == "the day first"
    assert parsed.column.to_pylist() == [date(2024, 12, 31), date(2025, 2, 1), None, None]
    times = parse_dates(_column("12/31/2024 17:30", "1/2/2025"))
    assert times is not None and times.to_pylist() == [datetime(2024, 12, 31, 17, 30), datetime(2025, 1, 2)]
    assert parse_dates(_column("30/02/2024")) is None  # there is no such day


def test_dates_that_may_be_read_in_two_ways() -> None:
    column = _column("01/02/2024", "")
    assert is_ambiguous(column) and not is_ambiguous(_column("31/12/2024")) and not is_ambiguous(_column("", None))
    with pytest.raises(AmbiguousDatesError):
        parse_dates(column)
    told = parse_dates(column, day_first=False)
    assert told is not None and told.to_pylist() == [date(2024, 1, 2), None]
    with pytest.warns(DataWarning, match="day holds dates that do not tell"):
        dotted = parse_dates(_column("01.02.2024"))
    assert dotted is not None and dotted.to_pylist() == [date(2024, 2, 1)]
