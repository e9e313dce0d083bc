import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval import index_selection
from recsys.retrieval.faiss_index import FaissIndex
from recsys.retrieval.index import ExactIndex
from recsys.retrieval.index_selection import choose_index, recall_of
from recsys.retrieval.top_k import top_k
from tests.retrieval.made import clustered

pytest.importorskip("faiss")

NAN = float("nan")


@pytest.fixture
def slow_exact_search(monkeypatch):
    """Times that are said and not taken, so that the machine decides nothing: exact search takes longest."""
    monkeypatch.setattr(index_selection, "measure_latency_ms", lambda search, queries: next(times))
    times = iter([10.0] + [1.0] * 10)


@pytest.fixture
def fast_exact_search(monkeypatch):
    monkeypatch.setattr(index_selection, "measure_latency_ms", lambda search, queries: next(times))
    times = iter([1.0] + [10.0] * 10)


def test_a_small_catalogue_is_searched_exactly():
    items, queries = clustered(num_items=300)
    chosen = choose_index(items, sample_queries=queries)
    assert isinstance(chosen.index, ExactIndex)
    assert chosen.reason == "300 items are no more than the 5000 up to which exact search is as fast"
    assert (chosen.measured, chosen.exact_milliseconds, chosen.tried) == (None, None, ())


@pytest.mark.usefixtures("slow_exact_search")
@pytest.mark.parametrize("target", [0.95, 0.98, 0.99])
def test_the_target_is_reached_and_with_little_more_than_is_needed(target):
    items, queries = clustered(num_items=3000, num_queries=200)
    chosen = choose_index(items, target, at=20, sample_queries=queries, exact_limit=1000)
    assert isinstance(chosen.index, FaissIndex)
    measured = chosen.measured
    assert measured is not None
    assert (measured.factory, measured.milliseconds, chosen.exact_milliseconds) == ("IVF128,Flat", 1.0, 10.0)
    assert chosen.index.search_effort == measured.search_effort
    assert chosen.real_queries
    assert chosen.num_queries == 200
    # measured again, by ids
    best = ExactIndex(items).search(queries, 20).items

    def recall():
        found = chosen.index.search(queries, 20).items
        return np.mean([len(set(row) & set(other)) / 20 for row, other in zip(found, best, strict=True)])

    assert recall() == pytest.approx(measured.recall, abs=1e-6)
    assert recall() >= target
    chosen.index.search_effort = max(1, int(0.7 * measured.search_effort))
    assert recall() < target + 0.02


@pytest.mark.usefixtures("slow_exact_search")
def test_other_queries_reach_it_as_well():
    items, queries = clustered(num_items=3000, num_queries=400)
    chosen = choose_index(items, 0.9, at=20, sample_queries=queries[:200], exact_limit=0)
    found = chosen.index.search(queries[200:], 20).items
    exact = ExactIndex(items)
    assert recall_of(found, exact.search(queries[200:], 20), queries[200:], exact).mean() > 0.88


@pytest.mark.usefixtures("slow_exact_search")
def test_it_falls_back_where_no_index_reaches_the_target():
    items, queries = clustered()
    chosen = choose_index(items, 0.99, at=20, sample_queries=queries, factories=("PQ2x4", "SQ4"), exact_limit=0)
    assert isinstance(chosen.index, ExactIndex)
    assert chosen.measured is None
    assert [tried.factory for tried in chosen.tried] == ["PQ2x4", "SQ4"]
    assert all(tried.recall < 0.99 and tried.milliseconds is None for tried in chosen.tried)
    assert "exact search, since no index is as good and faster; PQ2x4 finds 0." in chosen.reason
    assert "at its broadest; SQ4 finds 0." in chosen.reason


@pytest.mark.usefixtures("fast_exact_search")
def test_it_falls_back_where_no_index_is_faster():
    items, queries = clustered()
    chosen = choose_index(items, 0.9, at=20, sample_queries=queries, exact_limit=0)
    assert isinstance(chosen.index, ExactIndex)
    assert "in 10.00 ms" in chosen.reason
    assert chosen.exact_milliseconds == 1.0


@pytest.mark.usefixtures("slow_exact_search")
def test_the_first_that_is_good_enough_is_taken():
    items, queries = clustered()
    chosen = choose_index(items, 0.9, 20, queries, factories=("PQ2x4", "SQ8", "IVF8,Flat"), exact_limit=0)
    assert [tried.factory for tried in chosen.tried] == ["PQ2x4", "SQ8"]
    assert chosen.measured == chosen.tried[-1]
    assert chosen.measured.search_effort is None
    assert chosen.reason.startswith("SQ8 finds 0.9")


@pytest.mark.usefixtures("slow_exact_search")
def test_without_queries_items_are_drawn():
    items, _ = clustered()
    items[:1500] = NAN
    chosen = choose_index(items, 0.9, at=20, exact_limit=100)
    assert (chosen.real_queries, chosen.num_queries) == (False, 256)
    assert isinstance(chosen.index, FaissIndex)
    assert chosen.index.num_present == 500


@pytest.mark.usefixtures("slow_exact_search")
def test_queries_with_nan_are_left_out_and_of_many_some_are_drawn():
    items, queries = clustered(num_queries=500)
    queries[:300] = NAN
    assert choose_index(items, 0.9, 20, queries, exact_limit=0).num_queries == 200
    with pytest.raises(RetrievalError, match="without NaN are required, but none of 300 is"):
        choose_index(items, 0.9, 20, queries[:300], exact_limit=0)


def test_the_time_is_measured():
    items, queries = clustered(num_items=500, num_queries=10)
    chosen = choose_index(items, 0.5, 5, queries, exact_limit=0)
    assert chosen.exact_milliseconds > 0
    assert chosen.tried[0].milliseconds > 0
    assert chosen.tried[0].build_seconds > 0


def test_recall_counts_ties_and_what_is_missing():
    exact = ExactIndex(np.array([[3.0], [2.0], [2.0], [1.0], [NAN]]))
    queries = np.ones((4, 1))
    truth = exact.search(queries, 2)
    assert truth.items.tolist() == [[0, 1]] * 4
    # item 2 is as good as item 1; of two that are good and bad a half counts; nothing is nothing
    found = np.array([[0, 2], [0, 3], [-1, -1], [1, 2]])
    assert recall_of(found, truth, queries, exact).tolist() == [1, 0.5, 0, 1]
    # where the catalogue has fewer than asked for, those count
    assert recall_of(np.array([[0, 1, 2, 3, -1]]), top_k(np.array([[3.0, 2, 2, 1, NAN]]), 5), queries[:1], exact) == 1


def test_arguments_must_fit():
    items, queries = clustered(num_items=50)
    for target, at in ((0.0, 10), (1.1, 10), (0.9, 0)):
        with pytest.raises(RetrievalError, match=f"above 0 and at most 1, of at least 1 item.*it is {target} of {at}"):
            choose_index(items, target, at)
    with pytest.raises(RetrievalError, match=r"\[queries, 16\] are required"):
        choose_index(items, sample_queries=queries[:, :3])
