import numpy as np
import pyarrow as pa
import pytest

from recsys.runtime.history_file import map_histories, write_history_file

OFFSETS = np.array([0, 2, 2, 5])
ITEMS = np.array([7, 2, 2, 9, 7], dtype=np.int32)
RATING = np.array([1, 2, 3, 4, 5], dtype=np.float32)
TIMESTAMP = np.array([30, 40, 10, 20, 2**40])


def write(path, rating=RATING, timestamp=TIMESTAMP):
    write_history_file(OFFSETS, ITEMS, rating, timestamp, path)
    return map_histories(path, 3)


def test_histories_come_back_with_ratings_and_times(tmp_path):
    taken = write(tmp_path / "histories.arrow").take(np.array([2, 1, 0]))
    assert taken.offsets.tolist() == [0, 3, 3, 5]
    assert taken.items.tolist() == [2, 9, 7, 7, 2]
    assert taken.rating.tolist() == [3, 4, 5, 1, 2]
    assert taken.timestamp.tolist() == [10, 20, 2**40, 30, 40]


def test_what_is_taken_has_the_type_of_indices(tmp_path):
    mapped = write(tmp_path / "histories.arrow")
    assert mapped.items.dtype == np.int32
    assert mapped.take(np.array([0])).items.dtype == mapped.latest(1).items.dtype == np.int64


@pytest.mark.parametrize("given", ["nothing", "rating", "timestamp"])
def test_ratings_and_times_may_be_missing(tmp_path, given):
    columns = {
        "rating": RATING if given == "rating" else None,
        "timestamp": TIMESTAMP if given == "timestamp" else None,
    }
    mapped = write(tmp_path / "histories.arrow", **columns)
    assert mapped.items.tolist() == ITEMS.tolist()
    for name, column in columns.items():
        found = getattr(mapped, name)
        assert found is None if column is None else found.tolist() == column.tolist()


def test_users_without_an_interaction(tmp_path):
    path = tmp_path / "histories.arrow"
    write_history_file(np.zeros(3, dtype=np.int64), ITEMS[:0], None, None, path)
    assert map_histories(path, 2).counts.tolist() == [0, 0]


def test_nothing_is_copied(tmp_path):
    mapped = write(tmp_path / "histories.arrow")
    for column in (mapped.offsets, mapped.items, mapped.rating, mapped.timestamp):
        assert not column.flags.owndata and not column.flags.writeable


def test_histories_of_other_users_are_refused(tmp_path):
    write(tmp_path / "histories.arrow")
    with pytest.raises(ValueError, match="a history for each of 4 users is required, but it has 3 lists"):
        map_histories(tmp_path / "histories.arrow", 4)


@pytest.mark.parametrize(
    ("column", "name", "message"),
    [
        (pa.array([[1], [2]]), "history", "lists of item_index, rating and timestamp are required"),
        (pa.array([1, 2]), "history", "lists of item_index, rating and timestamp are required"),
        (pa.array([[1], [2]]), "other", "a column history in one piece is required, but it has .'other'"),
    ],
)
def test_another_table_is_refused(tmp_path, column, name, message):
    batch = pa.record_batch([column], names=[name])
    with pa.OSFile(str(tmp_path / "file"), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    with pytest.raises(ValueError, match=message):
        map_histories(tmp_path / "file", 2)


def test_offsets_that_go_back_are_refused(tmp_path):
    write_history_file(np.array([0, 4, 2, 5]), ITEMS, None, None, tmp_path / "file")
    with pytest.raises(ValueError, match="[Oo]ffset"):
        map_histories(tmp_path / "file", 3)
