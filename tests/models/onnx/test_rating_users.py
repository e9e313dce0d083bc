import pytest
import torch

from recsys.data.histories import Histories
from recsys.models.bayesian_mf import BayesianMF
from recsys.models.bias import Bias
from recsys.models.biased_mf import BiasedMF
from recsys.models.components.rating_model import RatingModel
from recsys.models.interface.protocols import Query
from recsys.models.item_knn_ratings import ItemKNNRatings
from recsys.models.onnx.exportable import scores_of
from recsys.models.svd_pp import SVDpp
from tests.models.onnx.model_queries import assert_scores_close, random_histories, served
from tests.models.small_data import small_data

MODELS = {
    "bias": lambda: Bias(30, 12),
    "biased_mf": lambda: BiasedMF(30, 12, embedding_dim=5),
    "many_dimensions": lambda: BiasedMF(30, 12, embedding_dim=40, l2=0.1),
    "svd_pp": lambda: SVDpp(30, 12, embedding_dim=4),
    "bayesian_mf": lambda: BayesianMF(30, 12, embedding_dim=3, num_draws=4, burn_in=2),
    "item_knn_ratings": lambda: ItemKNNRatings(30, 12, num_neighbours=4, shrinkage=1.0),
}
#: Strangers, known users, and users 3 and -1 of whom nothing was learnt; the fourth has no history.
USERS = torch.tensor([-1, 4, 3, -1, 3, 7])
LENGTHS = [1, 6, 30, 0, 5, 0]


def fitted(name: str) -> RatingModel:
    model = MODELS[name]()
    model.fit(small_data())
    return model


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("ratings", [True, False])
def test_predicts_the_ratings_of_the_model(name, ratings):
    model = fitted(name)
    query = Query(USERS, random_histories(LENGTHS, 12, 0, ratings))
    with torch.inference_mode():
        assert_scores_close(scores_of(model.serving_form(), served(query, 2)), model.score(query))


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"svd_pp"}))
def test_an_interaction_without_rating_is_as_if_it_were_not_there(name):
    model = fitted(name)
    histories = random_histories(LENGTHS, 12, 0)
    query = served(Query(USERS, histories))
    rated = torch.arange(30) % 2 == 0
    mixed = query._replace(ratings=torch.where(rated, query.ratings, torch.nan))
    kept = torch.cat([rated[:length] for length in LENGTHS])
    counts = torch.tensor([0, *(int(rated[:length].sum()) for length in LENGTHS)])
    left = Histories(counts.cumsum(0), histories.items[kept], histories.rating[kept], None)
    with torch.inference_mode():
        assert_scores_close(scores_of(model.serving_form(), mixed), model.score(Query(USERS, left)))
