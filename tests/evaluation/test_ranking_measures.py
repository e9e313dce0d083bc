from __future__ import annotations

import numpy as np
import pytest
import torch

from recsys.evaluation import ranking_measures
from recsys.evaluation.ranked_lists import EvaluatedLists, TaskRanker
from recsys.evaluation.ranking_measures import RankingMeasures
from tests.evaluation.score_table import ScoreTable
from tests.evaluation.test_ranking import make_task, random_case


def test_lists_are_as_long_as_the_largest_cut_off():
    task, *_ = random_case(seed=1)
    assert RankingMeasures((2, 5), 10, task, None).k == 10
    assert RankingMeasures((2, 20), 10, task, None).k == 20


def test_measures_are_those_of_the_lists():
    task = make_task([(0, 0), (1, 1)], [(0, 1), (1, 0)], num_users=2, num_items=3)
    lists = EvaluatedLists(torch.tensor([[1, 2], [2, -1]], dtype=torch.int32), None)
    result = RankingMeasures((2,), 2, task, None).result(lists, 0, 0)
    assert result.per_user["hit_rate@2"].tolist() == [1.0, 0.0]
    assert result.catalogue["coverage@2"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("at_once", [1, 4])
def test_nothing_depends_on_how_many_users_are_measured_at_once(at_once, monkeypatch):
    task, scores, vectors, train, test = random_case(seed=4)
    task = make_task([(user, item) for user, item in train if item < 15], test, 30, 25)
    measures = RankingMeasures((2, 5), 5, task, vectors)
    assert measures.cold_items is not None
    lists = TaskRanker(task, measures.k, measures.cold_items, 5).make(ScoreTable(scores), 100)
    whole = measures.result(lists, 100, 0)
    monkeypatch.setitem(ranking_measures._USERS_AT_ONCE, "cpu", at_once)
    parts = measures.result(lists, 100, 0)
    assert parts.flat() == whole.flat()
    for name, values in (whole.per_user | whole.per_user_beyond).items():
        np.testing.assert_array_equal((parts.per_user | parts.per_user_beyond)[name], values)


def test_cold_items_are_those_without_training_if_one_is_to_be_found():
    task = make_task([(0, 0), (1, 1)], [(0, 2)], num_users=2, num_items=4)
    cold = RankingMeasures((2,), 2, task, None).cold_items
    assert cold is not None and cold.tolist() == [2, 3]
    assert RankingMeasures((2,), 2, make_task([(0, 0), (1, 1)], [(0, 1)], 2, 4), None).cold_items is None
