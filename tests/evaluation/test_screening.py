import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import EvaluationError
from recsys.evaluation.ranked_batch import rank_users
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.screening import exact_scores_of_top_candidates
from recsys.evaluation.user_batches import UserBatch
from recsys.models import neumf
from recsys.models.layers.int8_screening import multiplies_bytes
from recsys.models.neumf import NeuMF
from tests.evaluation.score_table import ScoreTable
from tests.evaluation.test_ranking import make_task, random_case


class RoughTable(ScoreTable):
    """Fixed scores, which are told roughly first."""

    def __init__(self, scores, error, seed=0):
        super().__init__(scores)
        self.error = error
        self.random = np.random.default_rng(seed)
        self.scored = 0

    def approximate_catalogue(self, users):
        scores = self.scores[users]
        noise = torch.from_numpy(self.random.uniform(-1, 1, size=scores.shape).astype(np.float32))
        return torch.nan_to_num(scores) + noise * self.error, torch.full((len(users), 1), self.error)

    def score_pairs(self, users, items):
        self.scored += len(items)
        return self.scores[users, items]


def whole_catalogue(seed):
    """A random task over 60 items, with ties and unscored items, and its scores."""
    task, scores, *_ = random_case(seed, num_items=60, num_values=40)
    return task, scores


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), error=st.sampled_from([0.0, 0.4, 3.0, 100.0]), k=st.integers(1, 7))
def test_lists_are_those_of_a_ranking_of_all(seed, error, k):
    task, scores = whole_catalogue(seed)
    rough = RoughTable(scores, error + 1e-3, seed)
    assert torch.equal(
        rank_users(rough, task, task.users, k).items, rank_users(ScoreTable(scores), task, task.users, k).items
    )


def test_few_items_are_scored_where_the_rough_scores_are_good_and_none_where_they_are_not():
    task, _ = whole_catalogue(1)
    scores = torch.rand(30, 60)
    good, bad = RoughTable(scores, 1e-4), RoughTable(scores, 10.0)
    for model in (good, bad):
        rank_users(model, task, task.users, 5)
    assert 0 < good.scored <= 60 * len(task.users) / 8
    assert bad.scored == 0


def test_no_screening_where_most_of_the_catalogue_is_needed():
    task, scores = whole_catalogue(2)
    model = RoughTable(scores, 0.1)
    assert exact_scores_of_top_candidates(model, task, UserBatch(task.users), 8) is None
    assert exact_scores_of_top_candidates(model, task, UserBatch(task.users), 1, torch.arange(10)) is None
    assert exact_scores_of_top_candidates(ScoreTable(scores), task, UserBatch(task.users), 1) is None
    assert model.scored == 0


def test_a_list_of_no_length_is_refused():
    task, scores = whole_catalogue(2)
    with pytest.raises(EvaluationError, match="at least 1 item; k is 0"):
        rank_users(RoughTable(scores, 0.1), task, task.users, 0)


@pytest.mark.parametrize("answer", [None, (torch.zeros(1, 60), torch.full((1, 1), torch.nan))], ids=["none", "NaN"])
def test_no_screening_without_a_bound(answer):
    task, scores = whole_catalogue(3)
    model = RoughTable(scores, 0.1)
    model.approximate_catalogue = lambda users: answer
    assert exact_scores_of_top_candidates(model, task, UserBatch(task.users[:1]), 1) is None


def test_items_asked_for_are_scored_for_every_user():
    task, _ = whole_catalogue(4)
    scores = torch.rand(30, 60)
    wanted = torch.tensor([7, 50])
    screened = exact_scores_of_top_candidates(RoughTable(scores, 1e-4), task, UserBatch(task.users), 3, wanted)
    expected = scores[task.users]
    task.mask_seen(expected, task.users)
    assert torch.equal(screened[:, wanted], expected[:, wanted])


@pytest.mark.parametrize("num_cold", [2, 700])
def test_measures_of_cold_items_are_the_same(num_cold):
    warm = range(900 - num_cold)
    train = [(user, item) for user in range(6) for item in warm[user % 2 :: 2]]
    task = make_task(train, test=[(0, 899), (1, 899), (1, 4), (2, 898)], num_users=6, num_items=900)
    scores = torch.rand(6, 900)
    evaluator, rough = RankingEvaluator(ks=(2, 5), segment_k=5), RoughTable(scores, 0.01)
    expected = evaluator.evaluate(ScoreTable(scores), task).flat()
    assert any("cold_catalogue/" in name for name in expected)
    assert evaluator.evaluate(rough, task).flat() == expected
    assert (rough.scored > 0) == (num_cold == 2)


@pytest.mark.skipif(not multiplies_bytes(torch.device("cpu")), reason="the processor has no fast products of bytes")
def test_a_network_gets_the_same_figures_with_and_without(monkeypatch):
    torch.manual_seed(0)
    network = NeuMF(30, 200, embedding_dim=8, hidden_dims=(16, 8), init_std=1.0)
    task, *_ = random_case(5, num_items=200)
    evaluator = RankingEvaluator(ks=(5, 20))
    screened = evaluator.evaluate(network, task).flat()
    monkeypatch.setattr(neumf, "multiplies_bytes", lambda device: False)
    assert evaluator.evaluate(network, task).flat() == screened
