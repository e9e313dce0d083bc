from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torchmetrics import MeanAbsoluteError, MeanSquaredError

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.errors import EvaluationError, ModelError
from recsys.evaluation.rating import RatingEvaluator, RatingTask, mae, rmse
from recsys.evaluation.statistics.significance import bootstrap_ratio_intervals
from recsys.reporting.evaluation_tables import ratings_table


def rows(*positions):
    return np.array(positions, dtype=np.int64)


# rows:             0  1  2  3  4  5  6
USERS = np.array([0, 0, 2, 0, 2, 2, 1], dtype=np.int32)
ITEMS = np.array([0, 1, 0, 2, 1, 2, 0], dtype=np.int32)
RATINGS = np.array([5, 3, 1, 4, 2, 2, 3], dtype=np.float32)
INTERACTIONS = Interactions(USERS, ITEMS, RATINGS, None, None, num_users=4, num_items=3)
SPLIT = Split(train=rows(0, 2, 6), valid=rows(), test=rows(1, 3, 4, 5))


class Always:
    """Predicts one rating, or what ``ratings`` says."""

    def __init__(self, rating=3.0):
        self.rating = rating

    def predict_ratings(self, query, rows, items):
        return torch.full((len(rows),), self.rating)


class FromHistory:
    """Predicts the first rating of the user's history, plus a tenth of the item."""

    def predict_ratings(self, query, rows, items):
        return query.histories.rating[query.histories.offsets[rows]] + items / 10


def test_errors_by_hand():
    predicted, rating = torch.tensor([3.0, 3.0, 3.0]), torch.tensor([3.0, 4.0, 1.0])
    # squares 0, 1, 4; absolute values 0, 1, 2
    assert rmse(predicted, rating).item() == pytest.approx(math.sqrt(5 / 3))
    assert mae(predicted, rating).item() == pytest.approx(1.0)


def test_errors_agree_with_torchmetrics():
    predicted, rating = torch.rand(50), torch.rand(50)
    assert rmse(predicted, rating).item() == pytest.approx(MeanSquaredError(squared=False)(predicted, rating).item())
    assert mae(predicted, rating).item() == pytest.approx(MeanAbsoluteError()(predicted, rating).item())


def test_errors_of_nothing_are_not_defined():
    assert rmse(torch.empty(0), torch.empty(0)).isnan()
    assert mae(torch.empty(0), torch.empty(0)).isnan()


def test_the_result_is_that_of_all_held_out_ratings():
    task = RatingTask.from_split(INTERACTIONS, SPLIT, "test")
    result = RatingEvaluator(bootstrap_samples=0).evaluate(Always(3.0), task)
    # user 0: 3 and 4; user 2: 2 and 2
    assert result.users.tolist() == [0, 2]
    assert result.num_ratings.tolist() == [2, 2]
    assert result.squared_error.tolist() == [1.0, 2.0]
    assert result.absolute_error.tolist() == [1.0, 2.0]
    assert result.rmse == pytest.approx(math.sqrt(3 / 4))
    assert result.mae == pytest.approx(3 / 4)
    assert result.intervals == {}


@pytest.mark.parametrize("batch_size", [1, 2, 512])
def test_batches_ask_with_the_right_history_and_change_nothing(batch_size):
    task = RatingTask.from_split(INTERACTIONS, SPLIT, "test")
    result = RatingEvaluator(batch_size, bootstrap_samples=0).evaluate(FromHistory(), task)
    # user 0 knows a 5: 5.1 for 3 and 5.2 for 4; user 2 knows a 1: 1.1 for 2 and 1.2 for 2
    assert result.squared_error == pytest.approx([2.1**2 + 1.2**2, 0.9**2 + 0.8**2], rel=1e-6)


def test_test_knows_the_validation_and_validation_does_not():
    split = Split(train=rows(0, 2, 6), valid=rows(1), test=rows(3, 4, 5))
    assert RatingTask.from_split(INTERACTIONS, split, "test").histories.counts.tolist() == [2, 1, 1, 0]
    assert RatingTask.from_split(INTERACTIONS, split, "valid").histories.counts.tolist() == [1, 1, 1, 0]
    assert RatingTask.from_split(INTERACTIONS, split, "test").training_user_counts.tolist() == [1, 1, 1, 0]


def test_segments_add_up_to_the_whole():
    random = np.random.default_rng(0)
    count = 400
    interactions = Interactions(
        random.integers(0, 20, count).astype(np.int32),
        random.integers(0, 15, count).astype(np.int32),
        random.integers(1, 6, count).astype(np.float32),
        None,
        None,
        20,
        15,
    )
    split = Split(train=np.arange(300), valid=rows(), test=np.arange(300, 400))
    result = RatingEvaluator(bootstrap_samples=0).evaluate(
        Always(2.5), RatingTask.from_split(interactions, split, "test")
    )
    for group in ("user_activity", "item_popularity"):
        parts = [part for part in result.segments if part.group == group]
        assert len(parts) == 3
        assert sum(part.num_ratings for part in parts) == 100
        squares = sum(part.num_ratings * part.rmse**2 for part in parts)
        assert math.sqrt(squares / 100) == pytest.approx(result.rmse)
        assert sum(part.num_ratings * part.mae for part in parts) / 100 == pytest.approx(result.mae)


def test_intervals_hold_the_value_and_users_with_equal_errors_give_none_any_width():
    task = RatingTask.from_split(INTERACTIONS, SPLIT, "test")
    result = RatingEvaluator().evaluate(Always(3.0), task)
    for name, value in (("rmse", result.rmse), ("mae", result.mae)):
        assert result.intervals[name].low < value < result.intervals[name].high
    # resamples are of whole users: both users 0 (mean square 1/2), both users 2 (1), or one of each
    assert result.intervals["rmse"] == pytest.approx((math.sqrt(0.5), 1.0))
    flat = RatingEvaluator().evaluate(Always(2.0), RatingTask.from_split(INTERACTIONS, SPLIT, "test"))
    assert flat.intervals["mae"].low == 0.0  # user 2 has no error at all


def test_ratio_intervals_weigh_users_by_their_counts():
    # Sums of 1 of one and of 3 of three: each user has the mean 1, whatever is drawn.
    (interval,) = bootstrap_ratio_intervals(np.array([[1.0], [3.0]]), np.array([1.0, 3.0]))
    assert interval == (1.0, 1.0)
    (interval,) = bootstrap_ratio_intervals(np.array([[0.0], [3.0]]), np.array([1.0, 3.0]))
    assert interval == (0.0, 1.0)


def test_flat_names():
    flat = RatingEvaluator().evaluate(Always(), RatingTask.from_split(INTERACTIONS, SPLIT, "test")).flat("valid")
    assert {"valid/rmse", "valid/rmse_low", "valid/rmse_high", "valid/mae", "valid/user_activity=low/rmse"} <= set(flat)
    assert all(math.isfinite(value) for value in flat.values())


def test_the_table_shows_errors_with_their_intervals():
    result = RatingEvaluator().evaluate(Always(), RatingTask.from_split(INTERACTIONS, SPLIT, "test"))
    table = ratings_table({"Always": result})
    cells = [list(column.cells) for column in table.columns]
    shown = [" ".join(getattr(column[0], "parts", [str(column[0])])) for column in cells]
    assert shown == ["Always", "0.8660 [0.7071, 1.0000]", "0.7500 [0.5000, 1.0000]", "4"]


def test_refuses_data_without_ratings():
    without = Interactions(USERS, ITEMS, None, None, None, 4, 3)
    with pytest.raises(EvaluationError, match="needs ratings; these interactions have none"):
        RatingTask.from_split(without, SPLIT, "test")


def test_refuses_an_empty_stage():
    with pytest.raises(EvaluationError, match="the 'valid' part of this split has none"):
        RatingEvaluator().evaluate(Always(), RatingTask.from_split(INTERACTIONS, SPLIT, "valid"))


def test_refuses_predictions_that_are_not_finite():
    task = RatingTask.from_split(INTERACTIONS, SPLIT, "test")
    with pytest.raises(ModelError, match="one finite rating for each of 4 pairs; Always gave .* 4 numbers"):
        RatingEvaluator().evaluate(Always(math.nan), task)


@pytest.mark.parametrize("settings", [{"batch_size": 0}, {"bootstrap_samples": -1}])
def test_refuses_settings_out_of_range(settings):
    with pytest.raises(EvaluationError, match="batch_size must be at least 1 and bootstrap_samples at least 0"):
        RatingEvaluator(**settings)
