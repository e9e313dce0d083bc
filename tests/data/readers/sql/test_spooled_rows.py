from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.readers.sql.spooled_rows import spool_rows
from recsys.data.readers.tables.column_names import ColumnNames
from recsys.errors import DataError

CHUNKS = [
    pa.table({"user_id": ["a", "b"], "item_id": [1, 2], "rating": pa.array([None, None], pa.null())}),
    pa.table({"user_id": ["c"], "item_id": [3], "rating": [4]}),
    pa.table({"user_id": ["d"], "item_id": [4], "rating": [5]}),
    pa.table({"user_id": ["e"], "item_id": [5], "rating": [2.5]}),
]


def test_chunks_of_several_types_are_one_table(tmp_path: Path) -> None:
    rows = spool_rows(iter(CHUNKS), tmp_path, "the query")
    assert len(list(tmp_path.iterdir())) == 3  # neighbours of the same types are together
    columns = ColumnNames.parse(None)
    whole = rows.table.read_interactions(columns).table.to_pylist()
    assert [(row["user_id"], row["item_id"], row["rating"]) for row in whole] == [
        ("a", "1", None),
        ("b", "2", None),
        ("c", "3", 4.0),
        ("d", "4", 5.0),
        ("e", "5", 2.5),
    ]
    assert [row for batch in rows.table.batches(columns).batches() for row in batch.to_pylist()] == whole


def test_the_digest_tells_whether_the_rows_are_the_same(tmp_path: Path) -> None:
    directories = [tmp_path / str(number) for number in range(3)]
    for directory in directories:
        directory.mkdir()
    first, again = (spool_rows(iter(CHUNKS), directory, "q").digest for directory in directories[:2])
    other = spool_rows(iter(CHUNKS[:-1]), directories[2], "q").digest
    assert first == again != other


def test_types_that_do_not_go_together_are_refused_with_the_query(tmp_path: Path) -> None:
    chunks = [pa.table({"user_id": ["a"]}), pa.table({"user_id": [1]})]
    with pytest.raises(DataError, match=r"the query: a column must be of one type, but .* Cast it in the query"):
        spool_rows(iter(chunks), tmp_path, "the query")
