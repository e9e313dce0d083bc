import numpy as np

from recsys.retrieval.candidates import Candidates
from tests.retrieval.made import candidates

INF = float("inf")
MADE = candidates([[4, 2, 9], [3, -1, -1]], [[0.9, 0.5, 0.1], [0.7, -INF, -INF]])


def test_allowed_ones_move_up_in_their_order():
    kept = MADE.allowed(np.array([[False, True, True], [True, True, True]]), 3)
    assert kept.items.tolist() == [[2, 9, -1], [3, -1, -1]]
    assert kept.scores.tolist() == [[0.5, 0.1, -INF], [0.7, -INF, -INF]]


def test_lists_are_cut_and_filled_up():
    everything = np.ones((2, 3), dtype=bool)
    assert MADE.allowed(everything, 1).items.tolist() == [[4], [3]]
    assert MADE.allowed(everything, 4).items.tolist() == [[4, 2, 9, -1], [3, -1, -1, -1]]
    assert MADE.padded(2).scores.tolist() == [[0.9, 0.5], [0.7, -INF]]


def test_positions_choose():
    chosen = MADE.at(np.array([[2, 0], [0, -1]]))
    assert chosen.items.tolist() == [[9, 4], [3, -1]]
    assert chosen.scores.tolist() == [[0.1, 0.9], [0.7, -INF]]


def test_positions_of_lists_without_width_choose_nothing():
    assert Candidates.empty(2, 0).at(np.full((2, 3), -1)).items.tolist() == [[-1] * 3] * 2


def test_counts():
    assert MADE.counts.tolist() == [3, 1]
    assert MADE.width == 3
    assert len(MADE) == 2


def test_the_first_of_each_item():
    made = candidates([[4, 2, 4, 2], [5, 5, -1, -1]], np.zeros((2, 4)))
    assert made.first_of_each_item().tolist() == [[True, True, False, False], [True, False, False, False]]
