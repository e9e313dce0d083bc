"""Interactions in one file and in several."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.appending.append import append
from recsys.data.interaction_files import InteractionFiles
from recsys.data.prepared import open_prepared
from recsys.data.preparing import Preparation
from recsys.errors import PreparedDataError
from tests.data.appending.test_append import in_pieces, reader

FIRST = [(user, item, 3.0, 10) for user in "uvwxyz" for item in "abcdefg"]


def write(directory, name, **columns):
    table = pa.table({key: pa.array(values, type_) for key, (values, type_) in columns.items()})
    pq.write_table(table, directory / name)


def test_columns_that_only_later_files_have_are_filled(tmp_path):
    indices = {"user_index": ([0, 1], pa.int32()), "item_index": ([1, 0], pa.int32())}
    write(tmp_path, "interactions.parquet", **indices, timestamp=([5, 6], pa.int64()))
    write(
        tmp_path,
        "interactions.0001.parquet",
        **indices,
        timestamp=([7, 8], pa.int64()),
        first_timestamp=([3, 8], pa.int64()),
        weight=([2.0, 4.0], pa.float32()),
    )
    files = InteractionFiles.of(tmp_path)
    assert len(files) == 4 and files.column_names[3:] == ["first_timestamp", "weight"]
    assert files.read("user_index").tolist() == [0, 1, 0, 1]
    assert files.read("first_timestamp").tolist() == [5, 6, 3, 8]
    assert files.read("weight").tolist() == [1, 1, 2, 4] and files.read("weight").dtype == np.float32
    write(tmp_path, "interactions.0002.parquet", **indices)
    with pytest.raises(PreparedDataError, match="interactions.0002.parquet must have the column timestamp"):
        InteractionFiles.of(tmp_path).read("timestamp")


def test_files_are_copied_where_there_are_no_links(tmp_path, monkeypatch):
    def fails(*paths):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", fails)
    prepared = Preparation().prepare(reader(FIRST), tmp_path / "toy")
    grown = append(prepared, reader([("u", "h", 4.0, 20)])).prepared
    assert len(open_prepared(grown.directory, verify=True).interactions) == 43
    assert not os.path.samefile(grown.directory / "interactions.parquet", prepared.directory / "interactions.parquet")


def test_a_part_that_was_changed_or_is_gone_is_told(tmp_path):
    grown = in_pieces(tmp_path, [FIRST, [("u", "h", 4.0, 20)]], Preparation())
    path = grown.directory / "interactions.0001.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(2, "rating", [[1.0]]).cast(table.schema), path)
    with pytest.raises(PreparedDataError, match="was changed or damaged: its content hash should be"):
        open_prepared(grown.directory, verify=True)
    path.unlink()
    with pytest.raises(PreparedDataError, match="has 42 rows, but schema.json states 43"):
        open_prepared(grown.directory)
