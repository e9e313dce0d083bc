from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from recsys.data.readers.tables.text_dates import other_dates, parse_dates


def _column(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


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


def test_dates_in_another_order_are_known_as_such() -> None:
    assert other_dates(_column("31/12/2024", "1.1.2025", None, ""))
    assert other_dates(_column("2024/12/31"))
    assert not other_dates(_column("31/12/2024", "x"))
    assert not other_dates(_column("", None))
