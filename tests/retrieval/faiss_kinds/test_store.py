import numpy as np
import pytest

from recsys.retrieval.faiss_kinds.gpu_copy import GpuCopy
from recsys.retrieval.faiss_kinds.store import VectorStore


class Index:
    """Writes down what it is asked to do."""

    dim = 3

    def __init__(self):
        self.calls = []

    def train(self, vectors):
        self.calls.append(("train", vectors))

    def write(self, items, path):
        self.calls.append(("write", items, path))

    def inner_on_gpu(self, resources):
        self.calls.append(("on_gpu", resources))


class Kind(VectorStore):
    """A kind that says no more than it has to."""

    search_effort = 1
    max_search_effort = 1

    def add(self, items, vectors):
        raise NotImplementedError

    def remove(self, items):
        raise NotImplementedError

    def search(self, queries, width, search_effort):
        raise NotImplementedError


ITEMS = np.array([4, 2])


@pytest.fixture
def index():
    return Index()


def test_a_kind_must_say_how_it_adds_removes_and_searches(index):
    class Nothing(VectorStore):
        pass

    with pytest.raises(TypeError, match=r"abstract.*add.*max_search_effort.*remove.*search.*search_effort"):
        Nothing(index, ITEMS)


def test_a_kind_promises_nothing_of_itself(index):
    store = Kind(index, ITEMS)
    assert (store.exact, store.removed_share, store.search_effort_name, store.num_lists) == (False, 0, None, 0)


def test_the_size_is_that_of_the_index_and_the_items_are_those_given(index):
    store = Kind(index, ITEMS)
    assert store.dim == 3 and store.items() is ITEMS


def test_without_removed_entries_there_is_nothing_to_rebuild(index):
    store = Kind(index, ITEMS)
    assert store.rebuilt() is store


def test_the_index_learns_from_the_sample(index):
    sample = np.ones((2, 3), dtype=np.float32)
    Kind(index, ITEMS).train(sample)
    ((what, vectors),) = index.calls
    assert what == "train" and vectors is sample


def test_the_index_is_written_with_its_items(index, tmp_path):
    Kind(index, ITEMS).write(tmp_path / "index.faiss")
    assert index.calls == [("write", ITEMS, tmp_path / "index.faiss")]


def test_the_index_is_copied_to_a_gpu(index):
    assert isinstance(Kind(index, ITEMS).on_gpu("resources"), GpuCopy)
    assert index.calls == [("on_gpu", "resources")]
