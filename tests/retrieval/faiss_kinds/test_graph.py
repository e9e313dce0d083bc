import numpy as np
import pytest

from recsys.retrieval.candidates import NO_ITEM
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.faiss_kinds.opening import empty_index, store_of
from recsys.retrieval.index import ExactIndex
from tests.retrieval.made import clustered, recall

faiss = pytest.importorskip("faiss")

NAN = float("nan")


@pytest.fixture(scope="module")
def world():
    items, queries = clustered()
    items[[5, 1999]] = NAN
    queries[3] = NAN
    return items, queries


def test_removed_entries_are_marked_and_never_found():
    vectors = np.eye(4, dtype=np.float32)
    store = store_of(empty_index("HNSW8", 4, construction_effort=40, seed=0), np.zeros(0, dtype=np.int64))
    store.add(np.array([10, 11, 12, 13]), vectors)
    store.remove(np.array([11, 99]))
    assert store.items().tolist() == [10, NO_ITEM, 12, 13]
    assert (store.removed_share, store.max_search_effort) == (0.25, 4)
    assert 11 not in store.search(vectors[1:2], 4, store.max_search_effort)[0]
    rebuilt = store.rebuilt()
    assert (rebuilt.items().tolist(), rebuilt.removed_share) == ([10, 12, 13], 0.0)
    assert rebuilt.search_effort == store.search_effort
    assert store.items().tolist() == [10, NO_ITEM, 12, 13]  # which stays as it is


def test_a_graph_is_built_again_when_much_of_it_is_removed(world):
    items, queries = world
    index = FaissIndex.build(items, "HNSW16", search_effort=50)
    index.remove(np.arange(300))  # 15 %: marked
    assert index.max_search_effort == 1998
    index.remove(np.arange(300, 500))
    assert index.max_search_effort == index.num_present == 1499  # entries: the items 500 to 1998
    assert index.search_effort == 50
    left = ExactIndex(np.where(np.arange(2000)[:, None] < 500, NAN, items))
    found = index.search(queries, 20)
    assert recall(found.items, left.search(queries, 20).items) >= 0.6
    np.testing.assert_allclose(found.scores, left.score(queries, found.items), rtol=1e-5)
