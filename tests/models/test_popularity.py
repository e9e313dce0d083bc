import dataclasses

import numpy as np
import pytest
import torch

from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.interface.protocols import Fittable, ScoresPairs, ScoringModel
from recsys.models.popularity import Popularity
from tests.checkerboard import checkerboard
from tests.models.test_mf import query

#: For the contract that every model keeps.
PERSONALIZED = False


def fitted() -> Popularity:
    interactions, _ = checkerboard(num_users=3, num_items=4)
    model = Popularity(3, 4)
    model.fit(interactions)
    return model


def test_implements_its_protocols():
    assert isinstance(fitted(), ScoringModel)
    assert isinstance(fitted(), Fittable)
    assert isinstance(fitted(), ScoresPairs)


def test_counts_the_interactions_of_each_item():
    # users 0 and 2 like items 0 and 2, user 1 likes items 1 and 3
    assert fitted().counts.tolist() == [2, 1, 2, 1]


def test_scores_every_user_alike_known_or_not():
    assert fitted().score(query([0, -1])).tolist() == [[2, 1, 2, 1], [2, 1, 2, 1]]


def test_pairs_broadcast():
    assert fitted().score_pairs(torch.tensor([[0], [1]]), torch.tensor([[0, 1]])).tolist() == [[2, 1], [2, 1]]


DAY = 86_400


def seen_at(*days: float) -> Interactions:
    """Interactions of one user with items 0, 1, 0, 1, ... at these days."""
    items = np.arange(len(days), dtype=np.int32) % 2
    times = (np.array(days) * DAY).astype(np.int64)
    return Interactions(np.zeros(len(days), dtype=np.int32), items, None, times, None, num_users=1, num_items=3)


def test_an_interaction_counts_half_after_its_half_life():
    model = Popularity(1, 3, half_life_days=10)
    model.fit(seen_at(0, 20, 10, 30))
    # ages 30, 10, 20 and 0 days: 2**-3 + 2**-2, and 2**-1 + 1
    assert model.counts.tolist() == [0.375, 1.5, 0]


def test_age_counts_from_the_newest_training_interaction():
    model, later = Popularity(1, 3, half_life_days=7), Popularity(1, 3, half_life_days=7)
    model.fit(seen_at(0, 3, 4))
    later.fit(seen_at(1000, 1003, 1004))
    assert model.counts.equal(later.counts)


def test_what_was_popular_gives_way_to_what_is():
    days = [0, 99, 1, 100, 2]  # item 0 three times long ago, item 1 twice just now
    all_time, recent = Popularity(1, 3), Popularity(1, 3, half_life_days=5)
    all_time.fit(seen_at(*days))
    recent.fit(seen_at(*days))
    assert all_time.counts[0] > all_time.counts[1]
    assert recent.counts[0] < recent.counts[1]


def test_a_half_life_needs_timestamps():
    without = dataclasses.replace(seen_at(0, 1), timestamp=None)
    with pytest.raises(ModelError, match=r"needs interactions with timestamps.*half_life_days=null"):
        Popularity(1, 3, half_life_days=5).fit(without)
    Popularity(1, 3).fit(without)


def test_nothing_to_count_is_no_error():
    model = Popularity(1, 3, half_life_days=5)
    model.fit(seen_at())
    assert model.counts.tolist() == [0, 0, 0]


@pytest.mark.parametrize("half_life", [0, -1.0, float("nan")])
def test_a_half_life_is_positive(half_life):
    with pytest.raises(ModelError, match="half_life_days must be a number of days above 0"):
        Popularity(1, 3, half_life_days=half_life)
