"""The copy here is one on the CPU, which stands for the GPU's; what a GPU itself does is not tested by it."""

import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.faiss_kinds.gpu_copy import GpuCopy
from recsys.retrieval.faiss_kinds.opening import empty_index, store_of
from recsys.retrieval.faiss_kinds.wrapped_index import WrappedIndex
from tests.retrieval.made import clustered

faiss = pytest.importorskip("faiss")

NUMBERS = np.arange(1000, 1300)


@pytest.fixture
def copies(monkeypatch):
    """Copies are made on the CPU; the resources and the device of each are written down."""
    made = []

    def copy(resources, device, index):
        made.append((resources, device))
        return faiss.clone_index(index)

    monkeypatch.setattr(faiss, "index_cpu_to_gpu", copy, raising=False)
    return made


def filled(factory):
    vectors, queries = clustered(num_items=300, num_queries=5)
    store = store_of(empty_index(factory, 16, construction_effort=40, seed=0), np.zeros(0, dtype=np.int64))
    store.train(vectors)
    store.add(NUMBERS, vectors)
    return store, queries


@pytest.mark.parametrize("factory", ["Flat", "RR16,Flat", "IVF4,Flat"])
def test_a_copy_finds_what_the_original_finds(copies, factory):
    store, queries = filled(factory)
    copy = store.on_gpu("resources")
    assert copies == [("resources", 0)]
    items, scores = copy.search(queries, 10, 2)
    expected_items, expected_scores = store.search(queries, 10, 2)
    assert items.tolist() == expected_items.tolist()
    np.testing.assert_array_equal(scores, expected_scores)


def test_the_effort_is_that_of_the_search(copies):
    store, queries = filled("IVF4,Flat")
    copy = store.on_gpu(None)
    found = [copy.search(queries, 300, effort)[0] for effort in (1, 4)]
    # all four lists have all 300 items, and one has some of them
    assert (found[1] >= 0).all() and (found[0] < 0).any()


def test_entries_become_items(copies):
    # by inner product with (1, 0) entry 1 is the best, and it is of item 9
    store = store_of(empty_index("Flat", 2, construction_effort=40, seed=0), np.zeros(0, dtype=np.int64))
    store.add(np.array([7, 9]), np.array([[1, 0], [2, 0]], dtype=np.float32))
    items, scores = store.on_gpu(None).search(np.array([[1, 0]], dtype=np.float32), 2, 1)
    assert (items.tolist(), scores.tolist()) == ([[9, 7]], [[2, 1]])


def test_a_kind_that_no_gpu_searches_is_refused(monkeypatch):
    def refuse(resources, device, index):
        raise RuntimeError("This index type is not implemented on GPU.")

    monkeypatch.setattr(faiss, "index_cpu_to_gpu", refuse, raising=False)
    index = WrappedIndex(empty_index("HNSW8", 16, construction_effort=40, seed=0))
    with pytest.raises(RetrievalError, match="cannot search this kind of index on a GPU.*Choose Flat or lists"):
        GpuCopy(index, object(), NUMBERS)
