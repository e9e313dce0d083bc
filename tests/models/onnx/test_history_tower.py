from functools import partial

import pytest
import torch

from recsys.models.interface.protocols import Query
from recsys.models.layers.history_encoders import AttentionEncoder, MeanEncoder, TransformerEncoder
from recsys.models.onnx.exportable import scores_of
from recsys.models.two_tower import TwoTower
from tests.models.onnx.model_queries import assert_scores_close, random_histories, served
from tests.models.test_two_tower import AGES, ages, two_tower

QUERY = Query(torch.tensor([0, -1, 3, 2]), random_histories([3, 70, 0, 50], 6, 0))


def assert_as_the_model(model: TwoTower, query: Query = QUERY) -> None:
    with torch.inference_mode():
        form = model.serving_form()
        asked = served(query, 3, form.user_columns, AGES)
        assert_scores_close(scores_of(form, asked), model.score(query), 1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"ratings": True},
        {"time_gaps": True},
        {"user_ids": True},
        {"normalize": True, "temperature": 0.1, "item_bias": False},
        {"ratings": True, "time_gaps": True, "user_ids": True, "max_history": 5},
    ],
)
def test_gives_the_scores_of_the_model(settings):
    assert_as_the_model(two_tower(**settings))


def test_knows_the_features_of_known_users():
    model = two_tower()
    model.set_user_features(ages())
    assert_as_the_model(model)


@pytest.mark.parametrize("encoder", [MeanEncoder, AttentionEncoder, partial(TransformerEncoder, hidden_dim=8)])
def test_takes_every_encoder(encoder):
    torch.manual_seed(0)
    assert_as_the_model(TwoTower(4, 6, encoder, embedding_dim=8, max_history=20).eval())


def test_items_without_training_have_the_vector_of_the_unknown_id():
    model = two_tower()
    model.items.is_trained[2] = False
    assert_as_the_model(model)


@pytest.mark.parametrize(("ratings", "times"), [(False, True), (True, False), (False, False)])
def test_what_a_history_is_told_without_adds_nothing(ratings, times):
    histories = random_histories([3, 70, 0, 50], 6, 0, ratings, times)
    assert_as_the_model(two_tower(ratings=True, time_gaps=True), Query(QUERY.users, histories))
