import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.explanation import BatchExplanation
from recsys.retrieval.filtering.filters import ItemMaskFilter
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.reranking.calibration import CalibratedReranker
from recsys.retrieval.reranking.mmr import MMR
from recsys.retrieval.retrievers import StaticRetriever
from recsys.retrieval.top_k import top_k
from tests.retrieval.made import TableRanker, TableRetriever, requests, worlds

NAN, INF = float("nan"), float("inf")


def every_stage(world, diversity, ranked):
    """A pipeline over a made world, with a ranker that reverses the scores and a diversifier, if asked for."""
    rerankers = {
        "none": lambda: None,
        "mmr": lambda: MMR(world["genres"].multi_hot(), 0.5),
        "calibrated": lambda: CalibratedReranker(world["genres"], 0.5),
    }
    return Pipeline(
        TableRetriever(world["scores"]),
        [ItemMaskFilter(world["mask"])],
        num_candidates=world["num_candidates"],
        ranker=TableRanker(-world["scores"]) if ranked else None,
        reranker=rerankers[diversity](),
    )


def allowed_items(world, row):
    """The items that may be recommended: known to the retriever, allowed, not seen, not blocked."""
    num_items = world["scores"].shape[1]
    return {
        item
        for item in range(num_items)
        if not np.isnan(world["scores"][row, item])
        and world["mask"][item]
        and item not in world["seen"][row]
        and item not in world["exclude_items"][row]
    }


def of_world(world):
    return requests(history=world["seen"], seen=world["seen"], exclude_items=world["exclude_items"])


@given(worlds(), st.sampled_from(["none", "mmr", "calibrated"]), st.booleans())
def test_a_list_has_k_items_if_k_are_allowed_and_no_other(world, diversity, ranked):
    k = world["k"]
    lists = every_stage(world, diversity, ranked).recommend(of_world(world), k)
    assert lists.items.shape == lists.scores.shape == (len(world["seen"]), k)
    for row, items in enumerate(lists.items.tolist()):
        there = [item for item in items if item >= 0]
        allowed = allowed_items(world, row)
        assert items == there + [-1] * (k - len(there))
        assert len(there) == min(k, len(allowed))
        assert set(there) <= allowed
        assert len(set(there)) == len(there)


@given(worlds())
def test_without_further_stages_they_are_the_best_allowed_items(world):
    lists = every_stage(world, "none", ranked=False).recommend(of_world(world), world["k"])
    for row, items in enumerate(lists.items.tolist()):
        best = sorted(allowed_items(world, row), key=lambda item: (-world["scores"][row, item], item))[: world["k"]]
        assert [item for item in items if item >= 0] == best
        assert lists.scores[row, : len(best)].tolist() == world["scores"][row, best].tolist()


@given(worlds(), st.sampled_from(["none", "mmr", "calibrated"]))
def test_a_request_gets_the_same_alone_and_among_others(world, diversity):
    pipeline, asked = every_stage(world, diversity, ranked=True), of_world(world)
    together = pipeline.recommend(asked, world["k"]).items.tolist()
    alone = [pipeline.recommend(asked.take(np.array([row])), world["k"]).items[0].tolist() for row in range(len(asked))]
    assert alone == together


def test_the_retriever_is_asked_deeper_only_for_requests_that_lack_candidates():
    # of 1000 items with descending scores user 0 may have all, user 1 (who sees the world reversed) those from 900 on
    scores = -np.arange(1000.0)
    retriever = TableRetriever([scores[::-1], scores])
    lists = Pipeline(retriever, [ItemMaskFilter(np.arange(1000) >= 900)], num_candidates=5).recommend(
        requests(num_requests=2), 5
    )
    assert lists.items.tolist() == [[999, 998, 997, 996, 995], [900, 901, 902, 903, 904]]
    # where nothing is found, one candidate is taken to have been: 1.2 * 5 / 1 times as deep
    assert retriever.asked == [(2, 5), (1, 30), (1, 180), (1, 1000)]


def test_the_first_question_has_room_for_what_is_seen_and_blocked():
    retriever = TableRetriever([-np.arange(100.0)])
    lists = Pipeline(retriever, num_candidates=3).recommend(requests(seen=[[0, 1, 2, 3]], exclude_items=[[4, 5]]), 3)
    assert lists.items.tolist() == [[6, 7, 8]]
    assert retriever.asked == [(1, 9)]


class Careless(TableRetriever):
    """Finds what is among the first items whose number is its depth, as an index that looks at a part does."""

    def __init__(self, scores):
        super().__init__(scores, exact=False)

    def retrieve(self, requests, num_candidates):
        self.asked.append((len(requests), num_candidates))
        scores = np.where(np.arange(self.num_items) < 2 * num_candidates, self.scores[requests.users], NAN)
        return top_k(scores, num_candidates)


def test_what_an_inexact_retriever_finds_does_not_depend_on_company():
    scores = np.tile(np.arange(1000.0), (3, 1))  # the best items are the last: each depth finds others
    asked = requests(seen=[[], list(range(100)), [5]])
    together = Pipeline(Careless(scores), num_candidates=10).recommend(asked, 5)
    for row in range(3):
        alone = Pipeline(Careless(scores), num_candidates=10).recommend(asked.take(np.array([row])), 5)
        np.testing.assert_array_equal(alone.items[0], together.items[row])
    retriever = Careless(scores)
    Pipeline(retriever, num_candidates=10).recommend(asked, 5)
    assert retriever.asked == [(2, 16), (1, 128)]  # powers of two, so that there are few questions


def test_a_retriever_that_knows_no_more_is_not_asked_again():
    retriever = TableRetriever([[NAN] * 90 + [1.0] * 10])
    lists = Pipeline(retriever, num_candidates=20).recommend(requests(num_requests=1), 12)
    assert lists.items[0].tolist() == [*range(90, 100), -1, -1]
    assert retriever.asked == [(1, 20)]


def test_an_item_that_is_found_twice_comes_once():
    class Stuttering:
        num_items = 10

        def retrieve(self, asked, num_candidates):
            items = np.array([[7, 7, 3, 7, 3, 1, 0, 2, 4, 5]] * len(asked))[:, :num_candidates]
            return Candidates(items, -np.arange(items.size, dtype=float).reshape(items.shape)).padded(num_candidates)

    assert Pipeline(Stuttering(), num_candidates=4).recommend(requests(num_requests=1), 4).items.tolist() == [
        [7, 3, 1, 0]
    ]


def test_the_ranker_orders_the_candidates_alone():
    # the ranker likes item 3 best, but it is not among the two candidates
    pipeline = Pipeline(
        TableRetriever([[4.0, 3.0, 2.0, 1.0]]), num_candidates=2, ranker=TableRanker([[1.0, 2.0, 3.0, 4.0]])
    )
    lists = pipeline.recommend(requests(num_requests=1), 2)
    assert lists.items.tolist() == [[1, 0]]
    assert lists.scores.tolist() == [[2, 1]]
    # a longer list needs more candidates
    assert pipeline.recommend(requests(num_requests=1), 3).items.tolist() == [[2, 1, 0]]


def test_filters_of_one_call_are_those_of_no_other():
    pipeline = Pipeline(TableRetriever([[4.0, 3.0, 2.0]]))
    rule = ItemMaskFilter(np.array([False, True, True]))
    assert pipeline.recommend(requests(num_requests=1), 2, [rule]).items.tolist() == [[1, 2]]
    assert pipeline.recommend(requests(num_requests=1), 2).items.tolist() == [[0, 1]]


class Rests:
    """An explainer that has nothing but rests: ten times the user and the item."""

    def explain(self, asked, items):
        rest = asked.users[:, None] * 10.0 + items
        return BatchExplanation.exact(asked.history, np.zeros((len(asked.history.items), items.shape[1])), rest)


def test_explanations_belong_to_the_list():
    world = TableRetriever([[1.0, 2.0], [2.0, 1.0]])
    lists = Pipeline(world, explainer=Rests()).recommend(requests(num_requests=2), 1)
    # item 1 for user 0, item 0 for user 1
    assert lists.explanation.rest.tolist() == [[1.0], [10.0]]


def test_stages_that_ran_are_timed():
    retriever = StaticRetriever(np.arange(5.0))
    plain = Pipeline(retriever).recommend(requests(num_requests=1), 2)
    assert list(plain.seconds) == ["retrieve", "filter"]
    full = Pipeline(retriever, ranker=TableRanker([np.arange(5.0)]), reranker=MMR(np.eye(5), 0.1), explainer=Rests())
    seconds = full.recommend(requests(num_requests=1), 2).seconds
    assert list(seconds) == ["retrieve", "filter", "rank", "diversify", "explain"]
    assert all(value > 0 for value in seconds.values())


def test_no_requests_get_no_lists():
    assert Pipeline(StaticRetriever(np.arange(5.0))).recommend(requests(num_requests=0), 2).items.shape == (0, 2)


@pytest.mark.parametrize("k", [0, -1, 2.5, "ten"])
def test_at_least_one_item_must_be_asked_for(k):
    with pytest.raises(RetrievalError, match=f"k must be a whole number of at least 1, but it is {k}"):
        Pipeline(StaticRetriever(np.arange(5.0))).recommend(requests(num_requests=1), k)
    with pytest.raises(RetrievalError, match=f"num_candidates must be a whole number of at least 1, but it is {k}"):
        Pipeline(StaticRetriever(np.arange(5.0)), num_candidates=k)


def test_the_package_runs_without_torch():
    """In a fresh interpreter, where importing torch is an error."""
    program = """
import sys
for name in ("torch", "pytorch_lightning", "hydra"):
    sys.modules[name] = None
import pkgutil, importlib, recsys.retrieval
for module in pkgutil.iter_modules(recsys.retrieval.__path__):
    importlib.import_module(f"recsys.retrieval.{module.name}")
import numpy as np
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.retrievers import StaticRetriever
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.ragged_items import RaggedItems
asked = RequestBatch.of(np.array([-1]), RaggedItems.empty(1), RaggedItems.of([[2]]))
assert Pipeline(StaticRetriever(np.arange(4.0))).recommend(asked, 2).items.tolist() == [[3, 1]]
assert sum(name.startswith("recsys.retrieval.") for name in sys.modules) > 10
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
