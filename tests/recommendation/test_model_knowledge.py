"""What each model reads, and that none takes a stranger for somebody it knows."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from recsys.data.interactions import Interactions
from recsys.models.interface.protocols import PredictsRatings
from recsys.recommendation.model_knowledge import knowledge_of
from recsys.recommendation.model_recommender import ModelRecommender
from recsys.runtime.personalization.knowledge import ITEMS, RATINGS, Reads
from recsys.runtime.request import RecommendationRequest
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board
from tests.models.test_contract import MODELS, fitted

#: One item of each colour and one user that training does not have here.
COLD_ITEMS, COLD_USER = ("i28", "i29"), "u39"
COLUMNS = ("city", "age", "hobbies")
BY_CONTENT = {"content", "two_tower"}
READS = {
    "popularity": Reads(None, False),
    "random": Reads(None, True),
    "mf": Reads(None, True),
    "neumf": Reads(None, True),
    "ease": Reads(ITEMS, False),
    "ials": Reads(ITEMS, False),
    "content": Reads(ITEMS, False),
    "bias": Reads(RATINGS, True),
    "biased_mf": Reads(RATINGS, True),
    "item_knn_ratings": Reads(RATINGS, True),
    "svd_pp": Reads(RATINGS, True),  # everybody has rated everything, so that which items says nothing
    "two_tower": Reads(ITEMS, False, COLUMNS),
}


def training(name: str) -> Interactions:
    prepared = prepared_board()
    known = prepared.interactions if isinstance(fitted(name).model, PredictsRatings) else prepared.positives()
    return known.take(np.flatnonzero((known.item_index < NUM_ITEMS - 2) & (known.user_index < NUM_USERS - 1)))


@cache
def recommender(name: str) -> ModelRecommender:
    return ModelRecommender(fitted(name).model, prepared_board(), training=training(name))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", READS)
def test_what_a_model_reads_is_found_by_asking_it(name: str):
    assert knowledge_of(fitted(name).model, prepared_board()).reads == READS[name]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MODELS)
def test_known_items_are_those_of_training_or_of_content(name: str):
    knowledge = knowledge_of(fitted(name).model, prepared_board(), training(name))  # type: ignore[arg-type]
    assert knowledge.users.tolist() == [True] * (NUM_USERS - 1) + [False]
    cold = knowledge.items[-2:].tolist()
    assert knowledge.items[:-2].all() and (cold == [True, True] if name in BY_CONTENT else cold == [False, False])


STRANGERS = {
    "nobody": {},
    "an unknown id": {"user_id": "zzz"},
    "an empty history": {"history": []},
    "unknown items": {"history": ["never", "seen"]},
    "a known id and an unknown history": {"user_id": "zzz", "history": ["never"]},
}


@pytest.mark.parametrize("name", MODELS)
def test_a_stranger_gets_what_is_popular_and_nobody_s_own_list(name: str):
    answers = recommender(name).recommend([RecommendationRequest(**told) for told in STRANGERS.values()])  # type: ignore[arg-type]
    counts = np.bincount(prepared_board().positives().item_index, minlength=NUM_ITEMS)
    for answer in answers:
        assert not answer.personalized and len(answer.item_ids) == 10
        assert np.isfinite(answer.scores).all() and answer.scores == sorted(answer.scores, reverse=True)
        if name != "popularity":  # which has a list of its own for everybody
            assert answer.scores == sorted(counts.tolist(), reverse=True)[:10]
        assert "what is popular" in " ".join(answer.notes)


@pytest.mark.parametrize("name", sorted(set(MODELS) - BY_CONTENT))
def test_a_history_that_training_has_not_tells_nothing(name: str):
    asked = RecommendationRequest(history=list(COLD_ITEMS), ratings=[5, 5])
    answer = recommender(name).recommend_one(asked)
    assert not answer.personalized and np.isfinite(answer.scores).all() and len(answer.item_ids) == 10
    assert any("here is what is popular" in note for note in answer.notes)


@pytest.mark.parametrize("name", sorted(set(MODELS) & BY_CONTENT))
def test_but_its_content_tells_something_to_who_reads_it(name: str):
    answer = recommender(name).recommend_one(RecommendationRequest(history=list(COLD_ITEMS)))
    assert answer.personalized and np.isfinite(answer.scores).all()


@pytest.mark.parametrize("name", [name for name in MODELS if READS.get(name, Reads(ITEMS, False)).user_ids])
def test_an_id_that_was_not_trained_tells_nothing(name: str):
    # A history of its own would tell the models of ratings something.
    asked = [RecommendationRequest(user_id=user, history=[], k=3) for user in (COLD_USER, "u00")]
    cold, known = recommender(name).recommend(asked)
    assert (cold.personalized, known.personalized) == (False, True)


@pytest.mark.parametrize("name", sorted(set(MODELS) - BY_CONTENT))
def test_items_without_training_are_no_neighbours(name: str):
    asked = recommender(name)
    cold, known = (asked.similar([item], NUM_ITEMS)[0] for item in ("i28", "i02"))
    assert cold.item_ids == [] and cold.measure
    assert not set(known.item_ids) & set(COLD_ITEMS)
    if known.item_ids:
        assert cold.measure == "no interactions of it in training"
        assert "i28" in asked.similar(["i02"], NUM_ITEMS, by="content")[0].item_ids


class Diverged(torch.nn.Module):
    """A model whose scores are no numbers."""

    def score(self, query):
        scores = torch.arange(NUM_ITEMS).float().repeat(len(query), 1)
        scores[:, ::2] = torch.inf
        scores[:, 1::4] = torch.nan
        return scores + (query.users[:, None] >= 0)


def test_no_score_that_is_no_number_leaves():
    diverged = ModelRecommender(Diverged(), prepared_board())
    answer = diverged.recommend_one(RecommendationRequest(user_id="u00", exclude_seen=False, k=NUM_ITEMS))
    assert answer.item_ids == [f"i{item:02}" for item in range(27, 0, -4)] and np.isfinite(answer.scores).all()
    ranked = ModelRecommender(fitted("ease").model, prepared_board(), ranker=Diverged())  # type: ignore[arg-type]
    answer = ranked.recommend_one(RecommendationRequest(user_id="u00", exclude_seen=False, k=NUM_ITEMS))
    assert answer.personalized and len(answer.item_ids) == NUM_ITEMS and np.isfinite(answer.scores).all()


def test_behind_a_ranker_that_knows_nobody_the_order_is_that_of_what_found_them():
    ease, board = fitted("ease").model, prepared_board()
    alone = ModelRecommender(ease, board)  # type: ignore[arg-type]
    ranked = ModelRecommender(ease, board, ranker=fitted("neumf").model)  # type: ignore[arg-type]
    asked = RecommendationRequest(history=["i02", "i08"])
    first, second = alone.recommend_one(asked), ranked.recommend_one(asked)
    assert second.personalized and (second.item_ids, second.scores) == (first.item_ids, first.scores)
    # Beside a user whom the ranker knows, in any order, it is the same.
    known = RecommendationRequest(user_id="u00", exclude_seen=False)
    beside = ranked.recommend([known, asked, known])
    assert beside[1] == second and beside[0] == beside[2] != alone.recommend_one(known)
