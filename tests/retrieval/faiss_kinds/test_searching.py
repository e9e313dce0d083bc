import itertools

import numpy as np
import pytest

from recsys.retrieval import faiss_index
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.faiss_kinds import searching
from recsys.retrieval.faiss_kinds.searching import WideningSearch
from tests.retrieval.made import clustered

faiss = pytest.importorskip("faiss")

NAN = float("nan")


@pytest.fixture(scope="module")
def world():
    items, queries = clustered()
    items[[5, 1999]] = NAN
    return items, queries


class CountingStore:
    """Finds two items for each unit of effort and writes down how it was asked."""

    search_effort, max_search_effort = 2, 40

    def __init__(self):
        self.asked = []

    def search(self, queries, width, search_effort):
        self.asked.append((len(queries), width, search_effort))
        items = np.where(np.arange(width) < 2 * search_effort, np.arange(width), -1)
        return np.tile(items, (len(queries), 1)), np.zeros((len(queries), width), dtype=np.float32)


@pytest.mark.parametrize(
    ("width", "asked"),
    [
        (4, [(3, 4, 2)]),  # the effort is meant for up to 100
        (200, [(3, 200, 4), (3, 200, 16), (3, 200, 40)]),  # in proportion, and more where too few are found
        (500, [(3, 500, 40)]),  # all that there are
    ],
)
def test_effort_grows_with_what_is_asked_for(width, asked):
    store = CountingStore()
    items, _ = WideningSearch(None).search(store, np.ones((3, 2), dtype=np.float32), width, num_present=500)
    assert store.asked == asked
    assert items.shape == (3, width)


@pytest.mark.parametrize("factory", ["Flat", "IVF32,Flat"])
def test_what_a_gpu_cannot_search_is_searched_on_the_cpu(world, monkeypatch, factory):
    """The copy here is one on the CPU, which stands for the GPU's; what the GPU itself does is not tested by it."""
    copied, asked = itertools.count(), []

    def copy(resources, device, index):
        next(copied)
        made = faiss.clone_index(index)
        search = made.search
        made.search = lambda vectors, width, params=None: (asked.append(width), search(vectors, width, params=params))[
            1
        ]
        return made

    monkeypatch.setattr(faiss_index, "faiss_gpu_resources", object)
    monkeypatch.setattr(faiss, "index_cpu_to_gpu", copy, raising=False)
    monkeypatch.setattr(searching, "MAX_ON_GPU", 100)
    items, queries = world
    index, there = FaissIndex.build(items, factory), FaissIndex.build(items, factory, gpu=True)
    assert (there.search(queries, 50).items == index.search(queries, 50).items).all()
    assert asked == [50]
    assert (there.search(queries, 500).items == index.search(queries, 500).items).all()
    assert asked == [50]
    there.add(np.array([2000]), 100 * queries[:1])
    assert there.search(queries[:1], 1).items.tolist() == [[2000]]
    assert next(copied) == 2
