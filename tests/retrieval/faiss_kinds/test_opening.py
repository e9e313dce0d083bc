import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.faiss_kinds.flat import FlatStore
from recsys.retrieval.faiss_kinds.graph import GraphStore
from recsys.retrieval.faiss_kinds.lists import ListStore
from recsys.retrieval.faiss_kinds.opening import empty_index, read_store, store_of
from tests.retrieval.made import clustered

faiss = pytest.importorskip("faiss")

NAN = float("nan")


@pytest.fixture(scope="module")
def world():
    items, queries = clustered()
    items[[5, 1999]] = NAN
    return items, queries


@pytest.mark.parametrize(
    ("factory", "kind"),
    [
        ("Flat", FlatStore),
        ("SQ8", FlatStore),
        ("RR8,Flat", FlatStore),
        ("IVF4,Flat", ListStore),
        ("RR8,IVF4,SQ8", ListStore),
        ("HNSW8", GraphStore),
    ],
)
def test_each_kind_has_its_store(factory, kind):
    store = store_of(empty_index(factory, 8, construction_effort=40, seed=0), np.zeros(0, dtype=np.int64))
    assert type(store) is kind
    assert (store.dim, len(store.items()), store.removed_share) == (8, 0, 0.0)


def test_the_construction_effort_is_that_of_the_graph():
    index = empty_index("HNSW8", 8, construction_effort=77, seed=0)
    assert faiss.downcast_index(index.index).hnsw.efConstruction == 77


def test_a_file_of_another_kind_is_refused(tmp_path):
    index = faiss.IndexFlatIP(3)
    index.add(np.ones((2, 3), dtype=np.float32))
    faiss.write_index(index, str(tmp_path / "index.faiss"))
    with pytest.raises(RetrievalError, match="does not say which items its entries are of"):
        read_store(tmp_path / "index.faiss")
    with pytest.raises(RetrievalError, match="A file with an index is required, but .*none.faiss is none"):
        read_store(tmp_path / "none.faiss")


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("nonsense", "A factory string of FAISS for vectors of 16 dimensions.*'nonsense' is not one"),
        ("PQ7", "'PQ7'"),
        ("PCA8,Flat", "only rotations"),
        ("NSG16", "of the kind IndexNSGFlat"),
        ("PQ8x4fs", "of the kind IndexPQFastScan"),
        ("IVF8,Flat,RFlat", "of the kind IndexRefineFlat"),
        ("HNSW16_PQ8", "by inner product is required"),
        ("IVF64_HNSW8,Flat", "compared one by one are required.*'IVF64,...'"),
        ("IVF16,PQ2x4fs", "a scan in blocks .fs. loses some"),
        ("IVF5000,Flat", "1998 vectors are not enough to train an index 'IVF5000,Flat'"),
    ],
)
def test_what_cannot_be_built_is_refused(world, factory, said):
    with pytest.raises(RetrievalError, match=said):
        FaissIndex.build(world[0], factory)


@pytest.mark.parametrize("factory", ["Flat", "IVF32,Flat", "HNSW16"])
def test_a_damaged_file_is_refused(world, tmp_path, factory):
    path = tmp_path / "index.faiss"
    FaissIndex.build(world[0], factory).save(path)
    whole = path.read_bytes()
    for damaged in (whole[:-40], whole[: len(whole) // 2], whole[:3], b"", b"no index at all" * 100):
        path.write_bytes(damaged)
        with pytest.raises(RetrievalError, match="is no index of FAISS, or a damaged one. Build it again"):
            FaissIndex.load(path, 2000, 16)
