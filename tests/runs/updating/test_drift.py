import numpy as np
import pytest
import torch

from recsys.data.feedback_view import FeedbackView
from recsys.errors import SettingsError
from recsys.evaluation.known_items import ONLY_NEW
from recsys.models.popularity import Popularity
from recsys.models.random_scores import RandomScores
from recsys.runs.updating.drift import compare_with_refit
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
    with pytest.raises(SettingsError, match="drift.metric must be one of"):
        compared(Popularity(40, 30), Board(), metric="ndgc@10")
