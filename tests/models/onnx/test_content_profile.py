import pytest
import torch

from recsys.models.components.recency import Recency
from recsys.models.content import Content
from recsys.models.interface.protocols import Query
from recsys.models.onnx.exportable import scores_of
from tests.models.onnx.model_queries import assert_scores_close, random_histories, served
from tests.models.test_content import content, histories, interactions


def assert_as_the_model(model: Content, query: Query) -> None:
    with torch.inference_mode():
        assert_scores_close(scores_of(model.serving_form(), served(query, 2)), model.score(query))


@pytest.mark.parametrize("components", [None, 2, 4])
@pytest.mark.parametrize("ratings_above", [None, "user_mean", "global_mean"])
@pytest.mark.parametrize("told", [(True, True), (False, True), (True, False)])
def test_gives_the_scores_of_the_model(components, ratings_above, told):
    model = content(num_components=components, ratings_above=ratings_above, recency=Recency(0.8, 0.9999))
    model.mean_rating.fill_(2.5)
    assert_as_the_model(model, Query(torch.full((4,), -1), random_histories([1, 4, 0, 30], 6, 0, *told)))


def test_the_profile_of_items_without_content_is_none():
    assert_as_the_model(content(), Query(torch.tensor([-1, -1]), histories([4], [4, 0])))


def test_what_cancels_out_and_ratings_that_are_all_alike():
    model = content(ratings_above="user_mean")
    model.fit(interactions([1.0, 3.0, 5.0]))
    ratings = [[5.0, 1.0], [3.0, 3.0], [4.0, 2.0, 3.0]]
    assert_as_the_model(model, Query(torch.full((3,), -1), histories([1, 1], [0, 2], [1, 2, 3], ratings=ratings)))


@pytest.mark.parametrize("components", [None, 3])
def test_sentences_count_beside_words(components):
    model = content(num_components=components, sentence_model="any")
    model.set_sentence_vectors(torch.nn.functional.normalize(torch.randn(6, 5), dim=1))
    assert_as_the_model(model, Query(torch.full((2,), -1), random_histories([2, 9], 6, 1)))
