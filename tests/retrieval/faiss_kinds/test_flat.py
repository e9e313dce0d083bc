import numpy as np
import pytest

from recsys.retrieval.faiss_kinds.opening import empty_index, store_of

pytest.importorskip("faiss")


def make(factory):
    return store_of(empty_index(factory, 4, construction_effort=40, seed=0), np.zeros(0, dtype=np.int64))


def test_entries_move_up_when_items_leave():
    store, vectors = make("Flat"), np.eye(4, dtype=np.float32)
    store.add(np.array([10, 11, 12]), vectors[:3])
    store.remove(np.array([11, 99]))
    store.add(np.array([13]), vectors[3:])
    assert store.items().tolist() == [10, 12, 13]
    items, scores = store.search(vectors, 1, 1)
    assert items[[0, 2, 3], 0].tolist() == [10, 12, 13]
    assert scores[:, 0].tolist() == [1, 0, 1, 1]
    assert store.rebuilt() is store


def test_nothing_but_the_plain_vectors_is_exact():
    assert [make(factory).exact for factory in ("Flat", "SQfp16", "RR4,Flat")] == [True, False, False]
