import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.amendments import Amendments

positions = st.lists(st.integers(0, 11), unique=True).map(lambda rows: np.array(sorted(rows), dtype=np.int64))


@given(gone=positions, later=positions, changed=positions)
def test_positions_are_counted_among_the_rows_that_stay(gone, later, changed):
    """Against a list from which rows are taken in turn."""
    rows = np.delete(np.arange(24), gone)
    first = Amendments.none().followed_by(gone, changed)
    assert np.array_equal(first.numbers_of(np.arange(len(rows))), rows)
    assert np.array_equal(first.positions_of(rows), np.arange(len(rows)))
    second = first.followed_by(later, changed)
    assert np.array_equal(second.applied("weight", np.arange(24)), np.delete(rows, later))
    assert set(second.rows) == {*gone, *changed, *rows[later], *rows[changed]}


def test_values_of_now_come_back_from_the_file(tmp_path):
    amended = Amendments.none().followed_by(np.array([1]), np.array([0, 3]))
    weight = np.array([9, 2, 7, 4], dtype=np.float32)  # of rows 0, 2, 3, 4
    amended.with_values({"weight": weight}).save(tmp_path / "amendments.parquet")
    found = Amendments.load(tmp_path / "amendments.parquet")
    assert found.applied("weight", np.ones(5, dtype=np.float32)).tolist() == [9, 1, 7, 1]
    assert found.applied("user_index", np.arange(5)).tolist() == [0, 2, 3, 4]


def test_without_amendments_there_is_no_file(tmp_path):
    Amendments.none().save(tmp_path / "amendments.parquet")
    assert not list(tmp_path.iterdir())
    assert len(Amendments.load(tmp_path / "amendments.parquet").rows) == 0
