import numpy as np
import pytest
import torch

from recsys.data.feedback_view import FeedbackView
from recsys.errors import SettingsError
from recsys.evaluation.known_items import ONLY_NEW
from recsys.evaluation.metrics import RANKING_METRICS
from recsys.models.random_scores import RandomScores
from recsys.runs.updating.drift import check_drift_settings, compare_with_refit
from recsys.runs.updating.update_settings import DriftSettings
from tests.checkerboard import checkerboard


class Board(torch.nn.Module):
    """Knows the board."""

    def score(self, query):
        users, items = query.users[:, None], torch.arange(30)[None]
        return ((users + items) % 2 == 0).float()


def compared(updated, refitted, **settings):
    interactions, split = checkerboard()
    view = FeedbackView.of_positives(interactions)
    chosen = DriftSettings(every=1, **settings)
    return compare_with_refit(updated, refitted, view, split, ONLY_NEW, chosen, 2.0, torch.device("cpu"))


def test_a_model_that_fell_behind_is_told_from_one_that_did_not():
    bad = RandomScores(40, 30, seed=1)
    check = compared(bad, Board())
    assert check.takes_refit and check.num_users == 40 and check.seconds == 2.0
    assert np.isclose(check.difference, check.refitted - check.updated)
    assert not compared(bad, Board(), tolerance=0.99).takes_refit or check.low > check.updated
    assert not compared(Board(), bad).takes_refit
    same = compared(Board(), Board())
    assert same.difference == 0 and not same.takes_refit


def test_another_metric_and_a_sample_of_users():
    check = compared(Board(), Board(), metric="recall@5", max_users=7)
    assert check.metric == "recall@5" and check.num_users == 7


@pytest.mark.parametrize("metric", ["ndgc@10", "foo", "ndcg", "ndcg@0", "ndcg@-3", "ndcg@x", "coverage@10", "ndcg@010"])
def test_a_metric_that_is_not_measured_for_each_user_is_refused_before_anything_is_fitted(metric):
    with pytest.raises(SettingsError, match="drift.metric must be one of .*ndcg@10.* but is"):
        check_drift_settings(DriftSettings(every=1, metric=metric))


def test_every_metric_that_is_accepted_is_measured():
    for name in RANKING_METRICS:
        check_drift_settings(DriftSettings(every=1, metric=f"{name}@3"))
        assert compared(Board(), Board(), metric=f"{name}@3").num_users == 40


def test_no_users_to_measure_on_are_refused():
    with pytest.raises(SettingsError, match="drift.max_users must be 1 or more, or null, but is 0"):
        check_drift_settings(DriftSettings(every=1, max_users=0))
