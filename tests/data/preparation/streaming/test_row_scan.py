from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.inspection.id_reading import IdReading
from recsys.data.preparation.streaming.executor import InProcess
from recsys.data.preparation.streaming.partition_files import read_rows
from recsys.data.preparation.streaming.row_scan import RowScan, scan_rows
from recsys.data.raw import RawDataset
from recsys.data.raw_stream import RawStream
from recsys.errors import DataError
from tests.data.raw_data import interactions_table

AS_THEY_ARE = IdReading()


def scanned(table: pa.Table, directory: Path, batch_rows: int = 2, ids: IdReading = AS_THEY_ARE) -> RowScan:
    stream = RawStream.of(RawDataset("toy", table), batch_rows)
    return scan_rows(stream, directory, 3, ids, InProcess()).scan


def rows_of(directory: Path) -> list[dict[str, object]]:
    parts = [rows for partition in range(3) if (rows := read_rows(directory, partition)) is not None]
    return sorted((row for part in parts for row in part.to_pylist()), key=lambda row: row["row"])


def test_valid_rows_go_to_the_partition_of_their_user_with_their_numbers(tmp_path: Path) -> None:
    table = interactions_table([("a", "x", 5.0, 1), ("b", "", 1.0, 2), ("a", "y", 2.0, 3), ("c", "x", 3.0, 4)])
    scan = scanned(table, tmp_path)
    assert [(row["row"], row["user_id"], row["rating"]) for row in rows_of(tmp_path)] == [
        (0, "a", 5.0),
        (2, "a", 2.0),
        (3, "c", 3.0),
    ]
    homes = [part["user_id"].to_pylist() for part in (read_rows(tmp_path, place) for place in range(3)) if part]
    assert sum("a" in home for home in homes) == 1
    assert (scan.report.num_rows, scan.report.num_invalid, scan.rating_range) == (4, 1, (2.0, 5.0))
    assert scan.columns.distinct_texts("user_id").to_pylist() == ["a", "b", "c"]


def test_white_space_around_ids_is_stripped_before_users_are_divided(tmp_path: Path) -> None:
    scanned(interactions_table([("a ", "x"), (" a", "y"), ("a", "z")]), tmp_path, ids=IdReading(strips_spaces=True))
    assert {row["user_id"] for row in rows_of(tmp_path)} == {"a"}


def test_fractions_of_seconds_get_the_precision_of_the_largest_of_all_batches(tmp_path: Path) -> None:
    table = interactions_table([("a", "x", 1.0, 0.123456789), ("a", "y", 1.0, 4e9 + 0.5)])
    scan = scanned(table, tmp_path, batch_rows=1)
    assert [row["subsecond_ns"] for row in rows_of(tmp_path)] == [123_457_000, 500_000_000]
    assert scan.has_subseconds


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"user_id": ["a"]}), "item_id is missing"),
        (pa.table({"user_id": [1], "item_id": ["x"]}), "user_id must be a column of strings, but is of type int64"),
        (pa.table({"user_id": ["a"], "item_id": ["x"], "rating": ["good"]}), "rating must be a column of numbers"),
    ],
)
def test_columns_of_other_types_are_refused(table: pa.Table, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        scanned(table, tmp_path)
