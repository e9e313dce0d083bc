import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.export.index_building import RECALL_AT, build_index
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import ExactIndex
from recsys.runtime.manifest import BundleIndex
from tests.retrieval.made import clustered

VECTORS, QUERIES = clustered(num_items=300, num_queries=20)
DIM = VECTORS.shape[1]


def test_exact_search_is_described_as_exact():
    index, described, reason = build_index(VECTORS, QUERIES, "exact", 0.99, None)
    assert isinstance(index, ExactIndex) and index.num_items == 300
    assert described == BundleIndex("exact", dim=DIM)
    assert reason == "exact search, as asked for"


def test_a_small_catalogue_is_searched_exactly_where_the_choice_is_free():
    index, described, reason = build_index(VECTORS, QUERIES, "auto", 0.99, None)
    assert isinstance(index, ExactIndex)
    assert described == BundleIndex("exact", dim=DIM)
    assert reason.startswith("300 items are no more than")


@pytest.fixture
def faiss():
    return pytest.importorskip("faiss")


@pytest.mark.usefixtures("faiss")
def test_an_index_that_was_asked_for_says_what_it_finds():
    index, described, reason = build_index(VECTORS, QUERIES, "IVF8,Flat", 0.99, None)
    assert isinstance(index, FaissIndex)
    assert (described.kind, described.dim, described.factory) == ("faiss", DIM, "IVF8,Flat")
    assert described.parameters == {"search_effort": index.search_effort}
    assert reason == "IVF8,Flat, as asked for"
    best = ExactIndex(VECTORS).search(QUERIES, RECALL_AT).items
    found = index.search(QUERIES, RECALL_AT).items
    shares = [len(set(row) & set(other)) / RECALL_AT for row, other in zip(found, best, strict=True)]
    assert described.recall == pytest.approx(np.mean(shares), abs=1e-3)
    assert 0 < described.recall < 1


@pytest.mark.usefixtures("faiss")
def test_rescoring_is_part_of_the_description():
    _, described, _ = build_index(VECTORS, QUERIES, "SQ8", 0.99, 3)
    assert described.parameters == {"rescore": 3}
    assert described.recall > 0.99


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize("known", [0, 5])
def test_users_without_a_vector_measure_nothing(known):
    queries = np.full_like(QUERIES, np.nan)
    queries[:known] = QUERIES[:known]
    # Without any user the items themselves ask.
    _, described, _ = build_index(VECTORS, queries, "Flat", 0.99, None)
    assert described.recall == 1.0


@pytest.mark.usefixtures("faiss")
def test_a_catalogue_with_fewer_items_than_the_cut_off_is_measured_by_all():
    _, described, _ = build_index(VECTORS[:7], QUERIES, "Flat", 0.99, None)
    assert described.recall == 1.0


@pytest.mark.usefixtures("faiss")
def test_a_description_that_faiss_does_not_know_is_refused():
    with pytest.raises(RetrievalError, match="Nonsense"):
        build_index(VECTORS, QUERIES, "Nonsense", 0.99, None)
