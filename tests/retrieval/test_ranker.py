import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("scores", "items", "ordered"),
    [
        # Items are found in the order 9, 4, 2, 7.
        ([NAN, 1, 3, 2], [9, 2, 7, 4], [3, 3, 2, 1]),  # found as the best, it stays the best
        ([1, NAN, 3, 2], [2, 4, 7, 9], [3, 2, 2, 1]),  # one scored candidate before it, as before
        ([1, 3, 2, NAN], [4, 2, 9, 7], [3, 2, 1, 1]),  # the last stays the last
        ([NAN, 5, NAN, 6], [9, 7, 2, 4], [6, 6, 5, 5]),
        ([1, INF, -INF, 2], [7, 4, 2, 9], [2, 1, 1, 1]),  # what is not finite is no score
    ],
)
def test_a_candidate_without_a_score_keeps_its_place(scores, items, ordered):
    ranked = reordered(candidates([[9, 4, 2, 7]], [[0.9, 0.8, 0.7, 0.6]]), np.array([scores], dtype=float))
    assert ranked.items.tolist() == [items]
    assert ranked.scores.tolist() == [ordered]


def test_where_nothing_is_scored_the_list_is_as_it_was_found_and_others_do_not_know():
    made = candidates([[9, 4, -1], [3, 5, 8]], [[0.9, 0.8, -INF], [0.3, 0.2, 0.1]])
    ranked = reordered(made, np.array([[NAN, NAN, 7.0], [1.0, 2.0, 3.0]]))
    assert ranked.items.tolist() == [[9, 4, -1], [8, 5, 3]]
    assert ranked.scores.tolist() == [[0.9, 0.8, -INF], [3, 2, 1]]


NUMBERS = st.sampled_from([NAN, INF, -INF, -1.0, 0.0, 0.5, 2.0])


@given(st.lists(st.lists(NUMBERS, min_size=6, max_size=6), min_size=1, max_size=4), st.integers(0, 6))
def test_scores_are_finite_and_fall_and_no_candidate_is_lost(scores, width):
    rows = len(scores)
    items = np.where(np.arange(6) < width, np.arange(6)[::-1] + 10, -1)
    made = candidates([items.tolist()] * rows, [np.where(items >= 0, -np.arange(6.0), -INF).tolist()] * rows)
    ranked = reordered(made, np.array(scores))
    for row in range(rows):
        found = ranked.items[row, :width]
        assert sorted(found.tolist()) == sorted(items[:width].tolist())
        assert np.isfinite(ranked.scores[row, :width]).all() and (np.diff(ranked.scores[row, :width]) <= 0).all()
