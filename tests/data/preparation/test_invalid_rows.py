import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.preparation.invalid_rows import Defect, InvalidRowReport
from recsys.data.preparation.raw_interactions import checked_values
from recsys.data.schema import AppliedRule
from recsys.errors import DataError
from tests.data.raw_data import interactions_table

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from([1.0, float("nan"), None]),
        st.sampled_from([5, -1, None, 1_700_000_000_000]),
    ),
    min_size=1,
    max_size=12,
)


def report_of(table: pa.Table, batch_rows: int) -> tuple[InvalidRowReport, list[bool]]:
    report, invalid = InvalidRowReport(), []
    for start in range(0, len(table), batch_rows):
        batch = table.slice(start, batch_rows)
        found = report.add(batch, checked_values(batch).defects)
        invalid += [False] * len(batch) if found is None else found.tolist()
    return report, invalid


def outcome(report: InvalidRowReport, invalid_rows: str) -> AppliedRule | str:
    try:
        return report.rule(invalid_rows)  # type: ignore[arg-type]
    except DataError as error:
        return str(error)


@given(ROWS, st.integers(1, 5), st.sampled_from(["error", "drop"]))
def test_batches_are_told_as_the_whole_table(rows: list[tuple[object, ...]], batch_rows: int, choice: str) -> None:
    table = interactions_table(rows)
    whole, invalid = report_of(table, len(table))
    parts, invalid_of_parts = report_of(table, batch_rows)
    assert outcome(parts, choice) == outcome(whole, choice)
    assert invalid_of_parts == invalid


def test_a_row_with_two_defects_is_one_invalid_row() -> None:
    report = InvalidRowReport()
    masks = (np.array([True, False]), np.array([True, True]), np.array([False, False]))
    invalid = report.add(interactions_table([("a", "x"), ("b", "y")]), [Defect("d", mask, "r") for mask in masks])
    assert invalid is not None and invalid.tolist() == [True, True]
    assert (report.num_rows, report.num_invalid) == (2, 2)


def test_no_rows_at_all_are_an_error() -> None:
    with pytest.raises(DataError, match="The interactions have no rows; at least one is needed"):
        InvalidRowReport().rule("drop")
