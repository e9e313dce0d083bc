from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.readers.text_times import TextTimes, TextTimesScan, seconds_of_dates
from recsys.data.readers.timestamps import Times, WholeColumn, as_times
from recsys.errors import DataError

MISSING = st.sampled_from([None, ""])
DAYS, MONTHS = st.integers(1, 28), st.integers(1, 12)
CLOCKS = st.sampled_from(["", " 9:05", " 23:59:59.25"])
#: Values of a column in one form, where some may be missing.
FORMS = {
    "whole numbers": st.integers(-(10**13), 10**13).map(str),
    "numbers": st.integers(0, 10**9).map(str) | st.floats(0, 1e12).map(str),
    "written dates": st.tuples(MONTHS, DAYS).map(lambda date: f"2024{date[0]:02}{date[1]:02}"),
    "ISO 8601": st.datetimes().map(lambda moment: moment.isoformat(" ") if moment.year > 1_000 else None),
    "with zones": st.tuples(DAYS, st.sampled_from(["", "Z", "+02:00", "-0130"])).map(
        lambda parts: f"2024-01-{parts[0]:02}T12:00:00.125{parts[1]}"
    ),
    "day first": st.tuples(DAYS, MONTHS, CLOCKS).map(lambda date: f"{date[0]}.{date[1]}.2024{date[2]}"),
    "year first": st.tuples(DAYS, MONTHS, CLOCKS).map(lambda date: f"2024/{date[1]}/{date[0]}{date[2]}"),
}


def in_batches(column: pa.ChunkedArray, size: int, day_first: bool | None = None) -> Times:
    batches = [column.slice(start, size) for start in range(0, len(column), size)]
    scan = TextTimesScan()
    for batch in batches:
        scan.add(batch)
    form = scan.form("at", "a file", day_first)
    seconds, subseconds = [], []
    for number, batch in enumerate(batches):
        times = as_times(batch, "at", "a file", whole=WholeColumn(text=form, first_row=number * size))
        seconds += times.seconds.to_pylist()
        parts = [0] * len(batch) if times.subsecond_ns is None else times.subsecond_ns.to_pylist()
        subseconds += parts
    return Times(pa.chunked_array([seconds]), pa.chunked_array([[part or 0 for part in subseconds]]))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), form=st.sampled_from(list(FORMS)), size=st.integers(1, 5))
def test_batches_are_read_as_the_whole_column(data: st.DataObject, form: str, size: int) -> None:
    values = data.draw(st.lists(FORMS[form] | MISSING, min_size=1, max_size=12))
    column = pa.chunked_array([pa.array(values, pa.string())])
    whole = as_times(column, "at", "a file", day_first=True)
    found = in_batches(column, size, day_first=True)
    assert found.seconds.to_pylist() == whole.seconds.to_pylist()
    fractions = [0] * len(column) if whole.subsecond_ns is None else whole.subsecond_ns.to_pylist()
    assert found.subsecond_ns is not None
    assert found.subsecond_ns.to_pylist() == [fraction or 0 for fraction in fractions]


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.sampled_from(["10", "1.5", "2024-01-02", "3.4.2024", "soon", "2024-13-01", ""]), min_size=1),
    size=st.integers(1, 4),
)
def test_errors_are_those_of_the_whole_column(values: list[str], size: int) -> None:
    column = pa.chunked_array([pa.array(values, pa.string())])
    messages = []
    for read in (lambda: as_times(column, "at", "a file", True), lambda: in_batches(column, size, True)):
        try:
            read()
            messages.append("")
        except DataError as error:
            messages.append(str(error))
    assert messages[0] == messages[1]


def test_a_first_other_value_of_an_earlier_batch_is_not_shown_for_a_later_one() -> None:
    form = TextTimes(first_other=(1, "2024-01-02"))
    with pytest.raises(DataError, match="row 12 has 'soon'"):
        seconds_of_dates(pa.chunked_array([["2024-01-01", "soon"]]), form, "at", "a file", first_row=10)


def test_whole_numbers_are_int64_and_the_others_float64() -> None:
    types = []
    for values in (["1", ""], ["1", "2.5"], ["2024-01-01"]):
        scan = TextTimesScan()
        scan.add(pa.chunked_array([values]))
        types.append(scan.form("at", "a file").type)
    assert types == [pa.int64(), pa.float64(), pa.timestamp("ns")]
