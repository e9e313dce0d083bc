import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import Cosine
from recsys.models.components.weightings import Unweighted
from recsys.models.interface.protocols import Fittable, FoldsIn, Query, ScoringModel
from recsys.models.item_knn import ItemKNN
from tests.models.knn_reference import SIMILARITIES, WEIGHTINGS, neighbours, represented, similarity_of, weighted
from tests.models.small_data import dense, histories_of, small_data

DATA = small_data()


def item_knn(similarity: str = "cosine", weighting: str = "none", data=DATA, **settings) -> ItemKNN:
    settings = {"num_neighbours": 3, "recency": Recency()} | settings
    model = ItemKNN(data.num_users, data.num_items, SIMILARITIES[similarity], WEIGHTINGS[weighting], **settings)
    model.fit(data)
    return model


def weights_of(model: ItemKNN) -> np.ndarray:
    """Row i: the neighbours of item i."""
    return model.weights.matrix.dense().numpy()


def expected_weights(similarity: str, weighting: str, num_neighbours: int) -> np.ndarray:
    items = weighted(weighting, represented(similarity, DATA).T, dense(DATA).T)
    similarities = np.array([[similarity_of(similarity, a, b) for b in items] for a in items])
    np.fill_diagonal(similarities, 0)
    return neighbours(similarities, num_neighbours)


def test_implements_its_protocols():
    for protocol in (ScoringModel, Fittable, FoldsIn):
        assert isinstance(item_knn(), protocol)
    assert hasattr(item_knn(), "dynamic_buffers")


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_every_similarity_and_weighting_follows_its_definition(similarity, weighting):
    # all neighbours: which of several equal ones at a boundary are kept is not specified
    model = item_knn(similarity, weighting, num_neighbours=DATA.num_items)
    expected = expected_weights(similarity, weighting, DATA.num_items)
    np.testing.assert_allclose(weights_of(model), expected, rtol=1e-4, atol=1e-6)


def test_keeps_the_most_similar():
    expected = expected_weights("adjusted", "bm25", 3)
    assert ((expected > 0).sum(axis=1) == 3).any()
    np.testing.assert_allclose(weights_of(item_knn("adjusted", "bm25")), expected, rtol=1e-4, atol=1e-6)


def test_scores_are_sums_over_the_history_with_recency():
    model = item_knn(recency=Recency(step_decay=0.5))
    scores = model.score_histories(histories_of([1, 0, 7], []))
    weights = weights_of(model)
    np.testing.assert_allclose(scores[0], 0.25 * weights[:, 1] + 0.5 * weights[:, 0] + weights[:, 7], rtol=1e-5)
    assert scores[1].isnan().all()


def test_normalised_scores_are_shares_of_the_neighbourhood():
    weights = weights_of(item_knn(normalize=True))
    plain = weights_of(item_knn())
    with_neighbours = plain.sum(axis=1) > 0
    np.testing.assert_allclose(weights * plain.sum(axis=1)[:, None], plain, rtol=1e-5)
    everything = item_knn(normalize=True).score_histories(histories_of(list(range(DATA.num_items))))
    np.testing.assert_allclose(everything[0, with_neighbours], 1, rtol=1e-5)


def test_known_and_unseen_users_with_one_history_score_alike():
    model, histories = item_knn(), Histories.from_interactions(DATA)
    known = Query(torch.arange(DATA.num_users), histories)
    torch.testing.assert_close(model.score(known), model.score_histories(histories), rtol=0, atol=0, equal_nan=True)


@given(st.integers(1, 3000), st.sampled_from(sorted(SIMILARITIES)))
def test_the_size_of_blocks_changes_nothing(max_block_bytes, similarity):
    whole = item_knn(similarity, num_neighbours=12)
    blocks = item_knn(similarity, num_neighbours=12, max_block_bytes=max_block_bytes)
    np.testing.assert_allclose(weights_of(blocks), weights_of(whole), rtol=1e-5, atol=1e-7)


def test_sparse_data_are_multiplied_in_another_way_with_the_same_result():
    # 400 users with two items each out of 200: few pairs share a user
    sparse = small_data(num_users=400, num_items=200, seed=1)
    kept = np.concatenate([np.flatnonzero(sparse.user_index == user)[:2] for user in range(400)])
    sparse = sparse.take(kept)
    model = item_knn("cosine", data=sparse, num_neighbours=200, max_block_bytes=50_000)
    items = dense(sparse).T
    lengths = np.sqrt((items**2).sum(axis=1))
    expected = items @ items.T / (np.outer(lengths, lengths) + 2.0)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(weights_of(model), expected, rtol=1e-5, atol=1e-7)


def test_the_adjusted_cosine_needs_ratings():
    with pytest.raises(ModelError, match=r"compares ratings, but these data have none.*model/similarity=cosine"):
        item_knn("adjusted", data=dataclasses.replace(DATA, rating=None))


def test_ages_need_timestamps():
    with pytest.raises(ModelError, match="need interactions with timestamps"):
        item_knn(data=dataclasses.replace(DATA, timestamp=None), recency=Recency(day_decay=0.9))


@pytest.mark.parametrize("settings", [{"num_neighbours": 0}, {"max_block_bytes": 0}])
def test_refuses_settings_out_of_range(settings):
    with pytest.raises(ModelError, match=f"model.{next(iter(settings))} must be at least 1"):
        ItemKNN(1, 1, Cosine(), Unweighted(), Recency(), **settings)
