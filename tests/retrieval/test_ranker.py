import numpy as np

from recsys.retrieval.ranker import reordered
from tests.retrieval.made import candidates

NAN, INF = float("nan"), float("inf")


def test_candidates_are_put_in_the_order_of_the_new_scores():
    made = candidates([[4, 2, 9], [3, 5, -1]], [[0.9, 0.5, 0.1], [0.7, 0.6, -INF]])
    ranked = reordered(made, np.array([[1.0, 3.0, 2.0], [1.0, 2.0, 9.0]]))
    assert ranked.items.tolist() == [[2, 9, 4], [5, 3, -1]]
    assert ranked.scores.tolist() == [[3, 2, 1], [2, 1, -INF]]


def test_ties_go_to_the_lower_index():
    assert reordered(candidates([[9, 4, 2]], [[3, 2, 1]]), np.zeros((1, 3))).items.tolist() == [[2, 4, 9]]


def test_candidates_without_a_score_come_last_in_their_order():
    ranked = reordered(candidates([[9, 4, 2, -1]], [[3, 2, 1, -INF]]), np.array([[NAN, NAN, -5.0, 7.0]]))
    assert ranked.items.tolist() == [[2, 9, 4, -1]]
    assert ranked.scores.tolist() == [[-5, -INF, -INF, -INF]]
