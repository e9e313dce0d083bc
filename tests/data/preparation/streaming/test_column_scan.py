from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from recsys.data.inspection.column_summary import summarize_interactions
from recsys.data.preparation.streaming.column_scan import ColumnScan, MomentScan, TableScan

COLUMNS: dict[str, tuple[list[Any], pa.DataType]] = {
    "texts": (["b", "", None, "a", "b", "c"], pa.string()),
    "dictionary": (["b", "", None, "a", "b", "c"], pa.dictionary(pa.int32(), pa.string())),
    "whole": ([3, None, 3, 1, 2, 3], pa.int64()),
    "fractions": ([0.5, float("nan"), None, 0.5, 2.0, 1.0], pa.float32()),
    "truth": ([True, None, False, True, True, True], pa.bool_()),
    "lists": ([["x"], None, [], ["x", "y"], ["z"], ["x"]], pa.list_(pa.string())),
    "objects": ([{"a": 1}, None, {"a": 2}, None, None, None], pa.struct([("a", pa.int64())])),
    "nothing": ([None] * 6, pa.null()),
}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("batch_rows", [1, 4, 6])
def test_batches_give_the_summary_of_the_whole_column(name: str, batch_rows: int, tmp_path: Path) -> None:
    table = pa.table({name: pa.array(*COLUMNS[name])})
    scan = ColumnScan(name, table[name].type, tmp_path)
    for start in range(0, 6, batch_rows):
        scan.add(table.slice(start, batch_rows)[name])
    assert (scan.summary(),) == summarize_interactions(table)


def test_distinct_texts_that_are_known_are_not_looked_for(tmp_path: Path) -> None:
    table = pa.table({"user_id": ["b", "", None, "a", "b"]})
    scan = TableScan(table.schema, tmp_path)
    scan.add(table, {"user_id": pa.array(["b", "", "a"])})
    scan.add(table.slice(3), {"user_id": pa.array(["a", "b"])})
    scan.add(pa.table({"user_id": ["c"]}))
    assert scan.distinct_texts("user_id").to_pylist() == ["b", "a", "c"]
    (summary,) = summarize_interactions(pa.concat_tables([table, table.slice(3), pa.table({"user_id": ["c"]})]))
    assert scan.summaries() == (summary,)


@pytest.mark.parametrize("batch_rows", [1, 2, 5])
def test_moments_are_counted_with_their_parts_of_a_second(batch_rows: int, tmp_path: Path) -> None:
    table = pa.table(
        {
            "user_id": ["a", "b", "a", "", "c"],
            "timestamp": pa.array([None, 1_700_000_000, 1_700_000_000, 5, 5], pa.int64()),
            "subsecond_ns": pa.array([None, 500, 0, 0, 0], pa.int32()),
        }
    )
    scan = TableScan(table.schema, tmp_path)
    for start in range(0, 5, batch_rows):
        scan.add(table.slice(start, batch_rows))
    assert scan.summaries() == summarize_interactions(table)
    assert scan.distinct_texts("user_id").to_pylist() == ["a", "b", "c"]


def test_times_that_are_all_missing_have_no_example(tmp_path: Path) -> None:
    scan = MomentScan(tmp_path)
    scan.add_rows(pa.table({"timestamp": pa.array([None], pa.int64()), "subsecond_ns": pa.array([None], pa.int32())}))
    assert (scan.summary().example, scan.summary().missing) == (None, 1.0)
