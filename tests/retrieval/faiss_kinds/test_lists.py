import numpy as np
import pytest

from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.faiss_kinds.opening import empty_index, store_of
from tests.retrieval.made import clustered

faiss = pytest.importorskip("faiss")

NAN = float("nan")


@pytest.fixture(scope="module")
def world():
    items, queries = clustered()
    items[[5, 1999]] = NAN
    return items, queries


def test_a_sixteenth_of_the_lists_is_searched_if_nothing_is_said():
    stores = [
        store_of(empty_index(f"IVF{lists},Flat", 8, construction_effort=40, seed=0), np.zeros(0, dtype=np.int64))
        for lists in (4, 64)
    ]
    assert [(store.num_lists, store.search_effort, store.max_search_effort) for store in stores] == [
        (4, 1, 4),
        (64, 4, 64),
    ]
    assert not any(store.exact for store in stores)


def test_lists_are_balanced_between_long_and_short_vectors(world):
    # by inner product nearly all items would go to the few longest centroids
    items = world[0]
    index = FaissIndex.build(items, "IVF32,Flat")
    index.search_effort = 1
    sizes = [index.search(query[None], 2000).present.sum() for query in world[1][:3]]
    assert sizes == [1998] * 3
    lists = index._store._index.inner.invlists
    assert max(lists.list_size(number) for number in range(32)) < 1998 / 4
