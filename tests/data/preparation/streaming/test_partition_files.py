from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.data.preparation.streaming.partition_files import (
    RowWriter,
    open_interactions,
    partition_of,
    read_rows,
    remove_rows,
    save_interactions,
)
from tests.data.preparation.made_interactions import listed, make


def test_the_partition_of_a_user_follows_from_the_id_and_all_are_used() -> None:
    ids = pa.array([f"user {number}" for number in range(1000)])
    partition = partition_of(ids, 7)
    assert np.bincount(partition, minlength=7).min() > 100
    assert partition_of(ids.take(pa.array([5, 3])), 7).tolist() == [partition[5], partition[3]]
    assert partition_of(pa.array(["Anna", "", "ä"]), 1000).tolist() == [323, 774, 998]  # on every machine


def test_rows_are_read_in_their_order_with_the_numbers_of_all_sources(tmp_path: Path) -> None:
    rows = pa.table({"user_id": ["a", "b", "c", "d"], "row": np.arange(4)})
    for source in range(2):
        with RowWriter(tmp_path, 3, source) as writer:
            writer.write(rows.slice(0, 3), np.array([2, 0, 2]))
            writer.write(rows.slice(3), np.array([2]))
    found = read_rows(tmp_path, 2, first_rows=(0, 10))
    assert found is not None
    assert found.to_pydict() == {"user_id": ["a", "c", "d", "a", "c", "d"], "row": [0, 2, 3, 10, 12, 13]}
    assert read_rows(tmp_path, 1, first_rows=(0, 10)) is None
    remove_rows(tmp_path, 2, num_sources=2)
    assert read_rows(tmp_path, 2, first_rows=(0, 10)) is None


def test_interactions_are_opened_as_they_were_saved(tmp_path: Path) -> None:
    saved = make([(0, 1), (1, 2)], rating=[1, 2], timestamp=[5, 6])
    save_interactions(tmp_path, 4, saved, np.array([7, 9]))
    found = open_interactions(tmp_path, 4, saved.num_users, saved.num_items)
    assert found is not None
    interactions, rows = found
    assert (interactions.pairs.tolist(), listed(interactions.rating), rows.tolist()) == ([1, 7], [1, 2], [7, 9])
    assert interactions.weight is None


def test_a_partition_without_interactions_has_no_files(tmp_path: Path) -> None:
    save_interactions(tmp_path, 0, make([]), np.empty(0, dtype=np.int64))
    assert open_interactions(tmp_path, 0, 0, 5) is None
    assert list(tmp_path.iterdir()) == []
