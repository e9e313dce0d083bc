import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.components.item_statistics import ItemStatistics

DAY = 86_400


def interactions(timed: bool = True) -> Interactions:
    """Item 0 is popular and old, item 1 is new; nobody has item 3."""
    users = np.array([0, 1, 2, 3, 0, 1, 2, 0], dtype=np.int32)
    items = np.array([0, 0, 0, 0, 1, 1, 2, 2], dtype=np.int32)
    times = np.array([0, 1, 2, 3, 100, 99, 50, 40]) * DAY
    return Interactions(users, items, None, times if timed else None, None, num_users=4, num_items=4)


def measured(timed: bool = True) -> ItemStatistics:
    statistics = ItemStatistics(4)
    statistics.measure(interactions(timed))
    return statistics


def test_popularity_is_the_standardised_logarithm_of_the_count():
    logs = np.log1p([4, 2, 2, 0])
    expected = (logs - logs.mean()) / logs.std()
    assert measured().popularity.tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_a_user_is_told_by_activity_and_by_how_popular_their_items_are():
    statistics = measured()
    histories = Histories.from_interactions(interactions())
    about = statistics.popularity_features(histories, torch.tensor([[0, 3]] * 4))
    popularity = statistics.popularity
    assert about.shape == (4, 2, 3)
    assert about[:, :, 0].tolist() == [[popularity[0], popularity[3]]] * 4
    assert about[0, 0, 1] > about[1, 0, 1] > about[3, 0, 1]
    assert about[3, 0, 2] == 0  # user 3 has item 0 alone
    assert about[1, 1, 2].item() == pytest.approx((popularity[3] - (popularity[0] + popularity[1]) / 2).item())


def test_an_empty_history_is_compared_with_the_mean_item():
    nobody = Histories(torch.zeros(2, dtype=torch.int64), torch.empty(0, dtype=torch.int64), None, None)
    about = measured().popularity_features(nobody, torch.tensor([[0]]))
    assert about.isfinite().all()
    assert about[0, 0, 2] == about[0, 0, 0]


def test_fresh_items_were_chosen_lately_and_more_than_before():
    fresh = measured().freshness_features(torch.tensor([[0, 1, 2]]))[0]
    assert fresh[1, 0] > fresh[2, 0] > fresh[0, 0]
    assert fresh[1, 1] > fresh[0, 1]


def test_nothing_is_fresh_without_timestamps():
    assert measured(timed=False).freshness_features(torch.tensor([[0, 1]])).abs().max() == 0
