import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.errors import EvaluationError, ModelError
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.explanation import Explanation, rows_of
from recsys.recommendation.explanation_fidelity import deletion_fidelity
from recsys.recommendation.sampled_explanation import ExactExplainer, batch_explainer_of, sampled_explainer_of
from tests.evaluation.score_table import SharedRow
from tests.models.test_contract import fitted

WEIGHTS = torch.tensor([1.0, 2.0, 4.0, 8.0, 0.0, 0.0])


class Sums:
    """Scores item 4 by the sum of the weights of the history, every other item by nothing; explains itself or not."""

    def __init__(self, sign=1.0):
        self.sign = sign

    def score(self, query):
        histories = query.histories
        sums = torch.zeros(len(query)).index_add_(0, rows_of(histories), WEIGHTS[histories.items])
        scores = torch.full((len(query), 6), -100.0)
        scores[:, 4] = sums
        return scores.masked_fill((histories.counts == 0)[:, None], torch.nan)

    def explain(self, query, items):
        parts = self.sign * WEIGHTS[query.histories.items][:, None]
        return Explanation(query.histories, parts, torch.zeros_like(items, dtype=torch.float32))


def task(*rows):
    """Each user has a row as training and item 5 as test."""
    users = [user for user, row in enumerate(rows) for _ in (*row, 5)]
    items = [item for row in rows for item in (*row, 5)]
    interactions = Interactions(np.array(users, np.int32), np.array(items, np.int32), None, None, None, len(rows), 6)
    is_test = np.array(items) == 5
    split = Split(np.flatnonzero(~is_test), np.empty(0, np.int64), np.flatnonzero(is_test))
    return RankingTask.from_split(interactions, split, "test")


def test_falls_by_hand():
    # without item 3 the score falls by 8, without item 0 by 1; the second user has items 1 and 2
    result = deletion_fidelity(Sums(), ExactExplainer(Sums()), task([0, 3], [1, 2]), num_random=4000)
    assert result.named.tolist() == [8, 4]
    assert result.least.tolist() == [1, 2]
    assert result.scores.tolist() == [9, 6]
    np.testing.assert_allclose(result.random, [4.5, 3], atol=0.3)
    assert result.wins == 1
    assert result.ratio == pytest.approx(12 / 7.5, rel=0.05)
    low, high = result.interval()
    assert 0.9 < low <= high < 3.7


def test_an_explainer_that_names_the_wrong_ones_loses():
    result = deletion_fidelity(Sums(), ExactExplainer(Sums(sign=-1.0)), task([0, 3], [1, 2]))
    assert result.named.tolist() == [1, 2]
    assert result.wins == 0
    assert result.interval().high < 0


def test_ties_are_half_a_win():
    # each interaction of the history counts the same
    assert deletion_fidelity(Sums(), ExactExplainer(Sums()), task([1, 1], [2, 2])).wins == 0.5


def test_users_with_one_interaction_are_left_out():
    assert len(deletion_fidelity(Sums(), ExactExplainer(Sums()), task([0], [1, 2])).named) == 1
    with pytest.raises(EvaluationError, match="needs users with two interactions"):
        deletion_fidelity(Sums(), ExactExplainer(Sums()), task([0]))


def test_does_not_depend_on_the_batches_and_takes_some_users():
    several = task(*([first, second] for first in range(4) for second in range(4) if first != second))
    whole, single = (deletion_fidelity(Sums(), ExactExplainer(Sums()), several, batch_size=size) for size in (100, 1))
    np.testing.assert_array_equal(whole.named, single.named)
    np.testing.assert_array_equal(whole.scores, single.scores)
    some = deletion_fidelity(Sums(), ExactExplainer(Sums()), several, max_users=5)
    assert len(some.named) == 5


def test_interactions_that_were_explained_as_one_are_not_named():
    # of 3 interactions the oldest, with the largest weight, is in the group
    explainer = sampled_explainer_of(Sums(), 6, max_items=2)
    assert deletion_fidelity(Sums(), explainer, task([3, 1, 0])).named.tolist() == [2]


def test_a_model_without_histories_is_refused():
    model = SharedRow([1.0] * 6)
    with pytest.raises(ModelError, match="Scores that depend on the history are required"):
        deletion_fidelity(model, sampled_explainer_of(model, 6), task([0, 1]))


@pytest.mark.parametrize("name", ["ease", "slim", "item_knn", "ials", "pure_svd", "user_knn", "nmf"])
def test_what_a_model_names_first_lowers_the_score_more_than_a_random_interaction(name):
    model = fitted(name).model
    explainer = batch_explainer_of(model, fitted(name).task.seen.num_items, num_permutations=8)
    with torch.inference_mode():
        result = deletion_fidelity(model, explainer, fitted(name).task, max_users=20)
    assert result.named.mean() > result.random.mean() > result.least.mean()
    assert result.wins > 0.5


def test_histories_keep_their_ratings_and_times():
    seen = []

    class Watching(Sums):
        def score(self, query):
            seen.append(query.histories)
            return super().score(query)

    whole = task([0, 3])
    histories = Histories(
        whole.histories.offsets, whole.histories.items, torch.tensor([1.0, 5.0]), torch.tensor([10, 20])
    )
    rated = RankingTask(
        whole.stage,
        whole.users,
        histories,
        whole.seen,
        whole.targets,
        whole.training_item_counts,
        whole.training_user_counts,
    )
    deletion_fidelity(Watching(), ExactExplainer(Sums()), rated, num_random=1)
    without_named = seen[2]
    assert without_named.items.tolist() == [0]
    assert without_named.rating.tolist() == [1.0]
    assert without_named.timestamp.tolist() == [10]
