import numpy as np
import pytest

from recsys.retrieval.rank_fusion import merge
from tests.retrieval.made import candidates

INF = float("inf")
FIRST = candidates([[7, 3, 5], [1, -1, -1]], [[9, 8, 7], [5, -INF, -INF]])
SECOND = candidates([[3, 8], [2, 1]], [[0.2, 0.1], [0.2, 0.1]])


def test_an_item_of_both_lists_comes_first():
    # user 0: 7: 1/61; 3: 1/62 + 1/61; 5: 1/63; 8: 1/62.  user 1: 1: 1/61 + 1/62; 2: 1/61
    merged = merge([FIRST, SECOND], 5, [1, 1])
    assert merged.items.tolist() == [[3, 7, 8, 5, -1], [1, 2, -1, -1, -1]]
    assert merged.scores[0, :4].tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])
    assert merged.scores[1].tolist() == pytest.approx([1 / 61 + 1 / 62, 1 / 61, -INF, -INF, -INF])


def test_weights_count():
    # 5: 3/63 = .0476 is now above 8: 1/62 = .0161
    assert merge([FIRST, SECOND], 4, [3, 1]).items[0].tolist() == [3, 7, 5, 8]


def test_a_longer_list_than_asked_for_is_cut():
    assert merge([FIRST, SECOND], 1, [1, 1]).items.tolist() == [[3], [1]]


def test_equal_scores_go_to_the_lower_index():
    one, other = candidates([[9]], [[1]]), candidates([[4]], [[1]])
    assert merge([one, other], 2, [1, 1]).items.tolist() == [[4, 9]]


def test_one_list_stays_as_it_is():
    assert merge([FIRST], 3, [1]).items.tolist() == FIRST.items.tolist()


def test_items_of_other_requests_do_not_count():
    # a sum over the whole batch would give item 1 of the second request the part of the first
    merged = merge([candidates([[1], [1]], [[1], [1]])], 1, [1])
    np.testing.assert_allclose(merged.scores, 1 / 61)
