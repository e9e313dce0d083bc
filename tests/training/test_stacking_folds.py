import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.errors import RecsysError, SplitError
from recsys.training.stacking_folds import LastItems, RandomFolds
from tests.models.small_data import small_data


@given(st.integers(2, 12), st.integers(0, 5))
def test_all_folds_together_are_everything_but_single_interactions(num_folds, seed):
    data = small_data(seed=seed)
    folds = RandomFolds(num_folds, num_folds, seed).held_out(data)
    rows = np.concatenate(folds)
    counts = np.bincount(data.user_index, minlength=data.num_users)
    assert len(np.unique(rows)) == len(rows)
    assert sorted(rows) == np.flatnonzero(counts[data.user_index] > 1).tolist()


@given(st.integers(2, 12), st.integers(0, 5))
def test_each_user_is_divided_evenly(num_folds, seed):
    data = small_data(seed=seed)
    counts = np.bincount(data.user_index, minlength=data.num_users)
    for rows in RandomFolds(num_folds, num_folds, seed).held_out(data):
        held_out = np.bincount(data.user_index[rows], minlength=data.num_users)
        assert (held_out <= np.ceil(counts / num_folds)).all()
        assert (held_out[counts > 1] >= counts[counts > 1] // num_folds).all()
        assert (held_out < counts)[counts > 0].all()  # something is left to know each user by


def test_small_users_are_in_some_folds_only():
    users = np.repeat(np.arange(1000, dtype=np.int32), 2)
    items = np.tile(np.array([0, 1], dtype=np.int32), 1000)
    data = Interactions(users, items, None, None, None, num_users=1000, num_items=2)
    # Two of ten folds hold one of a user's two interactions: 200 of 1,000 in a fold, give or take.
    assert 150 < len(RandomFolds(10, 1).held_out(data)[0]) < 250


def test_the_seed_decides():
    first, again, other = (RandomFolds(5, 1, seed).held_out(small_data())[0] for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_the_last_items_are_the_last():
    data = small_data()
    assert data.timestamp is not None
    (rows,) = LastItems(2).held_out(data)
    for user in range(data.num_users):
        own = np.flatnonzero(data.user_index == user)
        latest = own[np.argsort(data.timestamp[own])][max(1, len(own) - 2) :]
        assert sorted(rows[data.user_index[rows] == user]) == sorted(latest)


def test_the_last_items_need_timestamps():
    data = small_data()
    timeless = Interactions(data.user_index, data.item_index, None, None, None, data.num_users, data.num_items)
    with pytest.raises(SplitError, match="stacking_folds=random"):
        LastItems().held_out(timeless)


@pytest.mark.parametrize("settings", [(1, 1), (5, 0), (5, 6)])
def test_numbers_out_of_range_are_refused(settings):
    with pytest.raises(RecsysError, match=r"stacking_folds\.num_folds must be at least 2"):
        RandomFolds(*settings)
    with pytest.raises(RecsysError, match=r"stacking_folds\.num_items must be at least 1"):
        LastItems(0)
