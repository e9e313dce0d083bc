import numpy as np
import pytest

from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.faiss_kinds import training
from tests.retrieval.made import clustered

faiss = pytest.importorskip("faiss")

NAN = float("nan")


@pytest.fixture(scope="module")
def world():
    items, queries = clustered()
    items[[5, 1999]] = NAN
    return items, queries


def test_only_a_sample_is_trained_with(world, monkeypatch):
    sizes = []
    monkeypatch.setattr(training, "store_of", noting(training.store_of, sizes))
    index = FaissIndex.build(world[0], "IVF8,Flat", training_vectors=500)
    assert sizes == [500]
    assert index.num_present == 1998


def noting(store_of, sizes):
    def make(*arguments):
        store = store_of(*arguments)
        train = store.train
        store.train = lambda vectors: (sizes.append(len(vectors)), train(vectors))
        return store

    return make


def test_all_items_are_added_in_blocks(world, monkeypatch):
    monkeypatch.setattr(training, "BLOCK", 300)
    known = np.delete(np.arange(2000), [5, 1999])
    store = training.filled_store(world[0], known, "Flat", None, 40, 0)
    assert (store.items() == known).all()
