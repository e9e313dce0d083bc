import numpy as np
import pytest

from recsys.errors import ExperimentError
from recsys.experiments.off_policy.estimates import LoggedFeedback, estimate_policy
from recsys.experiments.off_policy.reward_model import cross_fitted_predictions

RATES = {"a": 0.1, "b": 0.5, "c": 0.3}


def log(rows, seed=0):
    """Items shown alike, with their rewards; one unit a row."""
    draws = np.random.default_rng(seed)
    items = [[str(item)] for item in draws.choice(list(RATES), rows)]
    rewards = np.array([[float(draws.random() < RATES[item])] for (item,) in items])
    return rewards, items, [f"unit-{row}" for row in range(rows)]


def test_predictions_are_the_rates_of_the_items():
    rewards, items, units = log(6000)
    shown, expected = cross_fitted_predictions(rewards, items, [[{"b": 0.5, "c": 0.5}]] * 6000, units)
    for name, rate in RATES.items():
        own = [row for row, (item,) in enumerate(items) if item == name]
        assert shown[own, 0] == pytest.approx(rate, abs=0.04)
    assert expected == pytest.approx(0.4, abs=0.04)


def test_no_row_is_predicted_from_its_own_unit():
    """One unit alone has an item: its prediction is the mean of the others, whatever it got."""
    units = [f"unit-{row}" for row in range(200)]
    rewards = np.zeros((200, 1))
    rewards[7] = 1.0
    items = [["rare"] if row == 7 else ["usual"] for row in range(200)]
    shown, _ = cross_fitted_predictions(rewards, items, [[{}]] * 200, units)
    assert shown[7, 0] == 0.0


def test_an_item_that_was_never_shown_has_the_mean_of_its_position():
    rewards, items, units = log(2000)
    _, expected = cross_fitted_predictions(rewards, items, [[{"new": 1.0}]] * 2000, units)
    assert expected == pytest.approx(rewards.mean(), abs=0.05)


def test_the_doubly_robust_estimate_is_right_and_narrower_than_ips():
    rewards, items, units = log(4000, seed=3)
    target = [[{"b": 0.7, "a": 0.3}]] * 4000
    chosen = np.array([[target[0][0].get(item, 0.0)] for (item,) in items])
    shown, expected = cross_fitted_predictions(rewards, items, target, units)
    feedback = LoggedFeedback(rewards, np.full((4000, 1), 1 / 3), chosen, shown, expected, units)
    robust, plain = (estimate_policy(feedback, name) for name in ("doubly_robust", "ips"))
    assert robust.low < 0.7 * 0.5 + 0.3 * 0.1 < robust.high
    assert robust.high - robust.low < 0.9 * (plain.high - plain.low)


def test_what_does_not_fit_is_refused():
    rewards, items, units = log(10)
    with pytest.raises(ExperimentError, match="9 of items"):
        cross_fitted_predictions(rewards, items[:9], [[{}]] * 10, units)
    with pytest.raises(ExperimentError, match="all are in one"):
        cross_fitted_predictions(rewards, items, [[{}]] * 10, ["one"] * 10)
