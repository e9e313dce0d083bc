from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from recsys.data.feedback_view import FeedbackView
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.split import Split
from recsys.errors import SplitError
from recsys.evaluation.model_report import content_vectors, evaluate_model, fixed_pairs, model_name
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from tests.models.board_data import NUM_ITEMS, NUM_USERS, board_split, prepared_board

CPU = torch.device("cpu")
EVALUATOR = RankingEvaluator(ks=(3,), bootstrap_samples=0, segment_k=3)


class ByIndex(nn.Module):
    """Ranks items by their index for everyone."""

    def score(self, query):
        return torch.arange(NUM_ITEMS, 0, -1).float().expand(len(query), -1)


class ByColour(nn.Module):
    """Knows the board: a user likes the items of their parity."""

    def score(self, query):
        liked = (query.users[:, None] + torch.arange(NUM_ITEMS)) % 2 == 0
        return liked.float() * 4 + 1

    def score_pairs(self, users, items):
        return ((users + items) % 2 == 0).float()


class RatesByColour(ByColour):
    """Predicts every rating of the board with an error of 1."""

    def predict_ratings(self, query, rows, items):
        return ((query.users[rows] + items) % 2 == 0).float() * 2 + 2


def report(model, baseline=None, view=None, stage="test", prepared=None, split=None):
    prepared = prepared or prepared_board()
    view = view or FeedbackView.implicit(prepared)
    split = split or board_split(view.interactions)
    return evaluate_model(EVALUATOR, baseline, prepared, view, split, model, CPU, stage)


def test_the_baseline_comes_first():
    found = report(ByColour(), ByIndex())
    assert list(found.ranking) == ["ByIndex", "ByColour"]
    assert found.metrics("ByColour")["test/recall@3"] > found.metrics("ByIndex")["test/recall@3"]
    assert found.fixed_negatives == found.rating == {}


def test_the_numbers_of_the_baseline_have_names_of_their_own():
    found = report(ByColour(), ByIndex())
    baseline = found.baseline_metrics("ByColour")
    assert baseline["baseline/test/recall@3"] == found.metrics("ByIndex")["test/recall@3"]
    assert len(baseline) == len(found.metrics("ByIndex"))
    assert report(ByColour()).baseline_metrics("ByColour") == {}


def test_a_baseline_of_the_same_class_is_left_out():
    assert list(report(ByColour(), ByColour()).ranking) == ["ByColour"]
    assert list(report(ByColour(), None).ranking) == ["ByColour"]


def test_numbers_are_those_of_the_evaluator():
    view = FeedbackView.implicit(prepared_board())
    task = RankingTask.from_split(view.interactions, board_split(view.interactions), "valid")
    expected = EVALUATOR.evaluate(ByIndex(), task, content_vectors(prepared_board()))
    found = report(ByIndex(), stage="valid")
    assert found.metrics("ByIndex") == expected.flat("valid")
    assert "valid/diversity@3" in found.metrics("ByIndex")


def test_models_are_ranked_by_one_task(monkeypatch):
    made = []

    def from_split(*arguments, **options):
        made.append(make(*arguments, **options))
        return made[-1]

    make = RankingTask.from_split
    monkeypatch.setattr(RankingTask, "from_split", from_split)
    report(ByColour(), ByIndex())
    assert len(made) == 1


def test_ratings_are_compared_in_the_explicit_view_only():
    explicit = report(RatesByColour(), ByIndex(), FeedbackView.explicit(prepared_board()))
    assert list(explicit.rating) == ["RatesByColour"]
    # 4 instead of 5 and 2 instead of 1.
    assert explicit.metrics("RatesByColour")["test/rmse"] == explicit.metrics("RatesByColour")["test/mae"] == 1.0
    assert "test/rmse" not in explicit.metrics("ByIndex")
    assert report(RatesByColour()).rating == {}


def with_fixed_negatives(num_negatives=4):
    """Each user has negatives of the other colour."""
    users = np.arange(NUM_USERS, dtype=np.int32)
    negatives = (users[:, None] + 1 + 2 * np.arange(num_negatives)) % NUM_ITEMS
    negatives += (negatives + users[:, None] + 1) % 2
    return replace(prepared_board(), fixed_negatives=(users, negatives.astype(np.int32) % NUM_ITEMS))


def one_target_split(interactions):
    """One held-out interaction of each user."""
    _, first = np.unique(interactions.user_index, return_index=True)
    rest = np.setdiff1d(np.arange(len(interactions)), first)
    return Split(train=rest, valid=np.empty(0, dtype=np.int64), test=first)


def test_fixed_negatives_are_ranked_in_the_test():
    prepared = with_fixed_negatives()
    view = FeedbackView.implicit(prepared)
    found = report(ByColour(), view=view, prepared=prepared, split=one_target_split(view.interactions))
    # Four negatives: the cut-off is 4 instead of 10.
    assert found.metrics("ByColour")["sampled-4/hit_rate@4_strict"] == 1.0
    table = found.per_user("ByColour", prepared.user_vocabulary)
    assert len(table) == NUM_USERS
    assert {"user_id", "recall@3", "sampled-4/ndcg@4"} <= set(table.column_names)


def test_a_sample_of_users_is_that_of_all_models_and_of_the_fixed_negatives():
    prepared = with_fixed_negatives()
    view = FeedbackView.implicit(prepared)
    evaluator = RankingEvaluator(ks=(3,), bootstrap_samples=0, segment_k=3, max_users=4)
    split = board_split(view.interactions)
    found = evaluate_model(evaluator, ByIndex(), prepared, view, split, ByColour(), CPU)
    users = found.ranking["ByColour"].users.tolist()
    assert len(users) == 4
    assert found.ranking["ByIndex"].users.tolist() == users
    assert set(found.fixed_negatives["ByColour"].users.tolist()) <= set(users)


def test_fixed_pairs_are_the_users_with_their_held_out_items():
    prepared = with_fixed_negatives(2)
    interactions = FeedbackView.implicit(prepared).interactions
    split = one_target_split(interactions)
    users, targets, negatives = fixed_pairs(prepared, interactions, split, CPU)
    assert users.tolist() == list(range(NUM_USERS))
    # The first liked item of user u is u modulo 2.
    assert targets.tolist() == [user % 2 for user in range(NUM_USERS)]
    assert negatives.shape == (NUM_USERS, 2) and negatives.dtype == torch.int64
    assert fixed_pairs(prepared_board(), interactions, split, CPU) is None


def test_fixed_negatives_need_one_held_out_item_of_each_user():
    interactions = FeedbackView.implicit(prepared_board()).interactions
    with pytest.raises(SplitError, match=f"but {NUM_USERS} users have another number. Use split=predefined"):
        fixed_pairs(with_fixed_negatives(), interactions, Split(*[np.empty(0, dtype=np.int64)] * 3), CPU)


def test_an_empty_stage_is_refused():
    view = FeedbackView.implicit(prepared_board())
    split = one_target_split(view.interactions)
    with pytest.raises(SplitError, match="Held-out interactions are required to evaluate, but the valid part"):
        report(ByIndex(), view=view, split=split, stage="valid")


def test_content_is_the_first_multi_valued_feature():
    vectors = content_vectors(prepared_board())
    # Values in Unicode order: black, even, odd, white.
    assert vectors[:2].tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]
    titles = (FeatureColumn("title", FeatureKind.TEXT),)
    assert (
        content_vectors(replace(prepared_board(), schema=replace(prepared_board().schema, item_features=titles)))
        is None
    )


def test_too_many_values_are_not_made_dense(monkeypatch):
    monkeypatch.setattr("recsys.evaluation.model_report.MAX_CONTENT_VALUES", 3)
    assert content_vectors(prepared_board()) is None


def test_models_are_named_by_their_class():
    assert model_name(ByIndex()) == "ByIndex"
