from dataclasses import replace

import numpy as np
import pytest
import torch

from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.export.onnx_export import export_encoder
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import AdjustedCosine, AsymmetricCosine, Cosine, Jaccard
from recsys.models.components.weightings import BM25, TFIDF, Unweighted
from recsys.models.interface.protocols import Query
from recsys.models.onnx.exportable import scores_of
from recsys.models.user_knn import UserKNN
from tests.models.onnx.model_queries import assert_scores_close, random_histories, run, served
from tests.models.small_data import histories_of, small_data

QUERY = Query(torch.tensor([-1, 4, -1, 9]), random_histories([1, 6, 0, 40], 12, 0))


def fitted(similarity=None, weighting=None, recency=None, **settings) -> UserKNN:
    similarity, weighting, recency = similarity or Cosine(), weighting or Unweighted(), recency or Recency()
    model = UserKNN(30, 12, similarity, weighting, recency, **settings)
    model.fit(small_data())
    return model


def with_mirror_images(data: Interactions) -> Interactions:
    """The same with a second user for each, who has item 11 - i for each item i.

    To a history of whole pairs (i, 11 - i) both are equally similar, but their products are added up from either end.
    """
    rows = data.take(np.tile(np.arange(len(data)), 2))
    images = np.repeat([False, True], len(data))
    items = np.where(images, data.num_items - 1 - rows.item_index, rows.item_index)
    users = rows.user_index + images * np.int32(data.num_users)
    return replace(rows, user_index=users, item_index=items, num_users=2 * data.num_users)


def assert_as_the_model(model: UserKNN, query: Query = QUERY) -> None:
    with torch.inference_mode():
        assert_scores_close(scores_of(model.serving_form(), served(query, 2)), model.score(query))


@pytest.mark.parametrize("similarity", [Cosine(2.0), AsymmetricCosine(0.3), Jaccard(1.0), AdjustedCosine()])
@pytest.mark.parametrize("weighting", [Unweighted(), TFIDF(), BM25()])
@pytest.mark.parametrize("reverse_neighbours", [False, True])
def test_gives_the_scores_of_the_model(similarity, weighting, reverse_neighbours):
    assert_as_the_model(
        fitted(similarity, weighting, Recency(0.9, 0.99), num_neighbours=30, reverse_neighbours=reverse_neighbours)
    )


@pytest.mark.parametrize("settings", [{"normalize": True}, {"normalize": True, "reverse_neighbours": True}])
def test_few_neighbours_and_shares(settings):
    # Similarities that differ, so that there is one set of nearest users.
    assert_as_the_model(fitted(AdjustedCosine(0.37), BM25(), num_neighbours=5, **settings))


@pytest.mark.parametrize("similarity", [Cosine(), AdjustedCosine()])
def test_onnx_runtime_cuts_off_equally_similar_users_as_the_model_does(similarity, tmp_path):
    data = with_mirror_images(small_data(60, 40))
    model = UserKNN(data.num_users, 40, similarity, TFIDF(), Recency(), num_neighbours=7)
    model.fit(data)
    export_encoder(model.serving_form().encoder, tmp_path / "model.onnx")
    generator = np.random.default_rng(0)
    lower = [generator.permutation(20)[:8] for _ in range(8)]
    pairs = histories_of(*(np.stack([row, 39 - row], axis=1).flatten().tolist() for row in lower))
    query = Query(torch.full((8,), -1), replace(pairs, rating=torch.arange(64).repeat_interleave(2) % 3 + 1.0))
    assert_scores_close(run(tmp_path / "model.onnx", served(query, 2)), model.score(query))


def test_a_history_without_ratings_cannot_be_compared_by_them():
    scores = scores_of(fitted(AdjustedCosine()).serving_form(), served(Query(torch.tensor([-1]), histories_of([1, 2]))))
    assert scores.isnan().all()


def test_a_table_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("recsys.models.onnx.user_neighbours.MAX_BYTES", 1000)
    with pytest.raises(ModelError, match="30 users and 12 items .* whose neighbours are items"):
        fitted().serving_form()
