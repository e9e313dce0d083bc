import subprocess
import sys
import threading

import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import NO_ITEM
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.filtering.filters import ItemMaskFilter
from recsys.retrieval.index import ExactIndex, UpdatableIndex
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.retrievers import IndexRetriever
from tests.retrieval.made import clustered, recall, requests

faiss = pytest.importorskip("faiss")

NAN = float("nan")
#: A kind, and the recall of the best 20 that it must have at its default search effort on the made items. Of a graph of
#: inner products little can be asked where vectors are of such different lengths.
KINDS = {
    "Flat": 1.0,
    "SQfp16": 0.99,
    "SQ8": 0.97,
    "PQ4x4": 0.3,
    "IVF32,Flat": 0.6,
    "IVF32,SQ8": 0.6,
    "IVF32,PQ4x4": 0.3,
    "RR16,IVF32,SQ8": 0.6,
    "RR16,Flat": 0.99,
    "HNSW16": 0.6,
    "HNSW16_SQ8": 0.6,
}
#: One of each way to hold entries.
STORES = ["Flat", "SQ8", "IVF32,Flat", "RR16,IVF16,PQ2x4", "HNSW16"]


@pytest.fixture(scope="module")
def world():
    items, queries = clustered()
    items[[5, 1999]] = NAN
    queries[3] = NAN
    return items, queries


@pytest.mark.parametrize("factory", KINDS)
def test_finds_what_exact_search_finds(world, factory):
    items, queries = world
    index, best = FaissIndex.build(items, factory), ExactIndex(items).search(queries, 20)
    assert isinstance(index, UpdatableIndex)
    assert (index.num_items, index.num_present, index.dim) == (2000, 1998, 16)
    found = index.search(queries, 20)
    assert found.items.dtype == np.int64
    assert recall(found.items, best.items) >= KINDS[factory]
    assert (np.diff(found.scores[np.arange(40) != 3]) <= 0).all()
    assert not np.isin(found.items, [5, 1999]).any()
    # a query with NaN finds nothing, in any kind
    assert found.items[3].tolist() == [NO_ITEM] * 20
    assert (found.scores[3] == -np.inf).all()


def test_only_flat_is_exact(world):
    items, queries = world
    flat, exact = FaissIndex.build(items, "Flat"), ExactIndex(items)
    assert flat.exact
    assert (flat.search(queries, 50).items == exact.search(queries, 50).items).all()
    np.testing.assert_allclose(flat.search(queries, 50).scores, exact.search(queries, 50).scores, rtol=1e-5)
    assert not any(FaissIndex.build(items, kind).exact for kind in ("SQ8", "IVF4,Flat", "RR16,Flat", "HNSW8"))


@pytest.mark.parametrize("factory", STORES)
def test_whoever_asks_for_everything_gets_it(world, factory):
    items, queries = world
    index = FaissIndex.build(items, factory)
    known = set(range(2000)) - {5, 1999}
    for width in (1998, 2500):  # as many as there are, and more
        found = index.search(queries[:2], width)
        assert found.width == width
        assert (found.items[:, 1998:] == NO_ITEM).all()
        for row in found.items[:, :1998].tolist():
            assert set(row) == known


@pytest.mark.parametrize("factory", STORES)
def test_a_list_never_ends_before_the_catalogue_does(world, factory):
    items, queries = world
    index = FaissIndex.build(items, factory)
    index.search_effort = 1  # a single list, or a single way through the graph, holds far fewer than are asked for
    for width in (150, 900, 1997):
        found = index.search(np.delete(queries, 3, axis=0), width)
        assert found.present.all()
        assert found.first_of_each_item().all()


def test_equal_scores_are_in_the_order_of_the_items():
    index = FaissIndex.build(np.ones((20, 4)), "IVF1,Flat")
    assert index.search(np.ones((1, 4)), 20).items[0].tolist() == list(range(20))


def test_more_effort_finds_more(world):
    items, queries = world
    index, best = FaissIndex.build(items, "IVF32,Flat"), ExactIndex(items).search(queries, 20).items
    recalls = []
    for search_effort in (1, 4, 32):
        index.search_effort = search_effort
        recalls.append(recall(index.search(queries, 20).items, best))
    assert recalls[0] < recalls[1] < recalls[2] == 1


def test_a_search_for_more_is_broader(world):
    items, queries = world
    index = FaissIndex.build(items, "IVF32,Flat", search_effort=2)
    # at 100 candidates 2 lists, at 800 16 of the 32
    few, many = index.search(queries, 100).items, index.search(queries, 800).items
    best = ExactIndex(items).search(queries, 100).items
    assert recall(many, best) > recall(few, best) + 0.1


def test_candidates_are_scored_anew(world):
    items, queries = world
    exact = ExactIndex(items)
    best = exact.search(queries, 20).items
    coded, anew = FaissIndex.build(items, "PQ4x4"), FaissIndex.build(items, "PQ4x4", rescore=8)
    assert recall(anew.search(queries, 20).items, best) > recall(coded.search(queries, 20).items, best) + 0.1
    found = anew.search(queries, 20)
    np.testing.assert_allclose(found.scores, exact.score(queries, found.items), rtol=1e-5)
    anew.add(np.array([2000]), 100 * queries[:1])
    assert anew.search(queries[:1], 3).items[0, 0] == 2000


@pytest.mark.parametrize("factory", STORES)
def test_items_come_and_go(world, factory):
    items, queries = world
    index = FaissIndex.build(items, factory)
    before = index.search(queries[:3], 30).items
    gone = np.unique(before)
    index.remove(np.append(gone, 5))  # one without a vector is not there anyway
    assert (index.num_items, index.num_present) == (2000, 1998 - len(gone))
    assert not np.isin(index.search(queries[:3], 2000).items, gone).any()
    assert (index.search(queries[:3], 2000).present.sum(axis=1) == [1998 - len(gone)] * 3).all()
    # a removed one comes back and new ones come, far beyond the catalogue and without a vector
    index.add(np.array([gone[0], 2100, 2050]), np.stack([50 * queries[0], 60 * queries[0], np.full(16, NAN)]))
    assert (index.num_items, index.num_present) == (2101, 2000 - len(gone))
    if "PQ" not in factory:  # whose codes cannot say how long such vectors are
        assert index.search(queries[:1], 2).items.tolist() == [[2100, gone[0]]]
    everything = index.search(queries[:1], 2101).items[0]
    assert set(everything.tolist()) == {*range(2000), 2100, NO_ITEM} - {5, 1999, *gone[1:].tolist()}


@pytest.mark.parametrize("factory", ["IVF16,Flat", "HNSW16", "Flat"])
def test_a_search_sees_all_of_an_update_or_nothing(factory):
    items, queries = clustered(num_items=1000)
    index = FaissIndex.build(items, factory)
    pair = np.array([1000, 1001])  # both are better than all others for query 0, and come and go together
    vectors = np.stack([90 * queries[0], 80 * queries[0]])
    wrong, errors, stop = [], [], threading.Event()

    def search():
        try:
            while not stop.is_set():
                first = index.search(queries[:1], 5).items[0, :2].tolist()
                if first != [1000, 1001] and {1000, 1001} & set(first):
                    wrong.append(first)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(25):
        index.add(pair, vectors)
        index.remove(pair)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == errors == []
    assert index.num_present == 1000


@pytest.mark.parametrize("factory", STORES)
def test_a_saved_index_is_the_same(world, tmp_path, factory):
    items, queries = world
    index = FaissIndex.build(items, factory)
    if index.search_effort_name is not None:
        index.search_effort = 3
    index.remove(np.arange(50))
    index.add(np.array([7, 2002]), items[[7, 8]])
    index.save(tmp_path / "index.faiss")
    assert [path.name for path in tmp_path.iterdir()] == ["index.faiss"]
    read = FaissIndex.load(tmp_path / "index.faiss", num_items=2003, dim=16)
    assert (read.num_items, read.num_present, read.search_effort, read.exact) == (
        2003,
        1951,
        index.search_effort,
        index.exact,
    )
    assert (read.search(queries, 60).items == index.search(queries, 60).items).all()
    # and it goes on
    read.add(np.array([2003]), 100 * queries[:1])
    read.remove(np.array([7]))
    everything = read.search(queries[:2], 2500).items
    assert (everything == 2003).any(axis=1).all()
    assert not (everything == 7).any()


def test_a_loaded_index_scores_anew(world, tmp_path):
    items, queries = world
    index = FaissIndex.build(items, "PQ4x4", rescore=8)
    index.save(tmp_path / "index.faiss")
    read = FaissIndex.load(tmp_path / "index.faiss", 2000, 16, vectors=items, rescore=8)
    assert (read.search(queries, 20).items == index.search(queries, 20).items).all()
    with pytest.raises(RetrievalError, match="2000 items with 16 dimensions are required to score.*are 10 with 16"):
        FaissIndex.load(tmp_path / "index.faiss", 2000, 16, vectors=items[:10], rescore=8)
    with pytest.raises(RetrievalError, match="A vector of each item of the index is required.* but 3 have none"):
        lacking = np.where(np.isin(np.arange(2000), [1, 2, 3])[:, None], NAN, items)
        FaissIndex.load(tmp_path / "index.faiss", 2000, 16, vectors=lacking, rescore=8)
    # an item that was removed before it was saved comes back after it was read
    index.remove(np.array([7]))
    index.save(tmp_path / "index.faiss")
    read = FaissIndex.load(tmp_path / "index.faiss", 2000, 16, vectors=items, rescore=8)
    assert not (read.search(queries[:1], 2000).items == 7).any()
    read.add(np.array([7]), 100 * queries[:1])
    assert read.search(queries[:1], 2000).items[0, 0] == 7


def test_a_file_of_another_catalogue_is_refused(world, tmp_path):
    path = tmp_path / "index.faiss"
    with pytest.raises(RetrievalError, match="A file with an index is required, but .*index.faiss is none"):
        FaissIndex.load(path, 2000, 16)
    FaissIndex.build(world[0], "Flat").save(path)
    for num_items, dim in ((1000, 16), (2000, 8)):
        with pytest.raises(RetrievalError, match=f"{num_items} items with {dim} dim.* has 1999 items with 16 dim"):
            FaissIndex.load(path, num_items, dim)
    flat = faiss.IndexFlatIP(16)
    flat.add(world[0][:3])
    faiss.write_index(flat, str(path))
    with pytest.raises(RetrievalError, match="does not say which items"):
        FaissIndex.load(path, 2000, 16)
    twice = faiss.IndexIDMap(faiss.IndexFlatIP(16))
    twice.add_with_ids(world[0][:2], np.array([1, 1]))
    faiss.write_index(twice, str(path))
    with pytest.raises(RetrievalError, match="items are not distinct"):
        FaissIndex.load(path, 2000, 16)


@pytest.mark.parametrize("factory", ["IVF32,Flat", "HNSW16", "PQ4x4"])
@pytest.mark.parametrize("allowed", [3, 40])
def test_rules_that_leave_little_still_get_their_items(world, factory, allowed):
    items, queries = world
    known = np.delete(queries, 3, axis=0)[:8]
    mask = np.zeros(2000, dtype=bool)
    mask[np.random.default_rng(1).choice(np.arange(10, 1990), allowed, replace=False)] = True
    index = FaissIndex.build(items, factory, search_effort=None if factory == "PQ4x4" else 1)
    pipeline = Pipeline(
        IndexRetriever(lambda asked: known[asked.users], index), [ItemMaskFilter(mask)], num_candidates=3
    )
    lists = pipeline.recommend(requests(num_requests=8), 3)
    assert (lists.items >= 0).all()
    assert mask[lists.items].all()
    if allowed == 3:
        assert np.sort(lists.items, axis=1).tolist() == [np.flatnonzero(mask).tolist()] * 8


def test_arguments_must_fit(world):
    items, queries = world
    index = FaissIndex.build(items, "IVF32,Flat")
    for search_effort in (0, 33):
        with pytest.raises(RetrievalError, match=f"from 1 to 32, but it is {search_effort}"):
            index.search_effort = search_effort
    with pytest.raises(RetrievalError, match=r"\[queries, 16\] are required, but they have the shape \[1, 3\]"):
        index.search(np.ones((1, 3)), 3)
    with pytest.raises(RetrievalError, match="rescore must be a whole number of at least 1"):
        FaissIndex.build(items, "Flat", rescore=0)
    with pytest.raises(RetrievalError, match="Items that are not in the index are required, but these are: 6, 7"):
        index.add(np.array([5, 6, 7]), items[[6, 6, 7]])
    with pytest.raises(RetrievalError, match="Items from 0 to 1999 are required, but these came: 2000"):
        index.remove(np.array([1, 2000]))
    # nothing of a refused update was done
    assert (index.num_items, index.num_present) == (2000, 1998)


def test_no_queries_and_no_items_find_nothing(world):
    index = FaissIndex.build(world[0], "IVF32,Flat")
    assert index.search(np.ones((0, 16)), 3).items.shape == (0, 3)
    index.remove(np.arange(2000))
    assert index.search(np.ones((1, 16)), 3).items.tolist() == [[NO_ITEM] * 3]
    assert FaissIndex.build(np.full((4, 2), NAN), "Flat").search(np.ones((1, 2)), 1).items.tolist() == [[NO_ITEM]]


def test_the_seed_decides():
    items, queries = clustered(num_items=400)
    made = [
        FaissIndex.build(items, "IVF32,Flat", search_effort=1, seed=seed).search(queries, 5).items for seed in (1, 1, 2)
    ]
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2]).any()


def test_without_a_gpu_none_is_searched_on(world, monkeypatch):
    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0:
        pytest.skip("FAISS has a GPU here")
    with pytest.raises(RetrievalError, match=r"0 GPUs were found.*pip install 'recsys-framework\[gpu\]'"):
        FaissIndex.build(world[0], "Flat", gpu=True)


@pytest.mark.gpu
@pytest.mark.parametrize("factory", ["Flat", "IVF32,Flat"])
def test_a_gpu_finds_the_same(world, factory):
    if not hasattr(faiss, "StandardGpuResources") or faiss.get_num_gpus() < 1:
        pytest.skip("FAISS has no GPU here")
    items, queries = world
    index, there = FaissIndex.build(items, factory), FaissIndex.build(items, factory, gpu=True)
    assert recall(there.search(queries, 20).items, index.search(queries, 20).items) > 0.99
    there.add(np.array([2000]), 100 * queries[:1])
    assert there.search(queries[:1], 1).items.tolist() == [[2000]]
    assert there.search(queries[:1], 2001).present.sum() == 1999


def test_without_faiss_it_says_what_to_install():
    """In a fresh interpreter, where importing faiss is an error."""
    program = """
import sys
sys.modules["faiss"] = None
import numpy as np
from recsys.errors import RetrievalError
from recsys.retrieval.index_selection import choose_index
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.faiss_kinds import searching, training
assert choose_index(np.ones((10, 2))).index.exact
ones = np.ones((10, 2))
for build in (lambda: FaissIndex.build(ones, "Flat"), lambda: choose_index(ones, exact_limit=5)):
    try:
        build()
    except RetrievalError as error:
        assert "pip install 'recsys-framework[serving]'" in str(error)
    else:
        raise AssertionError
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
