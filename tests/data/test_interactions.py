import numpy as np
import pytest

from recsys.data.interactions import Interactions


def interactions(rating: list[float] | None = None) -> Interactions:
    return Interactions(
        user_index=np.array([0, 1, 1, 2], dtype=np.int32),
        item_index=np.array([3, 0, 2, 1], dtype=np.int32),
        rating=None if rating is None else np.array(rating, dtype=np.float32),
        timestamp=np.array([40, 10, 20, 30]),
        fold=np.array([0, 1, 2, 0], dtype=np.int8),
        num_users=5,
        num_items=4,
    )


def test_length_is_the_number_of_rows_and_not_of_users() -> None:
    assert len(interactions()) == 4


def test_take_picks_rows_of_every_column_in_the_order_asked() -> None:
    taken = interactions(rating=[1.0, 2.0, 3.0, 4.0]).take(np.array([2, 0]))
    assert taken.user_index.tolist() == [1, 0]
    assert taken.item_index.tolist() == [2, 3]
    assert taken.rating is not None and taken.rating.tolist() == [3.0, 1.0]
    assert taken.timestamp is not None and taken.timestamp.tolist() == [20, 40]
    assert taken.fold is not None and taken.fold.tolist() == [2, 0]


def test_take_keeps_the_sizes_of_the_vocabularies() -> None:
    taken = interactions().take(np.array([3]))
    assert (taken.num_users, taken.num_items) == (5, 4)


def test_take_accepts_a_mask() -> None:
    assert interactions().take(np.array([False, True, False, True])).item_index.tolist() == [0, 1]


def test_take_of_no_rows_is_empty() -> None:
    assert len(interactions().take(np.empty(0, dtype=np.int64))) == 0


def test_take_leaves_missing_columns_missing() -> None:
    bare = Interactions(np.zeros(2, np.int32), np.zeros(2, np.int32), None, None, None, 1, 1).take(np.array([1]))
    assert bare.rating is None and bare.timestamp is None and bare.fold is None


def test_at_least_includes_the_threshold_itself() -> None:
    assert interactions(rating=[3.5, 4.0, 4.5, 1.0]).rows_rated_at_least(4.0).tolist() == [1, 2]


def test_at_least_without_a_threshold_is_every_row() -> None:
    assert interactions(rating=[3.5, 4.0, 4.5, 1.0]).rows_rated_at_least(None).tolist() == [0, 1, 2, 3]


def test_at_least_without_ratings_is_every_row() -> None:
    assert interactions().rows_rated_at_least(4.0).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("min_rating", [None, 4.0])
def test_as_many_are_counted_as_there_are_rows_of_them(min_rating: float | None) -> None:
    for some in (interactions(), interactions(rating=[3.5, 4.0, 4.5, 1.0])):
        assert some.num_rated_at_least(min_rating) == len(some.rows_rated_at_least(min_rating))


@pytest.mark.parametrize("name", ["item_index", "rating", "timestamp", "fold"])
def test_columns_of_different_lengths_are_refused(name: str) -> None:
    columns = {"item_index": np.zeros(2, np.int32), "rating": None, "timestamp": None, "fold": None}
    columns[name] = np.zeros(3, np.int32)
    with pytest.raises(AssertionError, match=f"{name} has another length"):
        Interactions(user_index=np.zeros(2, np.int32), num_users=1, num_items=1, **columns)  # type: ignore[arg-type]


def test_a_selection_holds_no_copy_of_a_column() -> None:
    whole = interactions([1, 2, 3, 4])
    taken = whole.take(np.array([2, 0])).take(np.array([True, False]))
    column, rows = taken.source_of("rating") or (None, None)
    assert column is whole.rating
    assert rows is not None and (rows.tolist(), rows.dtype) == ([2], np.int32)
    assert taken.user_index.tolist() == whole.user_index[[2]].tolist()
    assert len(taken) == 1
