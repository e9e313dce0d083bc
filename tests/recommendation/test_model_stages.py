from dataclasses import replace

import numpy as np
import pytest
import torch

from recsys.errors import ModelError
from recsys.models.interface.protocols import Factorized, ScoresPairs
from recsys.recommendation.model_queries import query_of
from recsys.recommendation.model_stages import ModelRanker, ScoreRetriever, vector_retriever
from recsys.recommendation.request_batches import requests_of_task
from recsys.recommendation.sampled_explanation import batch_explainer_of
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.ragged_items import RaggedItems
from tests.models.board_data import NUM_ITEMS, NUM_USERS
from tests.models.test_contract import MODELS, everyone, fitted, models_that, scores_of

#: A model without scores pair by pair, one with them, and one of ratings.
SOME = ["ease", "mf", "biased_mf"]
USERS = np.arange(NUM_USERS)


def asked(board):
    return requests_of_task(board.task, USERS)


def exact_scores(board):
    return scores_of(board.model, everyone(board)).double().numpy()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_retrieves_by_its_scores(name):
    board = fitted(name)
    found = ScoreRetriever(board.model, NUM_ITEMS).retrieve(asked(board), 7)
    expected = np.lexsort((np.broadcast_to(np.arange(NUM_ITEMS), (NUM_USERS, NUM_ITEMS)), -exact_scores(board)))[:, :7]
    assert found.items.tolist() == expected.tolist()


@pytest.mark.parametrize("name", SOME)
def test_what_requests_exclude_is_left_out_as_a_filter_would_leave_it_out(name):
    board = fitted(name)
    requests = replace(asked(board), exclude_items=RaggedItems.of([[user % 3, NUM_ITEMS + 5] for user in USERS]))
    retriever = ScoreRetriever(board.model, NUM_ITEMS)
    for num_candidates in (1, 7, NUM_ITEMS):
        found = retriever.retrieve_allowed(requests, num_candidates)
        whole = retriever.retrieve(requests, NUM_ITEMS)
        allowed = ~requests.seen.contain(whole.items) & ~requests.exclude_items.contain(whole.items)
        expected = whole.allowed(allowed, num_candidates)
        assert found.items.tolist() == expected.items.tolist()
        assert found.scores.tolist() == expected.scores.tolist()


@pytest.mark.parametrize("name", models_that(Factorized))
def test_vectors_find_the_items_that_scores_find(name):
    board = fitted(name)
    found = vector_retriever(board.model, NUM_ITEMS).retrieve(asked(board), 7)
    scores = exact_scores(board)
    # rounding may exchange items whose scores are all but equal
    best = -np.sort(-scores, axis=1)[:, :7]
    np.testing.assert_allclose(np.take_along_axis(scores, found.items, axis=1), best, rtol=1e-4, atol=1e-4)
    assert all(len(set(row)) == 7 for row in found.items.tolist())


def test_a_model_without_vectors_is_refused():
    with pytest.raises(ModelError, match="retrieves by vectors is required, but EASE has none"):
        vector_retriever(fitted("ease").model, NUM_ITEMS)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_ranks_candidates_by_its_scores(name):
    board = fitted(name)
    rng = np.random.default_rng(1)
    items = np.argsort(rng.random((NUM_USERS, NUM_ITEMS)))[:, :9]
    items[3, 5:] = -1
    ranked = ModelRanker(board.model).score(asked(board), items)
    expected = np.take_along_axis(exact_scores(board), np.maximum(items, 0), axis=1)
    np.testing.assert_allclose(np.where(items >= 0, ranked, 0), np.where(items >= 0, expected, 0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", models_that(ScoresPairs))
def test_candidates_of_a_stranger_are_not_scored_as_pairs(name):
    # pairs are looked up by the user's index, and -1 would be the last user
    board = fitted(name)
    one = asked(board).take(np.array([0]))
    stranger = type(one)(np.array([-1]), one.history, one.seen, one.exclude_items)
    items = np.arange(NUM_ITEMS)[None, :]
    with torch.inference_mode():
        expected = board.model.score(query_of(stranger)).numpy()
    np.testing.assert_allclose(ModelRanker(board.model).score(stranger, items), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SOME)
def test_a_pipeline_of_one_model_is_its_ranking_without_what_is_seen(name):
    board = fitted(name)
    lists = Pipeline(ScoreRetriever(board.model, NUM_ITEMS), num_candidates=5).recommend(asked(board), 5)
    scores = torch.from_numpy(exact_scores(board))
    board.task.mask_seen(scores, torch.from_numpy(USERS))
    for row, items in enumerate(lists.items):
        there = [item for item in items.tolist() if item >= 0]
        order = np.lexsort((np.arange(NUM_ITEMS), -scores[row].numpy()))
        assert there == [item for item in order.tolist() if scores[row, item] > -np.inf][: len(there)]
        assert len(there) == min(5, int((scores[row] > -np.inf).sum()))


def test_explanations_are_those_of_the_model():
    board = fitted("ease")
    requests = asked(board)
    lists = Pipeline(
        ScoreRetriever(board.model, NUM_ITEMS), explainer=batch_explainer_of(board.model, NUM_ITEMS)
    ).recommend(requests, 3)
    whole = board.model.explain(everyone(board), torch.from_numpy(lists.items))
    found = lists.explanation
    np.testing.assert_allclose(found.contributions, whole.contributions, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.rest, whole.rest)
    assert found.errors is None and found.num_grouped.tolist() == [0] * len(requests)


def test_where_a_list_has_ended_there_is_nothing_to_explain():
    board = fitted("ease")
    one = asked(board).take(np.array([0]))
    found = batch_explainer_of(board.model, NUM_ITEMS).explain(one, np.array([[-1, 1, -1]]))
    assert np.isnan(found.contributions[:, ::2]).all() and np.isfinite(found.contributions[:, 1]).all()
