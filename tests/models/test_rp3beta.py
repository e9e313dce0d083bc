import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.rp3beta import RP3Beta
from tests.models.small_data import dense, histories_of, small_data

DATA = small_data()


def rp3beta(num_neighbours=12, data=DATA, **settings):
    model = RP3Beta(data.num_users, data.num_items, Recency(), num_neighbours=num_neighbours, **settings)
    model.fit(data)
    return model


def reference(matrix, alpha, beta):
    """The walk of three steps in NumPy: W[i, j], from item i of the history to item j."""
    with np.errstate(divide="ignore", invalid="ignore"):
        to_users = np.nan_to_num(matrix.T / matrix.T.sum(1, keepdims=True)) ** alpha  # items, users
        to_items = np.nan_to_num(matrix / matrix.sum(1, keepdims=True)) ** alpha  # users, items
    # 0 ** 0 is 1, but no walk goes where there is no interaction.
    walks = (to_users * (matrix.T > 0)) @ (to_items * (matrix > 0))
    walks = walks / np.maximum(matrix.sum(0), 1) ** beta
    np.fill_diagonal(walks, 0)
    return walks


def weights_of(model):
    return model.item_weights(torch.arange(model.num_items)).T.numpy()


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (1.0, 0.6), (0.4, 1.0), (0.0, 0.0)])
def test_weights_are_those_of_the_walk(alpha, beta):
    np.testing.assert_allclose(
        weights_of(rp3beta(alpha=alpha, beta=beta)), reference(dense(DATA), alpha, beta), rtol=1e-5, atol=1e-8
    )


@given(st.integers(1, 20), st.integers(1, 10), st.floats(0, 2), st.floats(0, 1), st.integers(0, 2**31))
def test_weights_of_any_data_are_those_of_the_walk(num_users, num_items, alpha, beta, seed):
    data = small_data(max(num_users, 4), max(num_items, 6), seed)
    model = rp3beta(data.num_items, data, alpha=alpha, beta=beta)
    np.testing.assert_allclose(weights_of(model), reference(dense(data), alpha, beta), rtol=1e-4, atol=1e-7)


def test_a_score_is_the_sum_over_the_history():
    scores = rp3beta().score_histories(histories_of([0, 4], [])).numpy()
    walks = reference(dense(DATA), 1.0, 0.6)
    np.testing.assert_allclose(scores[0], walks[0] + walks[4], rtol=1e-5)
    assert np.isnan(scores[1]).all()


def test_the_largest_weights_of_each_item_are_kept():
    kept, walks = weights_of(rp3beta(3)), reference(dense(DATA), 1.0, 0.6)
    for item in range(DATA.num_items):
        best = np.sort(walks[:, item])[::-1][:3]
        np.testing.assert_allclose(np.sort(kept[:, item])[::-1][:3], best, rtol=1e-5, atol=1e-8)
        assert (kept[:, item] > 0).sum() <= 3


def test_normalized_weights_of_an_item_add_up_to_one():
    sums = weights_of(rp3beta(3, normalize=True)).sum(0)
    taken = dense(DATA).sum(0) > 0
    np.testing.assert_allclose(sums, taken, rtol=1e-5)


def test_blocks_change_nothing():
    blocked = weights_of(rp3beta(3, max_block_bytes=100))
    np.testing.assert_allclose(blocked, weights_of(rp3beta(3)), rtol=1e-5)


def test_a_larger_beta_favours_rare_items():
    popular = int(dense(DATA).sum(0).argmax())
    shares = [
        weights_of(rp3beta(beta=beta))[:, popular].sum() / weights_of(rp3beta(beta=beta)).sum() for beta in (0.0, 1.0)
    ]
    assert shares[1] < shares[0]


@pytest.mark.parametrize("settings", [{"alpha": -0.1}, {"beta": -1.0}])
def test_exponents_below_zero_are_refused(settings):
    with pytest.raises(ModelError, match="model.alpha and model.beta must be at least 0"):
        rp3beta(**settings)
