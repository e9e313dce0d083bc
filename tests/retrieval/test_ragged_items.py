import numpy as np
import pytest

from recsys.retrieval import ragged_items
from recsys.retrieval.ragged_items import RaggedItems

LISTS = RaggedItems(
    np.array([0, 2, 2, 5]), np.array([7, 2, 2, 9, 7]), np.arange(5, dtype=np.float32), np.arange(5) * 10
)


def test_rows_and_counts():
    assert LISTS.counts.tolist() == [2, 0, 3]
    assert LISTS.rows.tolist() == [0, 0, 2, 2, 2]
    assert len(LISTS) == 3


def test_the_latest_of_each_list_stay_with_all_that_belongs_to_them():
    latest = LISTS.latest(2)
    assert latest.counts.tolist() == [min(2, count) for count in LISTS.counts]
    for row in range(len(LISTS)):
        own, kept = LISTS.take(np.array([row])), latest.take(np.array([row]))
        for name in ("items", "rating", "timestamp"):
            assert getattr(kept, name).tolist() == getattr(own, name).tolist()[-2:]
    assert LISTS.latest(9).items.tolist() == LISTS.items.tolist()


def test_lists_are_taken_with_all_that_belongs_to_them():
    taken = LISTS.take(np.array([2, 1, 0, 2]))
    assert taken.offsets.tolist() == [0, 3, 3, 5, 8]
    assert taken.items.tolist() == [2, 9, 7, 7, 2, 2, 9, 7]
    assert taken.rating.tolist() == [2, 3, 4, 0, 1, 2, 3, 4]
    assert taken.timestamp.tolist() == [20, 30, 40, 0, 10, 20, 30, 40]


@pytest.fixture(params=["by table", "by search"])
def either_way(request, monkeypatch):
    if request.param == "by search":
        monkeypatch.setattr(ragged_items, "MAX_TABLE", 0)


@pytest.mark.usefixtures("either_way")
def test_membership_is_that_of_the_own_list():
    # the same item is in the first and in the last list, and not in the second
    assert LISTS.contain(np.array([[7, 9], [7, 2], [9, 0]])).tolist() == [[True, False], [False] * 2, [True, False]]


@pytest.mark.usefixtures("either_way")
def test_an_item_beyond_all_listed_ones_is_in_no_list():
    # with keys of base 10 item 12 of row 0 would be item 2 of row 1
    lists = RaggedItems.of([[], [2]])
    assert lists.contain(np.array([[12], [12]])).tolist() == [[False], [False]]


def test_lists_without_items():
    assert RaggedItems.empty(2).contain(np.array([[0], [1]])).tolist() == [[False], [False]]
    assert RaggedItems.empty(2).take(np.array([1])).counts.tolist() == [0]
    assert RaggedItems.of([[], []]).items.dtype == np.int64


def test_from_pairs():
    lists = RaggedItems.from_pairs(np.array([0, 2, 2]), np.array([5, 6, 7]), 4)
    assert lists.offsets.tolist() == [0, 1, 1, 3, 3]
