import dataclasses

import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from tests.checkerboard import checkerboard

DAY = 86_400
HISTORIES = Histories(
    offsets=torch.tensor([0, 3, 3, 4]),
    items=torch.tensor([5, 6, 7, 8]),
    rating=None,
    timestamp=torch.tensor([0, DAY, 3 * DAY, 7 * DAY]),
)


def test_each_later_interaction_lowers_the_weight():
    weights = Recency(step_decay=0.5).weights(HISTORIES)
    assert weights.tolist() == [0.25, 0.5, 1.0, 1.0]


def test_days_count_from_the_newest_of_the_same_history():
    weights = Recency(day_decay=0.5).weights(HISTORIES)
    # three, two and no days before the last of the first history; the other history has but one
    assert weights.tolist() == [0.125, 0.25, 1.0, 1.0]


def test_both_multiply():
    weights = Recency(step_decay=0.5, day_decay=0.5).weights(HISTORIES)
    assert weights.tolist() == [0.125 * 0.25, 0.25 * 0.5, 1.0, 1.0]


def test_without_timestamps_only_the_order_counts():
    weights = Recency(step_decay=0.5, day_decay=0.5).weights(dataclasses.replace(HISTORIES, timestamp=None))
    assert weights.tolist() == [0.25, 0.5, 1.0, 1.0]


def test_no_weights_where_age_does_not_count():
    assert Recency().weights(HISTORIES) is None
    assert not Recency().is_used


@pytest.mark.parametrize("factors", [{"step_decay": 0.0}, {"day_decay": 1.5}, {"step_decay": -1.0}])
def test_refuses_factors_out_of_range(factors):
    with pytest.raises(ModelError, match="above 0 and at most 1"):
        Recency(**factors)


def test_needs_timestamps_to_be_learnt_with():
    interactions, _ = checkerboard(2, 4)
    with pytest.raises(ModelError, match=r"need interactions with timestamps.*step_decay=1"):
        Recency(step_decay=0.9).check(interactions)
    Recency().check(interactions)
    Recency(step_decay=0.9).check(dataclasses.replace(interactions, timestamp=np.arange(len(interactions))))
