import torch

from recsys.models.popularity import Popularity
from recsys.models.protocols import FitsInClosedForm, Recommender, ScoresPairs
from tests.checkerboard import checkerboard
from tests.models.test_mf import query


def fitted() -> Popularity:
    interactions, _ = checkerboard(num_users=3, num_items=4)
    model = Popularity(3, 4)
    model.fit(interactions)
    return model


def test_implements_its_protocols():
    assert isinstance(fitted(), Recommender)
    assert isinstance(fitted(), FitsInClosedForm)
    assert isinstance(fitted(), ScoresPairs)


def test_counts_the_interactions_of_each_item():
    # users 0 and 2 like items 0 and 2, user 1 likes items 1 and 3
    assert fitted().counts.tolist() == [2, 1, 2, 1]


def test_scores_every_user_alike_known_or_not():
    assert fitted().score(query([0, -1])).tolist() == [[2, 1, 2, 1], [2, 1, 2, 1]]


def test_pairs_broadcast():
    assert fitted().score_pairs(torch.tensor([[0], [1]]), torch.tensor([[0, 1]])).tolist() == [[2, 1], [2, 1]]
