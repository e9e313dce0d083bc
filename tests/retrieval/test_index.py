import threading

import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval import index
from recsys.retrieval.index import CandidateIndex, ExactIndex, UpdatableIndex

NAN = float("nan")


def test_finds_the_largest_inner_products():
    # products of (1, 2): 1, 2, 3, -1
    found = ExactIndex(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]])).search(np.array([[1.0, 2.0]]), 3)
    assert found.items.tolist() == [[2, 1, 0]]
    assert found.scores.tolist() == [[3, 2, 1]]


def test_ties_go_to_the_lower_index():
    assert ExactIndex(np.ones((5, 2))).search(np.ones((1, 2)), 3).items.tolist() == [[0, 1, 2]]


def test_what_has_no_vector_is_not_found_and_finds_nothing():
    made = ExactIndex(np.array([[NAN, 1.0], [1.0, 1.0]]))
    assert made.search(np.array([[1.0, 0.0], [NAN, NAN]]), 2).items.tolist() == [[1, -1], [-1, -1]]


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    made, queries = ExactIndex(rng.normal(size=(50, 4))), rng.normal(size=(13, 4))
    whole = made.search(queries, 7)
    monkeypatch.setattr(index, "MAX_PRODUCTS", 150)
    parts = made.search(queries, 7)
    assert (parts.items == whole.items).all()
    np.testing.assert_allclose(parts.scores, whole.scores, rtol=1e-5)


def test_says_that_it_is_exact():
    made = ExactIndex(np.ones((5, 2)))
    assert isinstance(made, CandidateIndex)
    assert made.exact
    assert made.num_items == 5


def test_no_queries_find_nothing():
    assert ExactIndex(np.ones((5, 2))).search(np.ones((0, 2)), 3).items.shape == (0, 3)


def test_vectors_must_fit():
    with pytest.raises(RetrievalError, match=r"shape \[items, dimensions\], but they have the shape \[5\]"):
        ExactIndex(np.ones(5))
    with pytest.raises(RetrievalError, match=r"\[queries, 2\] are required, but they have the shape \[1, 3\]"):
        ExactIndex(np.ones((5, 2))).search(np.ones((1, 3)), 3)


def test_parts_of_the_catalogue_change_nothing(monkeypatch):
    rng = np.random.default_rng(2)
    # few numbers, so that there are ties within parts and across them
    vectors, queries = rng.integers(-1, 2, (60, 3)).astype(float), rng.integers(-1, 2, (5, 3)).astype(float)
    vectors[[7, 30, 59]] = NAN
    for width in (4, 25, 70):
        monkeypatch.setattr(index, "MAX_PRODUCTS", 2**22)
        whole = ExactIndex(vectors).search(queries, width)
        monkeypatch.setattr(index, "MAX_PRODUCTS", 40)  # 8 items at once
        parts = ExactIndex(vectors).search(queries, width)
        assert (parts.items == whole.items).all()
        assert (parts.scores == whole.scores).all()


def test_pairs_are_scored():
    made = ExactIndex(np.array([[1.0, 0.0], [0.0, 1.0], [NAN, 1.0]]))
    scores = made.score(np.array([[2.0, 3.0], [NAN, 1.0]]), np.array([[1, 0, 2, -1], [0, 1, 2, -1]]))
    assert scores.tolist() == [[3, 2, -np.inf, -np.inf], [-np.inf] * 4]


def test_items_come_and_go():
    made = ExactIndex(np.array([[1.0], [2.0], [3.0]]))
    assert isinstance(made, UpdatableIndex)
    asked = np.ones((1, 1))
    made.remove(np.array([2, 0]))
    assert made.search(asked, 3).items.tolist() == [[1, -1, -1]]
    made.add(np.array([5, 3]), np.array([[9.0], [0.5]]))  # item 4 was never there
    assert made.num_items == 6
    assert made.search(asked, 6).items.tolist() == [[5, 1, 3, -1, -1, -1]]
    made.add(np.array([0, 4]), np.array([[10.0], [NAN]]))  # a removed one comes back
    assert made.search(asked, 6).items.tolist() == [[0, 5, 1, 3, -1, -1]]
    assert made.present.tolist() == [True, True, False, True, False, True]
    made.remove(np.array([4]))  # which is not there
    made.add(np.array([], dtype=np.int64), np.ones((0, 1)))
    assert made.num_items == 6


def test_the_given_vectors_are_not_changed():
    vectors = np.ones((3, 2), dtype=np.float32)
    made = ExactIndex(vectors)
    made.remove(np.array([0]))
    made.add(np.array([0, 3]), np.full((2, 2), 7.0))
    assert (vectors == 1).all()


def test_as_if_it_had_been_built_so():
    rng = np.random.default_rng(4)
    vectors, queries = rng.normal(size=(300, 4)), rng.normal(size=(6, 4))
    made, there = ExactIndex(vectors[:100]), np.arange(300) < 100
    size = 100
    for _ in range(40):
        if rng.random() < 0.5:
            gone = rng.integers(0, size, 5)
            made.remove(gone)
            there[gone] = False
        else:
            absent = np.flatnonzero(~there)
            new = rng.choice(absent[absent < size + 8], 4, replace=False)
            made.add(new, vectors[new])
            there[new] = True
            size = max(size, new.max() + 1)
        built = ExactIndex(np.where(there[:size, None], vectors[:size], NAN))
        assert made.num_items == size
        assert (made.search(queries, 30).items == built.search(queries, 30).items).all()


def test_a_search_sees_all_of_an_update_or_nothing():
    made, stop, wrong = ExactIndex(np.ones((500, 4))), threading.Event(), []
    pair, vectors = np.array([500, 501]), np.array([[9.0] * 4, [8.0] * 4])

    def search():
        while not stop.is_set():
            first = made.search(np.ones((1, 4)), 2).items[0].tolist()
            if first not in ([500, 501], [0, 1]):
                wrong.append(first)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        made.add(pair, vectors)
        made.remove(pair)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("items", "vectors", "said"),
    [
        ([1], np.ones((1, 2)), "Items that are not in the index are required, but these are: 1. Remove them first"),
        ([7, 7], np.ones((2, 2)), "distinct, but these come more than once: 7"),
        ([-1], np.ones((1, 2)), "whole numbers from 0 on, but it is -1"),
        ([1.5], np.ones((1, 2)), "whole numbers from 0 on"),
        ([7], np.ones((1, 3)), r"Vectors of shape \[1, 2\] are required for 1 new items.* shape \[1, 3\]"),
        (range(20), np.ones((20, 2)), "but these are: 0, 1, 2, 3, 4. Remove"),
    ],
)
def test_what_cannot_be_added_is_refused(items, vectors, said):
    made = ExactIndex(np.ones((5, 2)))
    with pytest.raises(RetrievalError, match=said):
        made.add(np.array(items), vectors)
    assert made.num_items == 5


def test_what_is_not_of_the_catalogue_cannot_be_removed():
    made = ExactIndex(np.ones((5, 2)))
    for items in ([5], [0, -1]):
        with pytest.raises(RetrievalError, match=f"Items from 0 to 4 are required, but these came: {items[-1]}"):
            made.remove(np.array(items))
    with pytest.raises(RetrievalError, match="Items are removed by a list of their indices"):
        made.remove(np.array([0.5]))
    assert made.present.all()
