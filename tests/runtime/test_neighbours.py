import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys.runtime.neighbours import NeighbourTable


@pytest.fixture
def table():
    """Items 0 and 2 have neighbours, items 1 and 3 have none."""
    return NeighbourTable(np.array([0, 2, 2, 3, 3]), np.array([3, 1, 0]), np.array([0.75, 0.5, 0.25], dtype=np.float32))


def neighbours_of(table, item):
    neighbours, weights = table.of(item)
    return neighbours.tolist(), weights.tolist()


def test_each_item_has_its_own_neighbours(table):
    assert neighbours_of(table, 0) == ([3, 1], [0.75, 0.5])
    assert neighbours_of(table, 2) == ([0], [0.25])


@pytest.mark.parametrize("item", [1, 3])
def test_an_item_may_have_none(table, item):
    assert neighbours_of(table, item) == ([], [])


def test_what_is_written_is_read(table, tmp_path):
    path = tmp_path / "neighbours.parquet"
    table.write(path)
    read = NeighbourTable.read(path, num_items=4)
    for name in ("offsets", "neighbours", "weights"):
        assert getattr(read, name).tolist() == getattr(table, name).tolist(), name
        assert getattr(read, name).dtype == getattr(table, name).dtype, name


def test_the_file_has_a_row_for_each_neighbour(table, tmp_path):
    path = tmp_path / "neighbours.parquet"
    table.write(path)
    assert pq.read_table(path).to_pydict() == {
        "item_index": [0, 0, 2],
        "neighbour_index": [3, 1, 0],
        "weight": [0.75, 0.5, 0.25],
    }


def test_a_table_without_neighbours_is_read(tmp_path):
    path = tmp_path / "neighbours.parquet"
    none = np.zeros(0, dtype=np.int64)
    NeighbourTable(np.zeros(4, dtype=np.int64), none, none.astype(np.float32)).write(path)
    read = NeighbourTable.read(path, num_items=3)
    assert [neighbours_of(read, item) for item in range(3)] == [([], [])] * 3
