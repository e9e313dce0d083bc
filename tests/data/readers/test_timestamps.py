from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.readers.timestamps import as_seconds, as_times
from recsys.errors import DataError, DataWarning


def _seconds(values: list[object], type_: pa.DataType | None = None) -> list[object]:
    return as_seconds(pa.chunked_array([pa.array(values, type_)]), "time", "file").to_pylist()


# 2024-05-31T12:00:00Z; `date -u -d 2024-05-31T12:00 +%s`
NOON = 1717156800


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-31", NOON - 12 * 3600),
        ("2024-05-31 12:00:00", NOON),
        ("2024-05-31T12:00", NOON),
        ("2024-05-31T12:00:00Z", NOON),
        ("2024-05-31T12:00:00.999Z", NOON),
        ("2024-05-31T14:00:00+02:00", NOON),
        ("2024-05-31 05:00:00-0700", NOON),
        ("1969-12-31T23:59:59", -1),
        (str(NOON), NOON),
        (f"{NOON}.75", NOON),
        (f"{NOON}123", NOON),
    ],
)
def test_text(text: str, expected: int) -> None:
    assert _seconds([text, "", None], pa.string()) == [expected, None, None]


def test_text_with_and_without_zones_may_be_mixed() -> None:
    assert _seconds(["2024-05-31T12:00:00", "2024-05-31T14:00:00+02:00"]) == [NOON, NOON]


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(-12 * 60, 12 * 60))
def test_iso_text_agrees_with_the_standard_library(moment: datetime, offset_minutes: int) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)), microsecond=0)
    naive = moment.replace(microsecond=0)
    expected = [int(zoned.timestamp()), int(naive.replace(tzinfo=UTC).timestamp())]
    assert _seconds([zoned.isoformat(), naive.isoformat(sep=" ")]) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2, None], [0, 1, 2, None]),
        ([NOON, -5], [NOON, -5]),
        ([NOON * 10**3 + 999, NOON * 10**3], [NOON, NOON]),
        ([NOON * 10**6 + 1, NOON * 10**6], [NOON, NOON]),
        ([NOON * 10**9 + 1, NOON * 10**9], [NOON, NOON]),
        # one absurd value does not make the others milliseconds
        ([NOON, NOON + 1, 10**15], [NOON, NOON + 1, 10**15]),
        # nor does one in seconds make milliseconds seconds
        ([NOON * 1000, NOON * 1000, 5], [NOON, NOON, 0]),
        ([NOON * 1000, NOON * 1000, -1], [NOON, NOON, -1]),
        ([], []),
    ],
)
def test_the_median_tells_the_unit_of_whole_numbers(values: list[object], expected: list[object]) -> None:
    assert _seconds(values, pa.int64()) == expected


def test_fractions_are_rounded_down_and_nan_is_missing() -> None:
    assert _seconds([1.9, -0.5, math.nan, None], pa.float64()) == [1, -1, None, None]


def test_an_infinite_number_is_kept_for_those_who_judge_values() -> None:
    assert _seconds([1.5, math.inf], pa.float64()) == [1.0, math.inf]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_arrow_timestamps(unit: str, zone: str | None) -> None:
    moment = datetime(2024, 5, 31, 12, tzinfo=UTC) if zone else datetime(2024, 5, 31, 12)
    assert _seconds([moment, None], pa.timestamp(unit, zone)) == [NOON, None]


def test_moments_before_1970_are_rounded_down() -> None:
    assert _seconds([-1500], pa.timestamp("ms")) == [-2]


def test_dates_and_dictionaries() -> None:
    assert _seconds([date(1970, 1, 2)], pa.date32()) == [86400]
    column = pa.chunked_array([pa.array(["1970-01-02", "1970-01-01"]).dictionary_encode()])
    assert as_seconds(column, "time", "file").to_pylist() == [86400, 0]


def test_only_missing_values() -> None:
    assert _seconds([None, None], pa.null()) == [None, None]


def test_other_text_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match=r"file: column 'time' must hold seconds .* but row 2 has 'yesterday'"):
        _seconds(["2024-05-31", "yesterday", "2024-05-32"])


def test_dates_in_another_order_are_read_in_it() -> None:
    assert _seconds(["31.12.1970 00:01", None, "02.01.1970"]) == [364 * 86_400 + 60, None, 86_400]
    assert _seconds(["12/31/1970", "1/2/1970"]) == [364 * 86_400, 86_400]


def test_dates_that_may_be_read_in_two_ways_are_refused_or_warned_of() -> None:
    with pytest.raises(DataError, match=r"comes first, as in '03/04/2024'\. Set data\.day_first"):
        _seconds(["03/04/2024", "05/06/2024"])
    with pytest.warns(DataWarning, match="time holds dates that do not tell"):
        assert _seconds(["02.01.1970"]) == [86_400]


def test_a_day_that_is_none_is_refused_also_in_another_order() -> None:
    with pytest.raises(DataError, match="row 2 has '2024-02-30'"):
        _seconds(["31/12/2024", "30/02/2024"])


def test_other_types_are_refused() -> None:
    with pytest.raises(DataError, match="column 'time' must hold numbers, but is of type list"):
        _seconds([["x"]])


# --- parts of a second -----------------------------------------------------------------------------------------------


def _nanoseconds(values: list[object], type_: pa.DataType | None = None) -> list[object] | None:
    subsecond_ns = as_times(pa.chunked_array([pa.array(values, type_)]), "time", "file").subsecond_ns
    return None if subsecond_ns is None else subsecond_ns.to_pylist()


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([NOON * 10**3 + 250, NOON * 10**3, None], pa.int64()),
        ([NOON * 10**6 + 250_000, NOON * 10**6, None], pa.int64()),
        ([NOON * 10**9 + 250_000_000, NOON * 10**9, None], pa.int64()),
        ([NOON + 0.25, NOON, None], pa.float64()),
        ([NOON * 1000.0 + 250, NOON * 1000.0, None], pa.float64()),
        ([f"{NOON}.25", f"{NOON}", None], pa.string()),
        ([f"{NOON}250", f"{NOON}000", ""], pa.string()),
        (["2024-05-31T14:00:00.25+02:00", "2024-05-31 12:00:00", ""], pa.string()),
        (["2024-05-31 12:00:00,250", "2024-05-31", None], pa.large_string()),
        ([datetime(2024, 5, 31, 12, microsecond=250_000), datetime(2024, 5, 31, 12), None], pa.timestamp("ms")),
        ([datetime(2024, 5, 31, 12, microsecond=250_000), datetime(2024, 5, 31, 12), None], pa.timestamp("ns")),
    ],
)
def test_every_form_keeps_its_parts_of_a_second(values: list[object], type_: pa.DataType) -> None:
    assert _nanoseconds(values, type_) == [250_000_000, 0, None]


def test_nanoseconds_are_kept_where_they_are_given() -> None:
    assert _nanoseconds(["2024-05-31T12:00:00.123456789Z"]) == [123_456_789]
    assert _nanoseconds([NOON * 10**9 + 7], pa.int64()) == [7]


def test_whole_seconds_have_none() -> None:
    assert _nanoseconds([NOON, NOON * 1.0], pa.float64()) is None
    assert _nanoseconds(["2024-05-31T12:00:00.000Z"]) is None


def test_moments_before_1970_count_forward() -> None:
    assert _nanoseconds(["1969-12-31T23:59:59.75"]) == [750_000_000]
    assert _nanoseconds([-250], pa.timestamp("ms")) == [750_000_000]


@given(st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)), min_size=2, max_size=9))
def test_the_order_is_that_of_the_moments_in_every_form(moments: list[datetime]) -> None:
    moments = [moment.replace(tzinfo=UTC) for moment in moments]
    expected = sorted(range(len(moments)), key=lambda row: (moments[row], row))
    for values, type_ in (
        ([moment.isoformat() for moment in moments], pa.string()),
        (moments, pa.timestamp("us", "UTC")),
        ([moment.timestamp() for moment in moments], pa.float64()),
    ):
        times = as_times(pa.chunked_array([pa.array(values, type_)]), "time", "file")
        finest = times.subsecond_ns.to_pylist() if times.subsecond_ns is not None else [0] * len(moments)
        keys = list(zip(times.seconds.to_pylist(), finest, range(len(moments)), strict=True))
        assert sorted(range(len(moments)), key=keys.__getitem__) == expected


# --- numbers that are dates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        ([20240531, None, 19991231], pa.int64(), [NOON - 12 * 3600, None, 946598400]),
        (["20240531", "", "20240229"], pa.string(), [NOON - 12 * 3600, None, 1709164800]),
        ([20240531.0, 20240531.0], pa.float64(), [NOON - 12 * 3600] * 2),
        ([202405311200], pa.int64(), [NOON]),
        ([20240531120000, 20240531120059], pa.int64(), [NOON, NOON + 59]),
        # 20240230 is no date, and these are positions of some log
        ([20240230, 20240231, 20240232], pa.int64(), [20240230, 20240231, 20240232]),
        ([20240531, 5], pa.int64(), [20240531, 5]),
        ([20240531.5], pa.float64(), [20240531]),
    ],
)
def test_written_dates_are_dates(values: list[object], type_: pa.DataType, expected: list[object]) -> None:
    assert _seconds(values, type_) == expected


def test_a_mistake_among_written_dates_is_told() -> None:
    with pytest.raises(DataError, match="column 'time' holds dates written as YYYYMMDD, but row 20 has 20241301"):
        _seconds([20240501 + day for day in range(19)] + [20241301], pa.int64())
