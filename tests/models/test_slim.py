import numpy as np
import pytest
import torch

from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.interface.protocols import Fittable, FoldsIn, Query, ScoringModel
from recsys.models.linalg import regularised_gram
from recsys.models.slim import SLIM
from tests.models.small_data import dense, histories_of, small_data

DATA = small_data()


def slim(**settings) -> SLIM:
    settings = {"l1": 0.5, "l2": 2.0, "penalty": 1.0, "tolerance": 1e-6, "max_iterations": 2000} | settings
    model = SLIM(DATA.num_users, DATA.num_items, settings.pop("recency", Recency()), **settings)
    model.fit(DATA)
    return model


def weights_of(model: SLIM) -> np.ndarray:
    """``weights[j, i]``: from item j to item i."""
    return model.weights.matrix.dense().T.numpy()


def coordinate_descent(x: np.ndarray, l1: float, l2: float, nonnegative: bool) -> np.ndarray:
    """The elastic net of each column on the others, one weight at a time, in float64."""
    gram = x.T @ x
    weights = np.zeros_like(gram)
    for item in range(len(gram)):
        for _ in range(200):
            for other in range(len(gram)):
                if other == item:
                    continue
                weights[other, item] = 0
                fit = gram[other, item] - gram[other] @ weights[:, item]
                shrunk = max(abs(fit) - l1, 0) * np.sign(fit)
                weights[other, item] = (max(shrunk, 0) if nonnegative else shrunk) / (gram[other, other] + l2)
    return weights


def test_implements_its_protocols():
    for protocol in (ScoringModel, Fittable, FoldsIn):
        assert isinstance(slim(), protocol)
    assert hasattr(slim(), "dynamic_buffers")


@pytest.mark.parametrize("nonnegative", [True, False])
@pytest.mark.parametrize("penalty", [0.5, 5.0])
def test_weights_are_those_of_coordinate_descent(nonnegative, penalty):
    expected = coordinate_descent(dense(DATA), 0.5, 2.0, nonnegative)
    model = slim(nonnegative=nonnegative, penalty=penalty)
    np.testing.assert_allclose(weights_of(model), expected, atol=2e-5)
    assert (expected < 0).any() != nonnegative
    assert 0 < (weights_of(model) != 0).mean() < 0.9


def test_no_item_predicts_itself():
    assert (weights_of(slim()).diagonal() == 0).all()


def test_scores_are_sums_of_weights_with_recency():
    model = slim(recency=Recency(step_decay=0.5))
    scores = model.score_histories(histories_of([1, 0, 7], []))
    weights = weights_of(model)
    np.testing.assert_allclose(scores[0], 0.25 * weights[1] + 0.5 * weights[0] + weights[7], rtol=1e-5, atol=1e-7)
    assert scores[1].isnan().all()


def test_known_and_unseen_users_with_one_history_score_alike():
    model, histories = slim(), histories_of([1, 0, 7])
    assert model.score(Query(torch.tensor([4]), histories)).equal(model.score_histories(histories))


def test_says_when_iterations_did_not_suffice():
    with pytest.warns(UserWarning, match=r"after 2 iterations.*Raise model.max_iterations"):
        slim(max_iterations=2)


def test_strong_l1_leaves_nothing():
    # no two items have as many users in common
    model = slim(l1=1000.0)
    assert model.weights.matrix.dense().count_nonzero() == 0
    assert (model.score_histories(histories_of([0, 1])) == 0).all()


@pytest.mark.parametrize("settings", [{"l1": -1.0}, {"l2": -1.0}, {"penalty": 0.0}, {"tolerance": 0.0}])
def test_refuses_settings_out_of_range(settings):
    with pytest.raises(ModelError, match="l1 and l2 of at least 0, and penalty and tolerance above 0"):
        slim(**settings)
    with pytest.raises(ModelError, match="max_iterations must be at least 1"):
        slim(max_iterations=0)


def test_refuses_a_catalogue_that_does_not_fit():
    with pytest.raises(ModelError, match=r"accepts 10 items at most \(model.max_items=10\)"):
        slim(max_items=10)


def test_refuses_to_fit_what_the_memory_does_not_hold(monkeypatch):
    model = SLIM(DATA.num_users, DATA.num_items, Recency())
    monkeypatch.setattr(regularised_gram, "free_memory", lambda device: 20 * DATA.num_items**2)  # five matrices
    with pytest.raises(ModelError, match="are free on cpu. Choose a model that holds few weights"):
        model.fit(DATA)
    assert SLIM.fit_bytes(1, 1000) == 20_400_000


def test_ages_need_timestamps():
    model = SLIM(DATA.num_users, DATA.num_items, Recency(step_decay=0.9))
    with pytest.raises(ModelError, match="need interactions with timestamps"):
        model.fit(type(DATA)(DATA.user_index, DATA.item_index, None, None, None, DATA.num_users, DATA.num_items))
