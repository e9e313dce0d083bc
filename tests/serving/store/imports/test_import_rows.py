from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recsys_serving.store.imports.import_rows import EPOCH, ImportedRows, _occurrences, read_prepared_table

from recsys.errors import PreparedDataError
from tests.serving.store.moments import NOON
from tests.serving.store.prepared_directory import LONG_AGO, NOON_SECONDS, prepare


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return ImportedRows.read(prepare(tmp_path_factory.mktemp("data") / "prepared"), EPOCH)


def test_rows_are_by_year_user_and_time(rows):
    (chunk,) = rows.chunks(100)
    found = [(row["user_id"], row["item_id"], row["microseconds"] // 10**6, row["value"]) for row in chunk.to_pylist()]
    assert found[:2] == [("ada", "1", LONG_AGO, 5.0), ("ada", "2", LONG_AGO + 1, 3.5)]
    assert found[2] == ("ada", "1", NOON_SECONDS + 60, 2.0)
    assert found[3:] == [("bob", "1", NOON_SECONDS, 4.0), ("cyd", "3", NOON_SECONDS, 1.0)]


def test_chunks_have_all_rows_in_order(rows):
    (whole,) = rows.chunks(100)
    parts = list(rows.chunks(2))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert pa.concat_tables(parts).drop_columns(["number"]).equals(whole.drop_columns(["number"]))
    assert parts[1].column("number").to_pylist() == [0, 1]


def test_months_are_those_with_rows(rows):
    assert [month.isoformat()[:10] for month in rows.months()] == ["1998-03-01", "2024-03-01"]


def test_rows_without_times_are_at_the_given_moment(tmp_path):
    directory = prepare(tmp_path / "prepared", ("timestamp",))
    assert set(ImportedRows.read(directory, NOON).microseconds) == {NOON_SECONDS * 10**6}


def test_times_finer_than_seconds_are_kept_to_the_microsecond(tmp_path):
    directory = prepare(tmp_path / "prepared")
    path = directory / "interactions.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("subsecond_ns", pa.array([1500] * len(table), pa.int32())), path)
    assert set(ImportedRows.read(directory, EPOCH).microseconds % 10**6) == {1}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_occurrences_number_the_rows_of_each_pair(pairs):
    seen: Counter[tuple[int, int]] = Counter()
    expected = []
    for pair in pairs:
        expected.append(seen[pair])
        seen[pair] += 1
    columns = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    assert _occurrences(columns[:, 0], columns[:, 1]).tolist() == expected


def test_a_table_that_is_missing_or_damaged_is_an_error(tmp_path):
    with pytest.raises(PreparedDataError, match="missing or damaged"):
        read_prepared_table(tmp_path, "users.parquet")
    (tmp_path / "users.parquet").write_bytes(b"no table")
    with pytest.raises(PreparedDataError, match="Prepare the data again"):
        read_prepared_table(tmp_path, "users.parquet")
