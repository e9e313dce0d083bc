import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.ease import EASE
from recsys.models.interface.protocols import Fittable, FoldsIn, Query, ScoringModel
from recsys.models.linalg import regularised_gram
from tests.models.small_data import dense, histories_of, small_data

DATA = small_data()


def ease(data=DATA, **settings) -> EASE:
    settings = {"l2": 3.0, "recency": Recency()} | settings
    model = EASE(data.num_users, data.num_items, **settings)
    model.fit(data)
    return model


def reference(matrix: np.ndarray, l2: float) -> np.ndarray:
    """Each column's ridge regression on the other columns, one by one in float64: no inverse is shared."""
    num_items = matrix.shape[1]
    weights = np.zeros((num_items, num_items))
    for item in range(num_items):
        others = np.delete(np.arange(num_items), item)
        gram = matrix[:, others].T @ matrix[:, others] + l2 * np.eye(num_items - 1)
        weights[others, item] = np.linalg.solve(gram, matrix[:, others].T @ matrix[:, item])
    return weights


def test_implements_its_protocols():
    for protocol in (ScoringModel, Fittable, FoldsIn):
        assert isinstance(ease(), protocol)
    assert hasattr(ease(), "dynamic_buffers")


def test_weights_are_ridge_regressions_of_each_item_on_the_others():
    np.testing.assert_allclose(ease().weights.weights, reference(dense(DATA), 3.0), rtol=1e-4, atol=1e-6)


@given(st.integers(1, 20), st.integers(1, 10), st.floats(0.1, 1000), st.integers(0, 2**31))
def test_weights_are_exact_for_any_data(num_users, num_items, l2, seed):
    random = np.random.default_rng(seed)
    users, items = np.nonzero(random.random((num_users, num_items)) < random.random())
    data = dataclasses.replace(
        DATA.take(np.zeros(len(users), dtype=np.int64)),
        user_index=users.astype(np.int32),
        item_index=items.astype(np.int32),
        num_users=num_users,
        num_items=num_items,
    )
    np.testing.assert_allclose(ease(data, l2=l2).weights.weights, reference(dense(data), l2), rtol=1e-3, atol=1e-4)


def test_single_precision_is_enough_for_items_of_very_different_popularity():
    # 2,000 users, items from 1 to 1,900 users; l2 a thousandth of the largest
    random = np.random.default_rng(0)
    users, items = np.nonzero(random.random((2000, 100)) < np.geomspace(0.001, 0.95, 100))
    data = dataclasses.replace(
        DATA.take(np.zeros(len(users), dtype=np.int64)),
        user_index=users.astype(np.int32),
        item_index=items.astype(np.int32),
        num_users=2000,
        num_items=100,
    )
    np.testing.assert_allclose(ease(data, l2=2.0).weights.weights, reference(dense(data), 2.0), atol=1e-5)


def test_keeps_the_strongest_weights_of_each_item():
    weights = ease().weights.weights.T.numpy()  # row i: what the score of item i depends on
    few = ease(num_neighbours=2).weights.matrix.dense().numpy()
    for row, kept in zip(weights, few, strict=True):
        top_entries = np.argsort(-abs(row))[:2]
        expected = np.zeros_like(row)
        expected[top_entries] = row[top_entries]
        np.testing.assert_array_equal(kept, expected)
    assert (few < 0).any()


@pytest.mark.parametrize("num_neighbours", [None, 3])
def test_scores_are_sums_of_weights_with_recency(num_neighbours):
    model = ease(recency=Recency(step_decay=0.5), num_neighbours=num_neighbours)
    weights = model.weights.weights if num_neighbours is None else model.weights.matrix.dense().T
    scores = model.score_histories(histories_of([1, 0, 7], []))
    torch.testing.assert_close(scores[0], 0.25 * weights[1] + 0.5 * weights[0] + weights[7])
    assert scores[1].isnan().all()


def test_known_and_unseen_users_with_one_history_score_alike():
    model, histories = ease(), Histories.from_interactions(DATA)
    known = Query(torch.arange(DATA.num_users), histories)
    torch.testing.assert_close(model.score(known), model.score_histories(histories), rtol=0, atol=0, equal_nan=True)


def test_an_item_without_interactions_has_no_weights():
    weights = ease().weights.weights
    assert (weights[5] == 0).all()
    assert (weights[:, 5] == 0).all()


def test_refuses_a_catalogue_that_does_not_fit(monkeypatch):
    # 4 bytes for each of 30,000 * 30,000 pairs; nothing is allocated before
    monkeypatch.setattr(regularised_gram, "free_memory", lambda device: 3_500_000_000)
    with pytest.raises(ModelError, match=r"3.6 GB for these 30,000 items, but 3.5 GB are free on cpu"):
        EASE(10, 30_000, Recency())
    with pytest.raises(ModelError, match=r"accepts 20,000 items at most \(model.max_items=20000\)"):
        EASE(10, 20_001, Recency(), max_items=20_000)


def test_few_weights_need_the_matrix_only_while_they_are_fitted(monkeypatch):
    monkeypatch.setattr(regularised_gram, "free_memory", lambda device: 4 * DATA.num_items**2)
    model = EASE(DATA.num_users, DATA.num_items, Recency(), num_neighbours=2)
    with pytest.raises(ModelError, match="are free on cpu"):
        model.fit(DATA)
    EASE(DATA.num_users, DATA.num_items, Recency()).fit(DATA)  # whose weights are that matrix


def test_the_weights_are_made_where_they_stay():
    model = EASE(DATA.num_users, DATA.num_items, Recency(), l2=3.0)
    place = model.weights.weights.data_ptr()
    model.fit(DATA)
    assert model.weights.weights.data_ptr() == place


def test_regularisation_too_small_for_single_precision_is_refused():
    # two items with the same 30 users: only l2 tells them apart
    twice = dataclasses.replace(
        DATA.take(np.zeros(60, dtype=np.int64)),
        user_index=np.repeat(np.arange(30, dtype=np.int32), 2),
        item_index=np.tile(np.arange(2, dtype=np.int32), 30),
    )
    with pytest.raises(ModelError, match=r"a regularisation of 1e-09: it is too small.*Raise model.l2"):
        ease(twice, l2=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"), [({"l2": 0.0}, "l2 must be above 0"), ({"num_neighbours": 0}, "num_")]
)
def test_refuses_settings_out_of_range(settings, message):
    with pytest.raises(ModelError, match=message):
        ease(**settings)


def test_ages_need_timestamps():
    with pytest.raises(ModelError, match="need interactions with timestamps"):
        ease(dataclasses.replace(DATA, timestamp=None), recency=Recency(step_decay=0.9))
