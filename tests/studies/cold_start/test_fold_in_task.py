import numpy as np
import pytest
import torch
from torch import nn

from recsys.data.splitting.cold_users import ColdUsers
from recsys.evaluation.ranking import RankingEvaluator
from recsys.models.interface.protocols import Query
from recsys.studies.cold_start.fold_in_task import FoldInOnly, fold_in_task
from tests.data.splitting.generated import many

ROWS = many(num_rows=2000, num_users=60, num_items=80)
USERS = ColdUsers(test_ratio=0.2, valid_ratio=0.1, given_ratio=None, num_given=10)


def told(num_fold_in: int, order: str = "random") -> list[set[int]]:
    """The told items of each asked user."""
    split = ColdUsers(0.2, 0.1, None, 10, order).split(ROWS)  # type: ignore[arg-type]
    task = fold_in_task(ROWS, split, num_fold_in, order)
    return [set(task.query(user[None]).histories.items.tolist()) for user in task.users]


def test_users_targets_and_candidates_do_not_depend_on_the_number_given():
    split = USERS.split(ROWS)
    few, many_given = (fold_in_task(ROWS, split, num) for num in (1, 10))
    assert few.users.equal(many_given.users)
    assert sorted(few.users.tolist()) == sorted(set(ROWS.user_index[split.test_fold_in].tolist()))
    scores = torch.rand(len(few.users), ROWS.num_items)
    masked = [scores.clone(), scores.clone()]
    few.mask_seen(masked[0], few.users)
    many_given.mask_seen(masked[1], many_given.users)
    assert masked[0].equal(masked[1])
    assert masked[0].isinf().sum() > 0
    assert few.targets.items.equal(many_given.targets.items)


def test_so_many_interactions_are_told_as_are_asked_for():
    split = USERS.split(ROWS)
    for num in (0, 1, 3, 10, 50):
        task = fold_in_task(ROWS, split, num)
        counts = task.histories.counts[task.users]
        assert counts.tolist() == [min(num, 10)] * len(task.users)


def test_a_larger_number_tells_all_that_a_smaller_one_tells():
    for fewer, more in zip(told(3), told(5), strict=True):
        assert fewer < more


def test_by_time_the_oldest_are_told():
    split = ColdUsers(0.2, 0.1, None, 10, "time").split(ROWS)
    task = fold_in_task(ROWS, split, 4, "time")
    given = ROWS.take(split.test_fold_in)
    assert given.timestamp is not None
    for user in task.users.tolist():
        times = np.sort(given.timestamp[given.user_index == user])
        history = task.query(torch.tensor([user])).histories
        assert history.timestamp is not None
        assert history.timestamp.tolist() == times[:4].tolist()


def test_what_is_told_hangs_on_the_seed():
    split = USERS.split(ROWS)
    first, same, other = (fold_in_task(ROWS, split, 3, seed=seed).histories.items for seed in (1, 1, 2))
    assert first.equal(same)
    assert not first.equal(other)


class Folding(nn.Module):
    """Knows users by index; folds in by scoring the items of the history."""

    def score(self, query: Query) -> torch.Tensor:
        raise AssertionError("asked for a user of the vocabulary")

    def score_histories(self, histories):  # type: ignore[no-untyped-def]
        scores = torch.zeros(len(histories), ROWS.num_items)
        rows = torch.repeat_interleave(torch.arange(len(histories)), histories.counts)
        scores[rows, histories.items] = 1.0
        return scores


def test_new_users_are_asked_for_by_their_history_alone():
    split = USERS.split(ROWS)
    model = FoldInOnly(Folding())
    result = RankingEvaluator(ks=(5,), bootstrap_samples=0).evaluate(model, fold_in_task(ROWS, split, 3))
    assert len(result.users) > 0


def test_a_model_that_does_not_fold_in_is_refused():
    with pytest.raises(AssertionError, match="callers check the protocol first"):
        FoldInOnly(nn.Linear(1, 1))
