from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from recsys.data.feedback_view import FeedbackView
from recsys.data.split import Split
from recsys.data.splitting.cold_users import ColdUsers
from recsys.data.splitting.random_ratio import RandomRatio
from recsys.studies.tuning.validation import among_sampled_negatives, without_test
from tests.data.splitting.generated import many


def likes():
    """Interactions in which no user has an item twice."""
    rows = replace(many(), fold=None)
    _, first = np.unique(rows.user_index.astype(np.int64) * rows.num_items + rows.item_index, return_index=True)
    return FeedbackView.of_positives(rows.take(np.sort(first)))


def pairs_of(view, rows):
    taken = view.interactions.take(rows)
    return list(zip(taken.user_index.tolist(), taken.item_index.tolist(), strict=True))


@pytest.mark.parametrize("splitter", [RandomRatio(seed=3), ColdUsers(seed=3)])
def test_training_and_validation_stay_and_the_test_is_gone(splitter):
    view = FeedbackView.of_positives(many())
    split = splitter.split(view.interactions)
    remaining, again = without_test(view, split)
    for part in ("train", "valid", "valid_fold_in"):
        assert pairs_of(remaining, getattr(again, part)) == pairs_of(view, getattr(split, part))
    assert len(again.test) == len(again.test_fold_in) == 0
    assert len(remaining.interactions) == len(split.train) + len(split.valid) + len(split.valid_fold_in)
    assert len(remaining.positive) == len(remaining.interactions)


def test_nothing_of_the_test_has_an_influence():
    # The same training and validation with other test rows: users, items and times of the test are overwritten.
    view = FeedbackView.of_positives(many())
    split = RandomRatio(seed=3).split(view.interactions)
    columns = {}
    for name in ("user_index", "item_index", "timestamp"):
        column = getattr(view.interactions, name).copy()
        column[split.test] = 0
        columns[name] = column
    spoiled = replace(view, interactions=replace(view.interactions, **columns))
    for name in columns:
        first, second = (getattr(without_test(seen, split)[0].interactions, name) for seen in (view, spoiled))
        np.testing.assert_array_equal(first, second)


class TestSampledNegatives:
    def test_one_training_interaction_of_each_user_is_held_out_among_unknown_items(self):
        view = likes()
        split = RandomRatio(seed=3).split(view.interactions)
        known, drawn, pairs = among_sampled_negatives(view, split, num_negatives=7, seed=5)
        assert len(known.interactions) == len(split.train) + len(split.valid)
        counts = np.bincount(known.interactions.user_index)
        assert sorted(pairs.users.tolist()) == np.flatnonzero(counts > 1).tolist()
        assert len(drawn.train) == len(known.interactions) - len(pairs.users)
        assert len(drawn.valid) == len(drawn.test) == 0
        everything = set(pairs_of(known, np.arange(len(known.interactions))))
        trained = set(pairs_of(known, drawn.train))
        for user, target, negatives in zip(
            pairs.users.tolist(), pairs.targets.tolist(), pairs.negatives.tolist(), strict=True
        ):
            assert (user, target) in everything
            assert (user, target) not in trained
            assert len(negatives) == 7
            assert not {(user, item) for item in negatives} & everything

    def test_the_seed_decides(self):
        view = likes()
        split = RandomRatio(seed=3).split(view.interactions)
        first, again, other = (among_sampled_negatives(view, split, seed=seed)[2] for seed in (1, 1, 2))
        assert torch.equal(first.targets, again.targets) and torch.equal(first.negatives, again.negatives)
        assert not torch.equal(first.targets, other.targets)

    def test_histories_leave_out_what_is_to_be_found(self):
        view = likes()
        none = np.empty(0, dtype=np.int64)
        split = Split(train=np.arange(len(view.interactions)), valid=none, test=none)
        known, drawn, pairs = among_sampled_negatives(view, split)
        lengths = np.bincount(known.interactions.user_index[drawn.train], minlength=known.interactions.num_users)
        np.testing.assert_array_equal(pairs.histories.counts.numpy(), lengths)
