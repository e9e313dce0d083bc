import numpy as np

from recsys.data.appending.admission import admitted_rows
from recsys.data.interactions import Interactions


def rows(pairs, num_users, num_items, ratings=None):
    user, item = (np.array([pair[place] for pair in pairs], dtype=np.int32) for place in (0, 1))
    rating = None if ratings is None else np.array(ratings, dtype=np.float32)
    return Interactions(user, item, rating, None, None, num_users, num_items)


def test_known_ones_are_never_counted_and_new_ones_need_enough():
    """User 0 and item 0 are known; user 1 has two items, user 2 has one."""
    new = rows([(0, 0), (1, 0), (1, 1), (2, 1)], 3, 2)
    assert admitted_rows(new, (1, 1), 2, 2, None).tolist() == [True, False, False, False]
    new = rows([(0, 0), (1, 0), (1, 1), (2, 1), (0, 1)], 3, 2)
    assert admitted_rows(new, (1, 1), 2, 2, None).tolist() == [True, True, True, False, True]


def test_what_repeats_or_is_rated_low_does_not_count_again():
    new = rows([(0, 0), (0, 0), (1, 0), (1, 1)], 2, 2, [5, 5, 5, 1])
    assert admitted_rows(new, (0, 0), 2, 1, None).tolist() == [False, False, True, True]
    assert not admitted_rows(new, (0, 0), 2, 1, 4.0).any()


def test_nothing_is_required_of_anybody_by_one():
    assert admitted_rows(rows([(0, 0), (1, 1)], 2, 2), (0, 0), 1, 1, None).all()
