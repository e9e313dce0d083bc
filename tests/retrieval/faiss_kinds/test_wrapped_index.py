import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.faiss_kinds.wrapped_index import WrappedIndex, items_of_entries, reason_of

faiss = pytest.importorskip("faiss")


def make(factory):
    return WrappedIndex(faiss.index_factory(4, factory, faiss.METRIC_INNER_PRODUCT))


def test_it_finds_its_parts():
    plain, rotated = make("Flat"), make("IDMap,RR4,Flat")
    assert (plain.has_item_table, plain.rotations, plain.dim) == (False, [], 4)
    assert (rotated.has_item_table, len(rotated.rotations), rotated.dim) == (True, 1, 4)
    assert isinstance(rotated.inner, faiss.IndexFlat)


def test_a_rotation_keeps_inner_products_and_other_transforms_are_none():
    vectors = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    index = make("IDMap,RR4,Flat")
    index.train(vectors)
    assert all(index.rotates(rotation) for rotation in index.rotations)
    np.testing.assert_allclose(index.rotated(vectors) @ index.rotated(vectors).T, vectors @ vectors.T, atol=1e-4)
    reduced = make("PCA2,Flat")
    assert not any(reduced.rotates(transform) for transform in reduced.rotations)


def test_entries_become_items():
    assert items_of_entries(np.array([7, 9]), np.array([[1, -1], [0, 1]])).tolist() == [[9, -1], [7, 9]]


def test_the_place_in_the_source_is_left_out_of_what_faiss_says():
    error = RuntimeError("Error in void f(int) at /root/faiss/index.cpp:12: Error: 'a < b' failed: no such thing.")
    assert reason_of(error) == "Error: 'a < b' failed: no such thing"


def test_a_kind_that_no_gpu_searches_is_refused(monkeypatch):
    def refuse(resources, device, index):
        raise RuntimeError("This index type is not implemented on GPU.")

    monkeypatch.setattr(faiss, "index_cpu_to_gpu", refuse, raising=False)
    with pytest.raises(RetrievalError, match="cannot search this kind of index on a GPU: This index type is not impl"):
        make("HNSW8").inner_on_gpu(object())
